"""The whole engine per customer event: in memory, and on SQLite beside stdlib sqlite3 doing the same writes."""

from collections.abc import Sequence
from pathlib import Path

from engine.runtime.ports import Commit
from storage import batch
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.benchmarks.core_speed import dispatch
from tests.benchmarks.figures import Figure, Size, middle
from tests.benchmarks.store_floor import IN_FLIGHT, Level, raw_writes
from tests.benchmarks.work import Run, bench


class NotingStore(SqliteStore):
    """The durable store, noting what it was asked to write."""

    def __init__(self, file: Path, level: Level) -> None:
        super().__init__(file, synchronous=level)
        self.noted: list[Commit] = []

    async def commit(self, commits: Sequence[Commit]) -> None:
        self.noted += commits
        await super().commit(commits)


async def in_memory(place: Path, size: Size) -> list[Figure]:
    """Microseconds per event on the memory store, one and 64 in flight."""
    plain = dispatch()
    one: list[Run] = []
    many: list[Run] = []
    floor: list[float] = []
    async with bench(place, MemoryStore()) as busy:
        await busy.run(size.orders // 2 + 1)
        for _ in range(size.rounds):
            one.append(await busy.run(size.orders))
            many.append(await busy.run(size.orders * 4, IN_FLIGHT))
            floor.append(plain())
        assert len(busy.shop.orders) == busy.customers
    by_hand = middle(floor)
    return [
        Figure(
            name="engine in memory, 1 in flight / plain dict dispatch", value=middle(r.micros for r in one),
            floor=by_hand, goal=40, absolute=True,
        ),
        Figure(
            name=f"engine in memory, {IN_FLIGHT} in flight / plain dict dispatch",
            value=middle(r.micros for r in many), floor=by_hand,
        ),
    ]  # fmt: skip


class Durable:
    """Rounds on one SQLite file with the raw writes of each round beside them."""

    def __init__(self, place: Path, level: Level, in_flight: int) -> None:
        self._place = place
        self._level: Level = level
        self._in_flight = in_flight
        self.runs: list[Run] = []
        self.raw: list[float] = []
        """Microseconds per customer event."""
        self.orders = 0
        self.noted = 0

    async def measure(self, rounds: int, orders: int) -> None:
        """Run the engine and the raw writes in turns."""
        store = NotingStore(self._place / "engine.db", self._level)
        async with bench(self._place, store) as busy:
            for number in range(rounds):
                store.noted.clear()
                run = await busy.run(orders, self._in_flight)
                self.runs.append(run)
                self.noted += len(store.noted)
                self.raw.append(await self._floor(number, store.noted) * 1e6 / len(run.waits))
            self.orders = len(busy.shop.orders)

    async def _floor(self, number: int, commits: Sequence[Commit]) -> float:
        encoded = [batch.prepare((commit,)) for commit in commits]
        file = self._place / f"raw{number}.db"
        empty = SqliteStore(file, synchronous=self._level)
        await empty.open()
        await empty.close()
        return raw_writes(file, self._level, encoded)


async def on_sqlite(place: Path, size: Size, level: Level, in_flight: int) -> list[Figure]:
    """Microseconds per event, beside the same writes one transaction each; for 64 also rate and 99th percentile."""
    many = in_flight > 1
    here = place / f"{level}{in_flight}"
    here.mkdir()
    durable = Durable(here, level, in_flight)
    await durable.measure(size.rounds, size.orders * (4 if many else 1))
    goal = 2.5 if level == "FULL" and not many else None
    micros, raw = middle(run.micros for run in durable.runs), middle(durable.raw)
    name = f"SQLite {level}, {in_flight} in flight"
    own = Figure(name=f"{name} / stdlib sqlite3, same writes", value=micros, floor=raw, goal=goal)
    if not many:
        return [own]
    full = level == "FULL"
    late = middle(run.percentile(0.99) for run in durable.runs)
    return [
        own,
        Figure(
            name=f"{name}: events per second", value=1e6 / micros, unit="1/s", floor=1e6 / raw,
            goal=10_000 if full else None, absolute=True, least=True,
        ),
        Figure(
            name=f"{name}: 99th percentile, input to answer", value=late, unit="ms", goal=10 if full else None,
            absolute=True,
        ),
    ]  # fmt: skip
