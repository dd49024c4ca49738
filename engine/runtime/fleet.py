"""One worker of several on one store: which chats are its own, and what becomes of updates for others' chats.

Its own chats go through the dispatcher as in a single process. An update for another worker's chat is written down as
a letter; what others wrote for us is taken up in order. Every commit is fenced by the store: this only saves work.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Final

from engine.runtime.dispatcher import Stopped
from engine.runtime.hands import Hands
from engine.runtime.identity import IdSource
from engine.runtime.letters import Unreadable, decode, encode
from engine.runtime.ports import Clock, Envelope, Fenced
from engine.runtime.postbox import Postbox
from engine.runtime.routing import Addressed, Beside
from engine.runtime.sharing import BEAT, Letter, NewLetter, Sharing, Standing, bucket_of

SOON: Final = 0.25
"""Seconds to the next beat while there is something to wait for."""
AT_ONCE: Final = 500
"""Letters read at once, besides those under way: they stand in front and must hide no others."""
ANYWAY: Final = 5
"""Beats between two looks into the outbox: who wrote there may have been killed before it could tell."""
REST: Final = timedelta(seconds=5)
"""A chat whose letter could not even be refused in writing is left alone for so long; doubled, at most REST_MAX."""
REST_MAX: Final = timedelta(minutes=1)
TELL: Final = 30
"""Failing beats between two lines of the log that say so."""
PATIENCE: Final = 10.0
"""Seconds that the calls of a bucket have to end before another worker gets it; it would run them again."""

log = logging.getLogger("stepgram.fleet")


class Fleet:
    """A worker at its share."""

    def __init__(self, *, sharing: Sharing, hands: Hands, clock: Clock, ids: IdSource) -> None:
        self._sharing = sharing
        self._postbox = Postbox(sharing)
        self._hands = hands
        self._clock = clock
        self._ids = ids
        self._held: frozenset[int] = frozenset()
        self._entered: frozenset[int] = frozenset()
        """Of those held: taken over to the end."""
        self._open: set[int] = set()
        """Of those held: their letters are in the queues, so that an update may go there behind them."""
        self._closing: dict[int, float] = {}
        """Of those held: others are to have them; since when (loop's time)."""
        self._posting: Counter[int] = Counter()
        """Letters of ours on their way into the store."""
        self._unread: set[int] = set()
        """We wrote letters for these since they were last read."""
        self._taken: set[int] = set()
        self._direct: Counter[str] = Counter()
        """By chat: updates that went into its queue without a letter."""
        self._passing: set[str] = set()
        """Of those: one turned out to be another worker's, and all behind it follow, in order."""
        self._resting: dict[str, datetime] = {}
        """Chats whose next letter is tried again then: nothing goes past it."""
        self._failures: Counter[str] = Counter()
        """By chat: how often its next letter failed; until it is handled, every update becomes a letter behind it."""
        self._left = 0
        """Letters of resting chats that the last reading found."""
        self._leader = False
        self._waits = False
        """It has less than its share: others are giving up theirs, or have died."""
        self._stands: tuple[frozenset[int], int] = (frozenset(), 0)
        self._changed = 0.0
        """When that last changed (loop's time)."""
        self._called = False
        self._beats = asyncio.Lock()
        self._beaten = 0
        self._reading = asyncio.Lock()
        self._poked = False
        self._beating: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def leader(self) -> bool:
        """Whether this worker is the one that cleans up."""
        return self._leader

    @property
    def buckets(self) -> frozenset[int]:
        """Leased to this worker."""
        return self._held

    # --- life -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join, take what is free, and go on beating. Raises StoreError."""
        self._sharing.listen(self._heard)
        await self._beat()
        self._beating = asyncio.create_task(self._go_on(), name="fleet")

    async def drain(self) -> None:
        """Take no letters any more; what is under way goes on, and so does the beat."""
        self._stopped = True
        self._postbox.stop()
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def leave(self) -> None:
        """Let the others have everything: nothing is under way any more."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        self._open.clear()
        self._held = frozenset()
        try:
            await self._sharing.leave()
        except Exception as error:  # its lease runs out by itself
            log.warning("the others could not be told that this worker ends, they notice in seconds: %s", error)

    async def _go_on(self) -> None:
        last = asyncio.get_running_loop().time()
        failures = 0
        while True:
            await asyncio.sleep(SOON if self._waits and not failures else BEAT)
            try:
                await self._beat()
            except Exception as error:
                failures += 1
                if failures == 1 or failures % TELL == 0:
                    away = asyncio.get_running_loop().time() - last
                    log.warning("no beat for %.0f seconds, others may take this worker's chats over: %s", away, error)
                continue
            last = asyncio.get_running_loop().time()
            if failures > 1:
                log.warning("the database answers again: this worker goes on with %d of its buckets", len(self._held))
            if failures:
                self._resting.clear()
                self._soon(self._read_soon())
            failures = 0

    async def _beat(self) -> None:
        """One at a time: what a beat found out is to be acted upon before the next."""
        async with self._beats:
            await self._stand(await self._sharing.beat())

    async def _beat_soon(self) -> None:
        """Somebody came or went; many at once are answered by one beat."""
        if self._called:
            return
        self._called = True
        await asyncio.sleep(SOON)
        self._called = False
        await self._beat()

    async def _stand(self, standing: Standing) -> None:
        self._leader = standing.leader
        before = self._held | frozenset(self._open)
        self._waits = len(standing.buckets) < standing.fair and self._may_change(standing)
        self._held = standing.buckets
        gone = before - standing.buckets
        if standing.lost:
            if gone:
                log.warning("this worker was away for too long; others have %d of its buckets now", len(gone))
            gone = before
        if gone:
            self._lose(gone)
        self._beaten += 1
        if self._beaten % ANYWAY == 0:
            self._soon(self._hands.outbox(()))
        self._make_room(standing)
        await self._close_idle()
        new = self._held - self._entered
        if new:
            await self._take_over(new)
        else:
            await self._read()

    def _may_change(self, standing: Standing) -> bool:
        """Whether it is worth while to ask often: 256 buckets among three leave one of them short for good."""
        now = asyncio.get_running_loop().time()
        stands = (standing.buckets, standing.workers)
        if stands != self._stands:
            self._stands, self._changed = stands, now
        return now - self._changed < PATIENCE

    def _lose(self, gone: Collection[int]) -> None:
        self._open.difference_update(gone)
        self._entered -= frozenset(gone)
        for bucket in gone:
            self._closing.pop(bucket, None)
        self._hands.cut(gone)
        self._hands.forget(gone)

    # --- buckets ----------------------------------------------------------------------------------------

    async def _take_over(self, new: Collection[int]) -> None:
        """Letters first, then the doors open: an update that comes now must not overtake what came before."""
        await self._hands.take_over(new)
        await self._reopen(new)
        self._entered |= frozenset(new) & self._held

    def _make_room(self, standing: Standing) -> None:
        """Who has more than the fair share gives some up; nobody new any more: then not."""
        surplus = len(self._held) - standing.fair
        if surplus <= 0 or standing.workers < 2:
            if self._closing:
                again = tuple(self._closing)
                self._closing.clear()
                self._soon(self._reopen(again))
            return
        now = asyncio.get_running_loop().time()
        for bucket in sorted(self._open)[: max(0, surplus - len(self._closing))]:
            self._open.discard(bucket)
            self._closing[bucket] = now

    async def _close_idle(self) -> None:
        if not self._closing:
            return
        busy = {bucket_of(chat) for chat in self._hands.busy()}
        now = asyncio.get_running_loop().time()
        late = {bucket for bucket, since in self._closing.items() if bucket in busy and now - since > PATIENCE}
        self._hands.cut(late)
        idle = [bucket for bucket in self._closing if bucket not in busy and not self._posting[bucket]]
        if not idle:
            return
        # First ours no more, then told: in between nobody has them, and updates become letters.
        self._held -= frozenset(idle)
        self._lose(idle)
        await self._sharing.give_up(idle)

    # --- updates ----------------------------------------------------------------------------------------

    async def handle(self, envelope: Envelope) -> bool:
        """One update of a channel of this process: handled, or durably handed over to the worker that has its chat."""
        if self._stopped:
            raise Stopped("the bot is stopping and takes no more messages")
        bucket, chat = bucket_of(envelope.chat), envelope.chat
        ours = bucket in self._open and not self._posting[bucket] and chat not in self._failures
        if ours or chat in self._passing:
            return await self._go_direct(envelope)
        await self._hand_over(envelope)
        return True

    async def _go_direct(self, envelope: Envelope) -> bool:
        chat = envelope.chat
        self._direct[chat] += 1
        try:
            return await self._hands.post(envelope)
        finally:
            self._direct[chat] -= 1
            if not self._direct[chat]:
                del self._direct[chat]
                self._passing.discard(chat)

    def passes(self, envelope: Envelope) -> bool:
        """Whether it is not to be handled now, its turn in the chat's queue having come: one before it was not either,
        and it must not go past it. Then it is `fenced`."""
        if isinstance(envelope.what, Addressed | Beside):
            return False
        return envelope.chat in self._passing or envelope.chat in self._resting

    def failed(self, chat: str) -> None:
        """Nothing of its letter could be written down: it stays, and is tried again after a rest."""
        pause = min(REST * 2 ** min(self._failures[chat], 16), REST_MAX)
        self._failures[chat] += 1
        self._resting[chat] = self._clock.now() + pause

    async def fenced(self, envelope: Envelope) -> None:
        """An envelope whose chat turned out to be another's: what stands in a row comes to that one by itself."""
        what = envelope.what
        self._hands.forget((bucket_of(envelope.chat),))
        if self._direct[envelope.chat] and not isinstance(what, Addressed | Beside):
            self._passing.add(envelope.chat)
        if envelope.letter is not None or isinstance(what, Beside):
            return
        if isinstance(what, Addressed):
            if what.timer is None and what.call is None and what.signal is None:
                raise Fenced(f"chat {envelope.chat} is another worker's")
            return
        await self._hand_over(envelope)

    async def done(self, letter: int) -> None:
        """Its update was handled before: nobody is to look at it again."""
        await self._sharing.drop([letter])

    async def _hand_over(self, envelope: Envelope) -> None:
        bucket = bucket_of(envelope.chat)
        update = envelope.update or f"letter:{self._ids.file()}"
        self._posting[bucket] += 1
        self._unread.add(bucket)
        try:
            await self._postbox.post(NewLetter(chat=envelope.chat, update=update, payload=encode(envelope)))
        finally:
            self._posting[bucket] -= 1
            if bucket in self._held and not self._stopped:
                # It has become ours meanwhile: what we wrote is read before anything goes past it.
                self._open.discard(bucket)
                self._soon(self._reopen((bucket,)))

    async def _reopen(self, buckets: Collection[int]) -> None:
        """Read what was written for these of ours, then let updates in directly, unless there is more to read."""
        self._unread.difference_update(buckets)
        await self._read()
        for bucket in buckets:
            ours = bucket in self._held and bucket not in self._closing
            if ours and bucket not in self._unread and not self._posting[bucket]:
                self._open.add(bucket)

    # --- letters ----------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Take up the letters of our buckets, in order."""
        async with self._reading:
            while not self._stopped:
                now = self._clock.now()
                self._resting = {chat: until for chat, until in self._resting.items() if now < until <= now + REST_MAX}
                mine = self._held - frozenset(self._closing)
                limit = AT_ONCE + len(self._taken) + self._left
                letters = await self._sharing.letters(mine, limit=limit) if mine else ()
                untaken = [letter for letter in letters if letter.id not in self._taken]
                fresh = [letter for letter in untaken if letter.chat not in self._resting]
                self._left = len(untaken) - len(fresh)
                for letter in fresh:
                    self._taken.add(letter.id)
                    self._soon(self._deliver(letter))
                if not fresh and len(letters) < limit:
                    return

    async def _read_soon(self) -> None:
        """However often it is called while a reading is under way: one more after it."""
        if self._poked:
            return
        self._poked = True
        async with self._reading:
            self._poked = False
        await self._read()

    async def _deliver(self, letter: Letter) -> None:
        try:
            envelope = decode(letter.payload, letter.id)
            if isinstance(envelope, Unreadable):
                log.error("letter %d cannot be read (%s): it is left out", letter.id, envelope.reason)
                await self._sharing.drop([letter.id])
                return
            if await self._hands.post(envelope) and letter.chat not in self._resting:
                self._failures.pop(letter.chat, None)
        except Stopped:
            return
        except Exception:
            log.exception("letter %d could not be handled", letter.id)
            self.failed(letter.chat)
        finally:
            self._taken.discard(letter.id)

    def _heard(self, kind: str, values: Sequence[str]) -> None:
        if self._stopped:
            return
        match kind:
            case "inbox":
                if not values or any(value.isdigit() and int(value) in self._held for value in values):
                    self._soon(self._read_soon())
            case "outbox":
                self._soon(self._hands.outbox(values))
            case "signal":
                self._hands.signalled()
            case "workers":
                self._soon(self._beat_soon())
            case _:
                pass

    def _soon(self, work: "Coroutine[object, object, None]") -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the next beat looks again: %s", error)
