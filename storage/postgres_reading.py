"""What is read from PostgreSQL's tables and what cleaning deletes: one connection in, values of the runtime out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.core.conversation import Conversation
from engine.runtime.ports import Chat, Outgoing, PendingCall, SignalRow, TimerRow, VisitRow
from storage import postgres_statements as statements
from storage import reading, rows
from storage.postgres_rows import key as fitted_key
from storage.postgres_rows import text, update_id
from storage.statements import FLOWS

if TYPE_CHECKING:
    import asyncpg

    Line = asyncpg.Connection


async def _lines(line: "Line", sql: str, *parameters: object) -> list[Any]:
    """Rows, which can be taken apart like tuples."""
    return list(await line.fetch(sql, *parameters))


async def chat(line: "Line", name: str) -> Chat | None:
    found: Any = await line.fetchrow(statements.CHAT, text(name))
    return None if found is None else rows.chat_of(found)


async def conversation(line: "Line", name: str) -> Conversation | None:
    return await _one(line, statements.CONVERSATION, text(name))


async def open_of_chat(line: "Line", name: str) -> tuple[Conversation, ...]:
    return reading.readable(await _lines(line, statements.OPEN_OF_CHAT, text(name)))


async def by_key(line: "Line", flow: str, key: str) -> Conversation | None:
    return await _one(line, statements.OPEN_BY_KEY, text(flow), text(fitted_key(key)))


async def ended_by_key(line: "Line", flow: str, key: str) -> Conversation | None:
    return await _one(line, statements.ENDED_BY_KEY, text(flow), text(fitted_key(key)))


async def is_seen(line: "Line", update: str) -> bool:
    return await line.fetchval(statements.IS_SEEN, text(update_id(update))) is not None


async def undelivered(line: "Line") -> tuple[Outgoing, ...]:
    return tuple(map(rows.outgoing_of, await _lines(line, statements.UNDELIVERED)))


async def undelivered_to(line: "Line", chats: Sequence[str]) -> tuple[Outgoing, ...]:
    return tuple(map(rows.outgoing_of, await _lines(line, statements.UNDELIVERED_TO, [text(name) for name in chats])))


async def timers(line: "Line", name: str) -> tuple[TimerRow, ...]:
    return tuple(map(rows.timer_of, await _lines(line, statements.TIMERS_OF, text(name))))


async def calls(line: "Line", name: str) -> tuple[PendingCall, ...]:
    return tuple(map(rows.call_of, await _lines(line, statements.CALLS_OF, text(name))))


async def history(line: "Line", name: str) -> tuple[VisitRow, ...]:
    return tuple(map(rows.visit_of, await _lines(line, statements.HISTORY, text(name))))


async def signals(line: "Line", flow: str, key: str, limit: int, news: bool) -> tuple[SignalRow, ...]:
    sql = statements.NEWS if news else statements.SIGNALS
    found = await _lines(line, sql, text(flow), text(fitted_key(key)), limit)
    return tuple(map(rows.signal_of, found))


async def due(line: "Line", sql: str, now: int, limit: int, buckets: Sequence[int] | None) -> Sequence[Any]:
    """Rows of what is due, for a worker those of its buckets."""
    if buckets is None:
        return await _lines(line, statements.of_all(sql), now, limit)
    return await _lines(line, statements.of_buckets(sql, 3), now, limit, buckets)


async def next_due(line: "Line", buckets: Sequence[int] | None) -> int | None:
    if buckets is None:
        found = await line.fetchval(statements.of_all(statements.NEXT_DUE))
    else:
        found = await line.fetchval(statements.of_buckets(statements.NEXT_DUE, 1), buckets)
    return None if found is None else int(found)


async def deliverable_signals(
    line: "Line", limit: int, buckets: Sequence[int] | None
) -> tuple[tuple[str, SignalRow], ...]:
    if buckets is None:
        found = await _lines(line, statements.of_all(statements.DELIVERABLE_SIGNALS), limit)
    else:
        found = await _lines(line, statements.of_buckets(statements.DELIVERABLE_SIGNALS, 2), limit, buckets)
    return tuple((row[0], rows.signal_of(tuple(row)[1:])) for row in found)


async def naming(line: "Line", sql: str, after: Any, limit: int) -> tuple[Any, set[str]]:
    """One piece of a table: its last row (None: there was none) and what may be a file's ref in it."""
    found = await _lines(line, sql, after, limit)
    names: set[str] = set().union(*(reading.names_in(row[1]) for row in found))
    return (found[-1][0] if found else None), names


async def flows(line: "Line") -> tuple[str, ...]:
    """The names of the flows that conversations are of, whether there still is such a flow or not."""
    return tuple(str(row[0]) for row in await _lines(line, FLOWS))


async def forget_conversations(line: "Line", flow: str, until: int, files: set[str], limit: int) -> int:
    """Delete up to `limit` conversations of a flow that finished by `until` (epoch ms) and wait for no call, with all
    that hangs on them; the files that they name go into `files`. How many went."""
    found = await _lines(line, statements.FORGOTTEN, text(flow), until, limit)
    for (data,) in found:
        files.update(reading.files_in(data))
    return len(found)


async def forget(line: "Line", sql: str, before: int, limit: int) -> int:
    """Delete up to `limit` rows older than `before` (epoch ms). How many went."""
    return int((await line.execute(sql, before, limit)).split()[-1])


async def _one(line: "Line", sql: str, *parameters: object) -> Conversation | None:
    found: Any = await line.fetchrow(sql, *parameters)
    return None if found is None else reading.stored_conversation(found)
