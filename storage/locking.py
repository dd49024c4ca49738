"""One writer at a time inside a process, and an error instead of waiting for oneself for ever."""

import asyncio
from types import TracebackType

from storage.errors import StoreError


class WriteLock:
    """An asyncio lock whose holder is told when it would wait for itself."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    async def __aenter__(self) -> None:
        """Raises StoreError when this task holds it: it has a transaction open and asked the store to write."""
        task = asyncio.current_task()
        if task is not None and task is self._holder:
            raise StoreError(
                "A transaction is open in this task. Use the transaction itself, or end it first: the store"
                " would wait for it for ever."
            )
        await self._lock.acquire()
        self._holder = task

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._holder = None
        self._lock.release()
