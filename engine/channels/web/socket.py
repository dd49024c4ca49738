"""One WebSocket of the page: frames in, messages out. What inputs and people are is known elsewhere."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, assert_never

from aiohttp import WSMessage, WSMsgType, web

from engine.channels.web import bot as bots
from engine.channels.web.entries import Contact, Location, Payload, Pressed, Text
from engine.channels.web.lobby import Lobby
from engine.channels.web.people import Refused
from engine.channels.web.protocol import (
    Bad,
    ContactSent,
    Hello,
    Input,
    LocationSent,
    Message,
    Older,
    PersonChanged,
    PressSent,
    TextSent,
    Unknown,
    read,
)
from engine.channels.web.tabs import Tab
from engine.core.records import replaced
from engine.runtime.journal import Person
from engine.runtime.routing import Command

LARGEST: Final = 1024 * 1024
"""Bytes of a frame that is read at all; a larger one ends its socket (code 1009), nothing else."""
HEARTBEAT: Final = 25.0
"""Seconds between two questions whether the page is still there."""
GREETING: Final = 20.0
"""Seconds that a page has to say hello."""
BURST: Final = 30
"""Frames that are read at once; then as many per second. More wait in the network, none is lost."""
FULL: Final = 1013
GOING: Final = 1001

_NOBODY: Final = Person(id="", name="", seen_at=datetime(1970, 1, 1, tzinfo=UTC))

log = logging.getLogger("stepgram.web")


class Pace:
    """Keeps a tab to `BURST` frames per second. `now` in seconds, of any clock that only goes forwards."""

    def __init__(self, now: Callable[[], float], rate: float = BURST) -> None:
        self._now = now
        self._rate = rate
        self._room = rate
        self._at = now()

    def pause(self) -> float:
        """Seconds to wait before the next frame is handled."""
        now = self._now()
        self._room = min(self._rate, self._room + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._room / self._rate)


class Session:
    """A socket from its opening to its end."""

    def __init__(self, socket: web.WebSocketResponse, lobby: Lobby) -> None:
        self._socket = socket
        self._lobby = lobby
        self._joined = False
        self.tab = Tab(_NOBODY)

    async def run(self) -> None:
        """Return when the page has gone or was cut off."""
        writer = asyncio.create_task(self._write(), name="tab writer")
        try:
            await self._read()
        finally:
            await self._leave()
            self.tab.close()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await self._socket.close()

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while (frame := await self.tab.frame()) is not None:
                await self._socket.send_str(frame)
            await self._socket.close(code=FULL)

    async def _read(self) -> None:
        pace = Pace(asyncio.get_running_loop().time)
        while True:
            try:
                frame = await self._socket.receive(None if self._joined else GREETING)
            except TimeoutError:
                return
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            try:
                await self._frame(frame)
            except Exception:
                log.exception("a message of the page could not be handled")
                await self._complain("Something went wrong on our side: please reload the page.")
            await asyncio.sleep(pace.pause())

    async def _frame(self, frame: WSMessage) -> None:
        if frame.type is WSMsgType.BINARY:
            await self._complain("Messages are text here: this one was left out.")
            return
        message = read(frame.data)
        match message:
            case Bad(text=text, id=None):
                await self._complain(text)
            case Bad(text=text, id=identity):
                await self.tab.send({"type": "refused", "id": identity, "text": text})
            case Hello():
                await self._hello(message)
            case _ if not self._joined:
                await self._complain("Please say hello first.")
            case Unknown(content=content):
                tools = self._lobby.tools
                if tools is None or not await tools.command(self.tab, content):
                    await self._complain("There is no message of this type: it was left out.")
            case _:
                await self._known(message)

    async def _known(self, message: Message) -> None:
        match message:
            case TextSent() | PressSent() | ContactSent() | LocationSent():
                await self._input(message)
            case PersonChanged():
                await self._change(message)
            case Older(before=before):
                page = await self._lobby.feed.page(self.tab.chat, before=before)
                await self._entries(page.entries, older=page.older, prepend=True)
            case Hello():
                await self._hello(message)
            case never:
                assert_never(never)

    async def _input(self, message: Input) -> None:
        kind, payload = _payload(message)
        try:
            await self._lobby.inputs.take(self.tab, message.id, kind, payload)
        except Exception:
            log.exception("an input could not be written down")
            text = "This could not be taken: please try it again."
            await self.tab.send({"type": "refused", "id": message.id, "text": text})

    # --- whom the tab speaks for ------------------------------------------------------------------------

    async def _hello(self, hello: Hello) -> None:
        await self._leave()
        refused = await self._lobby.people.claim(hello.person, self._lobby.bot.library.bot, self._join)
        if refused is not None:
            await self._complain(refused.text)
            return
        person = self.tab.person
        try:
            page = await self._lobby.feed.page(self.tab.chat, known=hello.known)
            await self.tab.send(await self._lobby.welcome(person, older=page.older))
            await self._entries(page.entries, older=page.older, prepend=False)
        finally:
            self.tab.release()
        if self._lobby.typing.on(self.tab.chat):
            await self.tab.send({"type": "typing", "on": True})
        self._lobby.typing.look(self.tab.chat)
        self._lobby.people_changed()
        if self._lobby.tools is not None:
            self._lobby.tools.attach(self.tab)

    def _join(self, person: Person) -> None:
        self.tab.person = person
        self.tab.hold()
        self._lobby.tabs.add(self.tab)
        self._joined = True

    async def _leave(self) -> None:
        if not self._joined:
            return
        self._joined = False
        self._lobby.tabs.remove(self.tab)
        if self._lobby.tools is not None:
            self._lobby.tools.detach(self.tab)
        self._lobby.people_changed()

    async def _change(self, message: PersonChanged) -> None:
        lobby, chat = self._lobby, self.tab.chat
        changed = await lobby.people.change(self.tab.person.id, message, lobby.bot.library.bot)
        if isinstance(changed, Refused):
            await self._complain(changed.text)
            return
        before, after = changed
        await lobby.tell_person(after)
        lobby.people_changed()
        if replaced(before, name=after.name, phone=after.phone) == after:
            return
        await lobby.tabs.broadcast(chat, {"type": "commands", "commands": await bots.commands(lobby.bot, chat, after)})
        if (await lobby.bot.chat(chat)).chat.front is not None:
            await lobby.inputs.hand(chat, Command(name="resume"))

    # --- out --------------------------------------------------------------------------------------------

    async def _entries(self, entries: tuple[dict[str, object], ...], *, older: bool, prepend: bool) -> None:
        await self.tab.send({"type": "entries", "entries": entries, "older": older, "prepend": prepend})

    async def _complain(self, text: str) -> None:
        await self.tab.send({"type": "error", "text": text})


def _payload(message: Input) -> tuple[str, Payload]:
    match message:
        case TextSent(text=text):
            return "text", Text(text=text)
        case PressSent(data=data):
            return "press", Pressed(data=data)
        case ContactSent(phone=phone):
            return "contact", Contact(phone=phone)
        case LocationSent(latitude=latitude, longitude=longitude):
            return "location", Location(latitude=latitude, longitude=longitude)
        case never:
            assert_never(never)
