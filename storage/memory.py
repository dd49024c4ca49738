"""The store that forgets: everything in this process's memory, for trying flows out and for tests.

Product code, with the same promises as the durable one except the disk. Plugins' tables live in a private
in-memory SQLite.
"""

import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from engine.core.codec import dump
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
from storage import rows
from storage.errors import StoreError, TransactionEnded, explain
from storage.hop import roll_back
from storage.journal_memory import MemoryJournal
from storage.locking import WriteLock
from storage.plugin_sql import TABLES, check_statement, execute, query
from storage.reading import SEEN_FOR, SIGNALS_FOR, files_in, names_in
from storage.tables import Tables

W = TypeVar("W", TimerRow, PendingCall)


class MemoryStore:
    """A Store without a file. Closing it forgets everything."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._lock = WriteLock()
        self._plugins: sqlite3.Connection | None = None
        self._journal = MemoryJournal(lambda: self._open_tables().journal, self._lock)

    @property
    def journal(self) -> Journal:
        """Forgets with the store; usable while that is open."""
        return self._journal

    @property
    def sharing(self) -> None:
        """What is in this process's memory belongs to it alone."""
        return None

    async def open(self) -> None:
        if self._plugins is not None:
            raise StoreError("The store is open already.")
        self._plugins = sqlite3.connect(":memory:", isolation_level=None)
        self._plugins.executescript(TABLES)

    async def close(self) -> None:
        plugins, self._plugins = self._plugins, None
        if plugins is not None:
            plugins.close()
            self._tables = Tables()

    def _open_tables(self) -> Tables:
        if self._plugins is None:
            raise StoreError("The store is closed. Open it first.")
        return self._tables

    # -- questions

    async def chat(self, chat: str) -> Chat | None:
        return self._open_tables().chats.get(chat)

    async def conversation(self, conversation: str) -> Conversation | None:
        return self._open_tables().conversations.get(conversation)

    async def conversations(self, chat: str) -> Sequence[Conversation]:
        tables = self._open_tables()
        found = [tables.conversations[key] for key in tables.open_of_chat.get(chat, ())]
        return tuple(sorted(found, key=lambda conversation: conversation.started_at))

    async def by_key(self, flow: str, key: str) -> Conversation | None:
        tables = self._open_tables()
        found = [tables.conversations[one] for one in tables.open_by_key.get((flow, key), ())]
        return max(reversed(found), key=lambda conversation: conversation.started_at, default=None)

    async def ended_by_key(self, flow: str, key: str) -> Conversation | None:
        tables = self._open_tables()
        ended = [tables.conversations[one] for one in tables.finished if _has_key(tables.conversations[one], flow, key)]
        return max(reversed(ended), key=lambda conversation: tables.finished[conversation.id], default=None)

    async def signals(self, flow: str, key: str, limit: int = 100, *, news: bool = False) -> Sequence[SignalRow]:
        tables = self._open_tables()
        waiting = (tables.signals[number] for number in tables.waiting.get((flow, key), ()))
        return tuple(islice((row for row in waiting if row.otherwise or not news), limit))

    async def deliverable_signals(self, limit: int = 100) -> Sequence[tuple[str, SignalRow]]:
        tables = self._open_tables()
        found: list[tuple[str, SignalRow]] = []
        for (flow, key), numbers in tables.waiting.items():
            opened = await self.by_key(flow, key)
            ended = None if opened or not flow else await self.ended_by_key(flow, key)
            rows_of_it = [tables.signals[number] for number in numbers]
            if opened is None and ended is None:
                rows_of_it = [row for row in rows_of_it if row.otherwise]
            if rows_of_it:
                owner = opened.chat if opened else rows_of_it[0].chat or (ended.chat if ended else "")
                found.append((owner, rows_of_it[0]))
        return tuple(sorted(found, key=lambda entry: entry[1].id)[:limit])

    async def changed_outside(self) -> bool:
        return False

    async def seen(self, update: str) -> bool:
        return update in self._open_tables().seen

    async def undelivered(self) -> Sequence[Outgoing]:
        waiting = self._open_tables().outbox.values()
        return tuple(sorted(waiting, key=lambda outgoing: (outgoing.chat, outgoing.sequence)))

    async def undelivered_to(self, chats: Sequence[str]) -> Sequence[Outgoing]:
        return tuple(outgoing for outgoing in await self.undelivered() if outgoing.chat in chats)

    async def due_timers(self, now: datetime, limit: int = 100) -> Sequence[TimerRow]:
        tables = self._open_tables()
        keys = tables.due_timers.until(rows.past_ms(now), limit)
        return tuple(
            timer
            for conversation, visit, name in keys
            for timer in tables.timers[conversation]
            if (timer.visit, timer.name) == (visit, name)
        )

    async def due_expirations(self, now: datetime, limit: int = 100) -> Sequence[Conversation]:
        tables = self._open_tables()
        return tuple(tables.conversations[key] for key in tables.expirations.until(rows.past_ms(now), limit))

    async def due_calls(self, now: datetime, limit: int = 100) -> Sequence[PendingCall]:
        tables = self._open_tables()
        keys = tables.due_calls.until(rows.past_ms(now), limit)
        return tuple(
            pending for conversation, call in keys for pending in tables.calls[conversation] if pending.call == call
        )

    async def timers(self, conversation: str) -> Sequence[TimerRow]:
        return _by_due(self._open_tables().timers.get(conversation, ()))

    async def calls(self, conversation: str) -> Sequence[PendingCall]:
        return _by_due(self._open_tables().calls.get(conversation, ()))

    async def next_due(self) -> datetime | None:
        tables = self._open_tables()
        queues = (tables.due_timers, tables.due_calls, tables.expirations)
        moments = [moment for queue in queues if (moment := queue.earliest()) is not None]
        return rows.moment(min(moments)) if moments else None

    async def history(self, conversation: str) -> Sequence[VisitRow]:
        return self._open_tables().visits.get(conversation, ())

    async def unnamed(self, files: Collection[str]) -> Sequence[str]:
        tables = self._open_tables()
        texts = [dump(conversation) for conversation in tables.conversations.values()]
        texts += [call.arguments for calls in tables.calls.values() for call in calls]
        texts += [outgoing.payload for outgoing in tables.outbox.values()]
        texts += [signal.payload for signal in tables.signals.values()]
        return tuple(sorted(set(files).difference(*(names_in(text) for text in texts))))

    # -- writes

    async def commit(self, commits: Sequence[Commit]) -> None:
        async with self._lock:
            self._open_tables().write(commits)

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._lock:
            tables = self._open_tables()
            plugins = self._plugins
            assert plugins is not None
            transaction = MemoryTransaction(tables, plugins)
            plugins.execute("BEGIN IMMEDIATE")
            try:
                yield transaction
                transaction.end()
                tables.write(transaction.commits, transaction.sent)
                tables.seen.update(transaction.noted)
                plugins.execute("COMMIT")
            finally:
                transaction.end()
                roll_back(plugins)

    async def keep_signal(self, signal: NewSignal) -> bool:
        async with self._lock:
            tables = self._open_tables()
            kept = tables.keep_signal(signal)
            tables.settle()
            return kept

    async def drop_signal(self, signal: int) -> None:
        async with self._lock:
            tables = self._open_tables()
            if signal in tables.signals:
                tables.take_signal(signal, tables.signals[signal].at)
                tables.settle()

    async def delivered(self, outbox: Sequence[str]) -> None:
        async with self._lock:
            for key in outbox:
                self._open_tables().outbox.pop(key, None)

    async def attempted(self, conversation: str, call: str, attempt: int, due: datetime) -> None:
        async with self._lock:
            tables = self._open_tables()
            for pending in tables.calls.get(conversation, ()):
                if pending.call == call:
                    tables.set_call(conversation, call, replace(pending, attempt=attempt, due=due))
            tables.settle()

    async def cleanup(self, now: datetime, retention: Mapping[str, float | None]) -> Cleaned:
        async with self._lock:
            tables = self._open_tables()
            gone = [key for key, at in tables.finished.items() if _over(tables, key, rows.past_ms(now), at, retention)]
            files = {ref for key in gone for ref in files_in(dump(tables.conversations[key]))}
            for key in gone:
                tables.forget(key)
            oldest = now - SEEN_FOR
            tables.seen = {update: at for update, at in tables.seen.items() if at >= oldest}
            old = [number for number, signal in tables.signals.items() if signal.at < now - SIGNALS_FOR]
            for number in old:
                tables.drop_signal(number)
            undelivered = [key for key, row in tables.outbox.items() if row.created_at < now - UNDELIVERED_FOR]
            for key in undelivered:
                del tables.outbox[key]
            tables.settle()
            return Cleaned(
                conversations=len(gone), files=tuple(sorted(files)), signals=len(old), outbox=len(undelivered)
            )


