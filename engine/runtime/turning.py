"""Turns a clock by hand from one moment at which something is due to the next: so a warning after 25 minutes
and an end after 30 each happen at their time, however far the clock is turned at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from engine.runtime.clock import ManualClock, TurnedClock
from engine.runtime.services import Services

PACE: Final = 1.0
"""Seconds between two looks of services that sleep for less, after one of them did something; doubled each time that
none did."""
LONGEST_PACE: Final = 60.0
LOOKS: Final = 1000
"""A long way has so many looks about, each further from the next."""
MOST_STEPS: Final = 10_000
"""After so many it goes to the end at once: who turns the clock by ten years does not want each second of it."""


async def turn(
    clock: ManualClock | TurnedClock,
    seconds: float,
    *,
    services: Services,
    next_due: Callable[[], Awaitable[datetime | None]],
    run: Callable[[], Awaitable[None]],
    sent: Callable[[], int],
) -> None:
    """Turn it by so many seconds. `next_due`: of timers, ends and calls. `run`: do all that is due now, and what
    follows. `sent`: how often services have sent something so far. Raises ValueError for a number below zero."""
    if seconds < 0:
        raise ValueError("time does not run backwards: give a number of seconds from 0 up")
    forwards = clock.advance if isinstance(clock, ManualClock) else clock.turn
    target = clock.now() + timedelta(seconds=seconds)
    pace, longest = PACE, max(LONGEST_PACE, seconds / LOOKS)
    for _ in range(MOST_STEPS):
        now, before = clock.now(), sent()
        moments = [at for at in (await next_due(), services.next_wake(pace)) if at is not None and now < at < target]
        if not moments:
            break
        forwards((min(moments) - now).total_seconds())
        await run()
        pace = PACE if sent() != before else min(pace * 2, longest)
    forwards(max(0.0, (target - clock.now()).total_seconds()))
    await run()
