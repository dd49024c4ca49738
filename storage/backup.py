"""A backup: a folder with the database as one SQLite file, the received files and a manifest. Makes it and checks it.

Whoever calls brings the received files into the folder; nothing here knows where they are. Blocking: for a thread.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from storage.errors import SchemaBehind, StoreError, explain
from storage.file import APPLICATION, latest, locked_folder, sync_folder, versions
from storage.reading import files_in, names_in

DATABASE: Final = "stepgram.sqlite3"
FILES: Final = "files"
MANIFEST: Final = "manifest.json"
FORM: Final = 1
"""Number of the backup's form; one with a higher number is of a newer version."""
PASSING: Final = ("leases", "workers")
"""Tables about processes that run now: not in a backup."""
_PARTS: Final = (DATABASE, DATABASE + "-journal", DATABASE + "-wal", DATABASE + "-shm", FILES, MANIFEST)
_BUSY: Final = 15.0
_AT_ONCE: Final = 1000


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says about itself."""

    form: int = FORM
    version: str
    """Of Stepgram."""
    schema: int
    taken_at: str
    """ISO 8601, UTC."""
    source: str
    """`sqlite` or `postgresql`."""
    sha256: str
    """Of the database file."""
    rows: Mapping[str, int]
    """How many each table has."""
    files: int = 0
    missing_files: int = 0
    """Files that the database names and that were not there any more."""
    left_out: tuple[str, ...] = ()
    """Tables that are not in it: those of plugins, on PostgreSQL."""


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """`FOLDER.partial`, to be filled in the block; afterwards it is brought to the disk and becomes `folder` in one
    step. When the block raises it is removed; a kill leaves it, and the next backup of that name sweeps it away.

    Raises StoreError when there is something of that name, and when the disk refuses.
    """
    partial = folder.with_name(folder.name + ".partial")
    if folder.exists() or folder.is_symlink():
        raise StoreError(
            f"There is something at {folder} already, and a backup never writes over anything. Give another name, such"
            " as one with today's date in it."
        )
    try:
        _sweep(partial)
        partial.mkdir(parents=True)
        with locked_folder(partial):
            try:
                yield partial
                _sync_all(partial)
                partial.rename(folder)
                sync_folder(folder.parent)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    except sqlite3.Error as error:
        raise explain(error, str(partial / DATABASE)) from error
    except OSError as error:
        raise StoreError(f"The backup {folder} cannot be written: {error.strerror}. Nothing is left of it.") from error


def _sweep(partial: Path) -> None:
    if not partial.exists():
        return
    strange = partial.is_dir() and [entry.name for entry in partial.iterdir() if entry.name not in _PARTS]
    if not partial.is_dir() or strange:
        raise StoreError(
            f"The folder {partial} is in the way and is no backup that was cut short. Move it away, then try again."
        )
    with locked_folder(partial):
        shutil.rmtree(partial)


def _sync_all(folder: Path) -> None:
    for inner, _, _ in os.walk(folder):
        sync_folder(Path(inner))


def snapshot(database: Path, target: Path) -> None:
    """Copy the database as it is at one moment, also while a bot writes to it: nobody waits for this, and what is
    written meanwhile is not in it. Raises StoreError when there is none, or its schema is not this version's."""
    found, newest = versions(database)
    if found == 0:
        raise StoreError(f"There is no database at {database}. Name the one to back up: `--database FILE`.")
    if found < newest:
        raise SchemaBehind(str(database), found, newest, place=str(database))
    try:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=_BUSY)) as source:
            source.execute("PRAGMA query_only = ON")
            with closing(sqlite3.connect(target, isolation_level=None)) as copy:
                source.backup(copy)
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error


def finish(target: Path) -> Mapping[str, int]:
    """Make the copy fit to be kept: one file, sound, without what is about running processes. Rows by table.

    Raises StoreError when it is damaged, sqlite3.Error when it cannot be written.
    """
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        for table in PASSING:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        _check(connection, target)
        counted = rows_of(connection)
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return counted


def _check(connection: sqlite3.Connection, file: Path) -> None:
    (sound,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if sound != "ok":
        raise StoreError(
            f"The database {file} is damaged ({sound}). Take the last backup that is sound; keep the damaged file."
        )


def tables(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The tables of ours and of plugins, without SQLite's and Tortoise's own."""
    lines = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return tuple(name for (name,) in lines if not name.startswith(("sqlite_", "tortoise_")))


def quoted(name: str) -> str:
    """A table's or a column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def rows_of(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: int(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])  # noqa: S608 - quoted
        for name in tables(connection)
    }


def named_files(database: Path) -> tuple[set[str], set[str]]:
    """Refs of received files in any row of any table: whatever may be one, and those that surely are."""
    names: set[str] = set()
    sure: set[str] = set()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        found = tables(connection)
        connection.text_factory = bytes
        for table in found:
            cursor = connection.execute(f"SELECT * FROM {quoted(table)}")  # noqa: S608 - quoted
            while lines := cursor.fetchmany(_AT_ONCE):
                for value in (value for line in lines for value in line if isinstance(value, bytes)):
                    names.update(names_in(value))
                    sure.update(files_in(value))
    return names, sure & names


def digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The last thing that is written."""
    with (folder / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_backup(folder: Path) -> Manifest:
    """Check that this is a whole backup which this version understands. Raises StoreError that says what is wrong."""
    place = folder / MANIFEST
    if folder.name.endswith(".partial"):
        raise StoreError(f"The backup {folder} was cut short. Restore one without `.partial` in its name.")
    try:
        manifest = msgspec.json.decode(place.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise StoreError(
            f"There is no backup in {folder}: no {MANIFEST} in it. Name a folder that `stepgram backup` made."
        ) from None
    except msgspec.MsgspecError as error:
        raise StoreError(f"The file {place} is damaged ({error}). Take another backup.") from error
    except OSError as error:
        raise StoreError(f"The file {place} cannot be read: {error.strerror}.") from error
    if manifest.form > FORM or manifest.schema > latest():
        raise StoreError(
            f"The backup {folder} was made by a newer version of Stepgram ({manifest.version}). Install that one first."
        )
    _check_database(folder / DATABASE, manifest)
    return manifest


def _check_database(database: Path, manifest: Manifest) -> None:
    try:
        if digest(database) != manifest.sha256:
            raise StoreError(
                f"The file {database} is not as the manifest says: it was changed or damaged. Take another backup."
            )
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?immutable=1", uri=True)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
            _check(connection, database)
            counted = rows_of(connection)
    except OSError as error:
        raise StoreError(f"The file {database} cannot be read: {error.strerror}. Take another backup.") from error
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error
    if (application, schema) != (APPLICATION, manifest.schema) or counted != dict(manifest.rows):
        raise StoreError(f"The file {database} is not as the manifest says. Take another backup.")
