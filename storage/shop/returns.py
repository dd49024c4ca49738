"""The goods of an order that is over, and the cart they came from. Statements over an open transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from engine.actions import Work
from storage.shop.ledger import marks, portions


async def into_cart(work: Work, order: str, customer: str, at: datetime) -> None:
    """Put an order's goods back into the customer's cart, unless there is something in it already."""
    touched = await work.execute(
        "UPDATE shop_customers SET cart_version = cart_version + 1 WHERE customer = ? AND NOT EXISTS "
        "(SELECT 1 FROM shop_cart_lines c WHERE c.customer = shop_customers.customer)",
        (customer,),
    )
    if not touched:
        return
    rows = await work.query(
        "SELECT product_id, quantity FROM shop_order_lines WHERE order_id = ? ORDER BY id", (order,)
    )
    stamp = (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    for row in rows:
        await work.execute(
            "INSERT INTO shop_cart_lines (customer, product_id, quantity, added_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (customer, row["product_id"], row["quantity"], stamp),
        )


async def all_into_carts(work: Work, orders: Sequence[tuple[str, str]], stamp: int) -> None:
    """The same for several (order, customer), one of each customer. `stamp`: now, in milliseconds."""
    theirs = {customer: order for order, customer in orders}
    for part in portions(sorted(theirs)):
        rows = await work.query(
            "UPDATE shop_customers SET cart_version = cart_version + 1 "  # noqa: S608 - marks only
            f"WHERE customer IN ({marks(part)}) AND NOT EXISTS "
            "(SELECT 1 FROM shop_cart_lines c WHERE c.customer = shop_customers.customer) RETURNING customer",
            part,
        )
        back = sorted(theirs[str(row["customer"])] for row in rows)
        if back:
            await work.execute(
                "INSERT INTO shop_cart_lines (customer, product_id, quantity, added_at) "  # noqa: S608 - marks only
                "SELECT o.customer, l.product_id, l.quantity, ? FROM shop_order_lines l JOIN shop_orders o "
                f"ON o.id = l.order_id WHERE l.order_id IN ({marks(back)}) ORDER BY l.id ON CONFLICT DO NOTHING",
                (stamp, *back),
            )


async def out_of_cart(work: Work, order: str, customer: str) -> None:
    """The order goes on after all: what came back from it leaves the cart, where it is as it came."""
    await work.execute("UPDATE shop_customers SET cart_version = cart_version + 1 WHERE customer = ?", (customer,))
    await work.execute(
        "DELETE FROM shop_cart_lines WHERE customer = ? AND EXISTS (SELECT 1 FROM shop_order_lines l WHERE "
        "l.order_id = ? AND l.product_id = shop_cart_lines.product_id AND l.quantity = shop_cart_lines.quantity)",
        (customer, order),
    )
