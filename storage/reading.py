"""What is read from the tables and what cleaning deletes: synchronous, one call per hop. Opens no transaction."""

import logging
import re
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from engine.core.conversation import Conversation
from engine.runtime.ports import UNDELIVERED_FOR, Chat, Outgoing, PendingCall, SignalRow, TimerRow, VisitRow
from storage import rows, statements
from storage.batch import single_columns
from storage.errors import StoreError
from storage.rows import Line

SEEN_FOR = timedelta(days=7)
"""How long a handled update is remembered."""
SIGNALS_FOR = timedelta(days=7)
"""How long a signal waits for a conversation."""

_REF = re.compile(rb'"ref":"([a-z0-9]+)"')
_ANY_REF = re.compile(rb"(?<![a-z0-9])[a-z0-9]{24}(?![a-z0-9])")
"""What may be a file's ref, whatever it is called."""

log = logging.getLogger("stepgram.store")


def chat(connection: sqlite3.Connection, key: str) -> Chat | None:
    line = connection.execute(statements.CHAT, (key,)).fetchone()
    return None if line is None else rows.chat_of(line)


def chats_of(connection: sqlite3.Connection, customers: Iterable[str]) -> tuple[str, ...]:
    wanted = msgspec.json.encode(list(customers)).decode()
    return tuple(line[0] for line in connection.execute(statements.CHATS_OF, (wanted,)).fetchall())


