"""Tasks that are kept for the next piece of work: making a task costs more than many a piece. Knows no work itself."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

IDLE: Final = 256
"""Tasks kept without work at most; a burst makes more, which end with it."""

log = logging.getLogger("stepgram.workers")
Work = Callable[[], Coroutine[Any, Any, None]]


class Workers:
    """Runs pieces of work, each in a task, as many at once as there are. Not for work that never ends."""

    def __init__(self, name: str, idle: int = IDLE) -> None:
        self._name = name
        self._most = idle
        self._idle: list[tuple[asyncio.Task[None], asyncio.Future[Work]]] = []
        self._busy: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def busy(self) -> frozenset[asyncio.Task[None]]:
        """Tasks that have work; once `close` was called each ends with what it has."""
        return frozenset(self._busy)

    def begin(self, work: Work) -> None:
        """Run `work` soon. What it raises is logged."""
        while self._idle:
            task, given = self._idle.pop()
            if not given.done():
                self._busy.add(task)
                given.set_result(work)
                return
        task = asyncio.get_running_loop().create_task(self._run(work), name=self._name)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    def close(self) -> None:
        """Keep no task any longer: those without work end, the others after theirs."""
        self._closed = True
        while self._idle:
            task, _ = self._idle.pop()
            task.cancel()

    async def _run(self, work: Work) -> None:
        me = asyncio.current_task()
        assert me is not None
        loop = asyncio.get_running_loop()
        while True:
            try:
                await work()
            except Exception:
                log.exception("a piece of work of the %s came to a bad end", self._name)
            if self._closed or len(self._idle) >= self._most:
                return
            self._busy.discard(me)
            given: asyncio.Future[Work] = loop.create_future()
            self._idle.append((me, given))
            work = await given
