"""The shop's rules about payments, as bot.yaml has them under `plugins: payments:`. Values and their checks only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal

from engine.core.values import Money

ASSETS: Final = ("BTC", "LTC", "ETH", "SOL")
DEPTHS: Final = {"BTC": 1, "LTC": 3, "ETH": 12, "SOL": 32}
DUST: Final = {"BTC": 1_000, "LTC": 10_000, "ETH": 10**13, "SOL": 890_880}
SMALLEST: Final = {"BTC": 1_000, "LTC": 10_000, "SOL": 890_880}
STALE: Final = {
    "BTC": timedelta(hours=2),
    "LTC": timedelta(minutes=45),
    "ETH": timedelta(minutes=5),
    "SOL": timedelta(minutes=3),
}
"""What holds for a coin that the settings say nothing about."""
LateDeed = Literal["accept", "credit", "refund", "ask"]
RateSource = Literal["kraken", "coinbase", "coingecko"]
ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeper:
    """Large orders wait for more confirmations."""

    above: Money
    """Holds for orders of more than this: a price (`500.00 EUR`) or an amount of coins (`0.1 BTC`)."""
    blocks: int
    """How many confirmations such an order needs, at least."""
    asset: str | None = None
    """Only for this coin; left out, for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Which small differences are let pass."""

    under: Decimal = ZERO
    """Percent of the amount that may be missing, 0 to 100."""
    dust: list[Money] = field(default_factory=list)
    """What is overpaid by no more than this is kept: sending it back would cost more. One entry for each coin; unsaid
    0.00001 BTC, 0.0001 LTC, 0.00001 ETH, 0.00089088 SOL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """When only a part was paid."""

    extend: timedelta = timedelta(minutes=15)
    """How much longer the order is held for the rest."""
    times: int = 1
    """How often at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateWhen:
    """All that is given must hold."""

    stock: bool | None = None
    """true: everything is in stock still; false: something is not."""
    drift: Decimal | None = None
    """The rate has moved by no more percent than this since the invoice was made."""
    below: Money | None = None
    """The order's total is below this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRule:
    """What to do with a payment that came after the invoice was over. The first rule that holds is taken."""

    do: LateDeed
    """accept: deliver after all. credit: to the customer's balance. refund: send back. ask: the team decides."""
    when: LateWhen = LateWhen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What a coin costs."""

    fixed: dict[str, Money] = field(default_factory=dict)
    """Price of one coin, such as `BTC: 60000.00 EUR`. Goes before the sources; needs no network."""
    sources: list[RateSource] = field(default_factory=lambda: ["kraken", "coinbase", "coingecko"])
    """Where prices are asked; the median counts."""
    at_least: int = 1
    """How many sources must answer for a quote."""
    spread: Decimal = Decimal(3)
    """Percent by which the sources may differ; beyond that there is no quote."""
    age: timedelta = timedelta(minutes=10)
    """A price older than this is not used."""
    every: timedelta = timedelta(minutes=1)
    """How often the sources are asked."""
    urls: dict[str, str] = field(default_factory=dict)
    """Other addresses of the sources, such as a proxy of your own: `kraken: http://127.0.0.1:8080`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """How payments are handled. An invoice keeps the rules that were in force when it was made."""

    expires: timedelta = timedelta(minutes=30)
    """How long the price and the goods are held."""
    warning: timedelta = timedelta(minutes=5)
    """How long before that the customer is warned; 0s: never."""
    monitor: timedelta = timedelta(hours=24)
    """How long after its making an invoice's address is watched."""
    confirmations: dict[str, int] = field(default_factory=lambda: dict(DEPTHS))
    """How many blocks must confirm a payment, for each coin."""
    deeper: list[Deeper] = field(default_factory=list)
    """Orders that wait for more confirmations."""
    tolerance: Tolerance = Tolerance()
    partial: Partial = Partial()
    over: Literal["refund", "credit", "keep"] = "refund"
    """What happens to money that was paid too much."""
    late: list[LateRule] = field(
        default_factory=lambda: [
            LateRule(do="accept", when=LateWhen(stock=True, drift=Decimal(2))),
            LateRule(do="ask"),
        ]
    )
    quote_for: timedelta = timedelta(minutes=10)
    """How long a quoted price holds."""
    rates: Rates = Rates()
    stale: dict[str, timedelta] = field(default_factory=lambda: dict(STALE))
    """When a chain's newest block is older than this, nothing expires: the node is stuck or gone."""
    unseen: timedelta = timedelta(minutes=3)
    """When a node has not answered for so long, nothing expires."""
    outage: timedelta = timedelta(hours=6)
    """How long at most an order is held beyond its time because the chain cannot be seen."""
    minimum: list[Money] = field(default_factory=list)
    """The smallest invoice for each coin: below it a chain refuses the payment, or it is not worth its fee. Unsaid
    0.00001 BTC, 0.0001 LTC, 0.00089088 SOL."""

    def depth(self, asset: str) -> int:
        """The usual number of confirmations."""
        return self.confirmations.get(asset, DEPTHS.get(asset, 6))

    def age(self, asset: str) -> timedelta:
        """How old the chain's newest block may be."""
        return self.stale.get(asset, STALE.get(asset, timedelta(minutes=10)))

    def dust(self, asset: str) -> int:
        """Minor units that are not worth sending back."""
        return next((one.minor for one in self.tolerance.dust if one.asset == asset), DUST.get(asset, 0))

    def smallest(self, asset: str) -> Money:
        """The smallest invoice."""
        unsaid = Money(minor=SMALLEST.get(asset, 1), asset=asset)
        return next((one for one in self.minimum if one.asset == asset), unsaid)

    def check(self) -> str | None:
        """What is senseless in these settings, in words; None when all is well."""
        return "; ".join(complaints(self)) or None


