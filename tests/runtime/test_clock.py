"""The clock that is turned by hand, and the real one."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from engine.runtime.clock import ManualClock, SystemClock, TurnedClock
from tests.runtime.flows import SLOW
from tests.runtime.harness import assemble

START = datetime(2026, 1, 1, tzinfo=UTC)


async def test_sleepers_wake_in_order_when_the_clock_is_turned():
    clock, woken = ManualClock(START), []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleeper(name, s)) for name, s in (("b", 20), ("a", 10), ("c", 30))]
    await asyncio.sleep(0)
    clock.advance(20)
    await asyncio.sleep(0)
    assert woken == ["a", "b"]
    assert clock.now() == START + timedelta(seconds=20)
    clock.advance(10)
    await asyncio.gather(*tasks)
    assert woken == ["a", "b", "c"]


async def test_a_sleeper_that_was_cancelled_does_no_harm():
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    clock.advance(10)
    assert clock.now() == START + timedelta(seconds=10)


def test_time_does_not_run_backwards_and_has_a_zone():
    with pytest.raises(ValueError, match="backwards"):
        ManualClock(START).advance(-1)
    with pytest.raises(ValueError, match="time zone"):
        ManualClock(START.replace(tzinfo=None))


async def test_the_real_clock_is_aware_and_sleeps():
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(-1)
    await clock.sleep(0.001)
    assert before.tzinfo is UTC
    assert clock.now() > before


async def test_a_turned_clock_runs_on_and_wakes_who_sleeps_however_its_time_comes():
    clock = TurnedClock(timedelta(hours=1))
    ahead = clock.now() - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
    woken = []

    async def sleeper(name, seconds):
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [
        asyncio.create_task(sleeper(name, seconds)) for name, seconds in (("late", 7200), ("soon", 60), ("now", 0))
    ]
    await asyncio.sleep(0.01)
    assert woken == ["now"]
    clock.turn(61)
    await asyncio.sleep(0.01)
    assert woken == ["now", "soon"]
    clock.turn(7200)
    await asyncio.gather(*tasks)
    assert woken[-1] == "late"
    with pytest.raises(ValueError, match="backwards"):
        clock.turn(-1)
    clock.reset()
    assert clock.offset == timedelta(0)
    await asyncio.wait_for(clock.sleep(0.01), 5)


async def test_who_sleeps_while_the_clock_is_turned_back_sleeps_no_longer_for_it():
    clock = TurnedClock()
    clock.turn(30 * 86400)
    sleeping = asyncio.create_task(clock.sleep(0.1))
    await asyncio.sleep(0.01)
    clock.reset()
    await asyncio.wait_for(sleeping, 2)
    # What was turned before is not slept again, and what is turned after it counts.
    sleeping = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0.01)
    clock.turn(1800)
    clock.reset()
    await asyncio.sleep(0.01)
    assert not sleeping.done()
    clock.turn(1801)
    await asyncio.wait_for(sleeping, 2)


async def test_timers_set_before_the_clock_was_turned_back_do_not_hold_up_new_ones(tmp_path):
    clock = TurnedClock()
    bot = assemble(tmp_path, {"slow": SLOW.replace("5m", "1s")}, clock=clock)
    await bot.app.start()
    clock.turn(86400)
    await bot.command("slow")
    clock.reset()
    bot.chat = "terminal:ben"
    await bot.command("slow")
    async with asyncio.timeout(5):
        while bot.last != "Too late.":
            await asyncio.sleep(0.02)
    await bot.app.stop()
