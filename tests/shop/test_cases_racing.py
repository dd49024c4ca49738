"""Cases 16, 17 and 32 with everybody at once on PostgreSQL: expiry, payment and its duplicate over 300 invoices.

Kept beside it: the naive way, which must fail the very same test.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from engine.actions import Money, Request, Voiced, Work
from engine.actions.context import SendSignal
from engine.actions.testing import MOMENT
from storage import postgres_plugin_sql
from storage.shop import books, facts, invoices, reconcile, stock
from storage.shop.ledger import whole
from storage.shop.moments import millis
from storage.shop.rules import rules
from storage.shop.settings import ShopSettings
from storage.shop.transfers import Report, Tip, Transfer
from tests.shop.till import COINS, PRICE, Node, settings

INVOICES = 300
PAYMENTS = settings()
SHOP = ShopSettings()
EXPIRY = MOMENT + PAYMENTS.expires
LINES = 8


class Line:
    """A Transaction on a connection of its own."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._kinds = postgres_plugin_sql.Kinds()

    async def execute(self, sql: str, parameters: Any = ()) -> int:
        return await postgres_plugin_sql.execute(
            self._connection, self._kinds, postgres_plugin_sql.checked(sql), parameters
        )

    async def query(self, sql: str, parameters: Any = ()) -> Any:
        return await postgres_plugin_sql.query(
            self._connection, self._kinds, postgres_plugin_sql.checked(sql), parameters
        )


