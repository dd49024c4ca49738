"""Makes the Context that an action or source is called with. The only place where plugins meet the runtime."""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.actions.catalog import Catalog
from engine.actions.context import Chosen, Context, FileStore, MenuEntry, OpenConversation, Work
from engine.actions.errors import UnknownSecret
from engine.core.conversation import Conversation
from engine.core.world import World
from engine.runtime.library import Library
from engine.runtime.ports import Chat, Store, Transaction
from engine.runtime.surroundings import Surroundings
from engine.runtime.work import Lease, Works

if TYPE_CHECKING:
    from aiohttp import ClientSession

_TAG: Final = re.compile(r"<[^>]*>")


class Sessions:
    """The shared HTTP session, made when the first action wants it."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    def get(self) -> "ClientSession":
        """The session; do not close it."""
        if self._session is None or self._session.closed:
            from aiohttp import ClientSession  # 200 ms that a bot without HTTP need not spend

            self._session = ClientSession()
        return self._session

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()


class Contexts:
    """Builds contexts for one bot."""

    def __init__(
        self,
        *,
        library: Library,
        surroundings: Surroundings,
        store: Store,
        files: FileStore,
        http: Callable[[], "ClientSession"],
        environment: Mapping[str, str],
        works: Works,
        catalog: Catalog,
        data: Path,
    ) -> None:
        self._works = works
        self._catalog = catalog
        self._data = data
        self._library = library
        self._surroundings = surroundings
        self._store = store
        self._files = files
        self._http = http
        self._environment = environment
        self._same_for_all = all(text.wording("") is not None for text in library.menus.values())
        self._menus: dict[tuple[frozenset[str], str], tuple[MenuEntry, ...]] = {}

    def build(
        self,
        *,
        chat: Chat,
        conversation: str,
        others: Iterable[Conversation],
        call: str,
        attempt: int,
        at: datetime,
        lease: Lease | None = None,
    ) -> Context:
        """A context for one attempt of one call. `lease`: the transaction of a transactional one."""
        world = self._surroundings.world(chat)
        return Context(
            conversation=conversation,
            chat=chat.id,
            customer=world.customer,
            language=world.formats_language,
            settings=world.settings,
            idempotency_key=idempotency_key(conversation, call),
            attempt=attempt,
            now=at,
            transaction=lease,
            database=self._store.transaction if lease is None else _no_database,
            http=self._http,
            files=self._files,
            secret=self.secret,
            environment=self._environment,
            allowed_hosts=self._library.bot.allowed_hosts,
            open_conversations=tuple(
                OpenConversation(
                    id=other.id,
                    flow=other.flow,
                    title=_plain(self._surroundings.title(other.flow, world, at)),
                    step=other.top.visit.step,
                )
                for other in others
                if other.id != conversation
            ),
            menu=self._menu(chat, world, at),
            languages=self._library.bot.languages,
            begin=self._works.begin if lease is None else _no_work,
            configured=self.configured,
            data=self._data,
        )

    def configured(self, kind: type[Chosen]) -> Chosen:
        """A plugin's settings as these flows' bot.yaml has them. Raises LookupError for a class that is none."""
        given = self._library.bot.plugins.get(self._catalog.namespace_of(kind))
        return given if isinstance(given, kind) else kind()

    def _menu(self, chat: Chat, world: World, at: datetime) -> tuple[MenuEntry, ...]:
        """What the customer may start; put together once per language and set of roles when no text depends on more."""
        roles = self._surroundings.roles(chat)
        known = self._menus.get((roles, world.formats_language))
        if known is not None:
            return known
        menu = tuple(
            MenuEntry(flow=flow, title=_plain(self._surroundings.menu_text(flow, world, at)), command=command)
            for flow, command in self._surroundings.startable(roles)
            if flow in self._library.menus
        )
        if self._same_for_all:
            self._menus[roles, world.formats_language] = menu
        return menu

    def secret(self, name: str) -> str:
        """The value of a secret that bot.yaml names. Raises UnknownSecret."""
        variable = self._library.bot.secrets.get(name)
        found = self._environment.get(variable, "") if variable else ""
        if variable is None:
            raise UnknownSecret(f"bot.yaml names no secret “{name}”")
        if not found:
            raise UnknownSecret(f"the environment variable {variable} of the secret “{name}” is not set")
        return found


def idempotency_key(conversation: str, call: str) -> str:
    """The key of a call: what stands behind the stay's number in its id, since two stays may try the same work."""
    return f"{conversation}/{call.partition('.')[2]}"


def _no_work() -> AbstractAsyncContextManager[Work]:
    raise RuntimeError("a transactional action uses context.work, not context.begin()")


def _no_database() -> AbstractAsyncContextManager[Transaction]:
    raise RuntimeError("a transactional action uses context.transaction, not context.database()")


def _plain(text: str) -> str:
    """A title's HTML as text: it is put into a template, which escapes it again."""
    return html.unescape(_TAG.sub("", text))
