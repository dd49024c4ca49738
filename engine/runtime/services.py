"""Services: work of plugins that goes on beside the conversations, one task each, begun again when it fails.

Decides nothing of what they do; knows no store.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from engine.actions.catalog import ServiceSignature
from engine.actions.context import ServiceContext
from engine.actions.errors import ActionError, failure, origin, words
from engine.runtime.activity import Activity
from engine.runtime.clock import ManualClock, TurnedClock
from engine.runtime.ports import Clock, Conflict, StoreFailed

FIRST_ROUND: Final = 5.0
"""Seconds of the machine that the start waits for the first round of each."""
PAUSE: Final = 1.0
"""Seconds of the bot's clock before one that failed is begun again; doubled each time, at most LONGEST_PAUSE."""
LONGEST_PAUSE: Final = 60.0
STOPPING: Final = 5.0
"""Seconds that a service has to end when the bot stops."""
SHORTEST_SLEEP: Final = 0.05
LONGEST_SLEEP: Final = 366 * 86400.0

log = logging.getLogger("stepgram.services")
Sleep = Callable[[float], Awaitable[None]]
Make = Callable[[str, Sleep], ServiceContext]
"""Name and sleep → what the service is handed."""


class Services:
    """Runs them. On a clock that is turned by hand a service is work until it sleeps, so that whoever turns it can wait
    for what it does; on a real one nobody waits for services."""

    def __init__(
        self, services: Mapping[str, ServiceSignature], *, make: Make, clock: Clock, activity: Activity
    ) -> None:
        self._clock = clock
        counted = activity if isinstance(clock, ManualClock | TurnedClock) else None
        self._running = [
            _Running(signature, make=make, clock=clock, activity=counted) for signature in services.values()
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin all of them; return when each has had its first round, at most FIRST_ROUND seconds later."""
        self._tasks = [asyncio.create_task(one.run(), name=f"service {one.name}") for one in self._running]
        if self._tasks:
            rested = [asyncio.ensure_future(one.rested.wait()) for one in self._running]
            _, late = await asyncio.wait(rested, timeout=FIRST_ROUND)
            for waiting in late:
                waiting.cancel()

    async def stop(self) -> None:
        """End all of them."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=STOPPING)
            for task in left:
                log.error("%s does not let itself be stopped: it is left to itself", task.get_name())

    def next_wake(self, least: float) -> datetime | None:
        """When the next service is to be woken by whoever turns the clock: in `least` seconds at the earliest for one
        that sleeps for a shorter time than that, at its own time for any other. None: all are done."""
        now = self._clock.now()
        soonest = now + timedelta(seconds=least)
        moments = [
            due if length >= least else max(due, soonest)
            for one in self._running
            for due, length in one.sleeping.values()
        ]
        return min(moments, default=None)


class _Running:
    """One service: its task, and who of it sleeps until when."""

    def __init__(self, signature: ServiceSignature, *, make: Make, clock: Clock, activity: Activity | None) -> None:
        self.name = signature.name
        self._function = signature.function
        self._make = make
        self._clock = clock
        self._work = _Work(activity)
        self.rested = asyncio.Event()
        """It has slept once, or is over."""
        self.sleeping: dict[object, tuple[datetime, float]] = {}
        """Until when, and how many seconds in all: of each of its tasks that sleeps."""

    async def run(self) -> None:
        """Until it returns or is cancelled."""
        pause = PAUSE
        try:
            while True:
                began = self._clock.now()
                self._work.begin()
                try:
                    await self._function(self._make(self.name, self.sleep))
                    return
                except asyncio.CancelledError:
                    if _is_cancelled():
                        raise
                    log.error("the service %s cancelled itself and begins again", self.name)
                except (Exception, SystemExit, GeneratorExit) as error:
                    self._tell(error)
                if self._clock.now() - began > timedelta(seconds=LONGEST_PAUSE):
                    pause = PAUSE  # it went well for a while
                await self.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            self._work.over()
            self.rested.set()

    async def sleep(self, seconds: float) -> None:
        """So many seconds of the bot's clock. Raises ValueError for what is no number."""
        if math.isnan(seconds):
            raise ValueError("a service sleeps for a number of seconds")
        seconds = min(max(seconds, SHORTEST_SLEEP), LONGEST_SLEEP)
        one = object()
        self.sleeping[one] = (self._clock.now() + timedelta(seconds=seconds), seconds)
        self._work.rest()
        self.rested.set()
        try:
            await self._clock.sleep(seconds)
        finally:
            del self.sleeping[one]
            self._work.wake()

    def _tell(self, error: BaseException) -> None:
        found = failure(error)
        if isinstance(error, StoreFailed | Conflict):
            log.warning("the service %s begins again, the database failed: %s", self.name, words(error))
        elif isinstance(error, ActionError | OSError):
            log.warning("the service %s begins again: %s", self.name, found.reason)
        else:  # a mistake in the plugin; its words might tell a secret
            log.error(
                "a mistake in the service %s, which begins again: %s, at %s", self.name, found.reason, origin(error)
            )
        log.debug("the service's own traceback", exc_info=error)


def _is_cancelled() -> bool:
    """Whether somebody wants the task to end; else something inside was cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


class _Work:
    """Counts a service as work while it does not sleep. It may have several tasks, each of which sleeps by itself:
    they are known from their first sleep on."""

    def __init__(self, activity: Activity | None) -> None:
        self._activity = activity
        self._at_work: set[asyncio.Task[object] | None] = set()
        self._root: asyncio.Task[object] | None = None

    def begin(self) -> None:
        """It begins, in this task."""
        self._root = asyncio.current_task()
        self._add(self._root)

    def wake(self) -> None:
        """The task that runs has slept."""
        self._add(asyncio.current_task())

    def rest(self) -> None:
        """The task that runs is going to sleep. The first one may have left its work to others, and only waits."""
        self._remove(asyncio.current_task())
        self._remove(self._root)

    def over(self) -> None:
        """It is over, with all its tasks."""
        for task in list(self._at_work):
            self._remove(task)

    def _add(self, task: "asyncio.Task[object] | None") -> None:
        if self._activity is not None and task not in self._at_work:
            self._at_work.add(task)
            self._activity.begin()
            if task is not None and task is not self._root:
                task.add_done_callback(self._remove)

    def _remove(self, task: "asyncio.Task[object] | None") -> None:
        if self._activity is not None and task in self._at_work:
            self._at_work.remove(task)
            self._activity.end()
