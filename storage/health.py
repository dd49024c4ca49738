"""How a store is: rows, room, what waits for long, whether the file is sound. Only reads; the bot may run."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from storage.backup import rows_of
from storage.errors import SchemaBehind, StoreError, explain
from storage.file import versions

OFTEN: Final = 3
"""Attempts from which on a call counts as one that fails again and again."""
OLDEST_MESSAGE: Final = "SELECT min(created_at) FROM outbox"
OLDEST_SIGNAL: Final = "SELECT min(at) FROM signals"
FAILING: Final = (
    f"SELECT name, count(*), max(attempt) FROM pending_calls WHERE attempt >= {OFTEN}"  # noqa: S608 - a number of ours
    " GROUP BY name ORDER BY count(*) DESC, name LIMIT 20"
)
_BUSY: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Calls of one action that have been tried several times and still wait."""

    name: str
    calls: int
    attempts: int
    """Of the one tried most often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a store is at one moment."""

    schema: int
    rows: Mapping[str, int]
    """By table."""
    size: int
    """Bytes on the disk."""
    free: int = 0
    """Bytes of `size` that no row uses."""
    oldest_message: int | None = None
    """Epoch milliseconds of the oldest message that is not delivered."""
    oldest_signal: int | None = None
    """Epoch milliseconds of the oldest signal that nobody has taken."""
    failing: tuple[Failing, ...] = ()
    damage: str = ""
    """What is damaged; empty: nothing."""
    checked: str = "The database is sound."
    """What was checked, in a sentence."""


def of_file(database: Path) -> Health:
    """Raises StoreError when there is none, it is not ours, or cannot be read; SchemaBehind for an older one."""
    found, newest = versions(database)
    if found == 0:
        raise StoreError(f"There is no database at {database} yet. Name another one with `--database FILE`.")
    if found < newest:
        raise SchemaBehind(str(database), found, newest, place=str(database))
    try:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=_BUSY)) as connection:
            connection.execute("PRAGMA query_only = ON")
            return _look(connection, database, found)
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error


def _look(connection: sqlite3.Connection, database: Path, schema: int) -> Health:
    (sound,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    beside = [database.with_name(database.name + ending) for ending in ("", "-wal")]
    return Health(
        schema=schema,
        rows=rows_of(connection),
        size=sum(file.stat().st_size for file in beside if file.exists()),
        free=page * free,
        oldest_message=connection.execute(OLDEST_MESSAGE).fetchone()[0],
        oldest_signal=connection.execute(OLDEST_SIGNAL).fetchone()[0],
        failing=tuple(
            Failing(name=name, calls=calls, attempts=attempts)
            for name, calls, attempts in connection.execute(FAILING).fetchall()
        ),
        damage="" if sound == "ok" else str(sound),
    )
