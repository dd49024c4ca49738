"""The browser page put together: the same app as everywhere, its channel, the workshop pane, the web server.

For a bot without real customers: time can be turned and actions can be made to fail.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Final

from engine.app import App, build, sqlite
from engine.channels.web.channel import WebChannel
from engine.channels.web.entries import Received, payload_of
from engine.channels.web.feed import Feed
from engine.channels.web.people import People
from engine.channels.web.rigs import Rigs
from engine.channels.web.server import WebServer
from engine.channels.web.tabs import Tabs
from engine.channels.web.workshop import Saved, Workshop
from engine.channels.web.workshop_clock import saved_offset
from engine.channels.web.workshop_observer import Watcher
from engine.core.graph import graph_of, svg
from engine.core.program import Program
from engine.loading.library import Loaded
from engine.reloading import reload_on_change, stand_of
from engine.runtime.clock import SystemClock, TurnedClock
from engine.runtime.files import FileStore
from engine.runtime.identity import IdSource, SecretIds
from engine.runtime.ports import Store
from engine.settings import Settings

KEPT: Final = timedelta(days=90)
"""So long the page keeps messages."""
DAY: Final = timedelta(days=1)
FIRST_PORT: Final = 8080
PORTS: Final = 20
"""So many ports from the first are tried before any other one is taken."""

log = logging.getLogger("stepgram.web")


class Page:
    """A bot with its page. `told` hears of every reload: what was read, and whether it is live."""

    def __init__(
        self,
        settings: Settings,
        *,
        version: str,
        told: Callable[[Loaded, bool], None],
        environment: Mapping[str, str] | None = None,
        ids: IdSource | None = None,
    ) -> None:
        """Load the flows and wire everything; nothing runs yet. Raises what `engine.app.build` raises."""
        ids = ids or SecretIds()
        self._told = told
        self._stand = stand_of(settings.flows)
        self._clock = TurnedClock()
        store = sqlite(settings)
        tabs = Tabs()
        self._people = People(journal=store.journal, tabs=tabs, clock=self._clock, ids=ids)
        feed = Feed(journal=store.journal, tabs=tabs, people=self._people)
        watcher, rigs = Watcher(), Rigs(asyncio.sleep)
        self.app: App = build(
            settings,
            channel=WebChannel(feed),
            store=store,
            clock=self._clock,
            ids=ids,
            environment=environment,
            observer=watcher,
            stand_in=rigs,
            granted=self._people.granted,
        )
        app = self.app
        self.workshop = Workshop(
            tabs=tabs,
            runtime=app.runtime,
            store=store,
            journal=store.journal,
            catalog=app.catalog,
            clock=self._clock,
            loaded=lambda: app.loaded,
            draw=self._drawn,
            save_test=self._save_test,
            watcher=watcher,
            rigs=rigs,
        )
        self.server = WebServer(
            bot=app.runtime,
            feed=feed,
            people=self._people,
            files=app.files,
            flows=settings.flows,
            clock=self._clock,
            ids=ids,
            host=settings.web_host,
            ports=_ports(settings),
            token=settings.web_token,
            max_file=settings.web_max_file,
            version=version,
            tools=self.workshop,
        )
        watcher.on_committed.append(self.server.committed)
        self._running: AsyncExitStack | None = None

    async def start(self) -> str:
        """Run; the address to open. Raises the store's errors and CannotListen, nothing left running."""
        async with AsyncExitStack() as starting:
            await self.app.open()
            starting.push_async_callback(self.app.stop)
            journal = self.app.store.journal
            self._clock.turn((await saved_offset(journal)).total_seconds())
            await self.app.start(self.server.take_up)
            starting.push_async_callback(self.workshop.stop)
            address = await self.server.start()
            starting.push_async_callback(self.server.stop)
            self.workshop.show_findings(self.app.loaded, live=True)
            cleaning = asyncio.create_task(self._clean(), name="cleaning")
            starting.push_async_callback(_cancelled, cleaning)
            watching = asyncio.create_task(reload_on_change(self.app, self._reloaded, self._stand), name="flows")
            starting.push_async_callback(_cancelled, watching)
            self._running = starting.pop_all()
        return address

    async def stop(self) -> None:
        """Finish what is at hand; everything else goes on after the next start."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.aclose()

    async def _save_test(self, *, chat: str, conversation: str | None, name: str) -> Saved:
        from engine.transcripts.recorder import Recorder  # costs 40 ms that no start of the page should wait for

        app = self.app
        record = Recorder(settings=app.settings, catalog=app.catalog, store=app.store, environment=app.environment)
        return await record(chat=chat, conversation=conversation, name=name)

    def _drawn(self, program: Program) -> str:
        outcomes = {name: action.outcomes for name, action in self.app.catalog.actions.items()}
        return svg(graph_of(program, outcomes=outcomes, flows=self.app.library.programs), standalone=False)

    async def _clean(self) -> None:
        """At the start and then daily; by the machine's own time, since a turned clock must not make messages old."""
        while True:
            try:
                await forget_old(self.app.store, self.app.files, SystemClock().now())
            except Exception:
                log.exception("old messages of the page could not be deleted: it is tried again tomorrow")
            await asyncio.sleep(DAY.total_seconds())

    async def _reloaded(self, loaded: Loaded, live: bool) -> None:
        self.workshop.show_findings(loaded, live)
        if live:
            self.workshop.flows_changed()
            await self.server.reloaded()
        self._told(loaded, live)


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


def _ports(settings: Settings) -> Sequence[int]:
    """The port that was wished for; else the usual one, one of those behind it, or any."""
    if settings.web_port is not None:
        return (settings.web_port,)
    return (*range(FIRST_PORT, FIRST_PORT + PORTS), 0)
