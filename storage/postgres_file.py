"""A PostgreSQL database before it is used: which schema it has, making an empty one ready, migrating an older one.

Only `migrate` changes the schema of a database that has one: in one transaction, under a lock that all processes
know, so that a migration that is killed or fails changes nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from storage.errors import SchemaBehind, StoreError
from storage.file import MIGRATIONS, latest
from storage.hop import finish
from storage.postgres_connection import Postgres
from storage.postgres_errors import explain_postgres

if TYPE_CHECKING:
    import asyncpg

_LOCK: Final = 0x5354475000000000
"""The advisory lock that whoever changes the schema holds: "STGP"."""
_KNOWN: Final = "SELECT to_regclass('tortoise_migrations') IS NOT NULL"
_APPLIED: Final = "SELECT max(substr(name, 1, 4)::int) FROM tortoise_migrations WHERE app = 'stepgram'"
_BEGIN: Final = (
    "SET LOCAL lock_timeout = '60s'",
    f"SELECT pg_advisory_xact_lock({_LOCK})",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
_TUNING: Final = (
    # room beside each row, so that a change stays on its page
    "ALTER TABLE chats SET (fillfactor = 80)",
    "ALTER TABLE conversations SET (fillfactor = 80)",
    # rows that live for seconds: swept before they make the tables long
    *(
        f"ALTER TABLE IF EXISTS {table} SET (autovacuum_vacuum_scale_factor = 0.05,"
        " autovacuum_vacuum_insert_scale_factor = 0.2)"
        for table in ("chats", "conversations", "outbox", "timers", "pending_calls", "signals", "inbox")
    ),
)


async def schema_of(url: str) -> int:
    """The schema's number in the database; 0 for none yet. Raises StoreError when it cannot be reached, or when a
    newer version of Stepgram wrote it."""
    async with _opened(url) as postgres:
        return await version(postgres)


async def migrate(url: str, package: str = MIGRATIONS) -> tuple[int, int]:
    """Bring the database to the newest schema; its schema before (0: it was empty) and now. Raises StoreError; then
    it is as it was."""
    async with _opened(url) as postgres:
        found = await version(postgres, package)
        if found != latest(package):
            await finish(_migrate(postgres, package))
        return found, latest(package)


async def prepare(postgres: Postgres, package: str = MIGRATIONS) -> None:
    """Make the tables where there are none. Raises SchemaBehind for an older schema, StoreError for a newer one or
    another fault."""
    found, newest = await version(postgres, package), latest(package)
    if 0 < found < newest:
        raise SchemaBehind(str(postgres.address), found, newest)
    if found == 0:
        await finish(_migrate(postgres, package))


async def version(postgres: Postgres, package: str = MIGRATIONS) -> int:
    """The schema's number in an open database; 0 for none yet. Raises StoreError for a newer one."""
    found = await postgres.run(_version)
    if found > latest(package):
        raise StoreError(
            f"The database {postgres.address} was written by a newer version of Stepgram (its schema is {found}, this"
            f" version knows {latest(package)}). Install the newer version, or restore the backup made before."
        )
    return found


async def _version(connection: "asyncpg.Connection") -> int:
    if not await connection.fetchval(_KNOWN):
        return 0
    return int(await connection.fetchval(_APPLIED) or 0)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Postgres]:
    postgres = Postgres(url)
    await postgres.open()
    try:
        yield postgres
    finally:
        await postgres.close()


async def _migrate(postgres: Postgres, package: str) -> None:
    from tortoise.context import TortoiseContext

    connections = {
        "stepgram_postgres": {
            "engine": "tortoise.backends.asyncpg",
            "credentials": postgres.credentials() | {"command_timeout": None},
        }
    }
    context = TortoiseContext()
    with context:  # a context variable of this task only: other stores and other users of Tortoise see nothing
        context.connections._init_config(connections)
        try:
            await _in_one_transaction(context.connections.get("stepgram_postgres"), package)
        except Exception as error:
            raise _told(error, postgres, latest(package)) from error
        finally:
            await context.close_connections()


async def _in_one_transaction(client: Any, package: str) -> None:
    """Tortoise's own runner would take a transaction for each migration, and write "applied" outside of it."""
    from tortoise.migrations.executor import MigrationExecutor

    apps = {
        "stepgram": {
            "models": ["storage.models"],
            "migrations": package,
            "default_connection": "stepgram_postgres",
        }
    }
    async with client._in_transaction() as inside:
        for statement in _BEGIN:
            await inside.execute_script(statement)
        executor = MigrationExecutor(inside, apps)
        await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))
        await executor.migrate()
        for statement in _TUNING:
            await inside.execute_script(statement)


def _told(error: Exception, postgres: Postgres, newest: int) -> StoreError:
    driver_s = error.__cause__ if isinstance(error.__cause__, Exception) else error  # Tortoise wraps some of them
    known = explain_postgres(driver_s, postgres.address)
    text = str(known) if isinstance(known, StoreError) else f"The database {postgres.address}: {error}."
    return StoreError(
        f"{text} The schema {newest} could not be made; the database is as it was before. If there are tables of"
        " another program in it, give Stepgram a database of its own."
    )
