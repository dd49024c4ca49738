"""One queue per chat, in order; different chats in parallel, bounded. Knows nothing of what is handled."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from engine.runtime.activity import Activity
from engine.runtime.ports import Envelope, StoreFailed
from engine.runtime.workers import Workers

LANE: Final = 100
"""Envelopes that may wait in one chat's queue; who brings more waits."""
PARALLEL: Final = 256
"""Chats that are handled at once."""
AGAIN: Final = 5.0
"""Seconds until an event is tried again while neither the store nor the customer can be reached."""
PATIENCE: Final = 10.0
"""Seconds that what is being handled has to end when the process stops; an action may hang."""

log = logging.getLogger("stepgram.dispatcher")


class Stopped(Exception):  # noqa: N818 - says what happened
    """The dispatcher does not take anything any more: the process is going down."""


@dataclass(slots=True)
class _Lane:
    chat: str
    queue: deque[tuple[Envelope, asyncio.Future[bool]]] = field(default_factory=deque)
    served: bool = False
    """A worker handles its envelopes, or it waits for one."""
    users: int = 0
    """Callers that hold a place or wait for one: the lane goes when there is none."""
    room: asyncio.Semaphore | None = None
    """Where callers wait once there are more of them than places."""


class Dispatcher:
    """Hands envelopes to `handle`, one after another within a chat.

    `handle` may raise: the failure is logged, `failed` is called with the envelope, the queue goes on.
    """

    def __init__(
        self,
        handle: Callable[[Envelope], Awaitable[None]],
        failed: Callable[[Envelope], Awaitable[None]],
        activity: Activity,
        *,
        lane: int = LANE,
        parallel: int = PARALLEL,
    ) -> None:
        self._handle = handle
        self._failed = failed
        self._activity = activity
        self._lane_size = lane
        self._parallel = parallel
        self._workers = Workers("chats", parallel)
        self._working = 0
        self._waiting: deque[_Lane] = deque()
        """Lanes that no worker is free for, in order."""
        self._lanes: dict[str, _Lane] = {}
        self._stopped = False
        self._cut = False

    async def post(self, envelope: Envelope) -> bool:
        """Put an envelope into its chat's queue and return when it has been handled: False when that failed.

        Waits while the queue is full. Raises Stopped.
        """
        if self._stopped:
            raise Stopped("the bot is stopping and takes no more messages")
        lane = self._lanes.get(envelope.chat)
        if lane is None:
            lane = self._lanes[envelope.chat] = _Lane(envelope.chat)
        lane.users += 1
        placed = False
        try:
            if lane.users > self._lane_size:
                await _room(lane).acquire()
            placed = True
            if self._cut:
                raise Stopped("the bot stopped before this was handled")
            # A caller that gives up cancels only this future: the envelope is handled all the same.
            return await self._enqueue(lane, envelope)
        finally:
            lane.users -= 1
            if placed and lane.users >= self._lane_size:
                _room(lane).release()
            self._tidy(lane)

    @property
    def busy(self) -> Collection[str]:
        """Chats that something is handled for, or waits."""
        return self._lanes.keys()

    async def stop(self, patience: float = PATIENCE) -> None:
        """Take nothing more; return when everything in the queues has been handled, or `patience` seconds later.

        What was cut then has changed nothing; who posted it gets Stopped.
        """
        self._stopped = True
        self._workers.close()
        end = asyncio.get_running_loop().time() + patience
        while tasks := self._workers.busy:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                log.warning("%d chats were cut in the middle of something: it is undone", len(tasks))
                self._cut = True
                await asyncio.sleep(0)  # a worker that has not begun yet could not tidy up
                for task in tasks:
                    task.cancel()
            await asyncio.wait(tasks, timeout=left if left > 0 else None)

    def _enqueue(self, lane: _Lane, envelope: Envelope) -> asyncio.Future[bool]:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        lane.queue.append((envelope, done))
        self._activity.begin()
        if not lane.served:
            lane.served = True
            self._summon(lane)
        return done

    def _summon(self, lane: _Lane) -> None:
        if self._working < self._parallel:
            self._working += 1
            self._workers.begin(partial(self._serve, lane))
        else:
            self._waiting.append(lane)

    async def _serve(self, lane: _Lane) -> None:
        """Handle a lane's envelopes; when other lanes wait for a worker, one of each in turn."""
        following: _Lane | None = lane
        try:
            while following is not None:
                lane = following
                await self._first(lane)
                following = self._after(lane)
        except BaseException:
            self._abandon(lane)
            raise
        finally:
            self._working -= 1
            if self._waiting:
                self._summon(self._waiting.popleft())

    async def _first(self, lane: _Lane) -> None:
        if self._cut:
            raise asyncio.CancelledError
        envelope, done = lane.queue.popleft()
        try:
            good = await self._one(envelope)
            if not done.done():
                done.set_result(good)
        finally:
            self._activity.end()
            _let_go(done)

    def _after(self, lane: _Lane) -> _Lane | None:
        """The lane to go on with."""
        if not lane.queue:
            lane.served = False
            self._tidy(lane)
            return self._waiting.popleft() if self._waiting else None
        if not self._waiting:
            return lane
        self._waiting.append(lane)
        return self._waiting.popleft()

    def _abandon(self, lane: _Lane) -> None:
        for _, done in lane.queue:
            self._activity.end()
            _let_go(done)
        lane.queue.clear()
        lane.served = False
        self._tidy(lane)

    def _tidy(self, lane: _Lane) -> None:
        if lane.users == 0 and not lane.served and self._lanes.get(lane.chat) is lane:
            del self._lanes[lane.chat]

    async def _one(self, envelope: Envelope) -> bool:
        while True:
            away = False
            try:
                await self._handle(envelope)
            except StoreFailed as error:
                away = True
                log.error("an event of chat %s could not be handled: %s", envelope.chat, error)
            except Exception:
                log.exception("an event of chat %s could not be handled", envelope.chat)
            else:
                return True
            try:
                await self._failed(envelope)
            except Exception:
                log.exception("chat %s could not be told that something went wrong", envelope.chat)
                if away:  # nothing is written and nobody knows: dropping it now would lose it without a word
                    await asyncio.sleep(AGAIN)
                    continue
            return False


def _room(lane: _Lane) -> asyncio.Semaphore:
    if lane.room is None:
        lane.room = asyncio.Semaphore(0)
    return lane.room


def _let_go(done: asyncio.Future[bool]) -> None:
    """Whoever waits for an envelope that was cut learns of it."""
    if not done.done():
        done.set_exception(Stopped("the bot stopped before this was handled"))
