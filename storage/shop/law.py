"""What an invoice is now: a pure function of its ledger, the chain, the clock and its rules. Integers only.

No I/O, no settings of today, no randomness. What follows from a verdict is carried out in `settling`.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal

from engine.core.records import record, replaced
from storage.shop.policy import LateDeed
from storage.shop.rules import Rules
from storage.shop.transfers import BALANCE

Status = Literal["new", "processing", "settled", "expired", "cancelled", "invalid"]
OPEN: Final = frozenset({"new", "processing"})
"""The goods are held."""
OVER: Final = frozenset({"expired", "cancelled", "invalid"})
"""The goods are free again."""
DISPOSED: Final = frozenset({"credit", "refund", "keep", "ask"})
"""Decisions about late money after which the invoice is not taken up again by itself."""
_RETRY: Final = 600_000
_RECHECK: Final = 5_000


@record
class Entry:
    """One row of the ledger. `kind`: seen, included, withdrawn, webhook; or manual: then `txid` is a decision."""

    id: int
    asset: str
    txid: str
    position: str
    kind: str
    amount: int
    height: int | None
    at: int
    source: str


@record
class Coin:
    """One transfer as it stands now."""

    asset: str
    txid: str
    position: str
    amount: int
    height: int | None
    first: int
    """When it was first seen."""
    gone: bool
    kind: str
    """Of its newest entry."""
    replaced: bool
    """Gone only because the same money is known by a better name."""


@record
class Chain:
    """What is known of the coin's chain. Moments in milliseconds, None: never."""

    height: int = 0
    tip_at: int | None = None
    polled_at: int | None = None


@record
class Terms:
    """An invoice as it was last left, with what was paid back of it. Moments in milliseconds."""

    id: int
    asset: str
    due: int
    created_at: int
    expires_at: int
    monitor_until: int
    status: str
    flags: frozenset[str]
    extended: int
    warned: bool
    order_status: str
    rules: Rules
    back: int = 0
    """Credited or refunded so far."""
    owed: int = 0
    """To be refunded still."""
    kept: int = 0
    """Too little to be sent back."""


@record
class Sums:
    """The money of an invoice: what is not withdrawn, of it in a block, of it deep enough."""

    received: int
    included: int
    confirmed: int
    in_time: int
    """Received before the invoice's time was over."""
    depth: int
    """Confirmations of the youngest payment; 0 when there is none in a block."""
    latest: int
    """When the newest payment was first seen; 0 when there is none."""
    wrong: tuple[Coin, ...]
    reversed: bool


@record
class Verdict:
    """What the invoice is, and what follows."""

    status: str
    flags: frozenset[str]
    received: int
    confirmed: int
    rest: int
    """What must still be paid; 0 when nothing is missing."""
    expires_at: int
    extended: int
    warned: bool
    due_at: int | None
    """When to judge again, at the latest."""
    owed: int
    """What must go back, be credited or be kept, beyond what already was; negative: too much was promised."""
    overdrawn: int
    """What was paid back although its payment was withdrawn since."""
    late: bool
    """The late policy is to be asked whether this is taken up again."""
    in_time: bool
    """All of it had come before the time was over."""
    sums: Sums


def coins(entries: Iterable[Entry]) -> tuple[Coin, ...]:
    """The transfers that a ledger speaks of, each as its newest entry leaves it; the order of the rows is no matter."""
    found: dict[tuple[str, str, str], Coin] = {}
    for entry in sorted(entries, key=lambda one: one.id):
        if entry.kind == "manual":
            continue
        key = (entry.asset, entry.txid, entry.position)
        known = found.get(key)
        found[key] = Coin(
            asset=entry.asset,
            txid=entry.txid,
            position=entry.position,
            amount=entry.amount,
            height=entry.height,
            first=min(known.first, entry.at) if known else entry.at,
            gone=entry.kind == "withdrawn",
            kind=entry.kind,
            replaced=entry.source == "replaced",
        )
    return tuple(found.values())


def decisions(entries: Iterable[Entry]) -> tuple[str, ...]:
    """What people and policies have decided, oldest first."""
    return tuple(entry.txid for entry in sorted(entries, key=lambda one: one.id) if entry.kind == "manual")


def count(entries: Iterable[Entry], *, asset: str, chain: Chain, needed: int, until: int) -> Sums:
    """The sums over a ledger; `until`: when the invoice's time is over."""
    all_of_it = coins(entries)
    own = _once([coin for coin in all_of_it if coin.asset == asset and not coin.gone])
    depths = [(coin, 0 if coin.height is None else max(0, chain.height - coin.height + 1)) for coin in own]
    return Sums(
        received=sum(coin.amount for coin in own),
        included=sum(coin.amount for coin in own if coin.height is not None),
        confirmed=sum(coin.amount for coin, depth in depths if depth >= needed),
        in_time=sum(coin.amount for coin in own if coin.first < until),
        depth=min((depth for _, depth in depths), default=0),
        latest=max((coin.first for coin in own), default=0),
        wrong=tuple(coin for coin in all_of_it if coin.asset != asset and not coin.gone),
        reversed=any(coin.gone and not coin.replaced and coin.asset == asset for coin in all_of_it),
    )


