"""`hours:` of bot.yaml becomes calendars of working hours. Only what the schema cannot see is found here."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from engine.core.hours import Hours, Span
from engine.diagnostics import Span as Place
from engine.loading.documents import Node, Pair, Scalar_, Sequence_
from engine.loading.findings import Findings
from engine.loading.parser_arguments import mapping, scalar
from engine.loading.zones import time_zone

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = f"({'|'.join(DAYS)})"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
DAYS_PATTERN: Final = f"^{_DAY}(-{_DAY})?$"
SPAN_PATTERN: Final = f"^{_CLOCK} ?- ?({_CLOCK}|24:00)$"
_DATE: Final = "[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
CLOSED_PATTERN: Final = f"^([01][0-9]-[0-3][0-9]|{_DATE}( to {_DATE})?)$"
DAY: Final = 1440
"""Minutes."""
LONGEST_CLOSING: Final = 366
"""Days that `… to …` may have."""


def calendar(pair: Pair, usual_zone: str, findings: Findings) -> Hours:
    """One calendar. What cannot be meant is a finding, and left out."""
    week: dict[int, tuple[Span, ...]] = {}
    closed: set[date] = set()
    yearly: set[tuple[int, int]] = set()
    zone = usual_zone
    for entry in mapping(pair.value):
        match entry.key.text:
            case "time_zone":
                zone = time_zone(entry.value, findings) or zone
            case "closed":
                _close(entry.value, closed, yearly, findings)
            case _:
                _open(entry, week, findings)
    if not any(week.values()) and not findings.all():
        findings.error("F0906", pair.key.content, f"“{pair.key.text}” never opens.",
                       expected="days with times, such as mon-fri: 09:00-18:00")  # fmt: skip
    return Hours(
        time_zone=zone,
        week=tuple(week.get(number, ()) for number in range(7)),
        closed=frozenset(closed),
        closed_yearly=frozenset(yearly),
    )


def _open(entry: Pair, week: dict[int, tuple[Span, ...]], findings: Findings) -> None:
    spans = tuple(sorted(span for item in _items(entry.value) if (span := _span(item, findings))))
    if any(later[0] < before[1] for before, later in pairwise(spans)):
        findings.error("F0906", entry.key.content, "Two of these times overlap.",
                       expected="times one after the other, such as [09:00-12:00, 13:00-18:00]")  # fmt: skip
    for number in _numbers(entry.key.text):
        if number in week:
            findings.error("F0906", entry.key.content, f"“{DAYS[number]}” has its times already.",
                           expected="all times of a day in one place, such as [09:00-12:00, 13:00-18:00]")  # fmt: skip
        week[number] = spans


def _numbers(days: str) -> Iterator[int]:
    """`fri-mon` is Friday to Monday."""
    first, _, last = days.partition("-")
    number, end = DAYS.index(first), DAYS.index(last or first)
    yield number
    while number != end:
        number = (number + 1) % 7
        yield number


def _items(node: Node) -> tuple[Scalar_, ...]:
    return tuple(scalar(item) for item in node.items) if isinstance(node, Sequence_) else (scalar(node),)


def _span(node: Scalar_, findings: Findings) -> Span | None:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in re.findall(r"\d\d:\d\d", node.text))
    if start == end:
        findings.error("F0906", node.content, "These times are one and the same moment.",
                       expected="00:00-24:00 for a whole day")  # fmt: skip
        return None
    return start, end if end > start else end + DAY


# --- closed days ------------------------------------------------------------------------------------------


def _close(node: Node, closed: set[date], yearly: set[tuple[int, int]], findings: Findings) -> None:
    for item in _items(node):
        first, _, last = item.text.partition(" to ")
        if len(first) == len("12-25"):
            day = _day(f"2024-{first}", item.content, findings)  # a year with a 29th of February
            yearly.update([] if day is None else [(day.month, day.day)])
            continue
        begin = _day(first, item.content, findings)
        end = _day(last, item.content, findings) if last else begin
        if begin is None or end is None:
            continue
        if not timedelta(0) <= end - begin <= timedelta(days=LONGEST_CLOSING):
            findings.error("F0906", item.content, f"From {first} to {last} is no range of days.",
                           expected=f"the first day, then the last, at most {LONGEST_CLOSING} days later")  # fmt: skip
            continue
        closed.update(begin + timedelta(days=number) for number in range((end - begin).days + 1))


def _day(text: str, place: Place, findings: Findings) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        findings.error("F0906", place, "There is no such day.", expected="a day such as 2026-12-31, or 12-25")
        return None
