"""The SQLite store keeps the contract; and what only a file can do: survive, be held, be full, be damaged."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from storage import statements
from storage.errors import StoreBusy, StoreError, TransactionEnded
from storage.sqlite_store import SqliteStore
from tests.storage.contract import StoreContract, orders
from tests.storage.samples import Writer, conversation, outgoing, stepped, timer

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    durable = SqliteStore(tmp_path / "data" / "stepgram.db", synchronous="NORMAL")
    await durable.open()
    yield durable
    await durable.close()


class TestSqliteStore(StoreContract):
    pass


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    first = SqliteStore(file)
    await first.open()
    await first.commit([Writer().next(conversation(), outbox=(outgoing("o1", 1),), timers=(timer(5),), seen=("u1",))])
    await first.close()
    second = SqliteStore(file)
    await second.open()
    assert await second.conversation("c1") == conversation()
    assert await second.undelivered() == (outgoing("o1", 1),)
    assert await second.seen("u1")
    await second.close()
    assert {path.name for path in tmp_path.iterdir()} == {"a.db", "a.db.lock"}


async def test_several_files_in_one_process(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / f"{number}.db") for number in range(4)]
    await asyncio.gather(*(one.open() for one in stores))
    for number, one in enumerate(stores):
        await one.commit([Writer(f"terminal:{number}").next()])
    found = [[await one.chat(f"terminal:{number}") is not None for number in range(4)] for one in stores]
    assert found == [[row == column for column in range(4)] for row in range(4)]
    await asyncio.gather(*(one.close() for one in stores))


async def test_the_writer_is_set_as_asked(tmp_path: Path) -> None:
    for asked, level in (("FULL", 2), ("NORMAL", 1)):
        one = SqliteStore(tmp_path / f"{asked}.db", synchronous=asked)  # type: ignore[arg-type]
        await one.open()
        assert one._writer is not None
        assert await one._writer.run(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (level,)
        assert await one._writer.run(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
        assert await one._writer.run(lambda c: c.execute("PRAGMA busy_timeout").fetchone()) == (5000,)
        await one.close()


def _plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?")).fetchall()
    return [str(row[3]) for row in rows]


async def test_no_statement_reads_a_whole_table(store: SqliteStore) -> None:
    """Costs must not grow with what is stored. The outbox is read whole: at the start, what waits is all of it; people
    are listed on the page, all of them; signals that wait are looked through at the start and once an hour."""
    whole = {"UNDELIVERED", "UNDELIVERED_TO", "OLD_OUTGOING", "PEOPLE", "DELIVERABLE_SIGNALS", "OLD_SIGNALS"}
    assert store._reader is not None
    texts = {name: sql for name, sql in vars(statements).items() if name.isupper() and isinstance(sql, str)}
    for name, sql in texts.items():
        if name in {"BEGIN", "WRITE_NOTHING", *whole} or name.startswith("_"):
            continue
        question = partial(_plan, sql=sql)
        plan = await store._reader.run(question)
        fine = ("SCAN CONSTANT", "SCAN subquery", "SCAN (subquery", "SCAN next", "SCAN customer")
        scans = [line for line in plan if line.startswith("SCAN") and not line.startswith(fine)]
        assert scans == [], name
    assert len(texts) > 25


async def test_a_second_store_on_the_file_is_told_who_has_it(tmp_path: Path, store: SqliteStore) -> None:
    second = SqliteStore(store._file)
    with pytest.raises(StoreBusy, match=r"in use by process \d+\. Stop it first"):
        await second.open()
    other = subprocess.run(
        [
            sys.executable,
            "-c",
            "import asyncio, sys, pathlib\n"
            "from storage.sqlite_store import SqliteStore\n"
            "try: asyncio.run(SqliteStore(pathlib.Path(sys.argv[1])).open())\n"
            "except Exception as error: print(type(error).__name__)",
            str(store._file),
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    assert other.stdout.strip() == "StoreBusy", other.stderr
    await store.commit([Writer().next()])
    await store.close()
    await second.open()
    assert await second.chat("terminal:anna") is not None
    await second.close()


async def test_a_lock_of_another_program_is_waited_for(tmp_path: Path) -> None:
    one = SqliteStore(tmp_path / "a.db", busy_ms=1)
    await one.open()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.15, other.execute, ("ROLLBACK",))
    release.start()
    await one.commit([Writer().next()])
    release.join()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="Another program keeps it locked"):
        await one.commit([Writer("terminal:b").next()])
    with pytest.raises(StoreBusy):
        async with one.transaction():
            pass
    other.execute("ROLLBACK")
    other.close()
    await one.commit([Writer("terminal:b").next()])
    await one.close()


async def test_a_full_disk_is_told_and_nothing_is_half_written(store: SqliteStore) -> None:
    assert store._writer is not None
    pages = await store._writer.run(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await store._writer.run(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 3}").fetchone())
    big = replace(outgoing("big", 1), payload=b"x" * 100_000)
    writer = Writer()
    with pytest.raises(StoreError, match="The disk is full"):
        await store.commit([writer.next(conversation(), outbox=(big,))])
    assert await store.conversation("c1") is None
    with pytest.raises(TransactionEnded, match="undone this transaction"):  # noqa: PT012
        async with store.transaction() as transaction:
            with pytest.raises(StoreError, match="The disk is full"):
                await transaction.apply(Writer().next(conversation(), outbox=(big,)))
            # SQLite has undone everything: what followed would be written outside of any transaction
            await transaction.execute("UPDATE print_orders SET status = 'x'")
    await store.commit([Writer().next()])
    assert await store.chat("terminal:anna") is not None


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.write_text("this is a shopping list, not a database " * 100)
    with pytest.raises(StoreError, match=r"not a SQLite database. Give another file name"):
        await SqliteStore(file).open()
    assert file.read_text().startswith("this is a shopping list")


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE things (id)")
    with pytest.raises(StoreError, match="of another program"):
        await SqliteStore(file).open()
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("things",)]


async def test_a_damaged_file(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    one = SqliteStore(file)
    await one.open()
    await one.close()
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xa5" * (4096 - 100)
    file.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="damaged"):
        await SqliteStore(file).open()


async def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        await SqliteStore(blocked / "a.db").open()
    folder = tmp_path / "folder.db"
    folder.mkdir()
    with pytest.raises(StoreError, match="is not a file"):
        await SqliteStore(folder).open()


async def test_a_file_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root a file's mode stops nobody, so the driver opens it read-only."""
    file = tmp_path / "a.db"
    one = SqliteStore(file)
    await one.open()
    await one.close()
    real = sqlite3.connect

    def read_only(database: object, **options: object) -> sqlite3.Connection:
        return real(f"file:{database}?mode=ro", uri=True, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr("aiosqlite.core.sqlite3.connect", read_only)
    with pytest.raises(StoreError, match="Give this user the right to write"):
        await SqliteStore(file).open()
    monkeypatch.undo()
    await one.open()
    await one.close()


async def test_a_killed_opening_task_gives_the_file_free(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    for steps in range(0, 60, 3):
        one = SqliteStore(file)
        task = asyncio.create_task(one.open())
        for step in range(steps):
            await asyncio.sleep(0 if step < 20 else 0.0005)
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            await one.close()
        fresh = SqliteStore(file)
        await fresh.open()
        await fresh.close()
    assert {path.name for path in tmp_path.iterdir()} == {"a.db", "a.db.lock"}


KILLED = """
import asyncio, sys
from pathlib import Path
from storage.sqlite_store import SqliteStore
from tests.storage.samples import Writer, conversation, outgoing, stepped, visit

async def main(file, run):
    store = SqliteStore(Path(file), synchronous="NORMAL")
    await store.open()
    async def customer(number):
        writer = Writer(f"terminal:{run}.{number}")
        key = f"{run}x{number}"
        current = conversation(key, writer.chat.id)
        while True:
            revision = current.revision
            more = dict(seen=(f"{key}.{revision}",), visits=(visit("answered", key, revision),),
                        outbox=(outgoing(f"{key}.{revision}", revision, writer.chat.id),))
            commit = writer.next(current, **more)
            if revision % 3:
                await store.commit([commit])
            else:
                async with store.transaction() as transaction:
                    await transaction.execute(
                        "INSERT INTO print_orders (number, idempotency_key, chat, document, status, created_at)"
                        " VALUES (?, ?, '', '{}', 'new', 1)", (f"{key}.{revision}", f"{key}.{revision}"))
                    await transaction.apply(commit)
            print(key, revision, flush=True)
            current = stepped(current)
    await asyncio.gather(*map(customer, range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("run", range(4))
async def test_killed_in_the_middle_everything_confirmed_is_there_and_nothing_is_half(tmp_path: Path, run: int) -> None:
    file = tmp_path / "a.db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(file), str(run)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(20)]
    time.sleep(0.013 * (run + 1))
    process.kill()
    rest, _ = process.communicate()
    lines += rest.splitlines()
    told: dict[str, int] = {}
    for line in lines:
        if len(words := line.split()) == 2:
            told[words[0]] = int(words[1])
    store = SqliteStore(file)
    await store.open()
    placed = set(await orders(store))
    waiting = {row.id for row in await store.undelivered()}
    for key, confirmed in told.items():
        found = await store.conversation(key)
        assert found is not None
        assert confirmed <= found.revision <= confirmed + 1
        revisions = range(1, found.revision + 1)
        assert [row.trace.visit for row in await store.history(key)] == list(revisions)
        assert {f"{key}.{n}" for n in revisions} == {one for one in waiting if one.startswith(f"{key}.")}
        assert {f"{key}.{n}" for n in revisions if n % 3 == 0} == {
            one for one in placed if str(one).startswith(f"{key}.")
        }
        chat = await store.chat(found.chat)
        assert chat is not None
        assert chat.revision == found.revision
        assert await store.seen(f"{key}.{found.revision}")
        assert not await store.seen(f"{key}.{found.revision + 1}")
        writer = Writer()
        writer.chat = chat
        await store.commit([writer.next(stepped(found))])
    await store.close()