def _has_key(conversation: Conversation, flow: str, key: str) -> bool:
    return (conversation.flow, conversation.key) == (flow, key)


def _by_due(waiting: Sequence[W]) -> tuple[W, ...]:
    return tuple(sorted(waiting, key=lambda row: row.due))


def _over(tables: Tables, key: str, now: int, finished: datetime, retention: Mapping[str, float | None]) -> bool:
    seconds = retention.get(tables.conversations[key].flow, FLOW_GONE_FOR.total_seconds())
    return seconds is not None and key not in tables.calls and rows.past_ms(finished) <= now - int(seconds * 1000)


class MemoryTransaction:
    """Commits are tried at once and written at the end, so that nobody outside sees them before."""

    def __init__(self, tables: Tables, plugins: sqlite3.Connection) -> None:
        self.commits: list[Commit] = []
        self.sent: list[NewSignal] = []
        self.noted: dict[str, datetime] = {}
        self._tables = tables
        self._plugins = plugins
        self._ended = False
        self._savepoints = 0

    def end(self) -> None:
        """From now on every call is refused."""
        self._ended = True

    def _check(self) -> None:
        if self._ended:
            raise TransactionEnded(
                "The transaction is over. Await everything that uses it inside its `async with` block, or open"
                " another one."
            )

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        check_statement(sql)
        self._check()
        try:
            return execute(self._plugins, sql, parameters)
        except sqlite3.Error as error:
            raise explain(error, "in memory") from error

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        check_statement(sql)
        self._check()
        try:
            return query(self._plugins, sql, parameters)
        except sqlite3.Error as error:
            raise explain(error, "in memory") from error

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._check()
        self._savepoints += 1
        name, before, sent = f"part_{self._savepoints}", len(self.commits), len(self.sent)
        noted = dict(self.noted)
        self._plugins.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            del self.commits[before:]
            del self.sent[sent:]
            self.noted = noted
            if self._plugins.in_transaction:
                self._plugins.execute(f"ROLLBACK TO {name}")
                self._plugins.execute(f"RELEASE {name}")
            raise
        self._plugins.execute(f"RELEASE {name}")

    async def apply(self, commit: Commit) -> None:
        self._check()
        self._tables.write((*self.commits, commit), keep=False)
        self.commits.append(commit)

    async def send(self, signals: Sequence[NewSignal]) -> None:
        self._check()
        self.sent.extend(signals)

    async def remember(self, update: str, at: datetime) -> bool:
        self._check()
        if update in self._tables.seen or update in self.noted:
            return False
        self.noted[update] = at
        return True

    async def chats_of(self, customers: Collection[str]) -> Sequence[str]:
        self._check()
        return tuple(sorted(chat for chat in self._tables.chats if chat[chat.find(":") + 1 :] in customers))
