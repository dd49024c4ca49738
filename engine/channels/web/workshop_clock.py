"""Turns the bot's clock for the pane: written down first, then done, so that a restart goes on at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.channels.web.workshop_journal import Notes
from engine.channels.web.workshop_values import Unfit, span_words
from engine.runtime.clock import TurnedClock
from engine.runtime.journal import Journal
from engine.runtime.ports import Clock, Store

OFFSET: Final = "clock.offset"
"""Name of the journal's value that holds the seconds the clock was turned by."""
FURTHEST: Final = timedelta(days=3653).total_seconds()
"""Seconds that the clock can be ahead: ten years."""
_MOMENT: Final = 0.001
_FAR: Final = datetime(9000, 1, 1, tzinfo=UTC)
_LOOK: Final = 200


async def saved_offset(journal: Journal) -> timedelta:
    """How far the clock was turned before the restart; what makes no sense is nothing."""
    text = await journal.value(OFFSET)
    try:
        seconds = float(text or 0)
    except ValueError:
        return timedelta()
    return timedelta(seconds=seconds) if 0 <= seconds <= FURTHEST else timedelta()


class Turning:
    """The pane's hand on the clock. `turn`: turns it so that all that comes due on the way happens at its time."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        journal: Journal,
        notes: Notes,
        turn: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._turn = turn
        self._clock = clock
        self._store = store
        self._journal = journal
        self._notes = notes
        self._lock = asyncio.Lock()

    def state(self) -> tuple[datetime, float]:
        """What time it is for the bot, and by how many seconds that is ahead."""
        clock = self._clock
        return clock.now(), clock.offset.total_seconds() if isinstance(clock, TurnedClock) else 0.0

    async def turn(self, chat: str, seconds: object) -> None:
        """Forwards by so many seconds. Raises Unfit."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not _MOMENT <= seconds <= FURTHEST:
            raise Unfit("The clock can be turned forwards by a number of seconds, at most ten years.")
        async with self._lock:
            await self._forwards(chat, float(seconds), f"{span_words(float(seconds))} later")

    async def turn_to_next(self, chat: str) -> None:
        """To the next moment at which anything is due. Raises Unfit when nothing waits for the time."""
        async with self._lock:
            now = self._clock.now()
            due = await self._next(now)
            if due is None:
                raise Unfit("Nothing waits for the time: there is no timer, no expiry and no retry.")
            seconds = (due - now).total_seconds() + _MOMENT
            await self._forwards(chat, seconds, f"{span_words(seconds)} later: the next timer")

    async def reset(self, chat: str) -> None:
        """Back to the machine's own time. Raises Unfit."""
        async with self._lock:
            clock = self._turnable()
            back = -clock.offset.total_seconds()
            if not back:
                raise Unfit("The clock shows the real time already.")
            more = {"seconds": back, "to": "real"}
            await self._notes.note(chat, "clock", "Back to the real time", at=clock.now(), more=more)
            await self._journal.set_value(OFFSET, "0")
            clock.reset()

    async def _forwards(self, chat: str, seconds: float, words: str) -> None:
        clock = self._turnable()
        offset = clock.offset.total_seconds() + seconds
        if offset > FURTHEST:
            raise Unfit("The clock can be at most ten years ahead: turn it back to the real time first.")
        await self._notes.note(chat, "clock", words, at=clock.now(), more={"seconds": seconds})
        await self._journal.set_value(OFFSET, repr(offset))
        if self._turn is None:
            clock.turn(seconds)
        else:
            await self._turn(seconds)

    def _turnable(self) -> TurnedClock:
        if not isinstance(self._clock, TurnedClock):
            raise Unfit("This bot serves real customers: its clock cannot be turned.")
        return self._clock

    async def _next(self, now: datetime) -> datetime | None:
        """The earliest moment that is still to come; what is due already is under way, or rests."""
        due = await self._store.next_due()
        if due is None or due > now:
            return due
        moments = [row.due for row in await self._store.due_timers(_FAR, _LOOK)]
        moments += [row.due for row in await self._store.due_calls(_FAR, _LOOK)]
        moments += [item.expires_at for item in await self._store.due_expirations(_FAR, _LOOK) if item.expires_at]
        return min((moment for moment in moments if moment > now), default=None)
