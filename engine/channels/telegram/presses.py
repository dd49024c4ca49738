"""Answers every press in time, so that no button goes on spinning: with nothing, when no notice did it before."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

LATEST: Final = 0.8
"""Real seconds after which a press is answered, however long the work takes."""
GRACE: Final = 0.3
"""Real seconds that the notice of a press has to be delivered, once the press has been handled."""

log = logging.getLogger("stepgram.telegram")

Acknowledge = Callable[[int], Awaitable[None]]
"""Answers a press with nothing; one that was answered, or is too old, is left alone."""


class Presses:
    """The presses that are not answered yet."""

    def __init__(self, acknowledge: Acknowledge) -> None:
        self._acknowledge = acknowledge
        self._handled: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def arrived(self, query: int) -> None:
        """This press came in just now."""
        if query in self._handled:
            return
        handled = self._handled[query] = asyncio.Event()
        task = asyncio.create_task(self._answer(query, handled), name=f"press {query}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def handled(self, query: int) -> None:
        """The engine has handled it: its notice, if any, is on its way."""
        handled = self._handled.get(query)
        if handled is not None:
            handled.set()

    def close(self, query: int) -> None:
        """Answer it with nothing in a moment: it is none of ours, or was handled long ago."""
        self.arrived(query)
        self.handled(query)

    async def stop(self) -> None:
        """Answer nothing more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, query: int, handled: asyncio.Event) -> None:
        try:
            try:
                async with asyncio.timeout(LATEST):
                    await handled.wait()
                    await asyncio.sleep(GRACE)
            except TimeoutError:
                pass
            await self._acknowledge(query)
        except Exception:
            log.exception("a press could not be answered")
        finally:
            del self._handled[query]
