"""What the browser chat needs of the running bot, and what it tells a page about it. No sockets."""

import re
from collections.abc import Sequence
from html import unescape
from typing import Final, Protocol

from engine.core.records import replaced
from engine.runtime.chats import Loaded
from engine.runtime.journal import Person
from engine.runtime.languages import heard
from engine.runtime.library import Library
from engine.runtime.ports import Chat, Envelope

_TAG: Final = re.compile(r"<[^<>]*>")


class Bot(Protocol):
    """The running engine; `engine.runtime.runtime.Runtime` is one."""

    @property
    def library(self) -> Library:
        """The flows that are live now."""
        ...

    async def handle(self, envelope: Envelope) -> bool:
        """Take one update; it is in the chat's queue when this is first awaited, and committed when it returns."""
        ...

    async def chat(self, chat: str) -> Loaded:
        """How a chat stands."""
        ...

    def commands(self, chat: Chat) -> Sequence[tuple[str, str]]:
        """(command, title as HTML) of what this customer may start."""
        ...


async def commands(bot: Bot, chat: str, person: Person) -> list[dict[str, object]]:
    """The commands menu of a person, in the language and with the roles that they have now; titles in plain text."""
    loaded = await bot.chat(chat)
    now = replaced(loaded.chat, name=person.name, language=heard(loaded.chat.language, person.language))
    return [{"command": command, "title": plain(title)} for command, title in bot.commands(now)]


def flows(library: Library) -> list[dict[str, object]]:
    """All flows by name; a title that has to be worked out for each customer is the name."""
    return [{"name": name, "title": plain(program.title.wording("") or name)} for name, program in library.offered()]


def plain(html: str) -> str:
    """Telegram HTML as plain text."""
    return unescape(_TAG.sub("", html))
