"""The menu of commands: for everybody in each of the bot's languages, and for those with roles in their own chats."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from pyrogram import types

from engine.channels.telegram.asking import Asker, Gone, Refused, Strange
from engine.channels.telegram.line import Line
from engine.channels.telegram.outgoing import CHANNEL
from engine.channels.telegram.texts import plain
from engine.runtime.journal import Journal
from engine.runtime.library import Library
from engine.runtime.ports import Chat, Clock

MOST: Final = 100
LONGEST_COMMAND: Final = 32
LONGEST_TITLE: Final = 256
"""Telegram's limits."""
_EVERYBODY: Final = "all"

Commands = tuple[tuple[str, str], ...]
"""(command, title) in order."""
Menus = dict[tuple[str, str], Commands]
"""(`all` or a customer's id, language or nothing for every other one) → what the menu shows."""

log = logging.getLogger("stepgram.telegram")


class Menued(Protocol):
    """The running engine, as far as the menu asks it; `engine.runtime.runtime.Runtime` is one."""

    @property
    def library(self) -> Library:
        """The flows that are live now."""
        ...

    def commands(self, chat: Chat) -> Sequence[tuple[str, str]]:
        """(command, title as HTML) of everything that this customer may start, in their language."""
        ...


class Menu:
    """Tells Telegram the menus when they are not what it was told last; the journal remembers that."""

    def __init__(self, *, line: Line, journal: Journal, clock: Clock) -> None:
        self._line = line
        self._journal = journal
        self._asker = Asker(clock)

    async def publish(self, bot: Menued) -> int:
        """Call it at the start and after every reload; how many menus were changed.

        One that Telegram refuses, such as of an admin who never wrote to the bot, is tried again next time. Raises
        what another attempt may mend.
        """
        told, wanted = await self._told(), menus_of(bot)
        changed = 0
        for (whom, language), commands in wanted.items():
            name, digest = f"{whom}/{language}", _digest(commands)
            if told.get(name) == digest:
                continue
            if await self._tell(whom, language, commands):
                told[name] = digest
                changed += 1
                await self._keep(told)
        for name in [name for name in told if tuple(name.split("/", 1)) not in wanted]:
            whom, _, language = name.partition("/")
            await self._tell(whom, language, ())
            del told[name]
            changed += 1
            await self._keep(told)
        return changed

    async def _tell(self, whom: str, language: str, commands: Commands) -> bool:
        try:
            await self._asker.ask("the menu", lambda: self._request(whom, language, commands))
        except (Gone, Refused, Strange) as refused:
            log.info("the menu of %s was not taken: %s", whom, refused)
            return False
        return True

    async def _request(self, whom: str, language: str, commands: Commands) -> None:
        scope = types.BotCommandScopeDefault() if whom == _EVERYBODY else types.BotCommandScopeChat(chat_id=int(whom))
        if commands:
            items: list[Any] = [types.BotCommand(command=name, description=title) for name, title in commands]
            await self._line.client.set_bot_commands(commands=items, scope=scope, language_code=language)
        else:
            await self._line.client.delete_bot_commands(scope=scope, language_code=language)

    @property
    def _name(self) -> str:
        return f"telegram.menu.{self._line.bot_id}"

    async def _told(self) -> dict[str, str]:
        """What Telegram was told: name of a menu → digest of it."""
        kept = await self._journal.value(self._name)
        try:
            return msgspec.json.decode(kept or "{}", type=dict[str, str])
        except msgspec.MsgspecError:
            return {}

    async def _keep(self, told: Mapping[str, str]) -> None:
        await self._journal.set_value(self._name, msgspec.json.encode(told).decode())


def menus_of(bot: Menued) -> Menus:
    """All menus of a bot. A customer's own menu is left out where it says no more than everybody's."""
    library = bot.library
    languages = {"": library.bot.languages[0]}
    for language in library.bot.languages:
        languages.setdefault(language.replace("_", "-").partition("-")[0].lower(), language)
    menus = {(_EVERYBODY, code): _commands(bot, "0", language) for code, language in languages.items()}
    members = {member for role in library.bot.roles.values() for member in role}
    for member in sorted(members):
        if not (member.isascii() and member.isdigit()):
            continue
        own = {code: _commands(bot, member, language) for code, language in languages.items()}
        if any(commands != menus[_EVERYBODY, code] for code, commands in own.items()):
            menus.update({(member, code): commands for code, commands in own.items()})
    return menus


def _commands(bot: Menued, customer: str, language: str) -> Commands:
    known = bot.commands(Chat(id=f"{CHANNEL}{customer}", language=language))
    found = [
        (command.lower(), plain(title, LONGEST_TITLE) or command)
        for command, title in known
        if 0 < len(command) <= LONGEST_COMMAND
    ]
    return tuple(found[:MOST])


def _digest(commands: Commands) -> str:
    return hashlib.sha256(msgspec.json.encode(commands)).hexdigest()[:16]
