"""Whether the bot is “typing” in a chat, told to its tabs when it changes. Knows phases, not what they are about."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from engine.channels.web.tabs import Tabs
from engine.core.conversation import Phase
from engine.runtime.chats import Loaded

PAUSE: Final = 0.15
"""Real seconds that work may take before the indicator comes on: an answer at once needs none."""

log = logging.getLogger("stepgram.web")


def is_busy(loaded: Loaded) -> bool:
    """Whether the conversation in front runs an action or waits for its source."""
    front = next((item for item in loaded.open if item.id == loaded.chat.front), None)
    return front is not None and front.top.visit.phase in (Phase.RUNNING, Phase.FETCHING)


class Typing:
    """One indicator per chat with open tabs. `chat` reads how a chat stands."""

    def __init__(self, tabs: Tabs, chat: Callable[[str], Awaitable[Loaded]], *, pause: float = PAUSE) -> None:
        self._tabs = tabs
        self._chat = chat
        self._pause = pause
        self._handling: Counter[str] = Counter()
        self._on: set[str] = set()
        self._asked: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, chat: str) -> None:
        """An input of this chat is being handled."""
        self._handling[chat] += 1
        self.look(chat)

    def end(self, chat: str) -> None:
        """It has been handled."""
        self._handling[chat] -= 1
        if self._handling[chat] <= 0:
            del self._handling[chat]
        self.look(chat)

    def on(self, chat: str) -> bool:
        """Whether the tabs show the indicator: a tab that is opened now has to be told."""
        return chat in self._on

    def look(self, chat: str) -> None:
        """The chat may have changed: look soon. Never waits."""
        if not self._tabs.of(chat):
            self._on.discard(chat)
            return
        self._asked.add(chat)
        if chat not in self._tasks:
            self._tasks[chat] = asyncio.create_task(self._settle(chat), name=f"typing {chat}")

    async def stop(self) -> None:
        """Look no more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, chat: str) -> None:
        try:
            while chat in self._asked:
                self._asked.discard(chat)
                wanted = await self._wanted(chat)
                if wanted and chat not in self._on:
                    await asyncio.sleep(self._pause)
                    wanted = await self._wanted(chat)
                if wanted != (chat in self._on):
                    (self._on.add if wanted else self._on.discard)(chat)
                    await self._tabs.broadcast(chat, {"type": "typing", "on": wanted})
        except Exception:
            log.exception("it is not known whether the bot is typing in %s", chat)
        finally:
            del self._tasks[chat]

    async def _wanted(self, chat: str) -> bool:
        return self._handling[chat] > 0 or is_busy(await self._chat(chat))
