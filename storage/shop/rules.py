"""The rules of one invoice: the payment settings as they were when it was made, kept with it as JSON. Pure.

Never reads today's settings: a changed bot.yaml must not change what a customer was promised.
"""

import json
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any, cast

from engine.core.records import record
from engine.core.values import Money
from storage.shop.policy import HUNDRED, Deeper, LateDeed, LateRule, LateWhen, PaymentSettings

_MS = 1000


@record
class Late:
    """One rule for late payments; all that is not None must hold."""

    do: LateDeed
    stock: bool | None = None
    drift: Decimal | None = None
    below: int | None = None
    """Minor units of the order's currency."""


@record
class Rules:
    """Moments and lengths are milliseconds, amounts minor units of the invoice's coin."""

    needed: int
    """Confirmations."""
    least: int
    """What is enough: the amount without what may be missing."""
    dust: int
    warning: int
    extend: int
    times: int
    over: str
    late: tuple[Late, ...]
    stale: int
    """0: the newest block may be of any age."""
    unseen: int
    outage: int
    practice: bool = False
    """No real money: there is no chain that could be out of sight."""


def rules(given: PaymentSettings, *, amount: Money, total: Money, practice: bool, private: bool = False) -> Rules:
    """The rules for an invoice over `amount` coins for an order of `total`. `private`: on a chain of one's own, where
    nobody may be making blocks for a while."""
    part = Decimal(amount.minor) * (HUNDRED - given.tolerance.under) / HUNDRED
    return Rules(
        needed=_needed(given, amount=amount, total=total),
        least=max(1, int(part.to_integral_value(ROUND_CEILING))),
        dust=given.dust(amount.asset),
        warning=_ms(given.warning),
        extend=_ms(given.partial.extend),
        times=given.partial.times,
        over=given.over,
        late=tuple(_late(rule, total.asset) for rule in given.late if _speaks_of(rule.when, total.asset)),
        stale=0 if private else _ms(given.age(amount.asset)),
        unseen=_ms(given.unseen),
        outage=_ms(given.outage),
        practice=practice,
    )


def _needed(given: PaymentSettings, *, amount: Money, total: Money) -> int:
    return max([given.depth(amount.asset), *(rule.blocks for rule in given.deeper if _deeper(rule, amount, total))])


def _deeper(rule: Deeper, amount: Money, total: Money) -> bool:
    if rule.asset not in (None, amount.asset):
        return False
    meant = next((value for value in (total, amount) if value.asset == rule.above.asset), None)
    return meant is not None and meant.minor > rule.above.minor


def _speaks_of(when: LateWhen, currency: str) -> bool:
    """A rule about another currency than the order's never holds."""
    return when.below is None or when.below.asset == currency


def _late(rule: LateRule, currency: str) -> Late:
    below = rule.when.below.minor if rule.when.below is not None and rule.when.below.asset == currency else None
    return Late(do=rule.do, stock=rule.when.stock, drift=rule.when.drift, below=below)


def _ms(length: Any) -> int:
    return int(length.total_seconds() * _MS)


def dump(given: Rules) -> str:
    """As JSON for the invoice's row."""
    late = [
        {"do": rule.do, "stock": rule.stock, "drift": None if rule.drift is None else str(rule.drift),
         "below": rule.below}
        for rule in given.late
    ]  # fmt: skip
    plain = {name: getattr(given, name) for name in _WHOLE}
    return json.dumps({**plain, "over": given.over, "practice": given.practice, "late": late})


_WHOLE = ("needed", "least", "dust", "warning", "extend", "times", "stale", "unseen", "outage")


@lru_cache(maxsize=256)
def load(text: str) -> Rules:
    """The rules of a row. Raises ValueError when it was not written by `dump`."""
    try:
        kept: Mapping[str, Any] = json.loads(text)
        numbers = {name: int(kept[name]) for name in _WHOLE}
        late = tuple(_read(item) for item in kept["late"])
        return Rules(over=str(kept["over"]), practice=bool(kept["practice"]), late=late, **numbers)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the rules of an invoice cannot be read: {error}") from error


def _read(item: Mapping[str, Any]) -> Late:
    drift = item.get("drift")
    return Late(
        do=cast("LateDeed", item["do"]),
        stock=item.get("stock"),
        drift=None if drift is None else Decimal(str(drift)),
        below=item.get("below"),
    )
