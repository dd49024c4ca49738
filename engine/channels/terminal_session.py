"""One customer at a terminal: what they type becomes envelopes for the runtime, and waits until it is quiet.

Script and interactive loops stand on this; nothing here reads input or decides about flows.
"""

import mimetypes
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol, assert_never

from engine.channels.terminal_input import (
    CommandTyped,
    ContactSent,
    FilesSent,
    Input,
    LocationSent,
    Nothing,
    Pressed,
    Quit,
    Typed,
    Waited,
    Wrong,
)
from engine.channels.terminal_screen import NoButton, Screen
from engine.channels.terminal_text import safe
from engine.core.conversation import Status
from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.runtime.clock import ManualClock
from engine.runtime.files import CHUNK, FileStore, TooLarge
from engine.runtime.ports import Clock, Envelope, Store
from engine.runtime.routing import CallbackPressed, Command, Start

LARGEST_FILE: Final = 2 * 1024**3
"""Bytes that a customer can send: as Telegram has it for bots on its own protocol."""
_FAR: Final = timedelta(days=3660)


class NotHandled(Exception):  # noqa: N818 - says what happened
    """The bot could not take an input, nothing of it was committed; the customer has been told."""


class Engine(Protocol):
    """What the terminal needs of the running bot."""

    async def handle(self, envelope: Envelope) -> bool:
        """Take one update; return when it has been committed. False: it could not be."""
        ...

    async def run_due(self) -> object:
        """Do everything that is due now and return when nothing is under way."""
        ...

    async def turn(self, seconds: float) -> None:
        """Turn a virtual clock; everything that comes due on the way happens at its time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who sits at the terminal."""

    id: str
    name: str
    language: str | None = None
    phone: str = "+447700900123"
    """Shared by a bare `/contact`; the default is one of the numbers kept free for examples."""

    @property
    def chat(self) -> str:
        return f"terminal:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything that one sitting at the terminal works with."""

    customer: Customer
    engine: Engine
    store: Store
    files: FileStore
    clock: Clock
    screen: Screen

    async def send(self, given: Input, update: str | None = None) -> Wrong | None:
        """Carry out one input; `update` makes it repeatable. A Wrong says why it could not be sent.

        Raises NotHandled.
        """
        match given:
            case Wrong():
                return given
            case Quit() | Nothing():
                return None
            case Waited(seconds=seconds):
                return await self._wait(seconds)
            case FilesSent():
                return await self._send_files(given, update)
            case Pressed():
                return await self._press(given, update)
            case Typed() | CommandTyped() | ContactSent() | LocationSent():
                await self._handle(self._event(given), update)
                return None
            case never:
                assert_never(never)

    def _event(self, given: Typed | CommandTyped | ContactSent | LocationSent) -> object:
        now = self.clock.now()
        match given:
            case Typed(text=text):
                return TextReceived(at=now, text=text)
            case CommandTyped(name=name, payload=payload):
                return Command(name=name, payload=payload)
            case ContactSent(phone=phone):
                return ContactShared(at=now, phone=phone or self.customer.phone, own=True)
            case LocationSent(latitude=latitude, longitude=longitude):
                return LocationShared(at=now, latitude=latitude, longitude=longitude)
            case never:
                assert_never(never)

    async def start(self, flow: str, update: str | None = None) -> None:
        """Start a flow by name."""
        await self._handle(Start(flow=flow), update)

    async def waiting(self) -> bool:
        """Whether a conversation stands in front, waiting for the customer."""
        chat = await self.store.chat(self.customer.chat)
        return chat is not None and chat.front is not None

    async def resume(self) -> None:
        """Draw the open question again, if there is one and it is not on the screen already."""
        chat = await self.store.chat(self.customer.chat)
        if chat is not None and chat.front is not None and self.screen.conversation != chat.front:
            await self._handle(Command(name="resume"), None)

    async def _press(self, given: Pressed, update: str | None) -> Wrong | None:
        match self.screen.button(given.button, given.message):
            case NoButton(message=message):
                return Wrong(message=message)
            case (_, press) if press.url:
                return Wrong(message=f"This button opens {press.url} — a link, so nothing is sent to the bot.")
            case (message, press):
                await self._handle(CallbackPressed(data=message.callback(press)), update)
        return None

    async def _send_files(self, given: FilesSent, update: str | None) -> Wrong | None:
        paths = [Path(path) for path in given.paths]
        for path in paths:
            if not path.is_file():
                return Wrong(message=_no_file(path))
        for number, path in enumerate(paths, start=1):
            one = update if update is None or len(paths) == 1 else f"{update}.{number}"
            if one is not None and await self.store.seen(one):
                continue
            wrong = await self._send_file(path, given.photo, one)
            if wrong is not None:
                return wrong
        return None

    async def _send_file(self, path: Path, photo: bool, update: str | None) -> Wrong | None:
        try:
            stored = await self.files.put(_chunks(path), LARGEST_FILE)
        except OSError as error:
            return Wrong(message=f"“{path}” cannot be sent: {error.strerror or error}.")
        except TooLarge:
            return Wrong(message=f"“{path}” is larger than Telegram takes (2 GB).")
        record = {
            "name": path.name,
            "size": stored.size,
            "mime": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            "ref": stored.ref,
            "kind": "photo" if photo else "document",
        }
        await self._handle(FileReceived(at=self.clock.now(), file=record), update)
        return None

    async def _wait(self, seconds: float) -> Wrong | None:
        if not isinstance(self.clock, ManualClock):
            return Wrong(message="/wait works with --virtual-clock only: here the clock is the real one.")
        await self.engine.turn(seconds)
        return None

    async def _handle(self, what: object, update: str | None) -> None:
        envelope = Envelope(
            chat=self.customer.chat,
            update=update,
            what=what,
            name=self.customer.name,
            language=self.customer.language,
        )
        if not await self.engine.handle(envelope):
            raise NotHandled("the bot could not take this input")

    async def settle(self, patience: float) -> bool:
        """Wait until nothing goes on for this customer: calls are back, messages are out.

        Waits for retries at most `patience` seconds (a virtual clock is turned). False: some are left.
        """
        end = self.clock.now() + timedelta(seconds=patience)
        while True:
            await self.engine.run_due()
            now = self.clock.now()
            due = [
                call.due for call in await self.store.due_calls(now + _FAR, 10_000) if call.chat == self.customer.chat
            ]
            if not due:
                return True
            if min(due) > end or now >= end:
                return False
            pause = (min(due) - now).total_seconds()
            if isinstance(self.clock, ManualClock):
                await self.engine.turn(max(pause, 0.001))
            else:
                await self.clock.sleep(min(max(pause, 0.02), 1.0))

    async def ended(self) -> bool:
        """Whether the conversation shown last is over; with none shown, whether none is open."""
        if self.screen.conversation is None:
            return not await self.store.conversations(self.customer.chat)
        conversation = await self.store.conversation(self.screen.conversation)
        return conversation is None or conversation.status is Status.FINISHED


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"“{safe(str(path))}” is a folder. Please name a file in it."
    return f"There is no file “{safe(str(path))}”. Please check the path; in quotation marks it may have spaces."


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    for chunk in _read(path):
        yield chunk


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
