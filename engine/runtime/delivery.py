"""Brings the outbox to the customers: per chat in order, tried again until it works. Reads no text."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.runtime.activity import Activity
from engine.runtime.outbox import decode
from engine.runtime.ports import Channel, Clock, Elsewhere, Outgoing, Store

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
"""Seconds between two attempts to deliver one message: doubled from the first to the longest."""
FLUSH: Final = 100
"""So many delivered ids of a chat are written down at once when no commit takes them along."""

log = logging.getLogger("stepgram.delivery")


@dataclass(slots=True)
class _Lane:
    queue: deque[Outgoing] = field(default_factory=deque)
    delivered: list[str] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Deliveries:
    """Delivers rows that are committed. A chat that fails waits alone; others go on.

    `unwritten` is called when a chat's last message is delivered: somebody is to call `flush` before long.
    """

    def __init__(
        self,
        *,
        channel: Channel,
        store: Store,
        clock: Clock,
        activity: Activity,
        unwritten: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._store = store
        self._clock = clock
        self._activity = activity
        self._unwritten = unwritten
        self._lanes: dict[str, _Lane] = {}

    @property
    def waiting(self) -> int:
        """Messages that are not delivered yet."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    def add(self, rows: Iterable[Outgoing]) -> None:
        """Deliver these committed rows, after what the chat already has."""
        for row in rows:
            lane = self._lanes.get(row.chat)
            if lane is None:
                lane = self._lanes[row.chat] = _Lane()
            lane.queue.append(row)
            if lane.task is None or lane.task.done():
                self._activity.begin()
                lane.task = asyncio.create_task(self._run(row.chat, lane), name=f"delivery {row.chat}")

    def take_delivered(self, chat: str) -> tuple[str, ...]:
        """Ids that were delivered and not written down: the caller's commit does that, or gives them back."""
        lane = self._lanes.get(chat)
        if lane is None or not lane.delivered:
            return ()
        taken, lane.delivered = tuple(lane.delivered), []
        return taken

    def give_back(self, chat: str, ids: Sequence[str]) -> None:
        """The commit did not happen: they still are to be written down."""
        if ids:
            self._lanes.setdefault(chat, _Lane()).delivered[:0] = ids

    async def flush(self) -> None:
        """Write down everything delivered that no commit took along."""
        await self._note(*self._lanes)
        for chat, lane in list(self._lanes.items()):
            if not lane.queue and not lane.delivered and (lane.task is None or lane.task.done()):
                del self._lanes[chat]

    async def stop(self) -> None:
        """End without waiting for chats that cannot be reached: their rows stay in the outbox."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task and not lane.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.flush()

    async def _run(self, chat: str, lane: _Lane) -> None:
        """Begun by `add` as a piece of work; a pause between two attempts is none."""
        pause = FIRST_PAUSE
        try:
            while lane.queue:
                row = lane.queue[0]
                try:
                    done = await self._try(row)
                except Elsewhere:
                    # Not ours to deliver: the row stays in the store, for the process whose channel serves it.
                    lane.queue.popleft()
                    continue
                if not done:
                    await self._rest(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                pause = FIRST_PAUSE
                lane.delivered.append(lane.queue.popleft().id)
                if len(lane.delivered) >= FLUSH:
                    await self._note(chat)
            self._unwritten()
        finally:
            self._activity.end()

    async def _rest(self, seconds: float) -> None:
        self._activity.end()
        try:
            await self._clock.sleep(seconds)
        finally:
            self._activity.begin()

    async def _try(self, row: Outgoing) -> bool:
        try:
            await self._channel.deliver(row)
        except Elsewhere:
            raise
        except Exception as error:
            if not _readable(row):
                log.error("message %s is damaged and cannot be delivered: it is left out", row.id)
                return True
            log.warning("message %s could not be delivered (%s): it is tried again", row.id, type(error).__name__)
            return False
        return True

    async def _note(self, *chats: str) -> None:
        """One write for all of them: a write waits for the disk."""
        taken = {chat: ids for chat in chats if (ids := self.take_delivered(chat))}
        if not taken:
            return
        try:
            await self._store.delivered([key for ids in taken.values() for key in ids])
        except BaseException as error:
            for chat, ids in taken.items():
                self.give_back(chat, ids)
            if not isinstance(error, Exception):
                raise
            log.exception("deliveries to %d chats could not be written down", len(taken))


def _readable(row: Outgoing) -> bool:
    """Whether there is anything to deliver: a damaged row would keep all behind it waiting for ever."""
    try:
        decode(row)
    except Exception:  # whatever damaged data makes the decoder say
        return False
    return True
