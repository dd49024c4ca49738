"""A worker's own connection to PostgreSQL: its beats go over it, and it hears what others notify.

Beside the pool, so that a beat never waits behind slow transactions. What a beat says is not known here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from engine.runtime.sharing import BUCKETS, Heard
from storage import postgres_leases
from storage import postgres_notices as notices
from storage.errors import StoreError
from storage.hop import finish
from storage.postgres_connection import Postgres
from storage.postgres_errors import explain_postgres

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")

PATIENCE: Final = 3.0
"""Seconds for one use of the line, connecting included: less than a lease, so that there is time for another try."""
_GOODBYE: Final = 1.0
PAUSES: Final = (0.05, 0.2, 0.5, 1.0)
"""Seconds between tries to listen again."""

log = logging.getLogger("stepgram.store")


class Line:
    """One connection, made when it is needed and made anew when it is lost."""

    def __init__(self, postgres: Postgres, worker: str) -> None:
        """`worker`: whose line it is; while it stands, others see that the worker is there."""
        self._postgres = postgres
        self._worker = worker
        self._connection: asyncpg.Connection | None = None
        self._hearing = False
        """Whether this connection listens."""
        self._wanted: set[int] = set()
        self._held: set[int] = set()
        """Advisory locks of this connection."""
        self._turn = asyncio.Lock()
        self._heard: Heard | None = None
        self._mending: asyncio.Task[None] | None = None

    async def use(self, work: Callable[["asyncpg.Connection"], Awaitable[T]]) -> T:
        """Give `work` the connection, one caller at a time; a cancelled caller waits until it has ended, which takes
        `PATIENCE` at most. Raises StoreError."""
        if not self._postgres.is_open:
            raise StoreError("The store is closed. Open it first.")
        return await finish(self._use(work))

    async def _use(self, work: Callable[["asyncpg.Connection"], Awaitable[T]]) -> T:
        import asyncpg

        try:
            async with self._turn, asyncio.timeout(PATIENCE):
                return await work(await self._ready())
        except asyncpg.PostgresError as error:
            raise explain_postgres(error, self._postgres.address) from error
        except TimeoutError as error:
            self._drop()
            raise StoreError(
                f"The database {self._postgres.address} gave no answer for {PATIENCE:g} seconds."
            ) from error
        except Exception as error:
            self._drop()
            raise explain_postgres(error, self._postgres.address) from error

    async def _ready(self) -> "asyncpg.Connection":
        """The connection, listening and with its locks."""
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = await self._postgres.connect()
            connection.add_termination_listener(self._lost)
            self._connection, self._hearing, self._held = connection, False, set()
            await connection.fetchval(postgres_leases.PRESENT, self._worker)
        for number in self._wanted - self._held:
            if await connection.fetchval(postgres_leases.HOLD, number):
                self._held.add(number)
        if self._heard is not None and not self._hearing:
            await connection.add_listener(notices.CHANNEL, self._hear)
            self._hearing = True
            self._everything()
        return connection

    async def hold(self, number: int) -> bool:
        """Take an advisory lock for as long as this connection lives, and again with the next one. False: it is
        another's. Raises StoreError."""

        async def work(connection: "asyncpg.Connection") -> bool:
            return bool(await connection.fetchval(postgres_leases.HOLD, number))

        if number in self._wanted:
            await self.use(_nothing)
            return number in self._held
        if not await self.use(work):
            return False
        self._wanted.add(number)
        self._held.add(number)
        return True

    def _drop(self) -> None:
        """Nobody knows what state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
            self._mend()

    # -- hearing

    def listen(self, heard: Heard) -> None:
        """Have `heard` called from now on, also for what may have been missed while there was no connection."""
        self._heard = heard
        self._mend()

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        notice = notices.decode(str(payload))
        if notice is not None:
            self._call(*notice)

    def _everything(self) -> None:
        self._call("inbox", tuple(map(str, range(BUCKETS))))
        for kind in ("outbox", "signal", "workers"):
            self._call(kind, ())

    def _call(self, kind: str, values: tuple[str, ...]) -> None:
        if self._heard is None:
            return
        try:
            self._heard(kind, values)
        except Exception:
            log.exception("a notice of the database (%s) was not understood", kind)

    def _lost(self, connection: object) -> None:
        if connection is self._connection:
            self._connection = None
            self._mend()

    def _mend(self) -> None:
        if self._heard is not None and (self._mending is None or self._mending.done()):
            self._mending = asyncio.get_running_loop().create_task(self._mended(), name="listening")

    async def _mended(self) -> None:
        tries = 0
        while self._heard is not None and not self._is_whole() and self._postgres.is_open:
            try:
                await self._use(_nothing)
            except StoreError as error:
                if tries == 0:
                    log.warning("Not listening to the other workers; trying again: %s", error)
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1

    def _is_whole(self) -> bool:
        connection = self._connection
        return connection is not None and not connection.is_closed() and self._hearing

    async def close(self) -> None:
        """End the connection, the listening and the locks. Does nothing when there is none."""
        self._heard = None
        self._wanted.clear()
        mending, self._mending = self._mending, None
        if mending is not None:
            mending.cancel()
            await asyncio.wait((mending,))
        connection, self._connection = self._connection, None
        if connection is not None:
            try:  # in good order, so that the locks are free when this returns
                await connection.execute(postgres_leases.HOLD_NOTHING, timeout=_GOODBYE)
                await connection.close(timeout=_GOODBYE)
            except Exception:
                connection.terminate()


async def _nothing(_connection: object) -> None:
    """Being connected is all."""
