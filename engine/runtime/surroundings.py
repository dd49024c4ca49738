"""The world as one customer's conversations see it: profile, roles, language, wording. No I/O."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Final

from engine.core.expressions import EvaluationError, Formats, Scope
from engine.core.expressions.scope import HOURS
from engine.core.hours import seen
from engine.core.program import Text
from engine.core.values import Value
from engine.core.wording import Wording
from engine.core.world import World
from engine.runtime import languages
from engine.runtime.desk import Desk
from engine.runtime.library import Library
from engine.runtime.locales import FALLBACK
from engine.runtime.ports import Chat

WORLDS: Final = 512
"""Customers' worlds kept ready: twice as many as are handled at once. One that is idle is made again when needed."""
_NOBODY: Final[frozenset[str]] = frozenset()
Granted = Callable[[str], frozenset[str]]
"""The roles that somebody in this chat was given beside those of bot.yaml, such as by the browser page's switch."""
Members = Callable[[str], Iterable[str]]
"""The other way round: the chats that were given this role so."""


def customer_of(chat: str) -> tuple[str, str]:
    """Channel and customer id of a chat's id: `telegram:42` → (`telegram`, `42`)."""
    channel, _, customer = chat.partition(":")
    return (channel, customer) if customer else ("", channel)


class Surroundings:
    """Builds what the core and the desk need to speak to one customer."""

    def __init__(self, library: Library, wordings: Mapping[str, Wording], granted: Granted | None = None) -> None:
        self._library = library
        self._granted = granted
        self._wordings = wordings
        self._world = lru_cache(maxsize=WORLDS)(self._build)
        self.startable = lru_cache(maxsize=256)(library.startable)
        """(flow, first command) of what these roles may start: looked through once, however many flows there are."""

    def language(self, wanted: str) -> str:
        """The bot's language that fits the customer's best: `de-AT` → `de`; else the bot's first."""
        languages = self._library.bot.languages
        for tag in (wanted, wanted.replace("_", "-").partition("-")[0]):
            if tag in languages:
                return tag
        return languages[0]

    def world(self, chat: Chat) -> World:
        """The world of one customer, as it stands now."""
        return self._world(chat.id, chat.name, chat.username, chat.language, self.roles(chat))

    def _build(self, chat: str, name: str, username: str | None, language: str, roles: frozenset[str]) -> World:
        bot = self._library.bot
        channel, customer = customer_of(chat)
        spoken = self.language(languages.spoken(language))
        return World(
            customer={
                "id": customer,
                "name": name,
                "username": username,
                "language": spoken,
                "roles": tuple(sorted(roles)),
            },
            chat={"id": chat, "channel": channel},
            settings=bot.settings,
            wording=self._wordings.get(spoken, self._wordings[FALLBACK]),
            formats_language=spoken,
            currency=bot.currency,
            time_zone=bot.time_zone,
            hours=bot.hours,
            region=bot.region,
        )

    def roles(self, chat: Chat) -> frozenset[str]:
        """The customer's roles."""
        if not self._library.bot.roles:
            return _NOBODY
        roles = self._library.roles(customer_of(chat.id)[1])
        if self._granted is not None:
            roles |= self._granted(chat.id) & self._library.bot.roles.keys()
        return roles

    def title(self, flow: str, world: World, at: datetime) -> str:
        """A flow's title in HTML; of a flow that has gone, its name."""
        program = self._library.programs.get(flow)
        return flow if program is None else self.text(program.title, world, at, default=flow)

    def menu_text(self, flow: str, world: World, at: datetime) -> str:
        """What the menu calls a flow: its `menu:` entry, else its title."""
        entry = self._library.menus.get(flow)
        title = self.title(flow, world, at)
        return title if entry is None else self.text(entry, world, at, default=title)

    def text(self, text: Text, world: World, at: datetime, *, default: str) -> str:
        """A text outside of any conversation, rendered; `default` where it cannot be."""
        if text.constant is not None:
            return text.constant
        formats = Formats(language=world.formats_language, currency=world.currency, time_zone=world.time_zone, now=at)
        extra: dict[str, Value] = {
            "customer": world.customer,
            "chat": world.chat,
            "settings": world.settings,
            "now": at,
        }
        extra[HOURS] = partial(seen, world.hours, at)
        try:
            return text(Scope({}, extra, formats)) or default
        except EvaluationError:
            return default

    def desk(self, chat: Chat, world: World, at: datetime) -> Desk:
        """The desk that speaks to this customer."""
        return Desk(
            wording=world.wording,
            title=lambda flow: self.title(flow, world, at),
            startable=self.startable(self.roles(chat)),
        )
