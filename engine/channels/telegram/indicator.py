"""“typing…” at the customer's while the engine works for them. Knows phases, not what they are about."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from pyrogram import enums

from engine.channels.telegram.faults import name_of
from engine.channels.telegram.line import Line
from engine.channels.telegram.outgoing import CHANNEL
from engine.core.conversation import Phase
from engine.runtime.chats import Loaded

PAUSE: Final = 0.4
"""Real seconds that work may take before the indicator comes on: an answer at once needs none."""
AGAIN: Final = 4.5
"""Real seconds after which it is told again: Telegram takes it down after five."""

log = logging.getLogger("stepgram.telegram")


def is_busy(loaded: Loaded) -> bool:
    """Whether the conversation in front runs an action or waits for its source."""
    front = next((item for item in loaded.open if item.id == loaded.chat.front), None)
    return front is not None and front.top.visit.phase in (Phase.RUNNING, Phase.FETCHING)


class Typing:
    """One indicator per chat that works. `chat` reads how a chat stands."""

    def __init__(
        self, line: Line, chat: Callable[[str], Awaitable[Loaded]], *, pause: float = PAUSE, again: float = AGAIN
    ) -> None:
        self._line = line
        self._chat = chat
        self._pause = pause
        self._again = again
        self._asked: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def committed(self, chat: str) -> None:
        """The chat may have changed. Never waits."""
        if not chat.startswith(CHANNEL) or not chat.removeprefix(CHANNEL).isdigit():
            return
        self._asked.add(chat)
        if chat not in self._tasks:
            self._tasks[chat] = asyncio.create_task(self._watch(chat), name=f"typing {chat}")

    async def stop(self) -> None:
        """Tell nobody any more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, chat: str) -> None:
        try:
            while chat in self._asked:
                self._asked.discard(chat)
                await self._show(chat)
        except Exception as error:  # an indicator is worth no second attempt
            log.info("the indicator of %s is off: %s", chat, name_of(error))
        finally:
            del self._tasks[chat]

    async def _show(self, chat: str) -> None:
        if not is_busy(await self._chat(chat)):
            return
        await asyncio.sleep(self._pause)
        while is_busy(await self._chat(chat)):
            await self._line.client.send_chat_action(
                chat_id=int(chat.removeprefix(CHANNEL)), action=enums.ChatAction.TYPING
            )
            await asyncio.sleep(self._again)
