"""A bot at work: the app, the doors that customers come in by, and the flows followed as they are saved.

A door is a channel with what it needs before and behind the engine: `engine.serving_page`, `engine.serving_telegram`.
"""

import asyncio
import hashlib
import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Final, Protocol

from engine.app import App, build, store_of
from engine.channels.switchboard import Switchboard
from engine.channels.web.entries import Received, payload_of
from engine.loading.library import Loaded
from engine.reloading import reload_on_change, stand_of
from engine.runtime.clock import SystemClock, TurnedClock
from engine.runtime.files import FileStore
from engine.runtime.identity import IdSource, SecretIds
from engine.runtime.library import Library
from engine.runtime.observing import Observer, StandIn
from engine.runtime.ports import Channel, Clock, Store
from engine.runtime.surroundings import Granted, Members
from engine.settings import Settings, SettingsError

KEPT: Final = timedelta(days=90)
"""So long the journal keeps messages."""
DAY: Final = timedelta(days=1)
FLOWS_MARK: Final = "flows"
"""Under this name the journal has what `flows_mark` gives for the process that serves the customers."""

log = logging.getLogger("stepgram.serving")


class Door(Protocol):
    """A way in for customers."""

    name: str
    """What its chats begin with, before the colon."""

    @property
    def channel(self) -> Channel: ...

    def attach(self, app: App) -> None:
        """The app is built; nothing runs yet."""
        ...

    def committed(self, chat: str) -> None:
        """An event of this chat was committed. Must not wait."""
        ...

    async def prepare(self) -> None:
        """The store is open, the engine does not run yet."""
        ...

    async def take_up(self) -> None:
        """Hand the engine what was left of the last run, before anything else happens."""
        ...

    async def open(self) -> str:
        """Let customers in; one line that says where. Raises what is told to the operator in a sentence."""
        ...

    async def close(self) -> None:
        """Let nobody in any more and finish what is at hand; also when `open` was never called."""
        ...

    async def reloaded(self, loaded: Loaded, live: bool) -> None:
        """Flows were read again."""
        ...


class Listener(Protocol):
    """A way in for other programs."""

    def attach(self, app: App) -> None:
        """The app is built; nothing runs yet."""
        ...

    async def open(self) -> str:
        """Take what comes; a few words that say where. Raises what is told to the operator in a sentence."""
        ...

    async def close(self) -> None:
        """Take nothing more and finish what is at hand; also when `open` was never called."""
        ...


class Serving:
    """Runs one bot with its doors. `told` hears of every reload: what was read, and whether it is live."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        clock: Clock,
        ids: IdSource,
        doors: Sequence[Door],
        listeners: Sequence[Listener] = (),
        told: Callable[[Loaded, bool], None],
        environment: Mapping[str, str] | None = None,
        observer: Observer | None = None,
        stand_in: StandIn | None = None,
        granted: Granted | None = None,
        members: Members | None = None,
    ) -> None:
        """Load the flows and wire everything; nothing runs yet. Raises what `engine.app.build` raises."""
        self._told = told
        self._doors = doors
        self._listeners = listeners
        self._stand = stand_of(settings.flows)
        self.app: App = build(
            settings,
            channel=Switchboard({door.name: door.channel for door in doors}),
            store=store,
            clock=clock,
            ids=ids,
            environment=environment,
            observer=observer,
            stand_in=stand_in,
            granted=granted,
            members=members,
            committed=self._committed,
            services=bool(doors),
        )
        for way in (*doors, *listeners):
            way.attach(self.app)
        self._running: AsyncExitStack | None = None

    async def start(self) -> Sequence[str]:
        """Run; where each door is. Raises the store's and the doors' errors, nothing left running."""
        async with AsyncExitStack() as starting:
            await self.app.open()
            starting.push_async_callback(self.app.stop)
            await self._alone()
            await self._alike()
            for door in self._doors:
                starting.push_async_callback(door.close)
                await door.prepare()
            await self.app.start(self._take_up)
            places = [await door.open() for door in self._doors]
            for listener in self._listeners:
                starting.push_async_callback(listener.close)
                places.append(await listener.open())
            for work, name in ((self._clean(), "cleaning"), (self._watch(), "flows")):
                starting.push_async_callback(_cancelled, asyncio.create_task(work, name=name))
            self._running = starting.pop_all()
        return places

    async def stop(self) -> None:
        """Finish what is at hand; everything else goes on after the next start."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.aclose()

    async def _alone(self) -> None:
        """Each door is served by one process, however many work behind it. Raises SettingsError."""
        sharing = self.app.store.sharing
        for door in self._doors:
            if sharing is not None and not await sharing.hold(f"door {door.name}"):
                raise SettingsError(
                    "Another `stepgram run` serves the customers of this database already. For more hands behind it "
                    "start `stepgram work`; for another bot give DATABASE_URL another database."
                )

    async def _alike(self) -> None:
        """Who serves the customers says which flows those are; hands behind it have the same. Raises SettingsError."""
        if self.app.store.sharing is None:
            return
        mine = flows_mark(self.app.library)
        journal = self.app.store.journal
        if self._doors:
            await journal.set_value(FLOWS_MARK, mine)
        elif await journal.value(FLOWS_MARK) not in (None, mine):
            raise SettingsError(
                "The flows here are not those of the `stepgram run` that serves the customers of this database: its "
                "customers would get other answers from here. Bring the same flows to both (STEPGRAM_FLOWS), the one "
                "that runs first, then start this again."
            )

    def _committed(self, chat: str) -> None:
        for door in self._doors:
            door.committed(chat)

    async def _take_up(self) -> None:
        for door in self._doors:
            await door.take_up()

    async def _watch(self) -> None:
        await reload_on_change(self.app, self._reloaded, self._stand)

    async def _reloaded(self, loaded: Loaded, live: bool) -> None:
        for door in self._doors:
            await door.reloaded(loaded, live)
        if live and self._doors:
            await self._alike()
        self._told(loaded, live)

    async def _clean(self) -> None:
        """At the start and then daily; by the machine's own time, since a turned clock must not make messages old."""
        while True:
            try:
                await forget_old(self.app.store, self.app.files, SystemClock().now())
            except Exception:
                log.exception("old messages could not be deleted: it is tried again tomorrow")
            await asyncio.sleep(DAY.total_seconds())


