"""The browser chat at work, for tests: a real engine, a real server on a free port, pages that speak its protocol."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.app import App, build
from engine.channels.web.channel import WebChannel
from engine.channels.web.feed import Feed
from engine.channels.web.people import People
from engine.channels.web.server import WebServer
from engine.channels.web.tabs import Tabs
from engine.channels.web.tools import Tools
from engine.runtime.clock import ManualClock
from engine.runtime.identity import SeededIds
from engine.runtime.observing import Returned
from engine.runtime.ports import Envelope, Store
from engine.settings import Settings
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE = 40.0

BOT = """
bot: Print & <shop>
languages: [en, de]
roles: {admin: "900", packer: "901"}
"""

ORDER = """
flow: order
title: "Order & <b>go</b>"
entry: {commands: [order], deep_link: promo}
expires: 24h
steps:
  name: {ask: text, text: "Name?"}
  colours:
    ask: choices
    text: "Colours, {{ name }}?"
    keyboard: {red: Red, blue: Blue}
  bye: {text: "Bye {{ name }}", end: completed}
"""

SENDING = """
flow: sending
title: Sending
entry: {commands: [send]}
steps:
  model: {ask: files, text: "Your files, please.", accept: [.stl, .png, .svg], count: {min: 1, max: 5}}
  phone: {ask: phone, text: "Your number?"}
  place: {ask: location, text: "Where are you?"}
  code:
    ask: text
    text: "Scan {{ phone }}"
    photo: {qr: phone}
  bye: {text: "Done", end: completed}
"""

PICTURE = """
flow: picture
title: Picture
entry: {commands: [picture]}
steps:
  logo: {ask: photo, text: "Like this one?", photo: {file: logo.png}}
  seen: {ask: text, text: "Yours", photo: logo}
  bye: {text: "Done", end: completed}
"""

TEAM = """
flow: team
title: Team
only: admin
entry: {commands: [team]}
steps:
  bye: {text: "For the team", end: completed}
"""

FLOWS = {"bot": BOT, "order": ORDER, "sending": SENDING, "picture": PICTURE, "team": TEAM}
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa75\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82"
)


class Look:
    """The engine's observer: tells the server when something was committed."""

    def __init__(self) -> None:
        self.committed_to: Callable[[str], None] = lambda chat: None

    def advancing(self, conversation: object, event: object) -> None:
        """Nothing to see."""

    def evaluated(self, source: object, value: object) -> None:
        """Nothing to see."""

    def advanced(self, advanced: object) -> None:
        """Nothing to see."""

    def returned(self, returned: Returned) -> None:
        """Nothing to see."""

    def committed(self, chat: str) -> None:
        self.committed_to(chat)


class Site:
    """`async with Site(tmp_path) as site`. `restart` ends everything and starts anew on the same files."""

    def __init__(
        self,
        folder: Path,
        flows: Mapping[str, str] = FLOWS,
        *,
        offers: Catalog | None = None,
        store: Callable[[Path], Store] | None = None,
        host: str = "127.0.0.1",
        token: str | None = None,
        tools: Tools | None = None,
        max_file: int = 100_000,
    ) -> None:
        self.folder = folder
        self.clock = ManualClock(START)
        self.host, self.token, self.tools, self.max_file = host, token, tools, max_file
        self._offers = offers
        self._make_store = store or (lambda folder: SqliteStore(folder / "bot.sqlite3"))
        self._starts = 0
        place = folder / "flows"
        place.mkdir(exist_ok=True)
        for name, text in flows.items():
            (place / f"{name}.yaml").write_text(text, encoding="utf-8")
        (place / "logo.png").write_bytes(PNG)
        self.session: aiohttp.ClientSession
        self.app: App
        self.server: WebServer
        self.address = ""

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        )
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.stop()

    async def start(self) -> None:
        self._starts += 1
        ids = SeededIds(self._starts)
        self.store = self._make_store(self.folder)
        self.tabs = Tabs()
        self.people = People(journal=self.store.journal, tabs=self.tabs, clock=self.clock, ids=ids)
        self.feed = Feed(journal=self.store.journal, tabs=self.tabs, people=self.people)
        self.channel = WebChannel(self.feed)
        look = Look()
        known = discover(entry_points=False)
        if self._offers is not None:
            known = Catalog(
                actions={**known.actions, **self._offers.actions},
                sources={**known.sources, **self._offers.sources},
                validators=known.validators,
            )
        self.app = build(
            Settings(flows=self.folder / "flows", files=self.folder / "files"),
            channel=self.channel,
            store=self.store,
            clock=self.clock,
            ids=ids,
            catalog=known,
            environment={},
            observer=look,
            granted=self.people.granted,
        )
        self.server = self.serve()
        look.committed_to = self.server.committed
        await self.app.start(self.server.take_up)
        self.address = await self.server.start()
        self.base = self.address.partition("?")[0].rstrip("/")

    def serve(self, **changed: Any) -> WebServer:
        settings: dict[str, Any] = {
            "bot": self.app.runtime,
            "feed": self.feed,
            "people": self.people,
            "files": self.app.files,
            "flows": self.folder / "flows",
            "clock": self.clock,
            "ids": SeededIds(77),
            "host": self.host,
            "ports": (0,),
            "token": self.token,
            "max_file": self.max_file,
            "version": "1.2.3",
            "tools": self.tools,
        }
        return WebServer(**(settings | changed))

    async def stop(self) -> None:
        await self.server.stop()
        await self.app.stop()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        return await self.session.get(self.base + path, headers=headers, allow_redirects=False)

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "files").rglob("*") if path.is_file()]

    async def page(self, person: str | None = None, *, known: int = 0) -> "Page":
        """A new tab that has said hello."""
        page = await self.silent()
        await page.hello(person, known=known)
        return page

    async def silent(self, **headers: str) -> "Page":
        """A new tab that has not said anything."""
        given = {"Origin": self.base, **headers}
        return Page(self, await self.session.ws_connect(self.base + "/ws", headers=given))

    async def upload(
        self, page: "Page", name: str, body: bytes | Any, *, kind: str = "document", key: str = "", person: str = ""
    ) -> tuple[int, dict[str, Any]]:
        query = {"person": person or page.id, "id": key or new_id(), "name": name, "kind": kind}
        async with self.session.post(
            self.base + "/upload", params=query, data=body, headers={"Origin": self.base}
        ) as answer:
            return answer.status, await answer.json()


