"""The durable journal in a PostgreSQL database: the tables `journal`, `people` and `page_values`.

Ids rise in the order of writing within one process. Those of several processes may become visible out of order; the
journal of one chat is written by one process, so the order within a chat holds. What the payloads say is not known.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from engine.runtime.journal import Entry, Person
from storage import journal_rows, rows
from storage.journal_rows import within
from storage.postgres_appending import COLUMNS, Appending, entry_of, kept, told
from storage.postgres_connection import Postgres

CLEAN_AT_ONCE: Final = 500
"""Entries per transaction of `clean`, so that its locks are short."""

_ENTRY: Final = f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - names of our own
# Rows are compared and sorted whole, so that no other index looks good: by the number alone, backwards, it would walk
# through everything that was written since this chat's last entry.
_OF_SURFACE: Final = (
    " FROM journal WHERE (chat, surface, id) > ($1, $2, 0) AND (chat, surface, id) < ($1, $2, 9223372036854775807)"
    " ORDER BY chat DESC, surface DESC, id DESC LIMIT 1"
)
EDIT: Final = (
    "UPDATE journal SET payload = $3, at = $4, revision = revision + 1"  # noqa: S608
    f" WHERE id = (SELECT id{_OF_SURFACE}) RETURNING {COLUMNS}"
)
AMEND: Final = f"UPDATE journal SET payload = $2, revision = revision + 1 WHERE id = $1 RETURNING {COLUMNS}"  # noqa: S608
HANDLED: Final = "UPDATE journal SET handled = 1 WHERE id = $1 AND handled = 0"
DROP: Final = "DELETE FROM journal WHERE id = ANY($1::bigint[])"
OF_SURFACE: Final = f"SELECT {COLUMNS}{_OF_SURFACE}"
ENTRIES: Final = _ENTRY + " WHERE (chat, id) > ($1, 0) AND (chat, id) < ($1, $2) ORDER BY chat DESC, id DESC LIMIT $3"
UNHANDLED: Final = _ENTRY + " WHERE handled = 0 AND starts_with(chat, $1) ORDER BY id"
OLD_OF_KIND: Final = _ENTRY + " WHERE kind = $1 AND handled = 1 AND at < $2 ORDER BY id"
CLEAN: Final = (
    "WITH old AS MATERIALIZED (SELECT id FROM journal WHERE handled = 1 AND at < $1 ORDER BY at LIMIT $2"
    " FOR UPDATE SKIP LOCKED) DELETE FROM journal USING old WHERE journal.id = old.id RETURNING 1"
)
PEOPLE: Final = 'SELECT id, name, language, roles, phone, seen_at FROM people ORDER BY seen_at DESC, id COLLATE "C"'
KEEP_PERSON: Final = (
    "INSERT INTO people (id, name, language, roles, phone, seen_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id)"
    " DO UPDATE SET name = excluded.name, language = excluded.language, roles = excluded.roles,"
    " phone = excluded.phone, seen_at = excluded.seen_at"
)
VALUE: Final = "SELECT value FROM page_values WHERE name = $1"
SET_VALUE: Final = (
    "INSERT INTO page_values (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class PostgresJournal:
    """A Journal in the store's database. Appends are written in their order, everything else goes on beside them."""

    def __init__(self, connection: Postgres, *, check: Callable[[], None] = lambda: None) -> None:
        """`check` is called before each write: it raises StoreError where this task has a transaction open."""
        self._postgres = connection
        self._check = check
        self._appending = Appending(connection)

    async def append(self, entry: Entry) -> tuple[Entry, bool]:
        (written,) = await self.append_all((entry,))
        return written

    async def append_all(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bool]]:
        fitted = [journal_rows.fitted(entry) for entry in entries]
        if not fitted:
            return ()
        self._check()
        return await self._appending.write(fitted)

    async def edit(self, chat: str, surface: str, payload: bytes, at: datetime) -> Entry | None:
        journal_rows.storable(chat, surface)
        moment = rows.past_ms(at)
        if not surface:
            return None
        return await self._changed(EDIT, kept(chat), kept(surface), payload, moment)

    async def amend(self, entry: int, payload: bytes) -> Entry | None:
        return await self._changed(AMEND, within(entry), payload)

    async def handled(self, entry: int) -> None:
        await self._write(HANDLED, within(entry))

    async def drop(self, entries: Sequence[int]) -> None:
        asked = [within(entry) for entry in entries]
        if asked:
            await self._write(DROP, asked)

    async def of_surface(self, chat: str, surface: str) -> Entry | None:
        journal_rows.storable(chat, surface)
        if not surface:
            return None
        line = await self._one(OF_SURFACE, kept(chat), kept(surface))
        return None if line is None else entry_of(line)

    async def entry(self, entry: int) -> Entry | None:
        line = await self._one(_ENTRY + " WHERE id = $1", within(entry))
        return None if line is None else entry_of(line)

    async def entries(self, chat: str, *, before: int | None = None, limit: int = 200) -> Sequence[Entry]:
        journal_rows.storable(chat)
        # the last number of all is never given to an entry
        before = within(2**63 if before is None else before)
        newest_first = await self._many(ENTRIES, kept(chat), before, within(max(limit, 0)))
        return tuple(map(entry_of, reversed(newest_first)))

    async def unhandled(self, channel: str = "") -> Sequence[Entry]:
        journal_rows.storable(channel)
        return tuple(map(entry_of, await self._many(UNHANDLED, kept(channel))))

    async def people(self) -> Sequence[Person]:
        return tuple(journal_rows.person_of(tuple(map(told, line))) for line in await self._many(PEOPLE))

    async def keep(self, person: Person) -> None:
        line = journal_rows.person_line(journal_rows.fitted_person(person))
        await self._write(KEEP_PERSON, *map(kept, line))

    async def value(self, name: str) -> str | None:
        journal_rows.storable(name)
        line = await self._one(VALUE, kept(name))
        return None if line is None else str(told(line[0]))

    async def set_value(self, name: str, value: str) -> None:
        journal_rows.storable(name, value)
        await self._write(SET_VALUE, kept(name), kept(value))

    async def old(self, kind: str, before: datetime) -> Sequence[Entry]:
        journal_rows.storable(kind)
        return tuple(map(entry_of, await self._many(OLD_OF_KIND, kept(kind), rows.past_ms(before))))

    async def clean(self, before: datetime) -> int:
        self._check()
        gone = 0
        while piece := len(await self._many(CLEAN, rows.past_ms(before), CLEAN_AT_ONCE)):
            gone += piece
            if piece < CLEAN_AT_ONCE:
                break
        return gone

    # -- statements

    async def _one(self, sql: str, *parameters: object) -> Any:
        return await self._postgres.run(lambda line: line.fetchrow(sql, *parameters))

    async def _many(self, sql: str, *parameters: object) -> list[Any]:
        return await self._postgres.run(lambda line: line.fetch(sql, *parameters))

    async def _write(self, sql: str, *parameters: object) -> None:
        self._check()
        await self._postgres.run(lambda line: line.execute(sql, *parameters))

    async def _changed(self, sql: str, *parameters: object) -> Entry | None:
        self._check()
        line = await self._one(sql, *parameters)
        return None if line is None else entry_of(line)
