"""What the shop keeps for a customer: credited, spent on an order, given back, paid out. Statements over a transaction.

Every movement is a row of pay_audit, so that the rows of a customer together are their balance; `reconcile` checks it.
A balance has one currency, until it is empty.
"""

from datetime import datetime
from typing import Final

from engine.actions import Money, Work
from engine.core.records import record
from storage.shop import orders, stock
from storage.shop.ledger import whole
from storage.shop.moments import millis
from storage.shop.orders import Order

PAY_WITH: Final = "credit"
"""What an order says that was paid for with the balance."""
_SUM: Final = "coalesce(sum(CAST(reason AS BIGINT)), 0) AS moved FROM pay_audit WHERE what LIKE 'balance.%'"


@record
class TooLittle:
    """The balance does not cover the order; nothing was done."""

    credit: Money


@record
class _Reason:
    """Why a balance moves."""

    what: str
    order: str
    at: int


async def credit(work: Work, customer: str, chat: str, amount: Money, *, order: str, at: int) -> bool:
    """Add to a customer's balance; False when it is in another currency. `at`: milliseconds."""
    return await _add(work, customer, chat, amount, _Reason(what="balance.credited", order=order, at=at))


async def _add(work: Work, customer: str, chat: str, amount: Money, why: _Reason) -> bool:
    await work.execute(
        "INSERT INTO shop_customers (customer, chat, name, language, strikes, last_strike_at, blocked, wallet, "
        "currency, cart_version) VALUES (?, ?, '', '', 0, NULL, 0, 0, ?, 0) ON CONFLICT DO NOTHING",
        (customer, chat, amount.asset),
    )
    changed = await work.execute(
        "UPDATE shop_customers SET wallet = wallet + ?, currency = ? "
        "WHERE customer = ? AND (wallet = 0 OR currency = ?)",
        (amount.minor, amount.asset, customer, amount.asset),
    )
    if changed == 1:
        await _moved(work, customer, amount.minor, why)
    return changed == 1


async def spend(work: Work, order: str, customer: str, at: datetime) -> Order | TooLittle | None:
    """Pay for an order with its customer's balance, once: the order as it is paid; None when it is not to be paid for.

    Its goods are sold. The order must be theirs, wait for payment and have no invoice. Done before: the same answer,
    and nothing is changed. The caller tells of it when the order's version has moved.
    """
    await stock.lock(work, order)
    await work.execute("UPDATE shop_orders SET version = version WHERE id = ?", (order,))  # its invoice is being made
    found = await orders.order(work, order)
    if found is None or found.customer != customer or found.status != "created" or found.total.minor <= 0:
        return None
    if await work.query("SELECT id FROM pay_invoices WHERE order_id = ?", (order,)):
        return None
    if found.expires_at is not None and found.expires_at <= at:
        return None
    total = found.total
    changed = await work.execute(
        "UPDATE shop_customers SET wallet = wallet - ? WHERE customer = ? AND currency = ? AND wallet >= ?",
        (total.minor, customer, total.asset, total.minor),
    )
    if changed != 1:
        return TooLittle(credit=await balance(work, customer) or Money(minor=0, asset=total.asset))
    await _moved(work, customer, -total.minor, _Reason(what="balance.spent", order=order, at=millis(at)))
    if not await stock.sell(work, order) or not await orders.move(work, found, to="paid", at=at, pay_with=PAY_WITH):
        raise RuntimeError("the order was changed by somebody who had not locked its products")
    return await orders.order(work, order)


async def paid_with_it(work: Work, order: Order) -> bool:
    """Whether an order was paid for with the balance, and the sum was not given back."""
    rows = await work.query(f"SELECT {_SUM} AND order_id = ? AND who = ?", (order.id, order.customer))
    invoiced = await work.query("SELECT id FROM pay_invoices WHERE order_id = ?", (order.id,))
    return not invoiced and whole(rows[0], "moved") < 0


async def give_back(work: Work, order: Order, at: datetime) -> None:
    """What an order took from the balance comes back, once. Its products and the order are locked by the caller.

    Where the balance is in another currency by now, the team gets a case."""
    if not await paid_with_it(work, order):
        return
    why, total = _Reason(what="balance.returned", order=order.id, at=millis(at)), order.total
    if await _add(work, order.customer, order.chat, total, why):
        return
    await _moved(work, order.customer, total.minor, why)
    await _moved(work, order.customer, -total.minor, _Reason(what="balance.elsewhere", order="", at=millis(at)))
    await work.execute(
        "INSERT INTO pay_cases (order_id, invoice_id, kind, text, status, at, closed_at, answer, key) "
        "VALUES (?, NULL, 'balance', ?, 'open', ?, NULL, '', ?) ON CONFLICT DO NOTHING",
        (
            order.id,
            f"{order.total.minor} minor units of {order.total.asset} were paid with the customer's credit, which is in "
            "another currency now. Please send them back by hand.",
            millis(at),
            f"{order.id}:balance",
        ),
    )


async def pay_out(work: Work, customer: str, at: datetime) -> Money | None:
    """The whole balance was given to the customer in another way: it is empty now; None when it was."""
    has = await balance(work, customer)
    if has is None:
        return None
    changed = await work.execute(
        "UPDATE shop_customers SET wallet = 0 WHERE customer = ? AND wallet = ? AND currency = ?",
        (customer, has.minor, has.asset),
    )
    if changed != 1:
        return None  # it has moved meanwhile: whoever looks again sees how much it is
    await _moved(work, customer, -has.minor, _Reason(what="balance.paid_out", order="", at=millis(at)))
    return has


async def balance(work: Work, customer: str) -> Money | None:
    """What is kept for a customer; None for nothing."""
    rows = await work.query("SELECT wallet, currency FROM shop_customers WHERE customer = ?", (customer,))
    if not rows or whole(rows[0], "wallet") == 0:
        return None
    return Money(minor=whole(rows[0], "wallet"), asset=str(rows[0]["currency"]) or "EUR")


async def differences(work: Work) -> list[str]:
    """Customers whose balance is not what was moved, and orders that took something else than their total."""
    people = await work.query(
        "SELECT c.customer, c.wallet, coalesce(m.moved, 0) AS moved FROM shop_customers c LEFT JOIN "  # noqa: S608
        f"(SELECT who, {_SUM} GROUP BY who) m ON m.who = c.customer WHERE c.wallet <> coalesce(m.moved, 0) "
        "ORDER BY c.customer LIMIT 1000"
    )
    sold = await work.query(
        "SELECT o.number, o.status, o.total, m.moved FROM shop_orders o JOIN "  # noqa: S608
        f"(SELECT order_id, {_SUM} AND order_id <> '' GROUP BY order_id) m ON m.order_id = o.id "
        "LEFT JOIN pay_invoices i ON i.order_id = o.id WHERE i.id IS NULL AND m.moved <> "
        "CASE WHEN o.status IN ('paid', 'shipped') THEN -o.total ELSE 0 END ORDER BY o.number LIMIT 1000"
    )
    return [
        *(f"the credit of {row['customer']} is {row['wallet']}, its movements say {row['moved']}" for row in people),
        *(f"order {row['number']} ({row['status']}): {row['moved']} of a credit were moved" for row in sold),
    ]


async def _moved(work: Work, customer: str, amount: int, why: _Reason) -> None:
    await work.execute(
        "INSERT INTO pay_audit (at, who, what, order_id, reason) VALUES (?, ?, ?, ?, ?)",
        (why.at, customer, why.what, why.order, str(amount)),
    )
