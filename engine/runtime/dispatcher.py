"""One queue per chat, in order; different chats in parallel, bounded. Knows nothing of what is handled."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from engine.runtime.activity import Activity
from engine.runtime.ports import Envelope

LANE: Final = 100
"""Envelopes that may wait in one chat's queue; who brings more waits."""
PARALLEL: Final = 256
"""Chats that are handled at once."""
PATIENCE: Final = 10.0
"""Seconds that what is being handled has to end when the process stops; an action may hang."""

log = logging.getLogger("stepgram.dispatcher")


class Stopped(Exception):  # noqa: N818 - says what happened
    """The dispatcher does not take anything any more: the process is going down."""


@dataclass(slots=True)
class _Lane:
    room: asyncio.Semaphore
    queue: deque[tuple[Envelope, asyncio.Future[bool]]] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    users: int = 0
    """Callers that hold a place or wait for one: the lane goes when there is none."""


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
        self._slots = asyncio.Semaphore(parallel)
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
            lane = self._lanes[envelope.chat] = _Lane(room=asyncio.Semaphore(self._lane_size))
        lane.users += 1
        try:
            async with lane.room:
                # A caller that gives up cancels only this future: the lane's task handles the envelope all the same.
                if self._cut:
                    raise Stopped("the bot stopped before this was handled")
                return await self._enqueue(lane, envelope)
        finally:
            lane.users -= 1
            self._tidy(envelope.chat, lane)

    async def stop(self, patience: float = PATIENCE) -> None:
        """Take nothing more; return when everything in the queues has been handled, or `patience` seconds later.

        What was cut then has changed nothing; who posted it gets Stopped.
        """
        self._stopped = True
        end = asyncio.get_running_loop().time() + patience
        while tasks := [lane.task for lane in self._lanes.values() if lane.task]:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                log.warning("%d chats were cut in the middle of something: it is undone", len(tasks))
                self._cut = True
                await asyncio.sleep(0)  # a task that has not begun yet could not tidy up
                for task in tasks:
                    task.cancel()
            await asyncio.wait(tasks, timeout=left if left > 0 else None)

    def _enqueue(self, lane: _Lane, envelope: Envelope) -> asyncio.Future[bool]:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        lane.queue.append((envelope, done))
        self._activity.begin()
        if lane.task is None:
            lane.task = asyncio.create_task(self._drain(envelope.chat, lane), name=f"chat {envelope.chat}")
        return done

    async def _drain(self, chat: str, lane: _Lane) -> None:
        try:
            while lane.queue:
                envelope, done = lane.queue.popleft()
                try:
                    async with self._slots:
                        good = await self._one(envelope)
                    if not done.done():
                        done.set_result(good)
                finally:
                    self._activity.end()
                    _let_go(done)
        finally:
            for _, done in lane.queue:
                self._activity.end()
                _let_go(done)
            lane.queue.clear()
            lane.task = None
            self._tidy(chat, lane)

    def _tidy(self, chat: str, lane: _Lane) -> None:
        if lane.users == 0 and lane.task is None and self._lanes.get(chat) is lane:
            del self._lanes[chat]

    async def _one(self, envelope: Envelope) -> bool:
        try:
            await self._handle(envelope)
        except Exception:
            log.exception("an event of chat %s could not be handled", envelope.chat)
        else:
            return True
        try:
            await self._failed(envelope)
        except Exception:
            log.exception("chat %s could not be told that something went wrong", envelope.chat)
        return False


def _let_go(done: asyncio.Future[bool]) -> None:
    """Whoever waits for an envelope that was cut learns of it."""
    if not done.done():
        done.set_exception(Stopped("the bot stopped before this was handled"))
