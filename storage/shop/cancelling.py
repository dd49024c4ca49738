"""Cancelling an order: by its customer, by the shop, or by the clock where no invoice ever was. It locks, then looks.

The money follows in the caller's transaction: `invoices.settle` judges the invoice of an order that is over.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from engine.actions import Work
from engine.core.records import record
from storage.shop import balances, orders, stock
from storage.shop.moments import millis
from storage.shop.orders import Order

Who = Literal["customer", "shop", "clock"]
PAYING = "paying"
"""Why a customer's cancel comes too late when the order itself is not paid yet: money is on its way."""


@record
class TooLate:
    """Nothing was done."""

    status: str
    """Of the order, or PAYING."""


async def cancel(work: Work, order: str, *, who: Who, reason: str, at: datetime) -> Order | TooLate | None:
    """End an order; as it is now, or why not; None when there is no such order.

    A customer may while it is `created` and no money was seen; the shop until it is shipped: what was paid for comes
    back into the stock. The clock ends only what is over its time and has no invoice.
    """
    await stock.lock(work, order)  # whoever judges its invoice locks these too: from here on nothing moves
    await work.execute("UPDATE shop_orders SET version = version WHERE id = ?", (order,))  # its invoice is being made
    found = await orders.order(work, order)
    if found is None:
        return None
    no = await _too_late(work, found, who, at)
    if no is not None:
        return TooLate(status=no)
    await stock.release(work, order)
    if found.status == "paid":
        await stock.restock(work, order)
        await balances.give_back(work, found, at)
    to: orders.Status = "expired" if who == "clock" else "cancelled"
    if who == "shop":
        moved = await orders.change(work, found, to, at, {"reason": reason})
    else:
        moved = await orders.move(work, found, to=to, at=at, reason=reason)
    if not moved:
        raise RuntimeError("the order was changed by somebody who had not locked its products")
    return await orders.order(work, order)


async def _too_late(work: Work, order: Order, who: Who, at: datetime) -> str | None:
    allowed = {"customer": ("created",), "shop": ("created", "paid"), "clock": ("created",)}
    if order.status not in allowed[who]:
        return order.status
    invoice = await work.query("SELECT status, received FROM pay_invoices WHERE order_id = ?", (order.id,))
    match who:
        case "customer" if invoice and (invoice[0]["status"] != "new" or str(invoice[0]["received"]) != "0"):
            return PAYING
        case "clock" if invoice or order.expires_at is None or order.expires_at > at:
            return order.status
        case _:
            return None


async def overdue(work: Work, at: datetime, limit: int = 100) -> Sequence[str]:
    """Orders that are over their time and never got an invoice."""
    rows = await work.query(
        "SELECT o.id FROM shop_orders o LEFT JOIN pay_invoices i ON i.order_id = o.id WHERE o.status = 'created' "
        "AND o.expires_at IS NOT NULL AND o.expires_at <= ? AND i.id IS NULL ORDER BY o.created_at LIMIT ?",
        (millis(at), limit),
    )
    return [str(row["id"]) for row in rows]


async def audit(work: Work, *, who: str, what: str, order: str, reason: str, at: datetime) -> None:
    """Write down what somebody of the team has done by hand."""
    await work.execute(
        "INSERT INTO pay_audit (at, who, what, order_id, reason) VALUES (?, ?, ?, ?, ?)",
        (millis(at), who, what, order[:20], reason),
    )