def _once(own: Sequence[Coin]) -> Sequence[Coin]:
    """Where balances are watched, a webhook tells of the same money by another name: the larger account counts."""
    balances = [coin for coin in own if coin.txid.startswith(BALANCE)]
    told = [coin for coin in own if coin.kind == "webhook"]
    if not balances or not told:
        return own
    watched = sum(coin.amount for coin in balances) >= sum(coin.amount for coin in told)
    doubled = told if watched else balances
    return [coin for coin in own if coin not in doubled]


def fresh(chain: Chain, rules: Rules, now: int, since: int = 0) -> bool:
    """Whether the chain can be seen: only then may anything expire. `since`: it must have been looked at after this."""
    if rules.practice:
        return True
    if chain.polled_at is None or chain.tip_at is None or chain.polled_at < since:
        return False
    return now - chain.polled_at <= rules.unseen and (rules.stale <= 0 or now - chain.tip_at <= rules.stale)


def early(chain: Chain, rules: Rules, now: int, since: int) -> bool:
    """Whether the watcher has just begun and not looked yet: nothing is said or done about the time before it has."""
    unseen = chain.polled_at is None or chain.polled_at < since
    return unseen and not rules.practice and now - since <= rules.unseen


def judge(
    terms: Terms,
    entries: Sequence[Entry],
    chain: Chain,
    now: int,
    *,
    since: int = 0,
    taken: Literal["accept", "reopen"] | None = None,
) -> Verdict:
    """The invoice as it is at `now`, recomputed as a whole.

    `taken`: the goods of an invoice that was over have just been reserved again: for a late payment (accept), or for
    more time to pay the rest (reopen).
    """
    sums = count(entries, asset=terms.asset, chain=chain, needed=terms.rules.needed, until=terms.expires_at)
    decided = decisions(entries)
    clear = fresh(chain, terms.rules, now, since)
    if taken is not None:
        terms = replaced(terms, order_status="created")
    if taken == "reopen":
        terms = replaced(terms, status="new", expires_at=now + terms.rules.extend, extended=terms.extended + 1)
    elif taken == "accept":
        terms = replaced(
            terms, status="processing", flags=terms.flags | {"late"}, expires_at=max(now, terms.expires_at)
        )
    if terms.status in OPEN:
        young = early(chain, terms.rules, now, since)
        verdict = _open(terms, sums, decided, now, clear=clear, young=young, taken=taken is not None)
    elif terms.status == "settled":
        verdict = _verdict(terms, sums, status="settled")
    else:
        verdict = _over(terms, sums, decided, now)
    return replaced(verdict, due_at=_due(terms, verdict, now, decided, clear=clear))


def _net(terms: Terms, amount: int) -> int:
    return amount - terms.back


def _open(
    terms: Terms, sums: Sums, decided: Sequence[str], now: int, *, clear: bool, young: bool, taken: bool
) -> Verdict:
    if "confirm" in decided:
        return _verdict(replaced(terms, flags=terms.flags | {"marked"}), sums, status="settled")
    if "invalid" in decided:
        return _verdict(replaced(terms, flags=terms.flags | {"marked"}), sums, status="invalid")
    if terms.order_status in ("cancelled", "expired"):
        return _verdict(terms, sums, status=terms.order_status)
    if not taken and "expire" in decided and _net(terms, sums.received) < terms.rules.least:
        return _verdict(terms, sums, status="expired")
    if _net(terms, sums.confirmed) >= terms.rules.least:
        return _verdict(terms, sums, status="settled")
    if _net(terms, sums.received) >= terms.rules.least:
        ended = clear and now >= terms.monitor_until
        return _verdict(terms, sums, status="invalid" if ended else "processing")
    return _waiting(terms, sums, now, clear=clear, young=young)


def _waiting(terms: Terms, sums: Sums, now: int, *, clear: bool, young: bool) -> Verdict:
    """Not enough was paid yet."""
    if sums.received > 0 and terms.extended < terms.rules.times:
        terms = replaced(
            terms, expires_at=terms.expires_at + terms.rules.extend, extended=terms.extended + 1, warned=False
        )
    if now >= terms.expires_at and young:
        return _verdict(terms, sums, status="new")
    if now >= terms.expires_at:
        return _at_the_end(terms, sums, now, clear=clear)
    warn = terms.rules.warning > 0 and now >= terms.expires_at - terms.rules.warning
    return _verdict(replaced(terms, warned=terms.warned or warn), sums, status="new")


