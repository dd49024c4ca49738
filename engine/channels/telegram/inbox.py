"""The durable inbox: everything that arrives is committed to the journal before anybody handles it.

What arrives together is written together; what was handled is deleted with the next write, or a moment later.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from engine.channels.telegram.keeping import Keeping
from engine.channels.telegram.marks import Marks, written
from engine.channels.telegram.reading import CHANNEL, Incoming, decoded, encoded
from engine.runtime.journal import Entry, Journal
from engine.runtime.ports import Clock

KIND: Final = "incoming"
"""Of the inbox's entries."""
IDLE: Final = 0.2
"""Real seconds after which handled entries are deleted and marks written when nothing new arrives."""
AGAIN: Final = 1.0
"""Seconds until a write that failed is repeated."""

Hand = Callable[[Entry, Incoming], None]
"""Takes an entry that is committed and was not known before."""

log = logging.getLogger("stepgram.telegram")


@dataclass(slots=True)
class _Batch:
    incoming: Sequence[Incoming]
    marks: Marks | None
    anew: bool
    done: asyncio.Future[None]


class Inbox:
    """One per bot. `hand` is called in the order in which things were put in."""

    def __init__(self, *, journal: Journal, keeping: Keeping, clock: Clock, hand: Hand) -> None:
        self._journal = journal
        self._keeping = keeping
        self._clock = clock
        self._hand = hand
        self._bot = 0
        self._waiting: list[_Batch] = []
        self._settled: list[int] = []
        self._marks: Marks | None = None
        self._saved: Marks | None = None
        self._wake = asyncio.Event()
        self._due = False
        self._alarm: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> Sequence[Incoming]:
        """Hand over what the last process did not handle, oldest first, and start writing; what there was."""
        left = []
        for entry in await self._journal.unhandled(CHANNEL):
            if entry.kind != KIND:
                continue
            incoming = decoded(entry.payload)
            if incoming is None:
                log.error("update %s is damaged in the inbox: it is left out", entry.key)
                self.settle(entry.id)
                continue
            self._hand(entry, incoming)
            left.append(incoming)
        self._task = asyncio.create_task(self._run(), name="telegram inbox")
        return left

    def put(
        self, bot: int, incoming: Sequence[Incoming], marks: Marks | None, *, anew: bool = False
    ) -> asyncio.Future[None]:
        """Keep these; done when they are committed. `marks` are kept once they are; `anew`: even if smaller."""
        self._bot = bot
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Batch(incoming=incoming, marks=marks, anew=anew, done=done))
        self._wake.set()
        return done

    def settle(self, entry: int) -> None:
        """This entry was handled: the engine knows its key, and nobody needs it any more."""
        self._settled.append(entry)
        self._soon()

    async def stop(self) -> None:
        """Write what there is; what cannot be written now comes again from Telegram after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._alarm is not None:
            self._alarm.cancel()
        with suppress(Exception):
            await self._write()
            await self._note()
        for batch in self._waiting:
            batch.done.cancel()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._write()
                if self._due:
                    await self._note()
            except Exception:
                log.exception("the inbox cannot be written: it is tried again")
                await self._clock.sleep(AGAIN)
                self._due = True
                self._wake.set()

    def _soon(self) -> None:
        """Something is to be noted that is not urgent."""
        if not self._due and self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(IDLE, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._due = True
        self._wake.set()

    async def _write(self) -> None:
        """One commit for everything that waits, shielded: a commit under way is not left half known."""
        await asyncio.shield(self._write_all())

    async def _write_all(self) -> None:
        async with self._writing:
            batches = list(self._waiting)
            incoming = [item for batch in batches for item in batch.incoming]
            if incoming:
                kept = await self._keeping.append_all([self._entry(item) for item in incoming])
                for (entry, new), item in zip(kept, incoming, strict=True):
                    if new:
                        self._hand(entry, item)
            del self._waiting[: len(batches)]
            for batch in batches:
                self._advance(batch)
                if not batch.done.done():
                    batch.done.set_result(None)

    def _entry(self, incoming: Incoming) -> Entry:
        return Entry(
            chat=incoming.chat,
            at=self._clock.now(),
            kind=KIND,
            key=incoming.key(self._bot),
            payload=encoded(incoming),
            handled=False,
        )

    def _advance(self, batch: _Batch) -> None:
        if batch.marks is not None and (batch.anew or self._marks is None or batch.marks.pts >= self._marks.pts):
            self._marks = batch.marks
            self._soon()

    async def _note(self) -> None:
        """Not urgent: after a crash, what was handled is known by its key and what was read is read again."""
        self._due = False
        settled, self._settled = self._settled, []
        try:
            if settled:
                await self._journal.drop(settled)
        except BaseException:
            self._settled[:0] = settled
            raise
        marks = self._marks
        if marks is not None and marks != self._saved:
            await self._journal.set_value(state_name(self._bot), written(marks))
            self._saved = marks


def state_name(bot: int) -> str:
    """Where the journal keeps how far this bot has read."""
    return f"telegram.state.{bot}"
