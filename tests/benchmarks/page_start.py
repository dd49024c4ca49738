"""How long `stepgram run` takes until its page is there, and a saved flow until it is live."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from engine.core.graph import graph_of, svg
from engine.core.machine import compile_flows
from engine.loading.library import load_texts
from tests.benchmarks.figures import Figure, Size, interleaved, middle
from tests.benchmarks.page_work import Told, client, serving, settings_of, tab
from tests.benchmarks.startup import load_and_check, python_alone, timed
from tests.benchmarks.work import Shop, other

_ROOT: Final = Path(__file__).resolve().parents[2]
_BARE: Final = """
import asyncio
from aiohttp import web

async def main():
    async def page(request):
        return web.Response(text="page")

    async def socket(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await socket.send_str('{"type": "welcome"}')
        await socket.send_str('{"type": "entries"}')
        await socket.receive()
        return socket

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/ws", socket)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_STEPS: Final = 40
_PATIENCE: Final = 60.0
_BEAT: Final = 0.001


@asynccontextmanager
async def _process(place: Path, *arguments: str) -> AsyncIterator[str]:
    """A process that prints the address of its page; it is killed at the end."""
    place.mkdir(parents=True, exist_ok=True)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("STEPGRAM_", "TELEGRAM_", "API_"))
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=_ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={
            **kept, "STEPGRAM_DATABASE": str(place / "run.db"), "STEPGRAM_FILES": str(place / "files"),
            "STEPGRAM_WEB_PORT": "0", "STEPGRAM_WEB_OPEN": "0", "PYTHONUNBUFFERED": "1",
        },
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            async for line in process.stdout:
                if b"http://" in line:
                    yield line.decode()[line.decode().index("http://") :].strip().rstrip("/")
                    return
        raise AssertionError("it ended before it told its address")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_there(place: Path, *arguments: str) -> tuple[float, float]:
    """Milliseconds from the start of the process until `/` is answered, and until a tab is welcomed."""
    async with client() as session:
        begun = time.perf_counter()
        async with _process(place, *arguments) as address:
            async with session.get(f"{address}/") as answer:
                assert answer.status == 200
                await answer.read()
            page = time.perf_counter() - begun
            async with tab(session, address) as person:
                await person.hello()
            return page * 1e3, (time.perf_counter() - begun) * 1e3


async def figures(place: Path, size: Size) -> list[Figure]:
    """`stepgram run` with the shipped flows on an empty database, beside the least that Python and aiohttp need."""
    own: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    alone: list[float] = []
    for number in range(size.rounds):
        own.append(await _until_there(place / f"run{number}", "-m", "engine", "run"))
        bare.append(await _until_there(place / f"bare{number}", "-c", _BARE))
        alone.append(await asyncio.to_thread(python_alone))
    page, welcomed = (middle(both[which] for both in own) for which in (0, 1))
    floor = middle(both[1] for both in bare)
    return [
        Figure(name="run: start to the page / bare Python", value=page, unit="ms", floor=middle(alone)),
        Figure(
            name="run: start to the welcome / bare aiohttp server", value=welcomed, unit="ms", floor=floor, goal=1000,
            absolute=True,
        ),
    ]  # fmt: skip


def long_flow(steps: int) -> str:
    """A flow of so many steps: questions with two ways on, which meet again, and a way back in every fourth."""
    lines = ["flow: long", "title: Long", "entry: {commands: [long]}", "steps:"]
    for number in range(steps - 1):
        ahead = [f"s{min(number + far, steps - 1)}" for far in (1, 2)]
        back = f", back: s{max(0, number - 3)}" if number % 4 == 3 else ""
        label = ", back: Once more" if back else ""
        lines += [
            f"  s{number}:",
            "    ask: choice",
            f"    text: Question {number}?",
            f"    keyboard: {{on: Go on, skip: Leave one out{label}}}",
            f"    transitions: {{on: {ahead[0]}, skip: {ahead[1]}{back}}}",
        ]
    return "\n".join([*lines, f"  s{steps - 1}:", "    text: Bye", "    end: completed"]) + "\n"


async def diagram(place: Path, size: Size) -> list[Figure]:
    """Drawing a flow of 40 steps, beside loading and checking it."""
    texts, catalog = {"long.yaml": long_flow(_STEPS)}, Shop().catalog()
    loaded = load_texts(texts, catalog)
    assert loaded.report.ok, loaded.report.findings
    programs = compile_flows(loaded.flows, loaded.bot, catalog)
    drawn: list[str] = []
    own, floor = interleaved(
        size.rounds,
        (
            lambda: timed(lambda: drawn.append(svg(graph_of(programs["long"], flows=programs)))),
            lambda: timed(lambda: load_and_check(texts, catalog)),
        ),
    )
    assert all(f"s{number}" in drawn[0] for number in range(_STEPS))
    name = f"diagram of {_STEPS} steps / loading the flow"
    return [Figure(name=name, value=own, unit="ms", floor=floor, goal=1000, absolute=True)]


async def _longest_pause() -> float:
    """Milliseconds that the loop kept a task waiting at most, until it is cancelled."""
    longest = 0.0
    try:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(_BEAT)
            longest = max(longest, time.perf_counter() - begun - _BEAT)
    except asyncio.CancelledError:
        return longest * 1e3


async def reload(place: Path, size: Size) -> list[Figure]:
    """From the save of one of many flows until it is live, and how long nobody was answered meanwhile at most."""
    texts = {f"other{number}.yaml": other(number) for number in range(size.checked)}
    settings = settings_of(place, texts)
    flow = settings.flows / "other0.yaml"
    told, took, pauses, alone = Told(), list[float](), list[float](), list[float]()
    async with serving(settings, told) as (page, _):
        versions = {page.app.library.programs["other0"].version}
        for number in range(size.rounds):
            begun = time.perf_counter()
            await page.app.reload()
            alone.append((time.perf_counter() - begun) * 1e3)
            text = texts["other0.yaml"].replace("Name?", f"Name {number}?")
            begun = time.perf_counter()
            beat = asyncio.create_task(_longest_pause())
            flow.write_text(text, encoding="utf-8")
            async with asyncio.timeout(_PATIENCE):
                assert await told.live.get()
            took.append((time.perf_counter() - begun) * 1e3)
            beat.cancel()
            pauses.append(await beat)
            assert page.app.library.programs["other0"].version not in versions
            versions.add(page.app.library.programs["other0"].version)
    name = f"reload of {size.checked} flows"
    return [
        Figure(name=f"{name}: save to live / reading them", value=middle(took), unit="ms", floor=middle(alone)),
        Figure(name=f"{name}: longest pause of the loop", value=middle(pauses), unit="ms"),
    ]
