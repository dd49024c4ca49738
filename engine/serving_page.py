"""The browser page as a door: its channel, the workshop pane, the web server."""

import asyncio
from collections.abc import Sequence
from typing import Final

from engine.app import App
from engine.channels.web.channel import WebChannel
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
from engine.runtime.clock import TurnedClock
from engine.runtime.identity import IdSource
from engine.runtime.ports import Clock, Store
from engine.settings import Settings

FIRST_PORT: Final = 8080
PORTS: Final = 20
"""So many ports from the first are tried before any other one is taken."""


class PageDoor:
    """Implements `engine.serving.Door`. The clock can be turned when it is a TurnedClock."""

    name = "web"

    def __init__(self, settings: Settings, *, store: Store, clock: Clock, ids: IdSource, version: str) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._ids = ids
        self._version = version
        self._tabs = Tabs()
        self.people = People(journal=store.journal, tabs=self._tabs, clock=clock, ids=ids)
        self._feed = Feed(journal=store.journal, tabs=self._tabs, people=self.people)
        self.channel = WebChannel(self._feed)
        self.watcher = Watcher()
        self.rigs = Rigs(asyncio.sleep)
        self.address = ""
        """Where the page is, after `open`."""

    def attach(self, app: App) -> None:
        self.app = app
        self.workshop = Workshop(
            tabs=self._tabs,
            runtime=app.runtime,
            store=self._store,
            journal=self._store.journal,
            catalog=app.catalog,
            clock=self._clock,
            loaded=lambda: app.loaded,
            draw=self._drawn,
            save_test=self._save_test,
            turn=app.turn,
            watcher=self.watcher,
            rigs=self.rigs,
        )
        self.server = WebServer(
            bot=app.runtime,
            feed=self._feed,
            people=self.people,
            files=app.files,
            flows=self._settings.flows,
            clock=self._clock,
            ids=self._ids,
            host=self._settings.web_host,
            ports=_ports(self._settings),
            token=self._settings.web_token,
            max_file=self._settings.web_max_file,
            version=self._version,
            tools=self.workshop,
        )

    def committed(self, chat: str) -> None:
        self.server.committed(chat)

    async def prepare(self) -> None:
        if isinstance(self._clock, TurnedClock):
            self._clock.turn((await saved_offset(self._store.journal)).total_seconds())

    async def take_up(self) -> None:
        await self.server.take_up()

    async def open(self) -> str:
        self.address = await self.server.start()
        self.workshop.show_findings(self.app.loaded, live=True)
        return self.address

    async def close(self) -> None:
        await self.server.stop()
        await self.workshop.stop()

    async def reloaded(self, loaded: Loaded, live: bool) -> None:
        self.workshop.show_findings(loaded, live)
        if live:
            self.workshop.flows_changed()
            await self.server.reloaded()

    async def _save_test(self, *, chat: str, conversation: str | None, name: str) -> Saved:
        from engine.transcripts.recorder import Recorder  # costs 40 ms that no start of the page should wait for

        app = self.app
        record = Recorder(settings=app.settings, catalog=app.catalog, store=app.store, environment=app.environment)
        return await record(chat=chat, conversation=conversation, name=name)

    def _drawn(self, program: Program) -> str:
        outcomes = {name: action.outcomes for name, action in self.app.catalog.actions.items()}
        return svg(graph_of(program, outcomes=outcomes, flows=self.app.library.programs), standalone=False)


def _ports(settings: Settings) -> Sequence[int]:
    """The port that was wished for; else the usual one, one of those behind it, or any."""
    if settings.web_port is not None:
        return (settings.web_port,)
    return (*range(FIRST_PORT, FIRST_PORT + PORTS), 0)
