"""The receiving half of the Telegram channel at work on the loopback server: a real line, a real inbox in SQLite, and
in the engine's place a desk that notes what it is given. With `flows`: the real engine and the real channel instead.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from engine.actions.discovery import discover
from engine.app import App, build
from engine.channels.telegram.line import Line
from engine.channels.telegram.outgoing import TelegramChannel
from engine.channels.telegram.receiving import Receiver
from engine.core.conversation import Conversation, Frame, Phase, Visit
from engine.core.effects import Notice
from engine.core.events import FileReceived, TextReceived
from engine.runtime.chats import Loaded
from engine.runtime.clock import SystemClock, TurnedClock
from engine.runtime.dispatcher import Stopped
from engine.runtime.files import FileStore
from engine.runtime.identity import SecretIds
from engine.runtime.outbox import decode
from engine.runtime.ports import Chat, Clock, Envelope, Outgoing
from engine.runtime.routing import CallbackPressed, Command
from engine.settings import Settings
from storage.sqlite_store import SqliteStore
from tests.telegram.server import API_HASH, API_ID, Account, TelegramServer

PATIENCE = 40.0


async def until(happened: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.01)


class Desk:
    """In the engine's place: notes each update once, as the engine would, and says which were repeated."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.repeated: list[str] = []
        self.keys: set[str] = set()
        self.gates: dict[str, asyncio.Event] = {}
        """Chats whose updates are not finished before their gate opens."""
        self.begun: list[str] = []
        self.stopped = False
        self.fails = 0
        """So many next updates make it raise."""
        self.library: Any = None
        self.phase = Phase.RUNNING

    async def handle(self, envelope: Envelope) -> bool:
        if self.stopped:
            raise Stopped("the bot is stopping")
        assert envelope.update is not None
        self.begun.append(envelope.update)
        await asyncio.sleep(0)
        if envelope.chat in self.gates:
            await self.gates[envelope.chat].wait()
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the engine is broken")
        if envelope.update in self.keys:
            self.repeated.append(envelope.update)
            return True
        self.keys.add(envelope.update)
        self.envelopes.append(envelope)
        return True

    async def seen(self, update: str) -> bool:
        return update in self.keys

    async def chat(self, chat: str) -> Loaded:
        """Somebody whose conversation is busy, so that every file is wanted."""
        now = SystemClock().now()
        frame = Frame(flow="f", version="1", visit=Visit(number=1, step="s", phase=self.phase))
        front = Conversation(id="c", chat=chat, flow="f", frames=(frame,), started_at=now, touched_at=now)
        return Loaded(chat=Chat(id=chat, front="c"), new=False, open=(front,))

    def words(self, chat: Chat, key: str, **values: object) -> str:
        return f"{key} {values}"

    def of(self, chat: str) -> list[str]:
        """What a chat did, in words."""
        return [spoken(envelope.what) for envelope in self.envelopes if envelope.chat == chat]

    def files(self) -> list[dict[str, Any]]:
        return [dict(each.what.file) for each in self.envelopes if isinstance(each.what, FileReceived)]


def spoken(what: object) -> str:
    match what:
        case TextReceived(text=text):
            return text
        case Command(name=name, payload=payload):
            return f"/{name} {payload}".strip()
        case CallbackPressed(data=data):
            return f"[{data}]"
        case FileReceived(file=file):
            return f"({file['name']})"
        case _:
            return type(what).__name__


class Mouth:
    """In the channel's place: sends texts without ceremony, and answers presses."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.acknowledged: list[int] = []
        self.delivered: list[Outgoing] = []
        self.heard_of: list[str] = []
        self.fails = 0

    async def deliver(self, outgoing: Outgoing) -> None:
        if self.fails:
            self.fails -= 1
            raise ConnectionError("nobody there")
        self.delivered.append(outgoing)
        effect = decode(outgoing).effect
        if isinstance(effect, Notice):
            return
        with self._line.sending(outgoing.id):
            await self._line.client.send_message(chat_id=int(outgoing.chat.partition(":")[2]), text=effect.text)

    def heard(self, chat: str) -> None:
        self.heard_of.append(chat)

    async def acknowledge(self, query_id: int) -> None:
        self.acknowledged.append(query_id)
        await self._line.client.answer_callback_query(callback_query_id=str(query_id))


class Rig:
    """`async with Rig(server, bot, tmp_path) as rig`. `crash` ends it as kill -9 would, `begin` starts it again."""

    def __init__(
        self,
        server: TelegramServer,
        bot: Account,
        folder: Path,
        *,
        flows: dict[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.server, self.bot, self.folder, self.flows = server, bot, folder, flows
        self.clock = clock or TurnedClock()
        self.desk = Desk()
        self.app: App | None = None

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.faults.clear()
        await self.end()

    async def begin(self, *, online: bool = True) -> None:
        self.store = SqliteStore(self.folder / "bot.sqlite3", synchronous="NORMAL")
        self.line = Line(
            api_id=API_ID,
            api_hash=API_HASH,
            token=self.bot.token,
            folder=self.folder / "session",
            clock=self.clock,
            session_string=self.bot.session_string(API_ID),
        )
        self.mouth: Any = Mouth(self.line)
        self.files = FileStore(self.folder / "files", SecretIds())
        self.progress: list[tuple[str, int, int]] = []
        engine: Any = self.desk
        if self.flows is not None:
            self.mouth = TelegramChannel(
                line=self.line,
                journal=self.store.journal,
                files=self.files,
                flows=self.folder / "flows",
                clock=self.clock,
            )
            engine = self.app = self._app(self.flows)
            self.mouth.bot = self.app.runtime
        else:
            await self.store.open()
        self.receiver = Receiver(
            line=self.line,
            engine=engine if self.app is None else self.app.runtime,
            journal=self.store.journal,
            seen=self.desk.seen if self.app is None else self.store.seen,
            files=self.files,
            clock=self.clock,
            channel=self.mouth,
            progress=lambda *news: self.progress.append(news),
        )
        if self.app is None:
            await self.receiver.start()
        else:
            await self.app.start(self.receiver.start)
        if online:
            await self.line.start(self.receiver.received)

    def _app(self, flows: dict[str, str]) -> App:
        place = self.folder / "flows"
        place.mkdir(exist_ok=True)
        for name, text in flows.items():
            (place / f"{name}.yaml").write_text(text, encoding="utf-8")
        return build(
            Settings(flows=place, files=self.folder / "files"),
            channel=self.mouth,
            store=self.store,
            clock=self.clock,
            catalog=discover(entry_points=False),
            environment={},
        )

    async def end(self) -> None:
        await self.receiver.stop()
        await self.line.stop()
        if self.app is None:
            await self.store.close()
        else:
            await self.app.stop()

    async def crash(self) -> None:
        """Everything stops where it stands: nothing more is written or sent."""
        for task in [*self.receiver._tasks, *self.receiver._lanes._tasks.values()]:
            task.cancel()
        inbox = self.receiver._inbox
        if inbox._task is not None:
            inbox._task.cancel()
        await asyncio.sleep(0)
        self.receiver._stopped = True
        await self.receiver._presses.stop()
        await self.line.stop()
        await self.store.close()

    async def settled(self) -> None:
        """Nothing waits in the inbox any more."""
        await until(lambda: not self.receiver.waiting and not self.receiver._inbox._waiting)

    def kept(self) -> list[Path]:
        """Files in the file store."""
        return [path for path in (self.folder / "files").rglob("*") if path.is_file()]


def chat_of(account: Account) -> str:
    return f"telegram:{account.id}"
