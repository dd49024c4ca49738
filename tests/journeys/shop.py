"""A print shop at work, for tests: the real app on a real SQLite file, customers with phones, a clock turned by hand.

A test reads like a chat: `await anna.says("/order")`, `await anna.presses("FDM")`, `anna.sees("What is your name?")`.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.actions.catalog import Catalog
from engine.app import App, build
from engine.core.conversation import Conversation
from engine.core.effects import Notice, Press, Say, Show
from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.runtime.clock import ManualClock
from engine.runtime.outbox import callback_data, decode
from engine.runtime.ports import Channel, Envelope, Outgoing, Store
from engine.runtime.routing import CallbackPressed, Command
from engine.settings import Settings
from tests.backend import Backend
from tests.print_flows import print_flows

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_FAR = timedelta(days=3660)


@dataclass(slots=True)
class Message:
    """A message with its buttons as it stands on the phone now."""

    surface: str
    show: Show
    edits: int = 0

    def button(self, label: str) -> Press | None:
        presses = [press for row in self.show.rows for press in row]
        exact = next((press for press in presses if press.text == label), None)
        return exact or next((press for press in presses if label in press.text), None)

    @property
    def labels(self) -> list[str]:
        return [press.text for row in self.show.rows for press in row]


@dataclass(slots=True)
class Feed:
    """What one chat has received, in order."""

    everything: list[Show | Say | Notice] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    """Those with a place of their own on the screen; an edit changes one."""
    ids: list[str] = field(default_factory=list)


class Phones:
    """The channel: every chat's screen. Checks what Telegram would refuse. `down` makes it fail."""

    def __init__(self) -> None:
        self.feeds: dict[str, Feed] = {}
        self.down = False

    def feed(self, chat: str) -> Feed:
        return self.feeds.setdefault(chat, Feed())

    async def deliver(self, outgoing: Outgoing) -> None:
        if self.down:
            raise ConnectionError("no network")
        effect = decode(outgoing).effect
        feed = self.feed(outgoing.chat)
        if outgoing.id in feed.ids:
            return  # as Telegram does with a random_id that it knows
        _as_telegram_checks(outgoing, effect)
        feed.ids.append(outgoing.id)
        feed.everything.append(effect)
        if not isinstance(effect, Show):
            return
        old = next((one for one in reversed(feed.messages) if one.surface == outgoing.surface), None)
        if effect.edit and old is not None:
            old.show, old.edits = effect, old.edits + 1
        else:
            feed.messages.append(Message(surface=outgoing.surface, show=effect))


def _as_telegram_checks(outgoing: Outgoing, effect: Show | Say | Notice) -> None:
    assert len(effect.text) <= (200 if isinstance(effect, Notice) else 4096)
    if isinstance(effect, Notice):
        return
    assert effect.text.strip()
    if isinstance(effect, Show):
        for press in (press for row in effect.rows for press in row):
            assert press.text.strip()
            assert press.url or len(callback_data(outgoing.surface, effect.draw, press.code).encode()) <= 64


