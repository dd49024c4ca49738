"""What a coin costs: the median of fresh prices that agree, or a fixed price. Pure law and its rows; no network.

No float anywhere: a price is a Decimal, an amount of coins an integer that is rounded up.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Final

from engine.actions import Work
from engine.core.records import record
from engine.core.values import Money, major, minor_digits
from storage.shop.ledger import whole
from storage.shop.moments import millis, moment
from storage.shop.policy import HUNDRED, PaymentSettings, Rates

_STEP: Final = {"ETH": 10**10}
"""Amounts are rounded up to so many minor units: 18 decimal places are more than anybody types."""
_AHEAD: Final = timedelta(minutes=1)
HIGHEST: Final = Decimal(10) ** 12
"""A price beyond this is a fault of the source."""


@record
class Rate:
    """The price of one coin, in major units of `currency`, as one source says it."""

    asset: str
    currency: str
    rate: Decimal
    source: str
    at: datetime


@record
class Agreed:
    """The price that counts."""

    rate: Decimal
    sources: tuple[str, ...]


@record
class NoRate:
    """There is no price to sell at, and why."""

    reason: str


def agree(rates: Iterable[Rate], *, settings: Rates, now: datetime) -> Agreed | NoRate:
    """The median of the prices that are fresh, when there are enough of them and they do not differ too much."""
    usable = {
        one.source: one.rate
        for one in rates
        if now - settings.age <= one.at <= now + _AHEAD and Decimal(0) < one.rate <= HIGHEST
        and one.source in settings.sources
    }  # fmt: skip
    if len(usable) < max(1, settings.at_least):
        return NoRate(reason="there is no fresh price")
    prices = sorted(usable.values())
    middle = len(prices) // 2
    median = prices[middle] if len(prices) % 2 else (prices[middle - 1] + prices[middle]) / 2
    if (prices[-1] - prices[0]) * HUNDRED > settings.spread * median:
        return NoRate(reason="the sources do not agree on the price")
    return Agreed(rate=median, sources=tuple(sorted(usable)))


def fixed(asset: str, currency: str, settings: Rates) -> Agreed | None:
    """The price that the settings fix, if they do."""
    price = settings.fixed.get(asset)
    if price is None or price.asset != currency or price.minor <= 0:
        return None
    return Agreed(rate=major(price), sources=("fixed",))


async def present(
    work: Work, asset: str, currency: str, *, payments: PaymentSettings, now: datetime
) -> Agreed | NoRate:
    """The price that counts now."""
    return fixed(asset, currency, payments.rates) or agree(
        await known(work, asset, currency), settings=payments.rates, now=now
    )


async def known(work: Work, asset: str, currency: str) -> Sequence[Rate]:
    """The newest price of every source."""
    rows = await work.query(
        "SELECT asset, currency, rate, source, at FROM pay_rates WHERE asset = ? AND currency = ? ORDER BY source",
        (asset, currency),
    )
    return [
        Rate(
            asset=str(row["asset"]),
            currency=str(row["currency"]),
            rate=Decimal(str(row["rate"])),
            source=str(row["source"]),
            at=moment(whole(row, "at")),
        )
        for row in rows
    ]


async def keep(work: Work, rates: Iterable[Rate]) -> None:
    """Note prices; an older one never replaces a newer one."""
    for one in sorted(rates, key=lambda rate: (rate.asset, rate.currency, rate.source)):
        await work.execute(
            "INSERT INTO pay_rates (asset, currency, rate, source, at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (asset, currency, source) DO UPDATE SET rate = excluded.rate, at = excluded.at "
            "WHERE pay_rates.at <= excluded.at",
            (one.asset, one.currency, format(one.rate, "f"), one.source, millis(one.at)),
        )


def amount(total: Money, asset: str, rate: Decimal) -> Money:
    """How many coins `total` is at this rate, rounded up. Raises ValueError for a rate of 0 or less."""
    if rate <= 0:
        raise ValueError("a rate must be more than 0")
    exact = Fraction(total.minor) * 10 ** minor_digits(asset) / (Fraction(rate) * 10 ** minor_digits(total.asset))
    step = _STEP.get(asset, 1)
    return Money(minor=ceil(exact / step) * step, asset=asset)


def value(coins: Money, currency: str, rate: Decimal) -> Money:
    """What coins are worth at this rate, rounded down."""
    exact = Fraction(coins.minor) * Fraction(rate) * 10 ** minor_digits(currency) / 10 ** minor_digits(coins.asset)
    return Money(minor=floor(exact), asset=currency)
