"""Who is at work right now, so that “nothing is going on” can be waited for. Sleeping is not work."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """Counts pieces of work under way."""

    def __init__(self) -> None:
        self._count = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.total = 0
        """Pieces of work begun since the start: unchanged means that nothing happened."""

    @property
    def count(self) -> int:
        """Pieces of work under way."""
        return self._count

    def begin(self) -> None:
        """One more piece of work; to be ended by `end`."""
        if self._count == 0:
            self._quiet.clear()
        self._count += 1
        self.total += 1

    def end(self) -> None:
        """One piece of work is done."""
        self._count -= 1
        if self._count == 0:
            self._quiet.set()

    @contextmanager
    def work(self) -> Iterator[None]:
        """What happens inside is work."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    async def quiet(self) -> None:
        """Return when nothing is under way."""
        while self._count:
            await self._quiet.wait()
