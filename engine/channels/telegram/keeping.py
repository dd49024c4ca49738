"""Writes what both directions add to the journal with few commits: what gathered while the last one ran goes together.

A commit waits for the disk, and every other write waits for it. What the entries say is not known here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.runtime.journal import Entry, Journal

PAUSE: Final = 0.02
"""Real seconds that an entry nobody waits for has for others to come along."""

Kept = Sequence[tuple[Entry, bool]]
"""As `Journal.append_all` gives it."""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    entries: Sequence[Entry]
    done: asyncio.Future[Kept]


class Keeping:
    """A journal that chats write to side by side."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def append_all(self, entries: Sequence[Entry]) -> Kept:
        """As `Journal.append_all`, at once. Raises what the journal raises for these alone; a caller that is cancelled
        does not take them back."""
        done = self._add(entries)
        self._begin()
        return await done

    async def append(self, entry: Entry) -> tuple[Entry, bool]:
        """As `append_all` for what no customer waits for: a moment later, unless something else is written first."""
        done = self._add((entry,))
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(PAUSE, self._begin)
        (written,) = await done
        return written

    def _add(self, entries: Sequence[Entry]) -> "asyncio.Future[Kept]":
        done: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entries=entries, done=done))
        return done

    def _begin(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="telegram keeping")

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                kept = await self._journal.append_all([entry for waiting in batch for entry in waiting.entries])
            except Exception as error:
                await self._write_alone(batch, error)
            else:
                written = iter(kept)
                for waiting in batch:
                    _settle(waiting, [next(written) for _ in waiting.entries])

    async def _write_alone(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """None of them was written: whose entries it is that the journal does not take has to be found out."""
        if len(batch) == 1:
            _fail(batch[0], error)
            return
        for waiting in batch:
            try:
                kept = await self._journal.append_all(waiting.entries)
            except Exception as own:
                _fail(waiting, own)
            else:
                _settle(waiting, kept)


def _settle(waiting: _Waiting, kept: Kept) -> None:
    if not waiting.done.done():
        waiting.done.set_result(kept)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
