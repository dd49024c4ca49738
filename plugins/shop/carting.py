"""The cart: in, out, more, less. A cart holds nothing: prices and stock are those of the moment."""

from engine.actions import Context, Money, Refusal, action
from plugins.shop.records import Added, Cart, CartLine, Changed, Cleared, Empty, Gone, Reduced, Removed, SoldOut
from storage.shop import carts, catalog, customers
from storage.shop.settings import ShopSettings

_MOST = 1_000_000
_LINES = 50


async def known(context: Context) -> customers.Customer:
    """The customer as the shop knows them, from now on by the name they have."""
    name = str(context.customer.get("name") or "")
    return await customers.ensure(context.work, context.chat, name=name, language=context.language)


@action(transactional=True)
async def add(context: Context, *, product: int, quantity: int = 1) -> Added | SoldOut | Gone:
    """Put so many pieces of a product into the cart, if there are as many.

    Args:
        product: The product's id.
        quantity: How many more, 1 or more.
    """
    if not 1 <= quantity <= _MOST:
        raise Refusal(f"{quantity} pieces cannot be put into a cart: give quantity: 1 or more")
    done = await _change(context, product, quantity)
    if not isinstance(done, Changed):
        return done
    cart = await carts.read(context.work, context.chat)
    assert cart is not None
    return Added(product=done.product, name=done.name, quantity=done.quantity, total=cart.total, pieces=pieces(cart))


@action(transactional=True)
async def change(context: Context, *, product: int, by: int) -> Changed | SoldOut | Gone:
    """More or fewer pieces of a product: `by: 1`, `by: -1`. With none left its line goes.

    Args:
        product: The product's id.
        by: How many more, or below 0 how many fewer.
    """
    if not -_MOST <= by <= _MOST:
        raise Refusal(f"a cart cannot be changed by {by} pieces")
    return await _change(context, product, by)


async def _change(context: Context, product: int, by: int) -> Changed | SoldOut | Gone:
    await known(context)
    work, customer = context.work, context.chat
    has = await carts.quantity(work, customer, product)
    found = await catalog.product(work, product)
    if found is None and (by > 0 or not has):
        return Gone()
    wanted = max(0, has + by)
    name = found.name if found else ""
    if found is not None and by > 0:
        limit = min(found.available, context.configured(ShopSettings).most_pieces)
        if wanted > limit:
            return SoldOut(product=product, name=name, available=limit, quantity=has)
        await _fits(context, found)
    await carts.put(work, customer, product, wanted, context.now)
    return Changed(product=product, name=name, quantity=wanted)


async def _fits(context: Context, product: catalog.Product) -> None:
    """Raises Refusal for a cart that cannot take this product."""
    cart = await carts.read(context.work, context.chat)
    if cart is not None and len(cart.lines) >= _LINES and product.id not in {line.product for line in cart.lines}:
        raise Refusal(f"a cart takes {_LINES} different products: order those first, or take something out")
    others = [asset for asset in cart.currencies if asset != product.price.asset] if cart else []
    if others:
        raise Refusal(
            f"“{product.name}” costs {product.price.asset} and the cart has prices in {others[0]}: order those first,"
            " or empty the cart"
        )


@action(transactional=True)
async def remove(context: Context, *, product: int) -> Removed:
    """Take a product out of the cart.

    Args:
        product: The product's id.
    """
    if await carts.quantity(context.work, context.chat, product):
        await carts.put(context.work, context.chat, product, 0, context.now)
    return Removed()


@action(transactional=True)
async def clear(context: Context) -> Cleared:
    """Empty the cart."""
    await carts.clear(context.work, context.chat)
    return Cleared()


@action(transactional=True)
async def read_cart(context: Context) -> Cart | Empty:
    """The cart with its lines, at the prices and with the stock of now."""
    cart = await carts.read(context.work, context.chat)
    if cart is None:
        return Empty()
    short = any(line.available < line.quantity for line in cart.lines)
    return Cart(lines=_lines(cart), total=cart.total, pieces=pieces(cart), version=cart.version, short=short)


@action(transactional=True)
async def reduce_cart(context: Context) -> Reduced | Empty:
    """Bring the cart down to what there is: fewer pieces where there are fewer, and no line for what is gone."""
    cart = await carts.reduce(context.work, context.chat, context.now)
    if cart is None:
        return Empty()
    return Reduced(lines=_lines(cart), total=cart.total, pieces=pieces(cart), version=cart.version)


def pieces(cart: carts.Cart) -> int:
    """How many there are in a cart altogether."""
    return sum(line.quantity for line in cart.lines)


def _lines(cart: carts.Cart) -> list[CartLine]:
    return [
        CartLine(
            product=line.product,
            name=line.name,
            price=line.price,
            quantity=line.quantity,
            total=Money(minor=line.price.minor * line.quantity, asset=line.price.asset),
            available=line.available,
        )
        for line in cart.lines
    ]
