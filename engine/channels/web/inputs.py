"""What customers do on the page, on its way to the engine: kept first, then handed over in order, each once."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from weakref import WeakValueDictionary

from engine.channels.web.entries import (
    Contact,
    Location,
    Payload,
    Pressed,
    Received,
    Text,
    encoded,
    payload_of,
)
from engine.channels.web.feed import Feed
from engine.channels.web.indicator import Typing
from engine.channels.web.people import People
from engine.channels.web.tabs import CHANNEL, Tab
from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.runtime.dispatcher import Stopped
from engine.runtime.journal import Entry
from engine.runtime.ports import Clock, Envelope
from engine.runtime.routing import CallbackPressed, Command

_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@\w+)?(?:\s+(.*))?\Z", re.DOTALL)

Work = Callable[[], Awaitable[None]]

log = logging.getLogger("stepgram.web")

RELEASE: Final = 0.3
"""Seconds after which a press that the bot answered nothing to counts as answered: its notice is delivered by then."""


class Handles(Protocol):
    """The running engine, as far as inputs need it."""

    async def handle(self, envelope: Envelope) -> bool:
        """Take one update; return when it has been committed. False: it could not be, and the customer was told."""
        ...


class Inputs:
    """Takes inputs of all tabs. Handing over goes on in tasks: a slow chat keeps nobody else waiting."""

    def __init__(self, *, engine: Handles, feed: Feed, people: People, clock: Clock, typing: Typing) -> None:
        self._engine = engine
        self._feed = feed
        self._people = people
        self._clock = clock
        self._typing = typing
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, tab: Tab, identity: str, kind: str, payload: Payload) -> bool:
        """Keep an input of this tab, show it, acknowledge it and hand it over. False: it had been taken before.

        Raises what the journal raises; then nothing was kept, and the page sends it again or is told.
        """
        tab.note(identity)
        taken = await self.enter(tab.chat, identity, kind, payload)
        await tab.send({"type": "ack", "id": identity})
        return taken

    async def enter(self, chat: str, identity: str, kind: str, payload: Payload) -> bool:
        """As `take`, without a tab to acknowledge it to."""
        entry = Entry(
            chat=chat,
            at=self._clock.now(),
            kind=kind,
            key=f"{chat}:{identity}",
            payload=encoded(payload),
            handled=False,
        )
        async with self._lock(chat):  # the engine gets them in the order in which they stand in the journal
            written, new = await self._feed.append(entry)
            if new:
                self._spawn(chat, self._entry(written, payload))
        return new

    async def hand(self, chat: str, what: object) -> None:
        """Hand something over that is no input of the customer's, such as a wish to see the question again."""
        async with self._lock(chat):
            self._spawn(chat, self._post(chat, what, None))

    async def take_up(self) -> int:
        """Hand over what was kept and not handled before the process ended; how many. The handling goes on later."""
        entries = await self._feed.journal.unhandled(CHANNEL)
        for entry in entries:
            payload = payload_of(entry)
            if payload is None:
                log.error("input %s is damaged and cannot be handled: it is left out", entry.key)
                await self._feed.journal.handled(entry.id)
                continue
            self._spawn(entry.chat, self._entry(entry, payload))
        return len(entries)

    async def stop(self, patience: float) -> None:
        """Wait at most so many seconds for what is being handled; the rest is handled after the next start."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=patience)

    def _lock(self, chat: str) -> asyncio.Lock:
        lock = self._locks.get(chat)
        if lock is None:
            lock = self._locks[chat] = asyncio.Lock()
        return lock

    def _spawn(self, chat: str, work: Work) -> None:
        """Tasks begin in the order of their making, so the engine's queue has the order of these calls."""
        task = asyncio.create_task(self._guarded(chat, work), name=f"input {chat}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, chat: str, work: Work) -> None:
        self._typing.begin(chat)
        try:
            await work()
        except Stopped:
            log.info("an input of %s is handled after the next start", chat)
        except Exception:
            log.exception("an input of %s could not be handed over: it is tried again after the next start", chat)
        finally:
            self._typing.end(chat)

    def _entry(self, entry: Entry, payload: Payload) -> Work:
        async def work() -> None:
            what = event_of(payload, self._clock)
            if what is not None:
                await self._post(entry.chat, what, entry.key)()
            if isinstance(payload, Pressed):
                self._release(entry)
            await self._feed.journal.handled(entry.id)

        return work

    def _release(self, entry: Entry) -> None:
        """The press is over: a tab that has heard nothing of it soon need not wait any more."""
        key = entry.key.removeprefix(f"{entry.chat}:")
        for tab in self._feed.tabs.of(entry.chat):
            if tab.asked(key):
                asyncio.get_running_loop().call_later(RELEASE, _let_go, tab, key)

    def _post(self, chat: str, what: object, update: str | None) -> Work:
        async def work() -> None:
            person = self._people.of_chat(chat)
            await self._engine.handle(
                Envelope(
                    chat=chat,
                    update=update,
                    what=what,
                    name=person.name if person else "",
                    language=person.language if person else None,
                )
            )

        return work


def _let_go(tab: Tab, key: str) -> None:
    if tab.answer(key):
        tab.tell({"type": "notice", "id": key, "text": "", "alert": False})


def event_of(payload: Payload, clock: Clock) -> object | None:
    """What an input is to the engine; None: it is no input."""
    now = clock.now()
    match payload:
        case Text(text=text):
            return command_of(text) or TextReceived(at=now, text=text)
        case Pressed(data=data):
            return CallbackPressed(data=data)
        case Contact(phone=phone):
            return ContactShared(at=now, phone=phone, own=True)
        case Location(latitude=latitude, longitude=longitude):
            return LocationShared(at=now, latitude=latitude, longitude=longitude)
        case Received(name=name, size=size, mime=mime, ref=ref, kind=kind):
            return FileReceived(at=now, file={"name": name, "size": size, "mime": mime, "ref": ref, "kind": kind})
        case _:
            return None


def command_of(text: str) -> Command | None:
    """`/name@bot payload` as Telegram reads it; None: the text is no command."""
    match = _COMMAND.match(text.strip())
    return None if match is None else Command(name=match[1], payload=(match[2] or "").strip())
