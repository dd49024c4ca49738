"""Ending many unpaid invoices at once: their time is over, nothing ever came. A few statements for all of them.

Only the plainest end is known here; everything else goes the long way, one by one, in `invoices`. Both must do alike.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from engine.actions import Work
from engine.core.records import record, replaced
from storage.shop import returns, stock, telling
from storage.shop.books import Back, Invoice
from storage.shop.law import Entry, Verdict
from storage.shop.ledger import marks, portions, whole
from storage.shop.orders import Order
from storage.shop.settings import ShopSettings

FEWEST: Final = 2
"""For fewer the long way is as short."""


@record
class Ending:
    """An invoice whose goods and order are locked, as it was read since, and what it is to be."""

    invoice: Invoice
    order: Order
    verdict: Verdict


def is_plain(invoice: Invoice, order: Order, entries: Sequence[Entry], back: Back, verdict: Verdict) -> bool:
    """Whether nothing happens but the end: no money, no decision, no flag, no delay."""
    return (
        (invoice.status, verdict.status, order.status) == ("new", "expired", "created")
        and not entries
        and back == Back()
        and not (invoice.flags or verdict.flags or verdict.owed or verdict.overdrawn or verdict.late)
        and (verdict.received, verdict.confirmed, verdict.expires_at, verdict.extended, verdict.warned)
        == (invoice.received, invoice.confirmed, invoice.expires_at, invoice.extended, invoice.warned)
    )


def one_each(plain: Iterable[Ending]) -> list[Ending]:
    """One per customer: the goods of two orders of the same one go back into the same cart, one after the other."""
    return list({ending.order.customer: ending for ending in plain}.values())


async def end(work: Work, endings: Sequence[Ending], shop: ShopSettings, *, stamp: int) -> set[int]:
    """End them; the invoices that were ours to end. `stamp`: now, in milliseconds."""
    done: set[int] = set()
    for version in sorted({ending.invoice.version for ending in endings}):
        same = [ending.invoice.id for ending in endings if ending.invoice.version == version]
        done |= await _claim(work, same, version, stamp)
    mine = sorted((one for one in endings if one.invoice.id in done), key=lambda one: one.invoice.id)
    if mine:
        await stock.release_all(work, [one.order.id for one in mine])
        await _strike(work, mine, stamp)
        await _close(work, mine, stamp)
        await returns.all_into_carts(work, [(one.order.id, one.order.customer) for one in mine], stamp)
    for one in mine:
        order = replaced(one.order, status="expired")
        await telling.changes(work, shop, order, one.invoice, one.verdict, deed=None, moved=None, taken=False)
    return done


async def _claim(work: Work, ids: Sequence[int], version: int, stamp: int) -> set[int]:
    """Take the next version of all that still have this one, and write the end into it."""
    found: set[int] = set()
    for part in portions(ids):
        rows = await work.query(
            "UPDATE pay_invoices SET status = 'expired', version = version + 1, "  # noqa: S608 - marks only
            "due_at = CASE WHEN monitor_until > ? THEN monitor_until END "
            f"WHERE version = ? AND id IN ({marks(part)}) RETURNING id",
            (stamp, version, *part),
        )
        found |= {whole(row, "id") for row in rows}
    return found


async def _strike(work: Work, endings: Sequence[Ending], stamp: int) -> None:
    """Goods held for nothing count against each customer."""
    for part in portions(sorted(one.invoice.customer for one in endings)):
        await work.execute(
            "UPDATE shop_customers SET strikes = strikes + 1, last_strike_at = ? "  # noqa: S608 - marks only
            f"WHERE customer IN ({marks(part)})",
            (stamp, *part),
        )


async def _close(work: Work, endings: Sequence[Ending], stamp: int) -> None:
    """The orders are locked and were read since: they are as they were."""
    for part in portions(sorted(one.order.id for one in endings)):
        changed = await work.execute(
            "UPDATE shop_orders SET status = 'expired', version = version + 1, closed_at = ? "  # noqa: S608
            f"WHERE status = 'created' AND id IN ({marks(part)})",
            (stamp, *part),
        )
        if changed != len(part):
            raise RuntimeError("an order was changed by somebody who had not locked its products")
