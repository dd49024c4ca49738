"""What goes on beside the conversations: the catalog of bot.yaml comes into the tables, forgotten orders end."""

from collections.abc import Sequence

from engine.actions import Money, ServiceContext, service
from storage.shop import cancelling, news, stocking
from storage.shop.settings import CatalogCategory, ShopSettings

_LOOK_AGAIN = 15.0
_EVERY = 10.0
"""Seconds."""
_AT_ONCE = 100


@service()
async def catalog(context: ServiceContext) -> None:
    """Bring the catalog of bot.yaml into the tables, now and whenever it has changed."""
    before: Sequence[CatalogCategory] = ()
    while True:
        wanted = context.configured(ShopSettings).catalog
        if wanted != before and wanted:
            async with context.begin() as work:
                await stocking.stock_up(work, wanted)
        before = wanted
        await context.sleep(_LOOK_AGAIN)


@service()
async def clock(context: ServiceContext) -> None:
    """End orders that are over their time and never got an invoice; those with one are judged where payments are."""
    while True:
        async with context.begin() as work:
            found = await cancelling.overdue(work, context.now(), _AT_ONCE)
        for order in found:
            async with context.begin() as work:
                done = await cancelling.cancel(work, order, who="clock", reason="", at=context.now())
                if done is not None and not isinstance(done, cancelling.TooLate):
                    await news.tell_customer(
                        work,
                        context.configured(ShopSettings),
                        done,
                        "payment.expired",
                        amount=done.total,
                        paid=Money(minor=0, asset=done.total.asset),
                        rest=done.total,
                        currency=done.total.asset,
                        expires_at=done.expires_at,
                        confirmations=0,
                        needed=0,
                    )
        if len(found) < _AT_ONCE:
            await context.sleep(_EVERY)