class Page:
    """One tab. Keeps what it was sent; `until` waits for a message."""

    def __init__(self, site: Site, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.site = site
        self.socket = socket
        self.messages: list[dict[str, Any]] = []
        self.entries: dict[int, dict[str, Any]] = {}
        self.person: dict[str, Any] = {}
        self.closed: int | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    @property
    def id(self) -> str:
        return str(self.person["id"])

    @property
    def chat(self) -> str:
        return f"web:{self.id}"

    async def _listen(self) -> None:
        async for frame in self.socket:
            message = msgspec.json.decode(frame.data)
            self.messages.append(message)
            match message["type"]:
                case "welcome" | "person":
                    self.person = message["person"]
                case "entries":
                    self.entries |= {entry["id"]: entry for entry in message["entries"]}
                case "entry":
                    self.entries[message["entry"]["id"]] = message["entry"]
            self._news.set()
        self.closed = self.socket.close_code
        self._news.set()

    async def hello(self, person: str | None = None, *, known: int = 0) -> dict[str, Any]:
        before = len(self.messages)
        await self.send(type="hello", person=person, known=known)
        await self.until("entries", after=before)
        return self.last("welcome")

    async def send(self, **message: Any) -> None:
        await self.socket.send_str(msgspec.json.encode(message).decode())

    def last(self, kind: str) -> dict[str, Any]:
        return next(message for message in reversed(self.messages) if message["type"] == kind)

    def count(self, kind: str, **fields: Any) -> int:
        return sum(message["type"] == kind and _has(message, fields) for message in self.messages)

    async def until(self, kind: str, *, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first message of this type with these fields, from number `after` on."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in self.messages[after:]:
                    if message["type"] == kind and _has(message, fields):
                        return message
                await self._wait()

    async def sees(self, text: str, revision: int = 1) -> dict[str, Any]:
        """The newest entry of the bot with that text, once it is there and was edited so often."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for entry in sorted(self.entries.values(), key=lambda entry: -entry["id"]):
                    if text in entry.get("html", "") and entry["revision"] >= revision:
                        return entry
                await self._wait()

    async def says(self, text: str, key: str = "") -> str:
        return await self.inputs("text", key, text=text)

    async def presses(self, label: str, key: str = "") -> str:
        return await self.inputs("press", key, data=self.button(label))

    async def inputs(self, kind: str, key: str = "", **fields: Any) -> str:
        key, before = key or new_id(), len(self.messages)
        await self.send(type=kind, id=key, **fields)
        await self.until("ack", after=before, id=key)
        return key

    def button(self, label: str) -> str:
        for entry in sorted(self.entries.values(), key=lambda entry: -entry["id"]):
            for button in (button for row in entry.get("rows", ()) for button in row):
                if label in button["text"]:
                    return str(button["data"])
        raise AssertionError(f"no button {label!r}")

    def texts(self) -> list[str]:
        """What stands in the chat, oldest first."""
        entries = [self.entries[key] for key in sorted(self.entries)]
        return [str(entry.get("html", entry.get("text", entry["kind"]))) for entry in entries]

    async def close(self) -> None:
        await self.socket.close()
        await self._task

    async def _wait(self) -> None:
        if self.closed is not None:
            raise AssertionError(f"the socket was closed with {self.closed}")
        await self._news.wait()
        self._news.clear()


class Gate:
    """Takes the engine's place for inputs: holds them back until it is opened; keeps what came."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.envelopes: list[Envelope] = []
        self.open = asyncio.Event()

    async def handle(self, envelope: Envelope) -> bool:
        self.envelopes.append(envelope)
        await self.open.wait()
        return await self._app.handle(envelope)


def memory(_folder: Path) -> Store:
    return MemoryStore()


def new_id() -> str:
    return str(uuid.uuid4())


def _has(message: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    return all(message.get(name) == value for name, value in fields.items())
