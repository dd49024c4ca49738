"""A customer's orders: placing one, looking at them, cancelling one."""

from collections.abc import Sequence
from datetime import timedelta

from engine.actions import Context, Money, Page, Refusal, Rows, action, source
from plugins.shop.carting import known, pieces
from plugins.shop.records import (
    Blocked,
    Cancelled,
    Cart,
    CartChanged,
    Empty,
    Gone,
    Me,
    OpenOrder,
    OrderFound,
    OrderLine,
    OrderRow,
    Placed,
    Short,
    ShortLine,
    TooLate,
)
from storage.shop import books, cancelling, carts, checkout, customers, invoices, news, stock
from storage.shop import orders as store
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ShopSettings


@action(transactional=True)
async def place_order(
    context: Context, *, cart: Cart, currency: str, hold_for: timedelta | None = None
) -> Placed | Short | OpenOrder | CartChanged | Blocked | Empty:
    """Order what is in the cart, and hold its goods. The same cart confirmed twice is one order.

    Args:
        cart: What `shop.read_cart` said and the customer confirmed.
        currency: What it will be paid with, such as `BTC`.
        hold_for: How long the goods are held; left out, `hold` of the settings.
    """
    settings = context.configured(ShopSettings)
    hold = settings.hold if hold_for is None else hold_for
    if not timedelta(minutes=1) <= hold <= timedelta(days=30):
        raise Refusal("goods are held for 1m to 30d: correct hold_for")
    await known(context)
    wish = checkout.Wish(
        customer=context.chat, version=cart.version, total=cart.total, pay_with=currency, hold=hold, now=context.now
    )
    match await checkout.place(context.work, wish, settings):
        case checkout.Placed(order=order, again=again):
            if not again:
                await news.tell_team(context.work, settings, "order.created", order)
            return Placed(id=order.id, number=order.number, total=order.total, expires_at=order.expires_at)
        case checkout.Short(lines=lines):
            return await _short(context, lines, settings)
        case checkout.Open(order=order):
            return OpenOrder(id=order.id, number=order.number)
        case checkout.Changed(total=total):
            return CartChanged(total=total)
        case checkout.Blocked(strikes=strikes):
            return Blocked(strikes=strikes)
        case checkout.Mixed(currencies=currencies):
            raise Refusal(f"the cart has prices in {' and '.join(currencies)}: an order is in one currency")
        case checkout.Nothing():
            return Empty()


async def _short(context: Context, lines: tuple[stock.Shortage, ...], settings: ShopSettings) -> Short:
    cart = await carts.read(context.work, context.chat)
    held = cart.lines if cart else ()
    names = {line.product: line.name for line in held}
    free = {line.product: line.available for line in lines}
    left = sum(min(line.quantity, free.get(line.product, line.quantity)) for line in held)
    return Short(
        lines=[
            ShortLine(
                product=line.product, name=names.get(line.product, ""), wanted=line.wanted, available=line.available
            )
            for line in lines
        ],
        can_reduce=settings.when_short == "reduce" and left > 0,
    )


@action(transactional=True)
async def cancel_order(context: Context, *, order: str, reason: str = "") -> Cancelled | TooLate:
    """Cancel one of the customer's own orders, as long as no money was seen.

    Its goods go back into the cart, if that is empty.

    Args:
        order: The order's id.
        reason: Why, in the customer's words.
    """
    if await _mine(context, order) is None:
        return TooLate(status="gone")
    done = await cancelling.cancel(context.work, order, who="customer", reason=reason[:500], at=context.now)
    match done:
        case None:
            return TooLate(status="gone")
        case cancelling.TooLate(status=status):
            return TooLate(status=status)
        case _:
            settings = context.configured(ShopSettings)
            await judge(context, done.id)
            context.work.signal(settings.flow, done.id, "order.cancelled", **news.about(done), reason=done.reason)
            await news.tell_team(context.work, settings, "order.cancelled", done, reason=done.reason)
            return Cancelled(order=done.id, number=done.number)


async def judge(context: Context, order: str) -> None:
    """The order has changed: its invoice follows, if it has one."""
    invoice = await books.of_order(context.work, order)
    if invoice is not None:
        await invoices.settle(
            context.work,
            invoice.id,
            now=context.now,
            payments=context.configured(PaymentSettings),
            shop=context.configured(ShopSettings),
        )


@action(transactional=True)
async def order(context: Context, *, order: str) -> OrderFound | Gone:
    """One order with its lines. Customers see their own, the team sees all.

    Args:
        order: The order's id.
    """
    found = await (store.order(context.work, order) if in_team(context) else _mine(context, order))
    if found is None:
        return Gone()
    buyer = await customers.find(context.work, found.customer)
    return OrderFound(
        id=found.id,
        number=found.number,
        status=found.status,
        lines=[
            OrderLine(product=line.product, name=line.name, price=line.price, quantity=line.quantity, total=line.total)
            for line in await store.lines(context.work, found.id)
        ],
        total=found.total,
        currency=found.total.asset,
        pay_with=found.pay_with,
        created_at=found.created_at,
        expires_at=found.expires_at,
        paid_at=found.paid_at,
        shipped_at=found.shipped_at,
        tracking=found.tracking,
        reason=found.reason,
        goods=list(await stock.goods(context.work, found.id)),
        customer=found.customer,
        customer_name=buyer.name if buyer else "",
    )


@source(transactional=True)
async def my_orders(context: Context, *, page: Page) -> Rows[OrderRow]:
    """The customer's orders, newest first, those whose number has the search in it."""
    found, total = await store.listed(context.work, page, customer=context.chat)
    return Rows(items=await rows(context, found), total=total)


@action(transactional=True)
async def me(context: Context) -> Me:
    """How the shop knows this customer: strikes, balance, open order."""
    settings = context.configured(ShopSettings)
    customer = await known(context)
    cart = await carts.read(context.work, context.chat)
    waiting = await store.open_of(context.work, context.chat)
    return Me(
        strikes=customer.strikes,
        limit=settings.strikes,
        blocked=checkout.barred(customer.blocked, customer.strikes, settings),
        wallet=customer.wallet if customer.wallet.minor else None,
        covers=_covers(customer.wallet, cart),
        open_order=waiting[0].id if waiting else None,
        open_number=waiting[0].number if waiting else None,
        pieces=pieces(cart) if cart else 0,
    )


def _covers(wallet: Money, cart: carts.Cart | None) -> bool:
    if cart is None or len(cart.currencies) > 1:
        return False
    return cart.total.asset == wallet.asset and 0 < cart.total.minor <= wallet.minor


def in_team(context: Context) -> bool:
    """Whether this customer is one of the team."""
    roles = context.customer.get("roles")
    return isinstance(roles, list | tuple) and context.configured(ShopSettings).team_role in roles


async def rows(context: Context, found: Sequence[store.Order]) -> list[OrderRow]:
    """Orders as lists show them."""
    names = {one: await customers.find(context.work, one) for one in sorted({each.customer for each in found})}
    return [
        OrderRow(
            id=each.id,
            number=each.number,
            status=each.status,
            total=each.total,
            created_at=each.created_at,
            customer=each.customer,
            customer_name=buyer.name if (buyer := names[each.customer]) else "",
        )
        for each in found
    ]


async def _mine(context: Context, order: str) -> store.Order | None:
    found = await store.order(context.work, order)
    return found if found is not None and found.customer == context.chat else None
