"""From a backup into a SQLite file: an older one is migrated on the way, the old file stays beside. Never in place."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from storage.backup import DATABASE, PASSING, rows_of
from storage.errors import StoreError, explain
from storage.file import backup_of, held, latest, migrate, put_in_place, seal, swept, version
from storage.hop import finish


async def restore_file(
    folder: Path, database: Path, *, at: datetime, replace: bool, before: Callable[[], None]
) -> Path | None:
    """Put the database of this backup (checked by `read_backup`) in the place of `database`. Where the file that was
    there is kept now; None: there was none.

    `before` is called when all is ready and nothing has changed yet. Raises StoreBusy when a bot works on the file,
    StoreError when it is not empty and not to be replaced, or the disk refuses; then it is as it was.
    """
    working = database.with_name(database.name + ".restoring")
    with held(database), swept(working):
        kept = await finish(asyncio.to_thread(_room, database, at, replace))
        try:
            await finish(asyncio.to_thread(shutil.copyfile, folder / DATABASE, working))
            await migrated(working)
            await finish(asyncio.to_thread(seal, working, latest()))
            await finish(asyncio.to_thread(before))
            put_in_place(database, working, kept)
        except sqlite3.Error as error:
            raise explain(error, str(database)) from error
        except OSError as error:
            raise StoreError(f"The backup cannot be written to {database}: {error.strerror}.") from error
    return kept


async def migrated(working: Path) -> None:
    """Bring a working copy to the newest schema, without a backup of its own."""
    await migrate(working)
    backup_of(working, latest()).unlink(missing_ok=True)


def _room(database: Path, at: datetime, replace: bool) -> Path | None:
    """Whether the file may be replaced, and where it is to be kept. Raises StoreError."""
    if not database.exists():
        return None
    held_by = _contents(database)
    if held_by and not replace:
        raise StoreError(
            f"The database {database} is not empty ({held_by}). With --replace the backup takes its place, and the"
            " database as it is stays beside it."
        )
    kept = database.with_name(f"{database.name}.replaced-{at:%Y%m%dT%H%M%SZ}")
    _merge_log(database, kept)
    return kept if held_by else None


def _contents(database: Path) -> str:
    """What is in it, in words; empty: nothing."""
    try:
        if version(database) == 0:
            return ""
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            counted = rows_of(connection)
    except (StoreError, sqlite3.Error):
        return "it cannot be read"
    return described(counted)


def described(counted: Mapping[str, int]) -> str:
    """How many rows there are, in words; empty: none that would be missed."""
    counted = {name: rows for name, rows in counted.items() if rows and name not in PASSING}
    return ", ".join(f"{rows} {name}" for name, rows in sorted(counted.items(), key=lambda one: -one[1])[:3])


def _merge_log(database: Path, kept: Path) -> None:
    """Nothing of the old file is in its log any more; the log of a damaged one is kept beside it."""
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        for ending in ("-wal", "-shm"):
            log = database.with_name(database.name + ending)
            if log.exists():
                os.replace(log, kept.with_name(kept.name + ending))
