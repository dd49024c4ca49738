"""Time for the runtime: the real clock, and one turned by hand. No other module asks for the time."""

import asyncio
import heapq
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait; a number below zero does not wait."""
        await asyncio.sleep(max(0.0, seconds))


class TurnedClock:
    """The machine's own time and an offset that is turned by hand: for the workshop, where half an hour must not
    take half an hour. Sleepers wake when their time has come, however it came."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self._offset = offset
        self._forwards = 0.0
        """Seconds that it was turned forwards by since it was made, also those that were taken back."""
        self._turned = asyncio.Event()

    @property
    def offset(self) -> timedelta:
        """How far it is ahead of the machine's own time."""
        return self._offset

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + self._offset

    async def sleep(self, seconds: float) -> None:
        """Wait until so many seconds have passed or were turned; being turned back makes it no longer."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._forwards + seconds
        while (left := end - loop.time() - self._forwards) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._turned.wait(), left)
        await asyncio.sleep(0)

    def turn(self, seconds: float) -> None:
        """Turn it forwards. Raises ValueError for a number below zero."""
        if seconds < 0:
            raise ValueError("time does not run backwards: give a number of seconds from 0 up")
        self._set(self._offset + timedelta(seconds=seconds))
        self._forwards += seconds

    def reset(self) -> None:
        """Back to the machine's own time."""
        self._set(timedelta())

    def _set(self, offset: timedelta) -> None:
        self._offset = offset
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()


@dataclass(order=True)
class _Sleeper:
    due: datetime
    number: int
    future: asyncio.Future[None] = field(compare=False)


class ManualClock:
    """Stands still until `advance` turns it; sleepers whose time has come wake in order."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs a time with a time zone")
        self._now = start.astimezone(UTC)
        self._sleepers: list[_Sleeper] = []
        self._count = 0

    def now(self) -> datetime:
        """Where the clock stands: aware, UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been turned by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._count += 1
        future = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, _Sleeper(due=due, number=self._count, future=future))
        await future

    def advance(self, seconds: float) -> None:
        """Turn the clock forwards. Raises ValueError for a number below zero."""
        if seconds < 0:
            raise ValueError("time does not run backwards: give a number of seconds from 0 up")
        self._now += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0].due <= self._now:
            sleeper = heapq.heappop(self._sleepers)
            if not sleeper.future.done():
                sleeper.future.set_result(None)
