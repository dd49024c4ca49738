"""What is due next, for the memory store: a heap whose stale entries are dropped when they come up."""

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class DueQueue(Generic[K]):
    """Keys by the moment (epoch ms) they are due at. Setting a key again moves it."""

    def __init__(self) -> None:
        self._current: dict[K, int] = {}
        self._heap: list[tuple[int, int, K]] = []
        self._count = 0

    def set(self, key: K, due: int | None) -> None:
        """None: the key is not due any more."""
        if due is None:
            self._current.pop(key, None)
            return
        if self._current.get(key) == due:
            return
        self._current[key] = due
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, key))
        if len(self._heap) > 4 * len(self._current) + 1000:
            self._heap = [(at, number, key) for number, (key, at) in enumerate(self._current.items())]
            heapq.heapify(self._heap)
            self._count = len(self._heap)

    def due(self, key: K) -> int | None:
        """When the key is due."""
        return self._current.get(key)

    def earliest(self) -> int | None:
        """The first moment anything is due at."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._current.get(key) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def until(self, now: int, limit: int) -> list[K]:
        """At most `limit` keys due by `now`, the longest due first. They stay in the queue."""
        taken = list(self._take(now, limit))
        for entry in taken:
            heapq.heappush(self._heap, entry)
        return [key for _, _, key in taken]

    def _take(self, now: int, limit: int) -> Iterator[tuple[int, int, K]]:
        found: set[K] = set()
        while len(found) < limit and self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            due, _, key = entry
            if self._current.get(key) == due and key not in found:
                found.add(key)
                yield entry
