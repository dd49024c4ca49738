"""The validators that every flow has without a plugin: `length`, `pattern`, `range`, …

Pure. Their refusals are keys under `refused.` in the engine's wording; no sentence stands here.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import regex

from engine.actions.errors import BadArgument
from engine.actions.marks import Direct
from engine.actions.offers import validator
from engine.core.verdicts import Accepted, Refused

MATCH_TIME: Final = 0.05
"""Seconds that one match of a pattern may take."""


def _refused(key: str, **values: object) -> Refused:
    return Refused(key=f"refused.{key}", values=values)


def _outside(key: str, value: Any, low: Any, high: Any, **values: object) -> Refused | None:
    """The refusal of a value below `low` or above `high`; None when it is between."""
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    if low is not None and high is not None:
        return _refused(f"{key}.between", min=low, max=high, **values)
    if low is not None:
        return _refused(f"{key}.min", min=low, **values)
    return _refused(f"{key}.max", max=high, **values)


# --- arguments, judged when flows load --------------------------------------------------------------------


def _crossed(given: Mapping[str, object]) -> str | None:
    low, high = given.get("min"), given.get("max")
    if isinstance(low, int | Decimal) and isinstance(high, int | Decimal) and low > high:
        return f"the least ({low}) is more than the most ({high}), so it would refuse every answer"
    return None


def _no_expression(given: Mapping[str, object]) -> str | None:
    text = given.get("regex")
    if not isinstance(text, str):
        return None
    try:
        regex.compile(text)
    except regex.error as error:
        return f"this is no regular expression, {error.msg} ({_place(error.pos, text)})"
    except (ValueError, OverflowError, RecursionError) as error:
        return f"this is no regular expression, {error}"
    return None


def _place(position: int | None, text: str) -> str:
    if position is None:
        return f"in “{text}”"
    return f"at the end of “{text}”" if position >= len(text) else f"at character {position + 1} of “{text}”"


def _nothing_allowed(given: Mapping[str, object]) -> str | None:
    return "the list is empty, so no answer would do" if given.get("values") in ((), []) else None


def _no_date(given: Mapping[str, object]) -> str | None:
    try:
        _day(given["date"])
    except KeyError:
        return None
    except BadArgument as error:
        return str(error)
    return None


# --- text ------------------------------------------------------------------------------------------------


@validator(check=_crossed)
def length(value: str, *, min_: int | None = None, max_: int | None = None) -> Accepted | Refused:
    """The text has at least `min` and at most `max` characters.

    Args:
        min: The fewest characters.
        max: The most characters.
    """
    return _outside("length", len(value), min_, max_, length=len(value)) or Accepted(value=value)


@validator(check=_no_expression)
def pattern(value: str, *, regex_: Annotated[str, Direct]) -> Accepted | Refused:
    """The whole text matches a regular expression.

    Args:
        regex: The expression; `\\p{L}` is any letter of any alphabet. Slow ones are cut off and refuse.
    """
    try:
        matched = regex.fullmatch(regex_, value, timeout=MATCH_TIME)
    except TimeoutError:
        matched = None
    except regex.error as error:
        raise BadArgument(f"the pattern {regex_!r} is no regular expression: {error}") from error
    return Accepted(value=value) if matched else _refused("pattern")


@validator(check=_nothing_allowed)
def one_of(value: str, *, values: Annotated[list[str], Direct]) -> Accepted | Refused:
    """The text is one of a list; capitals do not matter, the answer is written as in the list.

    Args:
        values: The allowed texts.
    """
    found = next((known for known in values if known.casefold() == value.strip().casefold()), None)
    return _refused("one_of", values=", ".join(values)) if found is None else Accepted(value=found)


@validator()
def not_one_of(value: str, *, values: Annotated[list[str], Direct]) -> Accepted | Refused:
    """The text is none of a list; capitals do not matter.

    Args:
        values: The refused texts.
    """
    hit = value.strip().casefold() in {known.casefold() for known in values}
    return _refused("not_one_of", value=value) if hit else Accepted(value=value)


@validator()
def digits(value: str, *, count: Annotated[int | None, Direct] = None) -> Accepted | Refused:
    """The text is made of the digits 0 to 9; spaces and hyphens between them are taken out.

    Args:
        count: Exactly how many digits.
    """
    bare = value.replace(" ", "").replace("-", "")
    if not (bare.isascii() and bare.isdigit()):
        return _refused("digits")
    return _refused("digits.count", count=count) if count not in (None, len(bare)) else Accepted(value=bare)


@validator()
def url(value: str) -> Accepted | Refused:
    """The text is a whole web address that starts with http:// or https://."""
    try:
        parts = urlsplit(value.strip())
        good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and parts.port != 0
    except ValueError:
        good = False
    return Accepted(value=value.strip()) if good and not any(map(str.isspace, value.strip())) else _refused("url")


@validator()
def contains(value: str, *, text: Annotated[str, Direct]) -> Accepted | Refused:
    """The text contains another one; capitals do not matter.

    Args:
        text: What must be in it.
    """
    return Accepted(value=value) if text.casefold() in value.casefold() else _refused("contains", text=text)


# --- numbers and lists -----------------------------------------------------------------------------------


@validator(name="range", check=_crossed)
def between(value: Decimal, *, min_: Decimal | None = None, max_: Decimal | None = None) -> Accepted | Refused:
    """The number is at least `min` and at most `max`.

    Args:
        min: The smallest number.
        max: The largest number.
    """
    return _outside("range", value, min_, max_) or Accepted(value=value)


@validator(check=_crossed)
def count(value: list[Any], *, min_: int | None = None, max_: int | None = None) -> Accepted | Refused:
    """The list has at least `min` and at most `max` items.

    Args:
        min: The fewest items.
        max: The most items.
    """
    return _outside("count", len(value), min_, max_, count=len(value)) or Accepted(value=value)


# --- dates -----------------------------------------------------------------------------------------------


@validator()
def future(value: date, *, now: datetime) -> Accepted | Refused:
    """The date lies after today."""
    return Accepted(value=value) if value > now.date() else _refused("future")


@validator()
def past(value: date, *, now: datetime) -> Accepted | Refused:
    """The date lies before today."""
    return Accepted(value=value) if value < now.date() else _refused("past")


@validator()
def within_days(value: date, *, n: Annotated[int, Direct], now: datetime) -> Accepted | Refused:
    """The date is today or one of the next `n` days.

    Args:
        n: How many days ahead.
    """
    last = now.date() + timedelta(days=n)
    return Accepted(value=value) if now.date() <= value <= last else _refused("within_days", last=last)


@validator(check=_no_date)
def after(value: date, *, date_: Annotated[Any, Direct]) -> Accepted | Refused:
    """The date lies after another one.

    Args:
        date: A date as 2026-12-31, or an expression that gives one.
    """
    limit = _day(date_)
    return Accepted(value=value) if value > limit else _refused("after", date=limit)


@validator(check=_no_date)
def before(value: date, *, date_: Annotated[Any, Direct]) -> Accepted | Refused:
    """The date lies before another one.

    Args:
        date: A date as 2026-12-31, or an expression that gives one.
    """
    limit = _day(date_)
    return Accepted(value=value) if value < limit else _refused("before", date=limit)


def _day(given: object) -> date:
    match given:
        case datetime():
            return given.date()
        case date():
            return given
        case str():
            try:
                return date.fromisoformat(given)
            except ValueError:
                raise BadArgument(f"“{given}” is no date; write it as 2026-12-31") from None
        case _:
            raise BadArgument("the date must be a date, written as 2026-12-31")
