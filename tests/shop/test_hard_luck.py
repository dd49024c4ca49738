"""What an auditor found: a machine that slept, a shop that goes live with practice orders open. All kept true."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from engine.actions import Money
from engine.actions.testing import Slept, Time, service_context
from plugins.payments.clock import keep_time
from plugins.payments.practice import practice_confirm, practice_pay, practice_withdraw
from plugins.payments.records import Chosen, Gone, Invoiced, Outdated, Paid, Quoted
from plugins.payments.selling import choose, create_invoice, quote
from plugins.payments.team import refunded
from plugins.shop.team import cancel_by_shop
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.shop.till import COINS, STOCK, Till

LIVE = {ChainSettings: ChainSettings(BTC=ChainSetting(via="bitcoin", node="NODE", keys="KEYS"))}


def _sleeper(time: Time, jump: timedelta) -> Callable[[float], Awaitable[None]]:
    """The machine stands still during the first sleep; the second is the end."""

    async def sleep(seconds: float) -> None:
        if time.slept:
            raise Slept
        time.slept.append(seconds)
        time.now += jump

    return sleep


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(hours=7)])
async def test_a_machine_that_slept_looks_at_the_chain_before_anything_expires(jump: timedelta) -> None:
    till = Till()
    await till.invoice()
    await till.poll()
    time = Time(now=till.now)
    configured = {PaymentSettings: till.payments, ShopSettings: till.shop}
    paid_meanwhile = await till.pay()
    with pytest.raises(Slept):
        await keep_time(
            service_context(
                database=till.database,
                time=time,
                requests=till.requests,
                configured=configured,
                sleep=_sleeper(time, jump),
            )
        )
    assert (await till.row()).status == "new"
    assert till.news() == []
    till.now = time.now
    till.node.known[paid_meanwhile] = till.node.known.pop(paid_meanwhile)
    await till.mine()  # the watcher looks, and it was paid
    assert (await till.row()).status == "settled"
    assert till.stock() == (STOCK - 1, 0)
    assert till.rows("SELECT strikes FROM shop_customers") == [{"strikes": 0}]
    await till.sane()


async def test_practice_money_buys_nothing_once_the_shop_is_live() -> None:
    till = Till()
    await till.invoice(practice=True)
    order = (await till.row()).order
    assert isinstance(await practice_pay(till.context(configured=LIVE), order=order), Gone)
    assert isinstance(await practice_pay(till.context(), order=order), Paid)
    before = till.rows("SELECT * FROM pay_chains")
    assert isinstance(await practice_confirm(till.context(configured=LIVE), order=order, blocks=10_000), Gone)
    assert isinstance(await practice_withdraw(till.context(configured=LIVE, team=True), order=order), Gone)
    assert till.rows("SELECT * FROM pay_chains") == before  # the real chain's height is nobody's plaything
    assert (await till.row()).status == "processing"
    assert till.stock() == (STOCK, 1)


async def test_a_paid_order_that_the_shop_cancels_is_told_and_paid_back_without_a_false_alarm() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed()
    order = (await till.row()).order
    await cancel_by_shop(till.context(team=True), order=order, reason="broken")
    assert till.news() == ["payment.seen", "payment.settled", "order.cancelled"]  # it was not paid too much
    assert till.team()["payment.refund"] == 1
    assert till.refunds() == [("due", "cancelled", COINS)]
    await refunded(till.context(team=True), refund=1)
    await till.mine()
    assert await till.state() == ("settled", frozenset())
    assert till.cases() == []  # the payment has not disappeared: it was sent back
    assert till.stock() == (STOCK, 0)
    await till.sane()


async def test_many_that_expire_together_count_like_one_by_one() -> None:
    till = Till()
    for _ in range(3):
        await till.invoice(practice=True)
    till.rows("UPDATE shop_customers SET wallet = 0")
    till.rows(
        "INSERT INTO shop_customers (customer, chat, name, language, strikes, blocked, wallet, currency, cart_version) "
        "SELECT 'test:' || id, 'test:' || id, '', 'en', 0, 0, 0, '', 0 FROM pay_invoices WHERE id > 1"
    )
    for table in ("pay_invoices", "shop_orders"):
        till.rows(f"UPDATE {table} SET customer = 'test:' || rowid, chat = 'test:' || rowid")
    await till.tick(minutes=31)
    assert {row["status"] for row in till.rows("SELECT status FROM pay_invoices")} == {"expired"}
    assert till.rows("SELECT strikes FROM shop_customers") == [{"strikes": 1}] * 3
    assert till.stock() == (STOCK, 0)
    assert till.news() == ["payment.expired"] * 3
    await till.sane()


async def test_nobody_gets_an_invoice_for_the_order_of_somebody_else() -> None:
    till = Till()
    order = await till.order()
    quoted = await quote(till.context(), total=Money(minor=1000, asset="EUR"), currency="BTC")
    assert isinstance(quoted, Quoted)
    for who in ("test:2", ""):
        answer = await create_invoice(till.context(chat=who), order=order, quote=quoted.id)
        assert isinstance(answer, Outdated)
    assert till.rows("SELECT id FROM pay_invoices") == []
    assert isinstance(await create_invoice(till.context(), order=order, quote=quoted.id), Invoiced)
    assert isinstance(await create_invoice(till.context(chat="test:2"), order=order, quote=quoted.id), Outdated)


async def test_a_cent_holds_the_goods_once_more_and_not_for_ever() -> None:
    till = Till()
    await till.invoice()
    order = (await till.row()).order
    await till.confirmed(percent=1)
    await till.pass_(minutes=50)
    assert (await till.row()).status == "expired"
    first = await choose(till.context(), order=order, choice="wait")
    assert isinstance(first, Chosen)
    assert (first.status, till.stock()) == ("new", (STOCK, 1))
    await till.pass_(minutes=16)
    second = await choose(till.context(), order=order, choice="wait")
    assert isinstance(second, Chosen)
    assert (second.status, till.stock()) == ("expired", (STOCK, 0))
    await till.sane()
