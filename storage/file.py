"""The database file before it is used: whose it is, who holds it, which schema it has, bringing it up to date.

Only `migrate` changes the schema of a file that has one. It works on a copy beside it, which then takes its place
in one step: a migration that is killed or fails changes nothing, and the old file stays as a backup.
"""

import asyncio
import os
import pkgutil
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Final

from storage.errors import SchemaBehind, StoreBusy, StoreError, explain
from storage.hop import finish

APPLICATION: Final = 0x53544750
"""`PRAGMA application_id` of our files: "STGP"."""
MIGRATIONS: Final = "storage.migrations"
_BESIDE: Final = ("", "-wal", "-shm", "-journal")


def latest(package: str = MIGRATIONS) -> int:
    """The number of the newest migration: 1 for 0001_initial. Does not import the migrations themselves."""
    folder = import_module(package).__path__
    return max(int(module.name[:4]) for module in pkgutil.iter_modules(folder) if module.name[:4].isdigit())


class FileLock:
    """One process per database: an advisory lock on `FILE.lock`, gone when the process is, however it ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises StoreBusy when another process (or another store of this one) has it, StoreError for no file."""
        refuse_device(self._database)
        path = self._database.with_name(self._database.name + ".lock")
        try:
            file = path.open("a+", encoding="ascii")
        except OSError as error:
            raise StoreError(
                f"The lock file {path} cannot be written: {error.strerror}. Give this user the right to write"
                " in the folder of the database."
            ) from error
        try:
            _lock(file)
        except OSError:
            file.seek(0)
            holder = file.read(20).strip()
            file.close()
            who = f"process {holder}" if holder else "another process"
            raise StoreBusy(
                f"The database {self._database} is in use by {who}. Stop it first, or give this one a database"
                " file of its own."
            ) from None
        self._file = file
        with suppress(OSError):  # a full disk: the lock is held all the same, only its holder is not told
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def refuse_device(database: Path) -> None:
    """Raises StoreError for a folder, a device, a pipe: a file that took its place would do harm."""
    try:
        strange = database.exists() and not database.is_file()
    except OSError as error:
        raise StoreError(f"The database {database} cannot be read: {error.strerror}.") from error
    if strange:
        raise StoreError(f"The database {database} is not a file. Give another file name; this is left as it is.")


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold the file's lock, its folder made where there is none. Raises StoreBusy, StoreError."""
    make_folder(database)
    lock = FileLock(database)
    lock.take()
    try:
        yield
    finally:
        lock.release()


