"""Every action and source of the shop, called as the engine calls them, on a real database."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.actions import Money, Page, Refusal, SendSignal, TellRole
from engine.actions.discovery import builtin_catalog
from storage.shop import orders
from storage.shop.settings import ShopSettings
from tests.shop.samples import insert
from tests.shop.shelf import Shop


def euros(cents: int) -> Money:
    return Money(minor=cents, asset="EUR")


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.stocked(("tea", 450, 5), ("cup", 1200, 2), ("pot", 3000, 0))
    connection = made.database.connection
    for fields in (
        {"name": "Tea", "position": 2, "path": None},
        {"name": "China", "position": 1, "path": None},
        {"name": "Green", "position": 1, "path": None, "parent_id": 1},
        {"name": "Attic", "position": 3, "path": None, "hidden": 1},
        {"name": "Box", "position": 1, "path": None, "parent_id": 4},
    ):
        connection.execute(*insert("shop_categories", **fields))
    connection.execute("UPDATE shop_products SET category_id = 3 WHERE id = 1")
    connection.execute("UPDATE shop_products SET category_id = 2 WHERE id > 1")
    return made


def test_every_action_and_source_has_a_case_here() -> None:
    catalog, here = builtin_catalog(), Path(__file__)
    text = "".join(file.read_text(encoding="utf-8") for file in (here, here.with_name("test_team.py")))
    called = set(re.findall(r"""\.(?:does|lists)\(\s*"(\w+)\"""", text))
    offered = {name for name in [*catalog.actions, *catalog.sources] if name.startswith("shop.")}
    assert {name.removeprefix("shop.") for name in offered} == called
    outcomes = {
        (name, outcome) for name in catalog.actions if name in offered for outcome in catalog.actions[name].outcomes
    }
    assert {each for each in outcomes if f'"{each[1]}"' not in text} == set()
    assert {name for name in catalog.services if name.startswith("shop.")} == {"shop.catalog", "shop.clock"}


def test_categories_go_down_and_hide_what_is_in_hidden_ones(shop: Shop) -> None:
    assert [(each["name"], each["categories"], each["products"]) for each in shop.lists("categories")] == [
        ("China", 0, 2),
        ("Tea", 1, 0),
    ]
    assert [each["name"] for each in shop.lists("categories", parent=1)] == ["Green"]
    assert shop.lists("categories", parent=4) == ()
    assert shop.does("category", category=3) == (
        "found",
        {"id": 3, "name": "Green", "parent": 1, "categories": 0, "products": 1},
    )
    assert shop.does("category", category=5) == ("gone", {})
    assert shop.does("category", category=99) == ("gone", {})


def test_categories_that_hold_each_other_are_not_shown(shop: Shop) -> None:
    shop.database.connection.execute("UPDATE shop_categories SET parent_id = 3 WHERE id = 1")
    assert [each["name"] for each in shop.lists("categories")] == ["China"]
    assert shop.does("category", category=3)[0] == "gone"


def test_products_by_page_and_search(shop: Shop) -> None:
    assert [each["name"] for each in shop.lists("products", category=2)] == ["Cup", "Pot"]
    assert [each["name"] for each in shop.lists("products", category=1)] == []
    assert [each["sku"] for each in shop.lists("products")] == ["cup", "pot", "tea"]
    assert [each["sku"] for each in shop.lists("products", page=Page(offset=1, limit=1))] == ["pot"]
    shop.database.connection.execute("UPDATE shop_products SET name = 'Чай', category_id = 3 WHERE id = 1")
    assert [each["sku"] for each in shop.lists("products", category=1, page=Page(search="чАЙ"))] == ["tea"]
    assert [each["sku"] for each in shop.lists("products", page=Page(search="p o"))] == ["pot"]
    shop.database.connection.execute("UPDATE shop_products SET category_id = 5 WHERE id = 2")
    assert [each["sku"] for each in shop.lists("products")] == ["pot", "tea"]
    assert shop.lists("products", category=5) == ()


def test_a_product_and_one_that_is_gone(shop: Shop) -> None:
    shop.does("add", product=1, quantity=2)
    outcome, tea = shop.does("product", product=1)
    assert outcome == "found"
    assert (tea["price"], tea["available"], tea["in_cart"], tea["category_name"]) == (euros(450), 5, 2, "Green")
    shop.database.connection.execute("UPDATE shop_products SET active = 0 WHERE id = 1")
    assert shop.does("product", product=1) == ("gone", {})
    shop.database.connection.execute("UPDATE shop_products SET category_id = 5 WHERE id = 2")
    assert shop.does("product", product=2)[0] == "gone"


