"""Brings the outbox to the customers: per chat in order, tried again until it works. Reads no text."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from engine.core.effects import Show
from engine.runtime.activity import Activity
from engine.runtime.outbox import decode
from engine.runtime.ports import Channel, Clock, Elsewhere, Outgoing, Store
from engine.runtime.workers import Workers

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
"""Seconds between two attempts to deliver one message: doubled from the first to the longest."""
KNOWN: Final = 100_000
"""Rows that are known by id while several processes write them: a list read a moment ago may still have them."""
FLUSH: Final = 100
"""So many delivered ids of a chat are written down at once when no commit takes them along."""

log = logging.getLogger("stepgram.delivery")


@dataclass(slots=True)
class _Lane:
    queue: deque[Outgoing] = field(default_factory=deque)
    delivered: list[str] = field(default_factory=list)
    redraws: dict[str, Outgoing] = field(default_factory=dict)
    """By surface: what was drawn anew behind the head of the queue."""
    served: bool = False
    """A worker brings its messages out."""
    rest: asyncio.Timeout | None = None
    """Ends the pause between two attempts, while there is one."""


class Deliveries:
    """Delivers rows that are committed. A chat that fails waits alone; others go on.

    `unwritten` is called when a chat's last message is delivered, once until somebody calls `flush`, which is to be
    before long.
    """

    def __init__(
        self,
        *,
        channel: Channel,
        store: Store,
        clock: Clock,
        activity: Activity,
        unwritten: Callable[[], None],
        shared: bool = False,
    ) -> None:
        """`shared`: other processes write rows for our chats, too, and `add` is told of some that it knows."""
        self._channel = channel
        self._store = store
        self._clock = clock
        self._activity = activity
        self._unwritten = unwritten
        self._told = False
        """Whether somebody knows that there is something to write down."""
        self._again = 0
        """How often the channel has said that it can be tried again."""
        self._workers = Workers("deliveries")
        self._lanes: dict[str, _Lane] = {}
        self._known: OrderedDict[str, None] | None = OrderedDict() if shared else None

    @property
    def waiting(self) -> int:
        """Messages that are not delivered yet."""
        return sum(len(lane.queue) for lane in self._lanes.values())

    def add(self, rows: Iterable[Outgoing], *, fresh: bool = False) -> None:
        """Deliver these committed rows, after what the chat already has.

        `fresh`: nobody has tried to deliver them yet. One of these that only draws a message anew is left out, and
        counts as delivered, when another one for the same message comes while it waits.
        """
        for row in rows:
            if self._known is not None and not self._new(row):
                continue
            lane = self._lanes.get(row.chat)
            if lane is None:
                lane = self._lanes[row.chat] = _Lane()
            if fresh and lane.queue and _redraw(row):
                self._leave_out(lane, lane.redraws.get(row.surface))
                lane.redraws[row.surface] = row
            lane.queue.append(row)
            if not lane.served:
                lane.served = True
                self._activity.begin()
                self._workers.begin(partial(self._run, row.chat, lane))

    def again(self) -> None:
        """The channel stands again: every chat that waits for its next attempt has it now, and pauses grow anew from
        the first. One attempt for each chat, in the order that its messages have."""
        self._again += 1
        for lane in self._lanes.values():
            rest, lane.rest = lane.rest, None
            if rest is not None:
                self._activity.begin()
                rest.reschedule(0)

    def _leave_out(self, lane: _Lane, row: Outgoing | None) -> None:
        # the head may be on its way, or have come there though nobody said so
        if row is None or row is lane.queue[0] or row not in lane.queue:
            return
        lane.queue.remove(row)
        lane.delivered.append(row.id)

    def forget(self, before: datetime) -> None:
        """Do not try any more what is older than this, but for what may be on its way: the store has deleted it."""
        for lane in self._lanes.values():
            if len(lane.queue) > 1 and any(row.created_at < before for row in lane.queue):
                kept = [row for row in lane.queue if row is lane.queue[0] or row.created_at >= before]
                lane.queue.clear()
                lane.queue.extend(kept)

    def _new(self, row: Outgoing) -> bool:
        assert self._known is not None
        if row.id in self._known:
            return False
        self._known[row.id] = None
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return True

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
        self._told = False
        await self._note(*self._lanes)
        for chat, lane in list(self._lanes.items()):
            if not (lane.queue or lane.delivered or lane.served):
                del self._lanes[chat]

    async def stop(self) -> None:
        """End without waiting for chats that cannot be reached: their rows stay in the outbox."""
        self._workers.close()
        await asyncio.sleep(0)  # a worker that has not begun yet could not tidy up
        tasks = self._workers.busy
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.flush()

    async def _run(self, chat: str, lane: _Lane) -> None:
        """Begun by `add` as a piece of work; a pause between two attempts is none."""
        pause = FIRST_PAUSE
        try:
            while lane.queue:
                row, again = lane.queue[0], self._again
                try:
                    done = await self._try(row)
                except Elsewhere:
                    # Not ours to deliver: the row stays in the store, for the process whose channel serves it.
                    lane.queue.popleft()
                    continue
                if not done:
                    if again != self._again:  # it was begun before the channel stood again
                        pause, again = FIRST_PAUSE, self._again
                    await self._rest(lane, pause)
                    pause = min(pause * 2, LONGEST_PAUSE) if again == self._again else FIRST_PAUSE
                    continue
                pause = FIRST_PAUSE
                lane.delivered.append(lane.queue.popleft().id)
                if len(lane.delivered) >= FLUSH:
                    await self._note(chat)
            lane.redraws.clear()
            if not self._told:
                self._told = True
                self._unwritten()
        finally:
            lane.served = False
            self._activity.end()

    async def _rest(self, lane: _Lane, seconds: float) -> None:
        self._activity.end()
        try:
            async with asyncio.timeout(None) as lane.rest:
                await self._clock.sleep(seconds)
        except TimeoutError:
            pass  # `again`
        finally:
            if lane.rest is not None:
                lane.rest = None
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


def _redraw(row: Outgoing) -> bool:
    """Whether it only draws a message anew, and answers no press: the next such one says all that it says."""
    if not row.surface:
        return False
    try:
        delivery = decode(row)
    except Exception:  # a damaged one is dealt with when it is tried
        return False
    return isinstance(delivery.effect, Show) and delivery.effect.edit and delivery.reply_to is None


def _readable(row: Outgoing) -> bool:
    """Whether there is anything to deliver: a damaged row would keep all behind it waiting for ever."""
    try:
        decode(row)
    except Exception:  # whatever damaged data makes the decoder say
        return False
    return True
