"""Measures everything and prints it: `python -m tests.benchmarks.report [--long] [--only NAME]`.

Compare ratios, not figures: each figure stands beside a floor that was measured in turns with it in the same run.
`--only` takes a name of GROUPS and may be repeated. `--long` goes up to 1,000 flows, 1,000,000 stored conversations
and 100,000 timers and takes some minutes. A quiet machine is needed; `NO` says that a goal is missed.
"""

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from tests.benchmarks import (
    core_speed,
    durable,
    engine_speed,
    flatness,
    memory_use,
    page_memory,
    page_speed,
    page_start,
    startup,
    telegram_speed,
)
from tests.benchmarks.figures import LONG, NORMAL, Figure, Size, table
from tests.benchmarks.store_floor import IN_FLIGHT, Level

Measure = Callable[[Path, Size], Awaitable[list[Figure]]]


async def _core(place: Path, size: Size) -> list[Figure]:
    return core_speed.figures(size)


def _sqlite(level: Level, in_flight: int) -> Measure:
    async def measure(place: Path, size: Size) -> list[Figure]:
        return await engine_speed.on_sqlite(place, size, level, in_flight)

    return measure


async def _load(place: Path, size: Size) -> list[Figure]:
    return startup.library(size)


async def _start(place: Path, size: Size) -> list[Figure]:
    return await asyncio.to_thread(startup.figures, place, size)


GROUPS: Final[Mapping[str, Measure]] = {
    "core": _core,
    "memory-store": engine_speed.in_memory,
    "sqlite-full-1": _sqlite("FULL", 1),
    "sqlite-normal-1": _sqlite("NORMAL", 1),
    "sqlite-full-64": _sqlite("FULL", IN_FLIGHT),
    "sqlite-normal-64": _sqlite("NORMAL", IN_FLIGHT),
    "durable": durable.figures,
    "flat-flows": flatness.flows,
    "flat-stored": flatness.conversations,
    "flat-timers": flatness.timers,
    "idle": memory_use.figures,
    "load": _load,
    "start": _start,
    "page": page_speed.figures,
    "observer": page_speed.observer,
    "run": page_start.figures,
    "diagram": page_start.diagram,
    "page-memory": page_memory.figures,
    "reload": page_start.reload,
    "telegram": telegram_speed.figures,
}


async def measure(names: list[str], size: Size, place: Path) -> list[Figure]:
    """The figures of these groups, in their order, one group after the other."""
    found: list[Figure] = []
    for name in names:
        here = place / name
        here.mkdir()
        found += await GROUPS[name](here, size)
    return found


def main(show: Callable[[str], object] = print) -> None:
    parser = argparse.ArgumentParser(description="Measure the engine beside its floors.")
    parser.add_argument("--long", action="store_true", help="the big stores too")
    parser.add_argument("--only", action="append", choices=list(GROUPS), metavar="NAME", help=", ".join(GROUPS))
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="stepgram-bench") as folder:
        size = LONG if given.long else NORMAL
        show(table(asyncio.run(measure(given.only or list(GROUPS), size, Path(folder)))))


if __name__ == "__main__":
    main()
