"""Wakes conversations: due timers, expirations and calls, at their time, once each. Decides nothing about them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.core.conversation import Conversation
from engine.core.events import TimerFired
from engine.runtime.calls import Calls
from engine.runtime.clock import ManualClock, TurnedClock
from engine.runtime.delivery import Deliveries
from engine.runtime.ports import UNDELIVERED_FOR, Clock, Envelope, Store, TimerRow
from engine.runtime.routing import Addressed
from engine.runtime.signals import Signals

LONGEST_SLEEP: Final = 60.0
"""Seconds: so long at most until the store is asked again."""
SHORTEST_SLEEP: Final = 1.0
"""Seconds between two looks while something due is already under way."""
REST: Final = timedelta(seconds=30)
"""A timer whose event could not be handled is left alone for so long."""
CLEANUP: Final = timedelta(hours=1)
LOOK: Final = 100
"""Rows read at once, besides those that rest or are under way: they stand in front and must hide no others."""

_EARLY: Final = datetime.min.replace(tzinfo=UTC)
_LATE: Final = datetime.max.replace(tzinfo=UTC)

log = logging.getLogger("stepgram.timers")
Key = tuple[str, int, str, datetime]


class Timers:
    """Looks after everything with a time. `post` brings an envelope into its chat's queue."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        calls: Calls,
        deliveries: Deliveries,
        signals: Signals,
        post: Callable[[Envelope], Awaitable[bool]],
        retention: Mapping[str, float | None],
        discard: Callable[[Sequence[str]], Awaitable[None]],
        cleans: Callable[[], bool] = lambda: True,
    ) -> None:
        """`cleans`: whether it is this process that deletes what is old; of several workers one does."""
        self._store = store
        self._clock = clock
        self._calls = calls
        self._deliveries = deliveries
        self._signals = signals
        self._post = post
        self.retention = retention
        """Seconds that the finished conversations of each flow are kept; None: for ever."""
        self._discard = discard
        self._cleans = cleans
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()
        self._until = _EARLY
        """How long it sleeps; while awake, nothing needs to wake it."""
        self._earliest = _LATE
        """The earliest time anybody has called for since the last look began."""
        self._resting: dict[Key, datetime] = {}
        self._cleaned: datetime | None = None
        self._by_hand = isinstance(clock, ManualClock | TurnedClock)
        self._since: datetime | None = None
        """When it began to look."""
        self._looked = _EARLY
        """When it looked last."""

    def wake(self, at: datetime) -> None:
        """Something is due at this time: do not sleep past it."""
        self._earliest = min(self._earliest, at)
        if at < self._until:
            self._woken.set()

    def clean_soon(self) -> None:
        """Something is over that is not to be kept: clean up at the next look."""
        self._cleaned = None

    async def run(self) -> None:
        """Go on until cancelled. A store that fails is asked again."""
        while True:
            self._earliest, self._until = _LATE, _EARLY
            due = None
            try:
                await self.look()
                due = await self._store.next_due()
            except Exception:
                log.exception("timers could not be looked at")
            await self._sleep(min(due or _LATE, self._earliest))

    async def look(self) -> None:
        """Handle everything that is due now: each chat's events in order, chats in parallel."""
        async with self._lock:
            now = self._clock.now()
            self._since, self._looked = self._since or now, now
            # An end that is too far away was noted before the clock was turned back.
            self._resting = {key: until for key, until in self._resting.items() if now < until <= now + REST}
            await self._signals.look()
            while await self._timers(now):
                pass
            while await self._expirations(now):
                pass
            self._calls.launch(await self._store.due_calls(now, LOOK + self._calls.held))
            await self._deliveries.flush()
            await self._clean(now)

    async def _timers(self, now: datetime) -> bool:
        rows = await self._store.due_timers(now, LOOK + len(self._resting))
        fresh = [row for row in rows if _key(row) not in self._resting]
        await asyncio.gather(*(self._fire(row) for row in fresh))
        return bool(fresh)

    async def _fire(self, row: TimerRow) -> None:
        what = Addressed(
            conversation=row.conversation,
            event=TimerFired(at=self._clock.now(), visit=row.visit, name=row.name, due=self._missed(row.due)),
            timer=(row.conversation, row.visit, row.name),
        )
        if not await self._post(Envelope(chat=row.chat, update=None, what=what)):
            self._resting[_key(row)] = self._clock.now() + REST

    async def _expirations(self, now: datetime) -> bool:
        found = await self._store.due_expirations(now, LOOK + len(self._resting))
        fresh = [item for item in found if _expiry(item) not in self._resting]
        await asyncio.gather(*(self._expire(item) for item in fresh))
        return bool(fresh)

    async def _expire(self, conversation: Conversation) -> None:
        what = Addressed(
            conversation=conversation.id,
            event=TimerFired(at=self._clock.now(), visit=0, name="expires", due=self._missed(conversation.expires_at)),
        )
        await self._post(Envelope(chat=conversation.chat, update=None, what=what))
        # A handled one is not due any more; anything else must not be asked for in a circle.
        self._resting[_expiry(conversation)] = self._clock.now() + REST

    def _missed(self, due: datetime | None) -> datetime | None:
        """The moment of a timer, for the flow's late policy. Time that is turned by hand while this runs counts as
        gone by: nothing was missed then."""
        if due is None or (self._by_hand and self._since is not None and due >= self._since):
            return None
        return due

    async def _clean(self, now: datetime) -> None:
        if self._cleaned is not None and timedelta(0) <= now - self._cleaned < CLEANUP:
            return
        self._cleaned = now
        self._deliveries.forget(now - UNDELIVERED_FOR)
        if not self._cleans():
            return
        cleaned = await self._store.cleanup(now, self.retention)
        await self._discard(cleaned.files)
        if cleaned.conversations:
            log.info("%d finished conversations were deleted", cleaned.conversations)
        if cleaned.signals:
            log.warning("%d signals that no conversation waited for were deleted", cleaned.signals)
        if cleaned.outbox:
            log.warning(
                "%d messages that could not be delivered for %d days were given up",
                cleaned.outbox,
                UNDELIVERED_FOR.days,
            )

    async def _sleep(self, due: datetime) -> None:
        """Until the earliest of `due` and what anybody calls for meanwhile, but not for ever."""
        now = self._clock.now()
        last = now + timedelta(seconds=LONGEST_SLEEP)
        if self._looked < due <= now:
            return  # it came due while others were looked after
        if due <= now:
            # What was due and is still there is under way, or rests: no need to look all the time.
            await self._pause(now + timedelta(seconds=SHORTEST_SLEEP))
            return
        # A clock that is turned back ends it too: else this would sleep until the old time comes again.
        while now <= (here := self._clock.now()) < (until := min(due, self._earliest, last)):
            if await self._signalled():
                return
            await self._pause(min(until, here + timedelta(seconds=SHORTEST_SLEEP)))

    async def _signalled(self) -> bool:
        """Whether another process has written something that is to be looked at."""
        try:
            return await self._signals.outside()
        except Exception as error:
            log.warning("the store could not be asked what is new: %s", error)
            return False

    async def _pause(self, until: datetime) -> None:
        self._woken.clear()
        self._until = until
        sleeping = asyncio.ensure_future(self._clock.sleep((until - self._clock.now()).total_seconds()))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            woken.cancel()


def _key(row: TimerRow) -> Key:
    return (row.conversation, row.visit, row.name, row.due)


def _expiry(conversation: Conversation) -> Key:
    return (conversation.id, 0, "expires", conversation.expires_at or conversation.touched_at)
