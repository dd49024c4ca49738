"""The filters that make days and times: functions and specs. What shows a moment to people is in `filter_functions`."""

import re
from datetime import date as day
from datetime import datetime as moment
from datetime import timedelta
from typing import Final

from engine.core.expressions.filter_specs import FilterParameter, FilterSpec
from engine.core.expressions.formats import moment_of
from engine.core.expressions.operators import number
from engine.core.expressions.scope import EvaluationError, Scope
from engine.core.types import DATE, DATETIME, DURATION, INTEGER, TextType

MOST_DAYS: Final = 1_000_000
CLOCKS: Final = frozenset(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def days(_scope: Scope, value: object) -> timedelta:
    amount = number(value)
    if not isinstance(amount, int) or abs(amount) > MOST_DAYS:
        raise EvaluationError(f"A number of days is a whole number of at most {MOST_DAYS}.")
    return timedelta(days=amount)


def at(scope: Scope, value: object, clock: object) -> moment:
    if isinstance(value, moment):
        value = value.astimezone(scope.formats.zone).date()
    found = _CLOCK.fullmatch(clock) if isinstance(clock, str) else None
    if not isinstance(value, day) or found is None:
        raise EvaluationError("A date and a time of day such as 09:30 were expected.")
    try:
        return moment_of(value, int(found[1]) * 60 + int(found[2]), scope.formats.zone)
    except OverflowError:
        raise EvaluationError("This day is too far away.") from None


DAYS: Final = (
    FilterSpec(
        name="days",
        function=days,
        accepts=(INTEGER,),
        result=lambda _use: DURATION,
        doc="So many days as a length of time, to count with: `today + (7 | days)`.",
        example=("(7 | days) | duration", "7 d"),
    ),
    FilterSpec(
        name="at",
        function=at,
        accepts=(DATE, DATETIME),
        parameters=(FilterParameter(name="time", type=TextType(choices=CLOCKS), required=True),),
        result=lambda _use: DATETIME,
        doc="The moment of a day at a time of day, where the bot lives.",
        example=("day | at('09:30') | text", "2026-03-05T09:30:00+00:00"),
    ),
)
