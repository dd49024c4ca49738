"""The way to a PostgreSQL database: Tortoise's asyncpg client with its pool, tries after a lost line, no SQL of ours.

A cancelled caller waits until its statement has ended, so that no connection is lost and nothing goes on unseen.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from storage.errors import StoreError
from storage.hop import finish
from storage.postgres_address import Address, parse
from storage.postgres_errors import explain_postgres, lost, not_yet, passing

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")

PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0)
"""Seconds between tries when the server went away or asked for a repetition: a restart takes one or two."""
STATEMENT: Final = 30.0
"""Seconds that one statement may take, waiting for others' locks included."""
_LINE: Final = STATEMENT + 10
"""Seconds until a statement without any answer counts as a dead line."""
_GOODBYE: Final = 5.0
_SETTINGS: Final = {
    "application_name": "stepgram",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10s",
    "statement_timeout": f"{STATEMENT:.0f}s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
    # our statements touch a few rows by their keys, also where the server knows too little of a table to see it
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


class Postgres:
    """A pool of connections to one database. Errors leave it as StoreError, ours (AlreadySeen …) as they are."""

    def __init__(self, url: str | Address) -> None:
        """Raises StoreError for a wrong address."""
        self.address = parse(url) if isinstance(url, str) else url
        self._client: Any = None
        self._places = asyncio.Semaphore()

    @property
    def is_open(self) -> bool:
        return self._client is not None

    async def open(self) -> None:
        """Connect once, so that a wrong setting is told now. Raises StoreError. A server that starts is waited for."""
        if self._client is not None:
            raise StoreError(f"The store {self.address} is open already.")
        self._places = asyncio.Semaphore(self.address.pool - max(1, self.address.pool // 3))
        for pause in (*PAUSES, None):
            self._client = self._new_client()
            try:
                await self._client.create_connection(with_db=True)
                await self.attempt(_hello)
            except BaseException as error:
                await self.close()
                if not isinstance(error, Exception):
                    raise
                if pause is None or not not_yet(error):
                    raise explain_postgres(error, self.address) from error
            else:
                return
            await asyncio.sleep(pause)

    def _new_client(self) -> Any:
        try:
            from tortoise.backends.asyncpg.client import AsyncpgDBClient
        except ImportError as error:
            raise StoreError(
                "DATABASE_URL names a PostgreSQL database, and the driver for it is not installed. Type `pip install"
                " 'stepgram[postgresql]'`."
            ) from error

        return AsyncpgDBClient(connection_name="stepgram", **self.credentials())

    def credentials(self) -> dict[str, Any]:
        """As Tortoise takes them. With the password: never to be shown."""
        return {"minsize": 0, "maxsize": self.address.pool, **self._arguments()}

    def _arguments(self) -> dict[str, Any]:
        address = self.address
        return {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
            "database": address.database,
            "ssl": address.ssl,
            "timeout": address.timeout,
            "command_timeout": _LINE,
            "server_settings": dict(_SETTINGS),
            "reset": _as_it_is,
        }

    async def close(self) -> None:
        """End every connection. Does nothing when it is closed already."""
        await finish(self._close())

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None and client._pool is not None:
            try:
                async with asyncio.timeout(_GOODBYE):
                    await client._pool.close()
            except Exception:
                client._pool.terminate()
            client._pool = None

    async def run(self, work: Callable[["asyncpg.Connection"], Awaitable[T]], *, repeat: bool = True) -> T:
        """Give `work` one connection. It may be called again on another one when the line is lost or the server asks
        for it (`repeat`): only for work whose repetition does no harm. Raises what `work` raises, the driver's
        errors as StoreError."""
        for pause in (*(PAUSES if repeat else ()), None):
            try:
                return await finish(self._once(work))
            except Exception as error:
                if pause is None or not passing(error):
                    raise explain_postgres(error, self.address) from error
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    async def transaction_run(self, work: Callable[["asyncpg.Connection"], Awaitable[T]], *, repeat: bool = True) -> T:
        """As `run`, inside BEGIN … COMMIT; all undone when `work` raises."""

        async def inside(connection: "asyncpg.Connection") -> T:
            await connection.execute("BEGIN")
            result = await work(connection)
            await connection.execute("COMMIT")
            return result

        return await self.run(inside, repeat=repeat)

    async def attempt(self, work: Callable[["asyncpg.Connection"], Awaitable[T]]) -> T:
        """One try that a cancelled caller waits for. Raises the driver's own errors: for callers inside `storage`
        that decide themselves what a lost line means."""
        return await finish(self._once(work))

    async def _once(self, work: Callable[["asyncpg.Connection"], Awaitable[T]]) -> T:
        pool = self._pool()
        connection = await pool.acquire()
        try:
            return await work(connection)
        except BaseException as error:
            if lost(error):
                discard(connection)
            raise
        finally:
            await _give_back(pool, connection)

    @asynccontextmanager
    async def begun(self, first: str) -> AsyncIterator["asyncpg.Connection"]:
        """A connection on which the statement `first` has run (BEGIN …), tried again while nothing has happened yet.
        It goes back to the pool with whatever is open undone. Raises StoreError, and what the block raises.

        A third of the pool is kept free for `run`: a block may wait for something that needs another connection."""
        async with self._places:
            pool, connection = await self._begin(first)
            try:
                yield connection
            finally:
                await finish(_give_back(pool, connection))

    async def _begin(self, first: str) -> tuple[Any, Any]:
        for pause in (*PAUSES, None):
            pool = self._pool()
            try:
                connection = await pool.acquire()
                try:
                    await finish(connection.execute(first))
                except BaseException:
                    await finish(_give_back(pool, connection))
                    raise
            except Exception as error:
                if pause is None or not passing(error):
                    raise explain_postgres(error, self.address) from error
            else:
                return pool, connection
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def _pool(self) -> Any:
        if self._client is None:
            raise StoreError("The store is closed. Open it first.")
        return self._client._pool

    async def connect(self) -> "asyncpg.Connection":
        """A connection of its own beside the pool; the caller closes it. Raises the driver's own errors."""
        import asyncpg

        arguments = self._arguments()
        del arguments["reset"]
        return await asyncpg.connect(**arguments)


async def _hello(connection: "asyncpg.Connection") -> None:
    await connection.fetchval("SELECT 1")


async def _as_it_is(_connection: object) -> None:
    """Nothing of ours changes a connection's settings: giving it back needs no statement."""


async def _give_back(pool: Any, connection: Any) -> None:
    """Undo what is still open. A connection that cannot even do that is thrown away; the pool makes another one."""
    try:
        if is_in_transaction(connection):
            await connection.execute("ROLLBACK", timeout=_GOODBYE)
    except Exception:
        discard(connection)
    with suppress(Exception):
        await pool.release(connection, timeout=_GOODBYE)


def is_in_transaction(connection: Any) -> bool:
    """Whether a transaction is open; not on a line that is lost. Right only while no statement is running."""
    try:
        return not connection.is_closed() and bool(connection.is_in_transaction())
    except Exception:  # the pool takes a lost one back by itself, and then it answers nothing
        return False


def discard(connection: Any) -> None:
    """Close it at once: nobody knows what state it is in."""
    with suppress(Exception):
        connection.terminate()
