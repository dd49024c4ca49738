"""Stock is conserved, whatever is done to it, how often, in which order."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.actions import Work
from engine.actions.testing import MOMENT
from storage.shop import stock
from storage.shop.stock import Line, Shortage
from tests.shop.samples import insert
from tests.shop.shelf import Shop

START = {1: 5, 2: 4, 3: 0}
ORDERS = {"A": {1: 2, 2: 1}, "B": {2: 3, 1: 2}, "C": {1: 3}, "D": {3: 1, 1: 1}}
DEEDS: dict[str, Callable[[Work, str], Awaitable[object]]] = {
    "reserve": lambda work, order: stock.reserve(
        work, order, [Line(product=product, quantity=pieces) for product, pieces in ORDERS[order].items()], MOMENT
    ),
    "release": stock.release,
    "sell": stock.sell,
    "retake": lambda work, order: stock.retake(work, order, MOMENT),
    "restock": stock.restock,
}


def filled(*, digital: bool = False) -> Shop:
    shop = Shop()
    shop.stocked(*((f"p{product}", 100, pieces) for product, pieces in START.items()))
    connection = shop.database.connection
    for number, (order, lines) in enumerate(ORDERS.items()):
        connection.execute(*insert("shop_orders", id=order, number=f"S-{number}", key=order))
        for product, pieces in lines.items():
            row = insert("shop_order_lines", order_id=order, product_id=product, quantity=pieces)
            connection.execute(*row)
    if digital:
        connection.execute("UPDATE shop_products SET digital = 1 WHERE id = 1")
        for code in range(START[1]):
            connection.execute(*insert("shop_goods", product_id=1, content=f"C{code}", digest=str(code)))
    return shop


def do(shop: Shop, deed: str, order: str) -> None:
    async def doing() -> None:
        await DEEDS[deed](shop.work, order)

    asyncio.run(doing())


def books(shop: Shop) -> dict[int, tuple[int, int, int]]:
    """By product: in stock, reserved, sold; checked against the rows they stand for."""
    assert asyncio.run(stock.differences(shop.work)) == ()
    found: dict[int, tuple[int, int, int]] = {}
    for product, start in START.items():
        left, reserved = shop.stock(product)
        sold = shop.value("SELECT coalesce(sum(sold), 0) FROM shop_order_lines WHERE product_id = ?", product)
        assert 0 <= reserved <= left
        assert left + sold == start
        found[product] = (left, reserved, sold)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from(sorted(ORDERS))), max_size=25))
def test_stock_is_conserved_and_everything_may_be_repeated(deeds: list[tuple[str, str]]) -> None:
    shop = filled()
    for deed, order in deeds:
        do(shop, deed, order)
        once = books(shop)
        do(shop, deed, order)
        assert books(shop) == once, f"{deed} {order} did something more the second time"


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from(sorted(ORDERS))), max_size=20))
def test_a_code_is_given_to_one_order_for_good(deeds: list[tuple[str, str]]) -> None:
    shop = filled(digital=True)
    owners: dict[str, str] = {}
    for deed, order in deeds:
        do(shop, deed, order)
        assert asyncio.run(stock.differences(shop.work)) == ()
        for row in shop.rows("SELECT content, order_id FROM shop_goods WHERE order_id IS NOT NULL"):
            assert owners.setdefault(row["content"], row["order_id"]) == row["order_id"]
        for name, lines in ORDERS.items():
            given_ = sum(owner == name for owner in owners.values())
            assert given_ in (0, lines.get(1, 0))


async def test_all_or_nothing_and_what_is_short() -> None:
    shop = filled()
    lines = [Line(product=3, quantity=1), Line(product=1, quantity=2), Line(product=2, quantity=9)]
    short = await stock.reserve(shop.work, "A", lines, MOMENT)
    assert short == (
        Shortage(product=2, wanted=9, available=4),
        Shortage(product=3, wanted=1, available=0),
    )
    assert [shop.stock(product)[1] for product in START] == [0, 0, 0]
    assert shop.rows("SELECT * FROM shop_reservations") == []


async def test_lines_of_one_product_are_counted_together() -> None:
    shop = filled()
    twice = [Line(product=1, quantity=3), Line(product=1, quantity=3)]
    assert await stock.reserve(shop.work, "A", twice, MOMENT) == (Shortage(product=1, wanted=6, available=5),)
    with pytest.raises(ValueError, match="at least one"):
        await stock.reserve(shop.work, "A", [Line(product=1, quantity=0)], MOMENT)


async def test_what_is_not_sold_any_more_cannot_be_reserved_but_taken_again_for_who_has_paid() -> None:
    shop = filled()
    shop.database.connection.execute("UPDATE shop_products SET active = 0 WHERE id = 1")
    lines = [Line(product=1, quantity=3)]
    assert await stock.reserve(shop.work, "C", lines, MOMENT) == (Shortage(product=1, wanted=3, available=0),)
    assert await stock.retake(shop.work, "C", MOMENT)
    assert shop.stock(1) == (5, 3)


async def test_an_order_that_is_not_there_takes_nothing() -> None:
    shop = filled()
    assert not await stock.retake(shop.work, "Z", MOMENT)
    assert not await stock.sell(shop.work, "Z")
    assert not await stock.release(shop.work, "Z")
    assert not await stock.restock(shop.work, "Z")


async def test_goods_are_codes_and_what_products_deliver() -> None:
    shop = filled(digital=True)
    shop.database.connection.execute("UPDATE shop_products SET delivers = 'Read me' WHERE id = 2")
    await stock.retake(shop.work, "A", MOMENT)
    assert await stock.goods(shop.work, "A") == ()
    await stock.sell(shop.work, "A")
    assert await stock.goods(shop.work, "A") == ("C0", "C1", "Read me")
    assert shop.stock(1) == (3, 0)


async def test_differences_are_told_in_words() -> None:
    shop = filled(digital=True)
    await stock.retake(shop.work, "A", MOMENT)
    shop.database.connection.execute("UPDATE shop_products SET reserved = 3 WHERE id = 1")
    shop.database.connection.execute("DELETE FROM shop_goods WHERE id = 1")
    shop.database.connection.execute("UPDATE shop_orders SET status = 'expired' WHERE id = 'A'")
    assert await stock.differences(shop.work) == (
        "p1: 3 pieces are held, its reservations say 2",
        "p1: 5 pieces in stock, 4 codes are free",
        "order A (expired) still holds goods",
        "order A (expired) still holds goods",
    )
