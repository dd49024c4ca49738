"""A shop in any weather: payments, blocks, reorganisations, people and clocks in any order. Stock and money stay whole.

`STEPGRAM_LONG=1` makes the runs long.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.actions.context import SendSignal
from engine.actions.testing import webhook_context
from plugins.payments.incoming import order_payment
from plugins.payments.selling import choose
from plugins.payments.team import confirm_by_hand, expire_now, refunded, resolve
from storage.shop import books, cancelling, facts, invoices, reconcile
from storage.shop.law import OPEN, judge
from storage.shop.moments import millis
from storage.shop.policy import LateRule, LateWhen, PaymentSettings, Tolerance
from storage.shop.settings import ShopSettings
from tests.shop.till import COINS, Till
from tests.shop.till import settings as shop_settings

T = TypeVar("T")
LONG = bool(os.environ.get("STEPGRAM_LONG"))
STOCK = 4
MOST = 6
POLICIES = (
    shop_settings(),
    shop_settings(over="credit", tolerance=Tolerance(under=Decimal(5)), confirmations={"BTC": 3}),
    shop_settings(over="keep", late=[LateRule(do="credit")], confirmations={"BTC": 6}),
    shop_settings(late=[LateRule(do="accept", when=LateWhen(stock=True)), LateRule(do="refund")]),
)


class ShopMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.till = Till(stock=STOCK)
        self.polled = False

    def teardown(self) -> None:
        self.till.database.connection.close()
        self.loop.close()

    def run_(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: PaymentSettings) -> None:
        self.till = Till(policy, stock=STOCK)
        self.run_(self.till.invoice())

    def number(self, pick: int) -> int:
        return pick % self.till.made + 1

    def order(self, pick: int) -> str:
        return f"ORDER{self.number(pick):015d}"

    # --- the chain

    @rule(pick=st.integers(0, 9), percent=st.sampled_from([1, 40, 60, 96, 100, 100, 100, 130, 200]))
    def pay(self, pick: int, percent: int) -> None:
        self.run_(self.till.pay(self.number(pick), percent))

    @rule(pick=st.integers(0, 9))
    def pay_with_a_wrong_coin(self, pick: int) -> None:
        self.run_(self.till.pay(self.number(pick), asset="USDT"))

    @rule()
    def look(self) -> None:
        self.run_(self.till.poll())
        assert self.run_(self.till.poll()) == 0, "the same report again has changed something"

    @rule(blocks=st.integers(1, 7), look=st.booleans())
    def mine(self, blocks: int, look: bool) -> None:
        self.till.node.mine(blocks, self.till.now)
        if look:
            self.run_(self.till.poll())

    @rule(pick=st.integers(0, 99))
    def drop(self, pick: int) -> None:
        waiting = [name for name, one in self.till.node.known.items() if one.height is None]
        if waiting:
            self.till.node.known.pop(waiting[pick % len(waiting)])

    @rule(pick=st.integers(0, 99), look=st.booleans())
    def replace(self, pick: int, look: bool) -> None:
        waiting = [one for one in self.till.node.known.values() if one.height is None]
        if waiting:
            one = waiting[pick % len(waiting)]
            self.till.node.known.pop(one.txid)
            if look:
                self.run_(self.till.poll())
            self.till.node.send(one.address, one.amount, asset=one.asset)

    @rule(depth=st.integers(1, 8), lose=st.integers(0, 99), all_back=st.booleans())
    def reorganise(self, depth: int, lose: int, all_back: bool) -> None:
        names = sorted(self.till.node.known)
        gone = [names[lose % len(names)]] if names and not all_back else []
        self.till.node.reorg(depth, lose=gone)

    @rule(pick=st.integers(0, 99), deep=st.integers(0, 8))
    def webhook(self, pick: int, deep: int) -> None:
        """Another system tells of a payment that may be known, too; the same twice is once."""
        if not self.till.node.known:
            return
        names = sorted(self.till.node.known)
        one = self.till.node.known[names[pick % len(names)]]
        self.run_(self._webhook(one, deep))

    async def _webhook(self, one: Any, deep: int) -> None:
        known: dict[type[Any], object] = {PaymentSettings: self.till.payments, ShopSettings: self.till.shop}
        height = {} if one.height is None else {"height": one.height, "confirmations": max(1, deep)}
        for turn in range(2):
            before = self.till.rows("SELECT count(*) AS n FROM pay_ledger")
            context = webhook_context(
                database=self.till.database, requests=self.till.requests, now=self.till.now, configured=known
            )
            await order_payment(
                context, asset=one.asset, amount=str(one.amount), txid=one.txid, address=one.address,
                position=one.position, **height,
            )  # fmt: skip
            assert turn == 0 or before == self.till.rows("SELECT count(*) AS n FROM pay_ledger")

    # --- time

    @rule(minutes=st.sampled_from([1, 4, 14, 31, 31, 90]), look=st.sampled_from([True, True, False]))
    def wait(self, minutes: int, look: bool) -> None:
        if look:
            self.run_(self.till.pass_(minutes=minutes))
        else:
            self.run_(self.till.tick(minutes=minutes))

    @rule()
    def wait_for_days(self) -> None:
        self.run_(self.till.pass_(hours=25))

    @rule()
    def restart(self) -> None:
        self.till.since = millis(self.till.now)

    # --- people

    @rule()
    def another_order(self) -> None:
        (row,) = self.till.rows("SELECT stock - reserved AS free FROM shop_products")
        if self.till.made < MOST and row["free"] > 0:
            self.run_(self.till.invoice())

    @rule(pick=st.integers(0, 9), who=st.sampled_from(["customer", "shop"]))
    def cancel(self, pick: int, who: Literal["customer", "shop"]) -> None:
        self.run_(self._cancel(self.number(pick), self.order(pick), who))

    async def _cancel(self, number: int, order: str, who: Literal["customer", "shop"]) -> None:
        async with self.till.work() as work:
            done = await cancelling.cancel(work, order, who=who, reason="", at=self.till.now)
            if done is None or isinstance(done, cancelling.TooLate):
                return
            if who == "shop":
                await cancelling.audit(
                    work, who="test", what="cancel_by_shop", order=order, reason="", at=self.till.now
                )
            await invoices.settle_many(work, (number,), self.till.bench())

    @rule(pick=st.integers(0, 9), deed=st.sampled_from(["confirm", "expire"]))
    def mark(self, pick: int, deed: str) -> None:
        self.run_(self._mark(self.order(pick), deed))

    async def _mark(self, order: str, deed: str) -> None:
        async with self.till.database.transaction():
            act = confirm_by_hand if deed == "confirm" else expire_now
            await act(self.till.context(team=True), order=order, reason="test")

    @rule(pick=st.integers(0, 9), choice=st.sampled_from(["wait", "credit", "refund"]))
    def choose(self, pick: int, choice: str) -> None:
        self.run_(self._choose(self.order(pick), choice))

    async def _choose(self, order: str, choice: str) -> None:
        async with self.till.database.transaction():
            await choose(self.till.context(), order=order, choice=choice)

    @rule(choice=st.sampled_from(["accept", "credit", "refund", "keep"]))
    def answer_a_case(self, choice: str) -> None:
        rows = self.till.rows("SELECT id FROM pay_cases WHERE status = 'open' ORDER BY id LIMIT 1")
        for row in rows:
            self.run_(self._resolve(int(row["id"]), choice))

    async def _resolve(self, case: int, choice: str) -> None:
        async with self.till.database.transaction():
            await resolve(self.till.context(team=True), case=case, choice=choice, reason="test")

    @rule()
    def refund(self) -> None:
        for row in self.till.rows("SELECT id FROM pay_refunds WHERE status = 'due' ORDER BY id LIMIT 1"):
            self.run_(self._refunded(int(row["id"])))

    async def _refunded(self, number: int) -> None:
        async with self.till.database.transaction():
            await refunded(self.till.context(team=True), refund=number)

    # --- what always holds

    @invariant()
    def stock_is_whole(self) -> None:
        if not self.till.made:
            return
        (product,) = self.till.rows("SELECT stock, reserved FROM shop_products")
        (lines,) = self.till.rows("SELECT sum(sold) AS sold FROM shop_order_lines")
        (held,) = self.till.rows("SELECT coalesce(sum(quantity), 0) AS held FROM shop_reservations")
        assert 0 <= product["reserved"] == held["held"] <= product["stock"]
        assert product["stock"] + lines["sold"] == STOCK

    @invariant()
    def money_is_whole(self) -> None:
        for number in range(1, self.till.made + 1):
            one = self.run_(self.till.row(number))
            sums: Counter[str] = Counter()
            for row in self.till.rows("SELECT status, amount FROM pay_refunds WHERE invoice_id = ?", number):
                sums[row["status"]] += int(row["amount"])
            back = sums["credited"] + sums["refunded"]
            aside = sums["due"] + sums["kept"] + back
            bought = one.status == "settled" and self.till.order_status(number) != "cancelled"
            value = min(one.amount, max(0, one.confirmed - back)) if bought else 0
            if one.status in OPEN:
                assert sums["due"] + sums["kept"] == 0
            elif back <= one.confirmed:
                assert value + aside == one.confirmed
            else:
                assert sums["due"] + sums["kept"] == 0
                assert "overdrawn" in self.till.cases()

    @invariant()
    def nothing_twice(self) -> None:
        told = Counter((one.name, one.key) for one in self.till.requests if isinstance(one, SendSignal))
        assert all(times == 1 for (name, _), times in told.items() if name == "payment.settled")

    @invariant()
    def the_law_knows_no_order_of_rows(self) -> None:
        self.run_(self._law())

    async def _law(self) -> None:
        async with self.till.work() as work:
            for scene in await invoices.scenes(work, range(1, self.till.made + 1)):
                terms = books.terms(scene.invoice, scene.order.status, scene.back)
                now = millis(self.till.now)
                verdict = judge(terms, scene.entries, scene.chain, now)
                shuffled = list(scene.entries)
                random.Random(len(shuffled)).shuffle(shuffled)
                assert judge(terms, shuffled, scene.chain, now) == verdict
                assert judge(terms, tuple(reversed(scene.entries)), scene.chain, now) == verdict
            assert await reconcile.differences(work) == []


ShopMachine.TestCase.settings = settings(
    max_examples=2000 if LONG else 40,
    stateful_step_count=50 if LONG else 25,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestShop = ShopMachine.TestCase


@settings(max_examples=1000 if LONG else 40, deadline=None)
@given(
    parts=st.lists(st.sampled_from([10, 30, 40, 60, 100]), min_size=1, max_size=5),
    order=st.randoms(use_true_random=False),
    heights=st.lists(st.sampled_from([None, 95, 100]), min_size=5, max_size=5),
    late=st.booleans(),
)
def test_the_same_facts_in_any_order_end_the_same(
    parts: list[int], order: random.Random, heights: list[int | None], late: bool
) -> None:
    async def run(shuffled: bool) -> tuple[object, ...]:
        till = Till(shop_settings(confirmations={"BTC": 6}))
        await till.invoice()
        one = await till.row()
        if late:
            await till.pass_(minutes=31)
        for percent, height in zip(parts, heights, strict=False):
            name = till.node.send(one.address, COINS * percent // 100)
            if height is not None:
                kept = till.node.known[name]
                till.node.known[name] = type(kept)(
                    asset=kept.asset, address=kept.address, txid=name, position="0", amount=kept.amount,
                    height=height, block=f"b{height}",
                )  # fmt: skip
        told = list(till.node.known.values())
        if shuffled:
            told += order.sample(told, order.randint(0, len(told)))
            order.shuffle(told)
        for transfer in told:
            till.node.known = {transfer.txid: transfer}
            async with till.work() as work:
                await facts.observe(work, till.node.report(()), now=till.now, payments=till.payments, shop=till.shop)
        till.now += timedelta(seconds=1)
        await till.tick()
        await till.sane()
        after = await till.row()
        aside = sum(int(row["amount"]) for row in till.rows("SELECT amount FROM pay_refunds"))
        return (after.status, after.flags, after.received, after.confirmed, till.stock(), till.order_status(), aside)

    assert asyncio.run(run(shuffled=True)) == asyncio.run(run(shuffled=False))
