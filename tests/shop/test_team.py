"""What only the team may do: lists, shipping, cancelling. Called as the engine calls it, on a real database."""

import asyncio
from typing import Any

import pytest

from engine.actions import Page, Refusal, SendSignal
from storage.shop import orders, stock
from tests.shop.shelf import Shop


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.stocked(("tea", 450, 5))
    return made


def test_lists_of_orders_and_customers(shop: Shop) -> None:
    first = shop.ordered(p1=1)
    shop.later(minutes=1)
    second = shop.ordered("ben", p1=1)
    assert [each["id"] for each in shop.lists("my_orders")] == [first]
    assert [each["id"] for each in shop.lists("orders", "team")] == [second, first]
    assert shop.lists("orders", "team", status="paid") == ()
    number = shop.value("SELECT number FROM shop_orders WHERE id = ?", first)
    page = Page(search=number.lower()[-4:], limit=9)
    assert [each["id"] for each in shop.lists("orders", "team", page=page)] == [first]
    assert shop.lists("orders", "team", page=Page(search="%")) == ()
    shop.database.connection.execute("UPDATE shop_customers SET strikes = 2 WHERE customer = 'test:ben'")
    found = shop.lists("customers", "team")
    assert [(each["id"], each["strikes"], each["wallet"]) for each in found] == [
        ("test:ben", 2, None),
        ("test:anna", 0, None),
    ]


@pytest.mark.parametrize("name", ["orders", "customers"])
def test_only_the_team_lists(shop: Shop, name: str) -> None:
    with pytest.raises(Refusal, match="the role “admin”"):
        shop.lists(name)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ship_order", {"order": "x"}),
        ("cancel_by_shop", {"order": "x", "reason": "y"}),
        ("forgive", {"customer": "test:anna"}),
    ],
)
def test_only_the_team_may(shop: Shop, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="only the team"):
        shop.does(name, **arguments)
    assert shop.rows("SELECT * FROM pay_audit") == []


def paid(shop: Shop, order: str) -> None:
    async def pay() -> None:
        found = await orders.order(shop.work, order)
        assert found is not None
        await stock.sell(shop.work, order)
        assert await orders.move(shop.work, found, to="paid", at=shop.now)

    asyncio.run(pay())


def test_a_paid_order_is_shipped_once(shop: Shop) -> None:
    order = shop.ordered(p1=2)
    assert shop.does("ship_order", "team", order=order) == ("not_ready", {"status": "created"})
    assert shop.does("ship_order", "team", order="no such") == ("not_ready", {"status": "gone"})
    paid(shop, order)
    assert shop.does("ship_order", "team", order=order, tracking="DHL 1")[0] == "shipped"
    assert shop.does("ship_order", "team", order=order) == ("not_ready", {"status": "shipped"})
    news = [each for each in shop.sent("order.shipped") if isinstance(each, SendSignal)]
    assert [(each.chat, each.otherwise, each.payload["tracking"]) for each in news] == [
        ("test:anna", "order_news", "DHL 1")
    ]
    assert shop.does("cancel_by_shop", "team", order=order, reason="x") == ("too_late", {"status": "shipped"})
    assert [row["what"] for row in shop.rows("SELECT what FROM pay_audit")] == ["ship_order"]


def test_the_shop_cancels_what_is_paid_and_has_it_back(shop: Shop) -> None:
    order = shop.ordered(p1=2)
    paid(shop, order)
    assert shop.stock(1) == (3, 0)
    assert shop.does("cancel_by_shop", "team", order=order, reason="broken")[0] == "cancelled"
    assert shop.stock(1) == (5, 0)
    assert shop.does("read_cart")[0] == "empty", "the shop's cancel does not fill carts"
    (news,) = [each for each in shop.sent("order.cancelled") if isinstance(each, SendSignal)]
    assert (news.otherwise, news.payload["reason"]) == ("order_news", "broken")
    assert shop.does("cancel_by_shop", "team", order=order, reason="x") == ("too_late", {"status": "cancelled"})
    assert shop.does("cancel_by_shop", "team", order="none", reason="x") == ("too_late", {"status": "gone"})
    (line,) = shop.rows("SELECT who, what, order_id, reason FROM pay_audit")
    assert line == {"who": "test:team", "what": "cancel_by_shop", "order_id": order, "reason": "broken"}
