"""From SQLite to PostgreSQL and back: equal rows, numbers that go on counting, and never into what is in use."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.backup import DATABASE, PASSING
from storage.errors import SchemaBehind, StoreBusy, StoreError
from storage.file import latest
from storage.postgres_copy import dump, health, load
from storage.postgres_file import migrate, schema_of
from storage.postgres_store import PostgresStore
from storage.restore import restore_file
from storage.sqlite_store import SqliteStore
from tests.postgres import Server
from tests.storage.contract import orders
from tests.storage.journal_contract import entry
from tests.storage.older import filled, migrations, old_file, read
from tests.storage.samples import T0, Writer, conversation, finished, outgoing, stepped, timer
from tests.storage.test_backup import back_up

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
Rows = dict[str, list[tuple[object, ...]]]


async def bring(database: Path, url: str, replace: bool = False) -> str:
    return (await load(database, url, at=NOW, replace=replace, before=lambda: None)).kept


def kept(rows: Rows) -> Rows:
    return {name: lines for name, lines in rows.items() if name not in PASSING}


async def test_to_postgresql_and_back_gives_equal_rows(tmp_path: Path, empty_database_url: str) -> None:
    await filled(tmp_path / "a.db")
    back_up(tmp_path / "a.db", tmp_path / "backup")
    before = read(tmp_path / "a.db")
    assert await bring(tmp_path / "backup" / DATABASE, empty_database_url) == ""
    store = PostgresStore(empty_database_url)
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert await orders(store) == ["P-1"]
    written, new = await store.journal.append(entry("b"))
    assert (written.id, new) == (2, True), "numbers go on"
    await store.journal.drop([2])
    await store.close()
    folder = tmp_path / "again"
    folder.mkdir()
    assert await dump(empty_database_url, folder / DATABASE) == ()
    after = read(folder / DATABASE)
    assert kept(after) == kept(before)
    assert after["workers"] == after["leases"] == []
    await restore_file(folder, tmp_path / "b.db", at=NOW, replace=False, before=lambda: None)
    sqlite = SqliteStore(tmp_path / "b.db")
    await sqlite.open()
    assert (await sqlite.journal.append(entry("c")))[0].id == 3, "no number twice, also of a row that went"
    assert await sqlite.undelivered() == (outgoing("o1", 1),)
    await sqlite.close()


async def test_a_dump_while_a_worker_writes_is_of_one_moment(tmp_path: Path, database_url: str) -> None:
    store = PostgresStore(database_url)
    await store.open()
    filler = [Writer(f"terminal:{n}").next(conversation(f"f{n}", f"terminal:{n}")) for n in range(1500)]
    await store.commit(filler)
    writer, talk = Writer(), conversation()
    await store.commit([writer.next(talk, outbox=(outgoing("o1", 1),), timers=(timer(1),))])
    copying = asyncio.ensure_future(dump(database_url, tmp_path / "a.db"))
    number = 1
    while not copying.done() or number < 10:
        number += 1
        talk = stepped(talk, number)
        rows = {"outbox": (outgoing(f"o{number}", number),), "delivered": (f"o{number - 1}",)}
        await store.commit([writer.next(talk, timers=(timer(number),), **rows)])
    await copying
    await store.close()
    found = read(tmp_path / "a.db")
    revision = next(line for line in found["conversations"] if line[0] == "c1")[5]
    assert [line[0] for line in found["outbox"]] == [f"o{revision}"]
    assert next(line for line in found["chats"] if line[0] == "terminal:anna")[6] == revision
    assert len(found["conversations"]) == 1501


async def test_a_bot_at_work_and_rows_that_are_there(tmp_path: Path, database_url: str) -> None:
    await filled(tmp_path / "a.db")
    store = PostgresStore(database_url)
    await store.open()
    await store.commit([Writer("terminal:bea").next(conversation("c9", "terminal:bea"))])
    with pytest.raises(StoreBusy, match="A bot is at work"):
        await bring(tmp_path / "a.db", database_url, replace=True)
    await store.close()
    with pytest.raises(StoreError, match=r"not empty \(.*1 chats.*With --replace"):
        await bring(tmp_path / "a.db", database_url)
    words = await bring(tmp_path / "a.db", database_url, replace=True)
    assert words == "stepgram_replaced_20261121t050000z"
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert await store.conversation("c9") is None
    async with store.transaction() as transaction:
        old = await transaction.query("SELECT id FROM stepgram_replaced_20261121t050000z.conversations")
    assert [line["id"] for line in old] == ["c9"]
    await store.commit([Writer("terminal:carl").next()])
    await store.close()


@pytest.mark.parametrize("schema", range(1, latest()))
async def test_older_data_on_postgresql_is_migrated_and_kept(
    tmp_path: Path, empty_database_url: str, schema: int
) -> None:
    """Rows of every table of the old schema, on the server, through the old migrations."""
    before = kept(await old_file(tmp_path / "old.db", schema))
    with migrations(tmp_path, schema) as package:
        await migrate(empty_database_url, package)
    await copied(tmp_path / "old.db", empty_database_url)
    with pytest.raises(SchemaBehind, match=f"has schema {schema}"):
        await PostgresStore(empty_database_url).open()
    with pytest.raises(SchemaBehind):
        await dump(empty_database_url, tmp_path / "none.db")
    assert await migrate(empty_database_url) == (schema, latest())
    assert await schema_of(empty_database_url) == latest()
    await dump(empty_database_url, tmp_path / "new.db")
    after = read(tmp_path / "new.db")
    assert {name: [line[: len(lines[0])] for line in after[name]] for name, lines in before.items()} == before


async def copied(database: Path, url: str) -> None:
    import asyncpg

    line = await asyncpg.connect(url)
    with closing(sqlite3.connect(database)) as connection:
        for name, lines in read(database).items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            await line.copy_records_to_table(name, records=lines, columns=columns)
    await line.close()


async def test_an_older_backup_goes_to_postgresql(tmp_path: Path, empty_database_url: str) -> None:
    before = await old_file(tmp_path / "old.db", 1)
    await bring(tmp_path / "old.db", empty_database_url)
    await dump(empty_database_url, tmp_path / "new.db")
    after = read(tmp_path / "new.db")
    assert {name: [line[: len(lines[0])] for line in after[name]] for name, lines in before.items()} == before


async def test_a_load_that_fails_leaves_nothing(tmp_path: Path, empty_database_url: str) -> None:
    """A text that the server's column does not take, in the last of the tables."""
    await filled(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("UPDATE print_orders SET number = ?", ("x" * 65,))
        connection.commit()
    with pytest.raises(StoreError, match="longer than its column"):
        await bring(tmp_path / "a.db", empty_database_url)
    assert set((await health(empty_database_url)).rows.values()) == {0}
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("UPDATE print_orders SET number = 'P-1'")
        connection.execute("UPDATE chats SET name = 'an' || char(0) || 'na'")
        connection.commit()
    assert await bring(tmp_path / "a.db", empty_database_url) == "", "and it can be typed again"
    assert (await health(empty_database_url)).rows["chats"] == 1


async def test_tables_of_plugins_are_named(tmp_path: Path, database_url: str, postgres_server: Server) -> None:
    postgres_server.execute('CREATE TABLE "my shop" (id int)', database=database_url.rpartition("/")[2])
    assert await dump(database_url, tmp_path / "a.db") == ("my shop",)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")
        connection.execute("INSERT INTO other VALUES (1)")
        connection.commit()
    done = await load(tmp_path / "a.db", database_url, at=NOW, replace=False, before=lambda: None)
    assert done.left_out == ("other",)


async def test_how_a_server_is(database_url: str, empty_database_url: str) -> None:
    store = PostgresStore(database_url)
    await store.open()
    await store.commit([Writer().next(outbox=(outgoing("o1", 1),))])
    await store.close()
    seen = await health(database_url)
    assert (seen.rows["outbox"], seen.rows["conversations"], seen.schema) == (1, 0, latest())
    assert seen.oldest_message == int(T0.timestamp() * 1000)
    assert seen.size > 1_000_000
    with pytest.raises(StoreError, match="There is nothing in the database"):
        await health(empty_database_url)


async def test_flows_without_a_file_and_old_messages_go_there_too(database_url: str) -> None:
    store = PostgresStore(database_url)
    await store.open()
    for flow in ("order", "gone", "kept"):
        talk = conversation(f"c{flow}", f"web:{flow}", flow=flow)
        writer = Writer(talk.chat)
        await store.commit([writer.next(talk), writer.next(finished(talk, 0), outbox=(outgoing(flow, 1, talk.chat),))])
    cleaned = await store.cleanup(T0 + timedelta(days=91), {"order": 86400.0, "kept": None})
    assert (cleaned.conversations, cleaned.outbox) == (2, 3)
    assert await store.conversation("ckept") is not None
    await store.close()
