"""Appends to the journal in a PostgreSQL database: those that come while one is being written share the next commit."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engine.runtime.journal import Entry
from storage import journal_rows
from storage.errors import StoreError
from storage.hop import finish
from storage.postgres_connection import Postgres
from storage.postgres_errors import sqlstate

if TYPE_CHECKING:
    import asyncpg

AT_ONCE: Final = 2000
"""Entries of several callers in one commit; one caller's are never parted."""
COLUMNS: Final = "id, chat, at, kind, key, conversation, surface, payload, revision, handled"
# Nothing changes in a row that is there already, but so it is found and locked by the same statement.
APPEND: Final = (
    "INSERT INTO journal (chat, at, kind, key, conversation, surface, payload, revision, handled)"  # noqa: S608
    " SELECT chat, at, kind, key, conversation, surface, payload, revision, handled FROM unnest($1::text[],"
    " $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bigint[], $9::int[])"
    " WITH ORDINALITY AS given (chat, at, kind, key, conversation, surface, payload, revision, handled, place)"
    " ORDER BY place ON CONFLICT (key) DO UPDATE SET revision = journal.revision"
    f" RETURNING {COLUMNS}, journal.xmax = 0 AS new"
)
_WRONG_VALUE: Final = "22"
"""SQLSTATE of a value that a column does not take begins so."""

Written = Sequence[tuple[Entry, bool]]
Answer = asyncio.Future[Written]


class Appending:
    """Writes entries in the order in which callers come, as few commits as the database's pace allows."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._turn = asyncio.Lock()
        self._waiting: dict[Answer, Sequence[Entry]] = {}
        """In the order in which they came."""

    async def write(self, entries: Sequence[Entry]) -> Written:
        """All or none, as the journal promises for `append_all`. A caller that is cancelled before its turn has
        written nothing. Raises StoreError."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waiting[answer] = entries
        try:
            async with self._turn:
                if not answer.done():
                    await finish(self._write(self._next()))
            return await answer
        finally:
            self._waiting.pop(answer, None)
            if not answer.cancel():
                answer.exception()  # looked at, also where nobody waits for it any more

    def _next(self) -> list[tuple[Sequence[Entry], Answer]]:
        """Those in front of the row, one at least."""
        number = total = 0
        for entries in self._waiting.values():
            total += len(entries)
            if number and total > AT_ONCE:
                break
            number += 1
        return [(self._waiting.pop(answer), answer) for answer in list(self._waiting)[:number]]

    async def _write(self, batch: list[tuple[Sequence[Entry], Answer]]) -> None:
        try:
            written = await self._postgres.run(Append([entry for entries, _ in batch for entry in entries]))
        except Exception as error:
            if len(batch) > 1 and isinstance(error, StoreError) and _is_wrong_value(error):
                for one in batch:  # one of them is at fault, not the others
                    await self._write([one])
                return
            for _, answer in batch:
                _fail(answer, error)
            return
        for entries, answer in batch:
            if not answer.done():
                answer.set_result(written[: len(entries)])
            written = written[len(entries) :]


def _is_wrong_value(error: StoreError) -> bool:
    return error.__cause__ is not None and sqlstate(error.__cause__).startswith(_WRONG_VALUE)


def _fail(answer: Answer, error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


class Append:
    """One statement, which may be tried again when the line is lost."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._again = False

    async def __call__(self, connection: "asyncpg.Connection") -> Written:
        again, self._again = self._again, True
        firsts: dict[str, Entry] = {}
        for entry in self._entries:
            firsts.setdefault(entry.key, entry)
        columns = zip(*(map(kept, journal_rows.entry_line(entry)) for entry in firsts.values()), strict=True)
        new: set[str] = set()
        written: dict[str, Entry] = {}
        for *line, inserted in await connection.fetch(APPEND, *map(list, columns)):
            entry = entry_of(line)
            written[entry.key] = entry
            # Lost and tried again: what is there and no different was written by the try before.
            if inserted or (again and entry == replace(firsts[entry.key], id=entry.id)):
                new.add(entry.key)
        return tuple((written[entry.key], _is_first(entry.key, new)) for entry in self._entries)


def _is_first(key: str, new: set[str]) -> bool:
    """Whether it is the one that was written: of several with one key, the first one."""
    known = key in new
    new.discard(key)
    return known


def kept(value: Any) -> Any:
    """A text as PostgreSQL takes it, which knows no NUL; everything else as it is."""
    if isinstance(value, str) and ("\0" in value or "\x1a" in value):
        return value.replace("\x1a", "\x1as").replace("\0", "\x1a0")
    return value


def told(value: Any) -> Any:
    """The inverse of `kept`."""
    if isinstance(value, str) and "\x1a" in value:
        return value.replace("\x1a0", "\0").replace("\x1as", "\x1a")
    return value


def entry_of(line: Any) -> Entry:
    """An entry from its columns."""
    return journal_rows.entry_of(tuple(map(told, line)))
