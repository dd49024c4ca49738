"""Who takes part in the comparison of durable engines, and their rounds, taken in turns. Prints nothing."""

import asyncio
import gc
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine.runtime.ports import Commit, Store
from storage import batch
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.benchmarks import peer_aiogram, peer_tortoise
from tests.benchmarks.figures import middle
from tests.benchmarks.peer_aiogram import AiogramBot
from tests.benchmarks.peer_tortoise import Connection, ModelLayer
from tests.benchmarks.store_floor import IN_FLIGHT, Level, raw_writes
from tests.benchmarks.work import Run, bench

OURS: Final = "Stepgram"
STDLIB: Final = "stdlib sqlite3, the same writes"
MODELS: Final = "Tortoise's model layer"
AIOGRAM: Final = "aiogram"
MEMORY: Final = "memory"
SERVER: Final = "PostgreSQL"


@dataclass(slots=True, kw_only=True)
class Contender:
    """One way of doing the work with so many conversations at once, and what its rounds took."""

    name: str
    where: str
    in_flight: int
    measure: Callable[[], Awaitable[Run]]
    runs: list[Run] = field(default_factory=list)

    @property
    def micros(self) -> float:
        """The median of its rounds, per event."""
        return middle(run.micros for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median of its rounds: microseconds of processor time per event."""
        return middle(run.cpu * 1e6 / (run.events or len(run.waits)) for run in self.runs)

    def late(self, part: float) -> float:
        """The median of this percentile, in milliseconds."""
        return middle(run.percentile(part) for run in self.runs)


class ByHand:
    """Our engine's writes through stdlib sqlite3, so many commits in one transaction, in a fresh file each time."""

    def __init__(self, place: Path, level: Level, commits: Sequence[Commit], at_once: int) -> None:
        self._place = place
        self._level: Level = level
        self._events = sum(len(commit.seen) for commit in commits)
        parts = [commits[first : first + at_once] for first in range(0, len(commits), at_once)]
        self._encoded = [batch.prepare(part) for part in parts]

    async def run(self) -> Run:
        """All of them. A wait is that of a whole transaction."""
        file = self._place / f"by_hand{self._level}.db"
        for old in self._place.glob(f"{file.name}*"):
            old.unlink()
        await _with_tables(file)
        waits: list[float] = []
        cpu = time.process_time()
        seconds = raw_writes(file, self._level, self._encoded, waits)
        return Run(seconds=seconds, cpu=time.process_time() - cpu, waits=waits, events=self._events)


@dataclass(slots=True, kw_only=True)
class Contest:
    """Everybody who takes part, and who was left out and why."""

    orders: int
    contenders: list[Contender] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    models: dict[str, Connection] = field(default_factory=dict)
    server: Any = None
    """The PostgreSQL server, `tests.postgres.Server`."""

    def find(self, name: str, where: str, in_flight: int) -> Contender | None:
        """The one that is meant, if it takes part."""
        wanted = (name, where, in_flight)
        return next((item for item in self.contenders if (item.name, item.where, item.in_flight) == wanted), None)

    def add(self, name: str, where: str, run: Callable[[int, int], Awaitable[Run]]) -> None:
        """One customer at a time, and 64 at once with four times as much to do."""
        for in_flight, orders in ((1, self.orders), (IN_FLIGHT, self.orders * 4)):
            measure = partial(run, orders, in_flight)
            self.contenders.append(Contender(name=name, where=where, in_flight=in_flight, measure=measure))

    async def round(self, *, counts: bool = True) -> None:
        """Everybody once, each with a clean memory."""
        for contender in self.contenders:
            gc.collect()
            gc.freeze()  # as `stepgram run` does once its flows are loaded
            try:
                run = await contender.measure()
            finally:
                gc.unfreeze()
            if counts:
                contender.runs.append(run)


@asynccontextmanager
async def contest(place: Path, orders: int, levels: Sequence[Level], *, server: bool) -> AsyncIterator[Contest]:
    """Everybody ready to run. `server`: PostgreSQL too."""
    taking = Contest(orders=orders)
    async with AsyncExitStack() as stack:
        await _engine(stack, taking, place, MEMORY, MemoryStore())
        for level in levels:
            await _on_sqlite(stack, taking, place, level)
        if server:
            await _on_server(stack, taking, place)
        if not peer_aiogram.is_possible():
            taking.left_out.append(f"aiogram is not installed: {peer_aiogram.INSTALL}")
        layer = ModelLayer(taking.models)
        for where in taking.models:
            taking.add(MODELS, where, partial(layer.run, where))
        yield taking


async def _engine(stack: AsyncExitStack, taking: Contest, place: Path, where: str, store: Store) -> None:
    folder = place / f"engine-{where}"
    folder.mkdir()
    busy = await stack.enter_async_context(bench(folder, store))
    taking.add(OURS, where, busy.run)


async def _on_sqlite(stack: AsyncExitStack, taking: Contest, place: Path, level: Level) -> None:
    where = f"SQLite {level}"
    await _engine(stack, taking, place, where, SqliteStore(place / f"engine{level}.db", synchronous=level))
    commits = await _writes(place, taking.orders)
    for at_once in (1, IN_FLIGHT):
        by_hand = ByHand(place, level, commits, at_once)
        taking.contenders.append(Contender(name=STDLIB, where=where, in_flight=at_once, measure=by_hand.run))
    if peer_aiogram.is_possible():
        bot = AiogramBot(place / f"aiogram{level}.db", level)
        await bot.open()
        stack.push_async_callback(bot.close)
        taking.add(AIOGRAM, where, bot.run)
    await _with_tables(place / f"models{level}.db")
    taking.models[where] = peer_tortoise.sqlite(place / f"models{level}.db", level)


async def _with_tables(file: Path) -> None:
    store = SqliteStore(file)
    await store.open()
    await store.close()


class _Noting(MemoryStore):
    """Keeps what the engine asked it to write, to have it written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Commit] = []

    async def commit(self, commits: Sequence[Commit]) -> None:
        self.noted += commits
        await super().commit(commits)


async def _writes(place: Path, orders: int) -> list[Commit]:
    store = _Noting()
    async with bench(place, store) as busy:
        await busy.run(orders)
    return store.noted


async def _on_server(stack: AsyncExitStack, taking: Contest, place: Path) -> None:
    """A PostgreSQL of our own as it is installed: every commit is flushed to the disk."""
    try:
        from storage.postgres_store import PostgresStore
        from tests.postgres import NoServer, start
    except ImportError as missing:
        taking.left_out.append(f"PostgreSQL: {missing}; its driver: pip install asyncpg")
        return
    try:
        taking.server = await asyncio.to_thread(start, durable=True)
    except NoServer as reason:
        taking.left_out.append(f"PostgreSQL: {reason}")
        return
    stack.callback(shutil.rmtree, taking.server.folder, ignore_errors=True)
    stack.callback(taking.server.close)
    await _engine(stack, taking, place, SERVER, PostgresStore(await new_database(taking)))
    taking.models[SERVER] = peer_tortoise.server(await new_database(taking))


async def new_database(taking: Contest) -> str:
    """The address of an empty database with all tables on the server that takes part."""
    from storage.postgres_file import migrate

    address: str = await asyncio.to_thread(taking.server.create)
    await migrate(address)
    return address