def test_the_cart_goes_up_and_down(shop: Shop) -> None:
    assert shop.does("read_cart") == ("empty", {})
    assert shop.does("add", product=1) == (
        "added",
        {"product": 1, "name": "Tea", "quantity": 1, "total": euros(450), "pieces": 1},
    )
    assert shop.does("add", product=2, quantity=2)[1]["total"] == euros(2850)
    assert shop.does("add", product=2) == ("sold_out", {"product": 2, "name": "Cup", "available": 2, "quantity": 2})
    assert shop.does("add", product=3)[0] == "sold_out"
    assert shop.does("add", product=77) == ("gone", {})
    assert shop.does("change", product=1, by=4) == ("changed", {"product": 1, "name": "Tea", "quantity": 5})
    assert shop.does("change", product=1, by=1)[0] == "sold_out"
    assert shop.does("change", product=77, by=-1) == ("gone", {})
    assert shop.does("change", product=3, by=-1)[1]["quantity"] == 0
    outcome, cart = shop.does("read_cart")
    assert outcome == "cart"
    assert [(line["name"], line["quantity"], line["total"]) for line in cart["lines"]] == [
        ("Tea", 5, euros(2250)),
        ("Cup", 2, euros(2400)),
    ]
    assert (cart["total"], cart["pieces"], cart["short"]) == (euros(4650), 7, False)
    assert shop.does("change", product=1, by=-9)[1]["quantity"] == 0
    assert shop.does("remove", product=1) == ("removed", {})
    assert shop.does("remove", product=2) == ("removed", {})
    assert shop.does("read_cart")[0] == "empty"
    shop.does("add", product=1)
    assert shop.does("clear") == ("cleared", {})
    assert shop.does("read_cart")[0] == "empty"


def test_one_cart_takes_so_many_of_one_product() -> None:
    shop = Shop(settings=ShopSettings(most_pieces=3))
    shop.stocked(("tea", 450, 50))
    assert shop.does("add", product=1, quantity=4)[1]["available"] == 3
    for wrong in (0, -1, 10**9):
        with pytest.raises(Refusal, match="pieces"):
            shop.does("add", product=1, quantity=wrong)
    with pytest.raises(Refusal):
        shop.does("change", product=1, by=10**9)


def test_a_cart_takes_so_many_products() -> None:
    shop = Shop()
    shop.stocked(*((f"p{number}", 100, 5) for number in range(51)))
    for number in range(50):
        shop.does("add", product=number + 1)
    with pytest.raises(Refusal, match="50 different products"):
        shop.does("add", product=51)
    assert shop.does("add", product=50)[1]["quantity"] == 2


@pytest.mark.parametrize("product", [0, -1, 2**63, 10**40])
def test_ids_that_cannot_be_are_gone(shop: Shop, product: int) -> None:
    assert shop.does("add", product=product)[0] == "gone"
    assert shop.does("change", product=product, by=1)[0] == "gone"
    assert shop.does("remove", product=product)[0] == "removed"
    assert shop.does("product", product=product)[0] == "gone"
    assert shop.does("category", category=product)[0] == "gone"
    assert shop.lists("categories", parent=product) == ()
    assert shop.lists("products", category=product) == ()


def test_a_cart_has_one_currency(shop: Shop) -> None:
    shop.stocked(("hat", 900, 3), currency="USD")
    shop.does("add", product=1)
    with pytest.raises(Refusal, match="“Hat” costs USD and the cart has prices in EUR"):
        shop.does("add", product=4)
    shop.database.connection.execute("UPDATE shop_products SET currency = 'USD' WHERE id = 2")
    shop.does("clear")
    shop.does("add", product=1)
    shop.database.connection.execute("INSERT INTO shop_cart_lines VALUES (9, 'test:anna', 2, 1, 99999999999999)")
    _, cart = shop.does("read_cart")
    with pytest.raises(Refusal, match="an order is in one currency"):
        shop.does("place_order", cart=cart, currency="BTC")


def test_carts_are_their_customers_own(shop: Shop) -> None:
    shop.does("add", product=1)
    assert shop.does("read_cart", "ben")[0] == "empty"


def test_an_order_holds_its_goods_and_empties_the_cart(shop: Shop) -> None:
    shop.does("add", product=1, quantity=3)
    _, cart = shop.does("read_cart")
    outcome, placed = shop.does("place_order", cart=cart, currency="BTC")
    assert outcome == "placed"
    assert re.fullmatch(r"S-261120-[0-9A-HJKMNP-TV-Z]{4}", placed["number"])
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{20}", placed["id"])
    assert placed["expires_at"] == shop.now + timedelta(minutes=30)
    assert shop.stock(1) == (5, 3)
    assert shop.does("read_cart")[0] == "empty"
    (told,) = shop.sent("order.created")
    assert isinstance(told, TellRole)
    assert (told.role, told.flow, told.arguments["number"]) == ("admin", "team_news", placed["number"])


