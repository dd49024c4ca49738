"""The server as a whole: many tabs, slow chats, the typing indicator, the workshop's seam, starting and stopping."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, web

from engine.actions import Context, action
from engine.channels.web.tabs import WAITING, Tab
from engine.core.events import TextReceived
from engine.runtime.journal import Person
from engine.runtime.ports import Envelope
from tests.channels.web.site import FLOWS, START, Gate, Page, Site, new_id
from tests.runtime.harness import offering

WORK = """
flow: work
title: Work
entry: {commands: [work]}
steps:
  wait:
    do: shop.work
    transitions: {worked: bye, failed: bye}
  bye: {text: "Worked", end: completed}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """It is done."""


class Workshop:
    """The seam's other side: keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def command(self, tab: Tab, message: dict[str, object]) -> bool:
        if message.get("type") == "break":
            raise RuntimeError("a bug in the workshop")
        self.told.append((tab.person.name, str(message.get("type"))))
        return message.get("type") == "clock"

    def attach(self, tab: Tab) -> None:
        self.told.append((tab.person.name, "+"))

    def detach(self, tab: Tab) -> None:
        self.told.append((tab.person.name, "-"))

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.get("/diagram/{flow}.svg", self._diagram)]

    def clock(self) -> tuple[datetime, float]:
        return START, 90.0

    async def _diagram(self, request: web.Request) -> web.Response:
        return web.Response(text=request.match_info["flow"])


async def test_two_hundred_tabs(site: Site) -> None:
    pages: list[Page] = [await site.page() for _ in range(40)]
    pages += await asyncio.gather(*(site.page(pages[number % 40].id) for number in range(160)))
    assert len(site.tabs) == 200
    await asyncio.gather(*(page.says("/order") for page in pages[:40]))
    await asyncio.gather(*(page.sees("Name?") for page in pages))
    assert all(page.texts() == ["/order", "Name?"] for page in pages)
    await asyncio.gather(*(page.close() for page in pages))
    async with asyncio.timeout(40):
        while len(site.tabs):
            await asyncio.sleep(0.01)


async def test_a_slow_chat_keeps_nobody_waiting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = await site.page(), await site.page()
    handle, gate = site.app.runtime.handle, asyncio.Event()

    async def gated(envelope: Envelope) -> bool:
        if envelope.chat == slow.chat:
            await gate.wait()
        return await handle(envelope)

    monkeypatch.setattr(site.app.runtime, "handle", gated)
    for text in ("/order", "Ada", "what"):
        await slow.says(text)
    await quick.says("/order")
    await quick.sees("Name?")
    await slow.until("typing", on=True)
    late = await site.page(slow.id)
    await late.until("typing", on=True)
    gate.set()
    await slow.sees("Colours, Ada?")
    await slow.until("typing", on=False)
    assert slow.count("typing") == 2


async def test_typing_while_an_action_runs(tmp_path: Path) -> None:
    gate = asyncio.Event()

    @action()
    async def work(context: Context) -> Worked:
        """Take a while."""
        await gate.wait()
        return Worked()

    async with Site(tmp_path, FLOWS | {"work": WORK}, offers=offering("shop", work)) as site:
        page = await site.page()
        await page.says("/work")
        await page.until("typing", on=True)
        await page.close()
        page = await site.page(page.id)
        await page.until("typing", on=True)
        gate.set()
        await page.sees("Worked")
        await page.until("typing", on=False)


async def test_order_is_kept_when_the_engine_is_slow(site: Site) -> None:
    page = await site.page()
    gate = Gate(site.app)
    site.server.lobby.inputs._engine = gate
    texts = [f"text {number}" for number in range(25)]
    for text in texts:
        await page.send(type="text", id=new_id(), text=text)
    async with asyncio.timeout(40):
        while len(gate.envelopes) < 25:
            await asyncio.sleep(0.01)
    assert [one.what.text for one in gate.envelopes if isinstance(one.what, TextReceived)] == texts
    assert {(one.chat, one.name, one.language) for one in gate.envelopes} == {(page.chat, "Customer 1", "en")}
    assert len({one.update for one in gate.envelopes}) == 25
    gate.open.set()


async def test_the_workshops_seam(tmp_path: Path) -> None:
    tools = Workshop()
    async with Site(tmp_path, tools=tools) as site:
        page = await site.page()
        welcome = page.last("welcome")
        assert (welcome["workshop"], welcome["clock"]) == (True, {"now": "2026-03-02T09:00:00Z", "offset": 90.0})
        await page.send(type="clock", turn=5)
        await page.send(type="else")
        assert "type" in (await page.until("error"))["text"]
        before = len(page.messages)
        await page.send(type="break")
        assert "went wrong" in (await page.until("error", after=before))["text"]
        await page.hello("new")
        await page.close()
        while len(tools.told) < 6:
            await asyncio.sleep(0.01)
        one, two = "Customer 1", "Customer 2"
        assert tools.told == [(one, "+"), (one, "clock"), (one, "else"), (one, "-"), (two, "+"), (two, "-")]
        assert await (await site.get("/diagram/order.svg")).text() == "order"
        assert (await site.get("/diagram/order.svg", Host="evil")).status == 403


async def test_stopping_says_goodbye_and_is_quick(site: Site) -> None:
    pages = [await site.page() for _ in range(5)]
    silent = await site.silent()
    begin = asyncio.get_running_loop().time()
    await site.server.stop()
    assert asyncio.get_running_loop().time() - begin < 4
    async with asyncio.timeout(2):
        while any(page.closed is None for page in (*pages, silent)):
            await asyncio.sleep(0.01)
    assert {page.closed for page in pages} == {1001}
    await site.server.stop()
    with pytest.raises(ClientConnectionError):
        await site.get("/health")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /?token=%FF%ED%A0%80 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_good_request_is_answered_without_a_traceback(
    site: Site, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.base.rpartition(":")[2]))
    writer.write(request_)
    answer = await asyncio.wait_for(reader.readline(), 40)
    writer.close()
    assert int(answer.split()[1]) in (200, 400, 403, 405)
    assert not [entry for entry in caplog.records if entry.exc_info]
    assert (await site.get("/health")).status == 200


async def test_reloaded_flows_are_in_the_menu(site: Site) -> None:
    page = await site.page()
    (site.folder / "flows" / "extra.yaml").write_text(
        FLOWS["team"].replace("team", "extra").replace("only: admin\n", "")
    )
    assert (await site.app.reload()).report.ok
    await site.server.reloaded()
    commands = await page.until("commands")
    assert "extra" in [entry["command"] for entry in commands["commands"]]


async def test_a_tab_that_reads_nothing_is_cut_off() -> None:
    tab = Tab(Person(id="a", name="A", seen_at=START))
    for number in range(WAITING + 10):
        await tab.send({"type": "ack", "id": number})
    assert tab.closed
    frames = 0
    while await tab.frame() is not None:
        frames += 1
    assert frames == WAITING


async def test_what_is_shown_before_the_welcome_comes_after_it() -> None:
    tab = Tab(Person(id="a", name="A", seen_at=START))
    tab.hold()
    tab.push("entry")
    await tab.send({"type": "welcome"})
    tab.release()
    tab.push("next")
    assert [await tab.frame() for _ in range(3)] == ['{"type":"welcome"}', "entry", "next"]
