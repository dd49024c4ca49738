"""The 34 cases of a payment's life, each with its number: invoice, stock, order, money and who is told what.

Numbers 10 to 12 are told over a real HTTP server in test_webhook.py; 16, 17 and 32 with everybody at once in
test_cases_racing.py, too.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from engine.actions import Money
from engine.actions.context import SendSignal
from plugins.payments.records import Expired, Found, Gone, NotInStock, Outdated, TooLate, TooSmall, Unavailable
from plugins.payments.selling import choose, create_invoice, invoice, quote
from plugins.payments.team import confirm_by_hand, expire_now, resolve
from plugins.shop.records import NotReady
from plugins.shop.team import ship_order
from storage.shop import books, facts, orders
from storage.shop.policy import LateRule, LateWhen, Partial, Rates, Tolerance
from storage.shop.settings import ChainSetting, ChainSettings
from tests.shop.till import COINS, STOCK, Till, settings

Case = Callable[[], Awaitable[None]]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    def keep(function: Case) -> Case:
        CASES[name] = function
        return function

    return keep


@pytest.mark.parametrize("name", [f"case-{number:02d}" for number in range(1, 35) if number not in (10, 11, 12)])
async def test_case(name: str) -> None:
    found = [function for known, function in CASES.items() if known.startswith(name)]
    assert found, f"{name} is not told anywhere"
    for function in found:
        await function()


@case("case-01")
async def exact_not_confirmed() -> None:
    till = Till()
    await till.invoice()
    await till.seen()
    assert await till.state() == ("processing", frozenset())
    assert till.stock() == (STOCK, 1)
    assert till.news() == ["payment.seen"]
    await till.pass_(hours=2)  # the timer is stopped
    assert (await till.row()).status == "processing"
    assert till.stock() == (STOCK, 1)
    await till.sane()


@case("case-02")
async def exact_confirmed() -> None:
    till = Till()
    await till.invoice(2)
    await till.confirmed()
    assert await till.state() == ("settled", frozenset())
    assert till.stock() == (STOCK - 2, 0)
    assert till.order_status() == "paid"
    assert till.news() == ["payment.seen", "payment.settled"]
    await till.mine(3)
    await till.poll()
    assert till.news().count("payment.settled") == 1
    assert till.refunds() == []
    await till.sane()


@case("case-03")
async def under_by_little() -> None:
    till = Till(settings(tolerance=Tolerance(under=Decimal(1))))
    await till.invoice()
    till.node.send((await till.row()).address, COINS - COINS // 100)
    await till.mine()
    assert await till.state() == ("settled", frozenset({"tolerated"}))
    assert till.order_status() == "paid"
    assert till.refunds() == []
    strict = Till(settings(tolerance=Tolerance(under=Decimal(1))))
    await strict.invoice()
    strict.node.send((await strict.row()).address, COINS - COINS // 100 - 1)
    await strict.mine()
    assert await strict.state() == ("new", frozenset({"partial"}))
    await till.sane()
    await strict.sane()


@case("case-04")
async def partial() -> None:
    till = Till()
    await till.invoice()
    before = await till.row()
    await till.seen(percent=60)
    after = await till.row()
    assert await till.state() == ("new", frozenset({"partial"}))
    assert after.address == before.address
    assert after.expires_at - before.expires_at == 15 * 60_000
    assert till.stock() == (STOCK, 1)
    assert till.news() == ["payment.partial"]
    await till.seen(percent=10)
    assert (await till.row()).expires_at == after.expires_at  # once only
    assert till.news() == ["payment.partial", "payment.partial"]
    found = await invoice(till.context(), order=after.order)
    assert isinstance(found, Found)
    assert found.rest.minor == COINS - COINS * 60 // 100 - COINS * 10 // 100
    await till.sane()


@case("case-05")
async def partial_and_the_rest() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed(percent=60)
    await till.seen(percent=40)
    assert await till.state() == ("processing", frozenset())
    await till.mine()
    assert await till.state() == ("settled", frozenset())
    assert till.news() == ["payment.partial", "payment.seen", "payment.settled"]
    assert till.stock() == (STOCK - 1, 0)
    await till.sane()


@case("case-06")
async def partial_then_expiry() -> None:
    for choice, wallet in (("refund", 0), ("credit", 600), ("wait", 0)):
        till = Till()
        await till.invoice()
        await till.confirmed(percent=60)
        await till.pass_(minutes=46)
        assert await till.state() == ("expired", frozenset({"partial"}))
        assert till.stock() == (STOCK, 0)
        assert till.order_status() == "expired"
        assert till.refunds() == [("due", "partial", COINS * 60 // 100)]
        chosen = await choose(till.context(), order=(await till.row()).order, choice=choice)
        assert not isinstance(chosen, Gone)
        assert till.rows("SELECT wallet FROM shop_customers")[0]["wallet"] == wallet
        if choice == "wait":
            assert await till.state() == ("new", frozenset({"partial"}))
            assert (till.stock(), till.refunds()) == ((STOCK, 1), [])
            await till.confirmed(percent=40)
            assert await till.state() == ("settled", frozenset())
        else:
            assert till.refunds()[0][0] == {"refund": "due", "credit": "credited"}[choice]
        await till.sane()


@case("case-06 and the rest after all")
async def refund_chosen_then_paid() -> None:
    """Who wants the money back and then pays the rest gets all of it back: the wish counts until people say else."""
    till = Till()
    await till.invoice()
    await till.confirmed(percent=60)
    await till.pass_(minutes=46)
    await choose(till.context(), order=(await till.row()).order, choice="refund")
    await till.confirmed(percent=40)
    assert await till.state() == ("expired", frozenset({"late"}))
    assert till.stock() == (STOCK, 0)
    assert sum(amount for _, _, amount in till.refunds()) == COINS
    await till.sane()


@case("case-07")
async def over() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed(percent=120)
    assert await till.state() == ("settled", frozenset({"over"}))
    assert till.refunds() == [("due", "over", COINS * 20 // 100)]
    assert "payment.over" in till.news()
    assert till.order_status() == "paid"
    dust = Till()
    await dust.invoice()
    dust.node.send((await dust.row()).address, COINS + 1000)
    await dust.mine()
    assert await dust.state() == ("settled", frozenset())
    assert dust.refunds() == [("kept", "over", 1000)]
    assert "payment.over" not in dust.news()
    credited = Till(settings(over="credit"))
    await credited.invoice()
    await credited.confirmed(percent=150)
    assert credited.refunds() == [("credited", "over", COINS // 2)]
    assert credited.rows("SELECT wallet FROM shop_customers")[0]["wallet"] == 500
    kept = Till(settings(over="keep"))
    await kept.invoice()
    await kept.confirmed(percent=150)
    assert kept.refunds() == [("kept", "over", COINS // 2)]
    for one in (till, dust, credited, kept):
        await one.sane()


@case("case-08")
async def paid_twice() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed()
    told = len(till.requests)
    await till.confirmed()
    assert await till.state() == ("settled", frozenset({"over"}))
    assert till.stock() == (STOCK - 1, 0)
    assert till.refunds() == [("due", "double", COINS)]
    assert len(till.requests) == told + 2  # customer and team, once
    await till.poll()
    await till.mine()
    assert len(till.requests) == told + 2
    await till.sane()


@case("case-09")
async def the_same_again() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed()
    before = (till.rows("SELECT count(*) AS n FROM pay_ledger"), len(till.requests), await till.row())
    for _ in range(5):
        assert await till.poll() == 0
    assert (till.rows("SELECT count(*) AS n FROM pay_ledger"), len(till.requests), await till.row()) == before


@case("case-13")
async def late_and_accepted() -> None:
    till = Till()
    await till.invoice()
    await till.pass_(minutes=31)
    assert (await till.state(), till.stock(), till.order_status()) == (("expired", frozenset()), (STOCK, 0), "expired")
    await till.seen()
    assert await till.state() == ("processing", frozenset({"late"}))
    assert (till.stock(), till.order_status()) == ((STOCK, 1), "created")
    await till.mine()
    assert await till.state() == ("settled", frozenset({"late"}))
    assert (till.stock(), till.order_status(), till.refunds()) == ((STOCK - 1, 0), "paid", [])
    await till.sane()


@case("case-14 no stock")
async def late_and_sold() -> None:
    till = Till(stock=1)
    await till.invoice()
    await till.pass_(minutes=31)
    await till.invoice()  # somebody else takes the last one
    await till.confirmed(1)
    assert await till.state() == ("expired", frozenset({"late"}))
    assert till.refunds() == [("due", "late", COINS)]
    assert till.cases() == ["late"]
    assert till.news().count("payment.late") == 1
    accepted = await resolve(till.context(team=True), case=1, choice="accept", reason="please")
    assert isinstance(accepted, NotInStock)
    credited = await resolve(till.context(team=True), case=1, choice="credit", reason="sold out")
    assert not isinstance(credited, NotInStock | Gone)
    assert till.refunds() == [("credited", "late", COINS)]
    assert till.rows("SELECT wallet FROM shop_customers")[0]["wallet"] == 1000
    await till.sane()


@case("case-14 drift")
async def late_and_dearer() -> None:
    till = Till()
    await till.invoice()
    await till.pass_(minutes=31)
    till.payments = settings(rates=Rates(fixed={"BTC": Money(minor=4_000_000, asset="EUR")}, sources=[]))
    await till.confirmed()
    assert await till.state() == ("expired", frozenset({"late"}))
    assert (till.stock(), till.cases()) == ((STOCK, 0), ["late"])
    resolved = await resolve(till.context(team=True), case=1, choice="accept", reason="a good customer")
    assert not isinstance(resolved, NotInStock | Gone)
    assert await till.state() == ("settled", frozenset({"late"}))
    assert (till.stock(), till.order_status(), till.refunds()) == ((STOCK - 1, 0), "paid", [])
    await till.sane()


@case("case-14 credit")
async def late_and_small() -> None:
    late = [
        LateRule(do="accept", when=LateWhen(stock=True, drift=Decimal(0), below=Money(minor=1, asset="EUR"))),
        LateRule(do="credit", when=LateWhen(below=Money(minor=1001, asset="EUR"))),
        LateRule(do="refund"),
    ]
    small, large = Till(settings(late=late)), Till(settings(late=late))
    await small.invoice()
    await large.invoice(2)
    for till, status in ((small, "credited"), (large, "due")):
        await till.pass_(minutes=31)
        await till.confirmed()
        assert [row[0] for row in till.refunds()] == [status]
        assert till.cases() == []
        await till.sane()


@case("case-15")
async def after_the_end_of_watching() -> None:
    till = Till()
    await till.invoice()
    await till.pass_(minutes=31)
    await till.pass_(hours=25)
    one = await till.row()
    assert one.due_at is None
    async with till.work() as work:
        assert await facts.watched(work, "BTC") == ()
        assert [each.address for each in await facts.watched(work, "BTC", ended=True)] == [one.address]
    till.node.send(one.address, one.amount)
    till.node.mine(6, till.now)
    await till.poll()  # the daily sweep tells of it all the same
    assert await till.state() == ("expired", frozenset({"late"}))
    assert till.cases() == ["after_monitor"]
    assert till.refunds() == [("due", "late", COINS)]
    assert till.stock() == (STOCK, 0)
    await till.sane()


@case("case-16")
async def in_the_same_second() -> None:
    paid_first = Till()
    await paid_first.invoice()
    paid_first.node.send((await paid_first.row()).address, COINS)
    await paid_first.pass_(minutes=30)
    assert (await paid_first.row()).status == "processing"
    expired_first = Till(
        settings(late=[LateRule(do="accept", when=LateWhen(drift=Decimal(0), stock=True)), LateRule(do="ask")])
    )
    await expired_first.invoice()
    expired_first.node.send((await expired_first.row()).address, COINS)
    looked_at = expired_first.now
    await expired_first.poll_without_news(minutes=30)
    assert (await expired_first.row()).status == "expired"
    # the rate has moved far, but the payment had come in time: the watcher's transaction lost the race only
    expired_first.payments = settings(rates=Rates(fixed={"BTC": Money(minor=9_000_000, asset="EUR")}, sources=[]))
    late, expired_first.now = expired_first.now, looked_at
    await expired_first.poll()
    expired_first.now = late
    assert await expired_first.state() == ("processing", frozenset({"late"}))
    for till in (paid_first, expired_first):
        await till.mine()
        assert (till.stock(), till.order_status()) == ((STOCK - 1, 0), "paid")
        await till.sane()
    assert "payment.expired" not in paid_first.news()


@case("case-17")
async def cancelled_and_paid() -> None:
    paid_first = Till()
    await paid_first.invoice()
    await paid_first.seen()
    assert isinstance(
        await expire_now(paid_first.context(team=True), order="ORDER000000000000001", reason="x"), TooLate
    )
    cancelled_first = Till()
    await cancelled_first.invoice()
    await cancelled_first.cancel()
    assert await cancelled_first.state() == ("cancelled", frozenset())
    assert cancelled_first.stock() == (STOCK, 0)
    await cancelled_first.confirmed()
    assert await cancelled_first.state() == ("settled", frozenset({"late"}))
    assert (cancelled_first.stock(), cancelled_first.order_status()) == ((STOCK - 1, 0), "paid")
    by_shop = Till()
    await by_shop.invoice()
    assert isinstance(await expire_now(by_shop.context(team=True), order="ORDER000000000000001", reason="x"), Expired)
    assert (by_shop.stock(), by_shop.rows("SELECT strikes FROM shop_customers")[0]["strikes"]) == ((STOCK, 0), 0)
    for till in (paid_first, cancelled_first, by_shop):
        await till.sane()


@case("case-18")
async def wrong_coin() -> None:
    till = Till()
    await till.invoice()
    await till.pay(asset="USDT")
    await till.mine()
    assert await till.state() == ("new", frozenset({"wrong_asset"}))
    assert (till.stock(), till.cases(), till.refunds()) == ((STOCK, 1), ["wrong_asset"], [])
    text = till.rows("SELECT text FROM pay_cases")[0]["text"]
    assert (await till.row()).address in text
    assert "m/84'/0'/0'/0/7" in text
    await till.confirmed()
    assert await till.state() == ("settled", frozenset({"wrong_asset"}))
    assert till.cases() == ["wrong_asset"]
    await till.sane()


@case("case-19")
async def one_order_one_coin() -> None:
    till = Till()
    order = await till.order()
    total = Money(minor=1000, asset="EUR")
    first = await quote(till.context(idempotency_key="a"), total=total, currency="BTC")
    second = await quote(till.context(idempotency_key="b"), total=total, currency="ETH")
    one = await create_invoice(till.context(), order=order, quote=first.id)
    again = await create_invoice(till.context(), order=order, quote=second.id)
    assert one == again
    assert again.currency == "BTC"
    assert len(till.rows("SELECT id FROM pay_invoices")) == 1
    await till.sane()


@case("case-20")
async def double_spent() -> None:
    till = Till()
    await till.invoice()
    name = await till.seen()
    till.node.known.pop(name)
    await till.poll()
    assert await till.state() == ("new", frozenset({"reversed"}))
    assert till.stock() == (STOCK, 1)
    assert till.news() == ["payment.seen", "payment.withdrawn"]
    after = Till()
    await after.invoice()
    name = await after.seen()
    await after.pass_(hours=1)
    after.node.known.pop(name)
    await after.pass_()
    assert await after.state() == ("expired", frozenset({"reversed"}))
    assert after.stock() == (STOCK, 0)
    for one in (till, after):
        await one.sane()


@case("case-21")
async def dropped_and_back() -> None:
    till = Till()
    await till.invoice()
    name = await till.seen()
    kept = till.node.known.pop(name)
    await till.poll()
    till.node.known[name] = kept
    await till.poll()
    assert await till.state() == ("processing", frozenset())
    await till.mine()
    assert (await till.row()).status == "settled"
    await till.sane()


@case("case-22")
async def reorganised_and_mined_again() -> None:
    till = Till(settings(confirmations={"BTC": 6}))
    await till.invoice()
    await till.confirmed(blocks=3)
    told = till.news()
    till.node.reorg(4)
    await till.poll()
    assert (await till.row()).status == "processing"
    await till.mine(2)
    assert till.news() == told
    await till.mine(4)
    assert (await till.row()).status == "settled"
    await till.sane()


@case("case-23")
async def reorganised_away() -> None:
    till = Till(settings(confirmations={"BTC": 6}))
    await till.invoice()
    name = await till.confirmed(blocks=3)
    till.node.reorg(4, lose=[name])
    await till.poll()
    assert await till.state() == ("new", frozenset({"reversed"}))
    assert till.news()[-1] == "payment.withdrawn"
    await till.sane()


@case("case-24")
async def reorganised_after_delivery() -> None:
    till = Till()
    await till.invoice()
    name = await till.confirmed()
    till.node.reorg(7, lose=[name])
    await till.poll()
    assert await till.state() == ("settled", frozenset({"disputed", "reversed"}))
    assert (till.stock(), till.order_status()) == ((STOCK - 1, 0), "paid")
    assert till.cases() == ["disputed"]
    assert till.team()["payment.case"] == 1
    assert await ship_order(till.context(team=True), order="ORDER000000000000001") == NotReady(status="disputed")
    await till.poll()
    await till.confirmed()  # paid once more: it pays for the order, nothing is told of the old case
    assert await till.state() == ("settled", frozenset({"reversed"}))
    other = await till.confirmed()
    till.node.reorg(3, lose=[other])
    await till.poll()
    assert till.team()["payment.case"] == 1
    await till.sane()


@case("case-25")
async def node_down() -> None:
    till = Till()
    await till.invoice()
    await till.pass_(minutes=1)
    await till.tick(minutes=60)  # nobody looks at the chain
    assert await till.state() == ("new", frozenset({"delayed"}))
    assert till.stock() == (STOCK, 1)
    assert till.news() == ["payment.delayed"]
    await till.tick(minutes=5)
    assert till.news().count("payment.delayed") == 1
    await till.pass_(seconds=6)  # it is back: a while is left to pay
    assert await till.state() == ("new", frozenset({"delayed", "lengthened"}))
    await till.pass_(minutes=16)
    assert (await till.row()).status == "expired"
    gone = Till()
    await gone.invoice()
    await gone.tick(minutes=31)
    await gone.tick(hours=6)
    assert ((await gone.row()).status, gone.stock()) == ("expired", (STOCK, 0))  # not for ever
    stuck = Till()
    await stuck.invoice()
    await stuck.poll()
    stuck.node.at = stuck.now
    for _ in range(13):
        stuck.now = stuck.now.__class__.fromtimestamp(stuck.now.timestamp() + 660, stuck.now.tzinfo)
        await stuck.poll_stuck()
    await stuck.tick()
    assert await stuck.state() == ("new", frozenset({"delayed"}))  # it answers, with an old block
    paid = Till()
    await paid.invoice()
    await paid.pass_(minutes=1)
    await paid.tick(minutes=60)
    await paid.pay()
    await paid.pass_()  # paid while nobody looked
    assert (await paid.row()).status == "processing"
    for one in (till, gone, stuck, paid):
        assert one.rows("SELECT strikes FROM shop_customers")[0]["strikes"] == 0
        await one.sane()


@case("case-26")
async def restart() -> None:
    till = Till()
    await till.invoice()
    await till.pass_(minutes=29)
    told = till.news()
    await till.pay()
    till.now = till.now.__class__.fromtimestamp(till.now.timestamp() + 120, till.now.tzinfo)
    till.since = int(till.now.timestamp() * 1000)  # begun again, after the time was over
    await till.tick()
    assert (await till.row()).status == "new"  # nothing expires before the chain was looked at
    await till.poll()
    assert (await till.row()).status == "processing"
    await till.tick()
    assert [name for name in till.news()[len(told) :] if name != "payment.delayed"] == ["payment.seen"]
    await till.sane()


@case("case-27")
async def too_small_for_the_chain() -> None:
    till = Till(
        settings(
            rates=Rates(
                fixed={"BTC": Money(minor=5_000_000, asset="EUR"), "SOL": Money(minor=15_000, asset="EUR")}, sources=[]
            )
        )
    )
    chains = {ChainSettings: ChainSettings(SOL=ChainSetting(via="practice"))}
    small = await quote(till.context(configured=chains), total=Money(minor=13, asset="EUR"), currency="SOL")
    assert small == TooSmall(minimum=Money(minor=890_880, asset="SOL"))
    enough = await quote(till.context(configured=chains), total=Money(minor=14, asset="EUR"), currency="SOL")
    assert not isinstance(enough, TooSmall | Unavailable)


@case("case-28")
async def by_the_balance() -> None:
    """A watcher of balances names what came by itself, in one piece for each growth: it counts like any other."""
    till = Till(settings(confirmations={"ETH": 3}))
    till.node.asset = "ETH"
    await till.invoice(asset="ETH")
    one = await till.row()
    till.node.send(one.address, one.amount // 2, txid="balance:101")
    await till.poll()
    till.node.send(one.address, one.amount - one.amount // 2, txid="balance:102")
    await till.mine(3)
    assert await till.state() == ("settled", frozenset())
    await till.sane()


@case("case-29")
async def never_the_same_address() -> None:
    till = Till()
    first = await till.row(await till.invoice())
    order = await till.order()
    async with till.work() as work:
        made = await books.insert(
            work, order=order, customer="test:1", chat="test:1", address=first.address, path="m", rate="1",
            amount=Money(minor=1, asset="BTC"), total=Money(minor=1, asset="EUR"), now=0, expires_at=1,
            monitor_until=2, rules=first.rules,
        )  # fmt: skip
    assert not made


@case("case-30")
async def no_price() -> None:
    till = Till(settings(rates=Rates(sources=[])))
    answer = await quote(till.context(), total=Money(minor=1000, asset="EUR"), currency="BTC")
    assert isinstance(answer, Unavailable)
    assert till.stock() == (STOCK, 0)
    answer = await quote(Till().context(), total=Money(minor=1000, asset="EUR"), currency="DOGE")
    assert isinstance(answer, Unavailable)


@case("case-31")
async def price_changed() -> None:
    till = Till()
    order = await till.order()
    quoted = await quote(till.context(), total=Money(minor=999, asset="EUR"), currency="BTC")
    assert isinstance(await create_invoice(till.context(), order=order, quote=quoted.id), Outdated)
    right = await quote(till.context(idempotency_key="b"), total=Money(minor=1000, asset="EUR"), currency="BTC")
    old = till.context()
    till.now = right.until.__class__.fromtimestamp(right.until.timestamp() + 1, right.until.tzinfo)
    assert isinstance(await create_invoice(till.context(), order=order, quote=right.id), Outdated)
    assert not isinstance(await create_invoice(old, order=order, quote=right.id), Outdated)
    assert till.stock() == (STOCK, 1)


@case("case-32")
async def pressed_twice() -> None:
    till = Till()
    order = await till.order()
    quoted = await quote(till.context(), total=Money(minor=1000, asset="EUR"), currency="BTC")
    one = await create_invoice(till.context(), order=order, quote=quoted.id)
    two = await create_invoice(till.context(), order=order, quote=quoted.id)
    assert one == two
    assert (till.stock(), len(till.rows("SELECT id FROM pay_invoices"))) == ((STOCK, 1), 1)


@case("case-33")
async def left_unpaid() -> None:
    till = Till()
    for number in (1, 2):
        await till.invoice()
        await till.pass_(minutes=31)
        assert (await till.row(number)).status == "expired"
    assert till.rows("SELECT strikes FROM shop_customers")[0]["strikes"] == 2
    await till.sane()


@case("case-34")
async def nobody_reads_it() -> None:
    """The news of a paid order are rows of its transaction: a customer who blocked the bot changes nothing."""
    till = Till()
    await till.invoice()
    await till.confirmed()
    assert till.order_status() == "paid"
    (told,) = [one for one in till.requests if isinstance(one, SendSignal) and one.name == "payment.settled"]
    assert told.key == "ORDER000000000000001"
    assert till.team()["payment.settled"] == 1


async def test_confirmed_by_hand_after_the_time_was_over() -> None:
    till = Till(stock=1)
    await till.invoice()
    await till.pass_(minutes=31)
    answer = await confirm_by_hand(till.context(team=True), order="ORDER000000000000001", reason="paid in cash")
    assert answer.status == "settled"
    assert await till.state() == ("settled", frozenset({"marked", "late"}))
    assert (till.stock(), till.order_status()) == ((0, 0), "paid")
    assert till.rows("SELECT what, reason FROM pay_audit") == [{"what": "confirm_by_hand", "reason": "paid in cash"}]
    await till.sane()


async def test_a_partial_payment_extends_as_often_as_the_settings_say() -> None:
    till = Till(settings(partial=Partial(times=0)))
    await till.invoice()
    before = (await till.row()).expires_at
    await till.seen(percent=50)
    assert (await till.row()).expires_at == before
    await till.pass_(minutes=31)
    assert (await till.row()).status == "expired"


async def test_a_paid_order_that_the_shop_cancels_is_owed_as_a_whole() -> None:
    till = Till()
    await till.invoice()
    await till.confirmed()
    async with till.work() as work:
        order = await orders.order(work, "ORDER000000000000001")
        assert order is not None
        assert await orders.move(work, order, to="cancelled", at=till.now, reason="broken")
    async with till.work() as work:
        from storage.shop.invoices import settle

        await settle(work, 1, now=till.now, payments=till.payments, shop=till.shop)
    assert till.refunds() == [("due", "cancelled", COINS)]
