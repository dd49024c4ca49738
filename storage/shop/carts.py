"""Carts: one line per product, in the order they were put in. Statements over an open transaction.

Prices and stock are those of now: a cart holds nothing. Every change is a new version of the cart.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine.actions import Money, Work
from engine.core.records import record
from storage.shop import customers
from storage.shop.catalog import LAST
from storage.shop.moments import millis


@record
class CartLine:
    """A line of a cart at the present price."""

    product: int
    sku: str
    name: str
    price: Money
    quantity: int
    available: int
    """Pieces that are free now; 0 for a product that is not sold any more."""


@record
class Cart:
    """A cart with something in it."""

    lines: Sequence[CartLine]
    version: int
    strikes: int = 0
    """Of its customer."""
    blocked: bool = False
    waiting: int = 0
    """How many orders of its customer wait for payment."""

    @property
    def currencies(self) -> tuple[str, ...]:
        """Of its prices, the first line's first."""
        return tuple(dict.fromkeys(line.price.asset for line in self.lines))

    @property
    def total(self) -> Money:
        """Of the lines in the first line's currency."""
        asset = self.currencies[0]
        mine = [line for line in self.lines if line.price.asset == asset]
        return Money(minor=sum(line.price.minor * line.quantity for line in mine), asset=asset)


async def read(work: Work, customer: str) -> Cart | None:
    """The customer's cart; None when there is nothing in it."""
    rows = await work.query(
        "SELECT l.product_id, l.quantity, p.sku, p.name, p.price, p.currency, p.stock - p.reserved AS free, p.active, "
        "c.cart_version, c.strikes, c.blocked, (SELECT count(*) FROM shop_orders o WHERE o.customer = c.customer "
        "AND o.status = 'created') AS waiting FROM shop_cart_lines l JOIN shop_products p ON p.id = l.product_id "
        "JOIN shop_customers c ON c.customer = l.customer WHERE l.customer = ? ORDER BY l.added_at, l.id",
        (customer,),
    )
    if not rows:
        return None
    first = rows[0]
    return Cart(
        lines=[_line(row) for row in rows],
        version=int(str(first["cart_version"])),
        strikes=int(str(first["strikes"])),
        blocked=bool(first["blocked"]),
        waiting=int(str(first["waiting"])),
    )


async def quantity(work: Work, customer: str, product: int) -> int:
    """How many pieces of a product are in the cart."""
    if not 0 < product <= LAST:
        return 0
    rows = await work.query(
        "SELECT quantity FROM shop_cart_lines WHERE customer = ? AND product_id = ?", (customer, product)
    )
    return int(str(rows[0]["quantity"])) if rows else 0


async def put(work: Work, customer: str, product: int, pieces: int, at: datetime) -> None:
    """So many pieces of a product from now on; none: its line goes. A line that is there keeps its place."""
    await customers.touch(work, customer)
    if pieces < 1:
        await work.execute("DELETE FROM shop_cart_lines WHERE customer = ? AND product_id = ?", (customer, product))
        return
    await work.execute(
        "INSERT INTO shop_cart_lines (customer, product_id, quantity, added_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (customer, product_id) DO UPDATE SET quantity = excluded.quantity",
        (customer, product, pieces, millis(at)),
    )


async def clear(work: Work, customer: str) -> None:
    """Nothing in it any more."""
    await customers.touch(work, customer)
    await work.execute("DELETE FROM shop_cart_lines WHERE customer = ?", (customer,))


async def reduce(work: Work, customer: str, at: datetime) -> Cart | None:
    """Bring each line down to what is free now, and take out what is not; the cart that is left, or None."""
    cart = await read(work, customer)
    for line in cart.lines if cart else ():
        if line.available < line.quantity:
            await put(work, customer, line.product, line.available, at)
    return await read(work, customer)


def _line(row: Mapping[str, object]) -> CartLine:
    return CartLine(
        product=int(str(row["product_id"])),
        sku=str(row["sku"]),
        name=str(row["name"]),
        price=Money(minor=int(str(row["price"])), asset=str(row["currency"])),
        quantity=int(str(row["quantity"])),
        available=max(0, int(str(row["free"]))) if row["active"] else 0,
    )
