"""What can go wrong with a store, in sentences that say what to do. No traceback type of a driver leaves `storage`."""

import shlex
import sqlite3
from typing import Final

from engine.runtime.ports import StoreFailed


class StoreError(Exception):
    """The store cannot do its work. The text says why and what to do; it is safe to show to an operator."""


class StoreUnavailable(StoreError, StoreFailed):  # noqa: N818 - says what happened
    """The database cannot do its work at this moment."""


class StoreBusy(StoreUnavailable):
    """Another process holds the database."""


class SchemaBehind(StoreError):  # noqa: N818 - says what happened
    """The database has an older schema than this version works with: it must be migrated before it is used.

    `place` is the file, empty for a server; `reason` is the sentence without the command to type.
    """

    def __init__(self, name: str, found: int, newest: int, *, place: str = "") -> None:
        self.place = place
        self.reason = (
            f"The database {name} has schema {found}, and this version of Stepgram works with {newest}: nothing was"
            " started."
        )
        option = f" --database {shlex.quote(place)}" if place else ""
        super().__init__(f"{self.reason} Type `stepgram migrate{option}`; all data is kept.")


class TransactionEnded(StoreError):  # noqa: N818 - says what happened
    """A statement came after its transaction was over."""


class TransactionUndone(TransactionEnded, StoreFailed):
    """The database has undone the transaction by itself, after a fault of its own."""


class ConstraintBroken(StoreError):  # noqa: N818 - says what happened
    """A statement of a plugin broke a UNIQUE, NOT NULL or CHECK rule of a table. The rest may go on."""


BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "The disk is full. Make room on it; nothing that was confirmed is lost.",
    sqlite3.SQLITE_READONLY: "It cannot be written. Give this user the right to write the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "It cannot be opened. Check that the folder exists and that this user may write in it.",
    sqlite3.SQLITE_PERM: "It cannot be opened. Give this user the right to read and write the file.",
    sqlite3.SQLITE_CORRUPT: "The file is damaged. Stop, keep a copy of it, and put the last backup in its place.",
    sqlite3.SQLITE_NOTADB: "The file is not a SQLite database. Give another file name, or move this file away.",
    sqlite3.SQLITE_IOERR: "Reading or writing the disk failed. Check the disk, then start again.",
    sqlite3.SQLITE_BUSY: "Another program keeps it locked. Close it (a database browser, a backup), then try again.",
    sqlite3.SQLITE_LOCKED: "Another program keeps it locked. Close it (a database browser, a backup), then try again.",
    sqlite3.SQLITE_TOOBIG: "A value is too big for the database. Keep files in the file store, not in answers.",
}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extended part; 0 when the error is not SQLite's own."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def explain(error: sqlite3.Error, file: str) -> StoreError:
    """The error as one of ours, with a sentence that says what to do."""
    code = primary_code(error)
    if code == sqlite3.SQLITE_CONSTRAINT:
        return ConstraintBroken(f"The database refused a row: {error}.")
    advice = _ADVICE.get(code)
    if advice is None:
        return StoreError(f"The database {file} refused a statement: {error}.")
    kind = StoreBusy if code in BUSY else StoreError if code == sqlite3.SQLITE_TOOBIG else StoreUnavailable
    return kind(f"The database {file}: {error}. {advice}")
