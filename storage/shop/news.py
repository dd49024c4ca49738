"""News about orders for their customers and for the team: rows in the transaction of what happened.

Names: payment.seen, partial, settled, withdrawn, warning, expired, extended, late, over, delayed; order.placed,
shipped, cancelled, refund. Which of them is told when is not decided here.
"""

from engine.actions import Money, Work
from engine.core.values import Value
from storage.shop import stock
from storage.shop.orders import Order
from storage.shop.settings import ShopSettings


async def tell_customer(work: Work, settings: ShopSettings, order: Order, name: str, **payload: Value) -> None:
    """Tell whoever ordered: their checkout, when it waits for this, else the flow of news begins beside."""
    work.news(
        settings.flow,
        order.id,
        name,
        chat=order.chat,
        otherwise=settings.news,
        payload={**about(order), **payload},
    )


async def tell_team(work: Work, settings: ShopSettings, name: str, order: Order, **payload: Value) -> None:
    """Tell everybody who has the team's role."""
    work.tell_role(settings.team_role, settings.team, **{"news": name, **about(order), **payload})


async def goods(work: Work, order: str) -> list[str]:
    """The texts that a paid order delivers: codes and links."""
    return list(await stock.goods(work, order))


def about(order: Order) -> dict[str, Value]:
    """What all news of an order say."""
    total: Money = order.total
    return {"order": order.id, "number": order.number, "status": order.status, "total": total}
