"""The shop's measurements run, do the work that they claim and yield figures. How quick it was is for the report."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from storage.shop import invoices, reconcile
from storage.shop.invoices import Bench
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ShopSettings
from storage.sqlite_store import SqliteStore
from tests.benchmarks import shop
from tests.benchmarks.shop_checkout import checkouts
from tests.benchmarks.shop_work import PRODUCTS, Bot, chat_of, fill, running

pytestmark = pytest.mark.benchmark


async def test_invoices_end_and_the_figures_are_there(tmp_path):
    async with shop.places(tmp_path, server=False) as places:
        found = await shop.expiry(places, shop.SQLITE, invoices=20, spread=0.1, lead=0.5, name="20")
    assert len(found) == 4
    assert all(math.isfinite(figure.value) and figure.value >= 0 for figure in found)


async def test_reports_and_checkouts_and_an_idle_shop(tmp_path):
    async with shop.places(tmp_path, server=False) as places:
        found = await shop.reports(places, shop.MEMORY, shop.TINY)
        found += await checkouts(places.bot, shop.MEMORY, count=2)
        found += await shop.idle(places, shop.MEMORY, shop.TINY)
    assert len(found) == 5 + 3 + 1
    assert len({figure.name for figure in found}) == len(found)
    statements = {figure.name.partition(", ")[2]: figure.value for figure in found}
    assert statements["statements of it"] <= 5  # a report without news: counted, so that no busy machine changes it


async def _full(bot: Bot) -> None:
    await fill(bot, 60, begin=-1, spread=0)


@pytest.mark.parametrize("each", [1, 60])
async def test_together_they_end_as_one_by_one(tmp_path, each):
    """The short way for many and the long way for one must leave the same rows."""
    store = SqliteStore(tmp_path / "shop.db")
    bench = Bench(now=datetime.now(UTC) + timedelta(minutes=5), payments=PaymentSettings(), shop=ShopSettings())
    async with running(tmp_path, store, services=False, first=_full) as bot:
        begin, sent = bot.app.runtime.beside.works.begin, []
        bot.app.runtime.beside.works._sent = sent.extend
        ids = sorted(bot.due)
        for start in range(0, len(ids), each):
            before = bot.notes.statements
            async with begin() as work:
                assert await invoices.settle_many(work, ids[start : start + each], bench) == each
        assert each == 1 or bot.notes.statements - before < 40
        async with begin() as work:
            assert await invoices.settle_many(work, ids, bench) == 0
            assert await reconcile.differences(work) == []
            (row,) = await work.query(
                "SELECT (SELECT count(*) FROM pay_invoices WHERE status = 'expired' AND due_at = monitor_until "
                "AND version = 2) AS invoices, (SELECT count(*) FROM shop_orders WHERE status = 'expired' AND "
                "version > 1 AND closed_at = ?) AS orders, (SELECT sum(reserved) FROM shop_products) AS held, "
                "(SELECT count(*) FROM shop_reservations) AS rows, "
                "(SELECT sum(strikes) FROM shop_customers) AS strikes, "
                "(SELECT count(*) FROM shop_cart_lines WHERE quantity = 1 AND added_at = ?) AS carts, "
                "(SELECT min(cart_version) FROM shop_customers) AS version",
                (bench.stamp, bench.stamp),
            )
        assert dict(row) == {
            "invoices": 60, "orders": 60, "held": 0, "rows": 0, "strikes": 60, "carts": 60, "version": 1,
        }  # fmt: skip
        told = sorted((row.name, row.key, row.otherwise) for row in sent)
        assert [row for row in told if row[0]] == sorted(
            ("payment.expired", chat_of(number), "order_news") for number in range(60)
        )
        assert len(told) == 120


async def test_two_orders_of_one_customer_end_one_after_the_other(tmp_path):
    store = SqliteStore(tmp_path / "shop.db")
    bench = Bench(now=datetime.now(UTC) + timedelta(minutes=5), payments=PaymentSettings(), shop=ShopSettings())
    async with running(tmp_path, store, services=False, first=_full) as bot:
        async with bot.app.runtime.beside.works.begin() as work:
            for table in ("shop_orders", "pay_invoices"):
                await work.execute(f"UPDATE {table} SET customer = ?", (chat_of(0),))
            assert await invoices.settle_many(work, bot.due, bench) == 60
            rows = await work.query("SELECT strikes FROM shop_customers WHERE customer = ?", (chat_of(0),))
            lines = await work.query("SELECT product_id FROM shop_cart_lines")
        assert [row["strikes"] for row in rows] == [60]
        assert len(lines) == 1 < PRODUCTS
