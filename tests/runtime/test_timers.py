"""Timers through the whole runtime: restarts, outages, edited files, clock jumps, working hours; each fires once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from engine.core.conversation import Status
from engine.runtime.clock import ManualClock
from engine.runtime.timers import LOOK
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import HELP, SLOW
from tests.runtime.harness import START, Bot, Screen, assemble

HOUR = 3600.0
BOT = """
bot: Test
time_zone: Europe/Berlin
hours: {shop: {mon-fri: 09:00-18:00, closed: ["01-06"]}}
"""
WAITING = """
flow: waiting
title: Waiting
entry: {commands: [wait]}
second_start: parallel
late: {grace: 5m, then: 1h}
steps:
  start:
    text: Waiting since {{ now | time }}
    wait:
      shop.ready: ready
      after: {time: 30m, to: over}
  ready:
    text: Ready
    end: ready
  over:
    text: Over
    end: over
"""
REMINDER = """
flow: reminder
title: Reminder
entry: {commands: [remind]}
steps:
  start:
    text: "{% if hours.shop.open %}Open{% else %}Closed{% endif %}"
    keyboard: [[{text: Done, trigger: fine}]]
    timeout: {after: 9h, hours: shop}
    transitions: {fine: over, timeout: over}
  over:
    text: Remember!
    end: over
"""


class Real:
    """A clock that the runtime takes for a real one: time that passes, jumps or stands still is nobody's hand."""

    def __init__(self, start: datetime = START) -> None:
        self.hand = ManualClock(start)

    def now(self) -> datetime:
        return self.hand.now()

    async def sleep(self, seconds: float) -> None:
        await self.hand.sleep(seconds)

    def advance(self, seconds: float) -> None:
        self.hand.advance(seconds)


class Place:
    """One bot over several lives: the store, the screen and the clock stay."""

    def __init__(self, folder, flows: dict[str, str], clock: ManualClock | Real | None = None) -> None:
        self.folder, self.flows = folder, flows
        self.screen, self.clock = Screen(), clock or ManualClock(START)
        self.store: SqliteStore
        self.lives = 0
        self.bot: Bot

    async def __aenter__(self) -> "Place":
        await self.start()
        return self

    async def start(self) -> Bot:
        self.lives += 1
        self.store = SqliteStore(self.folder / "bot.sqlite3")
        self.bot = assemble(
            self.folder, self.flows, store=self.store, screen=self.screen, clock=self.clock, seed=self.lives
        )
        self.bot.count = self.lives * 1000
        await self.bot.app.start()
        await self.bot.app.run_due()
        return self.bot

    async def __aexit__(self, *_: object) -> None:
        await self.bot.app.stop()

    async def down(self, seconds: float) -> Bot:
        """The process is away for so long."""
        await self.bot.app.stop()
        self.clock.advance(seconds)
        return await self.start()

    @property
    def texts(self) -> list[str]:
        return self.screen.texts("terminal:anna")


async def test_a_flow_without_a_policy_fires_after_an_outage_once(tmp_path):
    async with Place(tmp_path, {"slow": SLOW}) as place:
        await place.bot.command("slow")
        await place.down(9 * HOUR)
        await place.down(9 * HOUR)
        assert place.texts == ["Quick!", "Too late."]


async def test_an_outage_gives_another_hour_once_more_after_each_outage(tmp_path):
    async with Place(tmp_path, {"waiting": WAITING}) as place:
        await place.bot.command("wait")
        bot = await place.down(5 * HOUR)
        assert len(place.texts) == 1
        [row] = await place.store.due_timers(START + timedelta(days=9))
        assert row.due == bot.clock.now() + timedelta(hours=1)
        await bot.turn(HOUR - 1)
        assert len(place.texts) == 1
        await bot.turn(2)
        assert place.texts[-1] == "Over"
        assert await place.store.due_timers(START + timedelta(days=9)) in ([], ())


async def test_within_the_grace_an_outage_changes_nothing(tmp_path):
    async with Place(tmp_path, {"waiting": WAITING}) as place:
        await place.bot.command("wait")
        await place.down(30 * 60 + 299)
        assert place.texts[-1] == "Over"


