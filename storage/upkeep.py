"""Keeps a SQLite file small: room given back to the disk, its log kept short. Synchronous, one call per hop."""

import logging
import sqlite3
from pathlib import Path
from typing import Final

SPARE: Final = 512
"""Free pages (2 MiB) that a file keeps at least: the next rows come soon, and then it need not grow again."""
PIECE: Final = 32
"""Pages that are given back in one transaction: customers wait only milliseconds for it. SQLite looks each one up in
the list of all free ones, so the more there are the longer it takes."""
PIECES: Final = 64
"""In one clean-up at most (8 MiB, every hour): nothing else is cleaned and no timer fires meanwhile."""
LONG_LOG: Final = 64 * 1024 * 1024
"""A log of so many bytes is no rest of usual work: somebody has kept the database open for long."""
_PATIENCE_MS: Final = 50

log = logging.getLogger("stepgram.store")


def give_room_back(connection: sqlite3.Connection) -> bool:
    """Give one piece of what deleted rows have left to the disk. Whether there is more. Keeps a tenth of the file.
    Inside the transaction that is open."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if free - max(SPARE, (pages - free) // 10) < PIECE:
        return False
    for _ in range(PIECE):  # Python's driver goes one step per execution, which is one page, whatever number is given
        connection.execute("PRAGMA incremental_vacuum(1)").fetchall()
    (left,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(left) < int(free)


def settle(connection: sqlite3.Connection, file: Path, busy_ms: int) -> None:
    """Bring the log into the file and begin it anew. Waits for nobody: who reads just now keeps the log as it is until
    the next time.

    No `PRAGMA optimize`: without figures SQLite takes the index for every statement of ours, which is right for big
    tables; figures of tables that were small then would make it read them whole later.
    """
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        log.debug("the database's log could not be settled now: %s", error)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
    _tell(file.with_name(file.name + "-wal"))


def _tell(wal: Path) -> None:
    try:
        size = wal.stat().st_size
    except OSError:
        return
    if size > LONG_LOG:
        log.warning(
            "%s has grown to %d MiB: another program has kept the database open for long. Close it, and the log is"
            " brought into the database within the hour.",
            wal,
            size // 2**20,
        )
