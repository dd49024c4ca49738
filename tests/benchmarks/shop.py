"""What the shop costs: `python -m tests.benchmarks.shop [--short] [--invoices 10000]`.

Open invoices end in time, an idle shop with many of them is idle, reports of watchers, checkouts, addresses, imports;
on SQLite and PostgreSQL. Goals about seconds are of a machine with nothing else to do; processor time is not
changed by others. What is not installed is left out, and the report says what to type.
"""

import argparse
import asyncio
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from engine.runtime.ports import Store
from storage.memory import MemoryStore
from storage.shop import facts
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ShopSettings
from storage.shop.transfers import Report, Tip, Transfer
from storage.sqlite_store import SqliteStore
from tests.benchmarks.figures import Figure, middle, table
from tests.benchmarks.shop_checkout import checkouts
from tests.benchmarks.shop_work import Bot, fill, running

MEMORY: Final = "memory"
SQLITE: Final = "SQLite"
SERVER: Final = "PostgreSQL"
PLUGINS: Final = ("plugins.shop", "plugins.payments", "plugins.chains")
_XPUB: Final = (
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
)
"""The published one of BIP84: nobody's money."""
_IMPORT: Final = (
    "import sys, time\nimport engine.app, engine.actions.discovery, storage.memory\nbegun = time.process_time()\n"
    "import {}\nprint(time.process_time() - begun)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done."""

    invoices: int
    spread: float
    """Seconds over which they end."""
    together: int
    """So many end in the same second."""
    idle: float
    """Seconds of looking at an idle shop."""
    watched: int
    paid: int
    checkouts: int
    rounds: int


TINY: Final = Size(invoices=20, spread=0.2, together=10, idle=0.3, watched=20, paid=5, checkouts=3, rounds=1)
SHORT: Final = Size(invoices=2_000, spread=10, together=500, idle=5, watched=1_000, paid=100, checkouts=50, rounds=3)
NORMAL: Final = Size(
    invoices=10_000, spread=30, together=1_000, idle=30, watched=1_000, paid=100, checkouts=300, rounds=7
)


@dataclass(slots=True)
class Places:
    """New empty stores, by where they are."""

    folder: Path
    server: Any = None
    left_out: list[str] = field(default_factory=list)
    made: int = 0

    @property
    def names(self) -> list[str]:
        return [SQLITE] if self.server is None else [SQLITE, SERVER]

    async def store(self, where: str) -> Store:
        """An empty one."""
        self.made += 1
        if where == MEMORY:
            return MemoryStore()
        if where == SQLITE:
            return SqliteStore(self.folder / f"shop{self.made}.db")
        from storage.postgres_file import migrate
        from storage.postgres_store import PostgresStore

        url = await asyncio.to_thread(self.server.create)
        await migrate(url)
        return PostgresStore(url)

    @asynccontextmanager
    async def bot(
        self, where: str, *, services: bool = True, first: Callable[[Bot], Any] | None = None
    ) -> AsyncIterator[Bot]:
        """A shop on an empty store."""
        store = await self.store(where)
        async with running(self.folder / f"shop{self.made}", store, services=services, first=first) as bot:
            yield bot


@asynccontextmanager
async def places(folder: Path, *, server: bool = True) -> AsyncIterator[Places]:
    """With a PostgreSQL server of our own, if there can be one: every commit is flushed to the disk."""
    found = Places(folder)
    if server:
        try:
            from tests.postgres import NoServer, start

            try:
                found.server = await asyncio.to_thread(start, durable=True)
            except NoServer as reason:
                found.left_out.append(f"PostgreSQL: {reason}")
        except ImportError as missing:
            found.left_out.append(f"PostgreSQL: {missing}; its driver: pip install asyncpg")
    try:
        yield found
    finally:
        if found.server is not None:
            found.server.close()
            shutil.rmtree(found.server.folder, ignore_errors=True)


# --- expiry ---------------------------------------------------------------------------------------------------


async def expiry(places: Places, where: str, *, invoices: int, spread: float, lead: float, name: str) -> list[Figure]:
    """How late invoices end: from the moment their time is over until their end is committed. Half of the customers
    wait in their checkout, the news of the others begin beside."""

    async def full(bot: Bot) -> None:
        await fill(bot, invoices, begin=lead, spread=spread)

    async with places.bot(where, first=full) as bot:
        await bot.talking(invoices // 2)
        begun = time.process_time()
        await bot.until(lambda: len(bot.notes.ended) >= invoices, lead + spread + 120)
        spent = time.process_time() - begun
        late = sorted(bot.notes.ended[number] - due for number, due in bot.due.items())
        assert late[0] >= 0, "an invoice has ended before its time was over"
        rows = await _count(bot, "SELECT count(*) AS n FROM shop_orders WHERE status = 'expired'")
        assert rows == invoices
    what = f"{where}: {name}"
    return [
        Figure(name=f"{what}, late p50", value=late[len(late) // 2] * 1e3, unit="ms"),
        Figure(name=f"{what}, late p99", value=late[int(len(late) * 0.99)] * 1e3, unit="ms", goal=1000, absolute=True),
        Figure(name=f"{what}, late at most", value=late[-1] * 1e3, unit="ms", goal=1000, absolute=True),
        Figure(name=f"{what}, CPU each", value=spent / invoices * 1e6, unit="µs"),
    ]


async def _count(bot: Bot, sql: str) -> int:
    async with bot.app.runtime.beside.works.begin() as work:
        (row,) = await work.query(sql)
    return int(str(row["n"]))


async def idle(places: Places, where: str, size: Size) -> list[Figure]:
    """The processor's part of an idle bot with so many open invoices; the floor is one without any."""
    spent = []
    for count in (0, size.invoices):

        async def full(bot: Bot, count: int = count) -> None:
            await fill(bot, count, begin=1_800, spread=600)

        async with places.bot(where, first=full) as bot:
            await bot.app.settled(10)
            await asyncio.sleep(min(2.0, size.idle / 2))
            begun, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(size.idle)
            spent.append((time.process_time() - cpu) / (time.perf_counter() - begun) * 100)
    name = f"{where}: idle with {size.invoices:,} open invoices"
    return [Figure(name=name, value=spent[1], unit="% CPU", floor=spent[0], goal=2, absolute=True)]


# --- reports --------------------------------------------------------------------------------------------------


async def reports(places: Places, where: str, size: Size) -> list[Figure]:
    """A watcher's round: reading what is watched, a report without news, one with new payments."""
    payments, shop = PaymentSettings(), ShopSettings()
    async with places.bot(where, services=False) as bot:
        await fill(bot, size.watched, begin=1_800, spread=0, practice=False)
        begin, notes = bot.app.runtime.beside.works.begin, bot.notes
        bot.app.runtime.beside.works._sent = lambda rows: None
        read, quiet, statements = [], [], 0
        now = datetime.now(UTC)
        tip = Tip(asset="BTC", height=100, block="b100", at=now)
        for _ in range(size.rounds + 1):
            started = time.perf_counter()
            async with begin() as work:
                watched = await facts.watched(work, "BTC")
            read.append(time.perf_counter() - started)
            report = Report(asset="BTC", tip=tip, transfers=(), complete=tuple(one.address for one in watched))
            started, before = time.perf_counter(), notes.statements
            async with begin() as work:
                assert await facts.observe(work, report, now=now, payments=payments, shop=shop) == 0
            quiet.append(time.perf_counter() - started)
            statements = notes.statements - before
        assert len(watched) == size.watched
        paid = tuple(
            Transfer(
                asset="BTC",
                address=one.address,
                txid=f"tx{number}",
                position="0",
                amount=one.expected,
                height=None,
                block=None,
            )
            for number, one in enumerate(watched[: size.paid])
        )
        started, before = time.perf_counter(), notes.statements
        async with begin() as work:
            assert await facts.observe(
                work, replaced_report(report, paid), now=now, payments=payments, shop=shop
            ) == len(paid)
        spent, used = time.perf_counter() - started, notes.statements - before
    name = f"{where}: {size.watched:,} watched"
    return [
        Figure(name=f"{name}, reading them", value=middle(read) * 1e3, unit="ms"),
        Figure(name=f"{name}, a report without news", value=middle(quiet) * 1e3, unit="ms", floor=middle(read) * 1e3),
        Figure(name=f"{name}, statements of it", value=statements, unit=""),
        Figure(name=f"{name}, {size.paid} new payments", value=spent * 1e3, unit="ms", floor=middle(quiet) * 1e3),
        Figure(name=f"{name}, statements of each payment", value=used / size.paid, unit=""),
    ]


def replaced_report(report: Report, paid: tuple[Transfer, ...]) -> Report:
    """The same with these payments."""
    return Report(asset=report.asset, tip=report.tip, transfers=paid, complete=report.complete)


# --- without a store ------------------------------------------------------------------------------------------


def addresses(count: int) -> list[Figure]:
    """Addresses of a real account, each proved a second way."""
    from storage.shop import wallets
    from storage.shop.settings import ChainSetting

    chain = ChainSetting(via="bitcoin", keys="XPUB", node="NODE")
    wallet: Any = wallets.read("BTC", chain, {"XPUB": _XPUB})
    wallet.address(0)
    begun = time.perf_counter()
    for number in range(count):
        wallet.address(number)
    rate = count / (time.perf_counter() - begun)
    return [
        Figure(
            name="BTC addresses, proved twice, per second", value=rate, unit="1/s", goal=1000, absolute=True, least=True
        )
    ]


def imports(rounds: int) -> list[Figure]:
    """Processor time of importing the plugins, when the engine and the memory store are there."""
    found = []
    for what in (*PLUGINS, ", ".join(PLUGINS)):
        taken = [
            float(
                subprocess.run(
                    [sys.executable, "-c", _IMPORT.format(what)], capture_output=True, text=True, check=True
                ).stdout
            )
            for _ in range(rounds)
        ]
        found.append(Figure(name=f"import {what}", value=min(taken) * 1e3, unit="ms", goal=60, absolute=True))
    return found


# --- all of it ------------------------------------------------------------------------------------------------


async def measure(places: Places, size: Size, show: Callable[[Figure], object] = lambda _: None) -> list[Figure]:
    """Everything, one after the other."""
    found: list[Figure] = []

    def take(figures: list[Figure]) -> None:
        found.extend(figures)
        for figure in figures:
            show(figure)

    take(await asyncio.to_thread(imports, size.rounds))
    try:
        take(addresses(size.checkouts * 3))
    except ImportError as missing:
        places.left_out.append(f"addresses: {missing}; in a checkout, pip install '.[crypto]'")
    for where in places.names:
        take(await reports(places, where, size))
        take(await checkouts(places.bot, where, count=size.checkouts))
        lead = 1.0 + size.together / 1_000
        take(
            await expiry(places, where, invoices=size.together, spread=0, lead=lead, name=f"{size.together:,} at once")
        )
        lead = 1.0 + size.invoices / 1_000
        name = f"{size.invoices:,} over {size.spread:g} s"
        take(await expiry(places, where, invoices=size.invoices, spread=size.spread, lead=lead, name=name))
        take(await idle(places, where, size))
    return found


async def run(
    size: Size, folder: Path, *, server: bool = True, show: Callable[[Figure], object] = lambda _: None
) -> str:
    """The report."""
    async with places(folder, server=server) as found:
        figures = await measure(found, size, show)
        return "\n".join([*(f"left out: {reason}" for reason in found.left_out), table(figures)])


def main(show: Callable[[str], object] = print) -> None:
    parser = argparse.ArgumentParser(description="What the shop costs.")
    parser.add_argument("--short", action="store_true", help="fewer of everything, a minute")
    parser.add_argument("--invoices", type=int, help="open invoices; 10000 unless told")
    parser.add_argument("--sqlite", action="store_true", help="without PostgreSQL")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    size = SHORT if given.short else NORMAL
    if given.invoices:
        size = replace(size, invoices=given.invoices)
    with tempfile.TemporaryDirectory(prefix="stepgram-bench") as folder:
        show(asyncio.run(run(size, Path(folder), server=not given.sqlite, show=lambda figure: show(figure.line()))))


if __name__ == "__main__":
    main()
