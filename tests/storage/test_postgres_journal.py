"""PostgreSQL's journal keeps the contract; and what only a server can do: be gone and back, serve several processes."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from storage import postgres_appending, postgres_journal
from storage.errors import StoreError
from storage.postgres_store import PostgresStore
from tests.postgres import Server
from tests.storage.journal_contract import ANNA, JournalContract, entry, person
from tests.storage.samples import at

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def one_database(postgres_server: Server, migrated_template: str) -> Iterator[str]:
    """One for all tests here, since making one takes longer than most of them."""
    url = postgres_server.create(migrated_template)
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def database_url(one_database: str) -> str:
    """Nothing was ever written."""
    connection = await asyncpg.connect(one_database)
    tables = "journal, people, page_values, chats, conversations, seen_updates, timers, pending_calls"
    await connection.execute(f"TRUNCATE {tables}")
    await connection.close()
    return one_database


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    opened = PostgresStore(database_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def hand(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of nobody's, to look and to meddle."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class TestPostgresJournal(JournalContract):
    @pytest.fixture
    def store(self, store: PostgresStore) -> PostgresStore:
        return store


async def test_texts_with_what_the_database_cannot_keep_come_back(store: PostgresStore) -> None:
    for number, odd in enumerate(("\0", "\x1a", "\x1a0", "\x1as", "a\0\x1a\0", "\x1a\x1a00s", "\\0")):
        written, _ = await store.journal.append(entry(odd, chat=odd, surface=odd, handled=False))
        assert await store.journal.entries(odd) == (written,)
        assert await store.journal.unhandled(odd[:1]) != ()
        assert (await store.journal.append(entry(odd)))[1] is False
        await store.journal.keep(person(f"p{number}", phone=odd))
        assert person(f"p{number}", phone=odd) in await store.journal.people()
        await store.journal.set_value(odd, odd)
        assert await store.journal.value(odd) == odd


async def test_a_text_that_is_too_long_is_told_and_nothing_of_it_is_written(store: PostgresStore) -> None:
    for bad in (entry("b", "c" * 129), entry("b", kind="k" * 33), entry("b", surface="s" * 65)):
        with pytest.raises(StoreError, match="longer than its column"):
            await store.journal.append_all([entry("a"), bad])
    assert await store.journal.entries(ANNA) == ()


async def test_one_with_a_wrong_entry_stops_none_of_those_beside_it(store: PostgresStore) -> None:
    calls = [store.journal.append_all([entry(f"{n}.a"), entry(f"{n}.b", "c" * (n * 30))]) for n in range(8)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, StoreError) for result in results] == [n * 30 > 128 for n in range(8)]
    assert [one.key for one in await store.journal.entries(ANNA)] == [f"{n}.a" for n in range(5)]


async def test_repeated_keys_of_several_at_once(store: PostgresStore) -> None:
    calls = [store.journal.append_all([entry(f"{n}"), entry("same"), entry(f"{n}")]) for n in range(8)]
    results = await asyncio.gather(*calls)
    assert [[new for _, new in result] for result in results] == [[True, n == 0, False] for n in range(8)]
    ids = [result[0][0].id for result in results]
    assert ids == sorted(ids)
    assert len({result[1][0] for result in results}) == 1


async def test_one_that_is_cancelled_in_the_row_writes_nothing_and_stops_nobody(
    store: PostgresStore, hand: asyncpg.Connection
) -> None:
    async with hand.transaction():
        await hand.execute("LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE")
        tasks = [asyncio.create_task(store.journal.append(entry(f"{n}"))) for n in range(4)]
        await asyncio.sleep(0.1)
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.wait((tasks[2],), timeout=5)
        assert [task.done() for task in tasks] == [False, False, True, False]
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True, False, True, False]
    assert [one.key for one in await store.journal.entries(ANNA)] == ["0", "1", "3"]


async def test_one_that_is_cancelled_while_it_writes_for_all_writes_for_all(
    store: PostgresStore, hand: asyncpg.Connection
) -> None:
    journal = store._journal
    async with hand.transaction():
        await hand.execute("LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE")
        async with journal._appending._turn:
            tasks = [asyncio.create_task(journal.append(entry(f"{n}"))) for n in range(4)]
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        tasks[0].cancel()
        tasks[2].cancel()
    async with asyncio.timeout(5):
        await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True, False, True, False]
    assert [task.result()[1] for task in tasks if not task.cancelled()] == [True, True]
    assert [one.key for one in await journal.entries(ANNA)] == ["0", "1", "2", "3"]


async def test_two_stores_race_for_a_key(store: PostgresStore, database_url: str) -> None:
    other = PostgresStore(database_url)
    await other.open()
    try:
        for turn in range(10):
            keys = [f"{turn}.{number}" for number in range(5)]
            results = await asyncio.gather(
                store.journal.append_all([entry(key) for key in keys]),
                other.journal.append_all([entry(key, payload=b"other") for key in reversed(keys)]),
            )
            assert sum(new for result in results for _, new in result) == 5
            assert {one for one, _ in results[0]} == {one for one, _ in results[1]}
    finally:
        await other.close()
    assert len(await store.journal.entries(ANNA)) == 50


async def test_a_key_that_is_dropped_at_that_moment_is_free_or_taken(store: PostgresStore) -> None:
    for number in range(20):
        first, _ = await store.journal.append(entry("k"))
        (again, new), _ = await asyncio.gather(store.journal.append(entry("k")), store.journal.drop([first.id]))
        assert new is (again.id != first.id)
        await store.journal.drop([again.id])
        assert await store.journal.entries(ANNA) == (), number


async def test_an_append_whose_answer_was_lost_is_known_as_new(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told as a repeated one, the customer's message would be left out."""
    old, _ = await store.journal.append(entry("old"))
    fetch, lost = postgres_appending.Append.__call__, []

    async def lossy(self: Any, connection: asyncpg.Connection) -> Any:
        written = await fetch(self, connection)
        if not lost:
            lost.append(True)
            connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return written

    monkeypatch.setattr(postgres_appending.Append, "__call__", lossy)
    (again, a), (first, b), (same, c) = await store.journal.append_all(
        [entry("old", payload=b"other"), entry("new", handled=False), entry("new", payload=b"second")]
    )
    assert lost
    assert (a, b, c) == (False, True, False)
    assert (again, same) == (old, first)
    assert await store.journal.unhandled() == (first,)


