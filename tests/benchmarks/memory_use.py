"""What an idle conversation costs in memory: one that the runtime has at hand, one that it has forgotten."""

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.sqlite_store import SqliteStore
from tests.benchmarks.figures import Figure, Size
from tests.benchmarks.flatness import fill
from tests.benchmarks.store_floor import IN_FLIGHT
from tests.benchmarks.work import Arrivals, Bench, Shop, app_of, bench, learn

_UNTIL = 7
"""Inputs after which a customer goes idle: the file is there."""


@contextmanager
def _traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


async def _weight(busy: Bench) -> int:
    """Bytes that Python has allocated once everything is at rest."""
    await busy.app.settled(10)
    await busy.app.runtime.run_due()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def _added(busy: Bench, conversations: int) -> float:
    """Bytes per conversation that so many new idle ones add."""
    before = await _weight(busy)
    await busy.run(conversations, IN_FLIGHT, until=_UNTIL)
    return (await _weight(busy) - before) / conversations


async def figures(place: Path, size: Size) -> list[Figure]:
    """Bytes per idle conversation: cached, forgotten by the cache, never asked for since the start."""
    store = SqliteStore(place / "memory.db", synchronous="NORMAL")
    async with bench(place, store) as busy:
        with _traced():  # from here on: it makes the loading of the flows many times slower, which is no concern here
            await busy.run(IN_FLIGHT, IN_FLIGHT, until=_UNTIL)
            cached = await _added(busy, size.idle)
            await busy.run(max(0, size.before - size.idle), IN_FLIGHT, until=_UNTIL)
            forgotten = await _added(busy, size.idle)
    asleep = await _asleep(place, size)
    return [
        Figure(name="memory: idle conversation, cached", value=cached, unit="B", goal=4096, absolute=True),
        Figure(name="memory: idle conversation, forgotten", value=forgotten, unit="B", goal=1024, absolute=True),
        Figure(name="memory: idle conversation, only stored", value=asleep, unit="B", goal=1024, absolute=True),
    ]


async def _asleep(place: Path, size: Size) -> float:
    weights = []
    for number, count in enumerate((1, 1, 1 + size.idle)):  # the first fills what is filled once in a process
        store = SqliteStore(place / f"asleep{number}.db", synchronous="NORMAL")
        await store.open()
        await fill(store, count)
        await store.close()
        shop, channel = Shop(), Arrivals()
        inputs = await learn(place)
        app = app_of(place, store, channel, shop.catalog())
        gc.collect()
        with _traced():
            await app.start()
            busy = Bench(app=app, channel=channel, inputs=inputs, shop=shop)
            await busy.run(1)
            weights.append(await _weight(busy))
        await app.stop()
    return max(0.0, (weights[2] - weights[1]) / size.idle)