def test_confirmed_twice_is_one_order(shop: Shop) -> None:
    shop.does("add", product=1)
    _, cart = shop.does("read_cart")
    first = shop.does("place_order", cart=cart, currency="BTC")
    shop.does("add", product=2)
    assert shop.does("place_order", cart=cart, currency="BTC") == first
    assert shop.value("SELECT count(*) FROM shop_orders") == 1
    assert len(shop.sent("order.created")) == 1
    shop.does("cancel_order", order=first[1]["id"])
    assert shop.does("place_order", cart=cart, currency="BTC") == ("changed", {"total": euros(1200)})


def test_a_price_that_changed_is_asked_about(shop: Shop) -> None:
    shop.does("add", product=1)
    _, cart = shop.does("read_cart")
    shop.database.connection.execute("UPDATE shop_products SET price = 500 WHERE id = 1")
    assert shop.does("place_order", cart=cart, currency="BTC") == ("changed", {"total": euros(500)})
    assert shop.stock(1) == (5, 0)
    shop.does("add", product=2)
    assert shop.does("place_order", cart=cart, currency="BTC") == ("changed", {"total": euros(1700)})
    shop.does("clear")
    assert shop.does("place_order", cart=cart, currency="BTC") == ("empty", {})


@pytest.mark.parametrize("policy", ["reduce", "reject"])
def test_what_is_short_is_told_and_can_be_reduced(shop: Shop, policy: Any) -> None:
    shop.settings = ShopSettings(when_short=policy)
    shop.does("add", product=1, quantity=4)
    shop.does("add", product=2, quantity=1)
    shop.ordered("ben", p1=3)
    _, cart = shop.does("read_cart")
    assert cart["short"]
    assert shop.does("place_order", cart=cart, currency="BTC") == (
        "short",
        {
            "lines": ({"product": 1, "name": "Tea", "wanted": 4, "available": 2},),
            "can_reduce": policy == "reduce",
        },
    )
    assert shop.stock(2) == (2, 0)
    outcome, less = shop.does("reduce_cart")
    assert (outcome, less["total"], less["pieces"]) == ("reduced", euros(2100), 3)
    assert shop.does("place_order", cart=less, currency="BTC")[0] == "placed"
    assert shop.does("reduce_cart") == ("empty", {})


def test_one_open_order_or_as_many_as_the_setting_says(shop: Shop) -> None:
    first = shop.ordered(p1=1)
    shop.does("add", product=1)
    _, cart = shop.does("read_cart")
    outcome, found = shop.does("place_order", cart=cart, currency="BTC")
    assert (outcome, found["id"]) == ("open_order", first)
    assert shop.stock(1) == (5, 1)
    shop.settings = ShopSettings(open_orders=2)
    assert shop.does("place_order", cart=cart, currency="BTC")[0] == "placed"


def test_who_leaves_orders_unpaid_orders_no_more_until_forgiven(shop: Shop) -> None:
    shop.does("add", product=1)
    _, cart = shop.does("read_cart")
    shop.database.connection.execute("UPDATE shop_customers SET strikes = 3")
    assert shop.does("place_order", cart=cart, currency="BTC") == ("blocked", {"strikes": 3})
    assert shop.does("me")[1]["blocked"]
    assert shop.does("forgive", "team", customer="test:nobody") == ("gone", {})
    assert shop.does("forgive", "team", customer="test:anna") == ("forgiven", {"customer": "test:anna", "name": "Anna"})
    assert shop.does("place_order", cart=cart, currency="BTC")[0] == "placed"
    shop.database.connection.execute("UPDATE shop_customers SET blocked = 1")
    assert shop.does("me")[1]["blocked"]
    shop.settings = ShopSettings(strikes=0)
    shop.database.connection.execute("UPDATE shop_customers SET blocked = 0, strikes = 99")
    assert not shop.does("me")[1]["blocked"]


