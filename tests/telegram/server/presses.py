"""Presses of inline buttons: the customer's call waits until the bot answers the query, at most `callback_timeout`
seconds."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import Account
from tests.telegram.server.methods import Methods
from tests.telegram.server.refusal import Refusal

if TYPE_CHECKING:
    from tests.telegram.server.telegram import TelegramServer

T = raw.types
MAX_ANSWER = 200
FIRST_QUERY = 700_000_000_001


@dataclass(eq=False)
class Press:
    customer: Account
    bot: Account
    answer: "asyncio.Future[TLObject]"


class Presses:
    def __init__(self, server: "TelegramServer") -> None:
        self._server = server
        self._ids = itertools.count(FIRST_QUERY)
        self.open: dict[int, Press] = {}

    def methods(self) -> Methods:
        return {
            "messages.GetBotCallbackAnswer": self.press,
            "messages.SetBotCallbackAnswer": self.answer,
        }

    async def press(self, me: Account, query: TLObject) -> TLObject:
        """The data is handed on as it is, also when no button of the message has it: a bot has to expect that."""
        bot_id, number = me.links.get(query.msg_id, (0, 0))
        if me.bot or query.msg_id not in me.box or not query.data:
            raise Refusal(400, "MESSAGE_ID_INVALID")
        bot = self._server.accounts[bot_id]
        press = Press(me, bot, asyncio.get_running_loop().create_future())
        query_id = next(self._ids)
        self.open[query_id] = press
        pressed = T.UpdateBotCallbackQuery(
            query_id=query_id,
            user_id=me.id,
            peer=T.PeerUser(user_id=me.id),
            msg_id=number,
            chat_instance=me.id,
            data=query.data,
        )
        bot.met.add(me.id)
        self._server.push(bot, self._server.updates.packed(bot, [pressed], [me.id, bot.id]))
        try:
            return await asyncio.wait_for(press.answer, self._server.callback_timeout)
        except TimeoutError:
            raise Refusal(400, "BOT_RESPONSE_TIMEOUT") from None
        finally:
            del self.open[query_id]

    def answer(self, me: Account, query: TLObject) -> bool:
        press = self.open.get(query.query_id)
        if press is None or press.bot is not me or press.answer.done():
            raise Refusal(400, "QUERY_ID_INVALID")
        if query.message and len(query.message) > MAX_ANSWER:
            raise Refusal(400, "MESSAGE_TOO_LONG")
        press.answer.set_result(
            T.messages.BotCallbackAnswer(
                cache_time=query.cache_time, alert=query.alert, message=query.message, url=query.url
            )
        )
        return True
