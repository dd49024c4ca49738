"""The memory store's tables: dictionaries of frozen values, changed by commits, every change undoable.

Synchronous throughout, so that nobody ever sees half a commit. No I/O, no clock.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from engine.core.conversation import Conversation, Status
from engine.runtime.ports import Chat, Commit, NewSignal, Outgoing, PendingCall, SignalRow, TimerRow, VisitRow
from storage import rows
from storage.batch import already_handled, already_seen, chat_overtaken, conversation_overtaken
from storage.due import DueQueue
from storage.journal_memory import JournalTables

K = TypeVar("K")
V = TypeVar("V")


class Tables:
    """Everything a memory store knows. `write` applies commits completely or not at all."""

    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.conversations: dict[str, Conversation] = {}
        self.open_of_chat: dict[str, tuple[str, ...]] = {}
        self.open_by_key: dict[tuple[str, str], tuple[str, ...]] = {}
        self.finished: dict[str, datetime] = {}
        self.visits: dict[str, tuple[VisitRow, ...]] = {}
        self.outbox: dict[str, Outgoing] = {}
        self.timers: dict[str, tuple[TimerRow, ...]] = {}
        self.calls: dict[str, tuple[PendingCall, ...]] = {}
        self.signals: dict[int, SignalRow] = {}
        self.waiting: dict[tuple[str, str], tuple[int, ...]] = {}
        """Flow and key → ids of their signals, in order."""
        self.sent: dict[str, int] = {}
        """Update id → id of the signal that waits."""
        self._signal_ids = 0
        self.seen: dict[str, datetime] = {}
        self.due_timers: DueQueue[tuple[str, int, str]] = DueQueue()
        self.due_calls: DueQueue[tuple[str, str]] = DueQueue()
        self.expirations: DueQueue[str] = DueQueue()
        self.journal = JournalTables()
        """Not part of any commit: nothing of it is ever taken back."""
        self._undo: list[tuple[Callable[[Any, Any, Any], None], Any, Any, Any]] = []
        """Calls that take the changes back, in the order of the changes: function, its table or queue, key, row."""

    def write(self, commits: Sequence[Commit], signals: Sequence[NewSignal] = (), *, keep: bool = True) -> None:
        """Apply `commits` in their order, then `signals`. Raises AlreadySeen or Overtaken, all undone. `keep=False`
        only tries."""
        try:
            for commit in commits:
                self._write(commit)
            for signal in signals:
                self.keep_signal(signal)
        except BaseException:
            self._take_back()
            raise
        if not keep:
            self._take_back()
        self._undo.clear()

    def _take_back(self) -> None:
        while self._undo:
            take_back, place, key, before = self._undo.pop()
            take_back(place, key, before)

    def _put(self, table: dict[K, V], key: K, value: V | None) -> None:
        """Set a row, or delete it with None (or an empty tuple), and note how to take that back."""
        self._undo.append((_set, table, key, table.get(key)))
        _set(table, key, value)

    def _write(self, commit: Commit) -> None:
        for update in commit.seen:
            if update in self.seen:
                raise already_seen(update)
            self._put(self.seen, update, commit.at)
        self._write_chat(commit)
        for conversation in commit.conversations:
            self._write_conversation(conversation, commit.at)
        for visit in commit.visits:
            self._put(self.visits, visit.conversation, (*self.visits.get(visit.conversation, ()), visit))
        for outgoing in commit.outbox:
            self._put(self.outbox, outgoing.id, outgoing)
        for key in commit.delivered:
            self._put(self.outbox, key, None)
        self._write_timers(commit)
        self._write_calls(commit)
        self._write_signals(commit)
        for letter in commit.letters:
            raise already_handled("letter", (letter,))  # nobody writes letters into one process's memory

    def _write_chat(self, commit: Commit) -> None:
        chat = commit.chat
        stored = self.chats.get(chat.id)
        if (stored is None) != commit.new_chat or (stored and stored.revision != chat.revision - 1):
            raise chat_overtaken(chat.id)
        self._put(self.chats, chat.id, chat)

    def _write_conversation(self, conversation: Conversation, at: datetime) -> None:
        key = conversation.id
        stored = self.conversations.get(key)
        if (stored.revision if stored else None) != (conversation.revision - 1 or None):
            raise conversation_overtaken(key)
        was_open = stored is not None and stored.status is Status.ACTIVE
        is_open = conversation.status is Status.ACTIVE
        self._put(self.conversations, key, conversation)
        if was_open != is_open:
            self._list(self.open_of_chat, conversation.chat, key, there=is_open)
        self._index_key(stored if was_open else None, conversation)
        if not is_open and key not in self.finished:
            self._put(self.finished, key, at)
        expires = conversation.expires_at if is_open else None
        self._due(self.expirations, key, expires)

    def _index_key(self, stored: Conversation | None, conversation: Conversation) -> None:
        before = (stored.flow, stored.key) if stored and stored.key is not None else None
        after = None
        if conversation.status is Status.ACTIVE and conversation.key is not None:
            after = (conversation.flow, conversation.key)
        if before == after:
            return
        if before is not None:
            self._list(self.open_by_key, before, conversation.id, there=False)
        if after is not None:
            self._list(self.open_by_key, after, conversation.id, there=True)

    def _list(self, table: dict[K, tuple[str, ...]], key: K, value: str, *, there: bool) -> None:
        others = tuple(other for other in table.get(key, ()) if other != value)
        self._put(table, key, (*others, value) if there else others)

    def _due(self, queue: DueQueue[K], key: K, due: datetime | None) -> None:
        self._undo.append((DueQueue.set, queue, key, queue.due(key)))
        queue.set(key, None if due is None else rows.due_ms(due))

    def _write_timers(self, commit: Commit) -> None:
        for conversation, visit, name in commit.fired_timers:
            if not self._drop_timers(conversation, visit, name):
                raise already_handled("timer", (conversation, visit, name))
        for conversation, visit in commit.cancelled_timers:
            self._drop_timers(conversation, visit)
        for timer in commit.timers:
            mine = self.timers.get(timer.conversation, ())
            same = next((t for t in mine if (t.visit, t.name) == (timer.visit, timer.name)), None)
            others = tuple(t for t in mine if t is not same)
            self._put(self.timers, timer.conversation, (*others, timer))
            key = (timer.conversation, timer.visit, timer.name)
            self._due(self.due_timers, key, timer.due)
        for over in commit.conversations:
            if over.status is Status.FINISHED:
                self._drop_timers(over.id)

    def _drop_timers(self, conversation: str, visit: int | None = None, name: str | None = None) -> int:
        """Remove the timers of a conversation, of one visit of it, or the one with a name. How many there were."""
        mine = self.timers.get(conversation, ())
        gone = [t for t in mine if visit in (None, t.visit) and name in (None, t.name)]
        if not gone:
            return 0
        self._put(self.timers, conversation, tuple(timer for timer in mine if timer not in gone))
        for timer in gone:
            self._due(self.due_timers, (conversation, timer.visit, timer.name), None)
        return len(gone)

    def _write_calls(self, commit: Commit) -> None:
        for conversation, call in commit.finished_calls:
            if not any(other.call == call for other in self.calls.get(conversation, ())):
                raise already_handled("call", (conversation, call))
            self.set_call(conversation, call, None)
        for pending in commit.pending:
            self.set_call(pending.conversation, pending.call, pending)

    def set_call(self, conversation: str, call: str, pending: PendingCall | None) -> None:
        """Put a pending call in the place of the one with the same name; None removes it."""
        mine = self.calls.get(conversation, ())
        same = next((other for other in mine if other.call == call), None)
        others = tuple(other for other in mine if other is not same)
        self._put(self.calls, conversation, (*others, pending) if pending else others)
        self._due(self.due_calls, (conversation, call), pending.due if pending else None)

    def _write_signals(self, commit: Commit) -> None:
        for number in commit.taken_signals:
            if number not in self.signals:
                raise already_handled("signal", (number,))
            self.take_signal(number, commit.at)
        for signal in commit.signals:
            self.keep_signal(signal)

    def keep_signal(self, signal: NewSignal) -> bool:
        """Write a signal down; False when its update id is known."""
        if signal.update in self.seen or signal.update in self.sent:
            return False
        self._signal_ids += 1
        number = self._signal_ids
        row = SignalRow(
            id=number,
            update=signal.update,
            flow=signal.flow,
            key=signal.key,
            name=signal.name,
            payload=signal.payload,
            at=signal.at,
            chat=signal.chat,
            otherwise=signal.otherwise,
        )
        self._put(self.signals, number, row)
        self._put(self.sent, row.update, number)
        lane = (row.flow, row.key)
        self._put(self.waiting, lane, (*self.waiting.get(lane, ()), number))
        return True

    def take_signal(self, number: int, at: datetime) -> None:
        """Remove a signal; its update id stays known."""
        self._put(self.seen, self.signals[number].update, at)
        self.drop_signal(number)

    def drop_signal(self, number: int) -> None:
        """Remove a signal as if it had never come."""
        row = self.signals[number]
        self._put(self.signals, number, None)
        self._put(self.sent, row.update, None)
        lane = (row.flow, row.key)
        waiting = self.waiting[lane]
        at = 0 if waiting[0] == number else waiting.index(number)
        self._put(self.waiting, lane, (*waiting[:at], *waiting[at + 1 :]))

    def settle(self) -> None:
        """Changes made outside of `write` are for good."""
        self._undo.clear()

    def forget(self, conversation: str) -> None:
        """Delete a finished conversation with all that hangs on it, for good."""
        self._drop_timers(conversation)
        for table in (self.conversations, self.finished, self.visits):
            table.pop(conversation, None)
        self.settle()


def _set(table: dict[K, V], key: K, value: V | None) -> None:
    if value is None or value == ():
        table.pop(key, None)
    else:
        table[key] = value
