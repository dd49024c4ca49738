"""The catalog of bot.yaml in the tables, the services of the shop, and what its settings refuse."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from engine.actions import Money, SendSignal
from engine.actions.testing import MOMENT, Slept, Time
from plugins.shop.services import catalog, clock
from storage.shop import numbers, stock, stocking
from storage.shop.settings import CatalogCategory, CatalogProduct, CatalogShelf, ShopSettings
from tests.shop.samples import insert
from tests.shop.shelf import Shop


def product(sku: str, **fields: Any) -> CatalogProduct:
    return CatalogProduct(**{"sku": sku, "name": sku.title(), "price": Money(minor=450, asset="EUR"), **fields})


def shelf(*products: CatalogProduct, name: str = "Tea", **fields: Any) -> CatalogCategory:
    return CatalogCategory(name=name, products=list(products), **fields)


def stocked(shop: Shop, *shelves: CatalogCategory) -> int:
    return asyncio.run(stocking.stock_up(shop.work, shelves))


def test_the_catalog_comes_into_the_tables_and_once_only() -> None:
    shop = Shop()
    below = CatalogShelf(name="Green", products=[product("sencha", stock=3)])
    catalog_ = [shelf(product("earl", stock=5), shelves=[below]), shelf(product("cup", stock=1), name="China")]
    assert stocked(shop, *catalog_) == 6
    assert stocked(shop, *catalog_) == 0
    assert [each["name"] for each in shop.lists("categories")] == ["Tea", "China"]
    assert [each["sku"] for each in shop.lists("products")] == ["earl", "sencha", "cup"]
    (green,) = shop.lists("categories", parent=1)
    assert (green["name"], green["products"]) == ("Green", 1)


def test_the_stock_of_known_products_stays() -> None:
    shop = Shop()
    stocked(shop, shelf(product("earl", stock=5)))
    shop.ordered(p1=2)
    assert stocked(shop, shelf(product("earl", stock=50, price=Money(minor=500, asset="EUR")))) == 1
    assert shop.stock(1) == (5, 2)
    assert shop.does("product", product=1)[1]["price"] == Money(minor=500, asset="EUR")


def test_what_goes_from_the_catalog_is_not_sold_any_more_and_can_come_back() -> None:
    shop = Shop()
    shop.stocked(("own", 100, 1))
    stocked(shop, shelf(product("earl", stock=5)), shelf(product("cup", stock=1), name="China"))
    assert stocked(shop, shelf(product("earl", stock=5))) == 2
    assert [each["name"] for each in shop.lists("categories")] == ["Tea"]
    assert [each["sku"] for each in shop.lists("products")] == ["own", "earl"], "the shop's own rows are left alone"
    assert stocked(shop, shelf(product("earl")), shelf(product("cup"), name="China")) == 2
    assert shop.value("SELECT stock FROM shop_products WHERE sku = 'cup'") == 1


def test_codes_are_pieces() -> None:
    shop = Shop()
    stocked(shop, shelf(product("key", stock=99, codes=["K1", "K2", "K2"], delivers="Thank you")))
    assert shop.stock(1) == (2, 0)
    order = shop.ordered(p1=1)
    asyncio.run(stock.sell(shop.work, order))
    assert asyncio.run(stock.goods(shop.work, order)) == ("K1", "Thank you")
    assert shop.does("order", order=order)[1]["goods"] == ("K1", "Thank you")
    assert stocked(shop, shelf(product("key", codes=["K1", "K2", "K3"], delivers="Thank you"))) == 1
    assert shop.stock(1) == (2, 0), "a sold code is not sold again"
    assert asyncio.run(stock.differences(shop.work)) == ()


def test_the_catalog_service_follows_the_settings() -> None:
    shop = Shop(settings=ShopSettings(catalog=[shelf(product("earl", stock=5))]))
    time = Time(ends=MOMENT + timedelta(seconds=40))
    with pytest.raises(Slept):
        asyncio.run(catalog(shop.service(time=time)))
    assert len(time.slept) == 3
    assert [each["sku"] for each in shop.lists("products")] == ["earl"]


def test_no_catalog_leaves_the_tables_alone() -> None:
    shop = Shop()
    shop.stocked(("own", 100, 1))
    with pytest.raises(Slept):
        asyncio.run(catalog(shop.service(time=Time(ends=MOMENT))))
    assert [each["sku"] for each in shop.lists("products")] == ["own"]


def test_an_order_that_never_got_an_invoice_ends_by_the_clock() -> None:
    shop = Shop()
    shop.stocked(("tea", 450, 5), ("cup", 100, 5))
    forgotten, invoiced = shop.ordered(p1=2), shop.ordered("ben", p2=1)
    shop.database.connection.execute(*insert("pay_invoices", order_id=invoiced, customer="test:ben"))
    time = Time(now=MOMENT, ends=MOMENT + timedelta(minutes=29))
    with pytest.raises(Slept):
        asyncio.run(clock(shop.service(time=time)))
    assert shop.stock(1) == (5, 2)
    time.ends = MOMENT + timedelta(minutes=31)
    with pytest.raises(Slept):
        asyncio.run(clock(shop.service(time=time)))
    assert (shop.stock(1), shop.stock(2)) == ((5, 0), (5, 1))
    assert shop.does("order", order=forgotten)[1]["status"] == "expired"
    assert shop.does("order", "ben", order=invoiced)[1]["status"] == "created", "payments judge that one"
    (news,) = shop.sent("payment.expired")
    assert isinstance(news, SendSignal)
    assert (news.key, news.chat, news.payload["status"]) == (forgotten, "test:anna", "expired")
    assert shop.does("me")[1]["strikes"] == 0
    assert shop.does("read_cart")[1]["pieces"] == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (ShopSettings(catalog=[shelf(product("a"), product("a"))]), "“a” stands in the catalog twice"),
        (ShopSettings(catalog=[shelf(product(" a"))]), "1 to 64 characters"),
        (ShopSettings(catalog=[shelf(product("a" * 65))]), "1 to 64 characters"),
        (ShopSettings(catalog=[shelf(product("a", stock=-1))]), "a price or a stock that cannot be"),
        (ShopSettings(catalog=[shelf(name="x" * 101)]), "1 to 100 characters"),
        (ShopSettings(catalog=[shelf(), shelf()]), "“Tea” stands there twice"),
        (ShopSettings(most_pieces=0), "most_pieces"),
        (ShopSettings(open_orders=0), "open_orders"),
        (ShopSettings(strikes=-1), "strikes"),
        (ShopSettings(hold=timedelta(seconds=5)), "hold"),
        (ShopSettings(prefix="no"), "prefix"),
        (ShopSettings(prefix="MUCHTOOLONG"), "prefix"),
    ],
)
def test_settings_that_cannot_be_are_told(settings: ShopSettings, said: str) -> None:
    told = settings.check()
    assert told is not None
    assert said in told


def test_settings_that_can_be() -> None:
    assert ShopSettings().check() is None
    assert ShopSettings(catalog=[shelf(product("a"), shelves=[CatalogShelf(name="Tea")])]).check() is None


def test_numbers_are_drawn_and_not_counted() -> None:
    drawn = iter([0, 31, 10, 5])
    assert numbers.number("S", MOMENT, lambda _: next(drawn)) == "S-261120-0ZA5"
    assert len({numbers.order_id() for _ in range(1000)}) == 1000
    assert all(len(numbers.order_id()) == 20 for _ in range(10))
