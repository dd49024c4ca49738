"""What all sockets share, and what they tell each other: who is there, how the page is welcomed. No frames here."""

import asyncio
from typing import Final

from engine.channels.web import bot as bots
from engine.channels.web.bot import Bot
from engine.channels.web.feed import Feed
from engine.channels.web.indicator import Typing
from engine.channels.web.inputs import Inputs
from engine.channels.web.people import People, as_seen, listed
from engine.channels.web.tabs import Tabs, chat_of
from engine.channels.web.tools import Tools
from engine.runtime.journal import Person
from engine.runtime.ports import Clock

PAUSE: Final = 0.1
"""Seconds for which changes of who is there are gathered: two hundred tabs that come back at once are told once."""


class Lobby:
    """Holds the parts together for the sockets. `largest` is the limit of a file in bytes."""

    def __init__(
        self,
        *,
        bot: Bot,
        feed: Feed,
        people: People,
        inputs: Inputs,
        typing: Typing,
        clock: Clock,
        tools: Tools | None,
        largest: int,
        version: str,
    ) -> None:
        self.bot = bot
        self.feed = feed
        self.tabs: Tabs = feed.tabs
        self.people = people
        self.inputs = inputs
        self.typing = typing
        self.tools = tools
        self._clock = clock
        self._largest = largest
        self._version = version
        self._telling: asyncio.Task[None] | None = None

    async def welcome(self, person: Person, *, older: bool) -> dict[str, object]:
        """The first message to a tab."""
        library = self.bot.library
        return {
            "type": "welcome",
            "person": as_seen(person),
            "people": listed(self.people, self.tabs),
            "bot": library.bot.name,
            "languages": library.bot.languages,
            "roles": list(library.bot.roles),
            "commands": await bots.commands(self.bot, chat_of(person.id), person),
            "flows": bots.flows(library),
            "clock": self._time(),
            "max_file": self._largest,
            "version": self._version,
            "workshop": self.tools is not None,
            "older": older,
        }

    async def tell_person(self, person: Person) -> None:
        """Tell the tabs of one person how they are now."""
        people = listed(self.people, self.tabs)
        message = {"type": "person", "person": as_seen(person), "people": people}
        await self.tabs.broadcast(chat_of(person.id), message)

    def people_changed(self) -> None:
        """Somebody came, went or has another name: everybody is told soon."""
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell(), name="who is there")

    async def commands_changed(self) -> None:
        """The flows were loaded again: every tab is told what can be started now."""
        for chat in {tab.chat for tab in self.tabs}:
            person = self.people.of_chat(chat)
            if person is not None:
                listed_now = await bots.commands(self.bot, chat, person)
                await self.tabs.broadcast(chat, {"type": "commands", "commands": listed_now})

    async def stop(self) -> None:
        """Tell nobody any more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self) -> None:
        await asyncio.sleep(PAUSE)
        self._telling = None
        people = listed(self.people, self.tabs)
        for person in {tab.person.id: tab.person for tab in self.tabs}.values():
            message = {"type": "person", "person": as_seen(person), "people": people}
            await self.tabs.broadcast(chat_of(person.id), message)

    def _time(self) -> dict[str, object]:
        now, offset = (self._clock.now(), 0.0) if self.tools is None else self.tools.clock()
        return {"now": now, "offset": offset}
