"""A real browser (Chromium, headless) before a real `stepgram run` in a process of its own, on 127.0.0.1.

Without Chromium the tests of this folder are skipped and say what to install.
"""

import asyncio
import inspect
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = "no Chromium found: `apt-get install chromium` (Debian, Ubuntu) brings it, or set STEPGRAM_TEST_BROWSER"
ADDRESS = re.compile(r"http://[\w.:\[\]]+/\S*")
# A policy that forbids a request is told as net::ERR_BLOCKED_BY_…: that is the page's fault, with or without a server.
BROKEN_CONNECTION = re.compile(r"Failed to load resource: net::ERR_(?!BLOCKED)|WebSocket connection to .* failed")
SHOTS = os.environ.get("STEPGRAM_TEST_SHOTS")
"""A folder for screenshots to look at; without it none are kept."""

expect.set_options(timeout=15_000)


def chromium() -> str | None:
    wanted = os.environ.get("STEPGRAM_TEST_BROWSER")
    return wanted or next(filter(None, map(shutil.which, NAMES)), None)


class Complaints(list[str]):
    """What the pages complained of: errors in scripts, broken rules of the content policy, answers that are errors.

    A server that was taken away by the test breaks connections, and the browser may find the broken ones only when it
    uses them again, after the server is back: from `server_away` on they are no complaint. Nothing else is forgiven.
    """

    server_away = False

    def console(self, kind: str, text: str) -> None:
        """A line of the console."""
        if kind == "error" and not (self.server_away and BROKEN_CONNECTION.search(text)):
            self.append(text)


class Server:
    """`stepgram run` as a process that can be killed and started again on the same data."""

    def __init__(self, folder: Path, flows: Path, environment: dict[str, str], complaints: Complaints) -> None:
        self.folder = folder
        self.flows = flows
        self.complaints = complaints
        self.address = ""
        self.output: list[str] = []
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._port = "0"

    async def start(self) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("STEPGRAM_", "TELEGRAM_"))},
            "STEPGRAM_FLOWS": str(self.flows),
            "STEPGRAM_DATABASE": str(self.folder / "bot.sqlite3"),
            "STEPGRAM_FILES": str(self.folder / "files"),
            "STEPGRAM_WEB_PORT": self._port,
            "STEPGRAM_WEB_OPEN": "0",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            **self._environment,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", "run",
            cwd=self.folder, env=environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        found = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(found))
        self.address = await asyncio.wait_for(found, 60)
        self._port = re.search(r":(\d+)/", self.address)[1]
        return self.address

    async def _read(self, found: asyncio.Future[str]) -> None:
        async for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.output.append(line)
            address = ADDRESS.search(line)
            if address and not found.done():
                found.set_result(address[0])
        if not found.done():
            found.set_exception(AssertionError("it ended: " + "\n".join(self.output)))

    async def kill(self) -> None:
        """As a power cut does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Politely; the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> int:
        self.complaints.server_away = True
        if self._process.returncode is None:
            self._process.send_signal(how)
        code = await asyncio.wait_for(self._process.wait(), 30)
        await self._reader
        return code


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all tests of this folder: Chromium is started once, and what drives it belongs to a loop."""
    for item in items:
        if item.path.is_relative_to(HERE) and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip(INSTALL)
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield found
        await found.close()


@pytest_asyncio.fixture(loop_scope="session")
async def serve(tmp_path: Path, complaints: Complaints) -> AsyncIterator[Callable[..., Server]]:
    """Starts a server; every one is ended with the test. Flows: a copy of the shipped ones, or those given."""
    servers: list[Server] = []

    async def started(flows: dict[str, str] | None = None, **environment: str) -> Server:
        folder = tmp_path / f"server{len(servers)}"
        place = folder / "flows"
        if flows is None:
            shutil.copytree(ROOT / "flows", place)
        else:
            place.mkdir(parents=True)
            for name, text in flows.items():
                (place / f"{name}.yaml").write_text(text, encoding="utf-8")
        server = Server(folder, place, environment, complaints)
        servers.append(server)
        await server.start()
        return server

    yield started
    for server in servers:
        with suppress(ProcessLookupError):
            await server.kill()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """There must be none at the end of the test."""
    found = Complaints()
    yield found
    assert found == []


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield made
    await made.close()


@pytest.fixture
def visit(context: BrowserContext, complaints: Complaints) -> Callable[..., Page]:
    """Opens the page in a new tab."""

    async def opened(address: str) -> Page:
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda line: complaints.console(line.type, line.text))
        await page.goto(address)
        return page

    return opened


async def shot(page: Page, name: str) -> None:
    """A picture to look at, where somebody wants one."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))
