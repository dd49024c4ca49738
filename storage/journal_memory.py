"""The journal that forgets: entries and people of the browser chat in this process's memory.

Every change is made in one go under the store's write lock. No I/O, no clock.
"""

from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from engine.runtime.journal import Entry, Person
from storage import journal_rows, rows
from storage.locking import WriteLock


class JournalTables:
    """Everything a memory journal knows."""

    def __init__(self) -> None:
        self.last = 0
        """The highest id that was ever given."""
        self.entries: dict[int, Entry] = {}
        self.ids_of_chat: dict[str, list[int]] = {}
        """Rising."""
        self.id_of_key: dict[str, int] = {}
        self.id_of_surface: dict[tuple[str, str], int] = {}
        """The newest one."""
        self.unhandled: dict[int, None] = {}
        self.people: dict[str, Person] = {}
        self.values: dict[str, str] = {}

    def append(self, entry: Entry) -> tuple[Entry, bool]:
        known = self.id_of_key.get(entry.key)
        if known is not None:
            return self.entries[known], False
        self.last += 1
        written = replace(entry, id=self.last)
        self._put(written)
        return written, True

    def _put(self, entry: Entry) -> None:
        self.entries[entry.id] = entry
        self.ids_of_chat.setdefault(entry.chat, []).append(entry.id)
        self.id_of_key[entry.key] = entry.id
        if entry.surface:
            self.id_of_surface[entry.chat, entry.surface] = entry.id
        if not entry.handled:
            self.unhandled[entry.id] = None

    def change(self, number: int | None, payload: bytes, at: datetime | None = None) -> Entry | None:
        """Replace an entry's payload, and its moment where one is given; its revision counts up."""
        found = None if number is None else self.entries.get(number)
        if found is None:
            return None
        changed = replace(found, payload=payload, at=at or found.at, revision=found.revision + 1)
        self.entries[changed.id] = changed
        return changed

    def handle(self, number: int) -> None:
        found = self.entries.get(number)
        if found is not None:
            self.unhandled.pop(number, None)
            self.entries[number] = replace(found, handled=True)

    def page(self, chat: str, before: int | None, limit: int) -> tuple[Entry, ...]:
        ids = self.ids_of_chat.get(chat, [])
        end = len(ids) if before is None else bisect_left(ids, before)
        return tuple(self.entries[number] for number in ids[max(end - max(limit, 0), 0) : end])

    def clean(self, before: datetime) -> int:
        """Delete handled entries older than this; how many went."""
        return self.keep_only([item for item in self.entries.values() if item.at >= before or not item.handled])

    def drop(self, entries: Collection[int]) -> None:
        """Delete these."""
        gone = [self.entries[number] for number in entries if number in self.entries]
        if any(item.surface for item in gone):  # an older one may be the newest of its surface now
            self.keep_only([item for item in self.entries.values() if item.id not in entries])
            return
        for item in gone:
            del self.entries[item.id], self.id_of_key[item.key]
            self.ids_of_chat[item.chat].remove(item.id)
            self.unhandled.pop(item.id, None)

    def keep_only(self, kept: Sequence[Entry]) -> int:
        """Delete all others; how many went."""
        gone = len(self.entries) - len(kept)
        for table in (self.entries, self.ids_of_chat, self.id_of_key, self.id_of_surface, self.unhandled):
            table.clear()
        for entry in kept:
            self._put(entry)
        return gone


class MemoryJournal:
    """A Journal without a file. `tables` gives the tables of the open store, or raises StoreError."""

    def __init__(self, tables: Callable[[], JournalTables], lock: WriteLock) -> None:
        self._tables = tables
        self._lock = lock

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[JournalTables]:
        async with self._lock:
            yield self._tables()

    async def append(self, entry: Entry) -> tuple[Entry, bool]:
        (written,) = await self.append_all((entry,))
        return written

    async def append_all(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bool]]:
        fitted = [journal_rows.fitted(entry) for entry in entries]
        async with self._writing() as tables:
            return tuple(tables.append(entry) for entry in fitted)

    async def edit(self, chat: str, surface: str, payload: bytes, at: datetime) -> Entry | None:
        journal_rows.storable(chat, surface)
        moment = rows.moment(rows.past_ms(at))
        async with self._writing() as tables:
            return tables.change(tables.id_of_surface.get((chat, surface)), payload, moment)

    async def amend(self, entry: int, payload: bytes) -> Entry | None:
        async with self._writing() as tables:
            return tables.change(entry, payload)

    async def handled(self, entry: int) -> None:
        async with self._writing() as tables:
            tables.handle(entry)

    async def entry(self, entry: int) -> Entry | None:
        return self._tables().entries.get(entry)

    async def entries(self, chat: str, *, before: int | None = None, limit: int = 200) -> Sequence[Entry]:
        journal_rows.storable(chat)
        return self._tables().page(chat, before, limit)

    async def drop(self, entries: Sequence[int]) -> None:
        async with self._writing() as tables:
            tables.drop(frozenset(entries))

    async def of_surface(self, chat: str, surface: str) -> Entry | None:
        journal_rows.storable(chat, surface)
        tables = self._tables()
        number = tables.id_of_surface.get((chat, surface))
        return None if number is None else tables.entries.get(number)

    async def unhandled(self, channel: str = "") -> Sequence[Entry]:
        tables = self._tables()
        found = (tables.entries[number] for number in tables.unhandled)
        return tuple(entry for entry in found if entry.chat.startswith(channel))

    async def people(self) -> Sequence[Person]:
        everybody = sorted(self._tables().people.values(), key=lambda person: person.id)
        return tuple(sorted(everybody, key=lambda person: person.seen_at, reverse=True))

    async def keep(self, person: Person) -> None:
        fitted = journal_rows.fitted_person(person)
        async with self._writing() as tables:
            tables.people[fitted.id] = fitted

    async def value(self, name: str) -> str | None:
        journal_rows.storable(name)
        return self._tables().values.get(name)

    async def set_value(self, name: str, value: str) -> None:
        journal_rows.storable(name, value)
        async with self._writing() as tables:
            tables.values[name] = value

    async def old(self, kind: str, before: datetime) -> Sequence[Entry]:
        journal_rows.storable(kind)
        entries = self._tables().entries.values()
        return tuple(entry for entry in entries if entry.kind == kind and entry.handled and entry.at < before)

    async def clean(self, before: datetime) -> int:
        async with self._writing() as tables:
            return tables.clean(rows.moment(rows.past_ms(before)))
