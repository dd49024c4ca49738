"""The composition root: from settings to a running bot. The only module that knows every room."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.core.compiling import Compiler
from engine.core.machine import compile_flows
from engine.core.program import Watch
from engine.core.values import Value
from engine.core.wording import Wording
from engine.diagnostics import Report
from engine.loading.library import Loaded, load
from engine.runtime.clock import ManualClock, SystemClock, TurnedClock
from engine.runtime.files import FileStore
from engine.runtime.identity import IdSource, SecretIds
from engine.runtime.library import Library
from engine.runtime.locales import wordings
from engine.runtime.observing import Observer, StandIn
from engine.runtime.ports import Channel, Clock, Envelope, Store
from engine.runtime.runtime import Runtime
from engine.runtime.sending import Sent
from engine.runtime.surroundings import Granted, Members
from engine.runtime.turning import turn
from engine.settings import Settings

PATIENCE: Final = 2.0
"""Seconds that everything due at one moment has, before a clock that is turned by hand goes on to the next."""

log = logging.getLogger("stepgram.app")


class FlowsFaulty(Exception):  # noqa: N818 - says what is the matter
    """The flows have errors (or there are none), so nothing was started; `report` has the findings."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


@dataclass(slots=True, kw_only=True)
class App:
    """A bot that is ready to be started. Everything a channel or a command needs of it."""

    settings: Settings
    catalog: Catalog
    loaded: Loaded
    """The flows that are live, as they were read; its report has the warnings of the check."""
    files: FileStore
    """Where a channel puts the files it receives."""
    clock: Clock
    store: Store
    runtime: Runtime
    environment: Mapping[str, str]
    spoken: Mapping[str, Wording]
    """The engine's own sentences in each of the bot's languages."""
    watch: Watch | None = None
    opened: bool = False

    @property
    def library(self) -> Library:
        """The flows that are live, ready to be walked."""
        return self.runtime.library

    @property
    def report(self) -> Report:
        """Warnings of the check; errors would have kept these flows from going live."""
        return self.loaded.report

    async def open(self) -> None:
        """Open the store, for whoever has to read in it before the bot starts. Raises the store's errors."""
        await self.store.open()
        self.opened = True

    async def start(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Open the store, if nobody has, and take up everything that was left. Raises the store's errors.

        `first` as in `Runtime.start`.
        """
        if not self.opened:
            await self.open()
        try:
            await self.runtime.start(first)
        except BaseException:
            await self._close()
            raise
        log.info("%d flows are live", len(self.library.programs))

    async def stop(self) -> None:
        """Finish what is at hand and close the store."""
        try:
            await self.runtime.stop()
        finally:
            await self._close()

    async def _close(self) -> None:
        if self.opened:
            self.opened = False
            await self.store.close()

    async def reload(self) -> Loaded:
        """Read the folder of flows again. Without errors they are live when this returns, all at once; with errors
        (or without any flow) nothing changes. The report says which. Raises LocaleError and OSError, nothing changed.
        """
        loaded = await asyncio.to_thread(_read, self.settings.flows, self.catalog, self.environment)
        if loaded.report.ok and loaded.flows:
            library = await asyncio.to_thread(_library, loaded, self.catalog, self.watch)
            if set(loaded.bot.languages) != set(self.loaded.bot.languages):
                self.spoken = wordings(loaded.bot.languages)
            self.runtime.use(library, self.spoken)
            self.loaded = loaded
        return loaded

    async def handle(self, envelope: Envelope) -> bool:
        """One update of a channel; returns when it is committed. False: it failed and the customer was told."""
        return await self.runtime.handle(envelope)

    async def run_due(self) -> None:
        """Handle everything due now and what follows; for virtual clocks and scripts."""
        await self.runtime.run_due()

    async def turn(self, seconds: float) -> None:
        """Turn the clock by so many seconds; everything that comes due on the way happens at its time. Raises TypeError
        for a clock that cannot be turned."""
        if not isinstance(self.clock, ManualClock | TurnedClock):
            raise TypeError("the machine's own clock cannot be turned")
        beside = self.runtime.beside
        await turn(
            self.clock,
            seconds,
            services=beside.services,
            next_due=self.store.next_due,
            run=self.run_due if isinstance(self.clock, ManualClock) else self._run_for_a_while,
            sent=lambda: beside.works.sent,
        )

    async def _run_for_a_while(self) -> None:
        """Of what goes on in real time nobody waits for the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.run_due()

    async def settled(self, patience: float) -> bool:
        """Wait (on a real clock) until no call and no message is under way or waits for another attempt."""
        return await self.runtime.settled(patience)

    async def signal(
        self,
        flow: str,
        key: str,
        name: str,
        payload: Mapping[str, Value] | None = None,
        *,
        update: str | None = None,
    ) -> Sent:
        """Tell the newest open conversation of `flow` with that key; it is kept until there is one. `update`: an id
        under which a repeated signal is dropped. Raises UnfitSignal, and StoreError: then it was not taken."""
        return await self.runtime.signal(flow, key, name, payload or {}, update)


def build(
    settings: Settings,
    *,
    channel: Channel,
    store: Store | None = None,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    catalog: Catalog | None = None,
    environment: Mapping[str, str] | None = None,
    observer: Observer | None = None,
    stand_in: StandIn | None = None,
    granted: Granted | None = None,
    members: Members | None = None,
    committed: Callable[[str], None] | None = None,
    services: bool = True,
) -> App:
    """Load and check the flows and wire everything; nothing runs yet.

    What is not given is the real thing: SQLite at `settings.database`, the system's clock, random ids, all
    plugins found, the process's environment. `observer`, `stand_in`, `granted`, `members` and `committed` as in
    `Runtime`.
    Raises FlowsFaulty, PluginError, LocaleError.
    """
    variables = os.environ if environment is None else environment
    known = discover([settings.plugins]) if catalog is None else catalog
    loaded = _loaded(settings.flows, known, variables)
    ids = ids or SecretIds()
    watch = None if observer is None else observer.evaluated
    library = _library(loaded, known, watch)
    spoken = wordings(loaded.bot.languages)
    store = store or store_of(settings)
    clock = clock or SystemClock()
    files = FileStore(settings.files, ids)
    runtime = Runtime(
        library=library,
        catalog=known,
        wordings=spoken,
        store=store,
        channel=channel,
        clock=clock,
        ids=ids,
        files=files,
        environment=variables,
        observer=observer,
        stand_in=stand_in,
        granted=granted,
        members=members,
        committed=committed,
        data=settings.kept,
        services=services,
    )
    return App(
        settings=settings,
        catalog=known,
        loaded=loaded,
        files=files,
        clock=clock,
        store=store,
        runtime=runtime,
        environment=variables,
        spoken=spoken,
        watch=watch,
    )


def _loaded(folder: Path, catalog: Catalog, environment: Mapping[str, str]) -> Loaded:
    if not folder.exists():
        raise FlowsFaulty(f"There is no folder of flows at {folder}.", Report())
    loaded = _read(folder, catalog, environment)
    if not loaded.report.ok:
        raise FlowsFaulty(f"The flows in {folder} have errors: please correct them first.", loaded.report)
    if not loaded.flows:
        raise FlowsFaulty(f"The folder {folder} has no flows yet.", loaded.report)
    return loaded


def _read(folder: Path, catalog: Catalog, environment: Mapping[str, str]) -> Loaded:
    return load(folder, catalog, environment=environment)


def _library(loaded: Loaded, catalog: Catalog, watch: Watch | None = None) -> Library:
    programs = compile_flows(loaded.flows, loaded.bot, catalog, watch)
    compiler = Compiler(signatures=catalog, bot=loaded.bot)
    menus = {flow.name: compiler.text(flow.entry.menu) for flow in loaded.flows if flow.entry.menu is not None}
    return Library.of(programs, loaded.bot, menus)


def store_of(settings: Settings, worker: str = "") -> Store:
    """The store that settings name; not open yet. `worker`: on PostgreSQL, this process shares it with others under
    this name. Raises StoreError when PostgreSQL is asked for and its driver is not installed."""
    if settings.database_url is not None:
        from storage.postgres_store import PostgresStore  # needs asyncpg, an extra

        return PostgresStore(settings.database_url, worker=worker)
    from storage.sqlite_store import SqliteStore  # the ORM costs 300 ms: not for stores given by tests

    return SqliteStore(settings.database, synchronous=settings.synchronous)
