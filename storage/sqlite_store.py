"""The durable store: a SQLite file in WAL mode through Tortoise's connections, raw SQL, one hop per commit.

Two connections: one writes, one reads what is committed, so that a question never waits for a transaction and
never sees one that is still open. No SQL text and no decision of the runtime belongs here.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeVar

from engine.core.conversation import Conversation
from engine.runtime.journal import Journal
from engine.runtime.ports import (
    FLOW_GONE_FOR,
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
from storage import batch, reading, rows, statements, upkeep
from storage.arriving import Arriving
from storage.batch import Batch, Refused
from storage.errors import StoreError
from storage.file import MIGRATIONS, FileLock, make_folder, prepare
from storage.hop import Hop, atomically, finish, roll_back
from storage.journal import SqliteJournal
from storage.locking import WriteLock
from storage.sqlite_transaction import SqliteTransaction, reason

T = TypeVar("T")

BUSY_MS: Final = 5000
"""How long SQLite itself waits for a lock of another program, in milliseconds."""
CLEAN_AT_ONCE: Final = 500
"""Rows per transaction of `cleanup`, so that customers wait only milliseconds for it."""
_WAL_BYTES: Final = 16 * 1024 * 1024
"""The log keeps up to this size when it is started over: writing into it is cheaper than making it grow."""


class SqliteStore:
    """A Store in one file. One process (and one store) per file: the second one gets StoreBusy."""

    def __init__(
        self,
        file: Path,
        *,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        busy_ms: int = BUSY_MS,
        migrations: str = MIGRATIONS,
    ) -> None:
        """`synchronous` FULL: a commit is on the disk when it returns. NORMAL: the last ones may be lost when the
        machine (not only the process) goes down; the file stays sound."""
        self._file = file
        self._synchronous = synchronous
        self._busy_ms = busy_ms
        self._migrations = migrations
        self._file_lock = FileLock(file)
        self._lock = WriteLock()
        self._writer: Hop | None = None
        self._reader: Hop | None = None
        self._journal = SqliteJournal(self._read, self._write)
        self._arriving = Arriving(self._lock, self._atomically)
        self._outside = 0
        """What `data_version` said last on the connection that writes: only others change it."""

    @property
    def journal(self) -> Journal:
        """Of the same file; usable while the store is open."""
        return self._journal

    @property
    def sharing(self) -> None:
        """The file belongs to one process."""
        return None

    async def open(self) -> None:
        """Lock the file, create it if there is none, connect. Raises SchemaBehind for an older one, and StoreError
        with a sentence that says what to do."""
        if self._writer is not None:
            raise StoreError(f"The store {self._file} is open already.")
        make_folder(self._file)
        self._file_lock.take()
        try:
            await prepare(self._file, self._migrations)
            await self._connect()
        except BaseException:
            await self.close()
            raise

    async def _connect(self) -> None:
        busy = self._busy_ms
        self._writer = await Hop.open(
            self._file,
            busy_timeout=busy,
            synchronous=self._synchronous,
            journal_size_limit=_WAL_BYTES,
        )
        await self._write(lambda connection: connection.execute(statements.WRITE_NOTHING))
        self._outside = await self._writer.run(reading.data_version)
        self._reader = await Hop.open(self._file, busy_timeout=busy, journal_size_limit=_WAL_BYTES, query_only="ON")

    async def close(self) -> None:
        """Close both connections and give the file free. Does nothing when it is closed already."""
        await finish(self._close())

    async def _close(self) -> None:
        reader, writer = self._reader, self._writer
        self._reader = self._writer = None
        try:
            for hop in (reader, writer):
                if hop is not None:
                    await hop.close()
        finally:
            self._file_lock.release()

    def _hop(self, hop: Hop | None) -> Hop:
        if hop is None:
            raise StoreError("The store is closed. Open it first.")
        return hop

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._hop(self._reader).run(work)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction in one hop."""
        async with self._lock:
            return await self._atomically(work)

    async def _atomically(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._hop(self._writer).run(partial(atomically, work=work))

    # -- questions

    async def chat(self, chat: str) -> Chat | None:
        return await self._read(lambda connection: reading.chat(connection, chat))

    async def conversation(self, conversation: str) -> Conversation | None:
        return await self._read(lambda connection: reading.conversation(connection, conversation))

    async def conversations(self, chat: str) -> Sequence[Conversation]:
        return await self._read(lambda connection: reading.open_of_chat(connection, chat))

    async def by_key(self, flow: str, key: str) -> Conversation | None:
        return await self._read(lambda connection: reading.by_key(connection, flow, key))

    async def ended_by_key(self, flow: str, key: str) -> Conversation | None:
        return await self._read(lambda connection: reading.ended_by_key(connection, flow, key))

    async def signals(self, flow: str, key: str, limit: int = 100, *, news: bool = False) -> Sequence[SignalRow]:
        return await self._read(lambda connection: reading.signals(connection, flow, key, limit, news))

    async def deliverable_signals(self, limit: int = 100) -> Sequence[tuple[str, SignalRow]]:
        return await self._read(lambda connection: reading.deliverable_signals(connection, limit))

    async def changed_outside(self) -> bool:
        async with self._lock:
            before, self._outside = self._outside, await self._hop(self._writer).run(reading.data_version)
            return before != self._outside

    async def seen(self, update: str) -> bool:
        return await self._read(lambda connection: reading.is_seen(connection, update))

    async def undelivered(self) -> Sequence[Outgoing]:
        return await self._read(reading.undelivered)

    async def undelivered_to(self, chats: Sequence[str]) -> Sequence[Outgoing]:
        return await self._read(lambda connection: reading.undelivered_to(connection, chats))

    async def due_timers(self, now: datetime, limit: int = 100) -> Sequence[TimerRow]:
        return await self._read(lambda connection: reading.due_timers(connection, now, limit))

    async def due_expirations(self, now: datetime, limit: int = 100) -> Sequence[Conversation]:
        return await self._read(lambda connection: reading.expired(connection, now, limit))

    async def due_calls(self, now: datetime, limit: int = 100) -> Sequence[PendingCall]:
        return await self._read(lambda connection: reading.due_calls(connection, now, limit))

    async def timers(self, conversation: str) -> Sequence[TimerRow]:
        return await self._read(lambda connection: reading.timers(connection, conversation))

    async def calls(self, conversation: str) -> Sequence[PendingCall]:
        return await self._read(lambda connection: reading.calls(connection, conversation))

    async def next_due(self) -> datetime | None:
        return await self._read(reading.next_due)

    async def history(self, conversation: str) -> Sequence[VisitRow]:
        return await self._read(lambda connection: reading.history(connection, conversation))

    async def unnamed(self, files: Collection[str]) -> Sequence[str]:
        """In pieces, so that customers wait only milliseconds for it."""
        left = set(files)
        for sql in statements.NAMING:
            after: int | None = 0
            while left and after is not None:
                after, names = await self._read(partial(reading.naming, sql=sql, after=after, limit=CLEAN_AT_ONCE))
                left -= names
        return tuple(sorted(left))

    # -- writes

    async def commit(self, commits: Sequence[Commit]) -> None:
        """All of `commits` in one transaction and one hop. Cancelled, it still ends what it began: afterwards
        either everything is written or nothing is."""
        if not commits:
            return
        prepared = batch.prepare(commits)
        async with self._lock:
            await self._hop(self._writer).run(lambda connection: _commit(connection, prepared))

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """An open transaction; every other write waits for its end, so do nothing slow inside and ask this store
        for nothing that writes."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._lock:
            hop = self._hop(self._writer)
            transaction = SqliteTransaction(hop)
            try:
                await hop.run(_begin)
                yield transaction
                transaction.end()
                await hop.run(_end)
            finally:
                transaction.end()
                # after a commit there is nothing to undo; finding that out costs no hop
                if hop.unfinished:
                    await finish(hop.run(roll_back))

    async def keep_signal(self, signal: NewSignal) -> bool:
        return await self._arriving.keep(rows.signal_line(signal))

    async def drop_signal(self, signal: int) -> None:
        def drop(connection: sqlite3.Connection) -> None:
            for sql in (statements.SIGNAL_LATE, statements.DROP_SIGNAL):
                connection.execute(sql, (signal,))

        await self._write(drop)

    async def delivered(self, outbox: Sequence[str]) -> None:
        keys = batch.single_columns(outbox)
        if keys:
            await self._write(lambda connection: connection.executemany(statements.DELIVERED, keys))

    async def attempted(self, conversation: str, call: str, attempt: int, due: datetime) -> None:
        line = (attempt, rows.due_ms(due), conversation, call)
        await self._write(lambda connection: connection.execute(statements.ATTEMPTED, line))

    async def cleanup(self, now: datetime, retention: Mapping[str, float | None]) -> Cleaned:
        """Finished conversations that still wait for a call stay until it has come back."""
        gone = 0
        files: set[str] = set()
        for flow in await self._read(reading.flows):
            seconds = retention.get(flow, FLOW_GONE_FOR.total_seconds())
            if seconds is None:
                continue
            until = rows.past_ms(now) - int(seconds * 1000)
            gone += await self._in_pieces(
                partial(reading.forget_conversations, flow=flow, until=until, limit=CLEAN_AT_ONCE, files=files)
            )
        await self._in_pieces(partial(reading.forget_seen, now=now, limit=CLEAN_AT_ONCE))
        signals = await self._in_pieces(partial(reading.forget_signals, now=now, limit=CLEAN_AT_ONCE))
        outbox = await self._read(partial(reading.old_outgoing, now=now))
        for start in range(0, len(outbox), CLEAN_AT_ONCE):
            await self.delivered(outbox[start : start + CLEAN_AT_ONCE])
        await self._tidy()
        return Cleaned(conversations=gone, files=tuple(sorted(files)), signals=signals, outbox=len(outbox))

    async def _tidy(self) -> None:
        for _ in range(upkeep.PIECES):
            if not await self._write(upkeep.give_room_back):
                break
        async with self._lock:
            await self._hop(self._writer).run(partial(upkeep.settle, file=self._file, busy_ms=self._busy_ms))

    async def _in_pieces(self, work: Callable[[sqlite3.Connection], int]) -> int:
        total = 0
        while piece := await self._write(work):
            total += piece
            if piece < CLEAN_AT_ONCE:
                break
        return total


def _begin(connection: sqlite3.Connection) -> None:
    roll_back(connection)  # as `atomically` does
    connection.execute(statements.BEGIN)


def _end(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")


def _commit(connection: sqlite3.Connection, prepared: Batch) -> None:
    try:
        atomically(connection, lambda inside: batch.write(inside, prepared))
    except (sqlite3.IntegrityError, Refused) as error:
        raise reason(connection, prepared, error) from error