class Crowd:
    """Several connections, and what was sent."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: asyncio.Queue[asyncpg.Connection] = asyncio.Queue()
        self.sent: list[Request] = []
        self.faults: Counter[str] = Counter()

    async def open(self) -> None:
        for _ in range(LINES):
            self._free.put_nowait(await asyncpg.connect(self._url))

    async def close(self) -> None:
        while not self._free.empty():
            await self._free.get_nowait().close()

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        connection = await self._free.get()
        own: list[Request] = []
        try:
            async with connection.transaction():
                yield Voiced(Line(connection), own)
            self.sent.extend(own)
        except asyncpg.PostgresError as fault:
            self.faults[type(fault).__name__] += 1
        finally:
            self._free.put_nowait(connection)


@pytest.fixture
async def crowd(database_url: str) -> AsyncIterator[Crowd]:
    found = Crowd(database_url)
    await found.open()
    async with found.work() as work:
        for product in (1, 2, 3):
            await work.execute(
                "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, "
                "active, origin, digital) VALUES (?, 'x', '', ?, 'EUR', ?, 0, 0, 1, 'test', 0)",
                (f"P{product}", PRICE, INVOICES * 2),
            )
        rows = await work.query("SELECT id FROM shop_products ORDER BY id")
        products = [whole(row, "id") for row in rows]
        for number in range(INVOICES):
            await _invoice(work, number, [products[number % 3], products[(number + 1) % 3]])
    yield found
    await found.close()


async def _invoice(work: Work, number: int, products: list[int]) -> None:
    order, now = f"ORDER{number:015d}", millis(MOMENT)
    await work.execute(
        "INSERT INTO shop_orders (id, number, customer, chat, status, total, currency, pay_with, key, created_at, "
        "reason, tracking, extra, version) VALUES (?, ?, 'test:1', 'test:1', 'created', ?, 'EUR', '', ?, ?, '', '', "
        "'{}', 1)",
        (order, f"S-{number}", PRICE * 2, order, now),
    )
    for product in products:
        await work.execute(
            "INSERT INTO shop_order_lines (order_id, product_id, sku, name, price, quantity, sold) "
            "VALUES (?, ?, 'x', 'x', ?, 1, 0)",
            (order, product, PRICE),
        )
    await stock.reserve(work, order, [stock.Line(product=product, quantity=1) for product in products], MOMENT)
    amount, total = Money(minor=COINS, asset="BTC"), Money(minor=PRICE * 2, asset="EUR")
    await books.insert(
        work, order=order, customer="test:1", chat="test:1", address=f"a{number}", path="m", amount=amount,
        total=total, rate="50000", now=now, expires_at=millis(EXPIRY), monitor_until=millis(MOMENT + PAYMENTS.monitor),
        rules=rules(PAYMENTS, amount=amount, total=total, practice=True),
    )  # fmt: skip


async def _expire(crowd: Crowd, ids: list[int]) -> None:
    bench = invoices.Bench(now=EXPIRY, payments=PAYMENTS, shop=SHOP)
    async with crowd.work() as work:
        await invoices.settle_many(work, ids, bench)


async def _pay(crowd: Crowd, numbers: list[int]) -> None:
    node = Node()
    transfers = tuple(
        Transfer(
            asset="BTC", address=f"a{number}", txid=f"tx{number}", position="0", amount=COINS, height=100, block="b"
        )
        for number in numbers
    )
    tip = Tip(asset="BTC", height=node.height, block="b", at=MOMENT)
    report = Report(asset="BTC", tip=tip, transfers=transfers, complete=())
    async with crowd.work() as work:
        await facts.observe(work, report, now=EXPIRY - timedelta(seconds=1), payments=PAYMENTS, shop=SHOP)


async def test_expiry_payment_and_its_duplicate_at_once(crowd: Crowd) -> None:
    async with crowd.work() as work:
        ids = [whole(row, "id") for row in await work.query("SELECT id FROM pay_invoices ORDER BY id")]
    paid = [number for number in range(INVOICES) if number % 3]
    deeds: list[Awaitable[None]] = []
    for start in range(0, INVOICES, 10):
        deeds.append(_expire(crowd, ids[start : start + 10]))
        chosen = [number for number in paid if start <= number < start + 10]
        deeds += [_pay(crowd, chosen), _pay(crowd, chosen), _expire(crowd, ids[start : start + 3])]
    await asyncio.gather(*deeds)
    assert crowd.faults == Counter()
    async with crowd.work() as work:
        states = Counter(str(row["status"]) for row in await work.query("SELECT status FROM pay_invoices"))
        rows = await work.query("SELECT sum(stock) AS stock, sum(reserved) AS reserved FROM shop_products")
        ledger = await work.query("SELECT count(*) AS n FROM pay_ledger WHERE kind <> 'manual'")
        assert await reconcile.differences(work) == []
    # whoever paid has the goods, whether the clock was first or not; nobody else has them
    assert states == Counter(settled=len(paid), expired=INVOICES - len(paid))
    assert (whole(rows[0], "stock"), whole(rows[0], "reserved")) == (INVOICES * 6 - 2 * len(paid), 0)
    assert whole(ledger[0], "n") == len(paid)
    told = Counter((one.name, one.key) for one in crowd.sent if isinstance(one, SendSignal))
    assert sum(1 for name, _ in told if name == "payment.settled") == len(paid)
    assert set(told.values()) == {1}


async def test_the_naive_way_fails_the_same_test(crowd: Crowd) -> None:
    """Read, decide, write: without the version, without locks."""

    async def naive(number: int, act: Callable[[Work, str], Awaitable[object]], to: str) -> None:
        async with crowd.work() as work:
            rows = await work.query("SELECT status FROM pay_invoices WHERE order_id = ?", (f"ORDER{number:015d}",))
            await asyncio.sleep(0)
            if rows[0]["status"] != "new":
                return
            await act(work, f"ORDER{number:015d}")
            await work.execute("UPDATE pay_invoices SET status = ? WHERE order_id = ?", (to, f"ORDER{number:015d}"))
            crowd.sent.append(SendSignal(flow="checkout", key=str(number), name=to))

    deeds = []
    for number in range(60):
        deeds += [naive(number, _drop, "expired"), naive(number, _take, "settled"), naive(number, _take, "settled")]
    await asyncio.gather(*deeds)
    told = Counter(one.key for one in crowd.sent if isinstance(one, SendSignal))
    assert max(told.values()) > 1 or crowd.faults, "the naive way was right: this test finds nothing"


async def _drop(work: Work, order: str) -> None:
    await _change(work, order, "reserved = reserved - 1")


async def _take(work: Work, order: str) -> None:
    await _change(work, order, "reserved = reserved - 1, stock = stock - 1")


async def _change(work: Work, order: str, what: str) -> None:
    """Products by number: it is not for deadlocks that this way is wrong."""
    for row in await work.query(
        "SELECT product_id FROM shop_order_lines WHERE order_id = ? ORDER BY product_id", (order,)
    ):
        await work.execute(f"UPDATE shop_products SET {what} WHERE id = ?", (row["product_id"],))