class Customer:
    """Somebody with a phone. What they do returns when the bot has done all it can do now."""

    def __init__(self, shop: "Shop", name: str) -> None:
        self.shop = shop
        self.name = name
        self.chat = f"test:{name.lower()}"
        self._new = 0
        self._count = 0

    # --- what they do -----------------------------------------------------------------------------------

    async def says(self, text: str) -> None:
        if text.startswith("/"):
            name, _, payload = text[1:].partition(" ")
            await self._send(Command(name=name, payload=payload))
        else:
            await self._send(TextReceived(at=self.shop.clock.now(), text=text))

    async def presses(self, label: str) -> None:
        """The newest button with that text."""
        await self.taps(self.button(label))

    async def taps(self, data: str) -> None:
        """A press with this callback data, whatever is on the screen."""
        await self._send(CallbackPressed(data=data))

    async def sends(self, name: str, content: int | bytes = 3000, *, photo: bool = False, claimed: int = 0) -> None:
        """A file; `claimed` its size when that many bytes are too many for a test."""
        body = bytes([len(name) % 256]) * content if isinstance(content, int) else content
        stored = await self.shop.app.files.put(_pieces(body))
        record = {
            "name": name,
            "size": claimed or stored.size,
            "mime": "image/jpeg" if photo else "model/stl",
            "ref": stored.ref,
            "kind": "photo" if photo else "document",
        }
        await self._send(FileReceived(at=self.shop.clock.now(), file=record))

    async def shares_contact(self, phone: str, *, own: bool = True) -> None:
        await self._send(ContactShared(at=self.shop.clock.now(), phone=phone, own=own))

    async def shares_location(self, latitude: float = 52.23, longitude: float = 21.01) -> None:
        await self._send(LocationShared(at=self.shop.clock.now(), latitude=latitude, longitude=longitude))

    async def _send(self, what: object) -> None:
        await self.hurries(what)
        await self.shop.app.run_due()

    async def hurries(self, what: object, update: str | None = None) -> None:
        """Send without waiting for what follows after the commit."""
        self._count += 1
        self._new = len(self.feed.everything)
        envelope = Envelope(chat=self.chat, update=update or f"{self.chat}:{self._count}", what=what, name=self.name)
        assert await self.shop.app.handle(envelope)

    # --- what they see ----------------------------------------------------------------------------------

    @property
    def feed(self) -> Feed:
        return self.shop.phones.feed(self.chat)

    @property
    def news(self) -> list[str]:
        """The texts that have come since the customer did something."""
        return [effect.text for effect in self.feed.everything[self._new :] if effect.text]

    @property
    def last(self) -> Message:
        """The newest message that stands on the screen."""
        return self.feed.messages[-1]

    def button(self, label: str) -> str:
        """Callback data of the newest button with that text."""
        for message in reversed(self.feed.messages):
            press = message.button(label)
            if press is not None:
                return callback_data(message.surface, message.show.draw, press.code)
        raise AssertionError(f"{self.name} sees no button {label!r} in {self.news}")

    def has(self, label: str) -> bool:
        """Whether the newest message has a button with that in its text."""
        return self.last.button(label) is not None

    def sees(self, *words: str) -> None:
        """All of these have come since the customer did something."""
        text = "\n".join(self.news)
        for word in words:
            assert word in text, f"{self.name} does not see {word!r} in:\n{text}"

    def misses(self, *words: str) -> None:
        text = "\n".join(self.news)
        for word in words:
            assert word not in text, f"{self.name} sees {word!r} in:\n{text}"

    # --- what the store has -----------------------------------------------------------------------------

    async def conversation(self, flow: str = "print_order") -> Conversation:
        """Their newest open conversation of a flow."""
        every = await self.shop.app.store.conversations(self.chat)
        return [one for one in every if one.flow == flow][-1]

    async def open_flows(self) -> list[str]:
        return [one.flow for one in await self.shop.app.store.conversations(self.chat)]

    async def data(self) -> Mapping[str, Any]:
        """What has been answered so far in their order."""
        return (await self.conversation()).top.data

    async def step(self) -> str:
        return (await self.conversation()).top.visit.step


class Shop:
    """The bot of this repository on one database. `restart` is a new process on what the old one left."""

    def __init__(
        self,
        folder: Path,
        catalog: Catalog,
        *,
        backend: Backend | None = None,
        clock: ManualClock | None = None,
        seconds: float | None = None,
    ) -> None:
        self.folder = folder
        self.backend = backend
        self.clock = clock or ManualClock(START)
        self.phones = Phones()
        self._catalog = catalog if seconds is None else impatient(catalog, seconds)
        self.app = self.built()

    def built(self, store: Store | None = None, channel: Channel | None = None) -> App:
        return build(
            Settings(
                flows=print_flows(),
                plugins=ROOT / "plugins",
                database=self.folder / "shop.sqlite3",
                files=self.folder / "files",
                synchronous="NORMAL",
            ),
            channel=channel or self.phones,
            store=store,
            clock=self.clock,
            catalog=self._catalog,
            environment={} if self.backend is None else {"API_BASE_URL": self.backend.url},
        )

    async def __aenter__(self) -> "Shop":
        await self.app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()

    async def restart(self) -> None:
        await self.app.stop()
        self.app = self.built()
        await self.app.start()
        await self.app.run_due()

    def customer(self, name: str = "Anna") -> Customer:
        return Customer(self, name)

    async def waits(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)
        await self.app.run_due()

    async def tries_again(self) -> None:
        """Time passes until no call waits for another attempt."""
        await self.app.run_due()
        for _ in range(50):
            calls = await self.app.store.due_calls(self.clock.now() + _FAR)
            if not calls:
                return
            due = min(call.due for call in calls)
            await self.waits(max(0.001, (due - self.clock.now()).total_seconds()))
        raise AssertionError("calls are tried again for ever")


def impatient(catalog: Catalog, seconds: float) -> Catalog:
    """The same actions and sources, given up after so many real seconds: nobody waits half a minute in a test."""
    return replace(
        catalog,
        actions={name: replace(one, timeout=seconds) for name, one in catalog.actions.items()},
        sources={name: replace(one, timeout=seconds) for name, one in catalog.sources.items()},
    )


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body
