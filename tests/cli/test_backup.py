"""`stepgram backup` of a bot that is hard at work, and `stepgram restore`: into SQLite and into PostgreSQL, and every
customer can go on where the backup has them."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.app import App, build
from engine.core.events import FileReceived, TextReceived
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.ports import Envelope
from engine.settings import Settings
from storage import rows
from tests.cli.load import FLOW
from tests.cli.terminal import ROOT, stepgram, surroundings
from tests.runtime.harness import Screen


@dataclass
class Taken:
    """A backup that was taken in the middle of the work."""

    folder: Path
    output: str


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    folder = tmp_path_factory.mktemp("busy")
    (folder / "flows").mkdir()
    (folder / "flows" / "bot.yaml").write_text("bot: Test bot\n", encoding="utf-8")
    (folder / "flows" / "shop.yaml").write_text(FLOW, encoding="utf-8")
    bot = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.load", str(folder)],
        cwd=ROOT, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert bot.stdout is not None
    try:
        while int(bot.stdout.readline() or "-1") < 60:
            assert bot.poll() is None, bot.stderr and bot.stderr.read()
        done = stepgram(folder, "backup", "backup", "--database", "data/a.db")
        assert (done.returncode, done.stderr) == (0, "")
        assert bot.poll() is None, "the bot does not notice it"
        before = int(bot.stdout.readline())
        while int(bot.stdout.readline()) < before + 5:
            assert bot.poll() is None
    finally:
        bot.kill()
        bot.wait()
        bot.communicate()
    return Taken(folder=folder, output=done.stdout)


def test_the_backup_says_what_it_is(taken: Taken) -> None:
    manifest = json.loads((taken.folder / "backup" / "manifest.json").read_text())
    assert manifest["rows"]["conversations"] > 50
    assert manifest["files"] > 10
    assert manifest["missing_files"] <= 20, "at most those that were sent at this very moment"
    assert f"{manifest['rows']['conversations']} conversations of {manifest['rows']['chats']} chats" in taken.output
    assert "stepgram restore backup" in taken.output
    assert sorted(path.name for path in (taken.folder / "backup").iterdir()) == [
        "files", "manifest.json", "stepgram.sqlite3"
    ]  # fmt: skip
    found = files(taken.folder / "backup" / "files")
    assert len(found) == manifest["files"]
    assert all(content.startswith(b"model of ") for content in found.values())


def test_what_is_in_it_belongs_together(taken: Taken) -> None:
    with closing(sqlite3.connect(taken.folder / "backup" / "stepgram.sqlite3")) as database:
        together(database)


def together(database: sqlite3.Connection) -> None:
    """Nothing in it is of an event that is only half there."""

    def ask(sql: str) -> list[Any]:
        return database.execute(sql).fetchall()

    talks = {key: (rows.conversation_of(data), chat, over) for key, chat, data, over in ask(
        "SELECT id, chat, data, finished_at FROM conversations"
    )}  # fmt: skip
    chats = {key: (front, json.loads(aside)) for key, front, aside in ask("SELECT id, front, aside FROM chats")}
    assert {chat for _, chat, _ in talks.values()} <= set(chats)
    for key, (front, aside) in chats.items():
        opened = {talk: found for talk, (found, chat, over) in talks.items() if chat == key and over is None}
        known = {*aside, *([front] if front else [])}
        assert known <= set(opened)
        assert {opened[talk].top.visit.step for talk in set(opened) - known} <= {"paid"}, "these wait behind the scenes"
    for talk, visit in ask("SELECT conversation, visit FROM timers"):
        found, _, over = talks[talk]
        assert over is None
        assert visit in {frame.visit.number for frame in found.frames}
    waiting = {talk for talk, (found, _, over) in talks.items() if over is None and found.top.visit.step == "paid"}
    assert {talk for (talk,) in ask("SELECT conversation FROM timers WHERE name <> 'expires'")} == waiting
    assert len(waiting) > 5
    for chat, sequence, revision in ask(
        "SELECT o.chat, o.sequence, c.revision FROM outbox AS o LEFT JOIN chats AS c ON c.id = o.chat"
    ):
        assert revision is not None, f"{chat} {sequence}"
    for (surface,) in ask("SELECT surface FROM outbox WHERE surface <> ''"):
        assert surface.partition(".")[0] in talks
    assert {talk for (talk,) in ask("SELECT DISTINCT conversation FROM visits")} <= set(talks)
    assert ask("SELECT 1 FROM leases UNION SELECT 1 FROM workers") == []


def opened(taken: Taken, files: Path, clock: ManualClock, database: Path | None, url: str | None) -> tuple[App, Screen]:
    screen = Screen()
    place = {"database": database} if database else {"database_url": url}
    settings = Settings(flows=taken.folder / "flows", files=files, **place)
    return build(settings, channel=screen, clock=clock, environment={}), screen


async def everybody_goes_on(app: App, screen: Screen, clock: ManualClock, talks: list[tuple[str, str]]) -> None:
    """Each customer does the rest, and each conversation ends with thanks, once."""
    await app.start()
    for number, (chat, key) in enumerate(talks):
        found = await app.store.conversation(key)
        assert found is not None
        if found.top.visit.step == "model":
            file = {"ref": "a" * 24, "name": "m.stl", "size": 1, "mime": "model/stl"}
            event: object = FileReceived(at=clock.now(), file=file)
            assert await app.handle(Envelope(chat=chat, update=f"more {number}", what=event))
            found = await app.store.conversation(key)
        if found is not None and found.top.visit.step == "name":
            event = TextReceived(at=clock.now(), text="Bea")
            assert await app.handle(Envelope(chat=chat, update=f"more name {number}", what=event))
    clock.advance(25 * 3600)
    await app.run_due()
    for chat, key in talks:
        ended = await app.store.conversation(key)
        assert ended is not None
        assert ended.outcome == "completed", (chat, ended.top.visit)
        thanks = [row for row in screen.rows if row.chat == chat and row.surface.startswith(f"{key}.")]
        assert thanks, chat
    await app.stop()


def open_talks(file: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT chat, id FROM conversations WHERE finished_at IS NULL").fetchall()


def test_everybody_goes_on_from_the_restored_file(taken: Taken, tmp_path: Path) -> None:
    done = stepgram(tmp_path, "restore", str(taken.folder / "backup"), "--database", "new/b.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Restored into new/b.db: ")
    talks = open_talks(tmp_path / "new" / "b.db")
    assert len(talks) > 30
    with closing(sqlite3.connect(tmp_path / "new" / "b.db")) as database:
        together(database)
    clock = ManualClock(SystemClock().now())
    app, screen = opened(taken, tmp_path / "new" / "files", clock, tmp_path / "new" / "b.db", None)
    assert len(files(tmp_path / "new" / "files")) > 10
    asyncio.run(everybody_goes_on(app, screen, clock, talks))


def test_everybody_goes_on_on_postgresql_and_back_again(taken: Taken, tmp_path: Path, empty_database_url: str) -> None:
    server = {"DATABASE_URL": empty_database_url, "STEPGRAM_FILES": "files"}
    backup = str(taken.folder / "backup")
    done = stepgram(tmp_path, "restore", backup, **server)
    assert (done.returncode, done.stderr) == (0, "")
    again = stepgram(tmp_path, "restore", backup, **server)
    assert (again.returncode, "is not empty (" in again.stderr) == (2, True)
    back = stepgram(tmp_path, "backup", "back", **server)
    assert (back.returncode, back.stderr) == (0, "")
    assert stepgram(tmp_path, "restore", "back", "--database", "b.db").returncode == 0
    assert dumped(tmp_path / "b.db") == dumped(taken.folder / "backup" / "stepgram.sqlite3")
    assert files(tmp_path / "files") == files(tmp_path / "back" / "files") == files(taken.folder / "backup" / "files")
    clock = ManualClock(SystemClock().now())
    app, screen = opened(taken, tmp_path / "files", clock, None, empty_database_url)
    asyncio.run(everybody_goes_on(app, screen, clock, open_talks(tmp_path / "b.db")))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("??/*")}


def dumped(file: Path) -> dict[str, list[Any]]:
    from tests.storage.older import read

    return {name: sorted(lines, key=repr) for name, lines in read(file).items()}


def test_a_bot_at_work_and_a_full_database_are_not_replaced(taken: Taken, tmp_path: Path) -> None:
    backup = str(taken.folder / "backup")
    assert stepgram(tmp_path, "restore", backup, "--database", "b.db").returncode == 0
    again = stepgram(tmp_path, "restore", backup, "--database", "b.db")
    assert (again.returncode, "With --replace the backup takes its place" in again.stderr) == (2, True)
    replaced = stepgram(tmp_path, "restore", backup, "--database", "b.db", "--replace")
    assert (replaced.returncode, "What was there before is the file b.db.replaced-" in replaced.stdout) == (0, True)
    import fcntl

    with (tmp_path / "b.db.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = stepgram(tmp_path, "restore", backup, "--database", "b.db", "--replace")
    assert (busy.returncode, "is in use by" in busy.stderr) == (2, True)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "There is no backup in"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is damaged"),
        (lambda folder: (folder / "stepgram.sqlite3").unlink(), "cannot be read"),
        (lambda folder: os.truncate(folder / "stepgram.sqlite3", 4096), "changed or damaged"),
    ],
)
def test_a_spoilt_backup_changes_nothing(
    taken: Taken, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    shutil.copytree(taken.folder / "backup", tmp_path / "backup", ignore=shutil.ignore_patterns("files"))
    spoil(tmp_path / "backup")
    done = stepgram(tmp_path, "restore", "backup")
    assert (done.returncode, words in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
    assert not (tmp_path / "data").exists()


def test_names_that_are_taken_and_nothing_to_back_up(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    taken = stepgram(tmp_path, "backup", "b")
    assert (taken.returncode, "There is something at b already" in taken.stderr) == (2, True)
    none = stepgram(tmp_path, "backup", "c")
    assert (none.returncode, "There is no database at data/stepgram.sqlite3." in none.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_link_to_the_database_stays_one_and_has_the_lock_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.db").symlink_to("elsewhere/real.db")
    assert stepgram(tmp_path, "migrate", "--database", "link.db").returncode == 0
    assert stepgram(tmp_path, "backup", "a b", "--database", "link.db").stdout.endswith("stepgram restore 'a b'\n")
    done = stepgram(tmp_path, "restore", "a b", "--database", "link.db")
    assert (done.returncode, (tmp_path / "link.db").is_symlink()) == (0, True), done.stderr
    assert (tmp_path / "elsewhere" / "real.db.lock").exists()
    assert not (tmp_path / "link.db.lock").exists()
