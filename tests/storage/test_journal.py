"""Both stores' journals keep the contract; and what only a file can do: survive, be full, stay quick when large."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from storage import statements
from storage.errors import StoreBusy, StoreError
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.storage.journal_contract import ANNA, JournalContract, entry, person
from tests.storage.samples import at

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def durable(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "a.db", synchronous="NORMAL")
    await store.open()
    yield store
    await store.close()


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def store(self, durable: SqliteStore) -> SqliteStore:
        return durable


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[MemoryStore]:
        memory = MemoryStore()
        await memory.open()
        yield memory
        await memory.close()


async def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.open()
    kept, _ = await store.journal.append(entry("a", surface="s", handled=False))
    gone, _ = await store.journal.append(entry("b"))
    await store.journal.clean(at(1))
    await store.journal.keep(person("anna"))
    await store.journal.set_value("clock", "5")
    await store.close()
    await store.open()
    assert await store.journal.entries(ANNA) == await store.journal.unhandled() == (kept,)
    assert await store.journal.people() == (person("anna"),)
    assert await store.journal.value("clock") == "5"
    fresh, new = await store.journal.append(entry("b"))
    assert new
    assert fresh.id > gone.id
    await store.close()


def _plan(connection: sqlite3.Connection, sql: str) -> str:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?")).fetchall()
    return " / ".join(str(row[3]) for row in rows)


def _fill(connection: sqlite3.Connection) -> None:
    """A hundred thousand entries of fifty chats, as `append_all` would leave them, by the database itself."""
    connection.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 99999)"
        " INSERT INTO journal (chat, at, kind, key, conversation, surface, payload, revision, handled)"
        " SELECT 'web:' || (n % 50), at, kind, 'filled ' || n, conversation, iif(n % 2, 'c' || n, ''), payload,"
        " revision, handled FROM numbers JOIN journal AS first ON first.key = 'first'"
    )


async def test_a_chat_among_a_hundred_thousand_entries_is_found_by_an_index(durable: SqliteStore) -> None:
    journal, writer = durable.journal, durable._writer
    assert writer is not None
    await journal.append(entry("first"))
    await writer.run(_fill)
    await journal.append(entry("last", "web:7", handled=False, surface="mine"))

    async def plan(sql: str) -> str:
        return await writer.run(partial(_plan, sql=sql))

    for statistics in (False, True):
        if statistics:
            await writer.run(lambda connection: connection.execute("ANALYZE").fetchall())
        assert await plan(statements.ENTRIES) == "SEARCH journal USING INDEX journal_chat (chat=? AND id<?)"
        assert "journal_surface (chat=? AND surface=?)" in await plan(statements.ENTRY_OF_SURFACE)
        assert "journal_handled (handled=?" in await plan(statements.UNHANDLED)
        assert "journal_handled (handled=? AND at<?)" in await plan(statements.OLD_ENTRIES)
    started = time.perf_counter()
    for _ in range(20):
        page = await journal.entries("web:7", limit=200)
    taken = time.perf_counter() - started
    assert len(page) == 200
    assert taken < 5, "20 pages of 200 took seconds: a whole table was read"
    assert [one.key for one in await journal.unhandled()] == ["last"]


async def test_a_full_disk_is_told_and_nothing_is_half_written(durable: SqliteStore) -> None:
    assert durable._writer is not None
    small, _ = await durable.journal.append(entry("small", surface="s"))
    pages = await durable._writer.run(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await durable._writer.run(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 3}").fetchone())
    big = b"x" * 100_000
    for call in (
        durable.journal.append_all([entry("before"), entry("big", payload=big)]),
        durable.journal.edit(ANNA, "s", big, at(1)),
        durable.journal.amend(small.id, big),
        durable.journal.set_value("big", "x" * 100_000),
    ):
        with pytest.raises(StoreError, match="The disk is full"):
            await call
    assert await durable.journal.entries(ANNA) == (small,)
    assert (await durable.journal.append(entry("after")))[1]


async def test_a_damaged_table_and_a_locked_file_are_told(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", busy_ms=1)
    await store.open()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="Another program keeps it locked"):
        await store.journal.append(entry("a"))
    other.execute("ROLLBACK")
    other.execute("DROP TABLE journal")
    other.close()
    with pytest.raises(StoreError, match="no such table: journal"):
        await store.journal.append(entry("a"))
    with pytest.raises(StoreError, match="no such table: journal"):
        await store.journal.entries(ANNA)
    await store.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from storage.sqlite_store import SqliteStore
from tests.storage.journal_contract import entry
from tests.storage.samples import at

async def main(file):
    store = SqliteStore(Path(file), synchronous="NORMAL")
    await store.open()
    async def talk(chat):
        number = 0
        while True:
            number += 1
            one, _ = await store.journal.append(entry(f"{chat}.{number}", chat, surface="s", handled=False))
            print("written", chat, number, flush=True)
            await store.journal.edit(chat, "s", b"edited", at(1))
            await store.journal.handled(one.id)
            print("handled", chat, number, flush=True)
    await asyncio.gather(*(talk(f"web:{n}") for n in range(4)))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("run", range(3))
async def test_killed_in_the_middle_every_confirmed_entry_is_there(tmp_path: Path, run: int) -> None:
    file = tmp_path / "a.db"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(40)]
    time.sleep(0.013 * (run + 1))
    process.kill()
    rest, _ = process.communicate()
    told: dict[tuple[str, str], int] = {}
    for line in (*lines, *rest.splitlines()):
        if len(words := line.split()) == 3:
            told[words[0], words[1]] = int(words[2])
    store = SqliteStore(file)
    await store.open()
    waiting = {one.key for one in await store.journal.unhandled()}
    for chat in (f"web:{n}" for n in range(4)):
        found = await store.journal.entries(chat, limit=100_000)
        confirmed, taken = told["written", chat], told["handled", chat]
        assert [one.key for one in found] == [f"{chat}.{n}" for n in range(1, len(found) + 1)]
        assert confirmed <= len(found) <= confirmed + 1
        assert all((one.payload, one.revision) == (b"edited", 2) for one in found[:taken])
        assert not waiting & {f"{chat}.{n}" for n in range(1, taken + 1)}
        again, new = await store.journal.append(replace(found[-1], id=0, payload=b"again"))
        assert (again, new) == (found[-1], False)
    await store.close()
