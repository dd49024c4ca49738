"""Signals: written down first, then delivered in order to the conversation that has their key; news that none of them
takes begins a flow beside. Decides nothing in a conversation.

A signal is a row until the commit that takes it: killed anywhere, it is delivered after the next start, once.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from engine.core.codec import load_data
from engine.core.conversation import Conversation
from engine.core.early import NEWS
from engine.core.events import SignalReceived
from engine.core.values import Value
from engine.runtime.activity import Activity
from engine.runtime.dispatcher import Stopped
from engine.runtime.hops import Hops
from engine.runtime.identity import IdSource
from engine.runtime.ledger import Ledger
from engine.runtime.library import Library
from engine.runtime.ports import Clock, Envelope, NewSignal, SignalRow, Store
from engine.runtime.routing import Addressed, Beside
from engine.runtime.sending import Sent, new_signal, signals_of, update_of
from engine.runtime.telling import Unfit, fitting

PATIENCE: Final = 5.0
"""Seconds that a sender waits to hear whether the signal was delivered; it is kept in any case."""
REST: Final = timedelta(seconds=5)
"""Pause of a key whose first signal could not be handled; doubled every time, at most REST_MAX."""
REST_MAX: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(seconds=1)
"""Conversations that signal each other in a circle are slowed down to one signal in so much time."""
ASK: Final = 0.9
"""Seconds between two questions whether another process has written."""
AT_ONCE: Final = 20
"""Rows of one key read at once."""
LOOK: Final = 100
"""Keys looked for at once, besides those under way or at rest."""
SOON: Final = 0.05
"""Seconds between two questions whether another worker has begun what it was sent."""
TRIES: Final = 3
"""So many times a row is tried that is there still after it was handled, before its key rests."""

log = logging.getLogger("stepgram.signals")
Lane = tuple[str, str]
"""A flow and a key: its signals go one after the other."""


class _Went(Enum):
    """How it went with one row."""

    ON = "on"
    """It is settled: the next one of its lane may go."""
    STOPS = "stops"
    """It is not, and those behind it wait for it."""
    WAITS = "waits"
    """No conversation has its key yet: only news may pass it."""


class Signals:
    """Takes signals and brings them to their conversations. `post` puts an envelope into its chat's queue and says
    whether it was handled; `over` does so in whatever process has the chat; `mine` says whether that is this one;
    `wake` asks for a look at a time."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: IdSource,
        activity: Activity,
        library: Callable[[], Library],
        post: Callable[[Envelope], Awaitable[bool]],
        over: Callable[[Envelope], Awaitable[bool]],
        mine: Callable[[str], bool],
        wake: Callable[[datetime], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._activity = activity
        self._library = library
        self._post = post
        self._over = over
        self._mine = mine
        self._wake = wake
        self._running: dict[Lane, asyncio.Task[None]] = {}
        self._again: set[Lane] = set()
        """Running ones that something new has come for."""
        self._resting: dict[Lane, datetime] = {}
        self._failures: dict[Lane, int] = {}
        self._told: dict[str, asyncio.Future[Sent]] = {}
        """What senders wait for, by update id; several may send the same one at once."""
        self._senders: Counter[str] = Counter()
        self._taken: set[int] = set()
        """Rows that a commit has just taken."""
        self._hops = Hops()
        self._look = True
        self._asked = 0.0
        self._stopped = False

    @property
    def waiting(self) -> bool:
        """Whether a signal is on its way or will be tried again."""
        return bool(self._running or self._resting)

    # --- in ---------------------------------------------------------------------------------------------

    async def send(
        self, flow: str, key: str, name: str, payload: Mapping[str, Value], update: str | None = None
    ) -> Sent:
        """Write a signal down and bring it on its way; it is durable when this returns. Raises UnfitSignal, and what
        the store raises (then it was not taken).

        `update`: an id under which a repeated signal is known and dropped.
        """
        known = signals_of(self._library(), flow)
        if known is None or name not in known:
            return Sent.UNKNOWN_FLOW if known is None else Sent.UNKNOWN_SIGNAL
        name_of_it = update_of(update or self._ids.file())
        signal = new_signal(flow=flow, key=key, name=name, payload=payload, update=name_of_it, at=self._clock.now())
        told = self._told.setdefault(signal.update, asyncio.get_running_loop().create_future())
        self._senders[signal.update] += 1
        try:
            if not await self._store.keep_signal(signal):
                return Sent.DUPLICATE
            self._start((signal.flow, signal.key))
            return await self._verdict(signal, told)
        finally:
            self._senders[signal.update] -= 1
            if not self._senders[signal.update]:
                del self._senders[signal.update], self._told[signal.update]

    async def _verdict(self, signal: NewSignal, told: asyncio.Future[Sent]) -> Sent:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        pause = 0.02
        lane = (signal.flow, signal.key)
        while (left := end - loop.time()) > 0 and not self._stopped and lane not in self._resting:
            await asyncio.wait({told}, timeout=min(left, pause))
            if told.done():
                return told.result()
            pause = min(pause * 2, 0.5)
            # Another worker may have the conversation.
            if lane not in self._running and await self._store.seen(signal.update):
                return Sent.DELIVERED
        return Sent.KEPT

    def _tell(self, update: str, sent: Sent) -> None:
        told = self._told.get(update)
        if told is not None and not told.done():
            told.set_result(sent)

    # --- when to look -----------------------------------------------------------------------------------

    def poke(self) -> None:
        """Somebody else wrote signals, or gave us chats: look at the next chance."""
        self._look = True

    async def outside(self) -> bool:
        """Whether another process has written since this was asked last: then it is time to look."""
        now = asyncio.get_running_loop().time()
        if now - self._asked < ASK:
            return False
        self._asked = now
        if not await self._store.changed_outside():
            return False
        self._look = True
        return True

    async def look(self) -> None:
        """Bring on its way what can be delivered, and wait a moment for it: what was signalled in time goes before
        timers that came due since."""
        now = self._clock.now()
        rested = [lane for lane, until in self._resting.items() if not now < until <= now + REST_MAX]
        for lane in rested:
            del self._resting[lane]
        if self._stopped or not (self._look or rested):
            return
        self._look = False
        limit = LOOK + len(self._running) + len(self._resting)
        try:
            found = await self._store.deliverable_signals(limit)
        except BaseException:
            self._look = True
            self._wake(now + PAUSE)
            raise
        if len(found) == limit:
            self._look = True
            self._wake(now)
        tasks = [self._start((row.flow, row.key)) for _, row in found]
        waited = {task for task in tasks if task is not None}
        if waited:
            await asyncio.wait(waited, timeout=PATIENCE)

    def committed(self, ledger: Ledger) -> None:
        """After a commit: what it took, what it sent, and conversations that others may have waited for."""
        if ledger.taken_signals or ledger.signals or ledger.finished_calls:
            self._taken.update(ledger.taken_signals)
            self._hops.committed(ledger)
        lanes = [(signal.flow, signal.key) for signal in ledger.signals]
        for lane in dict.fromkeys([*lanes, *ledger.keyed]):
            self._start(lane)

    def sent(self, signals: Iterable[NewSignal]) -> None:
        """These were written with `Transaction.send`, and it is committed: bring them on their way."""
        for lane in dict.fromkeys((signal.flow, signal.key) for signal in signals):
            self._start(lane)

    async def stop(self) -> None:
        """Bring nothing more on its way; the rows stay for the next start."""
        self._stopped = True
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- out --------------------------------------------------------------------------------------------

    def _start(self, lane: Lane) -> asyncio.Task[None] | None:
        if self._stopped or lane in self._resting:
            return None
        running = self._running.get(lane)
        if running is not None:
            self._again.add(lane)
            return running
        self._activity.begin()
        task = self._running[lane] = asyncio.create_task(self._run(lane), name=f"signals of {lane[0]}")
        task.add_done_callback(lambda _: self._ended(lane))
        return task

    def _ended(self, lane: Lane) -> None:
        del self._running[lane]
        if lane in self._again:
            self._again.discard(lane)
            self._start(lane)
        self._activity.end()

    async def _run(self, lane: Lane) -> None:
        try:
            if await self._all(lane, news=False) is _Went.WAITS:
                await self._all(lane, news=True)
        except Stopped:
            log.info("signals of %s are delivered after the next start", lane[0])
        except Exception:
            log.exception("signals of %s could not be delivered", lane[0])
            self._rest(lane)

    async def _all(self, lane: Lane, *, news: bool) -> _Went:
        """One after the other, as far as it goes. `news`: only those that need no conversation."""
        while rows := await self._store.signals(*lane, AT_ONCE, news=news):
            for row in rows:
                went = await self._deliver(lane, row)
                if went is not _Went.ON:
                    return went
        self._failures.pop(lane, None)
        return _Went.ON

    async def _deliver(self, lane: Lane, row: SignalRow) -> _Went:
        if self._hops.too_many(row.update):
            log.warning("conversations of %s and others signal each other in a circle: they are slowed down", lane[0])
            self._pause(lane, PAUSE)
            return _Went.STOPS
        if not _readable(row):
            log.error("the signal %s for %s cannot be read: it is dropped", row.name, lane[0] or row.otherwise)
            return await self._dropped(lane, row)
        for _ in range(TRIES):
            envelope = await self._envelope(lane, row)
            if isinstance(envelope, _Went):
                return envelope
            if not self._mine(envelope.chat):
                return await self._elsewhere(lane, row, envelope)
            self._hops.on_its_way(row)
            handled = await self._post(envelope)
            # Not taken: the conversation ended a moment ago, or another worker was quicker.
            if row.id in self._taken or (handled and await self._store.seen(row.update)):
                self._taken.discard(row.id)
                self._done(lane, row, Sent.DELIVERED)
                return _Went.ON
            if not handled:
                break
        self._rest(lane)
        return _Went.STOPS

    async def _envelope(self, lane: Lane, row: SignalRow) -> Envelope | _Went:
        """What is to be done with it, or how it went when there is nothing to do."""
        target = await self._store.by_key(*lane) if row.flow else None
        if target is not None and (not row.otherwise or self._awaited(target, row)):
            event = SignalReceived(at=self._clock.now(), name=row.name, payload=load_data(row.payload))
            what = Addressed(conversation=target.id, event=event, signal=row.id)
            return Envelope(chat=target.chat, update=None, what=what)
        if row.otherwise:
            return self._beside(row) or await self._dropped(lane, row)
        return await self._nobody(lane, row)

    def _awaited(self, target: Conversation, row: SignalRow) -> bool:
        """Whether some step of the open conversation's flow waits for such news."""
        return row.name in (signals_of(self._library(), target.flow) or ())

    def _beside(self, row: SignalRow) -> Envelope | None:
        """The flow that is to begin; None when it cannot, which is logged."""
        sent = load_data(row.payload)
        if row.name:
            sent[NEWS] = row.name
        found = fitting(self._library(), row.otherwise, sent)
        if isinstance(found, Unfit):
            log.error("%s is not told %s: %s", row.chat, row.name or row.otherwise, found.reason)
            return None
        return Envelope(chat=row.chat, update=None, what=Beside(flow=row.otherwise, arguments=found, signal=row.id))

    async def _elsewhere(self, lane: Lane, row: SignalRow, envelope: Envelope) -> _Went:
        """Another worker has the chat, and finds the row by itself. But where this one has the conversation, what
        begins beside in a chat of another worker goes there as a letter."""
        if isinstance(envelope.what, Addressed) or not await self._looks_after(lane):
            return _Went.STOPS
        await self._over(envelope)
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while loop.time() < end and not self._stopped:
            if await self._store.seen(row.update):
                self._done(lane, row, Sent.DELIVERED)
                return _Went.ON
            await asyncio.sleep(SOON)
        self._rest(lane)
        return _Went.STOPS

    async def _looks_after(self, lane: Lane) -> bool:
        known = await self._store.by_key(*lane) or await self._store.ended_by_key(*lane)
        return known is not None and self._mine(known.chat)

    async def _dropped(self, lane: Lane, row: SignalRow, sent: Sent = Sent.LATE) -> _Went:
        await self._store.drop_signal(row.id)
        self._done(lane, row, sent)
        return _Went.ON

    async def _nobody(self, lane: Lane, row: SignalRow) -> _Went:
        """No conversation is open: wait for one, unless it is over already."""
        if await self._store.ended_by_key(*lane) is None:
            for waiting in await self._store.signals(*lane, LOOK):
                self._tell(waiting.update, Sent.KEPT)
            return _Went.WAITS
        log.warning("the signal %s came after its conversation of %s was over: it is dropped", row.name, lane[0])
        return await self._dropped(lane, row)

    def _done(self, lane: Lane, row: SignalRow, sent: Sent) -> None:
        self._failures.pop(lane, None)
        self._tell(row.update, sent)

    def _rest(self, lane: Lane) -> None:
        failures = self._failures.get(lane, 0)
        self._failures[lane] = failures + 1
        self._pause(lane, min(REST * 2 ** min(failures, 16), REST_MAX))

    def _pause(self, lane: Lane, pause: timedelta) -> None:
        self._resting[lane] = self._clock.now() + pause
        self._wake(self._resting[lane])


def _readable(row: SignalRow) -> bool:
    try:
        return isinstance(load_data(row.payload), dict)
    except Exception:  # whatever damaged data makes the decoder say
        return False
