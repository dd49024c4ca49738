"""A shop for tests of payments: real SQLite, a scripted chain, a clock that the test turns. Nothing sleeps."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.actions import Money, Request, Voiced, Work
from engine.actions.context import SendSignal, TellRole
from engine.actions.testing import MOMENT, Database, context
from storage.shop import books, facts, ledger, orders, reconcile, stock
from storage.shop.books import Invoice
from storage.shop.invoices import Bench, settle_many
from storage.shop.moments import millis
from storage.shop.policy import PaymentSettings, Rates
from storage.shop.rules import rules
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from storage.shop.stock import Line
from storage.shop.tables import SHOP_TABLES
from storage.shop.transfers import Report, Tip, Transfer

PRICE = 1_000
"""Of one piece, in cents."""
RATE = Decimal(50_000)
COINS = 20_000
"""Satoshi for one piece at RATE."""
STOCK = 10
CENTS = "EUR"
FIXED = Rates(fixed={"BTC": Money(minor=5_000_000, asset=CENTS), "ETH": Money(minor=200_000, asset=CENTS)}, sources=[])
CHAT = "test:1"


def settings(**changes: Any) -> PaymentSettings:
    """The payment settings with fixed rates."""
    return PaymentSettings(**{"rates": FIXED, **changes})


@dataclass
class Node:
    """A chain as a node tells of it."""

    asset: str = "BTC"
    height: int = 100
    at: datetime = MOMENT
    known: dict[str, Transfer] = field(default_factory=dict)
    made: int = 0
    fork: int = 0

    def send(self, address: str, amount: int, *, asset: str | None = None, txid: str | None = None) -> str:
        """A transaction into the mempool; its id."""
        self.made += 1
        name = txid or hashlib.sha256(f"{self.asset}:{self.made}".encode()).hexdigest()
        self.known[name] = Transfer(
            asset=asset or self.asset, address=address, txid=name, position="0", amount=amount, height=None, block=None
        )
        return name

    def mine(self, blocks: int, now: datetime) -> None:
        """So many blocks; what is in the mempool is in the first of them."""
        if blocks > 0:
            for name, one in self.known.items():
                if one.height is None:
                    self.known[name] = _moved(one, self.height + 1, self.block(self.height + 1))
        self.height += blocks
        self.at = now

    def block(self, height: int) -> str:
        return f"{self.asset}-{self.fork}-{height}"

    def reorg(self, depth: int, *, lose: Sequence[str] = ()) -> None:
        """The last blocks are others now: what was in them is in the mempool again, or gone."""
        self.fork += 1
        for name, one in list(self.known.items()):
            if one.height is not None and one.height > self.height - depth:
                self.known[name] = _moved(one, None, None)
        for name in lose:
            self.known.pop(name, None)

    def report(self, complete: Sequence[str]) -> Report:
        tip = Tip(asset=self.asset, height=self.height, block=self.block(self.height), at=self.at)
        return Report(asset=self.asset, tip=tip, transfers=tuple(self.known.values()), complete=tuple(complete))


def _moved(one: Transfer, height: int | None, block: str | None) -> Transfer:
    return Transfer(
        asset=one.asset, address=one.address, txid=one.txid, position=one.position, amount=one.amount, height=height,
        block=block,
    )  # fmt: skip


class Till:
    """One product, its orders and invoices."""

    def __init__(self, payments: PaymentSettings | None = None, *, stock: int = STOCK) -> None:
        self.database = Database.of(SHOP_TABLES)
        self.requests: list[Request] = []
        self.payments = payments or settings()
        self.shop = ShopSettings()
        self.now = MOMENT
        self.node = Node()
        self.since = 0
        self.made = 0
        run = self.database.connection.execute
        run(
            "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, active, "
            "origin) VALUES ('A', 'Apple', '', ?, ?, ?, 0, 0, 1, 'test')",
            (PRICE, CENTS, stock),
        )
        run(
            "INSERT INTO shop_customers (customer, chat, name, language, strikes, blocked, wallet, currency, "
            "cart_version) VALUES (?, ?, 'Anna', 'en', 0, 0, 0, '', 0)",
            (CHAT, CHAT),
        )

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """A transaction; what it sends is kept when it is committed."""
        own: list[Request] = []
        async with self.database.transaction() as transaction:
            yield Voiced(transaction, own)
        self.requests.extend(own)

    async def order(self, quantity: int = 1) -> str:
        """An order that holds its goods."""
        self.made += 1
        order = f"ORDER{self.made:015d}"
        async with self.work() as work:
            await work.execute(
                "INSERT INTO shop_orders (id, number, customer, chat, status, total, currency, pay_with, key, "
                "created_at, expires_at, reason, tracking, extra, version) "
                "VALUES (?, ?, ?, ?, 'created', ?, ?, '', ?, ?, ?, '', '', '{}', 1)",
                (order, f"S-{self.made}", CHAT, CHAT, PRICE * quantity, CENTS, order, millis(self.now), None),
            )
            await work.execute(
                "INSERT INTO shop_order_lines (order_id, product_id, sku, name, price, quantity) "
                "VALUES (?, 1, 'A', 'Apple', ?, ?)",
                (order, PRICE, quantity),
            )
            assert await stock.reserve(work, order, [Line(product=1, quantity=quantity)], self.now) == ()
        return order

    async def invoice(self, quantity: int = 1, *, asset: str = "BTC", practice: bool = False) -> int:
        """An order with its invoice."""
        order = await self.order(quantity)
        amount = Money(minor=COINS * quantity * (10**10 if asset == "ETH" else 1), asset=asset)
        total = Money(minor=PRICE * quantity, asset=CENTS)
        async with self.work() as work:
            assert await books.insert(
                work,
                order=order,
                customer=CHAT,
                chat=CHAT,
                address=f"addr-{order}",
                path="m/84'/0'/0'/0/7",
                amount=amount,
                total=total,
                rate=str(RATE),
                now=millis(self.now),
                expires_at=millis(self.now + self.payments.expires),
                monitor_until=millis(self.now + self.payments.monitor),
                rules=rules(self.payments, amount=amount, total=total, practice=practice),
            )
        return (await self._of_order(order)).id

    async def _of_order(self, order: str) -> Invoice:
        async with self.work() as work:
            found = await books.of_order(work, order)
        assert found is not None
        return found

    async def row(self, number: int = 1) -> Invoice:
        """The invoice as it stands."""
        async with self.work() as work:
            (found,) = await books.invoices(work, (number,))
        return found

    def bench(self) -> Bench:
        return Bench(now=self.now, payments=self.payments, shop=self.shop, since=self.since)

    # --- what happens

    async def pay(self, number: int = 1, percent: int = 100, *, asset: str | None = None) -> str:
        """A payment into the mempool, not looked at yet."""
        one = await self.row(number)
        return self.node.send(one.address, one.amount * percent // 100, asset=asset)

    async def poll(self) -> int:
        """The watcher looks."""
        self.node.at = max(self.node.at, self.now - timedelta(minutes=1))
        async with self.work() as work:
            complete = [one.address for one in await facts.watched(work, self.node.asset)]
            return await facts.observe(
                work, self.node.report(complete), now=self.now, payments=self.payments, shop=self.shop
            )

    async def tick(self, **later: float) -> None:
        """Time passes, and the clock judges what is due; the node is not asked."""
        self.now += timedelta(**later)
        for _ in range(20):
            async with self.work() as work:
                ids = await books.due(work, millis(self.now))
                if not ids or not await settle_many(work, ids, self.bench()):
                    return

    async def pass_(self, **later: float) -> None:
        """Time passes with a node that is looked at."""
        self.now += timedelta(**later)
        await self.poll()
        await self.tick()

    async def poll_without_news(self, **later: float) -> None:
        """The node was looked at, before it knew of what is in its mempool now."""
        self.now += timedelta(**later)
        kept, self.node.known = self.node.known, {}
        await self.poll()
        self.node.known = kept
        await self.tick()

    async def poll_stuck(self) -> None:
        """The node answers, always with the same old block."""
        async with self.work() as work:
            await facts.observe(work, self.node.report(()), now=self.now, payments=self.payments, shop=self.shop)

    async def seen(self, number: int = 1, percent: int = 100) -> str:
        """Paid and seen, in no block."""
        name = await self.pay(number, percent)
        await self.poll()
        return name

    async def confirmed(self, number: int = 1, percent: int = 100, blocks: int = 6) -> str:
        """Paid, seen and deep in the chain."""
        name = await self.seen(number, percent)
        await self.mine(blocks)
        return name

    async def mine(self, blocks: int = 6) -> None:
        self.node.mine(blocks, self.now)
        await self.poll()

    # --- what is to be seen

    def news(self) -> list[str]:
        """What the customer was told, by name."""
        return [one.name for one in self.requests if isinstance(one, SendSignal)]

    def team(self) -> Counter[str]:
        return Counter(str(one.arguments["news"]) for one in self.requests if isinstance(one, TellRole))

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        cursor: sqlite3.Cursor = self.database.connection.execute(sql, values)
        return [dict(row) for row in cursor.fetchall()]

    def refunds(self, number: int = 1) -> list[tuple[str, str, int]]:
        """(status, reason, amount) without those that were taken back."""
        return [
            (str(row["status"]), str(row["reason"]), int(row["amount"]))
            for row in self.rows("SELECT * FROM pay_refunds WHERE invoice_id = ? ORDER BY id", number)
            if row["amount"] != "0"
        ]

    def cases(self) -> list[str]:
        return [str(row["kind"]) for row in self.rows("SELECT kind FROM pay_cases ORDER BY id")]

    def stock(self) -> tuple[int, int]:
        """(in stock, reserved)."""
        (row,) = self.rows("SELECT stock, reserved FROM shop_products")
        return int(row["stock"]), int(row["reserved"])

    def order_status(self, number: int = 1) -> str:
        (row,) = self.rows(
            "SELECT o.status FROM shop_orders o JOIN pay_invoices i ON i.order_id = o.id WHERE i.id = ?", number
        )
        return str(row["status"])

    async def state(self, number: int = 1) -> tuple[str, frozenset[str]]:
        one = await self.row(number)
        return one.status, one.flags

    async def sane(self) -> None:
        """Nothing is lost, nothing is there twice."""
        async with self.work() as work:
            assert await reconcile.differences(work) == []
            entries = await ledger.entries_of(work, range(1, self.made + 1))
        assert all(entries)

    async def cancel(self, number: int = 1) -> None:
        """The order is cancelled as the shop does it, by its own rows only."""
        one = await self.row(number)
        async with self.work() as work:
            await stock.release(work, one.order)
            order = await orders.order(work, one.order)
            assert order is not None
            assert await orders.move(work, order, to="cancelled", at=self.now, reason="changed my mind")
            await settle_many(work, (number,), self.bench())

    def context(self, *, team: bool = False, **fields: Any) -> Any:
        """What an action is handed."""
        roles = ("admin",) if team else ()
        configured: Mapping[type[Any], object] = {
            PaymentSettings: self.payments,
            ShopSettings: self.shop,
            ChainSettings: ChainSettings(BTC=ChainSetting(via="practice"), ETH=ChainSetting(via="practice")),
            **fields.pop("configured", {}),
        }
        return context(
            database=self.database,
            transactional=True,
            now=self.now,
            chat=fields.pop("chat", CHAT),
            customer={"id": "1", "name": "Anna", "language": "en", "roles": roles},
            configured=configured,
            requests=self.requests,
            **fields,
        )
