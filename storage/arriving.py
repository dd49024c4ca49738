"""Signals that arrive at the same time share one transaction: who gets the store first writes for all that wait.

Nobody waits for others to come. No SQL text here.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from engine.runtime.ports import StoreFailed
from storage import statements
from storage.hop import finish
from storage.locking import WriteLock
from storage.rows import Line


@dataclass(slots=True, eq=False)
class _Signal:
    line: Line
    written: asyncio.Future[bool]


class Arriving:
    """Writes signals. `run` does a piece of work in a transaction of its own, by somebody who holds `lock`."""

    def __init__(
        self, lock: WriteLock, run: Callable[[Callable[[sqlite3.Connection], list[bool]]], Awaitable[list[bool]]]
    ) -> None:
        self._lock = lock
        self._run = run
        self._waiting: list[_Signal] = []

    async def keep(self, line: Line) -> bool:
        """Whether it is new; it is on the disk when this returns. Raises what the store raises: then it is not taken.

        Of who is cancelled it may be taken or not.
        """
        signal = _Signal(line, asyncio.get_running_loop().create_future())
        self._waiting.append(signal)
        try:
            async with self._lock:
                if not signal.written.done():
                    await finish(self._write())
        finally:
            if signal in self._waiting:
                self._waiting.remove(signal)
        return signal.written.result()

    async def _write(self) -> None:
        signals, self._waiting = self._waiting, []
        try:
            await self._write_all(signals)
        finally:
            for signal in signals:
                signal.written.cancel()  # nothing where it has a result

    async def _write_all(self, signals: Sequence[_Signal]) -> None:
        try:
            fresh = await self._run(lambda connection: _add(connection, signals))
        except Exception as error:
            if len(signals) > 1 and not isinstance(error, StoreFailed):  # one of them may be to blame
                for signal in signals:
                    await self._write_all([signal])
                return
            for signal in signals:
                signal.written.set_exception(error)
                signal.written.exception()  # who was cancelled does not ask for it
        else:
            for signal, new in zip(signals, fresh, strict=True):
                signal.written.set_result(new)


def _add(connection: sqlite3.Connection, signals: Sequence[_Signal]) -> list[bool]:
    return [connection.execute(statements.ADD_SIGNAL, signal.line).rowcount == 1 for signal in signals]
