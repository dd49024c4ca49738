"""A transaction on the bot's database from another process: for commands of plugins. The bot may run meanwhile or not.

Sends nothing: whatever must be told goes by rows that the bot reads, or by `stepgram signal`.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from engine.actions.context import Transaction
from storage import outside, plugin_sql
from storage.errors import explain


class _Statements:
    """Statements in the open transaction of one connection. For a command: it blocks while it works."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        plugin_sql.check_statement(sql)
        return plugin_sql.execute(self._connection, sql, parameters)

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        plugin_sql.check_statement(sql)
        return plugin_sql.query(self._connection, sql, parameters)


@asynccontextmanager
async def on_file(database: Path) -> AsyncIterator[Transaction]:
    """A transaction on the SQLite file: committed at the end of the block, undone when it raises. Waits ten seconds for
    others that write. Raises StoreError: there is no database of this version, or it cannot be used."""
    outside.check(database)
    try:
        with closing(_begun(database)) as connection:
            try:
                yield _Statements(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error


def _begun(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", outside.BUSY, uri=True)
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    return connection


@asynccontextmanager
async def on_server(url: str) -> AsyncIterator[Transaction]:
    """The same on a PostgreSQL database. Raises StoreError."""
    from storage.postgres_store import PostgresStore  # needs asyncpg, an extra

    store = PostgresStore(url)
    await store.open()
    try:
        async with store.transaction() as transaction:
            yield transaction
    finally:
        await store.close()
