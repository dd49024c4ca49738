"""One signal into the SQLite file of a bot, from another process: the bot may run meanwhile or not.

Takes no lock but SQLite's own, for the moment of one row. Reads nothing of customers.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from engine.runtime.ports import NewSignal
from storage import rows, statements
from storage.errors import SchemaBehind, StoreError, explain
from storage.file import versions
from storage.hop import atomically

BUSY: Final = 10.0
"""Seconds to wait for others that write."""
_THERE: Final = "SELECT count(*) FROM signals WHERE update_id = ?"
_STANDING: Final = (
    "SELECT count(*) FILTER (WHERE finished_at IS NULL), count(*) FROM conversations WHERE flow = ? AND key = ?"
)


def check(database: Path) -> None:
    """Raises StoreError when there is no database of this version: then nothing can be kept in it."""
    found, newest = versions(database)
    if found == 0:
        raise StoreError(
            f"There is no database at {database} yet. Start the bot once (`stepgram run`), or say which one it uses:"
            " --database FILE."
        )
    if found < newest:
        raise SchemaBehind(str(database), found, newest, place=str(database))


def keep(database: Path, signal: NewSignal) -> bool:
    """Write one signal down; it is on the disk when this returns. False: its update id is known. Raises StoreError."""
    line = rows.signal_line(signal)
    with _opened(database) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        return atomically(connection, lambda inside: inside.execute(statements.ADD_SIGNAL, line).rowcount == 1)


def waits(database: Path, signal: NewSignal) -> bool:
    """Whether no conversation has taken it yet. Raises StoreError."""
    with _opened(database) as connection:
        return bool(connection.execute(_THERE, (signal.update,)).fetchone()[0])


def standing(database: Path, flow: str, key: str) -> tuple[bool, bool]:
    """Whether a conversation with that key is open, and whether there is or was any. Raises StoreError."""
    with _opened(database) as connection:
        opened, every = connection.execute(_STANDING, (flow, key)).fetchone()
        return bool(opened), bool(every)


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", BUSY, uri=True)) as connection:
            connection.isolation_level = None
            yield connection
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error
