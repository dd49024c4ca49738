"""Paying with what the shop keeps for a customer, and noting that it was paid out. The rows lie in `storage.shop`."""

from dataclasses import dataclass

from engine.actions import Context, action
from plugins.payments import desk
from plugins.payments.records import Gone, PaidOut, TooLittle
from storage.shop import balances, news, orders
from storage.shop.settings import ShopSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """The order is paid for with the customer's credit."""


@action(transactional=True)
async def pay_with_credit(context: Context, *, order: str) -> Paid | TooLittle | Gone:
    """Pay for an order that has no invoice with the customer's credit, all of it. Asked twice, it is paid once.

    Args:
        order: The order's id.
    """
    work, settings = context.work, context.configured(ShopSettings)
    done = await balances.spend(work, order, context.chat, context.now)
    match done:
        case balances.TooLittle(credit=credit):
            return TooLittle(credit=credit)
        case None:
            known = await orders.order(work, order)
            mine = known is not None and known.customer == context.chat and known.status in ("paid", "shipped")
            return Paid() if mine and known is not None and await balances.paid_with_it(work, known) else Gone()
        case _:
            goods = await news.goods(work, order)
            await news.tell_customer(work, settings, done, "payment.settled", goods=goods)
            await news.tell_team(work, settings, "payment.settled", done)
            return Paid()


@action(transactional=True)
async def pay_out(context: Context, *, customer: str, note: str) -> PaidOut | Gone:
    """For the team: a customer's credit was given to them in another way; it is empty from now on.

    Args:
        customer: The customer's id, from `shop.customers`.
        note: How, for the books.
    """
    desk.only_team(context)
    amount = await balances.pay_out(context.work, customer, context.now)
    if amount is None:
        return Gone()
    await desk.audit(context, context.work, "pay_out", "", f"{customer}: {note}")
    return PaidOut(amount=amount)
