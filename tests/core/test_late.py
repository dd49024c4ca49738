"""Time limits: working hours, moments in the past and far away, and what becomes of a timer that comes late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.core.conversation import Phase
from engine.core.effects import Show, StartTimer
from engine.core.events import TimerFired
from engine.core.hours import Hours
from engine.core.model import Bot
from tests.core.stepping import ASK, flow
from tests.core.walker import NOON, Walker, world_of

SHOP = Hours(time_zone="Europe/Berlin", week=(*[((540, 1080),)] * 5, (), ()))
BOT = Bot(hours={"shop": SHOP})
HOUR = timedelta(hours=1)


def walk(limit: str, head: str = "", ways: str = "timeout: slow", **arguments: Any) -> Walker:
    steps = f"  q:\n{ASK}Q\n    timeout: {limit}\n    transitions: {{answered: b, {ways}}}\n"
    steps += f"  b:\n{ASK}B\n  slow:\n{ASK}S\n  sorry:\n{ASK}Sorry\n"
    return Walker(flow(steps, head), bot=BOT, world=world_of(hours=BOT.hours)).start(**arguments)


def fires(walker: Walker, late: timedelta = timedelta(0), name: str = "timeout") -> Walker:
    """The timer fires so late."""
    visit = 0 if name == "expires" else walker.visit.number
    due = walker.conversation.expires_at if name == "expires" else walker.timers.pop((visit, name))
    assert due is not None
    walker.now = due + late
    return walker.happens(TimerFired(at=walker.now, visit=visit, name=name, due=due))


def due(walker: Walker) -> datetime:
    return walker.timers[walker.visit.number, "timeout"]


# --- late --------------------------------------------------------------------------------------------------------


def test_unless_the_flow_says_otherwise_a_late_timer_fires() -> None:
    assert fires(walk("30m"), timedelta(days=3)).step == "slow"


@pytest.mark.parametrize(
    ("late", "by", "step"),
    [
        ("skip", timedelta(seconds=60), "slow"),
        ("skip", timedelta(seconds=61), "q"),
        ("{grace: 10m, then: skip}", timedelta(minutes=10), "slow"),
        ("{grace: 10m, then: skip}", timedelta(minutes=11), "q"),
        ("{grace: 0s, then: skip}", timedelta(seconds=9), "slow"),
        ("{grace: 10m, then: fire}", timedelta(minutes=11), "slow"),
        ("fire", timedelta(days=1), "slow"),
    ],
)
def test_within_the_grace_it_is_in_time(late: str, by: timedelta, step: str) -> None:
    for walker in (walk(f"{{after: 30m, late: {late}}}"), walk("30m", f"late: {late}\n")):
        assert fires(walker, by).step == step


def test_a_skipped_timer_is_gone_and_the_question_goes_on() -> None:
    walker = fires(walk("{after: 30m, late: skip}"), HOUR)
    assert walker.timers == {}
    assert ("q", "late") in walker.traces
    assert walker.say("here").step == "b"


def test_so_much_time_once_more() -> None:
    walker = fires(walk("30m", "late: {grace: 5m, then: 1h}\n"), 5 * HOUR)
    assert (walker.step, due(walker)) == ("q", walker.now + HOUR)
    assert fires(walker, timedelta(seconds=2)).step == "slow"
    again = fires(fires(walk("{after: 30m, late: 1h}"), 5 * HOUR), 5 * HOUR)
    assert (again.step, due(again)) == ("q", again.now + HOUR)


def test_the_step_s_own_policy_goes_before_the_flow_s() -> None:
    assert fires(walk("{after: 30m, late: fire}", "late: skip\n"), HOUR).step == "slow"


def test_a_late_timer_may_have_a_way_of_its_own() -> None:
    ways = "timeout: slow, timeout_late: sorry"
    assert fires(walk("30m", "", ways)).step == "slow"
    assert fires(walk("30m", "", ways), HOUR).step == "sorry"
    assert fires(walk("{after: 30m, late: skip}", "", ways), HOUR).step == "sorry"
    closed = "timeout: slow, timeout_late: {to: sorry, if: 1 > 2}"
    assert fires(walk("30m", "", closed), HOUR).step == "slow"


def test_a_time_limit_whose_conditions_do_not_hold_changes_nothing() -> None:
    walker = fires(walk("30m", "", "timeout: {to: slow, if: 1 > 2}"))
    assert (walker.step, walker.phase) == ("q", Phase.ASKING)
    assert not any(isinstance(effect, Show) for effect in walker.effects)
    assert walker.say("here").step == "b"


def test_what_expires_late() -> None:
    assert fires(walk("30m", "expires: 2h\n"), 9 * HOUR, "expires").over
    later = fires(walk("30m", "expires: 2h\nlate: {grace: 5m, then: 1h}\n"), 9 * HOUR, "expires")
    assert not later.over
    assert later.conversation.expires_at == later.now + HOUR
    fresh = fires(walk("30m", "expires: 2h\nlate: skip\n"), 9 * HOUR, "expires")
    assert fresh.conversation.expires_at == fresh.now + 2 * HOUR
    assert fires(walk("30m", "expires: 2h\nlate: skip\n"), timedelta(seconds=1), "expires").over


def test_missed_redrawings_are_one() -> None:
    walker = Walker(flow(f"  q:\n{ASK}It is {{{{ now | time }}}}\n    refresh: 1m\n")).start()
    fires(walker, 5 * HOUR, "refresh")
    assert [type(effect) for effect in walker.effects] == [StartTimer, Show]
    assert walker.timers[1, "refresh"] == walker.now + timedelta(minutes=1)


# --- the stay ----------------------------------------------------------------------------------------------------


def test_a_timer_of_a_stay_that_was_left_and_come_back_to_does_nothing() -> None:
    walker = walk("30m")
    old = due(walker)
    walker.say("here").back()
    assert walker.step == "q"
    assert due(walker) == walker.now + timedelta(minutes=30)
    walker.now = old + HOUR
    walker.happens(TimerFired(at=walker.now, visit=1, name="timeout", due=old))
    assert (walker.step, walker.effects) == ("q", ())


def test_a_timer_of_a_step_that_has_none_any_more_does_nothing() -> None:
    steps = f"  q:\n{ASK}Q\n    transitions: {{timeout: slow, answered: slow}}\n  slow:\n{ASK}S\n"
    walker = Walker(flow(steps)).start()
    for name in ("timeout", "refresh"):
        assert walker.happens(TimerFired(at=walker.now, visit=1, name=name)).effects == ()
    assert walker.step == "q"


def test_a_redrawing_does_not_keep_the_conversation_from_expiring() -> None:
    walker = Walker(flow(f"  q:\n{ASK}Q\n    refresh: 1m\n", "expires: 10m\n")).start()
    assert not walker.wait(599).over
    assert walker.wait(1).over
    assert walker.timers == {}


def test_an_edit_ends_the_timer_and_who_comes_back_gets_a_new_one() -> None:
    steps = f"""  name:
{ASK}Name?
  sure:
    ask: choice
    text: Sure, {{{{ name }}}}?
    keyboard:
      - [{{text: Yes, trigger: fine}}]
      - [{{text: Change, edit: [name]}}]
    timeout: 10m
    transitions: {{timeout: slow}}
  slow:
{ASK}S
"""
    walker = Walker(flow(steps)).start().say("Ada")
    first = walker.visit.number
    walker.wait(300).press("Change")
    assert (walker.step, walker.timers) == ("name", {})
    assert walker.happens(TimerFired(at=walker.now, visit=first, name="timeout")).step == "name"
    walker.wait(400).say("Bo")
    assert (walker.step, due(walker)) == ("sure", walker.now + timedelta(minutes=10))
    assert walker.wait(599).step == "sure"
    assert walker.wait(1).step == "slow"


# --- moments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        (NOON - timedelta(days=9), NOON + timedelta(seconds=1)),
        (NOON, NOON + timedelta(seconds=1)),
        (datetime.min.replace(tzinfo=UTC), NOON + timedelta(seconds=1)),
        (NOON + HOUR, NOON + HOUR),
        (datetime.fromisoformat("2026-03-02T15:00:00+02:00"), NOON + HOUR),
        (datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)),
    ],
)
def test_moments_in_the_past_and_far_away(deadline: datetime, expected: datetime) -> None:
    walker = walk("{until: deadline}", "arguments: {deadline: time}\n", deadline=deadline)
    assert due(walker) == expected
    assert due(walker).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        ("2026-03-02T15:00:00+02:00", "2026-03-02T14:00:00+01:00"),
        ("2026-03-02T13:00:00Z", "2026-03-02T14:00:00+01:00"),
        ("2026-03-02 14:00", "2026-03-02T14:00:00+01:00"),
        ("2026-03-05", "2026-03-05T00:00:00+01:00"),
        ("soon", None),
        (17, None),
        (None, None),
    ],
)
def test_a_moment_as_an_api_writes_it(deadline: object, expected: str | None) -> None:
    steps = f"  q:\n{ASK}Q\n    timeout: {{until: deadline}}\n    transitions: {{timeout: q}}\n"
    world = world_of(time_zone="Europe/Berlin")
    walker = Walker(flow(steps, "arguments: {deadline: any}\n"), world=world).start(deadline=deadline)
    if expected is None:
        assert (walker.timers, len(walker.troubles)) == ({}, 1)
    else:
        assert due(walker) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("limit", ["0s", "{after: 0s}", "{until: now - (1 | days)}", "{until: now + (1000000 | days)}"])
def test_steps_whose_time_is_over_at_once_do_not_chase_each_other(limit: str) -> None:
    steps = f"  a:\n{ASK}A\n    timeout: {limit}\n    transitions: {{timeout: b}}\n"
    steps += f"  b:\n{ASK}B\n    timeout: {limit}\n    refresh: 0s\n    transitions: {{timeout: a}}\n"
    walker = Walker(flow(steps)).start()
    assert all(moment >= walker.now + timedelta(seconds=1) for moment in walker.timers.values())


# --- working hours -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("{after: 2h, hours: shop}", "2026-03-02T15:00:00+01:00"),
        ("{after: 6h, hours: shop}", "2026-03-03T10:00:00+01:00"),
        ("{until: today | at('20:00'), hours: shop}", "2026-03-03T09:00:00+01:00"),
        ("{until: today | at('16:00'), hours: shop}", "2026-03-02T17:00:00+01:00"),
        ("{until: (today + (5 | days)) | at('10:00'), hours: shop}", "2026-03-09T09:00:00+01:00"),
        ("{until: (today + (1 | days)) - today, hours: shop}", "2026-03-03T13:00:00+01:00"),
        ("{until: ((today + (1 | days)) - today) * 5, hours: shop}", "2026-03-09T09:00:00+01:00"),
    ],
)
def test_time_limits_in_working_hours(limit: str, expected: str) -> None:
    assert due(walk(limit)) == datetime.fromisoformat(expected)


def test_a_late_one_waits_for_the_next_opening() -> None:
    walker = fires(walk("{after: 5h, hours: shop}"), timedelta(seconds=2))
    assert walker.step == "slow", "at the last moment of the day, and in time"
    walker = fires(walk("{after: 4h, hours: shop}"), 9 * HOUR)
    assert (walker.step, due(walker)) == ("q", datetime.fromisoformat("2026-03-03T09:00:00+01:00"))
    assert fires(walker).step == "slow"
    assert fires(walk("{after: 2h, hours: shop}"), HOUR).step == "slow", "late, but it is open"
    more = fires(walk("{after: 2h, hours: shop, late: 2h}"), 3 * HOUR)
    assert due(more) == datetime.fromisoformat("2026-03-03T11:00:00+01:00"), "two hours more are working hours too"


def test_conditions_and_texts_see_the_hours() -> None:
    steps = f"""  closed:
    if: not hours.shop.open
    text: We open {{{{ hours.shop.opens | text }}}}.
  q:
{ASK}Until {{{{ hours.shop.closes | text }}}}.
"""
    walker = Walker(flow(steps), bot=BOT, world=world_of(hours=BOT.hours)).start()
    assert walker.text == "Until 2026-03-02T17:00:00+00:00."
    walker.now = datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert [show.text for show in walker.start().effects if isinstance(show, Show)] == [
        "We open 2026-03-09T08:00:00+00:00.",
        "Until 2026-03-09T17:00:00+00:00.",
    ]
