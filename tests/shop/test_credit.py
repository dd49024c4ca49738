"""What the shop keeps for a customer: shown, spent once, given back once, paid out; its movements add up."""

import pytest

from engine.actions import Money, Refusal
from plugins.payments.credit import Paid, pay_out, pay_with_credit
from plugins.payments.records import Gone, PaidOut, TooLittle
from storage.shop import balances, cancelling, orders, reconcile
from storage.shop.moments import millis
from tests.shop.till import CHAT, Till


def euros(cents: int) -> Money:
    return Money(minor=cents, asset="EUR")


async def _with_credit(cents: int) -> Till:
    till = Till()
    async with till.work() as work:
        assert await balances.credit(work, CHAT, CHAT, euros(cents), order="", at=millis(till.now))
    return till


def _wallet(till: Till) -> int:
    return int(till.rows("SELECT wallet FROM shop_customers")[0]["wallet"])


def _status(till: Till) -> str:
    return str(till.rows("SELECT status FROM shop_orders ORDER BY id DESC")[0]["status"])


async def _adds_up(till: Till) -> None:
    async with till.work() as work:
        assert await reconcile.differences(work) == []


async def test_credit_pays_for_an_order_once() -> None:
    till = await _with_credit(2_500)
    order = await till.order(2)
    for _ in range(3):
        assert isinstance(await pay_with_credit(till.context(), order=order), Paid)
    assert (_wallet(till), _status(till), till.stock()) == (500, "paid", (8, 0))
    assert (till.news(), till.team()["payment.settled"]) == (["payment.settled"], 1)
    await _adds_up(till)


async def test_too_little_credit_changes_nothing() -> None:
    till = await _with_credit(999)
    order = await till.order()
    assert await pay_with_credit(till.context(), order=order) == TooLittle(credit=euros(999))
    till.rows("UPDATE shop_customers SET currency = 'USD', wallet = 999")
    assert await pay_with_credit(till.context(), order=order) == TooLittle(credit=Money(minor=999, asset="USD"))
    assert (_wallet(till), _status(till), till.stock(), till.news()) == (999, "created", (10, 1), [])
    await _adds_up(till)


async def test_what_is_not_to_be_paid_with_credit() -> None:
    till = await _with_credit(9_000)
    order = await till.order()
    assert await pay_with_credit(till.context(), order="NO SUCH ORDER") == Gone()
    assert await pay_with_credit(till.context(chat="test:2"), order=order) == Gone()
    await till.invoice()
    invoiced = (await till.row()).order
    assert await pay_with_credit(till.context(), order=invoiced) == Gone()
    till.rows("UPDATE shop_orders SET expires_at = ? WHERE id = ?", millis(till.now), order)
    assert await pay_with_credit(till.context(), order=order) == Gone()
    till.rows("UPDATE shop_orders SET expires_at = NULL, status = 'cancelled' WHERE id = ?", order)
    assert await pay_with_credit(till.context(), order=order) == Gone()
    assert _wallet(till) == 9_000


async def test_two_orders_do_not_spend_the_same_credit() -> None:
    till = await _with_credit(1_500)
    first, second = await till.order(), await till.order()
    assert isinstance(await pay_with_credit(till.context(), order=first), Paid)
    assert await pay_with_credit(till.context(), order=second) == TooLittle(credit=euros(500))
    assert _wallet(till) == 500
    await _adds_up(till)


async def test_the_clock_does_not_end_what_is_paid_with_credit() -> None:
    till = await _with_credit(1_000)
    order = await till.order()
    till.rows("UPDATE shop_orders SET expires_at = ?", millis(till.now) + 1)
    assert isinstance(await pay_with_credit(till.context(), order=order), Paid)
    await till.tick(days=3)
    async with till.work() as work:
        assert list(await cancelling.overdue(work, till.now)) == []
        late = await cancelling.cancel(work, order, who="clock", reason="", at=till.now)
    assert (late, _status(till)) == (cancelling.TooLate(status="paid"), "paid")


async def test_cancelled_by_the_shop_it_comes_back_once() -> None:
    till = await _with_credit(1_200)
    order = await till.order()
    assert isinstance(await pay_with_credit(till.context(), order=order), Paid)
    for _ in range(2):
        async with till.work() as work:
            await cancelling.cancel(work, order, who="shop", reason="broken", at=till.now)
    assert (_wallet(till), _status(till), till.stock()) == (1_200, "cancelled", (10, 0))
    assert await pay_with_credit(till.context(), order=order) == Gone()
    await _adds_up(till)


async def test_what_comes_back_to_a_balance_in_another_currency_is_a_case() -> None:
    till = await _with_credit(1_000)
    order = await till.order()
    assert isinstance(await pay_with_credit(till.context(), order=order), Paid)
    async with till.work() as work:
        assert await balances.credit(work, CHAT, CHAT, Money(minor=70, asset="USD"), order="", at=1)
        done = await cancelling.cancel(work, order, who="shop", reason="broken", at=till.now)
    assert isinstance(done, orders.Order)
    assert (_wallet(till), till.cases()) == (70, ["balance"])
    await _adds_up(till)


async def test_a_payout_is_for_the_team_and_is_noted_once() -> None:
    till = await _with_credit(700)
    with pytest.raises(Refusal, match="admin"):
        await pay_out(till.context(), customer=CHAT, note="in cash")
    assert await pay_out(till.context(team=True), customer=CHAT, note="in cash") == PaidOut(amount=euros(700))
    assert await pay_out(till.context(team=True), customer=CHAT, note="in cash") == Gone()
    assert await pay_out(till.context(team=True), customer="test:nobody", note="in cash") == Gone()
    noted = till.rows("SELECT who, reason FROM pay_audit WHERE what = 'pay_out'")
    assert (_wallet(till), noted) == (0, [{"who": CHAT, "reason": f"{CHAT}: in cash"}])
    await _adds_up(till)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE shop_customers SET wallet = wallet + 1",
        "DELETE FROM pay_audit WHERE what = 'balance.spent'",
        "DELETE FROM pay_audit WHERE what = 'balance.credited'",
        "UPDATE shop_orders SET status = 'cancelled'",
    ],
)
async def test_credit_that_does_not_add_up_is_found(damage: str) -> None:
    till = await _with_credit(2_000)
    order = await till.order()
    assert isinstance(await pay_with_credit(till.context(), order=order), Paid)
    await _adds_up(till)
    till.rows(damage)
    async with till.work() as work:
        assert "balance" in {one.kind for one in await reconcile.differences(work)}
