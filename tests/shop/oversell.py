"""Many processes order the same few products at once: is more sold than there is?

`python -m tests.shop.oversell --database postgresql --processes 8 --checkouts 1000` prints figures. Every process
has the real store open and its transactions; on SQLite without the lock that gives a file to one process, because it
is the very thing that must hold. `--naive` does it as so many shops do: read, check, save.
"""

import argparse
import asyncio
import multiprocessing
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.actions import Money
from engine.actions.context import Transaction, Voiced
from storage.shop import checkout, stock
from storage.shop.settings import ShopSettings
from storage.sqlite_store import SqliteStore

PRODUCTS = (1, 2, 3, 4, 5)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SETTINGS = ShopSettings()
SAMPLE = (
    "SELECT p.id, p.stock, p.reserved, "
    "(SELECT coalesce(sum(r.quantity), 0) FROM shop_reservations r WHERE r.product_id = p.id) AS rows, "
    "(SELECT coalesce(sum(l.sold), 0) FROM shop_order_lines l WHERE l.product_id = p.id) AS sold "
    "FROM shop_products p ORDER BY p.id"
)
Opened = Callable[[], AbstractAsyncContextManager[Transaction]]


@dataclass(kw_only=True)
class Trial:
    """What is to be tried: by whom, how often, on which database."""

    address: str
    """A file of SQLite, or a postgresql:// URL."""
    processes: int
    checkouts: int
    """Of each process."""
    pieces: int
    """In stock of each product."""
    naive: bool = False
    impatient: bool = False
    """Over as soon as something is wrong."""

    @property
    def on_postgres(self) -> bool:
        return self.address.startswith("postgres")


@dataclass(kw_only=True)
class Result:
    """What came of it."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    """Of each checkout's transaction, in seconds."""
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    samples: int = 0
    faults: list[str] = field(default_factory=list)
    """Where a sample did not add up."""
    deadlocks: int = 0

    def p99(self) -> float:
        """In milliseconds."""
        return sorted(self.times)[int(len(self.times) * 0.99)] * 1000 if self.times else 0.0

    def sound(self) -> bool:
        """Nothing oversold, nobody turned away by the database."""
        return not (self.faults or self.errors or self.deadlocks)

    def told(self) -> str:
        """In a few lines."""
        rate = len(self.times) / self.seconds if self.seconds else 0.0
        return (
            f"{len(self.times)} checkouts in {self.seconds:.1f} s: {rate:.0f} tx/s, p99 {self.p99():.1f} ms\n"
            f"outcomes {dict(self.outcomes)}, errors {dict(self.errors)}, deadlocks {self.deadlocks}\n"
            f"{self.samples} samples, {len(self.faults)} faulty {self.faults[:3]}"
        )


class _NoLock:
    """Instead of the file's lock: several processes on one file."""

    def take(self) -> None:
        """Nothing is taken."""

    def release(self) -> None:
        """Nothing is given back."""


@asynccontextmanager
async def opened(trial: Trial) -> AsyncIterator[Opened]:
    """The store's own transactions; for the naive variant on SQLite plain ones, as an ORM begins them."""
    if trial.on_postgres:
        from storage.postgres_store import PostgresStore

        store: Any = PostgresStore(trial.address)
    elif trial.naive:
        yield lambda: _plain(Path(trial.address))
        return
    else:
        store = SqliteStore(Path(trial.address))
        store._file_lock = _NoLock()
    await store.open()
    try:
        yield store.transaction
    finally:
        await store.close()


class _Plain:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        return self._connection.execute(sql, tuple(parameters)).rowcount

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[dict[str, object]]:
        return [dict(row) for row in self._connection.execute(sql, tuple(parameters)).fetchall()]


