"""Invoices as rows: made once for an order, read, and written back under their version.

What they mean is decided in `law`, what follows from it is done in `settling`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from engine.actions import Work
from engine.core.records import record
from engine.core.values import Money
from storage.shop.law import OPEN, Terms, Verdict
from storage.shop.ledger import marks, maybe, portions, whole
from storage.shop.rules import Rules, dump, load

_COLUMNS: Final = (
    "id, order_id, customer, chat, asset, address, path, amount, total, currency, rate, created_at, expires_at, "
    "monitor_until, status, flags, received, confirmed, extended, warned, policy, due_at, version"
)


@record
class Invoice:
    """A row. Moments in milliseconds; `amount`, `received`, `confirmed` in minor units of the coin."""

    id: int
    order: str
    customer: str
    chat: str
    asset: str
    address: str
    path: str
    amount: int
    total: int
    """Minor units of `currency`."""
    currency: str
    rate: str
    created_at: int
    expires_at: int
    monitor_until: int
    status: str
    flags: frozenset[str]
    received: int
    confirmed: int
    extended: int
    warned: bool
    rules: Rules
    due_at: int | None
    version: int


@record
class Back:
    """What was promised, paid and kept of an invoice's money beyond the order's value."""

    owed: int = 0
    back: int = 0
    kept: int = 0
    rows: int = 0


def _invoice(row: Mapping[str, object]) -> Invoice:
    return Invoice(
        id=whole(row, "id"),
        order=str(row["order_id"]),
        customer=str(row["customer"]),
        chat=str(row["chat"]),
        asset=str(row["asset"]),
        address=str(row["address"]),
        path=str(row["path"]),
        amount=whole(row, "amount"),
        total=whole(row, "total"),
        currency=str(row["currency"]),
        rate=str(row["rate"]),
        created_at=whole(row, "created_at"),
        expires_at=whole(row, "expires_at"),
        monitor_until=whole(row, "monitor_until"),
        status=str(row["status"]),
        flags=frozenset(filter(None, str(row["flags"]).split(","))),
        received=whole(row, "received"),
        confirmed=whole(row, "confirmed"),
        extended=whole(row, "extended"),
        warned=bool(whole(row, "warned")),
        rules=load(str(row["policy"])),
        due_at=maybe(row, "due_at"),
        version=whole(row, "version"),
    )


async def invoices(work: Work, ids: Iterable[int]) -> tuple[Invoice, ...]:
    """These invoices, by number."""
    found: list[Invoice] = []
    for part in portions(sorted(set(ids))):
        rows = await work.query(
            f"SELECT {_COLUMNS} FROM pay_invoices WHERE id IN ({marks(part)}) ORDER BY id",  # noqa: S608
            part,
        )
        found.extend(_invoice(row) for row in rows)
    return tuple(found)


async def of_order(work: Work, order: str) -> Invoice | None:
    """The invoice of an order."""
    rows = await work.query(f"SELECT {_COLUMNS} FROM pay_invoices WHERE order_id = ?", (order,))  # noqa: S608
    return _invoice(rows[0]) if rows else None


async def due(work: Work, now: int, limit: int = 50) -> tuple[int, ...]:
    """Invoices that must be judged by now, the most overdue first."""
    rows = await work.query("SELECT id FROM pay_invoices WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", (now, limit))
    return tuple(whole(row, "id") for row in rows)


async def next_due(work: Work) -> int | None:
    """When the next invoice must be judged; None when there is none."""
    rows = await work.query("SELECT due_at FROM pay_invoices WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1")
    return maybe(rows[0], "due_at") if rows else None


async def insert(
    work: Work,
    *,
    order: str,
    customer: str,
    chat: str,
    address: str,
    path: str,
    amount: Money,
    total: Money,
    rate: str,
    now: int,
    expires_at: int,
    monitor_until: int,
    rules: Rules,
) -> bool:
    """Make the invoice of an order; False when it has one, or when the address is somebody else's."""
    first = expires_at - rules.warning if rules.warning > 0 else expires_at
    changed = await work.execute(
        "INSERT INTO pay_invoices (order_id, customer, chat, asset, address, path, amount, total, currency, rate, "
        "created_at, expires_at, monitor_until, status, flags, received, confirmed, extended, warned, policy, due_at, "
        "version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'new', '', '0', '0', 0, 0, ?, ?, 1) "
        "ON CONFLICT DO NOTHING",
        (
            order, customer, chat, amount.asset, address, path, str(amount.minor), total.minor, total.asset, rate, now,
            expires_at, monitor_until, dump(rules), first,
        ),
    )  # fmt: skip
    return changed == 1


def terms(invoice: Invoice, order_status: str, back: Back) -> Terms:
    """What the law needs of an invoice."""
    return Terms(
        id=invoice.id,
        asset=invoice.asset,
        due=invoice.amount,
        created_at=invoice.created_at,
        expires_at=invoice.expires_at,
        monitor_until=invoice.monitor_until,
        status=invoice.status,
        flags=invoice.flags,
        extended=invoice.extended,
        warned=invoice.warned,
        order_status=order_status,
        rules=invoice.rules,
        back=back.back,
        owed=back.owed,
        kept=back.kept,
    )


def differs(invoice: Invoice, verdict: Verdict) -> bool:
    """Whether the verdict changes the row or money that is owed; a later moment to look again alone is no change."""
    return verdict.owed != 0 or (
        (verdict.status, verdict.flags, verdict.received, verdict.confirmed, verdict.expires_at)
        != (invoice.status, invoice.flags, invoice.received, invoice.confirmed, invoice.expires_at)
        or (verdict.extended, verdict.warned) != (invoice.extended, invoice.warned)
    )


async def claim(work: Work, invoice: Invoice) -> bool:
    """Take the invoice's next version: of all who have read this one, only the first is let through."""
    return (
        await work.execute(
            "UPDATE pay_invoices SET version = version + 1 WHERE id = ? AND version = ?", (invoice.id, invoice.version)
        )
        == 1
    )


async def write(work: Work, invoice: Invoice, verdict: Verdict) -> None:
    """Write the verdict into the row that was claimed."""
    await work.execute(
        "UPDATE pay_invoices SET status = ?, flags = ?, received = ?, confirmed = ?, expires_at = ?, extended = ?, "
        "warned = ?, due_at = ? WHERE id = ?",
        (
            verdict.status, ",".join(sorted(verdict.flags)), str(verdict.received), str(verdict.confirmed),
            verdict.expires_at, verdict.extended, int(verdict.warned), verdict.due_at, invoice.id,
        ),
    )  # fmt: skip


async def postpone(work: Work, invoice: Invoice, due_at: int | None) -> None:
    """Only look again later: nothing else has changed since this version was read."""
    await work.execute(
        "UPDATE pay_invoices SET due_at = ? WHERE id = ? AND version = ?", (due_at, invoice.id, invoice.version)
    )


async def disputed(work: Work, order: str) -> bool:
    """Whether the payment of a paid order has disappeared from the chain: nothing is delivered until it is back."""
    invoice = await of_order(work, order)
    return invoice is not None and "disputed" in invoice.flags


def held(status: str) -> bool:
    """Whether the order's goods are reserved."""
    return status in OPEN
