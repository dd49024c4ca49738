"""Money beyond an order's value: to be sent back, credited, or kept because it is too little. Rows with unique keys.

How much it is says `law`; nothing here sends coins.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from engine.actions import Money, Work
from engine.core.records import record
from storage.shop import balances
from storage.shop.books import Back, Invoice
from storage.shop.ledger import marks, portions, whole

DUE: Final = "due"
CREDITED: Final = "credited"
REFUNDED: Final = "refunded"
KEPT: Final = "kept"


@record
class Moved:
    """Money that a step has put aside, with what became of it."""

    amount: int
    status: str
    reason: str


@record
class Refund:
    """A row."""

    id: int
    invoice: int
    asset: str
    amount: int
    reason: str
    status: str
    at: int
    note: str


async def backs(work: Work, invoices: Iterable[int]) -> Mapping[int, Back]:
    """The sums of several invoices; one without any rows is left out."""
    found: dict[int, Back] = {}
    for part in portions(sorted(set(invoices))):
        for row in await work.query(
            f"SELECT invoice_id, amount, status FROM pay_refunds WHERE invoice_id IN ({marks(part)})",  # noqa: S608
            part,
        ):
            number = whole(row, "invoice_id")
            found[number] = _with(found.get(number, Back()), str(row["status"]), whole(row, "amount"))
    return found


def _with(back: Back, status: str, amount: int) -> Back:
    return Back(
        owed=back.owed + (amount if status == DUE else 0),
        back=back.back + (amount if status in (CREDITED, REFUNDED) else 0),
        kept=back.kept + (amount if status == KEPT else 0),
        rows=back.rows + 1,
    )


async def add(
    work: Work, invoice: Invoice, amount: int, *, status: str, reason: str, number: int, at: int, worth: int
) -> Moved | None:
    """Put an amount aside, once for each number; None when that was done. `worth`: what would be credited for it."""
    if status == CREDITED and not await credit(work, invoice, worth, at=at):
        status = DUE  # a balance in another currency: people decide
    closed = None if status == DUE else at
    changed = await work.execute(
        "INSERT INTO pay_refunds (invoice_id, asset, amount, reason, status, at, closed_at, note, key) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING",
        (invoice.id, invoice.asset, str(amount), reason, status, at, closed, f"{invoice.id}:{number}"),
    )
    return Moved(amount=amount, status=status, reason=reason) if changed == 1 else None


async def credit(work: Work, invoice: Invoice, worth: int, *, at: int) -> bool:
    """Add `worth` minor units of the order's currency to the customer's balance; False when the balance is in another
    currency."""
    amount = Money(minor=worth, asset=invoice.currency)
    return await balances.credit(work, invoice.customer, invoice.chat, amount, order=invoice.order, at=at)


async def lower(work: Work, invoice: Invoice, amount: int, *, at: int) -> None:
    """Take back promises over `amount`, the newest first: its money was withdrawn, or pays for the order after all."""
    rows = await work.query(
        "SELECT id, amount, status FROM pay_refunds WHERE invoice_id = ? AND status IN ('due', 'kept') "
        "AND amount <> '0' ORDER BY CASE status WHEN 'due' THEN 0 ELSE 1 END, id DESC",
        (invoice.id,),
    )
    for row in rows:
        if amount <= 0:
            break
        has = whole(row, "amount")
        left = max(0, has - amount)
        amount -= has - left
        await work.execute(
            "UPDATE pay_refunds SET amount = ?, status = ?, closed_at = ?, note = 'taken back' WHERE id = ?",
            (str(left), KEPT if left == 0 else str(row["status"]), at if left == 0 else None, row["id"]),
        )


async def due_rows(work: Work, invoice: int) -> tuple[Refund, ...]:
    """What is to be refunded of an invoice still."""
    rows = await work.query(f"{SELECT} WHERE invoice_id = ? AND status = 'due' ORDER BY id", (invoice,))
    return tuple(refund(row) for row in rows)


SELECT: Final = "SELECT id, invoice_id, asset, amount, reason, status, at, note FROM pay_refunds"


def refund(row: Mapping[str, object]) -> Refund:
    """A row of SELECT."""
    return Refund(
        id=whole(row, "id"),
        invoice=whole(row, "invoice_id"),
        asset=str(row["asset"]),
        amount=whole(row, "amount"),
        reason=str(row["reason"]),
        status=str(row["status"]),
        at=whole(row, "at"),
        note=str(row["note"]),
    )


async def close(work: Work, row: Refund, *, status: str, note: str, at: int) -> bool:
    """A refund that was due becomes credited, refunded or kept, once."""
    return (
        await work.execute(
            "UPDATE pay_refunds SET status = ?, closed_at = ?, note = ? WHERE id = ? AND status = 'due'",
            (status, at, note, row.id),
        )
        == 1
    )


async def reopen(work: Work, row: Refund) -> None:
    """Due again: what was to be done with it could not be done."""
    await work.execute(
        "UPDATE pay_refunds SET status = 'due', closed_at = NULL, note = ? WHERE id = ?", (row.note, row.id)
    )
