"""`today`, counting with days, and putting lists together: values, types, cost."""

from datetime import UTC, date, datetime, timedelta

import pytest

from engine.core.expressions import EvaluationError, Formats, Scope, compile_expression, infer
from engine.core.expressions.filter_days import MOST_DAYS
from engine.core.types import ANY, DATE, DECIMAL, DURATION, INTEGER, TEXT, ListType, ValueType
from tests.core.expressions.samples import TYPES, expression, scope, value

KNOWN = {**TYPES, "today": DATE, "names": ListType(item=TEXT), "ages": ListType(item=INTEGER)}
LATE = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


def in_zone(zone: str) -> Scope:
    return Scope({}, {}, Formats(language="en", currency="EUR", time_zone=zone, now=LATE))


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", date(2026, 12, 31)), ("Europe/Warsaw", date(2027, 1, 1)), ("America/New_York", date(2026, 12, 31))],
)
def test_today_is_the_day_where_the_bot_lives(zone: str, day: date) -> None:
    assert compile_expression(expression("today"))(in_zone(zone)) == day


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("today + (7 | days)", date(2026, 3, 12)),
        ("today - 1 | days", date(2026, 3, 4)),
        ("(1 | days) * 2", timedelta(days=2)),
        ("today == day", True),
        ("day < today + (1 | days)", True),
        ("['a'] + ['b', 'c']", ("a", "b", "c")),
        ("[] + []", ()),
        ("(items | map('name')) + ['lid']", ("cup", "box", "lid")),
        ("(['a'] + ['b']) | count", 2),
    ],
)
def test_values(source: str, result: object) -> None:
    assert value(source) == result


@pytest.mark.parametrize("days", [MOST_DAYS + 1, -(10**29), 10**40, True, "7"])
def test_days_are_whole_and_not_too_many(days: object) -> None:
    with pytest.raises(EvaluationError):
        value("n | days", {"n": days})


def test_a_day_that_no_calendar_has_is_an_evaluation_error() -> None:
    with pytest.raises(EvaluationError):
        value(f"today - ({MOST_DAYS} | days)")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("today", DATE),
        ("today + (7 | days)", DATE),
        ("today - day", DURATION),
        ("7 | days", DURATION),
        ("names + [email]", ListType(item=TEXT)),
        ("ages + [0.5]", ListType(item=DECIMAL)),
        ("names + []", ListType(item=ANY)),
    ],
)
def test_types(source: str, kind: ValueType) -> None:
    inferred = infer(expression(source), KNOWN)
    assert (inferred.faults, inferred.type) == ((), kind)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("names + email", "a list on both sides: “+ [item]” adds one item"),
        ("names + ages", None),
        ("names - names", None),
        ("today + 7", None),
    ],
)
def test_faults(source: str, expected: str | None) -> None:
    (fault,) = infer(expression(source), KNOWN).faults
    assert (fault.kind, fault.expected) == ("type", expected)


def test_items_that_are_put_together_are_paid_for() -> None:
    sum_of = compile_expression(expression("x + x"))
    small = scope({"x": tuple(range(5_000))})
    assert len(sum_of(small)) == 10_000  # type: ignore[arg-type]
    assert small.budget == 0
    with pytest.raises(EvaluationError):
        sum_of(scope({"x": tuple(range(5_001))}))


def test_nothing_is_added_to_a_list() -> None:
    for source in ("x + missing", "missing + x", "x + 'a'"):
        with pytest.raises(EvaluationError):
            value(source, {"x": ("a",)})
