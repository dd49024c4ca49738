"""The shop that is measured: the real runtime with the plugins' own services, a store full of open invoices, and a
note of when each invoice's end was committed. Measures nothing itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from engine.actions import Money
from engine.actions.discovery import discover
from engine.app import App, build
from engine.runtime.ports import Chat, Commit, Envelope, Store, Transaction
from engine.runtime.routing import Command
from engine.settings import Settings
from storage.shop.moments import millis
from storage.shop.policy import PaymentSettings
from storage.shop.rules import dump, rules
from tests.benchmarks.work import Arrivals

PRODUCTS: Final = 5
ADMIN: Final = "bench:1"
_AT_ONCE: Final = 100
"""Rows of one statement while a store is filled."""
_FLOWS: Final = Path(__file__).resolve().parents[2] / "flows"
_BOT: Final = """
bot: Measured shop
languages: [en]
currency: EUR
time_zone: Europe/Berlin
roles:
  admin: env:ADMIN_IDS
settings: {contact: shop@example.com}
plugins:
  payments:
    rates:
      fixed: {BTC: 60000.00 EUR}
  chains:
    BTC: {via: practice}
"""
_CHECKOUT: Final = """
flow: checkout
title: Checkout
entry: {commands: [checkout]}
key: chat.id
steps:
  pay:
    text: Please pay.
    keyboard: [[{text: Cancel, trigger: cancel}]]
    wait:
      payment.seen: pay
      payment.partial: pay
      payment.settled: done
      payment.expired: done
    transitions: {cancel: done}
  done:
    text: That is that.
    end: completed
"""
_INVOICE: Final = (
    "order_id, customer, chat, asset, address, path, amount, total, currency, rate, created_at, expires_at, "
    "monitor_until, status, flags, received, confirmed, extended, warned, policy, due_at, version"
)
Row = tuple[object, ...]


def flows_of(place: Path) -> Path:
    """The shipped news, and a checkout that only waits, whose key is its chat."""
    folder = place / "flows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bot.yaml").write_text(_BOT, encoding="utf-8")
    (folder / "checkout.yaml").write_text(_CHECKOUT, encoding="utf-8")
    for name in ("order_news.yaml", "team_news.yaml"):
        (folder / name).write_text((_FLOWS / name).read_text(encoding="utf-8"), encoding="utf-8")
    return folder


class Noted:
    """A transaction that counts its statements and notes which invoices it ends."""

    def __init__(self, inner: Transaction, notes: "Notes") -> None:
        self._inner = inner
        self._notes = notes
        self.ended: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """As the transaction does."""
        self._notes.statements += 1
        if sql.startswith("UPDATE pay_invoices SET status = ?") and parameters[0] == "expired":
            self.ended.append(int(str(parameters[-1])))
        return await self._inner.execute(sql, parameters)

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        """As the transaction does."""
        self._notes.statements += 1
        rows = await self._inner.query(sql, parameters)
        if sql.startswith("UPDATE pay_invoices SET status = 'expired'"):
            self.ended += [int(str(row["id"])) for row in rows]
        return rows


class Notes:
    """Looks on at a store: how many statements, and at which moment each invoice's end was committed."""

    def __init__(self, store: Any) -> None:
        self._open: Callable[[], AbstractAsyncContextManager[Transaction]] = store.transaction
        self.statements = 0
        self.transactions = 0
        self.ended: dict[int, float] = {}
        """Invoice → seconds since 1970."""
        store.transaction = self._noted

    @asynccontextmanager
    async def _noted(self) -> AsyncIterator[Noted]:
        self.transactions += 1
        async with self._open() as inner:
            noted = Noted(inner, self)
            yield noted
        now = time.time()
        self.ended.update((invoice, now) for invoice in noted.ended)


