"""Durations, sizes and amounts as product owners write them: `1h30m`, `50 MB`, `5 EUR`."""

import re
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from engine.core.values import Money, money

DURATION_PATTERN: Final = r"^(?=.)([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$"
"""Days, hours, minutes and seconds in this order, each at most once, at least one."""

LATE_PATTERN: Final = r"^(fire|skip|(?=[0-9])([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?)$"
"""What becomes of a timer that comes late: it fires, it does not, or so much time is given once more."""

SIZE_PATTERN: Final = r"^[0-9]{1,7}(\.[0-9]{1,3})? ?(B|KB|MB|GB)$"
MONEY_PATTERN: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,18})? [A-Z]{3,5}$"

_DURATION: Final = re.compile(DURATION_PATTERN.removesuffix("$"))
_MONEY: Final = re.compile(MONEY_PATTERN.removesuffix("$"))
_SIZE: Final = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?) ?(B|KB|MB|GB)")
_UNITS: Final = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


def parse_duration(text: str) -> timedelta | None:
    """`1h30m` as a duration; None when it is not one."""
    found = _DURATION.fullmatch(text)
    if not found:
        return None
    days, hours, minutes, seconds = (int(part[:-1]) if part else 0 for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_size(text: str) -> int | None:
    """`50 MB` in bytes (1 KB is 1024 bytes); None when it is not a size."""
    found = _SIZE.fullmatch(text)
    return int(Decimal(found[1]) * _UNITS[found[2]]) if found else None


def parse_money(text: str) -> Money | None:
    """`12.50 EUR` as money; None when it is not an amount of that currency."""
    if not _MONEY.fullmatch(text):
        return None
    amount, asset = text.split(" ")
    try:
        return money(Decimal(amount), asset)
    except (ValueError, InvalidOperation):
        return None
