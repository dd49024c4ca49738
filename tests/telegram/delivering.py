"""The outgoing side on its own: a line, a channel and rows to deliver, without flows and without the runtime."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engine.channels.telegram.line import Line
from engine.channels.telegram.outgoing import TelegramChannel
from engine.channels.telegram.pace import Pace
from engine.core.effects import Accepts, Notice, Press, Say, Show
from engine.runtime.chats import Loaded
from engine.runtime.clock import SystemClock, TurnedClock
from engine.runtime.files import FileStore
from engine.runtime.identity import SecretIds
from engine.runtime.journal import Journal
from engine.runtime.outbox import compose
from engine.runtime.ports import Chat, Outgoing
from storage.memory import MemoryStore
from tests.telegram.server import API_HASH, API_ID, Account

AT = datetime(2026, 1, 1, tzinfo=UTC)
PRESS = ((Press(text="Yes", code="k:yes"), Press(text="No", code="k:no")),)


@dataclass
class Engine:
    """What the channel asks of the engine."""

    open: dict[str, Loaded] = field(default_factory=dict)

    async def chat(self, chat: str) -> Loaded:
        return self.open.get(chat, Loaded(chat=Chat(id=chat), new=True, open=()))

    def words(self, chat: Chat, key: str, **values: object) -> str:
        return {"share.contact": "📱 My number", "share.location": "📍 My place"}[key]


@dataclass
class Post:
    """Makes rows of one chat, counted up, and delivers them."""

    channel: TelegramChannel
    chat: str
    sequence: int = 0

    def row(self, effect: Show | Say | Notice, *, conversation: str = "abc", reply: str | None = None) -> Outgoing:
        self.sequence += 1
        return compose(effect, chat=self.chat, sequence=self.sequence, conversation=conversation, at=AT, reply_to=reply)

    async def sends(self, effect: Show | Say | Notice, *, reply: str | None = None) -> Outgoing:
        row = self.row(effect, reply=reply)
        await self.channel.deliver(row)
        return row


def show(text: str, *, visit: int = 1, draw: int = 1, edit: bool = False, accepts: tuple[Accepts, ...] = (),
         photo: tuple[str, str] | None = None, rows: tuple[tuple[Press, ...], ...] = PRESS) -> Show:  # fmt: skip
    return Show(
        visit=visit, draw=draw, text=text, rows=rows, edit=edit, accepts=frozenset(accepts), photo=photo
    )  # fmt: skip


class Bench:
    """One bot's outgoing side. `restarted` is the same after the process ended: only the journal is left."""

    def __init__(self, folder: Path, bot: Account, journal: Journal) -> None:
        self.folder = folder
        self.bot = bot
        self.journal = journal
        self.clock = TurnedClock()
        self.engine = Engine()
        self.line = Line(
            api_id=API_ID,
            api_hash=API_HASH,
            token=bot.token,
            folder=folder,
            clock=SystemClock(),
            session_string=bot.session_string(API_ID),
            patience=2.0,
        )
        self.flows = folder / "flows"
        self.flows.mkdir(exist_ok=True)
        self.files = FileStore(folder / "files", SecretIds())
        self.channel = self.restarted()

    def restarted(self) -> TelegramChannel:
        channel = TelegramChannel(
            line=self.line,
            journal=self.journal,
            files=self.files,
            flows=self.flows,
            clock=self.clock,
            pace=Pace(self.clock, per_chat=1000, overall=1000),
        )
        channel.bot = self.engine
        self.channel = channel
        return channel

    def post(self, chat: str) -> Post:
        return Post(self.channel, chat)

    async def received(self, updates: object) -> None:
        """Nobody listens here."""


@asynccontextmanager
async def bench(folder: Path, bot: Account) -> AsyncIterator[Bench]:
    store = MemoryStore()
    await store.open()
    made = Bench(folder, bot, store.journal)
    await made.line.start(made.received)
    try:
        yield made
    finally:
        await made.line.stop()
        await store.close()
