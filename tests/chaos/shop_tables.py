"""How the shop's tables stand at the end, without what is random in them: order numbers, ids, addresses, moments."""

from collections.abc import Sequence
from typing import Any

from engine.runtime.ports import Store
from storage.shop.reconcile import differences

ENGINE = ("outbox", "timers", "pending_calls", "signals", "inbox", "chats", "seen_updates", "visits")
"""How many rows they have."""
ASKED = {
    "products": "SELECT sku, stock, reserved FROM shop_products",
    "held": "SELECT o.customer, p.sku, sum(r.quantity) AS n FROM shop_reservations r JOIN shop_orders o"
    " ON o.id = r.order_id JOIN shop_products p ON p.id = r.product_id GROUP BY o.customer, p.sku",
    "orders": "SELECT customer, status, total, currency, pay_with, reason, tracking FROM shop_orders",
    "lines": "SELECT o.customer, l.sku, l.price, l.quantity, l.sold FROM shop_order_lines l JOIN shop_orders o"
    " ON o.id = l.order_id",
    "codes": "SELECT o.customer, p.sku, count(*) AS n FROM shop_goods g JOIN shop_orders o"
    " ON o.id = g.order_id JOIN shop_products p ON p.id = g.product_id GROUP BY o.customer, p.sku",
    "free codes": "SELECT p.sku, count(*) AS n FROM shop_goods g JOIN shop_products p ON p.id = g.product_id"
    " WHERE g.order_id IS NULL GROUP BY p.sku",
    "customers": "SELECT customer, strikes, blocked, wallet, currency FROM shop_customers",
    "carts": "SELECT l.customer, p.sku, l.quantity FROM shop_cart_lines l JOIN shop_products p ON p.id = l.product_id",
    "invoices": "SELECT customer, asset, amount, total, rate, status, flags, received, confirmed, extended, warned"
    " FROM pay_invoices",
    "ledger": "SELECT i.customer, l.asset, l.txid, l.kind, l.amount, l.height, l.source FROM pay_ledger l"
    " JOIN pay_invoices i ON i.id = l.invoice_id",
    "refunds": "SELECT i.customer, r.asset, r.amount, r.reason, r.status FROM pay_refunds r"
    " JOIN pay_invoices i ON i.id = r.invoice_id",
    "cases": "SELECT i.customer, c.kind, c.status FROM pay_cases c JOIN pay_invoices i ON i.id = c.invoice_id",
    "audit": "SELECT who, what, reason FROM pay_audit",
    "chains": "SELECT asset, height FROM pay_chains",
    "conversations": "SELECT chat, flow, status, count(*) AS n FROM conversations GROUP BY chat, flow, status",
    "journal": "SELECT count(*) AS n FROM journal WHERE kind = 'incoming'",
}


async def shop_stands(store: Store) -> dict[str, Any]:
    """How the database stands."""

    async def rows(sql: str) -> Sequence[Any]:
        async with store.transaction() as transaction:
            return [[_plain(value) for value in row.values()] for row in await transaction.query(sql)]

    found: dict[str, Any] = {table: (await rows(f"SELECT count(*) AS n FROM {table}"))[0][0] for table in ENGINE}
    for name, sql in ASKED.items():
        found[name] = sorted(await rows(sql), key=str)
    async with store.transaction() as transaction:
        found["differences"] = [difference.text for difference in await differences(transaction)]  # type: ignore[arg-type]
    return found


def _plain(value: Any) -> Any:
    """As JSON keeps it, on both databases alike."""
    return value if value is None or isinstance(value, str | int) else int(value)


async def unjudged(store: Store, now: int) -> list[str]:
    """What services have still to do: the catalog, invoices and orders whose moment has come."""
    async with store.transaction() as transaction:
        late = await transaction.query("SELECT id FROM pay_invoices WHERE due_at <= ?", (now,))
        forgotten = await transaction.query(
            "SELECT o.number FROM shop_orders o LEFT JOIN pay_invoices i ON i.order_id = o.id"
            " WHERE o.status = 'created' AND o.expires_at <= ? AND i.id IS NULL",
            (now,),
        )
        stocked = await transaction.query("SELECT id FROM shop_products")
    if not stocked:  # the database failed, and the service begins again in a moment
        return ["the catalog is empty"]
    return ["an invoice is due"] * len(late) + ["an order is over"] * len(forgotten)


async def looked(store: Store) -> str:
    """How far the watcher of the chain has come."""
    async with store.transaction() as transaction:
        rows = await transaction.query("SELECT cursor FROM pay_chains WHERE asset = 'BTC'")
    return str(rows[0]["cursor"]) if rows else ""