@asynccontextmanager
async def _plain(file: Path) -> AsyncIterator[Transaction]:
    with closing(sqlite3.connect(file, isolation_level=None, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        try:
            yield _Plain(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


async def prepare(trial: Trial) -> None:
    """Products, and a full cart for each checkout."""
    async with opened(Trial(**{**vars(trial), "naive": False})) as transaction:
        async with transaction() as work:
            for product in PRODUCTS:
                await work.execute(
                    "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, "
                    "active, origin) VALUES (?, ?, '', 100, 'EUR', ?, 0, 0, 1, '')",
                    (f"p{product}", f"Product {product}", trial.pieces),
                )
        for process in range(trial.processes):
            for first in range(0, trial.checkouts, 100):
                numbers = range(first, min(first + 100, trial.checkouts))
                async with transaction() as work:
                    await _fill(work, process, numbers)


async def _fill(work: Transaction, process: int, numbers: Sequence[int]) -> None:
    people = [name for number in numbers for name in (customer(process, number),) * 2]
    marks = ", ".join(["(?, ?, '', '', 0, 0, 0, '', 1)"] * len(numbers))
    await work.execute(
        "INSERT INTO shop_customers (customer, chat, name, language, strikes, blocked, wallet, currency, cart_version)"
        f" VALUES {marks}",
        people,
    )
    lines = [
        value
        for number in numbers
        for at, (product, pieces) in enumerate(wanted(process, number))
        for value in (customer(process, number), product, pieces, at)
    ]
    marks = ", ".join(["(?, ?, ?, ?)"] * (len(lines) // 4))
    await work.execute(f"INSERT INTO shop_cart_lines (customer, product_id, quantity, added_at) VALUES {marks}", lines)


def customer(process: int, number: int) -> str:
    return f"test:{process}-{number}"


def wanted(process: int, number: int) -> list[tuple[int, int]]:
    """Two or three products of five; every other process has them the other way round."""
    chance = random.Random(number * 1000 + process // 2)
    chosen = sorted(chance.sample(PRODUCTS, chance.choice((2, 3))), reverse=process % 2 == 1)
    return [(product, chance.randint(1, 3)) for product in chosen]


async def _checkout(work: Transaction, trial: Trial, process: int, number: int) -> tuple[str, str]:
    """Outcome, and the order's id."""
    if trial.naive:
        return await naive(work, process, number)
    total = sum(pieces for _, pieces in wanted(process, number)) * 100
    wish = checkout.Wish(
        customer=customer(process, number),
        version=1,
        total=Money(minor=total, asset="EUR"),
        pay_with="BTC",
        hold=timedelta(minutes=30),
        now=NOW,
    )
    answer = await checkout.place(Voiced(work, []), wish, SETTINGS)
    return type(answer).__name__, answer.order.id if isinstance(answer, checkout.Placed) else ""


async def naive(work: Transaction, process: int, number: int) -> tuple[str, str]:
    """Read, check, save; in the order of the cart. This must fail the test."""
    order = f"{process}-{number}"
    for product, pieces in wanted(process, number):
        (row,) = await work.query("SELECT stock, reserved FROM shop_products WHERE id = ?", (product,))
        held = int(str(row["reserved"]))
        if int(str(row["stock"])) - held < pieces:
            raise _Short
        await work.execute("UPDATE shop_products SET reserved = ? WHERE id = ?", (held + pieces, product))
        await work.execute(
            "INSERT INTO shop_reservations (order_id, product_id, quantity) VALUES (?, ?, ?)", (order, product, pieces)
        )
    return "Placed", order


class _Short(Exception):
    """The naive variant undoes everything when something is short."""


async def shopping(
    trial: Trial, process: int, start: Callable[[], object], over: Callable[[], bool] = lambda: False
) -> Result:
    """One process: its checkouts one after another; a third of the orders is paid, a third let go."""
    result = Result()
    async with opened(trial) as transaction:
        await asyncio.to_thread(start)
        for number in range(trial.checkouts):
            if over():
                break
            if number == trial.checkouts // 2 and not trial.naive:  # whoever watches may get no turn on a busy machine
                await _sample(transaction, trial, result)
            began = time.perf_counter()
            try:
                async with transaction() as work:
                    outcome, order = await _checkout(work, trial, process, number)
                result.times.append(time.perf_counter() - began)
                result.outcomes[outcome] += 1
                if order and number % 3 and not trial.naive:
                    async with transaction() as work:
                        await (stock.sell if number % 3 == 1 else stock.release)(Voiced(work, []), order)
            except _Short:
                result.times.append(time.perf_counter() - began)
                result.outcomes["Short"] += 1
            except Exception as error:
                result.errors[f"{type(error).__name__}: {error}"[:90]] += 1
    return result


def _child(trial: Trial, process: int, barrier: Any, over: Any, pipe: Any) -> None:
    try:
        pipe.send(asyncio.run(shopping(trial, process, barrier.wait, over.is_set)))
    except BaseException as error:
        pipe.send(Result(errors=Counter({f"{type(error).__name__}: {error}"[:200]: 1})))
        barrier.abort()


def attempt(trial: Trial) -> Result:
    """Prepare, let all processes shop at once, look at the books meanwhile and at the end."""
    asyncio.run(prepare(trial))
    context = multiprocessing.get_context("fork")
    barrier, over = context.Barrier(trial.processes + 1), context.Event()
    children, pipes = [], []
    for process in range(trial.processes):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(trial, process, barrier, over, theirs), daemon=True)
        child.start()
        theirs.close()
        children.append(child)
        pipes.append(ours)
    before = asyncio.run(_deadlocks(trial))  # another trial may have been made in the same database
    barrier.wait(timeout=60)
    result = asyncio.run(_watch(trial, pipes, over))
    result.deadlocks = asyncio.run(_deadlocks(trial)) - before
    for child in children:
        child.join(timeout=30)
    return result


async def _watch(trial: Trial, pipes: Sequence[Any], over: Any) -> Result:
    whole, waiting, began = Result(), list(pipes), time.perf_counter()
    async with opened(Trial(**{**vars(trial), "naive": False})) as transaction:
        while waiting:
            await asyncio.sleep(0.05)
            await _sample(transaction, trial, whole)
            if trial.impatient and not whole.sound():
                over.set()
            for pipe in [pipe for pipe in waiting if pipe.poll()]:
                part: Result = pipe.recv()
                waiting.remove(pipe)
                whole.times += part.times
                whole.outcomes += part.outcomes
                whole.errors += part.errors
                whole.samples += part.samples
                whole.faults += part.faults
        whole.seconds = time.perf_counter() - began
        await _sample(transaction, trial, whole)
    return whole


async def _sample(transaction: Opened, trial: Trial, whole: Result) -> None:
    if trial.on_postgres:
        async with transaction() as work:
            rows = await work.query(SAMPLE)
    else:  # on a connection of its own, so that looking does not wait for its turn to write
        with closing(sqlite3.connect(trial.address, timeout=15)) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(SAMPLE).fetchall()]
    whole.samples += 1
    for row in rows:
        left, reserved, held, sold = (int(str(row[name])) for name in ("stock", "reserved", "rows", "sold"))
        if reserved != held or sold + reserved > trial.pieces or left + sold != trial.pieces:
            whole.faults.append(f"product {row['id']}: {left} left, {reserved} reserved, rows {held}, sold {sold}")


async def _deadlocks(trial: Trial) -> int:
    """That the server has counted in this database so far. Whoever is turned away by one has an error, too."""
    if not trial.on_postgres:
        return 0
    async with opened(Trial(**{**vars(trial), "naive": False})) as transaction, transaction() as work:
        rows = await work.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(str(rows[0]["deadlocks"]))


def main() -> None:
    """For people: try it, and print figures."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    reader.add_argument("--processes", type=int, default=8)
    reader.add_argument("--checkouts", type=int, default=1000)
    reader.add_argument("--naive", action="store_true")
    reader.add_argument("--hasty", action="store_true")
    given = reader.parse_args()
    pieces = max(1, given.processes * given.checkouts * 3 // 10)
    sizes = {"processes": given.processes, "checkouts": given.checkouts, "pieces": pieces, "naive": given.naive}
    if given.database == "sqlite":
        with tempfile.TemporaryDirectory(prefix="stepgram-oversell-") as folder:
            result = attempt(Trial(address=str(Path(folder) / "shop.sqlite3"), **sizes))
    else:
        from tests import postgres

        server = postgres.start(durable="--hasty" not in sys.argv)
        try:
            result = attempt(Trial(address=server.create(), **sizes))
        finally:
            server.close()
    print(result.told())
    sys.exit(0 if result.sound() else 1)


if __name__ == "__main__":
    main()
