"""Reconciliation: nothing to say in a healthy shop, and each kind of damage is found."""

import pytest

from storage.shop import reconcile
from tests.shop.till import Till


async def _busy() -> Till:
    """A shop with an order of every kind: settled and overpaid, partial, late, wrong coin, expired, open."""
    till = Till(stock=20)
    for _ in range(6):
        await till.invoice()
    await till.confirmed(1, 130)
    await till.confirmed(2, 50)
    await till.pay(3, asset="USDT")
    await till.pass_(minutes=50)
    await till.confirmed(4)
    await till.invoice()
    await till.seen(7)
    return till


async def _kinds(till: Till) -> set[str]:
    async with till.work() as work:
        return {one.kind for one in await reconcile.differences(work)}


async def test_a_healthy_shop_has_no_differences() -> None:
    till = await _busy()
    statuses = [row["status"] for row in till.rows("SELECT status FROM pay_invoices ORDER BY id")]
    assert statuses == ["settled", "expired", "expired", "settled", "expired", "expired", "processing"]
    assert await _kinds(till) == set()


DAMAGE = [
    ("UPDATE shop_products SET reserved = reserved + 1", "stock"),
    ("DELETE FROM shop_reservations", "stock"),
    ("UPDATE shop_order_lines SET sold = 0 WHERE order_id = 'ORDER000000000000001'", "stock"),
    ("UPDATE pay_invoices SET received = '1' WHERE id = 1", "ledger"),
    ("UPDATE pay_invoices SET confirmed = '0' WHERE id = 4", "ledger"),
    ("DELETE FROM pay_ledger WHERE invoice_id = 2", "ledger"),
    ("UPDATE pay_ledger SET amount = '7' WHERE invoice_id = 4", "ledger"),
    ("UPDATE pay_ledger SET address = 'elsewhere' WHERE invoice_id = 4", "ledger"),
    ("UPDATE pay_ledger SET invoice_id = 99 WHERE invoice_id = 4", "ledger"),
    ("UPDATE pay_chains SET height = 1", "chain"),
    ("DELETE FROM pay_refunds WHERE invoice_id = 1", "refunds"),
    ("UPDATE pay_refunds SET amount = '1' WHERE invoice_id = 2", "refunds"),
    ("UPDATE pay_refunds SET invoice_id = 99 WHERE invoice_id = 2", "refunds"),
    ("UPDATE shop_orders SET status = 'created' WHERE id = 'ORDER000000000000001'", "order"),
    ("UPDATE shop_orders SET status = 'paid' WHERE id = 'ORDER000000000000002'", "order"),
    ("UPDATE pay_invoices SET status = 'expired' WHERE id = 1", "order"),
    ("DELETE FROM shop_orders WHERE id = 'ORDER000000000000005'", "order"),
    ("DELETE FROM pay_invoices WHERE id = 4", "order"),
    ("UPDATE shop_orders SET total = total + 1 WHERE id = 'ORDER000000000000002'", "order"),
    ("UPDATE shop_order_lines SET price = 1 WHERE order_id = 'ORDER000000000000001'", "order"),
    ("DELETE FROM shop_order_lines WHERE order_id = 'ORDER000000000000001'", "order"),
    ("UPDATE pay_invoices SET total = 1 WHERE id = 4", "order"),
    ("DELETE FROM pay_cases", "case"),
]


@pytest.mark.parametrize(("statement", "kind"), DAMAGE)
async def test_damage_is_found(statement: str, kind: str) -> None:
    till = await _busy()
    till.database.connection.execute(statement)
    assert kind in await _kinds(till)
