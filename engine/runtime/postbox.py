"""Writes letters: what gathered while the last were written goes together, in the order it came. Knows no bucket."""

import asyncio
from collections import deque
from typing import Final

from engine.runtime.sharing import NewLetter, Sharing

AT_ONCE: Final = 256
"""Letters in one transaction at most."""


class Postbox:
    """One writing at a time: two at once might change places on their way."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._queue: deque[tuple[NewLetter, asyncio.Future[None]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def post(self, letter: NewLetter) -> None:
        """Durable when it returns. Raises StoreError: not written. Who is cancelled does not take it back."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((letter, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="letters")
        await done

    async def _write(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
            try:
                await self._sharing.post([letter for letter, _ in batch])
            except Exception as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
