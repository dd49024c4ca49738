"""What more flows, more stored conversations and more pending timers add to the price of an event."""

import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path

from engine.core.conversation import Conversation, Frame, Past, Visit
from engine.runtime.clock import SystemClock
from engine.runtime.ports import Chat, Commit, Store, TimerRow
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.benchmarks.figures import Figure, Size, middle
from tests.benchmarks.work import Bench, bench

_AT_ONCE = 1000
"""Commits per transaction while a store is filled."""
_BY_SQL = 50_000
"""From so many on a store is filled by SQL."""
_COPIED = {
    "id": "replace(id, 'idle0', 'idle' || n)",
    "chat": "replace(chat, 'idle0', 'idle' || n)",
    "front": "replace(front, 'idle0', 'idle' || n)",
    "data": "CAST(replace(CAST(data AS TEXT), 'idle0', 'idle' || n) AS BLOB)",
    "expires_at": "expires_at + n * 1000",
}
"""How a column of a copy follows from the one that is copied and its number `n`."""


def stored(number: int, timers: int = 0) -> Commit:
    """An idle conversation of somebody else, five answers in, with so many timers that come due next week."""
    now = SystemClock().now()
    name, chat = f"idle{number}", f"bench:idle{number}"
    trail = tuple(
        Past(number=visit, step=f"step{visit}", trigger="answered", value=f"answer {visit}") for visit in range(1, 6)
    )
    frame = Frame(
        flow="print_order", version="1", visit=Visit(number=6, step="material"), trail=trail,
        data={past.step: past.value for past in trail},
    )  # fmt: skip
    conversation = Conversation(
        id=name, chat=chat, flow="print_order", frames=(frame,), revision=1, next_visit=7, started_at=now,
        touched_at=now, expires_at=now + timedelta(days=3, seconds=number),
    )  # fmt: skip
    due = now + timedelta(days=7)
    rows = tuple(
        TimerRow(conversation=name, chat=chat, visit=6, name=f"t{index}", due=due + timedelta(seconds=index))
        for index in range(timers)
    )
    return Commit(
        chat=Chat(id=chat, front=name, revision=1), new_chat=True, conversations=(conversation,), timers=rows, at=now
    )


async def fill(store: Store, conversations: int, timers: int = 0) -> None:
    """So many idle conversations, with so many timers in all."""
    each = -(-timers // conversations) if timers else 0
    for first in range(0, conversations, _AT_ONCE):
        last = min(first + _AT_ONCE, conversations)
        await store.commit([stored(number, min(each, max(0, timers - number * each))) for number in range(first, last)])


async def fill_by_sql(store: SqliteStore, file: Path, conversations: int) -> None:
    """The same, copied by SQLite itself from one that the store wrote. The store is closed at the end."""
    await store.commit([stored(0)])
    await store.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for table in ("chats", "conversations"):
            names = [line[1] for line in connection.execute(f"PRAGMA table_info({table})")]
            copied = ", ".join(_COPIED.get(name, name) for name in names)
            connection.execute(
                f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
                f" INSERT INTO {table} ({', '.join(names)}) SELECT {copied} FROM {table}, numbers",
                (conversations - 1,),
            )
        connection.execute("COMMIT")


async def _side_by_side(size: Size, bots: Sequence[Bench]) -> list[float]:
    """Microseconds per event of several bots, measured in turns."""
    taken: list[list[float]] = [[] for _ in bots]
    for number in range(size.rounds + 1):
        for values, busy in zip(taken, bots, strict=True):
            run = await busy.run(size.orders)
            if number:  # the first round warms up
                values.append(run.micros)
    return [middle(values) for values in taken]


def _beside_first(name: str, counts: Sequence[int], micros: Sequence[float]) -> list[Figure]:
    return [
        Figure(name=f"flat: {count:,} {name} / {counts[0]:,}", value=value, floor=micros[0], goal=1.2)
        for count, value in zip(counts[1:], micros[1:], strict=True)
    ]


async def flows(place: Path, size: Size) -> list[Figure]:
    """More flows loaded; in memory, where it would show most."""
    async with AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(bench(place, MemoryStore(), flows=more)) for more in size.flows]
        micros = await _side_by_side(size, busy)
    return _beside_first("flows loaded", [more + 1 for more in size.flows], micros)


async def _filled(place: Path, conversations: int, timers: int) -> SqliteStore:
    store = SqliteStore(place / f"{conversations}and{timers}.db", synchronous="NORMAL")
    await store.open()
    if conversations < _BY_SQL:
        await fill(store, conversations, timers)
        await store.close()
    else:
        await fill_by_sql(store, place / f"{conversations}and{timers}.db", conversations)
    return store


async def conversations(place: Path, size: Size) -> list[Figure]:
    """More conversations in the store; NORMAL, since a disk that waits would hide it."""
    async with AsyncExitStack() as stack:
        stores = [await _filled(place, count, 0) for count in size.stored]
        busy = [await stack.enter_async_context(bench(place, store)) for store in stores]
        micros = await _side_by_side(size, busy)
    return _beside_first("conversations stored", size.stored, micros)


async def timers(place: Path, size: Size) -> list[Figure]:
    """More timers that wait for their time."""
    async with AsyncExitStack() as stack:
        stores = [await _filled(place, size.stored[0], count) for count in size.timers]
        busy = [await stack.enter_async_context(bench(place, store)) for store in stores]
        micros = await _side_by_side(size, busy)
    return _beside_first("timers pending", size.timers, micros)
