"""Everything of plugins that is not a step of a conversation: transactions with a voice, services, webhooks."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actions.catalog import Catalog
from engine.actions.context import Chosen, ServiceContext
from engine.runtime.activity import Activity
from engine.runtime.context import Contexts
from engine.runtime.hooks import Answer, Hooks
from engine.runtime.identity import IdSource
from engine.runtime.library import Library
from engine.runtime.ports import Clock, NewSignal, Store
from engine.runtime.services import Services, Sleep
from engine.runtime.surroundings import Members
from engine.runtime.work import Works

if TYPE_CHECKING:
    from aiohttp import ClientSession


class Beside:
    """Wires them for one bot. `contexts` and `library`: of the flows that are live. `sent` hears of rows that are to
    be brought on their way. `members`: the chats that were given a role. `runs`: whether services run here."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        store: Store,
        clock: Clock,
        ids: IdSource,
        activity: Activity,
        library: Callable[[], Library],
        contexts: Callable[[], Contexts],
        sent: Callable[[Sequence[NewSignal]], None],
        members: Members | None,
        http: "Callable[[], ClientSession]",
        environment: Mapping[str, str],
        data: Path,
        runs: bool,
    ) -> None:
        self._clock = clock
        self._library = library
        self._contexts = contexts
        self._http = http
        self._environment = environment
        self._keeps = bool(catalog.services or catalog.settings)
        self.data = data
        self.works = Works(store=store, clock=clock, ids=ids, library=library, sent=sent, granted=members)
        services = catalog.services if runs else {}
        self.services = Services(services, make=self._service_context, clock=clock, activity=activity)
        self._hooks = Hooks(
            catalog=catalog, works=self.works, clock=clock, activity=activity, library=library, contexts=contexts
        )

    async def start(self) -> None:
        """Begin the services; return when each has had its first round, or some seconds later."""
        if self._keeps:
            with suppress(OSError):  # a plugin that keeps something there says so itself
                self.data.mkdir(parents=True, exist_ok=True)
        await self.services.start()

    async def stop(self) -> None:
        """End the services."""
        await self.services.stop()

    async def webhook(self, path: str, delivery: str, body: bytes) -> Answer:
        """A signed request to a plugin's path, with the sender's id of it."""
        return await self._hooks.take(path, delivery, body)

    def _service_context(self, name: str, sleep: Sleep) -> ServiceContext:
        return ServiceContext(
            name=name,
            now=self._clock.now,
            sleep=sleep,
            begin=self.works.begin,
            http=self._http,
            secret=lambda wanted: self._contexts().secret(wanted),
            environment=self._environment,
            settings=lambda: self._library().bot.settings,
            configured=_Live(self._contexts),
            data=self.data,
        )


class _Live:
    """A plugin's settings as they are at this moment, whatever has been loaded since the service began."""

    def __init__(self, contexts: Callable[[], Contexts]) -> None:
        self._contexts = contexts

    def __call__(self, kind: type[Chosen], /) -> Chosen:
        return self._contexts().configured(kind)
