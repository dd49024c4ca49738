"""How soon a bot is back after SIGKILL: a process killed in the middle of the load, and the next one on the same store.

`python -m tests.benchmarks.recovery load|resume ADDRESS FOLDER` is what the measured processes run.
"""

import asyncio
import logging
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.runtime.ports import Store
from storage.sqlite_store import SqliteStore
from tests.benchmarks.store_floor import IN_FLIGHT
from tests.benchmarks.work import PATIENCE, Bench, bench

_ROOT: Final = Path(__file__).resolve().parents[2]
_ANSWERED, _SETTLED = "answered", "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Milliseconds from the start of the process: to the answer for a new customer, and until nothing of what the
    killed one had begun was under way any more."""

    answered: float
    settled: float


async def durable(address: str) -> Store:
    """The store at a file's path (FULL), or at a server's address; the tables are there."""
    if "://" not in address:
        return SqliteStore(Path(address))
    from storage.postgres_file import migrate
    from storage.postgres_store import PostgresStore

    await migrate(address)
    return PostgresStore(address)


def measure(address: str, place: Path, seconds: float) -> Recovered:
    """Load it with 64 customers at once, kill it so many seconds later, start the next one."""
    place.mkdir(parents=True, exist_ok=True)
    if seconds:
        _kill_in_the_middle(address, place, seconds)
    begun = time.perf_counter()
    with _process("resume", address, place) as process:
        assert process.stdout is not None
        times = {line.strip(): (time.perf_counter() - begun) * 1e3 for line in process.stdout}
    assert {_ANSWERED, _SETTLED} <= times.keys(), f"it did not come back: {times}"
    return Recovered(answered=times[_ANSWERED], settled=times[_SETTLED])


def _kill_in_the_middle(address: str, place: Path, seconds: float) -> None:
    with _process("load", address, place) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), "the load did not begin"
        time.sleep(seconds)
        assert process.poll() is None, "the load ended before it was killed"
        process.send_signal(signal.SIGKILL)


def _process(what: str, address: str, place: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", __name__, what, address, str(place)]
    return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)


async def _load(busy: Bench) -> None:
    await busy.run(IN_FLIGHT, IN_FLIGHT)
    print("begun", flush=True)
    await busy.run(1_000_000, IN_FLIGHT)


async def _resume(busy: Bench) -> None:
    busy.prefix = f"after{time.time_ns()}."
    async with asyncio.timeout(PATIENCE):
        await busy.order([], until=1)
        print(_ANSWERED, flush=True)
        assert await busy.app.settled(PATIENCE)
    print(_SETTLED, flush=True)


async def main() -> None:
    what, address, folder = sys.argv[1:]
    logging.disable(logging.WARNING)
    async with bench(Path(folder), await durable(address)) as busy:
        await (_load if what == "load" else _resume)(busy)


if __name__ == "__main__":
    asyncio.run(main())
