"""An open transaction on the SQLite file: plugins' statements, savepoints, a commit as a part of it.

Opens and ends nothing itself: `SqliteStore.transaction` does.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

from engine.runtime.ports import Commit, NewSignal
from storage import batch, reading, rows, statements
from storage.batch import Batch, Refused
from storage.errors import StoreError, TransactionEnded, TransactionUndone, explain
from storage.hop import Hop
from storage.plugin_sql import check_statement, execute, query

T = TypeVar("T")


class SqliteTransaction:
    """The transaction that a `with` block of `SqliteStore.transaction` has open. Each call is one hop."""

    def __init__(self, hop: Hop) -> None:
        self._connection = hop
        self._ended = False
        self._savepoints = 0

    def end(self) -> None:
        """From now on every call is refused."""
        self._ended = True

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._ended:
            raise TransactionEnded(
                "The transaction is over. Await everything that uses it inside its `async with` block, or open"
                " another one."
            )
        return await self._connection.run(lambda connection: _inside(connection, work))

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        check_statement(sql)
        return await self._run(lambda connection: execute(connection, sql, parameters))

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        check_statement(sql)
        return await self._run(lambda connection: query(connection, sql, parameters))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._savepoints += 1
        name = f"part_{self._savepoints}"
        await self._run(lambda connection: connection.execute(f"SAVEPOINT {name}"))
        try:
            yield
        except BaseException:
            await self._run(lambda connection: undo_to(connection, name))
            raise
        await self._run(lambda connection: connection.execute(f"RELEASE {name}"))

    async def apply(self, commit: Commit) -> None:
        """Raises AlreadySeen or Overtaken; then nothing of this commit is written, and the transaction goes on."""
        prepared = batch.prepare((commit,))
        await self._run(lambda connection: _apply(connection, prepared))

    async def send(self, signals: Sequence[NewSignal]) -> None:
        lines = list(map(rows.signal_line, signals))
        await self._run(lambda connection: connection.executemany(statements.ADD_SIGNAL, lines))

    async def remember(self, update: str, at: datetime) -> bool:
        line = (update, rows.past_ms(at))
        return await self._run(lambda connection: connection.execute(statements.NOTE_SEEN, line).rowcount == 1)

    async def chats_of(self, customers: Collection[str]) -> Sequence[str]:
        return await self._run(lambda connection: reading.chats_of(connection, customers))


def _inside(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    if not connection.in_transaction:  # SQLite undoes all of it itself on a full disk
        raise TransactionUndone("The database has undone this transaction after a fault. Begin again.")
    return work(connection)


def undo_to(connection: sqlite3.Connection, savepoint: str) -> None:
    """Undo what came after the savepoint and forget it; nothing when SQLite has undone everything itself."""
    if connection.in_transaction:
        connection.execute(f"ROLLBACK TO {savepoint}")
        connection.execute(f"RELEASE {savepoint}")


def _apply(connection: sqlite3.Connection, prepared: Batch) -> None:
    connection.execute("SAVEPOINT applied")
    try:
        batch.write(connection, prepared)
    except (sqlite3.IntegrityError, Refused) as error:
        undo_to(connection, "applied")
        raise reason(connection, prepared, error) from error
    except BaseException:
        undo_to(connection, "applied")
        raise
    connection.execute("RELEASE applied")


def reason(connection: sqlite3.Connection, prepared: Batch, error: Exception) -> Exception:
    """Why a batch could not be written, looked up after it was undone."""
    found = batch.diagnose(connection, prepared)
    if found is not None:
        return found
    if isinstance(error, sqlite3.Error):
        return explain(error, "of the store")
    return StoreError("A row changed while it was written. Load it again and repeat.")
