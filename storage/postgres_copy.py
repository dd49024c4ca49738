"""A PostgreSQL database into a SQLite file of the same schema and back: for backups, and for moving to the other one.

Only Stepgram's own tables, whole, as of one moment. Reads and writes nothing while a bot is at work on the target.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from storage import file
from storage.backup import PASSING, quoted, tables
from storage.errors import SchemaBehind, StoreBusy, StoreError
from storage.health import FAILING, OLDEST_MESSAGE, OLDEST_SIGNAL, Failing, Health
from storage.hop import finish
from storage.postgres_address import parse
from storage.postgres_connection import Postgres
from storage.postgres_errors import explain_postgres
from storage.postgres_file import migrate, schema_of
from storage.postgres_rows import key, text, update_id
from storage.restore import described, migrated

if TYPE_CHECKING:
    import asyncpg

_AT_ONCE: Final = 1000
_NAMES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    " AND table_type = 'BASE TABLE' ORDER BY table_name"
)
_OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = 'stepgram'"
)
_SEQUENCE: Final = "SELECT pg_get_serial_sequence($1, 'id')"
_FITTED: Final = {("conversations", "key"): key, ("signals", "key"): key, ("signals", "update_id"): update_id}
"""Texts that PostgreSQL has shorter than SQLite when they are very long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of `load`."""

    kept: str = ""
    """The schema in which the tables are kept that were there; empty: there was nothing."""
    left_out: tuple[str, ...] = ()
    """Tables of plugins that have rows in the backup and were not made here."""


async def dump(url: str, target: Path) -> tuple[str, ...]:
    """Write all of ours into a new SQLite file, as it is at one moment; workers go on meanwhile. The names of tables
    that are not in it. Raises StoreError, SchemaBehind."""
    await _current(url)
    await file.migrate(target)
    async with _connected(url) as line:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous = OFF")
            copy.execute("BEGIN")
            ours = tables(copy)
            async with line.transaction(isolation="repeatable_read", readonly=True):
                for table in ours:
                    if table not in PASSING:
                        await _out(line, copy, table)
                found = [str(row[0]) for row in await line.fetch(_NAMES)]
            copy.execute("COMMIT")
            copy.execute("PRAGMA synchronous = FULL")
    return tuple(name for name in found if name not in ours and not name.startswith("tortoise_"))


async def _current(url: str) -> int:
    found, newest, name = await schema_of(url), file.latest(), str(parse(url))
    if found == 0:
        raise StoreError(f"There is nothing in the database {name} yet: start the bot once, or correct DATABASE_URL.")
    if found < newest:
        raise SchemaBehind(name, found, newest)
    return found


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection"]:
    postgres = Postgres(url)
    try:
        line = await postgres.connect()
    except Exception as error:
        raise explain_postgres(error, postgres.address) from error
    try:
        await line.execute(
            "SET application_name = 'stepgram copy'; SET statement_timeout = 0;"
            " SET idle_in_transaction_session_timeout = 0; SET enable_seqscan = on"
        )
        yield line
    except (sqlite3.Error, OSError, StoreError):
        raise
    except Exception as error:
        raise explain_postgres(error, postgres.address) from error
    finally:
        await finish(_ended(line))


async def _ended(line: Any) -> None:
    try:
        await line.close(timeout=5)
    except Exception:
        line.terminate()


def _columns(copy: sqlite3.Connection, table: str) -> list[str]:
    return [str(line[1]) for line in copy.execute(f"PRAGMA table_info({quoted(table)})").fetchall()]


async def _out(line: "asyncpg.Connection", copy: sqlite3.Connection, table: str) -> None:
    names = _columns(copy, table)
    listed = ", ".join(map(quoted, names))
    into = f"INSERT INTO {quoted(table)} ({listed}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - quoted
    batch: list[tuple[Any, ...]] = []
    async for row in line.cursor(f"SELECT {listed} FROM {quoted(table)}", prefetch=_AT_ONCE, timeout=None):  # noqa: S608
        batch.append(tuple(row))
        if len(batch) == _AT_ONCE:
            copy.executemany(into, batch)
            batch.clear()
    copy.executemany(into, batch)
    last = await _last_number(line, table)
    if last:
        copy.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


async def _last_number(line: "asyncpg.Connection", table: str) -> int:
    """The last number that the table's rows were given, also when that row has gone; 0: it counts nothing."""
    sequence = await _sequence(line, table)
    if sequence is None:
        return 0
    last = await line.fetchval(f"SELECT last_value FROM {sequence} WHERE is_called")  # noqa: S608 - quoted by the server
    return int(last or 0)


async def _sequence(line: "asyncpg.Connection", table: str) -> str | None:
    if "id" not in {row[0] for row in await line.fetch(_COLUMNS, table)}:
        return None
    found = await line.fetchval(_SEQUENCE, quoted(table))
    return None if found is None else str(found)


_COLUMNS: Final = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1"
)


