"""The page at work, for the measurements: a real server on a free port of 127.0.0.1, and tabs that speak its protocol.

Nothing is measured here.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from engine.loading.library import Loaded
from engine.serving import Serving, serve
from engine.settings import Settings

PATIENCE: Final = 60.0
TURN: Final = """
flow: turn
title: Turn
entry: {commands: [turn]}
expires: 24h
steps:
  left:
    ask: choice
    text: <b>Left</b>, {{ customer.name }}. Which way now?
    keyboard: {go: Go on, stop: Enough}
    transitions: {go: right, stop: bye}
  right:
    ask: choice
    text: <b>Right</b>, {{ customer.name }}. Which way now?
    keyboard: {go: Go on, stop: Enough}
    transitions: {go: left, stop: bye}
  bye:
    text: Bye
    end: completed
"""
"""Two questions, for ever: each press is answered with the other one, and no action is waited for."""


def silent(_: Loaded, __: bool) -> None:
    """Nobody is told of a reload."""


def folder_of(place: Path, texts: Mapping[str, str] | None = None) -> Path:
    """A folder with these flows, by default the one of the two questions."""
    folder = place / "flows"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (texts or {"turn.yaml": TURN}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def settings_of(place: Path, texts: Mapping[str, str] | None = None) -> Settings:
    """What `stepgram run` would be given: a file of its own, any free port, SQLite FULL."""
    return Settings(
        flows=folder_of(place, texts),
        database=place / "bot.sqlite3",
        files=place / "files",
        plugins=place / "plugins",
        web_port=0,
    )


class Told:
    """Notes what a reload came to, and wakes who waits for it."""

    def __init__(self) -> None:
        self.live: asyncio.Queue[bool] = asyncio.Queue()

    def __call__(self, _: Loaded, live: bool) -> None:
        self.live.put_nowait(live)


@asynccontextmanager
async def serving(
    settings: Settings, told: Callable[[Loaded, bool], None] = silent
) -> AsyncIterator[tuple[Serving, str]]:
    """The whole of `stepgram run` in this process, and its address."""
    page = serve(settings, version="bench", told=told, environment={})
    (address,) = await page.start()
    try:
        yield page, address.rstrip("/")
    finally:
        await page.stop()


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client without limits."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        yield session


class Tab:
    """One tab that does one thing after the other and reads on the way only what it waits for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._newest = 0

    async def send(self, **message: object) -> None:
        """One frame."""
        await self._socket.send_str(msgspec.json.encode(message).decode())

    async def until(self, kind: str) -> dict[str, Any]:
        """The next message of this type."""
        while True:
            message: dict[str, Any] = msgspec.json.decode(await self._socket.receive_str(timeout=PATIENCE))
            if message["type"] == kind:
                return message

    async def hello(self, person: str | None = "new") -> dict[str, Any]:
        """Say who it is; the welcome. Returns when the chat is there as well."""
        await self.send(type="hello", person=person, known=0)
        welcome = await self.until("welcome")
        await self.until("entries")
        return welcome

    async def says(self, text: str) -> str:
        """Write something; the data of the first button of the answer."""
        await self.send(type="text", id=str(uuid.uuid4()), text=text)
        return await self._answer()

    async def presses(self, data: str) -> str:
        """Press a button; the data of the first button of the answer."""
        await self.send(type="press", id=str(uuid.uuid4()), data=data)
        return await self._answer()

    async def _answer(self) -> str:
        while True:
            entry = (await self.until("entry"))["entry"]
            if entry["id"] > self._newest and entry.get("rows"):
                self._newest = entry["id"]
                return str(entry["rows"][0][0]["data"])


@asynccontextmanager
async def tab(session: aiohttp.ClientSession, address: str) -> AsyncIterator[Tab]:
    """A tab that has not said anything yet."""
    async with session.ws_connect(f"{address}/ws", headers={"Origin": address}) as socket:
        yield Tab(socket)
