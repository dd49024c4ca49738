"""The same customer, the same order, at the same moment in two transactions: on PostgreSQL, where both really run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.actions import Money, Work
from engine.actions.context import Voiced
from storage.postgres_store import PostgresStore
from storage.shop import cancelling, carts, checkout, customers, orders, stock
from storage.shop.settings import ShopSettings
from tests.shop.samples import insert

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SETTINGS = ShopSettings()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    opened = PostgresStore(database_url)
    await opened.open()
    async with opened.transaction() as transaction:
        await transaction.execute(*insert("shop_products", category_id=None, stock=10, reserved=0))
        work = Voiced(transaction, [])
        await customers.ensure(work, "test:1", name="Anna", language="en")
        await carts.put(work, "test:1", 1, 3, NOW)
    yield opened
    await opened.close()


async def both(store: PostgresStore, one: Callable[[Work], Awaitable[Any]], other: Any = None) -> list[Any]:
    """Two transactions that begin before either of them does anything."""
    begun = asyncio.Barrier(2)

    async def act(deed: Callable[[Work], Awaitable[Any]]) -> Any:
        async with store.transaction() as transaction:
            await transaction.query("SELECT 1 AS one")
            await begun.wait()
            return await deed(Voiced(transaction, []))

    return list(await asyncio.gather(act(one), act(other or one)))


def wish(version: int = 1) -> checkout.Wish:
    return checkout.Wish(
        customer="test:1",
        version=version,
        total=Money(minor=1350, asset="EUR"),
        pay_with="BTC",
        hold=timedelta(minutes=30),
        now=NOW,
    )


async def numbers(store: PostgresStore) -> tuple[int, int, int]:
    """In stock, reserved, orders; the books agree."""
    async with store.transaction() as transaction:
        assert await stock.differences(Voiced(transaction, [])) == ()
        (row,) = await transaction.query(
            "SELECT stock, reserved, (SELECT count(*) FROM shop_orders) AS orders FROM shop_products"
        )
    return int(str(row["stock"])), int(str(row["reserved"])), int(str(row["orders"]))


async def placed(store: PostgresStore) -> str:
    async with store.transaction() as transaction:
        answer = await checkout.place(Voiced(transaction, []), wish(), SETTINGS)
    assert isinstance(answer, checkout.Placed)
    return answer.order.id


async def test_a_cart_confirmed_on_two_devices_at_once_is_one_order(store: PostgresStore) -> None:
    one, other = await both(store, lambda work: checkout.place(work, wish(), SETTINGS))
    assert one.order.id == other.order.id
    assert {one.again, other.again} == {True, False}
    assert await numbers(store) == (10, 3, 1)


@pytest.mark.parametrize("deed", [stock.release, stock.sell, stock.restock], ids=lambda deed: deed.__name__)
async def test_what_two_do_at_once_is_done_once(store: PostgresStore, deed: Any) -> None:
    order = await placed(store)
    if deed is stock.restock:
        async with store.transaction() as transaction:
            await stock.sell(Voiced(transaction, []), order)
    done = await both(store, lambda work: deed(work, order))
    assert sorted(done) == [False, True]
    assert await numbers(store) == ((7, 0, 1) if deed is stock.sell else (10, 0, 1)) or deed is stock.release


async def test_two_retake_at_once(store: PostgresStore) -> None:
    order = await placed(store)
    async with store.transaction() as transaction:
        await stock.release(Voiced(transaction, []), order)
    assert await both(store, lambda work: stock.retake(work, order, NOW)) == [True, True]
    assert (await numbers(store))[:2] == (10, 3)


async def test_sold_or_let_go_but_not_both(store: PostgresStore) -> None:
    order = await placed(store)
    done = await both(store, lambda work: stock.sell(work, order), lambda work: stock.release(work, order))
    assert sorted(done) == [False, True]
    assert (await numbers(store))[:2] == ((7, 0) if done[0] else (10, 0))


async def test_cancelled_once(store: PostgresStore) -> None:
    order = await placed(store)
    done = await both(
        store, lambda work: cancelling.cancel(work, order, who="customer", reason="", at=NOW + timedelta(minutes=1))
    )
    assert sorted(type(each).__name__ for each in done) == ["Order", "TooLate"]
    assert (await numbers(store))[:2] == (10, 0)
    async with store.transaction() as transaction:
        found = await orders.order(Voiced(transaction, []), order)
    assert found is not None
    assert (found.status, found.version) == ("cancelled", 2)


@pytest.mark.parametrize(("who", "answer"), [("customer", "Order"), ("clock", "TooLate")])
async def test_who_cancels_while_the_invoice_is_being_made_waits_for_it(
    store: PostgresStore, who: cancelling.Who, answer: str
) -> None:
    order = await placed(store)

    async def cancel() -> object:
        async with store.transaction() as transaction:
            at = NOW + timedelta(minutes=31)
            return await cancelling.cancel(Voiced(transaction, []), order, who=who, reason="", at=at)

    async with store.transaction() as transaction:  # as payments.create_invoice does
        work = Voiced(transaction, [])
        found = await orders.order(work, order)
        assert found is not None
        assert await orders.move(work, found, to="created", at=NOW, expires_at=NOW + timedelta(hours=1))
        cancelling_ = asyncio.create_task(cancel())
        while not await transaction.query("SELECT 1 AS one FROM pg_locks WHERE NOT granted"):
            assert not cancelling_.done()
            await asyncio.sleep(0.01)
    assert type(await cancelling_).__name__ == answer
    assert (await numbers(store))[:2] == ((10, 0) if answer == "Order" else (10, 3))


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ("UPDATE shop_products SET price = 500", checkout.Changed(total=Money(minor=1500, asset="EUR"))),
        ("UPDATE shop_products SET active = 0", checkout.Short),
        ("UPDATE shop_products SET stock = 2", checkout.Short),
        ("UPDATE shop_customers SET strikes = 3", checkout.Blocked(strikes=3)),
        ("UPDATE shop_customers SET cart_version = 2", checkout.Changed(total=Money(minor=1350, asset="EUR"))),
    ],
)
async def test_what_changes_while_an_order_waits_for_its_turn_is_seen(
    store: PostgresStore, change: str, answer: object
) -> None:
    async def place() -> checkout.Answer:
        async with store.transaction() as transaction:
            return await checkout.place(Voiced(transaction, []), wish(), SETTINGS)

    async with store.transaction() as transaction:
        await transaction.execute(change)
        placing = asyncio.create_task(place())
        while not await transaction.query("SELECT 1 AS one FROM pg_locks WHERE NOT granted"):
            assert not placing.done()
            await asyncio.sleep(0.01)
    found = await placing
    assert found == answer or type(found) is answer
    assert (await numbers(store))[1:] == (0, 0)
    async with store.transaction() as transaction:
        left = await carts.read(Voiced(transaction, []), "test:1")
    assert left is not None
    assert left.version == (2 if "cart_version" in change else 1)
