"""The durable journal: the tables `journal`, `people` and `page_values` of the SQLite store's file.

It opens nothing itself: it reads and writes through the store's two connections and its write lock. What the
payloads say is not known here.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol, TypeVar

from engine.runtime.journal import Entry, Person
from storage import journal_rows, rows, statements
from storage.errors import StoreError
from storage.journal_rows import within

T = TypeVar("T")

CLEAN_AT_ONCE: Final = 500
"""Entries per transaction of `clean`, so that customers wait only milliseconds for it."""


class Run(Protocol):
    """One hop of the store: `work` runs in the driver's thread. Raises StoreError."""

    async def __call__(self, work: Callable[[sqlite3.Connection], T]) -> T: ...


class SqliteJournal:
    """A Journal in the store's file. A write waits for the writes before it and its own commit, for nothing else."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def append(self, entry: Entry) -> tuple[Entry, bool]:
        (written,) = await self.append_all((entry,))
        return written

    async def append_all(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bool]]:
        fitted = [journal_rows.fitted(entry) for entry in entries]
        if not fitted:
            return ()
        return await self._write(lambda connection: tuple(_append(connection, entry) for entry in fitted))

    async def edit(self, chat: str, surface: str, payload: bytes, at: datetime) -> Entry | None:
        journal_rows.storable(chat, surface)
        moment = rows.moment(rows.past_ms(at))

        def work(connection: sqlite3.Connection) -> Entry | None:
            found = _one(connection, statements.ENTRY_OF_SURFACE, chat, surface)
            return found and _change(connection, replace(found, payload=payload, at=moment))

        return await self._write(work) if surface else None

    async def amend(self, entry: int, payload: bytes) -> Entry | None:
        def work(connection: sqlite3.Connection) -> Entry | None:
            found = _one(connection, statements.ENTRY, within(entry))
            return found and _change(connection, replace(found, payload=payload))

        return await self._write(work)

    async def handled(self, entry: int) -> None:
        await self._write(lambda connection: connection.execute(statements.ENTRY_HANDLED, (within(entry),)))

    async def entry(self, entry: int) -> Entry | None:
        return await self._read(lambda connection: _one(connection, statements.ENTRY, within(entry)))

    async def entries(self, chat: str, *, before: int | None = None, limit: int = 200) -> Sequence[Entry]:
        journal_rows.storable(chat)
        # the last number of all is never given to an entry
        asked = (chat, within(2**63 if before is None else before), within(max(limit, 0)))
        newest_first = await self._read(lambda connection: _many(connection, statements.ENTRIES, *asked))
        return newest_first[::-1]

    async def drop(self, entries: Sequence[int]) -> None:
        asked = [(within(entry),) for entry in entries]
        if asked:
            await self._write(lambda connection: connection.executemany(statements.DROP_ENTRY, asked))

    async def of_surface(self, chat: str, surface: str) -> Entry | None:
        journal_rows.storable(chat, surface)
        if not surface:
            return None
        return await self._read(lambda connection: _one(connection, statements.ENTRY_OF_SURFACE, chat, surface))

    async def unhandled(self, channel: str = "") -> Sequence[Entry]:
        found = await self._read(lambda connection: _many(connection, statements.UNHANDLED))
        return tuple(entry for entry in found if entry.chat.startswith(channel))

    async def people(self) -> Sequence[Person]:
        lines = await self._read(lambda connection: connection.execute(statements.PEOPLE).fetchall())
        return tuple(map(journal_rows.person_of, lines))

    async def keep(self, person: Person) -> None:
        line = journal_rows.person_line(journal_rows.fitted_person(person))
        await self._write(lambda connection: connection.execute(statements.KEEP_PERSON, line))

    async def value(self, name: str) -> str | None:
        journal_rows.storable(name)
        line = await self._read(lambda connection: connection.execute(statements.PAGE_VALUE, (name,)).fetchone())
        return None if line is None else str(line[0])

    async def set_value(self, name: str, value: str) -> None:
        journal_rows.storable(name, value)
        await self._write(lambda connection: connection.execute(statements.SET_PAGE_VALUE, (name, value)))

    async def old(self, kind: str, before: datetime) -> Sequence[Entry]:
        journal_rows.storable(kind)
        return await self._read(
            lambda connection: _many(connection, statements.OLD_OF_KIND, kind, rows.past_ms(before))
        )

    async def clean(self, before: datetime) -> int:
        asked = (rows.past_ms(before), CLEAN_AT_ONCE)
        gone = 0
        while piece := await self._write(lambda connection: connection.execute(statements.OLD_ENTRIES, asked).rowcount):
            gone += piece
            if piece < CLEAN_AT_ONCE:
                break
        return gone


def _append(connection: sqlite3.Connection, entry: Entry) -> tuple[Entry, bool]:
    cursor = connection.execute(statements.ADD_ENTRY, journal_rows.entry_line(entry))
    if cursor.rowcount == 1 and cursor.lastrowid is not None:
        return replace(entry, id=cursor.lastrowid), True
    found = _one(connection, statements.ENTRY_OF_KEY, entry.key)
    if found is None:
        raise StoreError("An entry of the journal was refused. Nothing of it is written.")
    return found, False


def _change(connection: sqlite3.Connection, entry: Entry) -> Entry:
    changed = replace(entry, revision=entry.revision + 1)
    connection.execute(
        statements.CHANGE_ENTRY, (changed.payload, rows.past_ms(changed.at), changed.revision, changed.id)
    )
    return changed


def _one(connection: sqlite3.Connection, sql: str, *parameters: object) -> Entry | None:
    line = connection.execute(sql, parameters).fetchone()
    return None if line is None else journal_rows.entry_of(line)


def _many(connection: sqlite3.Connection, sql: str, *parameters: object) -> tuple[Entry, ...]:
    return tuple(map(journal_rows.entry_of, connection.execute(sql, parameters).fetchall()))