def test_a_cancelled_order_comes_back_into_the_cart(shop: Shop) -> None:
    order = shop.ordered(p1=2, p2=1)
    outcome, done = shop.does("cancel_order", order=order, reason="changed my mind")
    assert (outcome, done["order"]) == ("cancelled", order)
    assert (shop.stock(1), shop.stock(2)) == ((5, 0), (2, 0))
    assert [line["quantity"] for line in shop.does("read_cart")[1]["lines"]] == [2, 1]
    assert shop.does("cancel_order", order=order) == ("too_late", {"status": "cancelled"})
    (signal,) = [each for each in shop.sent("order.cancelled") if isinstance(each, SendSignal)]
    assert (signal.flow, signal.key, signal.otherwise) == ("checkout", order, "")
    again = shop.ordered()
    assert again != order
    shop.does("add", product=2)
    shop.does("cancel_order", order=again)
    assert [line["product"] for line in shop.does("read_cart")[1]["lines"]] == [2], "the cart was not empty"


def test_nobody_cancels_others_orders_or_one_whose_money_is_on_its_way(shop: Shop) -> None:
    order = shop.ordered(p1=2)
    assert shop.does("cancel_order", "ben", order=order) == ("too_late", {"status": "gone"})
    assert shop.does("cancel_order", order="no such") == ("too_late", {"status": "gone"})
    invoice = {"order_id": order, "customer": "test:anna", "status": "new"}
    shop.database.connection.execute(*insert("pay_invoices", **invoice, received="5"))
    assert shop.does("cancel_order", order=order) == ("too_late", {"status": "paying"})
    shop.database.connection.execute("UPDATE pay_invoices SET received = '0', status = 'processing'")
    assert shop.does("cancel_order", order=order) == ("too_late", {"status": "paying"})
    assert shop.stock(1) == (5, 2)


def test_an_order_is_seen_by_its_customer_and_the_team(shop: Shop) -> None:
    order = shop.ordered(p1=2)
    outcome, found = shop.does("order", order=order)
    assert outcome == "found"
    assert (found["status"], found["total"], found["currency"], found["pay_with"]) == (
        "created", euros(900), "EUR", "BTC",
    )  # fmt: skip
    assert found["lines"] == ({"product": 1, "name": "Tea", "price": euros(450), "quantity": 2, "total": euros(900)},)
    shop.database.connection.execute("UPDATE shop_products SET price = 1, name = 'Other' WHERE id = 1")
    assert shop.does("order", order=order)[1]["lines"] == found["lines"]
    assert shop.does("order", "ben", order=order) == ("gone", {})
    assert shop.does("order", "team", order=order)[1]["customer_name"] == "Anna"
    assert shop.does("order", "team", order="no such")[0] == "gone"


def test_me(shop: Shop) -> None:
    outcome, me = shop.does("me")
    assert outcome == "me"
    assert me == {
        "strikes": 0, "limit": 3, "blocked": False, "wallet": None, "covers": False, "open_order": None,
        "open_number": None, "pieces": 0,
    }  # fmt: skip
    order = shop.ordered(p1=1)
    shop.database.connection.execute("UPDATE shop_customers SET wallet = 250, currency = 'EUR', strikes = 1")
    shop.does("add", product=1, quantity=2)
    me = shop.does("me")[1]
    assert (me["wallet"], me["strikes"], me["open_order"], me["pieces"]) == (euros(250), 1, order, 2)
    for wallet, currency, covers in ((899, "EUR", False), (900, "EUR", True), (900, "USD", False)):
        shop.database.connection.execute("UPDATE shop_customers SET wallet = ?, currency = ?", (wallet, currency))
        assert shop.does("me")[1]["covers"] is covers


def test_goods_are_held_for_as_long_as_is_said(shop: Shop) -> None:
    shop.does("add", product=1)
    _, cart = shop.does("read_cart")
    for wrong in (timedelta(seconds=1), timedelta(days=99)):
        with pytest.raises(Refusal, match="hold_for"):
            shop.does("place_order", cart=cart, currency="BTC", hold_for=wrong)
    _, placed = shop.does("place_order", cart=cart, currency="BTC", hold_for=timedelta(hours=2))
    assert placed["expires_at"] == shop.now + timedelta(hours=2)


def test_an_order_that_goes_on_after_all_leaves_the_cart_again(shop: Shop) -> None:
    order = shop.ordered(p1=2)

    async def late() -> None:
        work = shop.work
        for to in ("expired", "created"):
            found = await orders.order(work, order)
            assert found is not None
            assert await orders.move(work, found, to=to, at=shop.now)
            assert not await orders.move(work, found, to=to, at=shop.now), "it was changed since it was read"
            full = shop.value("SELECT count(*) FROM shop_cart_lines")
            assert full == (1 if to == "expired" else 0)
        assert found is not None
        with pytest.raises(ValueError, match="total"):
            await orders.move(work, found, to="paid", at=shop.now, total=1)

    asyncio.run(late())