def _at_the_end(terms: Terms, sums: Sums, now: int, *, clear: bool) -> Verdict:
    """The time is over. While the chain cannot be seen, and once for a while after that, the goods are held on."""
    limit = terms.expires_at + terms.rules.outage
    if not clear and now < limit:
        return _verdict(replaced(terms, flags=terms.flags | {"delayed"}), sums, status="new")
    if clear and "delayed" in terms.flags and "lengthened" not in terms.flags:
        until = min(now + terms.rules.extend, limit)
        if until > now:
            longer = replaced(terms, expires_at=until, flags=terms.flags | {"lengthened"}, warned=False)
            return _verdict(longer, sums, status="new")
    return _verdict(terms, sums, status="expired")


def _over(terms: Terms, sums: Sums, decided: Sequence[str], now: int) -> Verdict:
    verdict = _verdict(terms, sums, status=terms.status)
    enough = _net(terms, sums.received) >= terms.rules.least
    asked = next((word for word in reversed(decided) if word in DISPOSED or word in ("accept", "wait")), None)
    late = enough and now < terms.monitor_until and asked not in DISPOSED and "invalid" not in decided
    flags = verdict.flags | {"late"} if enough else verdict.flags
    raced = terms.status == "expired" and "expire" not in decided  # else people have ended it, not the clock
    return replaced(verdict, late=late, flags=flags, in_time=verdict.in_time and raced)


def _verdict(terms: Terms, sums: Sums, *, status: str) -> Verdict:
    net, rules = _net(terms, sums.received), terms.rules
    bought = status == "settled" and terms.order_status != "cancelled"  # the shop may cancel what was paid
    value = min(terms.due, max(0, _net(terms, sums.confirmed))) if bought else 0
    spare = 0 if status in OPEN else _net(terms, sums.confirmed) - value
    return Verdict(
        status=status,
        flags=_flags(terms, sums, status=status),
        received=sums.received,
        confirmed=sums.confirmed,
        rest=0 if net >= rules.least else terms.due - max(0, net),
        expires_at=terms.expires_at,
        extended=terms.extended,
        warned=terms.warned,
        due_at=None,
        owed=max(0, spare) - terms.owed - terms.kept,
        overdrawn=max(0, -spare),
        late=False,
        in_time=sums.in_time >= rules.least,
        sums=sums,
    )


def _flags(terms: Terms, sums: Sums, *, status: str) -> frozenset[str]:
    rules, net = terms.rules, _net(terms, sums.received)
    marked = "marked" in terms.flags
    settled = status == "settled"
    sold = terms.order_status != "cancelled"  # by the shop: what was paid goes back, and nothing is delivered
    says = {
        "partial": 0 < net < rules.least and not settled,
        "over": settled and sums.confirmed - terms.due > rules.dust,
        "tolerated": settled and not marked and rules.least <= _net(terms, sums.confirmed) < terms.due,
        "late": "late" in terms.flags,
        "wrong_asset": bool(sums.wrong),
        "reversed": sums.reversed,
        "disputed": settled and sold and not marked and _net(terms, sums.included) < rules.least,
        "marked": marked,
        "delayed": "delayed" in terms.flags,
        "lengthened": "lengthened" in terms.flags,
    }
    return frozenset(name for name, holds in says.items() if holds)


def _due(terms: Terms, verdict: Verdict, now: int, decided: Sequence[str], *, clear: bool) -> int | None:
    if verdict.status == "new":
        if now >= verdict.expires_at:
            return now + _RECHECK
        warning = verdict.expires_at - terms.rules.warning
        return verdict.expires_at if verdict.warned or terms.rules.warning <= 0 else warning
    if verdict.status == "processing" and now >= terms.monitor_until:
        return now + _RECHECK
    if verdict.late and "wait" in decided:
        return min(now + _RETRY, max(now, terms.monitor_until))
    return terms.monitor_until if now < terms.monitor_until else None


@record
class Market:
    """What the late policy asks about."""

    stock: bool
    drift: Decimal | None
    """Percent that the rate has moved since; None: not known, so no rule about it holds."""
    total: int
    """The order's total, minor units of its currency."""
    in_time: bool = False
    cancelled_by_shop: bool = False


def late_deed(rules: Rules, market: Market) -> LateDeed:
    """What the policy says about a late payment. One that had come in time is accepted whatever the rate does."""
    if market.cancelled_by_shop:
        return "refund"
    if market.in_time and market.stock:
        return "accept"
    for rule in rules.late:
        if rule.do == "accept" and not market.stock:
            continue
        if _holds(rule.stock, market.stock) and _within(rule.drift, market.drift) and _below(rule.below, market.total):
            return rule.do
    return "ask"


def _holds(wanted: bool | None, given: bool) -> bool:
    return wanted is None or wanted == given


def _within(limit: Decimal | None, drift: Decimal | None) -> bool:
    return limit is None or (drift is not None and drift <= limit)


def _below(limit: int | None, total: int) -> bool:
    return limit is None or total < limit