async def load(database: Path, url: str, *, at: datetime, replace: bool, before: Callable[[], None]) -> Loaded:
    """Fill an empty PostgreSQL database from this SQLite file of a backup.

    `before` is called when all is ready and nothing has changed yet. Raises StoreBusy when a bot is at work there,
    StoreError when it is not empty and not to be replaced; then it is as it was. Everything is there at once, or
    nothing is.
    """
    with tempfile.TemporaryDirectory(prefix="stepgram-") as folder:
        working = Path(folder) / "restored.sqlite3"
        await asyncio.to_thread(shutil.copyfile, database, working)
        await migrated(working)
        with closing(sqlite3.connect(working, isolation_level=None)) as copy:
            found = await schema_of(url)
            async with _connected(url) as line:
                kept = await _room(line, url, at=at, replace=replace, ours=tables(copy)) if found else ""
                before()
                if kept:
                    await _put_aside(line, kept, tables(copy))
            await migrate(url)
            async with _connected(url) as line, line.transaction():
                await line.execute("LOCK TABLE chats, conversations IN ACCESS EXCLUSIVE MODE")
                await _nobody(line, url)
                filled = [await _in(line, copy, table) for table in tables(copy) if table not in PASSING]
    return Loaded(kept=kept, left_out=tuple(name for name in filled if name))


async def _nobody(line: "asyncpg.Connection", url: str) -> None:
    others = int(await line.fetchval(_OTHERS))
    if others:
        raise StoreBusy(
            f"A bot is at work on the database {parse(url)} ({others} connections). Stop it and all its workers first,"
            " or name another database."
        )


async def _room(line: "asyncpg.Connection", url: str, *, at: datetime, replace: bool, ours: Sequence[str]) -> str:
    """The name of the schema that what is there is to be kept in; empty: there is nothing. Raises StoreError."""
    await _nobody(line, url)
    there = {str(row[0]) for row in await line.fetch(_NAMES)}
    counted = {
        table: int(await line.fetchval(f"SELECT count(*) FROM {quoted(table)}"))  # noqa: S608 - quoted
        for table in ours
        if table in there
    }
    held = described(counted)
    if held and not replace:
        raise StoreError(
            f"The database {parse(url)} is not empty ({held}). With --replace the backup takes its place, and the"
            " tables as they are stay beside it."
        )
    return f"stepgram_replaced_{at:%Y%m%dt%H%M%Sz}" if held else ""


async def _put_aside(line: "asyncpg.Connection", schema: str, ours: Sequence[str]) -> None:
    there = {str(row[0]) for row in await line.fetch(_NAMES)}
    async with line.transaction():
        await line.execute(f"CREATE SCHEMA {quoted(schema)}")
        for table in (*ours, "tortoise_migrations"):
            if table in there:
                await line.execute(f"ALTER TABLE {quoted(table)} SET SCHEMA {quoted(schema)}")


async def _in(line: "asyncpg.Connection", copy: sqlite3.Connection, table: str) -> str:
    """The table's name when its rows have no place there: a plugin's, which is not ours to make."""
    theirs = {str(row[0]) for row in await line.fetch(_COLUMNS, table)}
    if not theirs:
        return table if copy.execute(f"SELECT 1 FROM {quoted(table)}").fetchone() else ""  # noqa: S608 - quoted
    names = _columns(copy, table)
    listed = ", ".join(map(quoted, names))
    cursor = copy.execute(f"SELECT {listed} FROM {quoted(table)}")  # noqa: S608 - quoted
    fits = [_FITTED.get((table, name), _same) for name in names]
    while lines := cursor.fetchmany(_AT_ONCE):
        await line.copy_records_to_table(table, records=_fitted(lines, fits), columns=names)
    sequence = await _sequence(line, table)
    if sequence is not None:
        (last,) = copy.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        if last:
            await line.execute("SELECT setval($1::text::regclass, $2)", sequence, last)
    return ""


def _same(value: str) -> str:
    return value


def _fitted(lines: Iterable[Sequence[Any]], fits: Sequence[Callable[[str], str]]) -> list[tuple[Any, ...]]:
    return [
        tuple(text(fit(value)) if isinstance(value, str) else value for value, fit in zip(line, fits, strict=True))
        for line in lines
    ]


async def health(url: str) -> Health:
    """How the database is. The server checks its pages itself. Raises StoreError, SchemaBehind."""
    schema = await _current(url)
    async with _connected(url) as line, line.transaction(isolation="repeatable_read", readonly=True):
        names = [str(row[0]) for row in await line.fetch(_NAMES)]
        rows = {
            name: int(await line.fetchval(f"SELECT count(*) FROM {quoted(name)}"))  # noqa: S608 - quoted
            for name in names
            if not name.startswith("tortoise_")
        }
        return Health(
            schema=schema,
            rows=rows,
            size=int(await line.fetchval("SELECT pg_database_size(current_database())")),
            oldest_message=await line.fetchval(OLDEST_MESSAGE),
            oldest_signal=await line.fetchval(OLDEST_SIGNAL),
            failing=tuple(Failing(name=row[0], calls=row[1], attempts=row[2]) for row in await line.fetch(FAILING)),
            checked="Its pages are checked by the PostgreSQL server itself (pg_amcheck looks deeper).",
        )
