"""Writes letters: what gathered while the last were written goes together, in the order it came. Knows no bucket."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from engine.runtime.dispatcher import Stopped
from engine.runtime.ports import StoreFailed
from engine.runtime.sharing import NewLetter, Sharing

AT_ONCE: Final = 256
"""Letters in one transaction at most."""
PAUSE: Final = 1.0
"""Seconds between two tries while the store fails."""

log = logging.getLogger("stepgram.fleet")
Waiting = tuple[NewLetter, asyncio.Future[None]]


class Postbox:
    """One writing at a time: two at once might change places on their way.

    While the store fails, letters wait and keep their order: whoever brought one was told that it was taken.
    """

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._queue: deque[Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    async def post(self, letter: NewLetter) -> None:
        """Durable when it returns. Raises what the store raises for this letter alone, and Stopped: not written. Who
        is cancelled does not take it back."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((letter, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="letters")
        await done

    def stop(self) -> None:
        """Each letter has one more try."""
        self._stopped.set()

    async def _write(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
            if await self._written(batch) is None:
                continue
            for one in batch:  # one of them is to blame
                error = await self._written([one])
                if error is not None and not one[1].done():
                    one[1].set_exception(error)

    async def _written(self, batch: Sequence[Waiting]) -> Exception | None:
        """What the store says against these; None: they are written, or there is nobody to write them any more."""
        failed = False
        while True:
            try:
                await self._sharing.post([letter for letter, _ in batch])
            except StoreFailed as error:
                if self._stopped.is_set():
                    _end(batch, Stopped("the bot stopped before this could be written down"))
                    return None
                if not failed:
                    log.warning("%d updates for other workers wait for the store: %s", len(batch), error)
                failed = True
                await self._rest()
            except Exception as error:
                return error
            else:
                _end(batch, None)
                return None

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), PAUSE)
        except TimeoutError:
            return


def _end(batch: Sequence[Waiting], error: Exception | None) -> None:
    for _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
