"""The page's server killed with SIGKILL while a customer orders: one order, nothing lost, nothing twice."""

import asyncio
import random
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from engine.channels.web.entries import Text, encoded
from engine.runtime.journal import Entry
from storage.sqlite_store import SqliteStore
from tests.backend import Backend
from tests.channels.web.site import START, Site, new_id
from tests.cli.terminal import surroundings
from tests.journeys.shop import ROOT
from tests.print_flows import print_flows

ADDRESS = re.compile(r"http://[\w.:\[\]]+/\S*")
MODEL = b"solid bracket\nendsolid bracket\n" * 20_000
SCRIPT: Sequence[tuple[str, str, str]] = (
    ("", "text", "/order"),
    ("Which service", "press", "FDM"),
    ("What is your name?", "text", "Zoë O'Neill"),
    ("Where do we send", "text", "zoe@example.com"),
    ("Your phone number", "contact", "+49 30 901820"),
    ("Send your models", "file", "cube.stl"),
    ("✅ cube.stl", "press", "That's all"),
    ("Which material?", "press", "PETG"),
    ("Which quality?", "press", "Standard"),
    ("How strong", "press", "30 %"),
    ("Which colour?", "press", "Blue"),
    ("How do you want", "press", "Delivery"),
    ("The full address", "text", "Am Hafen 1, 20457 Hamburg"),
    ("Please check your order", "press", "✅ Order"),
)
"""What the newest message of the bot says, and what the customer does then."""
THANKS = "Your order is"
PATIENCE = 240.0
"""Seconds; ten starts of a whole bot on a machine that does other things, too."""


@dataclass(slots=True, kw_only=True)
class Server:
    """`stepgram run` in a process of its own, on the same port and files after every kill."""

    folder: Path
    backend: Backend
    process: asyncio.subprocess.Process | None = None
    port: str = "0"
    address: str = ""
    output: list[str] = field(default_factory=list)
    up: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", "run",
            cwd=self.folder,
            env=surroundings(
                API_BASE_URL=self.backend.url, PYTHONUNBUFFERED="1",
                STEPGRAM_FLOWS=str(print_flows()), STEPGRAM_PLUGINS=str(ROOT / "plugins"),
                STEPGRAM_DATABASE=str(self.folder / "bot.sqlite3"), STEPGRAM_FILES=str(self.folder / "files"),
                STEPGRAM_WEB_PORT=self.port, STEPGRAM_WEB_OPEN="0",
            ),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while not self.up.is_set():
                line = (await self.process.stdout.readline()).decode()
                assert line, self.output
                self.output.append(line)
                if found := ADDRESS.search(line):
                    self.address = found[0].rstrip("/")
                    self.port = self.address.rpartition(":")[2]
                    self.up.set()

    async def end(self, *, kill: bool) -> int:
        """As a power cut does, or politely."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.up.clear()
        (self.process.kill if kill else self.process.terminate)()
        async with asyncio.timeout(60):
            self.output.append((await self.process.stdout.read()).decode())
            return await self.process.wait()


@dataclass(slots=True, kw_only=True)
class Tab:
    """The customer's page: connects again and sends again until it is acknowledged, as the real one does."""

    server: Server
    session: aiohttp.ClientSession
    person: str | None = None
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    revisions: list[tuple[int, int]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    refused: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    socket: aiohttp.ClientWebSocketResponse | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self) -> None:
        """Keep a connection for ever."""
        while True:
            await self.server.up.wait()
            with suppress(aiohttp.ClientError, ConnectionError):
                headers = {"Origin": self.server.address}
                async with self.session.ws_connect(self.server.address + "/ws", headers=headers) as socket:
                    await self._talk(socket)
            self.socket = None
            await asyncio.sleep(0.02)

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "hello", "person": self.person, "known": max(self.entries, default=0)})
        async for frame in socket:
            message = msgspec.json.decode(frame.data)
            match message["type"]:
                case "welcome":
                    self.person, self.socket = message["person"]["id"], socket
                    for one in self.waiting:
                        await socket.send_json(one)
                case "entries":
                    for entry in message["entries"]:
                        self._take(entry)
                case "entry":
                    self._take(message["entry"])
                case "ack":
                    self.acknowledged.add(message["id"])
                    self.waiting = [one for one in self.waiting if one["id"] != message["id"]]
                case "refused":
                    self.refused.append(message)
            self.news.set()

    def _take(self, entry: dict[str, Any]) -> None:
        known = self.entries.get(entry["id"])
        if known is None or entry["revision"] >= known["revision"]:
            self.entries[entry["id"]] = entry

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [self.entries[key] for key in sorted(self.entries) if self.entries[key]["from"] == "bot"]

    async def until(self, text: str) -> None:
        """The newest message of the bot says this."""
        while not (self.person and (not text or (self.answers and text in self.answers[-1].get("html", "")))):
            await self.news.wait()
            self.news.clear()

    async def does(self, kind: str, what: str) -> None:
        if kind == "file":
            await self._uploads(what)
            return
        message: dict[str, Any] = {"type": kind, "id": new_id()}
        match kind:
            case "press":
                buttons = [button for row in self.answers[-1]["rows"] for button in row]
                message["data"] = next(button["data"] for button in buttons if what in button["text"])
            case "contact":
                message["phone"] = what
            case _:
                message["text"] = what
        self.waiting.append(message)
        if self.socket is not None:
            with suppress(ConnectionError):
                await self.socket.send_json(message)
        while message["id"] not in self.acknowledged:
            await self.news.wait()
            self.news.clear()

    async def _uploads(self, name: str) -> None:
        query = {"person": self.person or "", "id": new_id(), "name": name}
        while True:
            await self.server.up.wait()
            with suppress(aiohttp.ClientError, ConnectionError):
                headers, url = {"Origin": self.server.address}, self.server.address + "/upload"
                async with self.session.post(url, params=query, data=MODEL, headers=headers) as answer:
                    assert answer.status == 200, await answer.text()
                    return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(folder: Path, backend: Backend) -> AsyncIterator[tuple[Server, Tab]]:
    folder.mkdir()
    server = Server(folder=folder, backend=backend)
    await server.start()
    async with aiohttp.ClientSession() as session:
        tab = Tab(server=server, session=session)
        living = asyncio.create_task(tab.live())
        try:
            yield server, tab
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            if server.process is not None and server.process.returncode is None:
                server.process.kill()
                await server.process.wait()


