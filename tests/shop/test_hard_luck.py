"""What an auditor found: a machine that slept, a shop that goes live with practice orders open. All kept true."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from engine.actions.testing import Slept, Time, service_context
from plugins.payments.clock import keep_time
from plugins.payments.practice import practice_confirm, practice_pay, practice_withdraw
from plugins.payments.records import Gone, Paid
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.shop.till import STOCK, Till

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