async def test_time_turned_by_hand_is_no_outage(tmp_path):
    async with Place(tmp_path, {"waiting": WAITING}) as place:
        await place.bot.command("wait")
        await place.bot.turn(9 * HOUR)
        assert place.texts[-1] == "Over"


async def test_a_jump_of_the_real_clock_and_a_store_that_was_away_are_outages(tmp_path):
    async with Place(tmp_path, {"waiting": WAITING}, Real()) as place:
        await place.bot.command("wait")
        await place.bot.turn(9 * HOUR)
        assert len(place.texts) == 1
        await place.bot.turn(HOUR + 1)
        assert place.texts[-1] == "Over"


async def test_a_clock_that_is_turned_back_fires_nothing_twice(tmp_path):
    clock = ManualClock(START)
    async with Place(tmp_path, {"slow": SLOW}, clock) as place:
        await place.bot.command("slow")
        await place.bot.turn(301)
        clock._now = START - timedelta(days=1)
        await place.bot.app.run_due()
        await place.bot.turn(2 * 24 * HOUR)
        assert place.texts == ["Quick!", "Too late."]


async def test_working_hours_through_a_weekend_and_a_closed_day(tmp_path):
    # START is Monday, 13:00 in Berlin; nine hours of opening time are over on Wednesday, since the 6th is closed.
    async with Place(tmp_path, {"bot": BOT, "reminder": REMINDER}) as place:
        await place.bot.command("remind")
        [row] = await place.store.due_timers(START + timedelta(days=99))
        assert row.due == datetime(2026, 1, 7, 12, 0, tzinfo=UTC)
        assert place.texts == ["Open"]
        await place.down(12 * HOUR)
        await place.down(24 * HOUR)
        await place.down(11 * HOUR + 3599)
        assert place.texts == ["Open"]
        await place.bot.turn(1)
        assert place.texts[-1] == "Remember!"


async def test_a_late_one_waits_for_the_opening(tmp_path):
    async with Place(tmp_path, {"bot": BOT, "reminder": REMINDER}) as place:
        await place.bot.command("remind")
        await place.down(2 * 24 * HOUR + 14 * HOUR)
        assert place.texts == ["Open"], "it is three in the morning"
        await place.bot.turn(6 * HOUR - 1)
        assert place.texts == ["Open"]
        await place.bot.turn(1)
        assert place.texts[-1] == "Remember!"


LIMIT = "    timeout: 5m\n    transitions: {answered: done, timeout: late}\n"
LAST = "  late:\n    text: Too late.\n    end: late\n"
EDITS = {
    "another length: who waits keeps their moment": (("5m", "9h"), 300, "Too late."),
    "a shorter length: who waits keeps their moment": (("5m", "1m"), 299, "Quick!"),
    "no time limit any more": ((LIMIT, ""), 900, "Quick!"),
    "a policy that is new": (("    timeout: 5m", "    timeout: {after: 5m, late: skip}"), 900, "Quick!"),
}


@pytest.mark.parametrize(("change", "away", "last"), EDITS.values(), ids=EDITS.keys())
async def test_a_file_that_was_edited_while_the_bot_was_down(tmp_path, change, away, last):
    flows = {"slow": SLOW}
    async with Place(tmp_path, flows) as place:
        await place.bot.command("slow")
        edited = SLOW.replace(*change)
        flows["slow"] = edited if "timeout: late" in edited else edited.replace(LAST, "")
        await place.down(away)
        assert place.texts[-1] == last
        assert [row.name for row in await place.store.due_timers(place.clock.now())] == []


async def test_a_step_that_was_renamed_takes_its_timer_with_it(tmp_path):
    flows = {"slow": SLOW, "help": HELP}
    async with Place(tmp_path, flows) as place:
        await place.bot.command("slow")
        flows["slow"] = SLOW.replace("hurry", "faster")
        await place.down(HOUR)
        assert "Too late." not in place.texts
        await place.bot.types("hello?")
        assert await place.store.due_timers(START + timedelta(days=99)) in ([], ())
        assert await place.store.conversations(place.bot.chat) in ([], ())


