"""What a session hands to the bot, and how a script deals with a bot that fails."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.channels.terminal import Console, Elsewhere, TerminalChannel
from engine.channels.terminal_input import (
    CommandTyped,
    ContactSent,
    FilesSent,
    LocationSent,
    Pressed,
    Quit,
    Typed,
    Waited,
    Wrong,
)
from engine.channels.terminal_lines import lines_from
from engine.channels.terminal_live import converse, greeting
from engine.channels.terminal_script import BROKEN, NOT_ENDED, Player
from engine.channels.terminal_session import Customer, NotHandled, Session
from engine.channels.terminal_text import PLAIN
from engine.core.effects import Notice, Press, Say, Show
from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.files import FileStore
from engine.runtime.identity import SeededIds
from engine.runtime.outbox import Visible, compose
from engine.runtime.ports import Envelope
from engine.runtime.routing import CallbackPressed, Command, Start
from storage.memory import MemoryStore

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Bot:
    """An engine that only remembers; `good` says whether it can take an update."""

    def __init__(self, good: Callable[[Envelope], bool] = lambda _: True) -> None:
        self.got: list[Envelope] = []
        self.due = 0
        self._good = good
        self.clock = ManualClock(NOW)

    async def handle(self, envelope: Envelope) -> bool:
        self.got.append(envelope)
        return self._good(envelope)

    async def run_due(self) -> None:
        self.due += 1

    async def turn(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.due += 1


class Sitting:
    def __init__(self, folder: Path, bot: Bot | None = None, *, real: bool = False) -> None:
        self.output = io.StringIO()
        self.console = Console(self.output, style=PLAIN, interactive=False)
        self.bot = bot or Bot()
        self.channel = TerminalChannel(chat="terminal:anna", console=self.console)
        self.files = FileStore(folder / "files", SeededIds(1))
        self.clock = SystemClock() if real else self.bot.clock
        self.session = Session(
            customer=Customer(id="anna", name="Anna", language="de"),
            engine=self.bot,
            store=MemoryStore(),
            files=self.files,
            clock=self.clock,
            screen=self.channel.screen,
        )

    async def show(self, effect: Visible, chat: str = "terminal:anna") -> None:
        await self.channel.deliver(compose(effect, chat=chat, sequence=1, conversation="c1", at=NOW))


@pytest.fixture
async def sitting(tmp_path: Path) -> Sitting:
    made = Sitting(tmp_path)
    await made.session.store.open()
    return made


BUTTONS = Show(
    visit=2, draw=3, text="Which?", rows=((Press(text="A", code="o:a"), Press(text="?", url="https://e.org")),)
)


async def test_inputs_become_envelopes(sitting: Sitting) -> None:
    session = sitting.session
    await sitting.show(BUTTONS)
    await session.start("quiz")
    for given in (
        Typed(text="hi"), CommandTyped(name="order", payload="x"), ContactSent(), ContactSent(phone="+48"),
        LocationSent(latitude=1.5, longitude=2.5), Pressed(button=1), Quit(),
    ):  # fmt: skip
        assert await session.send(given, "u:1") is None
    assert [envelope.what for envelope in sitting.bot.got] == [
        Start(flow="quiz"),
        TextReceived(at=NOW, text="hi"),
        Command(name="order", payload="x"),
        ContactShared(at=NOW, phone="+447700900123", own=True),
        ContactShared(at=NOW, phone="+48", own=True),
        LocationShared(at=NOW, latitude=1.5, longitude=2.5),
        CallbackPressed(data="c1.2.3.o:a"),
    ]
    assert {(e.chat, e.name, e.language) for e in sitting.bot.got} == {("terminal:anna", "Anna", "de")}
    assert {e.update for e in sitting.bot.got} == {None, "u:1"}


async def test_files_are_kept_and_each_has_its_own_update_id(sitting: Sitting, tmp_path: Path) -> None:
    for name in ("a.png", "b.stl"):
        (tmp_path / name).write_bytes(name.encode())
    paths = (str(tmp_path / "a.png"), str(tmp_path / "b.stl"))
    assert await sitting.session.send(FilesSent(paths=paths, photo=True), "u:1") is None
    events = [envelope.what for envelope in sitting.bot.got]
    assert all(isinstance(event, FileReceived) for event in events)
    first = events[0].file  # type: ignore[attr-defined]
    assert {**first, "ref": ""} == {"name": "a.png", "size": 5, "mime": "image/png", "ref": "", "kind": "photo"}
    assert sitting.files.path(str(first["ref"])).read_bytes() == b"a.png"
    assert [envelope.update for envelope in sitting.bot.got] == ["u:1.1", "u:1.2"]
    missing = await sitting.session.send(FilesSent(paths=(paths[0], "none.stl")))
    assert isinstance(missing, Wrong)
    folder = await sitting.session.send(FilesSent(paths=(paths[0], str(tmp_path))))
    assert isinstance(folder, Wrong)
    assert "is a folder" in folder.message
    assert len(sitting.bot.got) == 2


async def test_what_cannot_be_sent(sitting: Sitting, tmp_path: Path) -> None:
    await sitting.show(BUTTONS)
    link = await sitting.session.send(Pressed(button=2))
    assert isinstance(link, Wrong)
    assert "https://e.org" in link.message
    assert isinstance(await sitting.session.send(Pressed(button=3)), Wrong)
    assert await sitting.session.send(Wrong(message="no")) == Wrong(message="no")
    real = Sitting(tmp_path, real=True)
    assert isinstance(await real.session.send(Waited(seconds=5)), Wrong)
    assert sitting.bot.got == []


async def test_waiting_turns_a_virtual_clock(sitting: Sitting) -> None:
    assert await sitting.session.send(Waited(seconds=60)) is None
    assert (sitting.clock.now() - NOW).total_seconds() == 60
    assert sitting.bot.due == 1


async def test_a_bot_that_fails_ends_the_script(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, Bot(lambda envelope: envelope.what != TextReceived(at=NOW, text="b")))
    await sitting.session.store.open()
    player = Player(session=sitting.session, console=sitting.console, script="s.txt", patience=1)
    assert await player.play(lines_from(["a", "b", "c"])) == NOT_ENDED
    assert len(sitting.bot.got) == 2
    assert "playing the script again goes on here" in sitting.output.getvalue()
    with pytest.raises(NotHandled):
        await sitting.session.send(Typed(text="b"))


async def test_a_bot_that_fails_does_not_end_the_talk(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, Bot(lambda _: False))
    await sitting.session.store.open()
    await converse(sitting.session, sitting.console, lines_from(["a", "b\\", "c", "/wait", "/quit", "d"]))
    assert [envelope.what for envelope in sitting.bot.got] == [
        TextReceived(at=NOW, text="a"),
        TextReceived(at=NOW, text="b\nc"),
    ]
    assert "/wait 31m" in sitting.output.getvalue()


async def test_a_wrong_line_ends_the_script_with_its_place(sitting: Sitting) -> None:
    player = Player(session=sitting.session, console=sitting.console, script="s.txt", patience=1)
    assert await player.play(lines_from(["# one", "a", "/file"])) == BROKEN
    assert "s.txt:3: Which file?" in sitting.output.getvalue()


async def test_messages_are_printed_and_those_of_others_refused(sitting: Sitting) -> None:
    await sitting.show(Say(text="Hi"))
    await sitting.show(Notice(text="Saved"))
    await sitting.show(Notice())
    with pytest.raises(Elsewhere):
        await sitting.show(Say(text="secret"), chat="terminal:bob")
    assert sitting.output.getvalue() == "·  Hi\n*  Saved\n"


def test_the_greeting_names_the_commands() -> None:
    assert "/order · /help" in greeting("Shop", ["order", "help"])
    assert "declare no command" in greeting("Shop", [])
