"""What a commit of the store costs beside stdlib sqlite3 doing the same writes. Run it as a script, or call `measure`.

The same rows, statements and settings on both sides, in turns within one run; compare the ratios, not the figures.
"""

import asyncio
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from engine.core.conversation import Conversation, Frame, Visit
from engine.core.effects import Trace
from engine.runtime.ports import Chat, Commit, Outgoing, VisitRow
from storage import batch
from storage.sqlite_store import SqliteStore

Level = Literal["FULL", "NORMAL"]
IN_FLIGHT = 64
_T0 = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_PAYLOAD = b'{"text": "Which material would you like?", "rows": [["PLA", "PETG", "ABS"], ["Back", "Cancel"]]}'


def commits(events: int, customers: int, name: str) -> list[Commit]:
    """A customer's answers: conversation saved, a line in the log, the last message delivered, the next one sent."""
    made: list[Commit] = []
    current: dict[int, tuple[Chat, Conversation]] = {}
    for event in range(events):
        who = event % customers
        now = _T0 + timedelta(milliseconds=event)
        chat, conversation = current.get(who) or _begin(f"{name}{who}")
        chat = replace(chat, revision=chat.revision + 1)
        revision = conversation.revision + 1
        conversation = replace(conversation, revision=revision, touched_at=now, expires_at=now + timedelta(days=1))
        current[who] = (chat, conversation)
        key = f"{conversation.id}.{revision}"
        trace = Trace(visit=revision, step="material", kind="answered", detail="PLA")
        outgoing = Outgoing(
            id=key,
            chat=chat.id,
            sequence=revision,
            kind="show",
            payload=_PAYLOAD,
            surface=key,
            created_at=now,
        )
        made.append(
            Commit(
                chat=chat,
                new_chat=revision == 1,
                conversations=(conversation,),
                visits=(VisitRow(conversation=conversation.id, at=now, trace=trace),),
                outbox=(outgoing,),
                delivered=(f"{conversation.id}.{revision - 1}",) if revision > 1 else (),
                seen=(f"bot:{name}{event}",),
                at=now,
            )
        )
    return made


def _begin(name: str) -> tuple[Chat, Conversation]:
    answers: dict[str, object] = {f"answer_{number}": "a customer's words, some of them" for number in range(12)}
    frame = Frame(flow="print_order", version="abc", visit=Visit(number=1, step="material"), data=answers)
    chat = Chat(id=f"telegram:{name}", name="Anna", revision=0)
    return chat, Conversation(
        id=name, chat=chat.id, flow="print_order", frames=(frame,), started_at=_T0, touched_at=_T0
    )


def _encoded(made: Sequence[Commit]) -> list[batch.Batch]:
    return [batch.prepare((commit,)) for commit in made]


def raw_writes(file: Path, level: Level, encoded: Sequence[batch.Batch], waits: list[float] | None = None) -> float:
    """Seconds that stdlib sqlite3 needs for these writes, one transaction each, in a file that has the tables. `waits`
    gets the seconds of each."""
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode = WAL", f"synchronous = {level}", "journal_size_limit = 16777216"):
        connection.execute(f"PRAGMA {pragma}").fetchone()
    begun = time.perf_counter()
    for prepared in encoded:
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        batch.write(connection, prepared)
        connection.execute("COMMIT")
        if waits is not None:
            waits.append(time.perf_counter() - started)
    spent = time.perf_counter() - begun
    connection.close()
    return spent


async def _one_by_one(store: SqliteStore, made: Sequence[Commit]) -> float:
    begun = time.perf_counter()
    for commit in made:
        await store.commit((commit,))
    return time.perf_counter() - begun


async def _together(store: SqliteStore, made: Sequence[Commit]) -> float:
    begun = time.perf_counter()
    for first in range(0, len(made), IN_FLIGHT):
        await store.commit(made[first : first + IN_FLIGHT])
    return time.perf_counter() - begun


async def measure(events: int) -> dict[str, float]:
    """Microseconds per commit, for `synchronous` FULL and NORMAL: stdlib sqlite3 with the same writes already
    encoded, the store with one conversation in flight, the store with 64 in one batch; and the ratios. The best
    of three rounds."""
    figures: dict[str, float] = {}
    levels: tuple[Level, ...] = ("FULL", "NORMAL")
    folder = Path(tempfile.mkdtemp(prefix="store_floor"))
    try:
        for level in levels:
            rounds = [await _round(folder / f"{level}{number}.db", level, events) for number in range(3)]
            raw, one, many = (min(values) * 1e6 / events for values in zip(*rounds, strict=True))
            figures |= {
                f"{level} raw": raw,
                f"{level} store, 1 in flight": one,
                f"{level} store, {IN_FLIGHT} in flight": many,
                f"{level} ratio": one / raw,
            }
    finally:
        shutil.rmtree(folder)
    return figures


async def _round(file: Path, level: Level, events: int) -> tuple[float, float, float]:
    store = SqliteStore(file, synchronous=level)
    await store.open()
    await store.close()
    raw = raw_writes(file, level, _encoded(commits(events, 20, "r")))
    await store.open()
    one = await _one_by_one(store, commits(events, 20, "o"))
    many = await _together(store, commits(events, IN_FLIGHT, "m"))
    await store.close()
    return raw, one, many


def main(show: Callable[[str], object] = print) -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for name, value in asyncio.run(measure(events)).items():
        show(f"{name:28} {value:8.1f}{'' if name.endswith('ratio') else ' µs'}")


if __name__ == "__main__":
    main()
