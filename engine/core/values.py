"""The values that answers, texts and conditions are made of.

Plain Python (str, int, Decimal, bool, date, datetime, timedelta, list as tuple, record as dict) plus the few
kinds below. Everything here survives a round trip through `engine.core.codec`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final

Value = object
"""Any value of the language: see the module's docstring. Named for readers; checked by `engine.core.types`."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Money:
    """An amount in minor units of an asset: `Money(minor=1250, asset="EUR")` is 12.50 €.

    Integers, because SQLite's arithmetic on decimals goes through float (measured: 0.30 x 1.15 = 0.34).
    """

    minor: int
    asset: str


MINOR_DIGITS: Final[Mapping[str, int]] = {
    "BTC": 8, "LTC": 8, "ETH": 18, "SOL": 9, "USDT": 6, "USDC": 6,
    "JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "HUF": 2,
    "BHD": 3, "KWD": 3, "TND": 3, "OMR": 3, "JOD": 3,
}  # fmt: skip


def minor_digits(asset: str) -> int:
    """How many decimal places an asset's minor unit has: 2 for EUR, 0 for JPY, 8 for BTC (ISO 4217, chains)."""
    return MINOR_DIGITS.get(asset, 2)


def money(amount: Decimal | int, asset: str) -> Money:
    """`Money` from an amount in major units. Raises ValueError when the asset has no such small part."""
    with localcontext(prec=100):  # the usual 28 digits would round an amount of wei
        scaled = Decimal(amount).scaleb(minor_digits(asset))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more decimal places than {asset} knows")
        return Money(minor=int(scaled), asset=asset)


def major(value: Money) -> Decimal:
    """The amount of `value` in major units, exact."""
    return Decimal(f"{value.minor}e-{minor_digits(value.asset)}")


class Unset:
    """The one value of a name that nothing has set. False in a condition, never equal to anything typed."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
