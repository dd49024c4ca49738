"""The writes of one or many commits, made ready before a connection is touched, then written in one go.

Preparing is pure. Writing is synchronous and runs in the driver's thread. No transaction is opened here.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.core.conversation import Status
from engine.runtime.ports import AlreadySeen, Commit, Overtaken
from storage import rows, statements
from storage.rows import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows by statement. What only adds is gathered over all commits; timers and calls keep the commits' order."""

    seen: list[Line] = field(default_factory=list)
    new_chats: list[Line] = field(default_factory=list)
    chats: list[Line] = field(default_factory=list)
    new_conversations: list[Line] = field(default_factory=list)
    active: list[Line] = field(default_factory=list)
    finished: list[Line] = field(default_factory=list)
    visits: list[Line] = field(default_factory=list)
    outbox: list[Line] = field(default_factory=list)
    delivered: list[Line] = field(default_factory=list)
    ordered: list[tuple[str, list[Line], str]] = field(default_factory=list)
    """Statement, its rows, and what a row is called that must be there; empty when it need not."""
    commits: Sequence[Commit]


def prepare(commits: Sequence[Commit]) -> Batch:
    """Encode everything that `commits` write. Raises NotStorable for a value that is not of the language."""
    batch = Batch(commits=commits)
    for commit in commits:
        at = rows.past_ms(commit.at)
        batch.seen.extend([(update, at) for update in commit.seen])
        _chat(batch, commit)
        over = _conversations(batch, commit, at)
        batch.visits.extend(map(rows.visit_line, commit.visits))
        batch.outbox.extend(map(rows.outgoing_line, commit.outbox))
        batch.delivered.extend([(key,) for key in commit.delivered])
        _ordered(batch, commit, over)
    return batch


def _chat(batch: Batch, commit: Commit) -> None:
    line = rows.chat_line(commit.chat)
    if commit.new_chat:
        batch.new_chats.append(line)
    else:
        batch.chats.append((*line, commit.chat.revision - 1))


def _conversations(batch: Batch, commit: Commit, at: int) -> list[Line]:
    over: list[Line] = []
    for conversation in commit.conversations:
        finished = conversation.status is Status.FINISHED
        if conversation.revision == 1:
            batch.new_conversations.append(rows.conversation_line(conversation, at))
        elif finished:
            batch.finished.append(rows.finishing_change(conversation, at))
        else:
            batch.active.append(rows.active_change(conversation))
        if finished:
            over.append((conversation.id,))
    return over


def _ordered(batch: Batch, commit: Commit, over: list[Line]) -> None:
    note = batch.ordered.append
    if commit.fired_timers:
        note((statements.TIMER_FIRED, list(commit.fired_timers), "timer"))
    if commit.cancelled_timers:
        note((statements.CANCEL_TIMERS, list(commit.cancelled_timers), ""))
    if commit.timers:
        note((statements.SET_TIMER, list(map(rows.timer_line, commit.timers)), ""))
    if commit.finished_calls:
        note((statements.CALL_FINISHED, list(commit.finished_calls), "call"))
    if commit.pending:
        note((statements.SET_CALL, list(map(rows.call_line, commit.pending)), ""))
    if commit.taken_signals:
        at = rows.past_ms(commit.at)
        note((statements.SIGNAL_SEEN, [(at, number) for number in commit.taken_signals], ""))
        note((statements.DROP_SIGNAL, [(number,) for number in commit.taken_signals], "signal"))
    if commit.signals:
        note((statements.ADD_SIGNAL, list(map(rows.signal_line, commit.signals)), ""))
    if commit.letters:
        note((statements.DROP_LETTER, [(number,) for number in commit.letters], "letter"))
    if over:
        note((statements.DELETE_TIMERS, over, ""))


def write(connection: sqlite3.Connection, batch: Batch) -> None:
    """Run the batch inside the transaction that is open. Raises AlreadySeen, sqlite3.Error or Refused: then undo, and
    after the last two `diagnose`."""
    many = connection.executemany
    for sql, lines in (
        (statements.ADD_SEEN, batch.seen),
        (statements.ADD_CHAT, batch.new_chats),
        (statements.ADD_CONVERSATION, batch.new_conversations),
    ):
        if lines:
            many(sql, lines)
    for sql, lines in (
        (statements.CHANGE_CHAT, batch.chats),
        (statements.CHANGE_ACTIVE, batch.active),
        (statements.CHANGE_FINISHED, batch.finished),
    ):
        if lines and many(sql, lines).rowcount != len(lines):
            raise Refused
    for sql, lines in (
        (statements.ADD_VISIT, batch.visits),
        (statements.ADD_OUTGOING, batch.outbox),
        (statements.DELIVERED, batch.delivered),
    ):
        if lines:
            many(sql, lines)
    for sql, lines, called in batch.ordered:
        if called:
            _take(connection, sql, lines, called)
        else:
            many(sql, lines)


def _take(connection: sqlite3.Connection, sql: str, lines: list[Line], called: str) -> None:
    """Delete rows that must be there."""
    for line in lines:
        if connection.execute(sql, line).rowcount != 1:
            raise already_handled(called, line)


class Refused(Exception):  # noqa: N818 - says what happened
    """A row was not at the revision expected. Never leaves `storage`."""


def diagnose(connection: sqlite3.Connection, batch: Batch) -> AlreadySeen | Overtaken | None:
    """Why the batch could not be written, looked up after it was undone: the first update or row that stands
    against it. None when nothing does."""
    seen: set[str] = set()
    chats: dict[str, int | None] = {}
    conversations: dict[str, int | None] = {}
    for commit in batch.commits:
        for update in commit.seen:
            if update in seen or connection.execute(statements.IS_SEEN, (update,)).fetchone():
                return already_seen(update)
            seen.add(update)
        chat = commit.chat
        expected = None if commit.new_chat else chat.revision - 1
        if _revision(connection, statements.CHAT_REVISION, chat.id, chats) != expected:
            return chat_overtaken(chat.id)
        chats[chat.id] = chat.revision
        for conversation in commit.conversations:
            before = None if conversation.revision == 1 else conversation.revision - 1
            at = _revision(connection, statements.CONVERSATION_REVISION, conversation.id, conversations)
            if at != before:
                return conversation_overtaken(conversation.id)
            conversations[conversation.id] = conversation.revision
    return None


def _revision(connection: sqlite3.Connection, sql: str, key: str, known: dict[str, int | None]) -> int | None:
    if key not in known:
        line = connection.execute(sql, (key,)).fetchone()
        known[key] = None if line is None else int(line[0])
    return known[key]


def already_seen(update: str) -> AlreadySeen:
    return AlreadySeen(f"update {update} was handled before", update=update)


def already_handled(called: str, key: Iterable[object]) -> AlreadySeen:
    """A timer, call, signal or letter that this commit handles is not there any more."""
    words = f"{called} {'/'.join(map(str, key))}"
    return AlreadySeen(f"{words} was handled before", update=words)


def chat_overtaken(chat: str) -> Overtaken:
    return Overtaken(f"chat {chat} was changed by somebody else", chat=chat)


def conversation_overtaken(conversation: str) -> Overtaken:
    return Overtaken(f"conversation {conversation} was changed by somebody else", conversation=conversation)


def single_columns(values: Iterable[str]) -> list[Line]:
    """Keys as rows of one column, for executemany."""
    return [(value,) for value in values]
