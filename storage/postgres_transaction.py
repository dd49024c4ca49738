"""An open transaction on PostgreSQL: plugins' statements, savepoints, a commit as a part of it.

A statement that fails here leaves the transaction as it was, as on SQLite: PostgreSQL by itself would refuse all that
follows. So each one runs behind a savepoint of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from engine.runtime.ports import Commit, Conflict, NewSignal
from storage import postgres_batch, postgres_diagnosis, postgres_plugin_sql, postgres_rows, rows
from storage import postgres_statements as statements
from storage.batch import Refused
from storage.errors import TransactionEnded, TransactionUndone
from storage.hop import finish
from storage.postgres_address import Address
from storage.postgres_connection import discard, is_in_transaction
from storage.postgres_errors import explain_postgres, lost, sqlstate
from storage.postgres_plugin_sql import Kinds

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")

_IN_THE_WAY: Final = frozenset({"40P01", "40001"})
"""A deadlock, a serialization failure: the whole transaction is to be done again."""


class PostgresTransaction:
    """The transaction that a `with` block of `PostgresStore.transaction` has open. Its calls run one after another."""

    def __init__(self, connection: "asyncpg.Connection", address: Address, kinds: Kinds, worker: str) -> None:
        """`worker`: the chats of a commit must be leased to it; empty: nobody asks."""
        self._connection = connection
        self._address = address
        self._kinds = kinds
        self._worker = worker
        self._turn = asyncio.Lock()
        self._ended = False
        self._guarded = False
        """Whether the savepoint of the last statement is still there."""
        self._savepoints = 0
        self.commits: list[Commit] = []
        self.sent: list[NewSignal] = []
        self.has_written = False

    def end(self) -> None:
        """From now on every call is refused."""
        self._ended = True

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        text = postgres_plugin_sql.checked(sql)
        self.has_written = True
        return await self._run(lambda line: postgres_plugin_sql.execute(line, self._kinds, text, parameters))

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        text = postgres_plugin_sql.checked(sql)
        self.has_written |= postgres_plugin_sql.first_word(sql) != "SELECT"
        return await self._run(lambda line: postgres_plugin_sql.query(line, self._kinds, text, parameters))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._savepoints += 1
        name, before, sent = f"part_{self._savepoints}", len(self.commits), len(self.sent)
        await self._own(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            del self.commits[before:]
            del self.sent[sent:]
            await self._own(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}", undoing=True)
            raise
        await self._own(f"RELEASE SAVEPOINT {name}")

    async def apply(self, commit: Commit) -> None:
        """Raises AlreadySeen, Overtaken or Fenced; then nothing of this commit is written, and the transaction goes
        on."""
        batch = postgres_batch.prepare((commit,), worker=self._worker)
        self.has_written = True
        await self._run(lambda line: self._apply(line, batch))
        self.commits.append(commit)

    async def send(self, signals: Sequence[NewSignal]) -> None:
        if not signals:
            return
        batch = postgres_batch.sending(signals)
        self.has_written = True
        await self._run(lambda line: postgres_batch.write(line, batch, begun=True))
        self.sent.extend(signals)

    async def remember(self, update: str, at: datetime) -> bool:
        line = (postgres_rows.text(postgres_rows.update_id(update)), rows.past_ms(at))
        self.has_written = True
        return bool(await self._run(lambda connection: connection.fetch(statements.NOTE_SEEN, *line)))

    async def chats_of(self, customers: Collection[str]) -> Sequence[str]:
        wanted = [postgres_rows.text(customer) for customer in customers]
        found = await self._run(lambda line: line.fetch(statements.CUSTOMERS_CHATS, wanted))
        return tuple(str(row[0]) for row in found)

    async def _apply(self, line: "asyncpg.Connection", batch: postgres_batch.Batch) -> None:
        try:
            await postgres_batch.write(line, batch, begun=True)
        except Exception as error:
            if postgres_batch.needs_cleaning(error):
                await line.execute("ROLLBACK TO SAVEPOINT guard")
                await self._apply(line, postgres_batch.cleaned(batch))
                return
            if not isinstance(error, Refused) and not sqlstate(error).startswith("23"):
                raise
            await line.execute("ROLLBACK TO SAVEPOINT guard")
            found = await postgres_diagnosis.diagnose(line, batch)
            if found is not None:
                raise found from error
            raise (postgres_batch.impossible(batch) if isinstance(error, Refused) else error) from error

    # -- one call after another

    async def _own(self, sql: str, *, undoing: bool = False) -> None:
        """A statement of ours about savepoints. Undoing is possible to the very end, and not worth an error where the
        whole transaction is undone anyway."""

        async def work() -> None:
            async with self._turn:
                if undoing and not is_in_transaction(self._connection):
                    return
                if not undoing:
                    self._check()
                release = "RELEASE SAVEPOINT guard; " if self._guarded and not undoing else ""
                self._guarded = False
                await self._connection.execute(release + sql)

        await self._told(work())

    async def _run(self, work: Callable[["asyncpg.Connection"], Awaitable[T]]) -> T:
        return await self._told(self._behind_guard(work))

    async def _told(self, work: Awaitable[T]) -> T:
        try:
            return await finish(work)
        except Exception as error:
            if lost(error):
                discard(self._connection)
            if sqlstate(error) in _IN_THE_WAY:
                raise Conflict("another transaction was in the way") from error
            raise explain_postgres(error, self._address) from error

    async def _behind_guard(self, work: Callable[["asyncpg.Connection"], Awaitable[T]]) -> T:
        line = self._connection
        async with self._turn:
            self._check()
            release = "RELEASE SAVEPOINT guard; " if self._guarded else ""
            await line.execute(release + "SAVEPOINT guard")
            self._guarded = True
            try:
                return await work(line)
            except Exception as error:
                if is_in_transaction(line) and not lost(error):
                    await line.execute("ROLLBACK TO SAVEPOINT guard")
                raise

    def _check(self) -> None:
        if self._ended:
            raise TransactionEnded(
                "The transaction is over. Await everything that uses it inside its `async with` block, or open"
                " another one."
            )
        if not is_in_transaction(self._connection):
            raise TransactionUndone("The database has undone this transaction after a fault. Begin again.")