def make_folder(database: Path) -> None:
    """Raises StoreError with what to do."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {database.parent} cannot be made: {error.strerror}. Make it, or give another"
            " place for the database."
        ) from error


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def version(database: Path) -> int:
    """The schema's number in the file; 0 for none yet. Raises StoreError when it is not ours or unreadable."""
    refuse_device(database)
    try:
        if not database.exists() or database.stat().st_size == 0:
            return 0
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (number,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error
    except OSError as error:
        raise StoreError(f"The database {database} cannot be read: {error.strerror}.") from error
    if application == APPLICATION:
        return int(number)
    if tables == 0:
        return 0
    raise StoreError(
        f"The file {database} is a SQLite database of another program. Give another file name; this one is"
        " left as it is."
    )


async def prepare(database: Path, package: str = MIGRATIONS) -> None:
    """Make an empty database where there is none. The caller holds the lock.

    Raises SchemaBehind for an older one, StoreError for a newer one or another fault; then the file is as it was.
    """
    found, newest = versions(database, package)
    if 0 < found < newest:
        raise SchemaBehind(str(database), found, newest, place=str(database))
    if found == 0:
        await _make(database, 0, newest, package)


async def migrate(database: Path, package: str = MIGRATIONS) -> tuple[int, int]:
    """Bring the file to the newest schema, or make it; its schema before (0: there was none) and now.

    The caller holds the lock. The file as it was stays beside it. Raises StoreError; then the file is as it was.
    """
    found, newest = versions(database, package)
    if found != newest:
        await _make(database, found, newest, package)
    return found, newest


def backup_of(database: Path, newest: int) -> Path:
    """Where `migrate` leaves the file as it was before it got schema `newest`."""
    return database.with_name(f"{database.name}.before-{newest:04d}")


def versions(database: Path, package: str = MIGRATIONS) -> tuple[int, int]:
    """The schema of the file (0: there is none) and the newest. Raises StoreError for a file of a newer version."""
    found, newest = version(database), latest(package)
    if found > newest:
        raise StoreError(
            f"The database {database} was written by a newer version of Stepgram (its schema is {found}, this"
            f" version knows {newest}). Install the newer version, or restore the backup made before."
        )
    return found, newest


async def _make(database: Path, found: int, newest: int, package: str) -> None:
    copy = database.with_name(database.name + ".migrating")
    with swept(copy), _told(database, newest):
        if found:
            await finish(asyncio.to_thread(_copy, database, copy))
        await _migrate(copy, package)
        await finish(asyncio.to_thread(seal, copy, newest))
        if found == 0 and version(database) != 0:
            raise StoreBusy(
                f"The database {database} came into its place while an empty one was being made: it is left as it is."
                " Start again."
            )
        put_in_place(database, copy, backup_of(database, newest) if found else None)


@contextmanager
def swept(copy: Path) -> Iterator[None]:
    """No half-made copy before or after."""
    try:
        _sweep(copy)
        yield
    finally:
        _sweep(copy)


def _sweep(copy: Path) -> None:
    for ending in _BESIDE:
        copy.with_name(copy.name + ending).unlink(missing_ok=True)


@contextmanager
def _told(database: Path, newest: int) -> Iterator[None]:
    """Whatever goes wrong is told as a StoreError."""
    try:
        yield
    except StoreError:
        raise
    except sqlite3.Error as error:
        raise explain(error, str(database)) from error
    except OSError as error:
        raise StoreError(f"The database {database} cannot be made ready: {error.strerror}.") from error
    except Exception as error:
        raise StoreError(
            f"The database {database} could not be brought to schema {newest}: {error}. It is as it was before;"
            " go back to the version of Stepgram you had, and tell us this text."
        ) from error


def _copy(database: Path, copy: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if connection.execute("PRAGMA auto_vacuum").fetchone() == (0,):
            connection.execute(
                "PRAGMA auto_vacuum = INCREMENTAL"
            )  # of the copy; else it would write to the database itself
        connection.execute("VACUUM INTO ?", (str(copy),))


async def _migrate(copy: Path, package: str) -> None:
    """Run Tortoise's migrations on a file that nobody else has.

    Its own runner writes "applied" outside of the migration's transaction and rebuilds tables by dropping them,
    which with foreign keys on deletes their children. On a copy with foreign keys off neither can hurt.
    """
    from tortoise.context import TortoiseContext
    from tortoise.migrations.executor import MigrationExecutor

    credentials = {
        "file_path": str(copy),
        "auto_vacuum": "INCREMENTAL",  # room that rows leave can be given back; to be said before there is a table
        "foreign_keys": "OFF",
        "journal_mode": "MEMORY",
        "synchronous": "OFF",
    }
    connections = {"stepgram": {"engine": "tortoise.backends.sqlite", "credentials": credentials}}
    apps = {
        "stepgram": {
            "models": ["storage.models"],
            "migrations": package,
            "default_connection": "stepgram",
        }
    }
    context = TortoiseContext()
    with context:  # a context variable of this task only: other stores and other users of Tortoise see nothing
        context.connections._init_config(connections)
        try:
            await MigrationExecutor(context.connections.get("stepgram"), apps).migrate()
        finally:
            await finish(context.close_connections())


def seal(copy: Path, newest: int) -> None:
    """Check the migrated copy, mark it as ours, and bring it to the disk."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if broken is not None or sound != "ok":
            raise StoreError(f"The migrated copy is not sound ({broken or sound}). The database is as it was.")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("PRAGMA journal_mode = WAL")
    with copy.open("rb+") as file:
        os.fsync(file.fileno())


def put_in_place(database: Path, copy: Path, backup: Path | None) -> None:
    """The copy takes the database's place in one step; the file as it was stays as `backup`. The caller holds the
    lock. Raises StoreBusy when another program has the database open."""
    if any(database.with_name(database.name + ending).exists() for ending in ("-wal", "-shm")):
        raise StoreBusy(
            f"Another program has the database {database} open. Close it (a database browser, a backup), then"
            " start again: the schema must be changed."
        )
    if backup is not None:
        backup.unlink(missing_ok=True)
        try:
            backup.hardlink_to(database)
        except OSError:  # a file system without hard links
            shutil.copy2(database, backup)
    copy.replace(database)
    sync_folder(database.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Only this process works on the folder, where the system can lock one. Raises StoreBusy."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(f"Another process writes {folder} now. Wait for it, or give another name.") from None
        yield
    finally:
        os.close(handle)
