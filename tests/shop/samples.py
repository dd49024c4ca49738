"""A row for every table of the shop. Only builders, no tests."""

ROWS: dict[str, dict[str, object]] = {
    "shop_categories": {"name": "Tea", "position": 1, "hidden": 0, "path": "Tea"},
    "shop_products": {
        "sku": "tea-1", "category_id": 1, "name": "Green tea", "description": "", "price": 450, "currency": "EUR",
        "stock": 10, "reserved": 2, "position": 1, "active": 1, "origin": "",
    },
    "shop_goods": {"product_id": 1, "content": "CODE-1", "digest": "d"},
    "shop_customers": {
        "customer": "test:1", "chat": "test:1", "name": "Anna", "language": "en", "strikes": 0, "blocked": 0,
        "wallet": 0, "currency": "EUR", "cart_version": 1,
    },
    "shop_cart_lines": {"customer": "test:1", "product_id": 1, "quantity": 2, "added_at": 1},
    "shop_orders": {
        "id": "0123456789ABCDEFGHJK", "number": "S-261121-7F3K", "customer": "test:1", "chat": "test:1",
        "status": "created", "total": 900, "currency": "EUR", "pay_with": "", "key": "test:1/1", "created_at": 1,
        "reason": "", "tracking": "", "extra": "{}", "version": 1,
    },
    "shop_order_lines": {
        "order_id": "0123456789ABCDEFGHJK", "product_id": 1, "sku": "tea-1", "name": "Green tea", "price": 450,
        "quantity": 2,
    },
    "shop_reservations": {"order_id": "0123456789ABCDEFGHJK", "product_id": 1, "quantity": 2},
    "pay_quotes": {
        "id": "q", "asset": "BTC", "currency": "EUR", "total": 900, "amount": "9000", "rate": "100000", "at": 1,
        "until": 2,
    },
    "pay_rates": {"asset": "BTC", "currency": "EUR", "rate": "100000", "source": "fixed", "at": 1},
    "pay_invoices": {
        "order_id": "0123456789ABCDEFGHJK", "customer": "test:1", "chat": "test:1", "asset": "BTC", "address": "a",
        "path": "m/0/1", "amount": "9000", "total": 900, "currency": "EUR", "rate": "100000", "created_at": 1,
        "expires_at": 2, "monitor_until": 3, "status": "new", "flags": "", "received": "0", "confirmed": "0",
        "extended": 0, "warned": 0, "policy": "{}", "due_at": 2, "version": 1,
    },
    "pay_ledger": {
        "invoice_id": 1, "asset": "BTC", "address": "a", "txid": "t", "position": "0", "kind": "seen",
        "amount": "9000", "at": 1, "source": "node", "key": "BTC/t/0/seen",
    },
    "pay_refunds": {
        "invoice_id": 1, "asset": "BTC", "amount": "1", "reason": "over", "status": "due", "at": 1, "note": "",
        "key": "1/over",
    },
    "pay_cases": {
        "order_id": "0123456789ABCDEFGHJK", "kind": "late", "text": "", "status": "open", "at": 1, "answer": "",
        "key": "1/late",
    },
    "pay_chains": {"asset": "BTC", "height": 1, "block": "b", "tip_at": 1, "polled_at": 1, "cursor": ""},
    "pay_pool": {"asset": "SOL", "account": "c", "position": 0, "address": "s"},
    "pay_indexes": {"asset": "BTC", "account": "xpub", "next": 1},
    "pay_audit": {"at": 1, "who": "test:2", "what": "expire_now", "order_id": "", "reason": ""},
}  # fmt: skip
"""Whatever a row needs to be taken, by its table."""


def insert(table: str, **fields: object) -> tuple[str, tuple[object, ...]]:
    """The statement that adds the table's row, with some of its fields changed, and its values."""
    row = ROWS[table] | fields
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values())
