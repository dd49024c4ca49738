"""What the team does: lists of orders and customers, shipping, cancelling, forgiving. Each deed is written down.

Refused to everybody who does not have the role of the setting `team_role`.
"""

from typing import Literal

from engine.actions import Context, Page, Refusal, Rows, action, source
from plugins.shop.ordering import in_team, judge, rows
from plugins.shop.records import Cancelled, CustomerRow, Forgiven, Gone, NotReady, OrderRow, Shipped, TooLate
from storage.shop import books, cancelling, checkout, news
from storage.shop import customers as people
from storage.shop import orders as store
from storage.shop.settings import ShopSettings

_LONGEST = 500


def _team_only(context: Context) -> None:
    if not in_team(context):
        role = context.configured(ShopSettings).team_role
        raise Refusal(f"only the team may do this: whoever has the role “{role}”")


@source(transactional=True)
async def orders(
    context: Context,
    *,
    status: Literal["created", "paid", "shipped", "cancelled", "expired"] | None = None,
    page: Page,
) -> Rows[OrderRow]:
    """For the team: all orders, newest first, those whose number has the search in it.

    Args:
        status: Only those of this status, such as `paid`: ready to be shipped.
    """
    _team_only(context)
    found, total = await store.listed(context.work, page, status=status)
    return Rows(items=await rows(context, found), total=total)


@source(transactional=True)
async def customers(context: Context, *, page: Page) -> Rows[CustomerRow]:
    """For the team: customers, those with the most strikes first."""
    _team_only(context)
    settings = context.configured(ShopSettings)
    found, total = await people.listed(context.work, page)
    items = [
        CustomerRow(
            id=each.id,
            name=each.name,
            strikes=each.strikes,
            blocked=checkout.barred(each.blocked, each.strikes, settings),
            wallet=each.wallet if each.wallet.minor else None,
        )
        for each in found
    ]
    return Rows(items=items, total=total)


@action(transactional=True)
async def ship_order(context: Context, *, order: str, tracking: str = "") -> Shipped | NotReady:
    """For the team: a paid order is on its way; its customer is told.

    Args:
        order: The order's id.
        tracking: The parcel's number or link.
    """
    _team_only(context)
    found = await store.order(context.work, order)
    if found is None:
        return NotReady(status="gone")
    if found.status != "paid":
        return NotReady(status=found.status)
    if await books.disputed(context.work, order):
        return NotReady(status="disputed")
    moved = await store.move(context.work, found, to="shipped", at=context.now, tracking=tracking[:_LONGEST])
    now = await store.order(context.work, order)
    assert now is not None
    if not moved:
        return NotReady(status=now.status)
    await _written(context, "ship_order", order, now.tracking)
    settings = context.configured(ShopSettings)
    await news.tell_customer(context.work, settings, now, "order.shipped", tracking=now.tracking)
    await news.tell_team(context.work, settings, "order.shipped", now, tracking=now.tracking)
    return Shipped(order=now.id, number=now.number)


@action(transactional=True)
async def cancel_by_shop(context: Context, *, order: str, reason: str) -> Cancelled | TooLate:
    """For the team: cancel an order that is not shipped. What was paid for comes back into the stock, money that came
    is to be given back, and the customer is told.

    Args:
        order: The order's id.
        reason: Why; the customer reads it.
    """
    _team_only(context)
    done = await cancelling.cancel(context.work, order, who="shop", reason=reason[:_LONGEST], at=context.now)
    match done:
        case None:
            return TooLate(status="gone")
        case cancelling.TooLate(status=status):
            return TooLate(status=status)
        case _:
            settings = context.configured(ShopSettings)
            await _written(context, "cancel_by_shop", order, reason)
            await judge(context, order)
            await news.tell_customer(context.work, settings, done, "order.cancelled", reason=done.reason)
            await news.tell_team(context.work, settings, "order.cancelled", done, reason=done.reason)
            return Cancelled(order=done.id, number=done.number)


@action(transactional=True)
async def forgive(context: Context, *, customer: str) -> Forgiven | Gone:
    """For the team: strike out a customer's strikes, so that they may order again.

    Args:
        customer: The customer's id, from `shop.customers` or an order.
    """
    _team_only(context)
    found = await people.find(context.work, customer)
    if found is None or not await people.forgive(context.work, customer):
        return Gone()
    await _written(context, "forgive", "", customer)
    return Forgiven(customer=found.id, name=found.name)


async def _written(context: Context, what: str, order: str, reason: str) -> None:
    await cancelling.audit(
        context.work, who=context.chat, what=what, order=order, reason=reason[:_LONGEST], at=context.now
    )
