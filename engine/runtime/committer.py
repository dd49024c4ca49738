"""Group commit: what gathered while the last commit ran goes into one transaction. Never waits for more."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.runtime.ports import AlreadySeen, Commit, Overtaken, Store

BATCH: Final = 256
"""Commits in one transaction at most."""


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
        """The batch was undone as a whole: take the one that the error names out, then try the rest alone."""
        if len(batch) == 1:
            _fail(batch[0], error)
            return
        offender = _offender(batch, error)
        if offender is not None:
            _fail(offender, error)
            batch.remove(offender)
            try:
                await self._store.commit([waiting.commit for waiting in batch])
            except Exception:
                await self._write_alone(batch)
            else:
                _settle(batch)
            return
        await self._write_alone(batch)

    async def _write_alone(self, batch: Sequence[_Waiting]) -> None:
        for waiting in batch:
            try:
                await self._store.commit([waiting.commit])
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
    """The commit that an AlreadySeen or Overtaken names through its attributes, if exactly one matches."""
    if not isinstance(error, AlreadySeen | Overtaken):
        return None
    update = getattr(error, "update", None)
    row = getattr(error, "conversation", None) or getattr(error, "chat", None)
    found = [waiting for waiting in batch if _names(waiting.commit, update, row)]
    return found[0] if len(found) == 1 else None


def _names(commit: Commit, update: object, row: object) -> bool:
    if update is not None and update in commit.seen:
        return True
    return row is not None and (
        row == commit.chat.id or any(conversation.id == row for conversation in commit.conversations)
    )
