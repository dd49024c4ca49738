"""One Tortoise connection to a SQLite file, and one way to it: a synchronous function in the driver's thread.

Waking that thread costs more than the statements, so a function does its whole work in one hop. A cancelled
caller waits until its function is done; nothing is ever left half way.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from storage.errors import BUSY, StoreError, explain, primary_code

T = TypeVar("T")

PAUSES: Final = (0.05, 0.2, 0.5)
"""Seconds between tries when another program has the file locked, on top of SQLite's own wait."""


class Hop:
    """An open connection. Functions given to `run` are executed one after the other, in the order they came."""

    def __init__(self, file: Path, client: Any) -> None:
        self._file = file
        self._client = client

    @staticmethod
    async def open(file: Path, **pragmas: object) -> "Hop":
        """Connect with Tortoise's client. Raises StoreError with what to do."""
        from tortoise.backends.sqlite.client import SqliteClient

        client = SqliteClient(str(file), connection_name="stepgram", **pragmas)
        hop = Hop(file, client)
        try:
            await client.create_connection(with_db=True)
            await hop.run(_plain_rows)
        except sqlite3.Error as error:
            await hop.close()
            raise explain(error, str(file)) from error
        except BaseException:
            await hop.close()
            raise
        return hop

    @property
    def unfinished(self) -> bool:
        """Whether a transaction is open. Right only while no function is running."""
        driver = self._client._connection
        return driver is not None and bool(driver.in_transaction)

    async def close(self) -> None:
        """Let the driver's thread end, however often the caller is cancelled meanwhile."""
        await finish(self._client.close())

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the driver's thread; it must open and end its own transaction, or run in one that is
        open. Repeated when another program has the file locked. Raises what `work` raises, SQLite's errors as
        StoreError."""
        for pause in (*PAUSES, None):
            try:
                return await self._once(work)
            except sqlite3.Error as error:
                if pause is None or primary_code(error) not in BUSY:
                    raise explain(error, str(self._file)) from error
                await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _once(self, work: Callable[[sqlite3.Connection], T]) -> T:
        driver = self._client._connection
        if driver is None:
            raise StoreError("The store is closed. Open it first.")
        try:
            result: T = await driver._execute(work, driver._conn)
        except asyncio.CancelledError:
            # `work` may be running now: the queue is in order, so that it is done when a later call is done
            await finish(driver._execute(_nothing))
            raise
        return result


async def finish(what: Awaitable[T]) -> T:
    """Await to the end, however often this task is cancelled meanwhile; the cancellation comes after it."""
    task = asyncio.ensure_future(what)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            cancelled = True
    result = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return result


def _nothing() -> None:
    """A place in the queue."""


def _plain_rows(connection: sqlite3.Connection) -> None:
    connection.row_factory = None


def atomically(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run `work` in a transaction of its own: BEGIN IMMEDIATE … COMMIT, or all undone."""
    roll_back(connection)  # one that is open still could not be undone when its disk failed
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    return result


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo the open transaction, if there is one (SQLite ends it itself on some faults)."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
