"""From cart to order: one transaction that holds the goods, or says why not and leaves everything as it was.

Whatever decides is read again when the products are locked: prices, stock, the cart's version, open orders. The same
version of a cart is ordered once, whoever confirms it how often.
"""

from datetime import datetime, timedelta

from engine.actions import Money, Work
from engine.core.records import record
from storage.shop import carts, numbers, orders, stock
from storage.shop.moments import millis
from storage.shop.orders import Order
from storage.shop.settings import ShopSettings
from storage.shop.stock import Line, Shortage

_TRIES = 20
_NEW = (
    "INSERT INTO shop_orders (id, number, customer, chat, status, total, currency, pay_with, key, created_at, "  # noqa: S608
    "expires_at, reason, tracking, extra, version) VALUES (?, ?, ?, ?, 'created', ?, ?, ?, ?, ?, ?, '', '', '{}', 1) "
    f"ON CONFLICT (number) DO NOTHING RETURNING {orders.COLUMNS}"
)


@record
class Wish:
    """What a customer has confirmed."""

    customer: str
    version: int
    """Of the cart that they saw."""
    total: Money
    """That they saw."""
    pay_with: str
    hold: timedelta
    now: datetime


@record
class Placed:
    """The order of this cart."""

    order: Order
    again: bool = False
    """It was placed before: this is the same confirmation once more."""


@record
class Short:
    """There is less than the cart asks for."""

    lines: tuple[Shortage, ...]


@record
class Open:
    """The customer has as many open orders as they may."""

    order: Order


@record
class Changed:
    """The cart, or a price in it, is not as the customer saw it."""

    total: Money


@record
class Blocked:
    """The customer does not order any more."""

    strikes: int


@record
class Mixed:
    """The cart has prices in several currencies."""

    currencies: tuple[str, ...]


@record
class Nothing:
    """The cart is empty."""


Answer = Placed | Short | Open | Changed | Blocked | Mixed | Nothing


async def place(work: Work, wish: Wish, settings: ShopSettings) -> Answer:
    """Order the cart. The goods are held and the cart is empty when Placed comes back, else nothing has changed."""
    cart = await carts.read(work, wish.customer)
    no = await _refused(work, wish, settings, cart)
    if no is not None or cart is None:
        return no or Nothing()
    short = tuple(
        Shortage(product=line.product, wanted=line.quantity, available=line.available)
        for line in sorted(cart.lines, key=lambda line: line.product)
        if line.available < line.quantity
    )
    if short:  # seen without a lock: whoever comes too late does not hold up the others
        return Short(lines=short)
    order = numbers.order_id()
    wanted = [Line(product=line.product, quantity=line.quantity) for line in cart.lines]
    prices = {line.product: line.price for line in cart.lines}
    missing = await stock.reserve_at(work, order, wanted, prices)
    if missing:
        return await _missed(work, wish, missing)
    if await _is_alone(work, wish, settings):
        return Placed(order=await _write(work, wish, settings, order, cart))
    await stock.release(work, order)
    cart = await carts.read(work, wish.customer)
    return await _refused(work, wish, settings, cart) or Nothing()


async def _missed(work: Work, wish: Wish, missing: tuple[Shortage, ...]) -> Answer:
    """Between looking and locking somebody was quicker, or a price has changed."""
    short = tuple(line for line in missing if line.available < line.wanted)
    cart = await carts.read(work, wish.customer)
    if cart is None:
        return Nothing()
    return Short(lines=short) if short else Changed(total=cart.total)


async def _is_alone(work: Work, wish: Wish, settings: ShopSettings) -> bool:
    """The products are ours; with this UPDATE the customer is, too, or another device has changed the cart or ordered
    it: each of these is a new version. So what was read with this version still holds, their open orders too."""
    rows = await work.query(
        "UPDATE shop_customers SET cart_version = cart_version + 1 WHERE customer = ? AND cart_version = ? "
        "RETURNING strikes, blocked",
        (wish.customer, wish.version),
    )
    if rows and barred(bool(rows[0]["blocked"]), int(str(rows[0]["strikes"])), settings):
        await work.execute(
            "UPDATE shop_customers SET cart_version = ? WHERE customer = ?", (wish.version, wish.customer)
        )
        return False
    return bool(rows)


async def _refused(work: Work, wish: Wish, settings: ShopSettings, cart: carts.Cart | None) -> Answer | None:
    """Why this cart is not ordered; asked before the products are locked, to spare them that, and again after it."""
    if cart is None or cart.version != wish.version:
        before = await orders.by_key(work, _key(wish))
        if before is not None and before.status not in orders.OVER:
            return Placed(order=before, again=True)
    if cart is None:
        return Nothing()
    if len(cart.currencies) > 1:
        return Mixed(currencies=cart.currencies)
    if cart.version != wish.version or cart.total != wish.total:
        return Changed(total=cart.total)
    if barred(cart.blocked, cart.strikes, settings):
        return Blocked(strikes=cart.strikes)
    if cart.waiting >= settings.open_orders:
        return Open(order=(await orders.open_of(work, wish.customer))[0])
    return None


def barred(by_hand: bool, strikes: int, settings: ShopSettings) -> bool:
    """Whether somebody with so many strikes may not order."""
    return by_hand or 0 < settings.strikes <= strikes


async def _write(work: Work, wish: Wish, settings: ShopSettings, id: str, cart: carts.Cart) -> Order:  # noqa: A002
    order = await _insert(work, wish, settings, id, cart)
    marks = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(cart.lines))
    await work.execute(
        f"INSERT INTO shop_order_lines (order_id, product_id, sku, name, price, quantity) VALUES {marks}",  # noqa: S608
        [
            value
            for line in cart.lines
            for value in (id, line.product, line.sku, line.name, line.price.minor, line.quantity)
        ],
    )
    await work.execute("UPDATE shop_customers SET cart_version = cart_version + 1 WHERE customer = ?", (wish.customer,))
    await work.execute("DELETE FROM shop_cart_lines WHERE customer = ?", (wish.customer,))
    return order


async def _insert(work: Work, wish: Wish, settings: ShopSettings, id: str, cart: carts.Cart) -> Order:  # noqa: A002
    for _ in range(_TRIES):
        number = numbers.number(settings.prefix, wish.now)
        rows = await work.query(
            _NEW,
            (
                id, number, wish.customer, wish.customer, cart.total.minor, cart.total.asset, wish.pay_with[:32],
                _key(wish), millis(wish.now), millis(wish.now + wish.hold),
            ),
        )  # fmt: skip
        if rows:
            return orders.of_row(rows[0])
    raise RuntimeError("no free order number was found")


def _key(wish: Wish) -> str:
    return f"{wish.customer}/{wish.version}"
