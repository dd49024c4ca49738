"""What these settings do: orders are played through, in a shop that exists in memory only, with the real law and rows.

No network, no database of the bot's, no customer. For the command `stepgram rehearse`.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, assert_never

from engine.actions import Money, Request, Voiced, Work, major, money
from engine.actions.context import SendSignal
from engine.core.records import record, replaced
from storage.memory import MemoryStore
from storage.shop import books, cancelling, facts, rates, stock
from storage.shop.books import Invoice
from storage.shop.invoices import Bench, settle_many
from storage.shop.moments import millis
from storage.shop.policy import PaymentSettings, Rates
from storage.shop.rules import rules
from storage.shop.settings import ShopSettings
from storage.shop.transfers import Report, Tip, Transfer
from storage.shop.uris import plain

Deed = Literal["pay", "mine", "wait", "over", "dark", "drop", "reorganise", "sell_out", "rate", "cancel", "pay_wrong"]
_BEGIN: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
_ORDER: Final = "REHEARSAL00000000001"
_PIECES: Final = 5
_PRICE: Final = {"BTC": 50_000, "LTC": 80, "ETH": 2_000, "SOL": 150}
"""Of a coin, where the settings fix none."""


@record
class Step:
    """One thing that happens; `number`: percent, blocks or minutes."""

    deed: Deed
    number: int = 0


@record
class Scenario:
    """An order's story. `case`: its number in the table of cases."""

    case: int
    title: str
    steps: tuple[Step, ...]


@record
class Ending:
    """How it ended."""

    case: int
    title: str
    invoice: str
    order: str
    stock: str
    money: str
    told: str


PAY, MINE, OVER = Step(deed="pay", number=100), Step(deed="mine"), Step(deed="over")
SCENARIOS: Final = (
    Scenario(case=1, title="paid, in no block yet", steps=(PAY,)),
    Scenario(case=2, title="paid and confirmed", steps=(PAY, MINE)),
    Scenario(case=3, title="1 % too little", steps=(Step(deed="pay", number=99), MINE, OVER)),
    Scenario(case=4, title="60 % paid, still in time", steps=(Step(deed="pay", number=60), MINE)),
    Scenario(
        case=5, title="60 %, then the rest", steps=(Step(deed="pay", number=60), Step(deed="pay", number=40), MINE)
    ),
    Scenario(case=6, title="60 % paid, time over", steps=(Step(deed="pay", number=60), MINE, OVER)),
    Scenario(case=7, title="120 % paid", steps=(Step(deed="pay", number=120), MINE)),
    Scenario(case=8, title="paid twice", steps=(PAY, MINE, PAY, MINE)),
    Scenario(case=13, title="late, goods there, same rate", steps=(OVER, PAY, MINE)),
    Scenario(case=14, title="late, goods sold", steps=(OVER, Step(deed="sell_out"), PAY, MINE)),
    Scenario(case=14, title="late, coin 10 % cheaper", steps=(OVER, Step(deed="rate", number=-10), PAY, MINE)),
    Scenario(case=15, title="after the end of watching", steps=(OVER, Step(deed="wait"), PAY, MINE)),
    Scenario(case=17, title="cancelled, then paid", steps=(Step(deed="cancel"), PAY, MINE)),
    Scenario(case=18, title="a wrong coin", steps=(Step(deed="pay_wrong"), MINE)),
    Scenario(case=20, title="paid, then withdrawn", steps=(PAY, Step(deed="drop"))),
    Scenario(case=24, title="gone after delivery", steps=(PAY, MINE, Step(deed="reorganise"))),
    Scenario(case=25, title="time over, node down", steps=(Step(deed="dark"),)),
    Scenario(case=33, title="never paid", steps=(OVER,)),
)


async def rehearse(
    payments: PaymentSettings, shop: ShopSettings, *, asset: str, currency: str, total: Decimal
) -> Sequence[Ending]:
    """Play every scenario with an order of `total`. Raises ValueError for a total that the currency does not know."""
    return [await _Rehearsal(payments, shop, asset, money(total, currency)).play(one) for one in SCENARIOS]


