"""Somebody at the browser chat without a browser: inputs and answers stand in the journal, as the page leaves them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from engine.actions.catalog import Catalog
from engine.app import build
from engine.channels.web.channel import WebChannel
from engine.channels.web.entries import Contact, Location, Payload, Pressed, Received, Shown, Text, encoded, payload_of
from engine.channels.web.feed import Feed
from engine.channels.web.inputs import event_of
from engine.channels.web.people import People
from engine.channels.web.rigs import Rig, Rigs
from engine.channels.web.tabs import Tabs
from engine.channels.web.workshop_journal import Notes, stored
from engine.channels.web.workshop_observer import Watcher
from engine.runtime.clock import ManualClock
from engine.runtime.identity import SecretIds
from engine.runtime.journal import Entry, Person
from engine.runtime.ports import Envelope, Store
from engine.settings import Settings
from engine.transcripts.recorder import Recorder
from storage.memory import MemoryStore

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)


class Sitting:
    """One person, one bot, one journal. `pause`: seconds that pass before each input."""

    def __init__(
        self,
        flows: Path,
        files: Path,
        catalog: Catalog,
        *,
        pause: float = 0.0,
        roles: tuple[str, ...] = (),
        store: Store | None = None,
    ):
        self.settings = Settings(flows=flows, files=files, plugins=ROOT / "plugins")
        self.clock = ManualClock(START)
        self.store = store or MemoryStore()
        self.catalog = catalog
        self.pause = pause
        self.person = Person(id="zoe", name="Zoë", language="en", roles=roles, seen_at=START)
        self.chat = f"web:{self.person.id}"
        self._count = 0
        tabs = Tabs()
        self.journal = self.store.journal
        people = People(journal=self.journal, tabs=tabs, clock=self.clock, ids=SecretIds())
        self.feed = Feed(journal=self.journal, tabs=tabs, people=people)
        self.watcher, self.rigs = Watcher(), Rigs(self.clock.sleep)
        self.notes = Notes(journal=self.journal, tabs=tabs, key=self._key)
        self.watcher.on_returned.append(self.notes.called)
        self.app = build(
            self.settings, channel=WebChannel(self.feed), store=self.store, clock=self.clock, ids=SecretIds(),
            catalog=catalog, environment={}, observer=self.watcher, stand_in=self.rigs,
            granted=lambda _: frozenset(roles),
        )  # fmt: skip
        self.recorder = Recorder(settings=self.settings, catalog=catalog, store=self.store)

    def _key(self) -> str:
        self._count += 1
        return f"k{self._count}"

    async def __aenter__(self) -> "Sitting":
        await self.app.start()
        await self.journal.keep(self.person)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None):
        await self.notes.flush()
        await self.app.stop()

    async def _enter(self, kind: str, payload: Payload) -> None:
        self.clock.advance(self.pause)
        key = f"{self.chat}:{self._key()}"
        entry = Entry(chat=self.chat, at=self.clock.now(), kind=kind, key=key, payload=encoded(payload))
        await self.feed.append(entry)
        what = event_of(payload, self.clock)
        assert await self.app.handle(
            Envelope(chat=self.chat, update=key, what=what, name=self.person.name, language=self.person.language)
        )
        await self.app.run_due()
        await self.notes.flush()

    async def says(self, text: str) -> None:
        await self._enter("text", Text(text=text))

    async def presses(self, label: str) -> None:
        """The newest button with that in its label."""
        await self.taps(await self.button(label))

    async def taps(self, data: str) -> None:
        await self._enter("press", Pressed(data=data))

    async def hurries(self, *labels: str) -> None:
        """Presses one after the other, all of them before the bot has said anything."""
        pressed = [Pressed(data=await self.button(label)) for label in labels]
        keys = [f"{self.chat}:{self._key()}" for _ in labels]
        for key, payload in zip(keys, pressed, strict=True):
            await self.feed.append(
                Entry(chat=self.chat, at=self.clock.now(), kind="press", key=key, payload=encoded(payload))
            )
        for key, payload in zip(keys, pressed, strict=True):
            what = event_of(payload, self.clock)
            await self.app.handle(Envelope(chat=self.chat, update=key, what=what, name=self.person.name))
        await self.app.run_due()
        await self.notes.flush()

    async def button(self, label: str) -> str:
        for entry in reversed(await self.journal.entries(self.chat, limit=1000)):
            shown = payload_of(entry)
            if entry.kind != "show" or not isinstance(shown, Shown):
                continue
            found = [one.data for row in shown.rows for one in row if label in one.text]
            if found:
                return found[0]
        raise AssertionError(f"no button {label!r} in {await self.texts()}")

    async def texts(self) -> list[str]:
        entries = await self.journal.entries(self.chat, limit=1000)
        return [entry.payload.decode() for entry in entries if entry.kind in ("show", "say")]

    async def sends(self, name: str, size: int = 3000, mime: str = "model/stl", kind: str = "document") -> None:
        async def content():
            yield bytes(size)

        ref = (await self.app.files.put(content())).ref
        payload = Received(name=name, size=size, mime=mime, ref=ref, kind=kind)  # type: ignore[arg-type]
        await self._enter("photo" if kind == "photo" else "file", payload)

    async def shares(self, phone: str) -> None:
        await self._enter("contact", Contact(phone=phone))

    async def stands(self, latitude: float, longitude: float) -> None:
        await self._enter("location", Location(latitude=latitude, longitude=longitude))

    async def turns(self, seconds: float) -> None:
        """With the workshop's clock."""
        await self.notes.note(self.chat, "clock", "later", at=self.clock.now(), more={"seconds": seconds})
        await self.waits(seconds)

    async def waits(self, seconds: float) -> None:
        """Time passes, and nothing says so."""
        await self.app.turn(seconds)
        await self.notes.flush()

    async def tries_again(self) -> None:
        """Time passes until no call waits for another attempt."""
        while calls := await self.store.due_calls(self.clock.now() + timedelta(days=3660)):
            await self.waits(max(0.001, (min(one.due for one in calls) - self.clock.now()).total_seconds()))

    async def front(self) -> str:
        open_ones = await self.store.conversations(self.chat)
        return open_ones[-1].id

    async def fires(self, name: str) -> None:
        """The workshop's “now” beside a timer."""
        conversation = await self.front()
        visit = 0 if name == "expires" else (await self.store.timers(conversation))[0].visit
        await self.notes.note(
            self.chat, "timer", "now", at=self.clock.now(), conversation=conversation,
            more={"name": name, "visit": visit},
        )  # fmt: skip
        assert await self.app.runtime.fire(conversation, visit, name)
        await self.app.run_due()

    async def signals(self, name: str, payload: dict[str, object]) -> None:
        conversation = await self.front()
        more = {"name": name, "payload": stored(payload)}
        await self.notes.note(
            self.chat, "signal", "now", at=self.clock.now(), conversation=conversation, more=more
        )  # fmt: skip
        assert await self.app.runtime.tell(conversation, name, payload)
        await self.app.run_due()

    def rig(self, action: str, rig: Rig) -> None:
        self.rigs.put(self.chat, action, rig)

    async def save(self, name: str = "a test", folder: Path | None = None, conversation: str | None = None):
        """`folder`: flows that the test is played against instead."""
        if folder is not None:
            settings = Settings(flows=folder, files=self.settings.files, plugins=self.settings.plugins)
            self.recorder = Recorder(settings=settings, catalog=self.catalog, store=self.store)
        return await self.recorder(chat=self.chat, conversation=conversation, name=name)


def entry(**changes: object) -> Entry:
    return replace(Entry(chat="web:zoe", at=START, kind="text", key="k", payload=b'{"text":"hi"}'), **changes)  # type: ignore[arg-type]
