"""A store does not grow for ever: a year of a busy bot, what is given up, and the file on the disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.runtime.journal import Entry
from engine.runtime.ports import NewSignal, Store
from storage import upkeep
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.storage.older import filled
from tests.storage.samples import T0, Writer, conversation, finished, outgoing, timer, visit

DAY = 86400.0
RETENTION = {"order": 30 * DAY, "kept": None}


@pytest.fixture(params=["sqlite", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = SqliteStore(tmp_path / "a.db", synchronous="NORMAL") if request.param == "sqlite" else MemoryStore()
    await made.open()
    yield made
    await made.close()


async def week(store: Store, number: int, customers: int = 40) -> None:
    """What a bot leaves behind in a week: talks that end, updates, messages that never reach anybody, signals for
    nobody, what a page keeps."""
    start = number * 7 * DAY
    commits = []
    for customer in range(customers):
        name = f"{number:04d}{customer:04d}"
        writer = Writer(f"web:{name}")
        talk = conversation(f"t{name}", writer.chat.id, flow="gone" if customer % 8 == 0 else "order")
        talk = replace(talk, started_at=T0 + timedelta(seconds=start), touched_at=T0 + timedelta(seconds=start))
        row = replace(outgoing(f"{name}#1", 1, writer.chat.id), created_at=T0 + timedelta(seconds=start))
        visits = tuple(visit("entered", talk.id) for _ in range(12))
        first = {"timers": (timer(start + 60, of=talk.id),), "seen": (f"u{name}",)}
        commits.append(writer.next(talk, seconds=start, visits=visits, outbox=(row,), **first))
        done = finished(talk, start + DAY)
        delivered = () if customer % 20 == 0 else (row.id,)
        commits.append(writer.next(done, seconds=start + DAY, delivered=delivered, seen=(f"v{name}",)))
        at = T0 + timedelta(seconds=start)
        if customer % 10 == 0:
            await store.keep_signal(
                NewSignal(update=f"s{name}", flow="order", key=name, name="paid", payload=b"{}", at=at)
            )
        await store.journal.append(Entry(chat=writer.chat.id, at=at, kind="message", key=name, payload=b"x" * 2000))
    await store.commit(commits)


async def test_a_year_of_a_busy_bot_stays_within_a_bound(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    sizes: list[int] = []
    for number in range(52):
        await week(store, number)
        now = T0 + timedelta(days=7 * (number + 1))
        cleaned = await store.cleanup(now, RETENTION)
        await store.journal.clean(now - timedelta(days=90))
        if number > 20:
            assert cleaned.conversations == 40
            assert cleaned.outbox == 2
            assert cleaned.signals == 4
        if file.exists():
            sizes.append(file.stat().st_size)
            assert file.with_name("a.db-wal").stat().st_size <= 16 * 2**20
    assert len(await store.undelivered()) <= 2 * 5
    assert len(await store.journal.old("message", now)) <= 40 * 14
    assert await store.history("t00510001"), "what is young stays"
    if sizes:
        assert max(sizes[20:]) < 1.1 * sizes[20] + 2**20, sizes
        with closing(sqlite3.connect(file)) as connection:
            for table, most in (("conversations", 300), ("visits", 3600), ("seen_updates", 80), ("signals", 4)):
                (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                assert 0 < count <= most, table


async def test_flows_without_a_file_have_a_retention_and_kept_ones_stay(store: Store) -> None:
    for flow in ("order", "gone", "kept"):
        talk = conversation(f"c{flow}", f"web:{flow}", flow=flow)
        writer = Writer(talk.chat)
        await store.commit([writer.next(talk), writer.next(finished(talk, 0), visits=(visit("ended", talk.id),))])
    still = [(29, {"corder", "cgone", "ckept"}), (31, {"cgone", "ckept"}), (89, {"cgone", "ckept"}), (91, {"ckept"})]
    for days, left in still:
        await store.cleanup(T0 + timedelta(days=days), RETENTION)
        found = {key for key in ("corder", "cgone", "ckept") if await store.conversation(key) is not None}
        assert found == left, days
        assert all([bool(await store.history(key)) == (key in left) for key in ("corder", "cgone", "ckept")])


async def test_open_talks_of_a_flow_without_a_file_stay(store: Store) -> None:
    await store.commit([Writer("web:a").next(conversation("c1", "web:a", flow="gone"))])
    assert (await store.cleanup(T0 + timedelta(days=4000), RETENTION)).conversations == 0
    assert await store.conversation("c1") is not None


async def test_what_could_not_be_delivered_for_thirty_days_is_given_up(store: Store) -> None:
    young = replace(outgoing("o2", 2), created_at=T0 + timedelta(days=1))
    await store.commit([Writer().next(outbox=(outgoing("o1", 1), young))])
    assert (await store.cleanup(T0 + timedelta(days=30), {})).outbox == 0
    assert (await store.cleanup(T0 + timedelta(days=30, seconds=1), {})).outbox == 1
    assert [row.id for row in await store.undelivered()] == ["o2"]


@pytest.fixture
async def durable(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "a.db", synchronous="NORMAL")
    await made.open()
    yield made
    await made.close()


async def test_room_goes_back_to_the_disk_in_small_pieces(durable: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    entries = [
        Entry(chat="web:a", at=T0, kind="message", key=f"k{number}", payload=b"x" * 3500) for number in range(4000)
    ]
    await durable.journal.append_all(entries)
    await durable.cleanup(T0, {})
    full = file.stat().st_size
    assert full > 14 * 2**20
    await durable.journal.clean(T0 + timedelta(days=1))
    await durable.cleanup(T0, {})
    once = upkeep.PIECES * upkeep.PIECE * 4096
    assert once <= full - file.stat().st_size < once + 2**18, "not all at once: timers wait for a clean-up"
    await durable.cleanup(T0, {})
    assert file.stat().st_size < 4 * 2**20, "all but a reserve"
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_customers_go_on_while_room_is_given_back(durable: SqliteStore) -> None:
    big = [Entry(chat="web:a", at=T0, kind="message", key=f"k{n}", payload=b"x" * 3500) for n in range(4000)]
    await durable.journal.append_all(big)
    await durable.journal.clean(T0 + timedelta(days=1))
    cleaning = asyncio.ensure_future(durable.cleanup(T0, {}))
    written = 0
    while not cleaning.done():
        await durable.commit([Writer(f"web:{written}").next()])
        written += 1
    await cleaning
    assert written > 10


async def test_our_own_reader_never_holds_the_log(durable: SqliteStore, tmp_path: Path) -> None:
    """After every question the log can be brought into the file and begun anew."""
    await durable.close()
    (tmp_path / "a.db").unlink()
    await filled(tmp_path / "a.db")
    await durable.open()
    soon = T0 + timedelta(days=1)
    questions = (
        durable.chat("terminal:anna"), durable.conversation("c1"), durable.conversations("terminal:anna"),
        durable.by_key("order", "k"), durable.ended_by_key("order", "k"), durable.seen("u1"), durable.undelivered(),
        durable.undelivered_to(["terminal:anna"]), durable.due_timers(soon, 1), durable.due_expirations(soon, 1),
        durable.due_calls(soon, 1), durable.timers("c1"), durable.calls("c1"), durable.next_due(),
        durable.history("c1"), durable.unnamed(["a" * 24]), durable.signals("order", "k"),
        durable.deliverable_signals(1), durable.changed_outside(), durable.journal.people(),
        durable.journal.entries("web:anna"), durable.journal.unhandled(), durable.journal.old("message", soon),
        durable.journal.value("clock"),
    )  # fmt: skip
    for number, question in enumerate(questions):
        await durable.commit([Writer(f"web:{number}").next()])
        await question
        done = await durable._hop(durable._writer).run(
            lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        )
        assert done == (0, 0, 0), number


async def test_somebody_else_s_open_database_is_told_and_does_not_stop_anything(
    durable: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "LONG_LOG", 100_000)
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as browser:
        browser.execute("BEGIN")
        browser.execute("SELECT count(*) FROM chats").fetchone()
        entries = [Entry(chat="web:a", at=T0, kind="message", key=f"k{n}", payload=b"x" * 900) for n in range(400)]
        await durable.journal.append_all(entries)
        await durable.cleanup(T0, {})
        assert "another program has kept the database open" in caplog.text
        assert (tmp_path / "a.db-wal").stat().st_size > 100_000
    caplog.clear()
    await durable.cleanup(T0, {})
    assert (tmp_path / "a.db-wal").stat().st_size == 0
    assert not caplog.text


async def test_nothing_is_noted_about_small_tables(durable: SqliteStore, tmp_path: Path) -> None:
    """Figures of almost empty tables (ANALYZE, `PRAGMA optimize`) would make SQLite read them whole, also when they
    have grown since."""
    await durable.commit([Writer("web:a").next(conversation("c1", "web:a"))])
    await durable.cleanup(T0, {})
    await durable.close()
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat%'").fetchall() == []
