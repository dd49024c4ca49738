"""On a real SQLite file: answers go when the flow says so, `env:` roles open what is theirs, a flow starts twice."""

import sqlite3
from pathlib import Path

import pytest

from engine.core.events import FileReceived
from storage.sqlite_store import SqliteStore
from tests.runtime.harness import Bot, assemble

FLOW = """
flow: {name}
title: The {name}
entry: {{commands: [{name}]}}
{more}
steps:
  hidden: {{only: admin, text: For the team.}}
  said: {{ask: text, text: Say it.}}
  menu:
    text: What next?
    keyboard: [[{{text: All, trigger: all}}, {{text: Team, trigger: all, only: admin}}]]
  bye: {{text: "You said {{{{ said }}}}", end: completed}}
"""
MORE = {
    "fleeting": "retention: none\nexpires: 1h",
    "daily": "retention: 1d\nexpires: 1h",
    "team": "only: admin",
    "resumed": "second_start: resume",
    "anew": "second_start: restart",
    "both": "second_start: parallel",
    "asked": "second_start: ask",
}
WORD = "a word of the customer"


@pytest.fixture
async def bot(tmp_path: Path):
    flows = {name: FLOW.format(name=name, more=more) for name, more in MORE.items()}
    flows["bot"] = "bot: Test\nroles: {admin: env:ADMIN_IDS}\n"
    store = SqliteStore(tmp_path / "bot.db")
    bot = assemble(tmp_path, flows, store=store, environment={"ADMIN_IDS": "root, boss"})
    await bot.app.start()
    yield bot
    await bot.app.stop()


def tables_with(path: Path, word: str) -> set[str]:
    """The tables that have a row with the word."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name for name in names if any(word in repr(row) for row in connection.execute(f'SELECT * FROM "{name}"'))}
    connection.close()
    return found


async def test_nothing_is_left_of_answers_that_are_not_to_be_kept(bot: Bot, tmp_path: Path) -> None:
    await bot.command("fleeting")
    await bot.types(WORD)
    assert "conversations" in tables_with(tmp_path / "bot.db", WORD)
    await bot.press("All")
    assert bot.last == f"You said {WORD}"
    await bot.turn(1)
    assert tables_with(tmp_path / "bot.db", WORD) == set()


@pytest.mark.parametrize(("flow", "kept"), [("fleeting", 0), ("daily", 86400)])
async def test_answers_of_an_expired_flow_go_after_their_time(bot: Bot, tmp_path: Path, flow: str, kept: int) -> None:
    await bot.command(flow)
    await bot.types(WORD)
    await bot.turn(3601)
    assert bool(tables_with(tmp_path / "bot.db", WORD)) is bool(kept)
    await bot.turn(kept + 3601)
    assert tables_with(tmp_path / "bot.db", WORD) == set()


async def test_roles_from_the_environment_open_flow_step_and_button(bot: Bot) -> None:
    await bot.command("team")
    assert "not open to you" in bot.last
    await bot.command("both")
    assert "For the team." not in bot.screen.texts(bot.chat)
    await bot.types("x")
    with pytest.raises(AssertionError):
        bot.button("Team")
    bot.chat = "terminal:boss"
    await bot.command("team")
    assert bot.screen.texts(bot.chat) == ["For the team.", "Say it."]
    await bot.types("x")
    await bot.press("Team")
    assert bot.last == "You said x"


@pytest.mark.parametrize(
    ("flow", "said", "rows"),
    [("resumed", "Say it.", 1), ("anew", "Say it.", 1), ("both", "Say it.", 2), ("asked", "open already", 1)],
)
async def test_a_flow_started_twice(bot: Bot, tmp_path: Path, flow: str, said: str, rows: int) -> None:
    await bot.command(flow)
    await bot.command(flow)
    assert said in bot.last
    connection = sqlite3.connect(tmp_path / "bot.db")
    (count,) = connection.execute("SELECT count(*) FROM conversations WHERE finished_at IS NULL").fetchone()
    connection.close()
    assert count == rows


PICTURE = """
flow: picture
title: Picture
entry: {commands: [picture]}
retention: none
steps:
  sent: {ask: file, text: Send it.}
  bye: {text: Thanks., end: completed}
"""


async def test_a_received_file_goes_with_its_conversation(tmp_path: Path) -> None:
    bot = assemble(tmp_path, {"picture": PICTURE}, store=SqliteStore(tmp_path / "bot.db"))
    await bot.app.start()
    try:

        async def content():
            yield b"solid"

        stored = await bot.app.files.put(content())
        file = {"name": "a.stl", "size": stored.size, "mime": "model/stl", "ref": stored.ref, "kind": "document"}
        await bot.command("picture")
        assert bot.app.files.path(stored.ref).is_file()
        await bot.send(FileReceived(at=bot.clock.now(), file=file))
        await bot.turn(1)
        with pytest.raises(FileNotFoundError):
            bot.app.files.path(stored.ref)
    finally:
        await bot.app.stop()


@pytest.mark.parametrize(("flow", "kept"), [("fleeting", 0), ("daily", 86400)])
async def test_answers_of_a_flow_that_was_taken_away_go_after_their_time(
    bot: Bot, tmp_path: Path, flow: str, kept: int
) -> None:
    await bot.command(flow)
    await bot.types(WORD)
    (tmp_path / "flows" / f"{flow}.yaml").unlink()
    assert (await bot.app.reload()).report.ok
    await bot.types("Hello?")  # the conversation ends: the step it stands at has gone
    await bot.turn(max(1, kept - 3600))
    assert ("conversations" in tables_with(tmp_path / "bot.db", WORD)) is bool(kept)
    await bot.turn(2 * 3600)
    assert tables_with(tmp_path / "bot.db", WORD) == set()
