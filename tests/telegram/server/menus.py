"""bots.*: a bot's commands per scope and language, and which of them a customer's menu shows."""

import re
from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import Account
from tests.telegram.server.methods import Methods
from tests.telegram.server.refusal import Refusal

if TYPE_CHECKING:
    from tests.telegram.server.telegram import TelegramServer

T = raw.types
NAME = re.compile(r"[a-z0-9_]{1,32}")
MAX_COMMANDS = 100
MAX_DESCRIPTION = 256

Commands = list[tuple[str, str]]


class Menus:
    def __init__(self, server: "TelegramServer") -> None:
        self._server = server
        self._set: dict[tuple[int, str, str], list[TLObject]] = {}

    def methods(self) -> Methods:
        return {
            "bots.SetBotCommands": self.set_commands,
            "bots.GetBotCommands": self.get_commands,
            "bots.ResetBotCommands": self.reset_commands,
        }

    def _place(self, me: Account, query: TLObject) -> tuple[int, str, str]:
        scopes = {
            T.BotCommandScopeDefault: "default",
            T.BotCommandScopeUsers: "users",
            T.BotCommandScopeChats: "chats",
            T.BotCommandScopeChatAdmins: "chat_admins",
        }
        scope = scopes.get(type(query.scope))
        if scope is None and isinstance(query.scope, T.BotCommandScopePeer):
            scope = f"peer:{self._server.account_of(me, query.scope.peer).id}"
        if scope is None:
            raise Refusal(400, "PEER_ID_INVALID")
        if query.lang_code and not re.fullmatch("[a-z]{2}", query.lang_code):
            raise Refusal(400, "LANG_CODE_INVALID")
        return me.id, scope, query.lang_code

    def set_commands(self, me: Account, query: TLObject) -> bool:
        if not me.bot:
            raise Refusal(400, "USER_BOT_REQUIRED")
        if len(query.commands) > MAX_COMMANDS:
            raise Refusal(400, "BOT_COMMANDS_TOO_MUCH")
        for command in query.commands:
            if not NAME.fullmatch(command.command):
                raise Refusal(400, "BOT_COMMAND_INVALID")
            if not 1 <= len(command.description) <= MAX_DESCRIPTION:
                raise Refusal(400, "BOT_COMMAND_DESCRIPTION_INVALID")
        self._set[self._place(me, query)] = query.commands
        return True

    def get_commands(self, me: Account, query: TLObject) -> list[TLObject]:
        return self._set.get(self._place(me, query), [])

    def reset_commands(self, me: Account, query: TLObject) -> bool:
        self._set.pop(self._place(me, query), None)
        return True

    def of(self, bot: Account, scope: str, language: str) -> Commands:
        """What is set for exactly this scope and language."""
        return [(each.command, each.description) for each in self._set.get((bot.id, scope, language), [])]

    def shown(self, bot: Account, customer: Account, language: str) -> Commands:
        """What the customer's menu shows: the nearest scope that has any, in their language or in none."""
        for scope in (f"peer:{customer.id}", "users", "default"):
            for wanted in (language, ""):
                found = self.of(bot, scope, wanted)
                if found:
                    return found
        return []
