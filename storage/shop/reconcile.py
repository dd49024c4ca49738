"""Whether chain, ledger, invoices, orders, stock and refunds tell the same story. Reads only; mends nothing."""

from collections.abc import Iterator
from typing import Final

from engine.actions import Work
from engine.core.records import record
from storage.shop import balances, books, invoices, stock
from storage.shop.invoices import Scene
from storage.shop.law import OPEN, coins, count, judge
from storage.shop.ledger import marks, portions, whole

_AT_ONCE: Final = 300
_MOST: Final = 1000


@record
class Difference:
    """Something that does not add up. `kind`: chain, ledger, refunds, balance, order, stock or case."""

    kind: str
    text: str


async def differences(work: Work) -> list[Difference]:
    """All differences, at most a thousand; empty in a healthy shop."""
    found = [Difference(kind="stock", text=text) for text in await stock.differences(work)]
    found += await _sold(work)
    found += await _totals(work)
    found += [Difference(kind="balance", text=text) for text in await balances.differences(work)]
    found += await _strays(work)
    last = 0
    while len(found) < _MOST:
        rows = await work.query("SELECT id FROM pay_invoices WHERE id > ? ORDER BY id LIMIT ?", (last, _AT_ONCE))
        if not rows:
            break
        ids = [whole(row, "id") for row in rows]
        last = ids[-1]
        found += await _invoices(work, ids)
    return found[:_MOST]


async def _invoices(work: Work, ids: list[int]) -> list[Difference]:
    scenes = await invoices.scenes(work, ids)
    missing = set(ids) - {scene.invoice.id for scene in scenes}
    found = [Difference(kind="order", text=f"invoice {number} has no order") for number in sorted(missing)]
    found += [difference for scene in scenes for difference in _of(scene)]
    cases = {
        whole(row, "invoice_id")
        for part in portions(ids)
        for row in await work.query(
            "SELECT DISTINCT invoice_id FROM pay_cases WHERE kind = 'wrong_asset' AND invoice_id IN "  # noqa: S608
            f"({marks(part)})",
            part,
        )
    }
    for scene in scenes:
        if "wrong_asset" in scene.invoice.flags and scene.invoice.id not in cases:
            found.append(Difference(kind="case", text=f"{_name(scene)}: a wrong coin came, and there is no case"))
    return found


def _of(scene: Scene) -> Iterator[Difference]:
    """What one invoice's own rows say."""
    one = scene.invoice
    sums = count(scene.entries, asset=one.asset, chain=scene.chain, needed=one.rules.needed, until=one.expires_at)
    if (sums.received, sums.confirmed) != (one.received, one.confirmed):
        yield Difference(
            kind="ledger",
            text=f"{_name(scene)}: {one.received} received and {one.confirmed} confirmed, the ledger says "
            f"{sums.received} and {sums.confirmed}",
        )
    own = [coin for coin in coins(scene.entries) if coin.kind == "included"]
    if any(coin.height is not None and coin.height > scene.chain.height for coin in own):
        yield Difference(kind="chain", text=f"{_name(scene)}: a payment is in a block that the chain does not have yet")
    # the moment of its last change: no clock may have moved anything since
    verdict = judge(books.terms(one, scene.order.status, scene.back), scene.entries, scene.chain, one.created_at)
    if verdict.owed != 0:
        yield Difference(
            kind="refunds", text=f"{_name(scene)}: {verdict.owed} minor units of {one.asset} belong to nobody"
        )
    if (one.total, one.currency) != (scene.order.total.minor, scene.order.total.asset):
        yield Difference(kind="order", text=f"{_name(scene)}: the order's total is not the one of its invoice")
    if one.status not in _FITTING.get(scene.order.status, frozenset()):
        yield Difference(
            kind="order", text=f"{_name(scene)}: the order is {scene.order.status}, the invoice {one.status}"
        )


_FITTING: Final = {
    "created": OPEN,
    "paid": frozenset({"settled"}),
    "shipped": frozenset({"settled"}),
    "cancelled": frozenset({"cancelled", "invalid", "settled", "expired"}),
    "expired": frozenset({"expired", "cancelled"}),
}
"""Which invoices go with an order's status. A paid order may be cancelled by the shop: its invoice stays settled."""


def _name(scene: Scene) -> str:
    return f"order {scene.order.number}"


async def _sold(work: Work) -> list[Difference]:
    """Paid orders whose goods have not left the stock."""
    rows = await work.query(
        "SELECT DISTINCT o.number FROM shop_orders o JOIN shop_order_lines l ON l.order_id = o.id "
        "WHERE o.status IN ('paid', 'shipped') AND l.sold <> l.quantity ORDER BY o.number LIMIT 1000"
    )
    return [Difference(kind="stock", text=f"order {row['number']} is paid, its goods are not taken") for row in rows]


async def _totals(work: Work) -> list[Difference]:
    """Orders that cost something else than their lines together."""
    rows = await work.query(
        "SELECT o.number, o.total, coalesce(sum(l.price * l.quantity), 0) AS worth FROM shop_orders o LEFT JOIN "
        "shop_order_lines l ON l.order_id = o.id GROUP BY o.id, o.number, o.total "
        "HAVING o.total <> coalesce(sum(l.price * l.quantity), 0) ORDER BY o.number LIMIT 1000"
    )
    return [
        Difference(kind="order", text=f"order {row['number']} costs {row['total']}, its lines {row['worth']}")
        for row in rows
    ]


async def _strays(work: Work) -> list[Difference]:
    """Rows that belong to nothing, and paid orders without an invoice."""
    found: list[Difference] = []
    for row in await work.query(
        "SELECT l.id FROM pay_ledger l LEFT JOIN pay_invoices i ON i.id = l.invoice_id "
        "WHERE i.id IS NULL OR i.address <> l.address ORDER BY l.id LIMIT 1000"
    ):
        found.append(Difference(kind="ledger", text=f"row {row['id']} of the ledger belongs to no invoice"))
    for row in await work.query(
        "SELECT r.id FROM pay_refunds r LEFT JOIN pay_invoices i ON i.id = r.invoice_id WHERE i.id IS NULL "
        "ORDER BY r.id LIMIT 1000"
    ):
        found.append(Difference(kind="refunds", text=f"refund {row['id']} belongs to no invoice"))
    for row in await work.query(
        "SELECT o.number FROM shop_orders o LEFT JOIN pay_invoices i ON i.order_id = o.id "
        "WHERE o.status IN ('paid', 'shipped') AND o.total > 0 AND i.id IS NULL AND NOT EXISTS (SELECT 1 FROM "
        "pay_audit a WHERE a.order_id = o.id AND a.what = 'balance.spent') ORDER BY o.number LIMIT 1000"
    ):
        found.append(Difference(kind="order", text=f"order {row['number']} is paid and has no invoice"))
    return found