class _Rehearsal:
    """One order, one node, one clock."""

    def __init__(self, payments: PaymentSettings, shop: ShopSettings, asset: str, total: Money) -> None:
        known = rates.fixed(asset, total.asset, payments.rates)
        self._price = known.rate if known is not None else Decimal(_PRICE.get(asset, 100))
        self._payments, self._shop, self._asset, self._total = payments, shop, asset, total
        self._amount = rates.amount(total, asset, self._price)
        self._now, self._height, self._made = _BEGIN, 100, 0
        self._known: list[Transfer] = []
        self._store = MemoryStore()
        self._sent: list[Request] = []

    async def play(self, scenario: Scenario) -> Ending:
        await self._store.open()
        try:
            await self._order()
            for step in scenario.steps:
                await self._do(step)
            return await self._ending(scenario)
        finally:
            await self._store.close()

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[Work]:
        own: list[Request] = []
        async with self._store.transaction() as transaction:
            yield Voiced(transaction, own)
        self._sent.extend(own)

    def _bench(self) -> Bench:
        price = money(self._price.quantize(Decimal("0.01")), self._total.asset)
        payments = replace(self._payments, rates=Rates(fixed={self._asset: price}, sources=[]))
        return Bench(now=self._now, payments=payments, shop=self._shop)

    async def _order(self) -> None:
        now = millis(self._now)
        async with self._work() as work:
            await work.execute(
                "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, "
                "active, origin, digital) VALUES ('A', 'A', '', ?, ?, ?, 0, 0, 1, '', 0)",
                (self._total.minor, self._total.asset, _PIECES),
            )
            await work.execute(
                "INSERT INTO shop_orders (id, number, customer, chat, status, total, currency, pay_with, key, "
                "created_at, reason, tracking, extra, version) VALUES (?, 'R-1', 'test:1', 'test:1', 'created', ?, ?, "
                "'', '', ?, '', '', '{}', 1)",
                (_ORDER, self._total.minor, self._total.asset, now),
            )
            await work.execute(
                "INSERT INTO shop_order_lines (order_id, product_id, sku, name, price, quantity, sold) "
                "VALUES (?, 1, 'A', 'A', ?, 1, 0)",
                (_ORDER, self._total.minor),
            )
            await stock.reserve(work, _ORDER, [stock.Line(product=1, quantity=1)], self._now)
            await books.insert(
                work,
                order=_ORDER,
                customer="test:1",
                chat="test:1",
                address="address",
                path="practice",
                amount=self._amount,
                total=self._total,
                rate=str(self._price),
                now=now,
                expires_at=millis(self._now + self._payments.expires),
                monitor_until=millis(self._now + self._payments.monitor),
                rules=rules(self._payments, amount=self._amount, total=self._total, practice=False),
            )

    async def _do(self, step: Step) -> None:
        match step.deed:
            case "pay" | "pay_wrong":
                self._pay(step)
            case "mine":
                self._mine((await self._invoice()).rules.needed)
            case "over" | "wait" | "dark":
                await self._pass(step.deed)
            case "drop" | "reorganise":
                self._known.clear()
            case "sell_out":
                async with self._work() as work:
                    await work.execute("UPDATE shop_products SET stock = reserved WHERE id = 1")
            case "rate":
                self._price = self._price * (100 + step.number) / 100
            case "cancel":
                await self._cancel()
            case _:
                assert_never(step.deed)
        if step.deed != "dark":
            await self._look()
        await self._judge()

    def _pay(self, step: Step) -> None:
        self._made += 1
        asset = self._asset if step.deed == "pay" else "OTHER"
        amount = -(-self._amount.minor * (step.number or 100) // 100)
        txid = hashlib.sha256(str(self._made).encode()).hexdigest()
        self._known.append(
            Transfer(asset=asset, address="address", txid=txid, position="0", amount=amount, height=None, block=None)
        )

    def _mine(self, blocks: int) -> None:
        at = self._height + 1
        self._height += max(1, blocks)
        self._known = [
            one if one.height is not None else replaced(one, height=at, block=f"b{at}") for one in self._known
        ]

    async def _pass(self, how: Deed) -> None:
        one = await self._invoice()
        until = one.monitor_until if how == "wait" else one.expires_at
        self._now += timedelta(milliseconds=max(0, until - millis(self._now)) + 1000)

    async def _cancel(self) -> None:
        async with self._work() as work:
            await cancelling.cancel(work, _ORDER, who="customer", reason="", at=self._now)
            await settle_many(work, (1,), self._bench())

    async def _look(self) -> None:
        self._now += timedelta(seconds=1)
        tip = Tip(asset=self._asset, height=self._height, block=f"b{self._height}", at=self._now)
        report = Report(asset=self._asset, tip=tip, transfers=tuple(self._known), complete=("address",))
        bench = self._bench()
        async with self._work() as work:
            await facts.observe(work, report, now=self._now, payments=bench.payments, shop=self._shop)

    async def _judge(self) -> None:
        async with self._work() as work:
            await settle_many(work, (1,), self._bench())

    async def _invoice(self) -> Invoice:
        async with self._work() as work:
            (one,) = await books.invoices(work, (1,))
        return one

    async def _ending(self, scenario: Scenario) -> Ending:
        one = await self._invoice()
        async with self._work() as work:
            (product,) = await work.query("SELECT stock, reserved FROM shop_products")
            (order,) = await work.query("SELECT status FROM shop_orders")
            aside = await work.query("SELECT amount, status, reason FROM pay_refunds WHERE amount <> '0' ORDER BY id")
            opened = await work.query("SELECT kind FROM pay_cases ORDER BY id")
        flags = f" ({', '.join(sorted(one.flags))})" if one.flags else ""
        parts = [f"{plain(int(str(row['amount'])), one.asset)} {row['status']} ({row['reason']})" for row in aside]
        parts += [f"the team is asked ({row['kind']})" for row in opened]
        return Ending(
            case=scenario.case,
            title=scenario.title,
            invoice=one.status + flags,
            order=str(order["status"]),
            stock=f"{product['stock']}, {product['reserved']} held",
            money="; ".join(parts) or "-",
            told=", ".join(request.name for request in self._sent if isinstance(request, SendSignal)) or "-",
        )


def table(endings: Sequence[Ending], *, asset: str, total: Money) -> str:
    """The endings as text."""
    rows = [("case", "what happens", "invoice", "order", "stock", f"money ({asset})", "the customer hears")]
    rows += [(str(one.case), one.title, one.invoice, one.order, one.stock, one.money, one.told) for one in endings]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    head = f"An order of {major(total)} {total.asset}, one of {_PIECES} pieces in stock, paid with {asset}:"
    return "\n".join([head, "", lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