async def test_an_outage_and_what_expires(tmp_path):
    flow = SLOW.replace("title: Slow", "title: Slow\nexpires: 2m\nlate: {grace: 1m, then: 10m}")
    flow = flow.replace("timeout: 5m", "timeout: 5h")
    async with Place(tmp_path, {"slow": flow}) as place:
        await place.bot.command("slow")
        await place.down(HOUR)
        assert place.texts == ["Quick!"]
        await place.bot.turn(599)
        assert place.texts == ["Quick!"]
        await place.bot.turn(2)
        assert "closed" in place.texts[-1]


async def test_a_refresh_that_was_missed_comes_once(tmp_path):
    flow = SLOW.replace("timeout: 5m", "timeout: 5h\n    refresh: 10s")
    async with Place(tmp_path, {"slow": flow}) as place:
        await place.bot.command("slow")
        bot = await place.down(HOUR)
        assert len(place.texts) == 2
        await bot.turn(9)
        assert len(place.texts) == 2
        await bot.turn(1)
        assert len(place.texts) == 3


async def test_several_that_are_late_each_follow_the_policy(tmp_path):
    """More than one look's worth, in one chat and in others."""
    async with Place(tmp_path, {"waiting": WAITING}) as place:
        chats = [f"terminal:c{number}" for number in range(LOOK + 20)]
        for chat in chats:
            await place.bot.command("wait", chat=chat)
        await place.bot.command("wait")
        await place.bot.command("wait")
        bot = await place.down(5 * HOUR)
        assert all(len(place.screen.texts(chat)) == 1 for chat in chats)
        await bot.turn(HOUR)
        assert all(place.screen.texts(chat)[-1] == "Over" for chat in chats)
        assert place.texts.count("Over") == 2
        for chat in chats:
            assert await place.store.conversations(chat) in ([], ())


@pytest.mark.parametrize("limit", ["{until: now - (9 | days)}", "0s"])
async def test_a_moment_that_is_over_comes_at_once_and_only_once(tmp_path, limit):
    async with Place(tmp_path, {"slow": SLOW.replace("timeout: 5m", f"timeout: {limit}")}) as place:
        await place.bot.command("slow")
        await place.bot.turn(1)
        await place.bot.turn(100)
        assert place.texts == ["Quick!", "Too late."]


async def test_steps_that_chase_each_other_leave_the_bot_alive(tmp_path):
    flow = SLOW.replace("timeout: 5m", "timeout: 0s\n    refresh: 0s").replace(
        "    text: Too late.\n    end: late",
        "    text: Too late.\n    keyboard: [[{text: Again, trigger: again}]]\n    timeout: 0s\n"
        "    transitions: {again: hurry, timeout: hurry}",
    )
    async with Place(tmp_path, {"slow": flow, "help": HELP}) as place:
        await place.bot.command("slow")
        await place.bot.turn(5)
        await place.bot.command("help")
        assert "Here is help." in place.texts


async def test_a_moment_in_the_year_9999(tmp_path):
    flow = SLOW.replace("timeout: 5m", "timeout: {until: now + (2912600 | days)}")
    flow = flow.replace("2912600", "999999")
    async with Place(tmp_path, {"slow": flow}) as place:
        await place.bot.command("slow")
        bot = await place.down(HOUR)
        await bot.types("here")
        assert place.texts == ["Quick!", "In time."]
        stored = await place.store.conversations(bot.chat)
        assert all(one.status is Status.FINISHED for one in stored)


async def test_what_comes_due_meanwhile_is_looked_at_at_once(tmp_path):
    """While some were handled others came due: no pause, or they would be late by it."""
    bot = assemble(tmp_path, {"slow": SLOW})
    await bot.app.start()
    await bot.app.stop()
    timers, clock = bot.app.runtime._timers, bot.clock
    timers._looked = clock.now()
    clock.advance(5)
    await asyncio.wait_for(timers._sleep(clock.now() - timedelta(seconds=2)), 1)
    resting = asyncio.create_task(timers._sleep(START - timedelta(seconds=2)))
    await asyncio.sleep(0.01)
    clock.advance(0.9)
    await asyncio.sleep(0.01)
    assert not resting.done(), "what was due before and is still there rests for a second"
    clock.advance(0.2)
    await asyncio.wait_for(resting, 1)