def _one(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> Conversation | None:
    line = connection.execute(sql, parameters).fetchone()
    return None if line is None else stored_conversation(line)


def _many(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> tuple[Conversation, ...]:
    return readable(connection.execute(sql, parameters).fetchall())


def readable(lines: Iterable[Line]) -> tuple[Conversation, ...]:
    """Those that can be read: a damaged one keeps neither its customer nor all others from going on."""
    found = []
    for line in lines:
        try:
            found.append(stored_conversation(line))
        except StoreError as error:
            _report(str(error))
    return tuple(found)


def stored_conversation(line: Line) -> Conversation:
    """Of its id and its data. Raises StoreError for a damaged one."""
    key, data = line
    try:
        return rows.conversation_of(data)
    except Exception as error:  # whatever damaged data makes the decoder say
        raise StoreError(
            f"The conversation {key} cannot be read ({type(error).__name__}): it stays as it is, the others go on."
            " Put the row back from a backup, or delete it."
        ) from error


@lru_cache(maxsize=1024)
def _report(trouble: str) -> None:
    """Once for each row: what is due is asked for every second."""
    log.error(trouble)


def conversation(connection: sqlite3.Connection, key: str) -> Conversation | None:
    return _one(connection, statements.CONVERSATION, (key,))


def open_of_chat(connection: sqlite3.Connection, key: str) -> tuple[Conversation, ...]:
    return _many(connection, statements.OPEN_OF_CHAT, (key,))


def by_key(connection: sqlite3.Connection, flow: str, key: str) -> Conversation | None:
    return _one(connection, statements.OPEN_BY_KEY, (flow, key))


def ended_by_key(connection: sqlite3.Connection, flow: str, key: str) -> Conversation | None:
    return _one(connection, statements.ENDED_BY_KEY, (flow, key))


def signals(connection: sqlite3.Connection, flow: str, key: str, limit: int, news: bool) -> tuple[SignalRow, ...]:
    sql = statements.NEWS if news else statements.SIGNALS
    return tuple(map(rows.signal_of, connection.execute(sql, (flow, key, limit)).fetchall()))


def deliverable_signals(connection: sqlite3.Connection, limit: int) -> tuple[tuple[str, SignalRow], ...]:
    lines = connection.execute(statements.DELIVERABLE_SIGNALS, (limit,)).fetchall()
    return tuple((line[0], rows.signal_of(line[1:])) for line in lines)


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when another connection has written."""
    (version,) = connection.execute(statements.DATA_VERSION).fetchone()
    return int(version)


def expired(connection: sqlite3.Connection, now: datetime, limit: int) -> tuple[Conversation, ...]:
    return _many(connection, statements.EXPIRED, (rows.past_ms(now), limit))


def is_seen(connection: sqlite3.Connection, update: str) -> bool:
    return connection.execute(statements.IS_SEEN, (update,)).fetchone() is not None


def undelivered(connection: sqlite3.Connection) -> tuple[Outgoing, ...]:
    return tuple(map(rows.outgoing_of, connection.execute(statements.UNDELIVERED).fetchall()))


def undelivered_to(connection: sqlite3.Connection, chats: Sequence[str]) -> tuple[Outgoing, ...]:
    wanted = msgspec.json.encode(list(chats)).decode()
    return tuple(map(rows.outgoing_of, connection.execute(statements.UNDELIVERED_TO, (wanted,)).fetchall()))


def due_timers(connection: sqlite3.Connection, now: datetime, limit: int) -> tuple[TimerRow, ...]:
    lines = connection.execute(statements.DUE_TIMERS, (rows.past_ms(now), limit)).fetchall()
    return tuple(map(rows.timer_of, lines))


def due_calls(connection: sqlite3.Connection, now: datetime, limit: int) -> tuple[PendingCall, ...]:
    lines = connection.execute(statements.DUE_CALLS, (rows.past_ms(now), limit)).fetchall()
    return tuple(map(rows.call_of, lines))


def timers(connection: sqlite3.Connection, conversation: str) -> tuple[TimerRow, ...]:
    return tuple(map(rows.timer_of, connection.execute(statements.TIMERS_OF, (conversation,)).fetchall()))


def calls(connection: sqlite3.Connection, conversation: str) -> tuple[PendingCall, ...]:
    return tuple(map(rows.call_of, connection.execute(statements.CALLS_OF, (conversation,)).fetchall()))


def next_due(connection: sqlite3.Connection) -> datetime | None:
    (earliest,) = connection.execute(statements.NEXT_DUE).fetchone()
    return None if earliest is None else rows.moment(earliest)


def history(connection: sqlite3.Connection, key: str) -> tuple[VisitRow, ...]:
    return tuple(map(rows.visit_of, connection.execute(statements.HISTORY, (key,)).fetchall()))


def files_in(data: bytes) -> tuple[str, ...]:
    """The refs of received files that a stored conversation names."""
    return tuple(ref.decode() for ref in _REF.findall(data))


def names_in(data: bytes) -> set[str]:
    """Whatever looks like a file's ref in stored JSON."""
    return {ref.decode() for ref in _ANY_REF.findall(data)}


def naming(connection: sqlite3.Connection, sql: str, after: int, limit: int) -> tuple[int | None, set[str]]:
    """One piece of a table: its last row (None: there was none) and what may be a file's ref in it."""
    lines = connection.execute(sql, (after, limit)).fetchall()
    names = set().union(*(names_in(bytes(data)) for _, data in lines))
    return (int(lines[-1][0]) if lines else None), names


def forget_conversations(connection: sqlite3.Connection, flow: str, until: int, limit: int, files: set[str]) -> int:
    """Delete up to `limit` conversations of a flow that finished by `until` (epoch ms) and wait for no call,
    with all that hangs on them; the files that they name go into `files`. Inside the transaction that is open.
    How many went."""
    found = connection.execute(statements.FORGOTTEN, (flow, until, limit)).fetchall()
    for _, data in found:
        files.update(files_in(bytes(data)))
    keys = single_columns(line[0] for line in found)
    for sql in (statements.DELETE_VISITS, statements.DELETE_TIMERS, statements.DELETE_CONVERSATION):
        connection.executemany(sql, keys)
    return len(keys)


def flows(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the flows that conversations are of, whether there still is such a flow or not."""
    return tuple(name for (name,) in connection.execute(statements.FLOWS).fetchall())


def old_outgoing(connection: sqlite3.Connection, now: datetime) -> tuple[str, ...]:
    """The ids of messages that are given up by now."""
    before = rows.past_ms(now - UNDELIVERED_FOR)
    return tuple(key for (key,) in connection.execute(statements.OLD_OUTGOING, (before,)).fetchall())


def forget_seen(connection: sqlite3.Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` updates that are remembered for too long. Inside the transaction that is open."""
    before = rows.past_ms(now - SEEN_FOR)
    return connection.execute(statements.OLD_SEEN, (before, limit)).rowcount


def forget_signals(connection: sqlite3.Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` signals that nobody has asked for in time. Inside the transaction that is open."""
    before = rows.past_ms(now - SIGNALS_FOR)
    return connection.execute(statements.OLD_SIGNALS, (before, limit)).rowcount
