"""The actions of payments as flows call them: coins, quotes, invoices, practice money, the team's deeds, the clock."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.actions import BadArgument, Money, Page, Refusal
from engine.actions.context import SendSignal
from engine.actions.discovery import builtin_catalog
from engine.actions.testing import MOMENT, Slept, Time, service_context
from plugins.payments.clock import keep_time
from plugins.payments.practice import practice_confirm, practice_orders, practice_pay, practice_withdraw
from plugins.payments.records import (
    Chosen,
    Clean,
    Confirmed,
    Differences,
    Expired,
    Found,
    Gone,
    Invoiced,
    NoAddress,
    Paid,
    Quoted,
    Refunded,
    Refused,
    Resolved,
    Revealed,
    TooLate,
    Withdrawn,
)
from plugins.payments.selling import choose, create_invoice, currencies, invoice, quote
from plugins.payments.team import (
    confirm_by_hand,
    differences,
    expire_now,
    open_cases,
    open_refunds,
    reconcile_all,
    refunded,
    resolve,
    reveal_key,
)
from storage.shop.policy import Deeper, LateRule, LateWhen, Partial, PaymentSettings, Rates, Tolerance, complaints
from storage.shop.rules import dump, load, rules
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.shop.till import CHAT, COINS, STOCK, Till, settings

EUR = "EUR"
PAGE = Page()


async def _sold(till: Till, quantity: int = 1) -> str:
    """An order with an invoice over practice money."""
    order = await till.order(quantity)
    total = Money(minor=1000 * quantity, asset=EUR)
    quoted = await quote(till.context(idempotency_key=order), total=total, currency="BTC")
    assert isinstance(quoted, Quoted)
    made = await create_invoice(till.context(), order=order, quote=quoted.id)
    assert isinstance(made, Invoiced)
    assert made.practice
    return order


async def test_everything_is_offered_with_its_arguments() -> None:
    catalog = builtin_catalog()
    offered = {name.removeprefix("payments.") for name in (*catalog.actions, *catalog.sources) if "payments." in name}
    assert offered == {
        "currencies", "quote", "create_invoice", "invoice", "choose", "practice_pay", "practice_confirm",
        "practice_withdraw", "practice_orders", "expire_now", "confirm_by_hand", "cases", "resolve", "refunds",
        "refunded", "differences", "reconcile", "reveal_key", "pay_with_credit", "pay_out",
    }  # fmt: skip
    assert "/cryptoprocessing/order_payment" in catalog.webhooks
    assert {"payments.clock", "payments.rates"} <= set(catalog.services)
    assert catalog.settings["payments"].kind is PaymentSettings


async def test_the_coins_of_the_shop() -> None:
    found = await currencies(Till().context())
    assert [(one.id, one.name, one.practice) for one in found] == [("BTC", "Bitcoin", True), ("ETH", "Ether", True)]


async def test_practice_money_from_order_to_goods() -> None:
    till = Till()
    order = await _sold(till)
    found = await invoice(till.context(), order=order)
    assert isinstance(found, Found)
    assert (found.status, found.amount, found.rest) == ("new", Money(minor=COINS, asset="BTC"), found.amount)
    assert found.uri.startswith(f"bitcoin:{found.address}?amount=0.0002")
    assert [one.order for one in await practice_orders(till.context())] == [order]
    paid = await practice_pay(till.context(), order=order, percent=Decimal(60))
    assert isinstance(paid, Paid)
    partial = await invoice(till.context(), order=order)
    assert (partial.flags, partial.rest.minor) == (["partial"], COINS * 4 // 10)
    assert "amount=0.00008" in partial.uri
    await practice_pay(till.context(), order=order, percent=Decimal(40))
    assert await practice_confirm(till.context(), order=order) == Confirmed(status="settled")
    done = await invoice(till.context(), order=order)
    assert (done.status, done.confirmations, done.needed, done.rest.minor) == ("settled", 1, 1, 0)
    assert (till.stock(), till.order_status()) == ((STOCK - 1, 0), "paid")
    assert till.news() == ["payment.partial", "payment.seen", "payment.settled"]
    await till.sane()


async def test_practice_money_that_disappears() -> None:
    till = Till()
    order = await _sold(till)
    await practice_pay(till.context(), order=order)
    assert await practice_withdraw(till.context(), order=order) == Withdrawn(status="new")
    assert till.news()[-1] == "payment.withdrawn"
    await practice_pay(till.context(), order=order)
    assert await practice_confirm(till.context(), order=order) == Confirmed(status="settled")
    await till.sane()


async def test_practice_needs_sensible_numbers_and_practice_invoices() -> None:
    till = Till()
    order = await _sold(till)
    for percent in (Decimal(0), Decimal(-5), Decimal(10_001)):
        with pytest.raises(BadArgument):
            await practice_pay(till.context(), order=order, percent=percent)
    with pytest.raises(BadArgument):
        await practice_confirm(till.context(), order=order, blocks=0)
    number = await till.invoice()  # a real one
    real = (await till.row(number)).order
    for action in (practice_pay, practice_confirm, practice_withdraw):
        assert isinstance(await action(till.context(), order=real), Gone)
        assert isinstance(await action(till.context(), order="nothing"), Gone)


async def test_somebody_elses_order_is_not_there() -> None:
    till = Till()
    order = await _sold(till)
    stranger = till.context(chat="test:2")
    assert isinstance(await invoice(stranger, order=order), Gone)
    assert isinstance(await practice_pay(stranger, order=order), Gone)
    assert isinstance(await choose(stranger, order=order, choice="refund"), Gone)
    assert await practice_orders(stranger) == []
    assert isinstance(await invoice(till.context(chat="test:2", team=True), order=order), Found)


async def test_a_coin_without_an_address_is_told_and_leaves_nothing() -> None:
    till = Till()
    order = await till.order()
    chains = {ChainSettings: ChainSettings(BTC=ChainSetting(via="bitcoin", node="NODE", keys="NOT_THERE"))}
    total = Money(minor=1000, asset=EUR)
    quoted = await quote(till.context(configured=chains), total=total, currency="BTC")
    answer = await create_invoice(till.context(configured=chains), order=order, quote=quoted.id)
    assert isinstance(answer, NoAddress)
    assert answer.reason
    assert till.rows("SELECT id FROM pay_invoices") == []
    assert till.rows("SELECT pay_with, expires_at, version FROM shop_orders") == [
        {"pay_with": "", "expires_at": None, "version": 1}
    ]


TEAM: list[tuple[Any, dict[str, Any]]] = [
    (expire_now, {"order": "x", "reason": "r"}),
    (confirm_by_hand, {"order": "x", "reason": "r"}),
    (open_cases, {"page": PAGE}),
    (resolve, {"case": 1, "choice": "keep", "reason": "r"}),
    (open_refunds, {"page": PAGE}),
    (refunded, {"refund": 1}),
    (differences, {}),
    (reconcile_all, {}),
    (reveal_key, {"order": "x", "reason": "r"}),
]


@pytest.mark.parametrize(("offer", "arguments"), TEAM)
async def test_only_the_team_may(offer: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="admin"):
        await offer(Till().context(), **arguments)


async def test_the_team_ends_an_order() -> None:
    till = Till()
    await till.invoice()
    order = (await till.row()).order
    assert isinstance(await expire_now(till.context(team=True), order=order, reason="asked by phone"), Expired)
    assert (till.stock(), till.order_status()) == ((STOCK, 0), "expired")
    assert await expire_now(till.context(team=True), order=order, reason="again") == TooLate(status="expired")
    assert isinstance(await expire_now(till.context(team=True), order="nothing", reason=""), Gone)
    (row,) = till.rows("SELECT who, what, order_id, reason FROM pay_audit")
    assert row == {"who": CHAT, "what": "expire_now", "order_id": order, "reason": "asked by phone"}


async def test_the_team_confirms_by_hand() -> None:
    till = Till()
    await till.invoice()
    order = (await till.row()).order
    answer = await confirm_by_hand(till.context(team=True), order=order, reason="cash")
    assert answer == Confirmed(status="settled")
    assert await till.state() == ("settled", frozenset({"marked"}))
    assert (till.stock(), till.order_status()) == ((STOCK - 1, 0), "paid")
    assert await confirm_by_hand(till.context(team=True), order=order, reason="cash") == TooLate(status="settled")
    await till.confirmed()  # the coins come after all: they pay for it
    assert till.refunds() == []
    await till.sane()


async def test_refunds_are_listed_and_closed_once() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed(percent=150)
    page = await open_refunds(till.context(team=True), page=PAGE)
    (one,) = page.items
    assert (page.total, one.amount, one.reason) == (1, Money(minor=COINS // 2, asset="BTC"), "over")
    answer = await refunded(till.context(team=True), refund=one.id, note="tx 1")
    assert answer == Refunded(amount=Money(minor=COINS // 2, asset="BTC"))
    assert isinstance(await refunded(till.context(team=True), refund=one.id, note="tx 2"), Gone)
    assert isinstance(await refunded(till.context(team=True), refund=99, note=""), Gone)
    assert (await open_refunds(till.context(team=True), page=PAGE)).total == 0
    assert till.news().count("order.refund") == 1
    await till.sane()


async def test_cases_are_listed_and_answered_once() -> None:
    till = Till(settings(late=[LateRule(do="ask")]))
    await till.invoice()
    await till.pass_(minutes=31)
    await till.confirmed()
    page = await open_cases(till.context(team=True), page=PAGE)
    assert [(one.kind, one.order) for one in page.items] == [("late", "ORDER000000000000001")]
    assert (await open_cases(till.context(team=True), page=Page(search="nothing"))).total == 0
    answer = await resolve(till.context(team=True), case=page.items[0].id, choice="keep", reason="a fee")
    assert answer == Resolved(status="expired")
    assert till.refunds() == [("kept", "late", COINS)]
    again = await resolve(till.context(team=True), case=page.items[0].id, choice="accept", reason="")
    assert isinstance(again, Gone)
    await till.sane()


async def test_waiting_for_goods_that_come_back() -> None:
    till = Till(stock=1)
    await till.invoice()
    await till.pass_(minutes=31)
    await till.invoice()
    await till.confirmed(1)
    chosen = await choose(till.context(), order="ORDER000000000000001", choice="wait")
    assert isinstance(chosen, Chosen)
    assert (await till.row(1)).status == "expired"
    await till.pass_(minutes=31)  # the other one did not pay
    await till.pass_(minutes=11)
    assert (await till.row(1)).status == "settled"
    assert till.refunds(1) == []
    await till.sane()


async def test_credit_is_never_more_than_the_coins_are_worth_now() -> None:
    till = Till()
    await till.invoice()
    await till.pass_(minutes=31)
    till.payments = settings(rates=Rates(fixed={"BTC": Money(minor=2_500_000, asset=EUR)}, sources=[]))
    await till.confirmed()
    await choose(till.context(), order="ORDER000000000000001", choice="credit")
    assert till.rows("SELECT wallet, currency FROM shop_customers") == [{"wallet": 500, "currency": EUR}]
    assert isinstance(await choose(till.context(), order="ORDER000000000000001", choice="credit"), Gone)
    await till.sane()


async def test_reconciliation_as_the_team_sees_it() -> None:
    till = Till()
    await till.invoice()
    assert await reconcile_all(till.context(team=True)) == Clean()
    till.rows("UPDATE shop_products SET reserved = 3")
    answer = await reconcile_all(till.context(team=True))
    assert isinstance(answer, Differences)
    assert (answer.count, answer.lines[0].split(":")[0]) == (1, "stock")
    assert [one.kind for one in await differences(till.context(team=True))] == ["stock"]


async def test_a_key_is_never_shown_in_a_chat() -> None:
    till = Till()
    practice = await _sold(till)
    assert isinstance(await reveal_key(till.context(team=True), order=practice, reason="x"), Refused)
    assert isinstance(await reveal_key(till.context(team=True), order="nothing", reason="x"), Refused)
    await till.invoice()
    answer = await reveal_key(till.context(team=True), order="ORDER000000000000002", reason="lost wallet")
    assert answer == Revealed(order="ORDER000000000000002", command="stepgram keys reveal ORDER000000000000002")
    assert till.rows("SELECT what FROM pay_audit") == [{"what": "reveal_key_asked"}]


# --- the clock -------------------------------------------------------------------------------------------


def _clock(till: Till, ends: timedelta) -> Any:
    configured: dict[type[Any], object] = {PaymentSettings: till.payments, ShopSettings: till.shop}
    time = Time(now=till.now, ends=till.now + ends)
    return service_context(database=till.database, time=time, requests=till.requests, configured=configured)


async def test_the_clock_is_never_a_second_late_among_ten_thousand() -> None:
    till = Till(stock=300)
    for number in range(200):
        till.now = MOMENT + timedelta(milliseconds=137 * number)
        await till.invoice(practice=True)
    till.now = MOMENT
    columns = (
        "order_id, customer, chat, asset, address, path, amount, total, currency, rate, created_at, expires_at, "
        "monitor_until, status, flags, received, confirmed, extended, warned, policy, due_at, version"
    )
    copied = columns.replace("order_id", "'X' || n.v").replace("address", "'Y' || n.v").replace("due_at", "due_at * 2")
    till.rows(
        f"INSERT INTO pay_invoices ({columns}) SELECT {copied} FROM pay_invoices, (WITH RECURSIVE c(v) AS "
        "(SELECT 1 UNION ALL SELECT v + 1 FROM c WHERE v < 9800) SELECT v FROM c) n WHERE pay_invoices.id = 1"
    )
    with pytest.raises(Slept):
        await keep_time(_clock(till, timedelta(minutes=32)))
    late = till.rows(
        "SELECT o.closed_at - i.expires_at AS late FROM pay_invoices i JOIN shop_orders o ON o.id = i.order_id "
        "WHERE i.status = 'expired'"
    )
    assert len(late) == 200
    assert 0 <= min(row["late"] for row in late) <= max(row["late"] for row in late) <= 1000
    told = [one for one in till.requests if isinstance(one, SendSignal)]
    assert [sum(1 for one in told if one.name == name) for name in ("payment.warning", "payment.expired")] == [200, 200]


async def test_a_damaged_row_does_not_stop_the_clock() -> None:
    till = Till()
    await till.invoice(practice=True)
    await till.invoice(practice=True)
    till.rows("UPDATE pay_invoices SET policy = '{}' WHERE id = 1")
    with pytest.raises(Slept):
        await keep_time(_clock(till, timedelta(minutes=31)))
    statuses = [row["status"] for row in till.rows("SELECT status FROM pay_invoices ORDER BY id")]
    assert statuses == ["new", "expired"]


# --- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (PaymentSettings(expires=timedelta(seconds=1), warning=timedelta(0)), "payments.expires"),
        (PaymentSettings(warning=timedelta(hours=1)), "payments.warning"),
        (PaymentSettings(monitor=timedelta(minutes=1)), "payments.monitor"),
        (PaymentSettings(partial=Partial(times=-1)), "payments.partial"),
        (PaymentSettings(quote_for=timedelta(0)), "payments.quote_for"),
        (PaymentSettings(unseen=timedelta(seconds=-1)), "payments: unseen"),
        (PaymentSettings(confirmations={"BTC": -1}), "confirmations: BTC"),
        (PaymentSettings(deeper=[Deeper(above=Money(minor=1, asset=EUR), blocks=-1)]), "payments.deeper"),
        (PaymentSettings(tolerance=Tolerance(under=Decimal(100))), "tolerance.under"),
        (PaymentSettings(minimum=[Money(minor=1, asset="BTC")] * 2), "BTC is there twice"),
        (PaymentSettings(late=[]), "payments.late is empty"),
        (PaymentSettings(late=[LateRule(do="ask"), LateRule(do="credit")]), "never reached"),
        (PaymentSettings(late=[LateRule(do="ask", when=LateWhen(stock=True))]), "last rule must hold always"),
        (PaymentSettings(late=[LateRule(do="accept", when=LateWhen(stock=False)), LateRule(do="ask")]), "not in stock"),
        (PaymentSettings(rates=Rates(sources=[])), "neither fixed prices nor sources"),
        (PaymentSettings(rates=Rates(fixed={"BTC": Money(minor=0, asset=EUR)})), "more than 0"),
        (PaymentSettings(rates=Rates(fixed={"BTC": Money(minor=1, asset="ETH")})), "in a currency"),
        (PaymentSettings(rates=Rates(at_least=4)), "at_least"),
        (PaymentSettings(rates=Rates(spread=Decimal(-1))), "spread"),
        (PaymentSettings(rates=Rates(age=timedelta(seconds=1))), "every must be"),
        (PaymentSettings(rates=Rates(urls={"elsewhere": "x"})), "no source elsewhere"),
    ],
)
def test_senseless_settings_are_told(given: PaymentSettings, said: str) -> None:
    (sentence,) = complaints(given)
    assert said in sentence
    assert given.check() == sentence


def test_the_usual_settings_are_sensible() -> None:
    assert PaymentSettings().check() is None
    assert settings().check() is None


def test_an_invoice_keeps_its_rules() -> None:
    given = PaymentSettings(
        deeper=[
            Deeper(above=Money(minor=50_000, asset=EUR), blocks=3),
            Deeper(above=Money(minor=10**8, asset="BTC"), blocks=6, asset="BTC"),
            Deeper(above=Money(minor=1, asset="USD"), blocks=99),
        ],
        tolerance=Tolerance(under=Decimal("0.5")),
        late=[LateRule(do="credit", when=LateWhen(below=Money(minor=1, asset="USD"))), LateRule(do="ask")],
    )
    for total, amount, needed in ((50_000, 1, 1), (50_001, 1, 3), (50_001, 10**8 + 1, 6)):
        found = rules(
            given, amount=Money(minor=amount, asset="BTC"), total=Money(minor=total, asset=EUR), practice=False
        )
        assert found.needed == needed
        assert found.least == -(-amount * 995 // 1000)
        assert [rule.do for rule in found.late] == ["ask"]
        assert load(dump(found)) == found
    for text in ("", "{}", "[]", "null", '{"needed": "x"}'):
        with pytest.raises(ValueError, match="cannot be read"):
            load(text)