@dataclass(slots=True, kw_only=True)
class Bot:
    """A running shop."""

    app: App
    store: Store
    notes: Notes
    channel: Arrivals
    due: dict[int, float] = field(default_factory=dict)
    """Invoice → when its time is over, seconds since 1970."""

    async def talking(self, count: int) -> None:
        """So many customers wait in their checkout."""
        left = iter(range(count))

        async def customer() -> None:
            for number in left:
                chat = chat_of(number)
                what = Command(name="checkout")
                await self.app.handle(Envelope(chat=chat, update=f"{chat}.go", what=what, name="Anna"))

        await asyncio.gather(*(customer() for _ in range(64)))

    async def until(self, reached: Callable[[], bool], patience: float) -> None:
        """Return when it is so. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while not reached():
                await asyncio.sleep(0.02)


def chat_of(number: int) -> str:
    """The chat of one customer, and the id of their order."""
    return f"bench:c{number}"


@asynccontextmanager
async def running(
    place: Path, store: Store, *, services: bool = True, first: Callable[[Bot], Any] | None = None
) -> AsyncIterator[Bot]:
    """The bot at work. `first`: done with the open store before the services begin."""
    notes = Notes(store)
    channel = Arrivals()
    app = build(
        Settings(flows=flows_of(place), files=place / "files"),
        channel=channel,
        store=store,
        catalog=discover(entry_points=False),
        environment={"ADMIN_IDS": "1"},
        services=services,
    )
    bot = Bot(app=app, store=store, notes=notes, channel=channel)
    await app.open()
    await store.commit([Commit(chat=Chat(id=ADMIN, front=None, revision=1), new_chat=True, at=datetime.now(UTC))])
    if first is not None:
        await first(bot)
    await app.start()
    try:
        yield bot
    finally:
        await app.stop()


# --- what is in the store -------------------------------------------------------------------------------------


async def fill(bot: Bot, count: int, *, begin: float, spread: float, asset: str = "BTC", practice: bool = True) -> None:
    """So many orders with open invoices, each of its own customer; their time is over from `begin` seconds from now on,
    evenly over `spread` seconds."""
    now = datetime.now(UTC)
    stamp = millis(now)
    payments = PaymentSettings(warning=timedelta(0))
    amount, total = Money(minor=20_000, asset=asset), Money(minor=1_000, asset="EUR")
    policy = dump(rules(payments, amount=amount, total=total, practice=practice))
    far = millis(now + timedelta(days=1))

    def end(number: int) -> int:
        return stamp + int((begin + spread * number / max(1, count)) * 1000)

    async with bot.app.runtime.beside.works.begin() as work:
        await _add(work, "shop_products", _products(count))
        await _add(work, "shop_customers", map(_customer, range(count)))
        await _add(work, "shop_orders", (_order(n, asset, stamp, end(n)) for n in range(count)))
        names = "order_id, product_id, sku, name, price, quantity, sold"
        lines = ((chat_of(n), n % PRODUCTS + 1, "A", "Apple", 1_000, 1, 0) for n in range(count))
        await _add(work, f"shop_order_lines ({names})", lines)
        names = "order_id, product_id, quantity"
        await _add(work, f"shop_reservations ({names})", ((chat_of(n), n % PRODUCTS + 1, 1) for n in range(count)))
        path = "practice" if practice else "m/0"
        invoices: Iterable[Row] = (
            (chat_of(n), chat_of(n), chat_of(n), asset, f"address{n}", path, "20000", 1_000, "EUR", "50000", stamp,
             end(n), far, "new", "", "0", "0", 0, 1, policy, end(n), 1)
            for n in range(count)
        )  # fmt: skip
        await _add(work, f"pay_invoices ({_INVOICE})", invoices)
        for row in await work.query("SELECT id, expires_at FROM pay_invoices"):
            bot.due[int(str(row["id"]))] = int(str(row["expires_at"])) / 1000


def _customer(number: int) -> Row:
    return (chat_of(number), chat_of(number), "Anna", "en", 0, None, 0, 0, "", 0)


def _order(number: int, asset: str, made: int, end: int) -> Row:
    chat = chat_of(number)
    money, over = (1_000, "EUR", asset), (None, None, None)
    return (chat, f"S-{number}", chat, chat, "created", *money, chat, made, end, *over, "", "", "{}", 1)


def _products(orders: int) -> list[Row]:
    stock = orders + 1_000_000
    held = [sum(1 for n in range(orders) if n % PRODUCTS == product) for product in range(PRODUCTS)]
    return [
        (n + 1, f"P{n}", None, f"Product {n}", "", 1_000, "EUR", stock, held[n], None, None, n, 1, "bench", 0)
        for n in range(PRODUCTS)
    ]


async def _add(work: Any, table: str, rows: Iterable[Row]) -> None:
    every = list(rows)
    for start in range(0, len(every), _AT_ONCE):
        part = every[start : start + _AT_ONCE]
        marks = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
        await work.execute(f"INSERT INTO {table} VALUES {marks}", [value for row in part for value in row])