async def forget_old(store: Store, files: FileStore, now: datetime) -> None:
    """Delete messages older than KEPT, the files that came with them and nobody else names, and half-written files.

    First the files: killed in between, the messages are still there to name them.
    """
    before = now - KEPT
    old = [entry for kind in ("file", "photo") for entry in await store.journal.old(kind, before)]
    refs = {received.ref for entry in old if isinstance(received := payload_of(entry), Received)}
    if refs:
        await files.discard(await store.unnamed(refs))
    await store.journal.clean(before)
    await files.tidy(now - DAY)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def flows_mark(library: Library) -> str:
    """The same for the same flows, whatever folder they are in."""
    versions = sorted((name, program.version) for name, program in library.programs.items())
    return hashlib.sha256(repr(versions).encode()).hexdigest()[:16]


def worker_name(ids: IdSource) -> str:
    """What this process is called among those that share a database; new for every start."""
    return f"{socket.gethostname()[:32]}-{os.getpid()}-{ids.conversation()}"


def serve(
    settings: Settings,
    *,
    version: str,
    told: Callable[[Loaded, bool], None],
    environment: Mapping[str, str] | None = None,
    ids: IdSource | None = None,
) -> Serving:
    """The bot that the settings ask for: Telegram when its settings are there, else the page in the browser; both when
    `settings.page` says so. Raises what `engine.app.build` raises, and SettingsError when Telegram cannot be used.

    Without real customers the page can turn the clock.
    """
    ids = ids or SecretIds()
    store = store_of(settings, worker_name(ids))
    clock = SystemClock() if settings.telegram else TurnedClock()
    doors: list[Door] = []
    page = None
    if settings.page or not settings.telegram:
        from engine.serving_page import PageDoor

        page = PageDoor(settings, store=store, clock=clock, ids=ids, version=version)
        doors.append(page)
    if settings.telegram:
        from engine.serving_telegram import TelegramDoor

        doors.append(TelegramDoor(settings, store=store, clock=clock, ids=ids))
    listeners: list[Listener] = []
    if settings.webhook_secrets:
        from engine.serving_webhooks import WebhookListener

        listeners.append(WebhookListener(settings))
    return Serving(
        settings,
        store=store,
        clock=clock,
        ids=ids,
        doors=doors,
        listeners=listeners,
        told=told,
        environment=environment,
        observer=page.watcher if page else None,
        stand_in=page.rigs if page else None,
        granted=page.people.granted if page else None,
        members=page.people.members if page else None,
    )


def work(
    settings: Settings,
    *,
    told: Callable[[Loaded, bool], None],
    environment: Mapping[str, str] | None = None,
    ids: IdSource | None = None,
) -> Serving:
    """Another pair of hands behind a bot that `serve` runs somewhere: no doors, only its share of the conversations.
    Raises what `engine.app.build` raises, and SettingsError without a database that can be shared."""
    if settings.database_url is None:
        raise SettingsError(
            "Several processes can share a PostgreSQL database only: please set DATABASE_URL to the one that "
            "`stepgram run` uses. With a SQLite file `stepgram run` does all the work itself."
        )
    ids = ids or SecretIds()
    store = store_of(settings, worker_name(ids))
    return Serving(settings, store=store, clock=SystemClock(), ids=ids, doors=(), told=told, environment=environment)
