"""The actions of payments on PostgreSQL: every statement of theirs is one that it knows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from engine.actions import Money, Page, Voiced, WebhookContext
from engine.actions.testing import MOMENT, Configured, context
from plugins.payments.credit import pay_out, pay_with_credit
from plugins.payments.incoming import order_payment
from plugins.payments.practice import practice_confirm, practice_orders, practice_pay, practice_withdraw
from plugins.payments.records import (
    Chosen,
    Clean,
    Found,
    Invoiced,
    Known,
    PaidOut,
    Quoted,
    Recorded,
    Refunded,
    Resolved,
    TooLittle,
)
from plugins.payments.selling import choose, create_invoice, invoice, quote
from plugins.payments.team import (
    differences,
    open_cases,
    open_refunds,
    reconcile_all,
    refunded,
    resolve,
)
from storage.shop import balances, books, cancelling, rates, stock
from storage.shop.invoices import Bench, settle_many
from storage.shop.moments import millis
from storage.shop.policy import LateRule, PaymentSettings
from storage.shop.rates import Rate
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.shop.test_cases_racing import Line
from tests.shop.till import settings

CHAT = "test:1"
PAYMENTS = settings(late=[LateRule(do="ask")])
CONFIGURED: dict[type[Any], object] = {
    PaymentSettings: PAYMENTS,
    ShopSettings: ShopSettings(),
    ChainSettings: ChainSettings(BTC=ChainSetting(via="practice")),
}


class Database(Line):
    """One connection, as tests of plugins want it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        super().__init__(connection)
        self._own = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Database"]:
        async with self._own.transaction():
            yield self


async def _order(database: Database, number: int) -> str:
    order = f"ORDER{number:015d}"
    await database.execute(
        "INSERT INTO shop_orders (id, number, customer, chat, status, total, currency, pay_with, key, created_at, "
        "reason, tracking, extra, version) VALUES (?, ?, ?, ?, 'created', 1000, 'EUR', '', ?, ?, '', '', '{}', 1)",
        (order, f"S-{number}", CHAT, CHAT, order, millis(MOMENT)),
    )
    await database.execute(
        "INSERT INTO shop_order_lines (order_id, product_id, sku, name, price, quantity, sold) "
        "SELECT ?, id, 'A', 'x', 1000, 1, 0 FROM shop_products",
        (order,),
    )
    rows = await database.query("SELECT id FROM shop_products")
    await stock.reserve(Voiced(database, []), order, [stock.Line(product=int(str(rows[0]["id"])), quantity=1)], MOMENT)
    return order


async def test_a_shop_on_postgresql(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    database = Database(connection)

    def asked(minutes: int = 0, **fields: Any) -> Any:
        return context(
            database=database,  # type: ignore[arg-type]
            transactional=True,
            chat=CHAT,
            customer={"id": "1", "roles": ("admin",)},
            now=MOMENT + timedelta(minutes=minutes),
            configured=CONFIGURED,
            **fields,
        )

    await database.execute(
        "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, active, "
        "origin, digital) VALUES ('A', 'x', '', 1000, 'EUR', 9, 0, 0, 1, 'test', 0)"
    )
    found: list[str] = []
    for number in range(4):
        order = await _order(database, number)
        quoted = await quote(asked(idempotency_key=order), total=Money(minor=1000, asset="EUR"), currency="BTC")
        assert isinstance(quoted, Quoted)
        assert isinstance(await create_invoice(asked(), order=order, quote=quoted.id), Invoiced)
        found.append(order)
    over, partial, late, told = found
    await practice_pay(asked(1), order=over, percent=150)
    await practice_confirm(asked(1), order=over)
    assert isinstance(await invoice(asked(1), order=over), Found)
    (row,) = (await open_refunds(asked(1), page=Page())).items
    assert isinstance(await refunded(asked(1), refund=row.id, note="tx"), Refunded)
    await practice_pay(asked(1), order=partial, percent=50)
    await practice_withdraw(asked(1), order=partial)
    await practice_pay(asked(1), order=partial, percent=50)
    await practice_confirm(asked(1), order=partial)
    work = Voiced(database, [])
    webhook = WebhookContext(work=work, delivery="d", now=MOMENT, configured=Configured(values=CONFIGURED), settings={})
    payment = {"order": told, "asset": "BTC", "amount": "0.0002", "txid": "f" * 64, "confirmations": 2}
    assert isinstance(await order_payment(webhook, **payment), Recorded)
    assert isinstance(await order_payment(webhook, **payment), Known)
    bench = Bench(now=MOMENT + timedelta(hours=1), payments=PAYMENTS, shop=ShopSettings())
    due = await books.due(work, bench.stamp)
    await settle_many(work, due, bench)
    assert isinstance(await choose(asked(60), order=partial, choice="credit"), Chosen)
    await practice_pay(asked(60), order=late)
    await practice_confirm(asked(60), order=late)
    (case,) = (await open_cases(asked(60), page=Page(search="S-"))).items
    assert isinstance(await resolve(asked(60), case=case.id, choice="accept", reason="x"), Resolved)
    await rates.keep(work, [Rate(asset="BTC", currency="EUR", rate=bench.payments.rates.spread, source="a", at=MOMENT)])
    assert len(await rates.known(work, "BTC", "EUR")) == 1
    assert len(await practice_orders(asked(60))) == 4
    assert await differences(asked(60)) == []
    assert await reconcile_all(asked(60)) == Clean()
    rows = await database.query("SELECT status FROM pay_invoices ORDER BY id")
    assert [row["status"] for row in rows] == ["settled", "expired", "settled", "settled"]
    (customer,) = await database.query("SELECT wallet FROM shop_customers")
    assert customer["wallet"] == 500
    await _credit_is_spent(database, asked)
    await connection.close()


async def _credit_is_spent(database: Database, asked: Any) -> None:
    work = Voiced(database, [])
    order = await _order(database, 9)
    assert await pay_with_credit(asked(60), order=order) == TooLittle(credit=Money(minor=500, asset="EUR"))
    assert await balances.credit(work, CHAT, CHAT, Money(minor=600, asset="EUR"), order="", at=millis(MOMENT))
    assert await pay_with_credit(asked(60), order=order) == await pay_with_credit(asked(60), order=order)
    assert await balances.balance(work, CHAT) == Money(minor=100, asset="EUR")
    assert await reconcile_all(asked(60)) == Clean()
    for _ in range(2):
        await cancelling.cancel(work, order, who="shop", reason="x", at=MOMENT + timedelta(hours=1))
    assert await reconcile_all(asked(60)) == Clean()
    assert await pay_out(asked(60), customer=CHAT, note="x") == PaidOut(amount=Money(minor=1100, asset="EUR"))
    assert await reconcile_all(asked(60)) == Clean()