async def test_a_server_that_was_gone_is_waited_for(store: PostgresStore, postgres_server: Server) -> None:
    kept, _ = await store.journal.append(entry("a"))
    await asyncio.to_thread(postgres_server.stop)
    waiting = asyncio.create_task(store.journal.append(entry("b")))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await asyncio.to_thread(postgres_server.start)
    written, new = await waiting
    assert new
    assert await store.journal.entries(ANNA) == (kept, written)


async def test_a_missing_table_is_told(store: PostgresStore, hand: asyncpg.Connection) -> None:
    await hand.execute("ALTER TABLE journal RENAME TO elsewhere")
    try:
        for call in (store.journal.append(entry("a")), store.journal.entries(ANNA), store.journal.clean(at(0))):
            with pytest.raises(StoreError, match="no such table: journal"):
                await call
    finally:
        await hand.execute("ALTER TABLE elsewhere RENAME TO journal")
    assert (await store.journal.append(entry("a")))[1]


async def test_clean_steps_over_what_another_one_deletes(store: PostgresStore, hand: asyncpg.Connection) -> None:
    await store.journal.append_all([entry(f"k{number}") for number in range(10)])
    async with hand.transaction():
        await hand.execute("DELETE FROM journal WHERE key IN ('k3', 'k4')")
        assert await store.journal.clean(at(1)) == 8
    assert await store.journal.entries(ANNA) == ()


async def _plan(hand: asyncpg.Connection, sql: str, *parameters: object) -> str:
    return " / ".join(row[0].strip() for row in await hand.fetch(f"EXPLAIN {sql}", *parameters))


async def test_a_chat_among_many_entries_is_found_by_an_index(store: PostgresStore, hand: asyncpg.Connection) -> None:
    journal = store.journal
    for part in range(4):
        await journal.append_all(
            [entry(f"{part}.{n}", f"web:{n % 50}", surface=f"c{n}.{part}" if n % 2 else "") for n in range(5000)]
        )
    await journal.append(entry("last", "web:7", handled=False, surface="mine"))
    await hand.execute("ANALYZE journal")
    started = time.perf_counter()
    for _ in range(20):
        page = await journal.entries("web:7", limit=200)
    assert len(page) == 200
    assert time.perf_counter() - started < 5, "20 pages of 200 took seconds: a whole table was read"
    assert [one.key for one in await journal.unhandled()] == ["last"]
    assert "journal_chat" in await _plan(hand, postgres_journal.ENTRIES, "web:7", 10**9, 20)
    assert "journal_surface" in await _plan(hand, postgres_journal.OF_SURFACE, "web:7", "mine")
    assert "journal_handled" in await _plan(hand, postgres_journal.UNHANDLED, "")
    assert "Seq Scan on journal" not in await _plan(hand, postgres_journal.CLEAN, 0, 500)
    edit = await _plan(hand, postgres_journal.EDIT, "web:7", "mine", b"", 0)
    assert "Seq Scan" not in edit


KILLED = """
import asyncio, sys
from storage.postgres_store import PostgresStore
from tests.storage.journal_contract import entry
from tests.storage.samples import at

async def main(url):
    store = PostgresStore(url)
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


async def test_killed_in_the_middle_every_confirmed_entry_is_there(store: PostgresStore, database_url: str) -> None:
    command = [sys.executable, "-c", KILLED, database_url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [await asyncio.to_thread(process.stdout.readline) for _ in range(60)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    told: dict[tuple[str, str], int] = {}
    for line in (*lines, *rest.splitlines()):
        if len(words := line.split()) == 3:
            told[words[0], words[1]] = int(words[2])
    waiting = {one.key for one in await store.journal.unhandled()}
    for chat in (f"web:{n}" for n in range(4)):
        found = await store.journal.entries(chat, limit=100_000)
        confirmed, taken = told["written", chat], told["handled", chat]
        assert [one.key for one in found] == [f"{chat}.{n}" for n in range(1, len(found) + 1)]
        assert confirmed <= len(found)
        assert all((one.payload, one.revision) == (b"edited", 2) for one in found[:taken])
        assert not waiting & {f"{chat}.{n}" for n in range(1, taken + 1)}
        again, new = await store.journal.append(replace(found[-1], id=0, payload=b"again"))
        assert (again.id, new) == (found[-1].id, False)
