"""Group commit: what gathered while the last commit ran goes into one transaction. Never waits for more."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.runtime.ports import AlreadySeen, Commit, Overtaken, Store, StoreFailed

BATCH: Final = 256
"""Commits in one transaction at most."""
OFFENDERS: Final = 3
"""So many are taken out of a batch one by one; then every commit is tried alone."""


@dataclass(slots=True)
class _Waiting:
    commit: Commit
    done: asyncio.Future[None]


class Committer:
    """Writes commits; each `submit` returns when its own commit is on disk."""

    def __init__(self, store: Store, batch: int = BATCH) -> None:
        self._store = store
        self._batch = batch
        self._queue: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, commit: Commit) -> None:
        """Write one commit, possibly together with others. Raises what the store raises for this one alone.

        A caller that is cancelled does not take the commit back.
        """
        waiting = _Waiting(commit, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="committer")
        await waiting.done

    async def close(self) -> None:
        """Return when everything submitted has been written."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._queue:
            size = min(self._batch, len(self._queue))
            batch = [self._queue.popleft() for _ in range(size)]
            try:
                await self._store.commit([waiting.commit for waiting in batch])
            except Exception as error:
                await self._write_without_offender(batch, error)
            else:
                _settle(batch)

    async def _write_without_offender(self, batch: list[_Waiting], error: Exception) -> None:
        """The batch was undone as a whole: take the ones that the errors name out; when none is named, try each
        alone."""
        for _ in range(OFFENDERS):
            offender = _offender(batch, error)
            if offender is None:
                break
            _fail(offender, error)
            batch.remove(offender)
            if not batch:
                return
            try:
                await self._store.commit([waiting.commit for waiting in batch])
            except Exception as another:
                error = another
            else:
                _settle(batch)
                return
        await self._write_alone(batch)

    async def _write_alone(self, batch: Sequence[_Waiting]) -> None:
        """A store that fails for one alone is not asked again for each of the others: that may take seconds."""
        for number, waiting in enumerate(batch):
            try:
                await self._store.commit([waiting.commit])
            except StoreFailed as error:
                for left in batch[number:]:
                    _fail(left, error)
                return
            except Exception as error:
                _fail(waiting, error)
            else:
                _settle([waiting])


def _settle(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_result(None)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)


def _offender(batch: Sequence[_Waiting], error: Exception) -> _Waiting | None:
    """The commit that an AlreadySeen or Overtaken names through its attributes, if exactly one matches; the only one
    there is."""
    if len(batch) == 1:
        return batch[0]
    if not isinstance(error, AlreadySeen | Overtaken):
        return None
    update = getattr(error, "update", None)
    row = getattr(error, "conversation", None) or getattr(error, "chat", None)
    found = [waiting for waiting in batch if _names(waiting.commit, update, row)]
    return found[0] if len(found) == 1 else None


def _names(commit: Commit, update: object, row: object) -> bool:
    if update and (update in commit.seen or update in _handled(commit)):
        return True
    return row is not None and (
        row == commit.chat.id or any(conversation.id == row for conversation in commit.conversations)
    )


def _handled(commit: Commit) -> list[str]:
    """The rows that this commit says are handled, in the words of an AlreadySeen."""
    return [
        *(f"timer {conversation}/{visit}/{name}" for conversation, visit, name in commit.fired_timers),
        *(f"call {conversation}/{call}" for conversation, call in commit.finished_calls),
        *(f"signal {number}" for number in commit.taken_signals),
        *(f"letter {number}" for number in commit.letters),
    ]
