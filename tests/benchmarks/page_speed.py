"""A turn over the page, from the press to the reply, beside the same turn without a page and beside a bare echo."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from engine.app import App, build
from engine.channels.web.rigs import Rigs
from engine.channels.web.workshop_observer import Watcher
from engine.core.effects import Show
from engine.runtime.outbox import callback_data, decode
from engine.runtime.ports import Envelope, Outgoing
from engine.runtime.routing import CallbackPressed, Command
from engine.settings import Settings
from storage.memory import MemoryStore
from tests.benchmarks.figures import Figure, Size, middle
from tests.benchmarks.page_work import client, serving, settings_of, tab
from tests.benchmarks.work import bench

PRESSES = 25
"""Presses of one tab: the page slows down one that sends more than 30 frames at once."""
_BYTES = 500
"""About as long as the reply to a press."""

Round = Callable[[], Awaitable[list[float]]]
"""Does one round; every turn's seconds."""


class Replies:
    """A channel that only notes the newest question and wakes who waits for it."""

    def __init__(self) -> None:
        self._next: asyncio.Future[Outgoing] | None = None

    async def deliver(self, outgoing: Outgoing) -> None:
        if outgoing.kind == "show" and self._next is not None and not self._next.done():
            self._next.set_result(outgoing)

    def expect(self) -> "asyncio.Future[Outgoing]":
        """The question that is delivered next."""
        self._next = asyncio.get_running_loop().create_future()
        return self._next


def over_page(session: aiohttp.ClientSession, address: str, presses: int, *, workshop: bool) -> Round:
    """Rounds of a new customer each, on a real WebSocket; `workshop`: with the pane open."""

    async def measure() -> list[float]:
        waits: list[float] = []
        async with tab(session, address) as person:
            await person.hello()
            if workshop:
                await person.send(type="workshop", open=True)
                await person.until("state")
            data = await person.says("/turn")
            for _ in range(presses):
                begun = time.perf_counter()
                data = await person.presses(data)
                waits.append(time.perf_counter() - begun)
        return waits

    return measure


@asynccontextmanager
async def _without(settings: Settings) -> AsyncIterator[tuple[App, Replies]]:
    channel = Replies()
    app = build(settings, channel=channel, environment={})
    await app.start()
    try:
        yield app, channel
    finally:
        await app.stop()


def without_page(app: App, channel: Replies, presses: int) -> Round:
    """The same rounds with nothing between the measurement and the engine."""
    customers = iter(range(1_000_000))

    async def turn(chat: str, number: int, what: object) -> Outgoing:
        reply = channel.expect()
        await app.handle(Envelope(chat=chat, update=f"{chat}.{number}", what=what, name="Anna"))
        return await reply

    async def measure() -> list[float]:
        waits: list[float] = []
        chat = f"bench:{next(customers)}"
        reply = await turn(chat, 0, Command(name="turn"))
        for number in range(1, presses + 1):
            what = CallbackPressed(data=_first_button(reply))
            begun = time.perf_counter()
            reply = await turn(chat, number, what)
            waits.append(time.perf_counter() - begun)
        return waits

    return measure


def _first_button(outgoing: Outgoing) -> str:
    shown = decode(outgoing).effect
    assert isinstance(shown, Show)
    return callback_data(outgoing.surface, shown.draw, shown.rows[0][0].code)


@asynccontextmanager
async def _echo() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for frame in socket:
            await socket.send_str(frame.data)
        return socket

    app = web.Application()
    app.add_routes([web.get("/ws", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def echoed(session: aiohttp.ClientSession, address: str, presses: int) -> Round:
    """The same number of frames there and back."""

    async def measure() -> list[float]:
        waits: list[float] = []
        async with session.ws_connect(f"{address}/ws") as socket:
            for _ in range(presses):
                begun = time.perf_counter()
                await socket.send_str("x" * _BYTES)
                assert len(await socket.receive_str()) == _BYTES
                waits.append(time.perf_counter() - begun)
        return waits

    return measure


async def _in_turns(rounds: int, measures: list[Round]) -> list[list[float]]:
    taken: list[list[float]] = [[] for _ in measures]
    for number in range(rounds + 1):
        for waits, measure in zip(taken, measures, strict=True):
            found = await measure()
            waits.extend(found if number else ())  # the first round warms up
    return taken


async def figures(place: Path, size: Size) -> list[Figure]:
    """Microseconds from the press to the reply, SQLite FULL, nobody else there."""
    presses, rounds = min(PRESSES, size.orders), size.rounds * max(1, size.orders // PRESSES)
    async with (
        serving(settings_of(place / "page")) as (_, address),
        _without(settings_of(place / "without")) as (app, channel),
        _echo() as bare,
        client() as session,
    ):
        closed, open_, alone, echo = await _in_turns(
            rounds,
            [
                over_page(session, address, presses, workshop=False),
                over_page(session, address, presses, workshop=True),
                without_page(app, channel, presses),
                echoed(session, bare, presses),
            ],
        )
    page, pane, engine, floor = (middle(waits) * 1e6 for waits in (closed, open_, alone, echo))
    late = sorted(closed)[min(len(closed) - 1, int(len(closed) * 0.99))] * 1e6
    name = "page: press to reply"
    return [
        Figure(name=f"{name} / the engine alone", value=page, floor=engine, goal=50_000, absolute=True),
        Figure(name=f"{name} / bare WebSocket echo", value=page, floor=floor),
        Figure(name=f"{name}, workshop open / closed", value=pane, floor=page),
        Figure(name=f"{name}, 99th percentile", value=late, goal=50_000, absolute=True),
    ]


async def observer(place: Path, size: Size) -> list[Figure]:
    """What looking on adds to an event: everything that the workshop hands to the engine, in memory."""
    taken: list[list[float]] = [[], []]
    async with (
        bench(place, MemoryStore(), observer=Watcher(), stand_in=Rigs(asyncio.sleep)) as watched,
        bench(place, MemoryStore()) as alone,
    ):
        for number in range(size.rounds + 1):
            for micros, busy in zip(taken, (watched, alone), strict=True):
                run = await busy.run(size.orders)
                if number:
                    micros.append(run.micros)
    own, floor = map(middle, taken)
    return [Figure(name="engine in memory, workshop looks on / nobody does", value=own, floor=floor)]
