"""What an invoice is: the law by itself, over ledgers that tests write. No database."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.records import replaced
from storage.shop import ledger
from storage.shop.law import OPEN, Chain, Entry, Market, Terms, Verdict, coins, decisions, fresh, judge, late_deed
from storage.shop.policy import LateDeed
from storage.shop.rules import Late, Rules
from storage.shop.transfers import Transfer

MINUTE = 60_000
DUE = 100_000
RULES = Rules(
    needed=2, least=99_000, dust=500, warning=5 * MINUTE, extend=15 * MINUTE, times=1, over="refund",
    late=(Late(do="accept", stock=True, drift=Decimal(2)), Late(do="ask")), stale=120 * MINUTE, unseen=3 * MINUTE,
    outage=360 * MINUTE,
)  # fmt: skip
TERMS = Terms(
    id=1, asset="BTC", due=DUE, created_at=0, expires_at=30 * MINUTE, monitor_until=1440 * MINUTE, status="new",
    flags=frozenset(), extended=0, warned=False, order_status="created", rules=RULES,
)  # fmt: skip


def seen(number: int, amount: int, *, at: int = MINUTE, txid: str = "t", asset: str = "BTC") -> Entry:
    return Entry(
        id=number, asset=asset, txid=txid, position="0", kind="seen", amount=amount, height=None, at=at, source="chain"
    )


def included(number: int, amount: int, height: int, *, at: int = MINUTE, txid: str = "t") -> Entry:
    return replaced(seen(number, amount, at=at, txid=txid), kind="included", height=height)


def gone(number: int, amount: int, *, at: int = MINUTE, txid: str = "t") -> Entry:
    return replaced(seen(number, amount, at=at, txid=txid), kind="withdrawn")


def told(number: int, amount: int, *, txid: str = "real") -> Entry:
    return replaced(seen(number, amount, txid=txid), kind="webhook", source="webhook")


def test_a_payment_told_by_webhook_and_seen_as_a_balance_counts_once() -> None:
    balance = included(2, DUE, 9, txid="balance:0xabc:1")
    assert at(2, told(1, DUE), balance).received == DUE
    assert at(2, told(1, DUE), balance).status == "settled"
    more = at(2, told(1, DUE // 2), told(2, DUE // 2, txid="next"), seen(3, DUE // 2, txid="balance:0xabc:1"))
    assert more.received == DUE, "the webhook knows of the second one already"
    two = at(2, told(1, DUE), included(2, DUE, 9, txid="another"))
    assert two.received == 2 * DUE, "transactions that both have names are two"


@pytest.mark.parametrize(("balance", "source"), [(("balance:0xabc:1",), "replaced"), ((), "chain")])
def test_what_a_webhook_told_gives_way_to_the_balance_without_alarm(balance: tuple[str, ...], source: str) -> None:
    """Withdrawn by the chain it would be a payment that has disappeared, and the customer would be told so."""
    reported = [
        Transfer(asset="ETH", address="0xabc", txid=name, position="", amount=DUE, height=5, block="b")
        for name in balance
    ]
    before = ledger.Known(
        invoice=1, asset="ETH", address="0xabc", txid="real", position="", kind="webhook", amount=DUE, height=None,
        block=None, at=0, count=1,
    )  # fmt: skip
    places = {"0xabc": ledger.Place(invoice=1, address="0xabc")}
    found = ledger.changes(reported, [before], places, complete=frozenset({"0xabc"}), now=11 * MINUTE)
    assert [(row.kind, why) for row, why in found if row.txid == "real"] == [("withdrawn", source)]


def said(number: int, word: str) -> Entry:
    return replaced(seen(number, 0, txid=word), kind="manual", source="team")


def at(minutes: float, *entries: Entry, height: int = 10, terms: Terms = TERMS, looked: bool = True) -> Verdict:
    now = int(minutes * MINUTE)
    chain = Chain(height=height, tip_at=now, polled_at=now if looked else None)
    return judge(terms, entries, chain, now)


@pytest.mark.parametrize(
    ("entries", "status", "flags", "rest"),
    [
        ([], "new", "", DUE),
        ([seen(1, DUE)], "processing", "", 0),
        ([seen(1, 98_999)], "new", "partial", 1_001),
        ([seen(1, 99_000)], "processing", "", 0),
        ([included(1, DUE, 10)], "processing", "", 0),
        ([included(1, DUE, 9)], "settled", "", 0),
        ([included(1, 99_000, 9)], "settled", "tolerated", 0),
        ([included(1, DUE + 500, 9)], "settled", "", 0),
        ([included(1, DUE + 501, 9)], "settled", "over", 0),
        ([included(1, 60_000, 9), seen(2, 40_000, txid="u")], "processing", "", 0),
        ([seen(1, DUE), included(2, DUE, 9)], "settled", "", 0),
        ([included(1, DUE, 9), gone(2, DUE)], "new", "reversed", DUE),
        ([included(1, DUE, 9), seen(2, DUE)], "processing", "", 0),
        ([seen(1, DUE), gone(2, DUE), seen(3, DUE)], "processing", "", 0),
        ([seen(1, DUE, asset="USDT")], "new", "wrong_asset", DUE),
        ([said(1, "confirm")], "settled", "marked", DUE),
        ([said(1, "invalid")], "invalid", "marked", DUE),
        ([said(1, "expire")], "expired", "", DUE),
        ([seen(1, DUE), said(2, "expire")], "processing", "", 0),
    ],
)
def test_the_status_follows_the_ledger(entries: list[Entry], status: str, flags: str, rest: int) -> None:
    found = at(2, *entries)
    assert (found.status, ",".join(sorted(found.flags)), found.rest) == (status, flags, rest)


@pytest.mark.parametrize(
    ("minutes", "looked", "status", "flags"),
    [
        (24.9, True, "new", ""),
        (30, True, "expired", ""),
        (29.999, True, "new", ""),
        (30, False, "new", "delayed"),
        (389, False, "new", "delayed"),
        (390, False, "expired", ""),
    ],
)
def test_time(minutes: float, looked: bool, status: str, flags: str) -> None:
    found = at(minutes, looked=looked)
    assert (found.status, ",".join(sorted(found.flags))) == (status, flags)


def test_when_to_look_again() -> None:
    assert at(1).due_at == 25 * MINUTE
    assert at(25).due_at == 30 * MINUTE
    assert at(25).warned
    assert at(31, looked=False).due_at == 31 * MINUTE + 5000
    assert at(31).due_at == 1440 * MINUTE
    assert at(2, seen(1, DUE)).due_at == 1440 * MINUTE
    done = replaced(TERMS, status="settled", order_status="paid")
    assert at(2, included(1, DUE, 9), terms=done).due_at == 1440 * MINUTE
    assert at(1441, included(1, DUE, 9), terms=done).due_at is None


def test_a_payment_that_is_never_confirmed() -> None:
    paid = replaced(TERMS, status="processing")
    assert at(1439, seen(1, DUE), terms=paid).status == "processing"
    assert at(1440, seen(1, DUE), terms=paid).status == "invalid"
    assert at(1440, seen(1, DUE), terms=paid, looked=False).status == "processing"


def test_what_was_paid_back_does_not_count() -> None:
    back = replaced(TERMS, status="expired", order_status="expired", back=60_000)
    found = at(40, included(1, 60_000, 5), included(2, 60_000, 5, txid="u"), terms=back)
    assert (found.late, found.owed) == (False, 60_000)
    found = at(40, included(1, 60_000, 5), included(2, DUE, 5, txid="u"), terms=back)
    assert (found.late, found.owed) == (True, DUE)
    found = at(40, gone(1, 60_000), terms=back)
    assert (found.owed, found.overdrawn) == (0, 60_000)


def test_what_was_seen_in_time_came_in_time() -> None:
    over = replaced(TERMS, status="expired", order_status="expired")
    assert at(40, seen(1, DUE, at=29 * MINUTE), included(2, DUE, 9, at=39 * MINUTE), terms=over).in_time
    assert at(40, seen(1, DUE, at=29 * MINUTE), gone(2, DUE), seen(3, DUE, at=39 * MINUTE), terms=over).in_time
    assert not at(40, seen(1, DUE, at=30 * MINUTE), terms=over).in_time
    assert not at(40, seen(1, DUE), said(2, "expire"), terms=over).in_time
    cancelled = replaced(over, status="cancelled", order_status="cancelled")
    assert not at(40, seen(1, DUE), terms=cancelled).in_time


def test_a_settled_order_stays_settled() -> None:
    done = replaced(TERMS, status="settled", order_status="paid")
    lost = at(99, included(1, DUE, 5), gone(2, DUE), terms=done)
    assert (lost.status, sorted(lost.flags)) == ("settled", ["disputed", "reversed"])
    waits = at(99, included(1, DUE, 5), seen(2, DUE), terms=done)
    assert (waits.status, sorted(waits.flags)) == ("settled", ["disputed"])
    again = at(99, included(1, DUE, 5), gone(2, DUE), included(3, DUE, 10), terms=done)
    assert (again.status, sorted(again.flags)) == ("settled", [])
    twice = at(99, included(1, DUE, 5), included(2, DUE, 5, txid="u"), terms=done)
    assert twice.owed == DUE
    cancelled = replaced(done, order_status="cancelled")
    assert at(99, included(1, DUE, 5), terms=cancelled).owed == DUE


@pytest.mark.parametrize(
    ("market", "deed"),
    [
        (Market(stock=True, drift=Decimal(2), total=1), "accept"),
        (Market(stock=True, drift=Decimal("2.01"), total=1), "ask"),
        (Market(stock=True, drift=None, total=1), "ask"),
        (Market(stock=False, drift=Decimal(0), total=1), "ask"),
        (Market(stock=True, drift=Decimal(50), total=1, in_time=True), "accept"),
        (Market(stock=False, drift=Decimal(0), total=1, in_time=True), "ask"),
        (Market(stock=True, drift=Decimal(0), total=1, cancelled_by_shop=True), "refund"),
    ],
)
def test_the_late_policy(market: Market, deed: LateDeed) -> None:
    assert late_deed(RULES, market) == deed


def test_the_first_rule_that_holds_is_taken() -> None:
    late = (Late(do="credit", below=500), Late(do="refund", stock=False), Late(do="accept"))
    given = replaced(RULES, late=late)
    assert late_deed(given, Market(stock=True, drift=None, total=499)) == "credit"
    assert late_deed(given, Market(stock=False, drift=None, total=500)) == "refund"
    assert late_deed(given, Market(stock=True, drift=None, total=500)) == "accept"
    assert late_deed(replaced(RULES, late=()), Market(stock=True, drift=None, total=1)) == "ask"


def test_when_a_chain_can_be_seen() -> None:
    now = 1000 * MINUTE
    chain = Chain(height=1, tip_at=now, polled_at=now)
    assert fresh(chain, RULES, now)
    assert not fresh(Chain(), RULES, now)
    assert fresh(Chain(), replaced(RULES, practice=True), now)
    assert not fresh(chain, RULES, now, since=now + 1)
    assert fresh(chain, RULES, now + 3 * MINUTE)
    assert not fresh(chain, RULES, now + 3 * MINUTE + 1)
    old = replaced(chain, tip_at=now - 121 * MINUTE)
    assert not fresh(old, RULES, now)
    assert fresh(old, replaced(RULES, stale=0), now)


ENTRIES = st.lists(
    st.builds(
        Entry,
        id=st.integers(1, 10**6),
        asset=st.sampled_from(["BTC", "BTC", "USDT"]),
        txid=st.sampled_from(["t", "u", "v", "confirm", "credit"]),
        position=st.sampled_from(["", "0", "1"]),
        kind=st.sampled_from(["seen", "included", "withdrawn", "webhook", "manual"]),
        amount=st.integers(0, 2 * DUE),
        height=st.one_of(st.none(), st.integers(1, 12)),
        at=st.integers(0, 2000 * MINUTE),
        source=st.sampled_from(["chain", "webhook", "replaced"]),
    ),
    max_size=12,
    unique_by=lambda entry: entry.id,
)
STATUSES = st.sampled_from(["new", "processing", "settled", "expired", "cancelled", "invalid"])


@settings(max_examples=300, deadline=None)
@given(entries=ENTRIES, status=STATUSES, now=st.integers(0, 2000 * MINUTE), shuffle=st.randoms())
def test_the_order_of_rows_is_no_matter_and_a_verdict_is_final(
    entries: list[Entry], status: str, now: int, shuffle: object
) -> None:
    terms = replaced(TERMS, status=status)
    chain = Chain(height=10, tip_at=now, polled_at=now)
    verdict = judge(terms, entries, chain, now)
    mixed = list(entries)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert judge(terms, mixed, chain, now) == verdict
    assert coins(mixed) == coins(entries) or set(coins(mixed)) == set(coins(entries))
    assert decisions(mixed) == decisions(entries)
    left = replaced(
        terms, status=verdict.status, flags=verdict.flags, expires_at=verdict.expires_at, extended=verdict.extended,
        warned=verdict.warned, owed=max(0, terms.owed + verdict.owed),
    )  # fmt: skip
    again = judge(left, entries, chain, now)
    if verdict.status not in OPEN or verdict.status == "processing":
        assert (again.status, again.flags, again.owed) == (verdict.status, verdict.flags, 0)
    assert verdict.confirmed <= verdict.received
    assert verdict.due_at is None or verdict.due_at > now or verdict.warned is False


def test_after_a_start_nothing_is_said_or_done_before_the_chain_was_looked_at() -> None:
    before = Chain(height=9, tip_at=MINUTE, polled_at=MINUTE)
    for minutes in (31, 30 + 361):  # also when the bot was away for longer than an outage may last
        now = minutes * MINUTE
        young = judge(TERMS, (), before, now, since=now - MINUTE)
        assert (young.status, young.flags) == ("new", frozenset())
        assert young.due_at is not None
        assert now < young.due_at <= now + MINUTE
        looked = replaced(before, tip_at=now, polled_at=now)
        assert judge(TERMS, (), looked, now, since=now - MINUTE).status == "expired"
    silent = judge(TERMS, (), before, 40 * MINUTE, since=36 * MINUTE)
    assert (silent.status, sorted(silent.flags)) == ("new", ["delayed"])