async def order(tab: Tab) -> None:
    for question, kind, what in SCRIPT:
        await tab.until(question)
        await tab.does(kind, what)
    await tab.until(THANKS)


@dataclass(slots=True, kw_only=True)
class Kept:
    """What stands in the database when all is over."""

    entries: list[tuple[str, str]]
    """(kind, text) of everything but presses, in order; edited messages as they were last."""
    drawings: list[str]
    """Every drawing of every message, in order."""
    unhandled: int
    undelivered: int


def kept(folder: Path) -> Kept:
    with closing(sqlite3.connect(folder / "bot.sqlite3")) as connection:
        rows = connection.execute("SELECT kind, key, payload FROM journal ORDER BY id").fetchall()
        (unhandled,) = connection.execute("SELECT count(*) FROM journal WHERE handled = 0").fetchone()
        (undelivered,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    read = [(kind, key, msgspec.json.decode(payload)) for kind, key, payload in rows]
    sequences = [payload["sequence"] for kind, _, payload in read if kind in ("drawn", "redrawn")]
    assert sequences == sorted(set(sequences)), "drawings in the order in which the bot made them, each once"
    return Kept(
        entries=[
            (kind, _said(payload))
            for kind, _, payload in read
            if kind in ("text", "contact", "file", "show", "say", "press")
        ],
        drawings=[_said(payload) for kind, _, payload in read if kind in ("drawn", "redrawn")],
        unhandled=unhandled,
        undelivered=undelivered,
    )


def _said(payload: dict[str, Any]) -> str:
    said = payload.get("html") or payload.get("text") or payload.get("phone") or payload.get("name") or "press"
    return re.sub(r"NL-\d+", "NUMBER", str(said))


async def whole(folder: Path) -> Kept:
    """The same order when nobody kills anything."""
    async with Backend() as backend, opened(folder, backend) as (server, tab):
        async with asyncio.timeout(PATIENCE):
            await order(tab)
        assert await server.end(kill=False) == 0
        assert len(backend.orders) == 1
        return kept(folder)


@pytest.mark.parametrize("seed", [1])
async def test_an_order_while_the_server_is_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    expected = await whole(tmp_path / "whole")
    chance, kills = random.Random(seed), 0
    async with Backend(slow=0.02) as backend, opened(tmp_path / "killed", backend) as (server, tab):
        async with asyncio.timeout(PATIENCE):
            for question, kind, what in SCRIPT:
                await tab.until(question)
                doing = asyncio.create_task(tab.does(kind, what))
                await asyncio.sleep(chance.choice((0, 0.002, 0.005, 0.01)) + chance.random() * 0.012)
                await server.end(kill=True)
                kills += 1
                await server.start()
                await doing
            await server.end(kill=True)  # the backend has the order, the bot may not know of it
            await server.start()
            await tab.until(THANKS)
        assert kills == len(SCRIPT)
        assert tab.refused == []
        assert await server.end(kill=False) == 0
        assert len(backend.orders) == 1
        assert [(file.name, file.size) for file in backend.uploads] == [("cube.stl", len(MODEL))]
    assert "Traceback" not in "".join(server.output)
    found = kept(tmp_path / "killed")
    assert found.entries == expected.entries
    assert found.drawings == expected.drawings
    assert found.unhandled == 0
    assert found.undelivered == 0


async def test_an_answer_in_time_goes_before_an_end_that_came_while_the_process_was_away(tmp_path: Path) -> None:
    async with Site(tmp_path) as site:
        page = await site.page()
        await page.says("/order")
        await page.sees("Name?")
        person, chat = page.id, page.chat
        await site.stop()
        store = SqliteStore(tmp_path / "bot.sqlite3")
        await store.open()
        kept_input = encoded(Text(text="Anna"))
        await store.journal.append(
            Entry(chat=chat, at=START, kind="text", key=f"{chat}:{new_id()}", payload=kept_input, handled=False)
        )
        await store.close()
        site.clock.advance(25 * 3600)
        await site.start()
        page = await site.page(person)
        await page.sees("Colours, Anna?")
        await site.app.run_due()
        assert "Colours, Anna?" in page.texts()[-1]
