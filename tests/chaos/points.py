"""Kill points: every step of the event loop, every SQL statement and every touch of the outside counts, and at one of
them the process kills itself with SIGKILL. Faults begin and end at such points too."""

import asyncio
import os
import signal
from collections.abc import Callable, MutableSequence
from typing import Any

MOST = 50_000
"""Points that one life may have: ten times what the longest script needs with every fault."""
NEVER = 1 << 62
CIRCLE = 66
"""The exit code of a life that has more."""


def replaced_in(owner: object, name: str, value: object) -> None:
    """Another one in the place of a module's or a class's own, for as long as this process lives."""
    assert hasattr(owner, name), f"there is no {name} any more"
    setattr(owner, name, value)


class Points:
    """Counts. `at`: the number of the point that is the last; None: there is none."""

    def __init__(
        self,
        at: int | None,
        last_words: Callable[[int, str], None],
        shared: MutableSequence[int],
        most: int | None = MOST,
    ) -> None:
        """`shared`: memory in which the count outlives this process, however it ends. `most`: more is a circle."""
        self._at = NEVER if at is None else at
        self._most = most or NEVER
        self._shared = shared
        self._last_words = last_words
        self.count = 0
        self._alarms: dict[int, Callable[[], None]] = {}
        self._next = NEVER

    def at(self, number: int, alarm: Callable[[], None]) -> None:
        """Call it when this number is reached."""
        self._alarms[number] = alarm
        self._next = min(self._alarms)

    def quiet(self) -> None:
        """Forget what was to be called."""
        self._alarms.clear()
        self._next = NEVER

    def __call__(self, label: object) -> None:
        """The process may end here, as if the machine's owner had pulled the plug."""
        # Also from the driver's threads: a number may be passed over.
        self.count = self._shared[0] = self.count + 1
        if self.count >= self._at:
            self._last_words(self.count, str(label))
            os.kill(os.getpid(), signal.SIGKILL)
        if self.count >= self._next:
            due = [number for number in self._alarms if number <= self.count]
            alarms = [self._alarms.pop(number) for number in sorted(due)]
            self._next = min(self._alarms, default=NEVER)
            for alarm in alarms:
                alarm()
        if self.count > self._most:
            self._last_words(self.count, f"it turns in a circle: {label}")
            os._exit(CIRCLE)


class Loop(asyncio.SelectorEventLoop):
    """An event loop in which every resumption of a coroutine and every callback is a point."""

    def __init__(self, points: Points) -> None:
        super().__init__()
        self.points = points

    def _call_soon(self, callback: Any, arguments: Any, context: Any) -> asyncio.Handle:
        handle = _Step(callback, arguments, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle


class _Step(asyncio.Handle):
    __slots__ = ()

    def _run(self) -> None:
        self._loop.points(self._callback)  # type: ignore[attr-defined]
        super()._run()
