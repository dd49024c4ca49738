"""The durable store on a PostgreSQL server, for one process or several: raw SQL, one statement per batch of commits.

Several transactions may be open at once; rows are guarded by their revisions. No SQL text and no decision of the
runtime belongs here.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from engine.core.conversation import Conversation
from engine.runtime.journal import Journal
from engine.runtime.ports import (
    FLOW_GONE_FOR,
    UNDELIVERED_FOR,
    Chat,
    Cleaned,
    Commit,
    NewSignal,
    Outgoing,
    PendingCall,
    SignalRow,
    TimerRow,
    Transaction,
    VisitRow,
)
from engine.runtime.sharing import Sharing
from storage import postgres_file, postgres_reading, postgres_rows, rows
from storage import postgres_statements as statements
from storage.errors import StoreError
from storage.file import MIGRATIONS
from storage.postgres_commit import Writing
from storage.postgres_connection import Postgres
from storage.postgres_journal import PostgresJournal
from storage.postgres_plugin_sql import Kinds
from storage.postgres_standing import Share
from storage.postgres_telling import Telling
from storage.postgres_transaction import PostgresTransaction
from storage.reading import SEEN_FOR, SIGNALS_FOR, readable

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")

CLEAN_AT_ONCE: Final = 500
"""Rows per transaction of `cleanup`, so that customers wait only milliseconds for it."""
BEGIN: Final = (
    "BEGIN; SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on;"
    " SET LOCAL plan_cache_mode = auto"
)
"""For statements that are not ours the server plans as it always does."""


class PostgresStore:
    """A Store in a PostgreSQL database. Any number of processes, each under a `worker` name of its own."""

    def __init__(
        self,
        url: str,
        *,
        worker: str = "",
        migrations: str = MIGRATIONS,
        tokens: Callable[[], str] = secrets.token_hex,
    ) -> None:
        """`worker`: the name under which this process shares the database, another one for every start; empty: it
        has all of it, and `sharing` is None. `tokens` gives hexadecimal texts, another one each time. Raises
        StoreError for a wrong address or name."""
        self._postgres = Postgres(url)
        self._migrations = migrations
        self._share = Share(self._postgres, worker=worker) if worker else None
        self._journal = PostgresJournal(self._postgres, check=self._check_free)
        self._telling = Telling(self._postgres)
        self._writing = Writing(self._postgres, tokens)
        self._kinds = Kinds()
        self._holders: set[asyncio.Task[Any] | None] = set()
        """Tasks that have a transaction open."""

    @property
    def journal(self) -> Journal:
        """Of the same database; usable while the store is open."""
        return self._journal

    @property
    def sharing(self) -> Sharing | None:
        return self._share

    async def open(self) -> None:
        """Connect, and make the tables in an empty database. Raises SchemaBehind for an older one, and StoreError
        with a sentence that says what to do."""
        await self._postgres.open()
        try:
            await postgres_file.prepare(self._postgres, self._migrations)
            await self._telling.begin()
        except BaseException:
            await self._postgres.close()
            raise

    async def close(self) -> None:
        """End all connections. Does nothing when it is closed already."""
        if self._postgres.is_open:
            await self._telling.end()
        if self._share is not None:
            await self._share.close()
        await self._postgres.close()

    async def _read(self, work: Callable[..., Awaitable[T]], *parameters: Any) -> T:
        return await self._postgres.run(lambda line: work(line, *parameters))

    @property
    def _buckets(self) -> list[int] | None:
        return None if self._share is None else self._share.buckets

    @property
    def _worker(self) -> str:
        return "" if self._share is None else self._share.fence

    # -- questions

    async def chat(self, chat: str) -> Chat | None:
        return await self._read(postgres_reading.chat, chat)

    async def conversation(self, conversation: str) -> Conversation | None:
        return await self._read(postgres_reading.conversation, conversation)

    async def conversations(self, chat: str) -> Sequence[Conversation]:
        return await self._read(postgres_reading.open_of_chat, chat)

    async def by_key(self, flow: str, key: str) -> Conversation | None:
        return await self._read(postgres_reading.by_key, flow, key)

    async def ended_by_key(self, flow: str, key: str) -> Conversation | None:
        return await self._read(postgres_reading.ended_by_key, flow, key)

    async def seen(self, update: str) -> bool:
        return await self._read(postgres_reading.is_seen, update)

    async def signals(self, flow: str, key: str, limit: int = 100, *, news: bool = False) -> Sequence[SignalRow]:
        return await self._read(postgres_reading.signals, flow, key, limit, news)

    async def deliverable_signals(self, limit: int = 100) -> Sequence[tuple[str, SignalRow]]:
        return await self._read(postgres_reading.deliverable_signals, limit, self._buckets)

    async def changed_outside(self) -> bool:
        """Of signals only: whatever else others write is told by `sharing`."""
        return await self._telling.others_signalled()

    async def undelivered(self) -> Sequence[Outgoing]:
        return await self._read(postgres_reading.undelivered)

    async def undelivered_to(self, chats: Sequence[str]) -> Sequence[Outgoing]:
        return await self._read(postgres_reading.undelivered_to, chats) if chats else ()

    async def _due(self, sql: str, now: datetime, limit: int) -> Sequence[Any]:
        return await self._read(postgres_reading.due, sql, rows.past_ms(now), limit, self._buckets)

    async def due_timers(self, now: datetime, limit: int = 100) -> Sequence[TimerRow]:
        return tuple(map(rows.timer_of, await self._due(statements.DUE_TIMERS, now, limit)))

    async def due_expirations(self, now: datetime, limit: int = 100) -> Sequence[Conversation]:
        return readable(await self._due(statements.EXPIRED, now, limit))

    async def due_calls(self, now: datetime, limit: int = 100) -> Sequence[PendingCall]:
        return tuple(map(rows.call_of, await self._due(statements.DUE_CALLS, now, limit)))

    async def timers(self, conversation: str) -> Sequence[TimerRow]:
        return await self._read(postgres_reading.timers, conversation)

    async def calls(self, conversation: str) -> Sequence[PendingCall]:
        return await self._read(postgres_reading.calls, conversation)

    async def next_due(self) -> datetime | None:
        earliest = await self._read(postgres_reading.next_due, self._buckets)
        return None if earliest is None else rows.moment(earliest)

    async def history(self, conversation: str) -> Sequence[VisitRow]:
        return await self._read(postgres_reading.history, conversation)

    async def unnamed(self, files: Collection[str]) -> Sequence[str]:
        """In pieces, so that customers wait only milliseconds for it."""
        left = set(files)
        for sql, first in statements.NAMING:
            after: Any = first
            while left and after is not None:
                after, names = await self._read(postgres_reading.naming, sql, after, CLEAN_AT_ONCE)
                left -= names
        return tuple(sorted(left))

    # -- writes

    def _check_free(self) -> None:
        """Raises StoreError when this task has a transaction open: what it locks, this write might wait for."""
        if not self._postgres.is_open:
            raise StoreError("The store is closed. Open it first.")
        if asyncio.current_task() in self._holders:
            raise StoreError(
                "A transaction is open in this task. Use the transaction itself, or end it first: the store"
                " would wait for it for ever."
            )

    async def commit(self, commits: Sequence[Commit]) -> None:
        """All of `commits` in one transaction, mostly in one round trip. Cancelled, it still ends what it began:
        afterwards either everything is written or nothing is. When the line is lost it finds out which, and repeats
        what was not written. Raises StoreError when that takes too long."""
        if not commits:
            return
        self._check_free()
        await self._writing.write(commits, self._worker)
        await self._tell(commits)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """An open transaction; others may be open beside it. The rows that it changes are locked to its end, so do
        nothing slow inside."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        self._check_free()
        task = asyncio.current_task()
        async with self._postgres.begun(BEGIN) as line:
            transaction = PostgresTransaction(line, self._postgres.address, self._kinds, self._worker)
            self._holders.add(task)
            try:
                yield transaction
                transaction.end()
                await self._writing.end(line, transaction)
            finally:
                transaction.end()
                self._holders.discard(task)
        await self._tell(transaction.commits, transaction.sent)

    async def _tell(self, commits: Sequence[Commit], signals: Sequence[NewSignal] = ()) -> None:
        if self._share is not None and not self._share.is_alone:
            self._telling.outbox(outgoing.chat for commit in commits for outgoing in commit.outbox)
        sent = [signal.update for commit in commits for signal in commit.signals]
        sent += [signal.update for signal in signals]
        if sent:
            await self._telling.signalled(sent)

    async def keep_signal(self, signal: NewSignal) -> bool:
        """Told to all workers before it returns."""
        self._check_free()
        kept = await self._writing.keep_signal(signal)
        if kept:
            await self._telling.signalled([signal.update])
        return kept

    async def drop_signal(self, signal: int) -> None:
        self._check_free()
        await self._read(_execute, statements.LATE_SIGNAL, signal)

    async def delivered(self, outbox: Sequence[str]) -> None:
        self._check_free()
        if outbox:
            await self._read(_execute, statements.DELIVERED, [postgres_rows.text(key) for key in outbox])

    async def attempted(self, conversation: str, call: str, attempt: int, due: datetime) -> None:
        self._check_free()
        keys = (postgres_rows.text(conversation), postgres_rows.text(call))
        await self._read(_execute, statements.ATTEMPTED, attempt, rows.due_ms(due), *keys)

    async def cleanup(self, now: datetime, retention: Mapping[str, float | None]) -> Cleaned:
        """Finished conversations that still wait for a call stay until it has come back. Room on the disk is given
        back by the server's own autovacuum."""
        self._check_free()
        gone = 0
        files: set[str] = set()
        for flow in await self._read(postgres_reading.flows):
            seconds = retention.get(flow, FLOW_GONE_FOR.total_seconds())
            if seconds is None:
                continue
            until = rows.past_ms(now) - int(seconds * 1000)
            gone += await self._in_pieces(postgres_reading.forget_conversations, flow, until, files)
        await self._older(statements.OLD_SEEN, now - SEEN_FOR)
        signals = await self._older(statements.OLD_SIGNALS, now - SIGNALS_FOR)
        outbox = await self._older(statements.OLD_OUTBOX, now - UNDELIVERED_FOR)
        return Cleaned(conversations=gone, files=tuple(sorted(files)), signals=signals, outbox=outbox)

    async def _older(self, sql: str, before: datetime) -> int:
        return await self._in_pieces(postgres_reading.forget, sql, rows.past_ms(before))

    async def _in_pieces(self, work: Callable[..., Awaitable[int]], *parameters: Any) -> int:
        total = 0
        while piece := await self._read(work, *parameters, CLEAN_AT_ONCE):
            total += piece
            if piece < CLEAN_AT_ONCE:
                break
        return total


async def _execute(line: "asyncpg.Connection", sql: str, *parameters: object) -> None:
    await line.execute(sql, *parameters)
