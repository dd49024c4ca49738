"""Calendars of working hours: openings, working time, closed days, and clocks that are put forward and back."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest

from engine.core.expressions.formats import moment_of, zone_of
from engine.core.hours import Hours, seen

WEEKDAYS = ((9 * 60, 18 * 60),)
SHOP = Hours(time_zone="Europe/Berlin", week=(*[WEEKDAYS] * 5, (), ()))
NIGHT = Hours(time_zone="Europe/Berlin", week=(((18 * 60, 26 * 60),),) * 7)
ALWAYS = Hours(time_zone="Europe/Berlin", week=(((0, 1440),),) * 7)
NEVER = Hours(time_zone="Europe/Berlin", week=((),) * 7)
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-03-02T08:59:59+01:00", False),
        ("2026-03-02T09:00:00+01:00", True),
        ("2026-03-02T17:59:59+01:00", True),
        ("2026-03-02T18:00:00+01:00", False),
        ("2026-03-07T12:00:00+01:00", False),
        ("2026-07-01T09:30:00+02:00", True),
        ("2026-07-01T07:30:00+00:00", True),
        ("2026-07-01T08:30:00+02:00", False),
    ],
)
def test_open_is_by_the_wall_clock_of_the_time_zone(moment: str, opened: bool) -> None:
    assert SHOP.is_open(at(moment)) is opened


def test_an_opening_reaches_into_the_next_day() -> None:
    assert NIGHT.is_open(at("2026-03-03T01:59:00+01:00"))
    assert not NIGHT.is_open(at("2026-03-03T02:00:00+01:00"))
    assert NIGHT.opening(at("2026-03-03T02:00:00+01:00")) == at("2026-03-03T18:00:00+01:00")


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-03-02T12:00:00+01:00", "2026-03-02T12:00:00+01:00"),
        ("2026-03-06T18:00:00+01:00", "2026-03-09T09:00:00+01:00"),
        ("2026-03-27T18:00:00+01:00", "2026-03-30T09:00:00+02:00"),
        ("2026-10-23T18:00:00+02:00", "2026-10-26T09:00:00+01:00"),
    ],
)
def test_the_next_opening(moment: str, opening: str) -> None:
    assert SHOP.opening(at(moment)) == at(opening)


@pytest.mark.parametrize(
    ("moment", "hours", "over"),
    [
        ("2026-03-02T10:00:00+01:00", 2, "2026-03-02T12:00:00+01:00"),
        ("2026-03-02T16:00:00+01:00", 2, "2026-03-02T18:00:00+01:00"),
        ("2026-03-02T17:00:00+01:00", 2, "2026-03-03T10:00:00+01:00"),
        ("2026-03-07T12:00:00+01:00", 2, "2026-03-09T11:00:00+01:00"),
        ("2026-03-07T12:00:00+01:00", 0, "2026-03-09T09:00:00+01:00"),
        ("2026-03-27T17:00:00+01:00", 10, "2026-03-30T18:00:00+02:00"),
    ],
)
def test_working_time_counts_openings_only(moment: str, hours: int, over: str) -> None:
    assert SHOP.after(at(moment), hours * HOUR) == at(over)


def test_working_time_in_the_night_when_the_clock_changes() -> None:
    # The night of 28 to 29 March has no 02:00–03:00: from 18:00 to 02:00 are eight hours, as in any night.
    assert NIGHT.after(at("2026-03-28T18:00:00+01:00"), 8 * HOUR) == at("2026-03-29T03:00:00+02:00")
    late = Hours(time_zone="Europe/Berlin", week=(((60, 300),),) * 7)
    # 01:00–05:00 lasts three hours in spring and five in autumn.
    assert late.after(at("2026-03-29T01:00:00+01:00"), 3 * HOUR) == at("2026-03-29T05:00:00+02:00")
    assert late.after(at("2026-10-25T01:00:00+02:00"), 5 * HOUR) == at("2026-10-25T05:00:00+01:00")


def test_times_that_a_clock_leaves_out_or_has_twice() -> None:
    berlin = zone_of("Europe/Berlin")
    half_past_two = 150
    assert moment_of(date(2026, 3, 29), half_past_two, berlin) == at("2026-03-29T03:30:00+02:00")
    assert moment_of(date(2026, 10, 25), half_past_two, berlin) == at("2026-10-25T02:30:00+02:00")


def test_of_two_equal_times_the_first_is_meant() -> None:
    early = Hours(time_zone="Europe/Berlin", week=(((120, 150),),) * 7)
    assert early.is_open(at("2026-10-25T02:00:00+02:00"))
    assert not early.is_open(at("2026-10-25T02:30:00+02:00"))
    assert not early.is_open(at("2026-10-25T02:15:00+01:00"))
    night = early.openings(at("2026-03-29T00:00:00+01:00"))
    gone = [pair for pair in night if pair[0] < at("2026-03-30T00:00:00+02:00")]
    assert gone == [(at("2026-03-29T03:00:00+02:00"), at("2026-03-29T03:30:00+02:00"))]


def test_closed_days() -> None:
    shop = Hours(
        time_zone="Europe/Berlin",
        week=SHOP.week,
        closed=frozenset({date(2026, 12, 28)}),
        closed_yearly=frozenset({(12, 25), (2, 29)}),
    )
    assert shop.opening(at("2026-12-24T18:00:00+01:00")) == at("2026-12-29T09:00:00+01:00")
    assert SHOP.is_open(at("2028-02-29T10:00:00+01:00"))
    assert not shop.is_open(at("2028-02-29T10:00:00+01:00"))


def test_what_never_opens_and_what_never_closes() -> None:
    noon = at("2026-03-02T12:00:00+01:00")
    assert NEVER.opening(noon) is None
    assert NEVER.after(noon, HOUR) == noon + HOUR
    assert ALWAYS.after(noon, timedelta(days=900)) == noon + timedelta(days=900)
    values = seen({"a": ALWAYS, "n": NEVER}, noon)
    assert values["a"]["open"] is True
    assert values["a"]["closes"] - noon >= timedelta(days=366)
    assert values["a"]["opens"] > noon
    assert values["n"]["open"] is False
    assert values["n"]["opens"] > noon


def test_what_texts_and_conditions_see() -> None:
    open_now = seen({"s": SHOP}, at("2026-03-02T12:00:00+01:00"))["s"]
    assert open_now == {
        "open": True,
        "opens": at("2026-03-03T09:00:00+01:00"),
        "closes": at("2026-03-02T18:00:00+01:00"),
    }
    closed = seen({"s": SHOP}, at("2026-03-07T12:00:00+01:00"))["s"]
    assert closed == {
        "open": False,
        "opens": at("2026-03-09T09:00:00+01:00"),
        "closes": at("2026-03-09T18:00:00+01:00"),
    }
    over_midnight = Hours(time_zone="Europe/Berlin", week=(((1080, 1440),), ((0, 120),), (), (), (), (), ()))
    assert seen({"n": over_midnight}, at("2026-03-02T20:00:00+01:00"))["n"]["closes"] == at("2026-03-03T02:00:00+01:00")


@pytest.mark.parametrize("moment", ["0001-01-01T12:00:00+00:00", "9999-12-30T12:00:00+00:00"])
def test_the_ends_of_time(moment: str) -> None:
    assert set(seen({"s": SHOP}, at(moment))["s"]) == {"open", "opens", "closes"}
    assert SHOP.opening(at(moment)) is None or moment.startswith("0001")


def test_a_long_time_is_worked_out_quickly() -> None:
    begun = at("2026-03-02T12:00:00+01:00")
    assert SHOP.after(begun, timedelta(days=99_999)) > begun + timedelta(days=99_999)


def test_a_whole_year_is_open_by_the_wall_clock() -> None:
    """Against the plain definition."""
    berlin = zone_of("Europe/Berlin")
    moment, end = at("2026-01-01T00:00:00+01:00"), at("2026-12-31T00:00:00+01:00")
    while moment < end:
        local = moment.astimezone(berlin)
        assert SHOP.is_open(moment) is (local.weekday() < 5 and 9 <= local.hour < 18), local
        assert NIGHT.is_open(moment) is (local.hour >= 18 or local.hour < 2), local
        moment += timedelta(hours=3, minutes=30)


@pytest.mark.parametrize("seed", range(25))
def test_openings_of_any_calendar(seed: int) -> None:
    """In order, apart, and adding up: what is open between a moment and the end of working time is that time."""
    draw = random.Random(seed)
    zone = draw.choice(
        ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"]
    )
    calendar = Hours(
        time_zone=zone, week=tuple(_day(draw) for _ in range(7)), closed_yearly=frozenset({(3, 29), (10, 4)})
    )
    moment = at("2026-01-01T00:00:00+00:00") + timedelta(minutes=draw.randrange(500_000))
    some = list(islice(calendar.openings(moment), 200))
    assert all(begin < end <= later for (begin, end), (later, _) in pairwise(some))
    opening = calendar.opening(moment)
    if opening is None:
        assert not some
        return
    assert opening >= moment
    assert calendar.is_open(opening)
    working = timedelta(minutes=draw.randrange(1, 5000))
    end = calendar.after(moment, working)
    parts = [min(close, end) - max(begin, moment) for begin, close in some if begin < end]
    assert sum(parts, timedelta()) == working
    assert calendar.after(moment, working + HOUR) > end


def _day(draw: random.Random) -> tuple[tuple[int, int], ...]:
    times = sorted(draw.sample(range(0, 1440, 15), draw.choice([0, 2, 2, 4])))
    spans = list(zip(times[::2], times[1::2], strict=True))
    if spans and draw.random() < 0.2:
        spans[-1] = (spans[-1][0], 1440 + draw.choice([0, 60, 300]))
    return tuple(spans)
