"""One queue per chat, in order; chats beside each other. Knows nothing of what is handled."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Calls `handle` with one item of a chat after another; `handle` does not raise but when it is cancelled."""

    def __init__(self, handle: Callable[[T], Awaitable[None]]) -> None:
        self._handle = handle
        self._queues: dict[str, deque[T]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Items that are not handled yet, with those that are being handled."""
        return sum(len(queue) for queue in self._queues.values())

    def add(self, chat: str, item: T) -> None:
        """Handle it after what the chat already has."""
        queue = self._queues.get(chat)
        if queue is not None:
            queue.append(item)
        elif not self._stopped:
            self._queues[chat] = deque((item,))
            self._tasks[chat] = asyncio.create_task(self._run(chat), name=f"incoming {chat}")

    async def stop(self, patience: float) -> None:
        """Begin nothing more; wait at most so many seconds for what is being handled, then cut it."""
        self._stopped = True
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, chat: str) -> None:
        queue = self._queues[chat]
        try:
            while queue and not self._stopped:
                await self._handle(queue[0])
                queue.popleft()
        finally:
            del self._queues[chat]
            del self._tasks[chat]
