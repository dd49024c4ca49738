"""Commits on their way into PostgreSQL, exact also when the line breaks before the answer: written once, or not.

Every transaction writes a marker. When its answer is lost, the marker says whether it was written; if it was not, a
tombstone under the same name sees to it that it never will be.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engine.runtime.ports import Commit, NewSignal
from storage import postgres_batch, postgres_diagnosis, postgres_rows, rows
from storage import postgres_statements as statements
from storage.batch import Refused
from storage.errors import TransactionUndone
from storage.hop import finish
from storage.postgres_connection import PAUSES, Postgres, discard, is_in_transaction
from storage.postgres_errors import explain_postgres, lost, passing, sqlstate
from storage.postgres_transaction import PostgresTransaction

if TYPE_CHECKING:
    import asyncpg

_SOONER: Final = timedelta(days=6)
"""A marker is forgotten so much sooner than an update: it is needed for seconds."""


class Writing:
    """Writes batches, ends transactions. Errors are ours: AlreadySeen, Overtaken, Fenced, StoreError."""

    def __init__(self, postgres: Postgres, tokens: Callable[[], str]) -> None:
        self._postgres = postgres
        self._tokens = tokens

    async def write(self, commits: Sequence[Commit], worker: str) -> None:
        """All or nothing. `worker`: all chats must be leased to it; empty: nobody asks."""
        for pause in (*PAUSES, None):
            marker = self._tokens()
            even = rows.past_ms(commits[0].at - _SOONER) // 2 * 2
            batch = postgres_batch.prepare(commits, marker=(marker, even), worker=worker)
            try:
                await self._attempt(batch)
            except Exception as error:
                if lost(error) and await self._was_written(marker):
                    return
                if pause is None or not passing(error):
                    raise explain_postgres(error, self._postgres.address) from error
                await asyncio.sleep(pause)
            else:
                return

    async def _attempt(self, batch: postgres_batch.Batch) -> None:
        try:
            await self._postgres.attempt(lambda line: postgres_batch.write(line, batch))
        except Exception as error:
            if postgres_batch.needs_cleaning(error):
                await self._attempt(postgres_batch.cleaned(batch))
                return
            if not isinstance(error, Refused) and not sqlstate(error).startswith("23"):
                raise
            found = await self._postgres.run(lambda line: postgres_diagnosis.diagnose(line, batch))
            if found is not None:
                raise found from error
            raise (postgres_batch.impossible(batch) if isinstance(error, Refused) else error) from error

    async def _was_written(self, marker: str) -> bool:
        """Whether the transaction with this marker was written; if not, it never will be. Waits while it is under
        way. Raises StoreError when the database does not come back in time."""

        async def settle(line: "asyncpg.Connection") -> bool:
            await line.execute(statements.SETTLE, marker)
            return bool(await line.fetchval(statements.SETTLED, marker))

        return await self._postgres.run(settle)

    async def end(self, line: "asyncpg.Connection", transaction: PostgresTransaction) -> None:
        """COMMIT. Raises StoreError when it was not written."""
        if not transaction.has_written:
            return  # what is open is undone when the connection is given back
        if not is_in_transaction(line):
            raise TransactionUndone("The database has undone this transaction after a fault. Begin again.")
        marker = self._tokens()
        try:
            await finish(line.execute(f"{statements.MARK.replace('<marker>', marker)}; COMMIT"))
        except Exception as error:
            if lost(error):
                discard(line)
                if await self._was_written(marker):
                    return
            raise explain_postgres(error, self._postgres.address) from error

    async def keep_signal(self, signal: NewSignal) -> bool:
        """False: its update id is known."""
        line = tuple(
            postgres_rows.text(value) if isinstance(value, str) else value
            for value in postgres_rows.signal_line(signal)
        )
        return await self._postgres.transaction_run(lambda connection: _keep_signal(connection, line))


async def _keep_signal(connection: "asyncpg.Connection", line: rows.Line) -> bool:
    if await connection.fetchval(statements.KEEP_SIGNAL, *line) is None:
        return False
    # a commit that took the same signal may have ended while this one waited for it
    return (await connection.execute(statements.SIGNAL_TAKEN, line[0])).endswith(" 0")