def complaints(given: PaymentSettings) -> Iterator[str]:
    """What is senseless, one sentence each."""
    yield from _times(given)
    yield from _amounts(given)
    yield from _late(given)
    yield from _rates(given)


def _times(given: PaymentSettings) -> Iterator[str]:
    if not timedelta(minutes=1) <= given.expires <= timedelta(days=7):
        yield "payments.expires must be between 1m and 7d, such as 30m"
    if given.warning < timedelta(0) or given.warning >= given.expires:
        yield "payments.warning must be shorter than payments.expires, such as 5m, or 0s for no warning"
    if given.monitor < given.expires:
        yield "payments.monitor must not be shorter than payments.expires, such as 24h"
    if given.partial.extend < timedelta(0) or given.partial.times < 0:
        yield "payments.partial: extend and times must not be negative"
    if given.quote_for < timedelta(minutes=1):
        yield "payments.quote_for must be 1m or more"
    if min(given.unseen, given.outage, *given.stale.values(), timedelta(0)) < timedelta(0):
        yield "payments: unseen, outage and stale must not be negative"


def _amounts(given: PaymentSettings) -> Iterator[str]:
    for asset, blocks in given.confirmations.items():
        if not 0 <= blocks <= 10_000:
            yield f"payments.confirmations: {asset} must be between 0 and 10000"
    for rule in given.deeper:
        if not 0 <= rule.blocks <= 10_000:
            yield "payments.deeper: blocks must be between 0 and 10000"
    if not ZERO <= given.tolerance.under < HUNDRED:
        yield "payments.tolerance.under is in percent: 0 or more and below 100, such as 0.5"
    for where, amounts in (("tolerance.dust", given.tolerance.dust), ("minimum", given.minimum)):
        named = [amount.asset for amount in amounts]
        for asset in sorted({asset for asset in named if named.count(asset) > 1}):
            yield f"payments.{where}: {asset} is there twice"
        if any(amount.minor < 0 for amount in amounts):
            yield f"payments.{where} must not be negative"


def _late(given: PaymentSettings) -> Iterator[str]:
    if not given.late:
        yield "payments.late is empty: a late payment would be left lying. Write `late: [{do: ask}]`"
        return
    for number, rule in enumerate(given.late[:-1], start=1):
        if rule.when == LateWhen():
            yield f"payments.late: rule {number} holds always, so what follows it is never reached"
    last = given.late[-1]
    if last.when != LateWhen():
        yield "payments.late: the last rule must hold always. Add `- {do: ask}` at its end"
    for number, rule in enumerate(given.late, start=1):
        if rule.when.drift is not None and rule.when.drift < ZERO:
            yield f"payments.late: rule {number}: drift must not be negative"
        if rule.do == "accept" and rule.when.stock is False:
            yield f"payments.late: rule {number} accepts what is not in stock"


def _rates(given: PaymentSettings) -> Iterator[str]:
    rates = given.rates
    if not rates.fixed and not rates.sources:
        yield "payments.rates has neither fixed prices nor sources: nothing can be sold"
    for asset, price in rates.fixed.items():
        if price.minor <= 0:
            yield f"payments.rates.fixed: the price of {asset} must be more than 0"
        if price.asset in ASSETS:
            yield f"payments.rates.fixed: the price of {asset} must be in a currency, such as 60000.00 EUR"
    if rates.at_least < 1 or (rates.sources and rates.at_least > len(set(rates.sources))):
        yield "payments.rates.at_least must be between 1 and the number of sources"
    if rates.spread < ZERO or rates.spread >= HUNDRED:
        yield "payments.rates.spread is in percent: 0 or more and below 100"
    if rates.age < rates.every or rates.every < timedelta(seconds=5):
        yield "payments.rates: every must be 5s or more, and age not shorter than every"
    for name in rates.urls:
        if name not in ("kraken", "coinbase", "coingecko"):
            yield f"payments.rates.urls: there is no source {name}; there are kraken, coinbase and coingecko"
