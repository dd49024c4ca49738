"""Migrations: what they make is what the models say; an older file with rows is carried over when that is asked for,
safely, and never by starting."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

import storage.file
from storage.errors import SchemaBehind, StoreBusy, StoreError
from storage.file import held, latest, migrate, version
from storage.plugin_sql import TABLES
from storage.sqlite_store import SqliteStore
from tests.storage.contract import orders
from tests.storage.journal_contract import entry
from tests.storage.older import OURS, filled, migrations, old_file, read, tables
from tests.storage.samples import conversation, outgoing, pending, timer

ROOT = Path(__file__).parents[2]
NEXT = """
from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("stepgram", "LAST")]
    operations = [
        ops.AddField(model_name="PrintOrder", name="paid", field=fields.BigIntField(db_default=0)),
        EXTRA
    ]
"""
BROKEN = 'ops.RunSQL("INSERT INTO nowhere VALUES (1)"),'


def later(extra: str = "") -> dict[str, str]:
    """One more migration after ours."""
    last = max(module.stem for module in OURS.glob("0*.py"))
    return {f"{latest() + 1:04d}_paid": NEXT.replace("LAST", last).replace("EXTRA", extra)}


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[str]:
    """A package of migrations: ours and one more."""
    with migrations(tmp_path, latest(), **later()) as name:
        yield name


@pytest.mark.parametrize("schema", range(1, latest()))
async def test_a_file_of_an_older_version_keeps_all_it_has(tmp_path: Path, schema: int) -> None:
    file = tmp_path / "a.db"
    before = await old_file(file, schema)
    with pytest.raises(SchemaBehind, match=f"has schema {schema}.*Type `stepgram migrate --database .*a.db`"):
        await SqliteStore(file).open()
    assert read(file) == before
    with held(file):
        assert await migrate(file) == (schema, latest())
    after = read(file)
    for name, lines in before.items():
        assert [line[: len(lines[0])] for line in after[name]] == lines, name
    assert all(not lines for name, lines in after.items() if name not in before)
    assert read(tmp_path / f"a.db.before-{latest():04d}") == before
    store = SqliteStore(file)
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert await store.timers("c1") == (timer(1),)
    assert await store.calls("c1") == (pending(1),)
    assert await store.undelivered() == (outgoing("o1", 1),)
    assert await store.seen("u1")
    assert await orders(store) == ["P-1"]
    assert (await store.journal.append(entry("a")))[0].id == 1
    await store.close()
    with held(file):
        assert await migrate(file) == (latest(), latest())


def schema(connection: sqlite3.Connection, wanted: set[str] | None = None) -> dict[str, object]:
    """Columns, keys, uniques and indexes of every table, names of automatic ones left out."""
    found: dict[str, object] = {}
    for table in tables(connection):
        if wanted is not None and table not in wanted:
            continue
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        indexes = []
        for _, name, unique, origin, _ in connection.execute(f"PRAGMA index_list({table})").fetchall():
            fields = [row[2] for row in connection.execute(f"PRAGMA index_info('{name}')").fetchall()]
            indexes.append((name if origin == "c" else origin, unique, fields))
        found[table] = (columns, sorted(indexes, key=str))
    return found


async def test_migrations_make_what_the_models_say(tmp_path: Path) -> None:
    migrated, generated = tmp_path / "a.db", tmp_path / "b.db"
    await filled(migrated)
    context = TortoiseContext()
    async with context:
        await context.init(db_url=f"sqlite://{generated}", modules={"stepgram": ["storage.models"]})
        await context.generate_schemas()
    with closing(sqlite3.connect(migrated)) as one, closing(sqlite3.connect(generated)) as other:
        assert schema(one) == schema(other)
        counts = {name: one.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in schema(one)}
    assert len(counts) == 34
    assert set(counts.values()) == {1}


def test_the_memory_store_has_the_same_plugin_tables(tmp_path: Path) -> None:
    names = set(re.findall(r"CREATE TABLE (\w+)", TABLES))
    with closing(sqlite3.connect(":memory:")) as memory, closing(sqlite3.connect(":memory:")) as file:
        memory.executescript(TABLES)
        file.executescript(models_sql(tmp_path))
        assert schema(memory) == schema(file, names)
        assert len(schema(memory)) == 20


def models_sql(tmp_path: Path) -> str:
    import asyncio

    file = tmp_path / "models.db"

    async def make() -> None:
        store = SqliteStore(file)
        await store.open()
        await store.close()

    asyncio.run(make())
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%'")
        return ";\n".join(sql for (sql,) in rows)


async def test_a_migrated_file_has_its_indexes_and_can_shrink(tmp_path: Path) -> None:
    file, new = tmp_path / "a.db", tmp_path / "new" / "b.db"
    await old_file(file, 1)
    with held(file):
        await migrate(file)
    with held(new):
        assert await migrate(new) == (0, latest())
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(new)) as other:
        names = {row[0] for row in one.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        assert {"timers_due", "conversations_key", "visits_conversation", "signals_key"} <= names
        assert schema(one) == schema(other)
        for connection in (one, other):
            assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,), "incremental"
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA user_version").fetchone() == (latest(),)
    assert {path.name for path in new.parent.iterdir()} == {"b.db", "b.db.lock"}
    assert not list(tmp_path.glob("*.migrating*"))


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    await filled(file)
    before = file.read_bytes()
    with migrations(tmp_path, latest(), **later(BROKEN)) as broken, pytest.raises(StoreError) as told:
        await migrate(file, broken)
    assert re.search(rf"could not be brought to schema {latest() + 1}.*as it was before", str(told.value))
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.migrating*"))
    store = SqliteStore(file)
    await store.open()
    assert await orders(store) == ["P-1"]
    await store.close()


async def test_a_new_file_gets_all_migrations(tmp_path: Path, newer: str) -> None:
    store = SqliteStore(tmp_path / "new.db", migrations=newer)
    await store.open()
    async with store.transaction() as transaction:
        assert await transaction.query("SELECT paid FROM print_orders") == []
    await store.close()
    assert not list(tmp_path.glob("*.before-*"))


async def test_a_newer_file_is_refused(tmp_path: Path, newer: str) -> None:
    file = tmp_path / "a.db"
    store = SqliteStore(file, migrations=newer)
    await store.open()
    await store.close()
    with pytest.raises(StoreError, match="written by a newer version of Stepgram"):
        await SqliteStore(file).open()
    with pytest.raises(StoreError, match="written by a newer version of Stepgram"):
        await migrate(file)


async def test_no_migration_under_another_program_s_feet(tmp_path: Path, newer: str) -> None:
    file = tmp_path / "a.db"
    await filled(file)
    with closing(sqlite3.connect(file)) as browser:
        browser.execute("SELECT count(*) FROM chats").fetchone()
        with pytest.raises(StoreBusy, match="Another program has the database"):
            await migrate(file, newer)
    await migrate(file, newer)
    store = SqliteStore(file, migrations=newer)
    await store.open()
    assert await orders(store) == ["P-1"]
    await store.close()


async def test_a_running_bot_is_not_migrated(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    await store.open()
    with pytest.raises(StoreBusy, match=f"in use by process {os.getpid()}"), held(tmp_path / "a.db"):
        raise AssertionError("it has the lock")
    await store.close()


KILLED = """
import asyncio, os, pathlib, signal, sys
from storage import file

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

place, moment = pathlib.Path(sys.argv[1]), sys.argv[2]
if moment == "backup":
    true = pathlib.Path.replace
    pathlib.Path.replace = die
elif moment == "after":
    file.sync_folder = die
else:
    setattr(file, moment, die)
with file.held(place):
    asyncio.run(file.migrate(place))
"""


@pytest.mark.parametrize("moment", ["_copy", "_migrate", "seal", "put_in_place", "backup", "after"])
async def test_killed_in_the_middle_nothing_is_lost(tmp_path: Path, moment: str) -> None:
    file = tmp_path / "a.db"
    before = await old_file(file, 2)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(file), moment], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert version(file) == (latest() if moment == "after" else 2)
    with held(file):
        await migrate(file)
    after = read(file)
    assert {name: [line[: len(lines[0])] for line in after[name]] for name, lines in before.items()} == before
    assert read(tmp_path / f"a.db.before-{latest():04d}") == before
    assert not list(tmp_path.glob("*.migrating*"))


async def test_rests_of_a_killed_migration_are_swept_away(tmp_path: Path) -> None:
    (tmp_path / "a.db.migrating").write_bytes(b"half")
    (tmp_path / "a.db.migrating-wal").write_bytes(b"half")
    await filled(tmp_path / "a.db")
    assert not list(tmp_path.glob("*.migrating*"))


async def test_without_hard_links_the_backup_is_a_copy(
    tmp_path: Path, newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    file = tmp_path / "a.db"
    await filled(file)
    before = file.read_bytes()
    monkeypatch.setattr(os, "link", refuse)
    await migrate(file, newer)
    assert (tmp_path / f"a.db.before-{latest() + 1:04d}").read_bytes() == before


async def test_opening_an_up_to_date_file_does_not_load_the_migrations(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    await filled(file)
    script = (
        "import asyncio, sys, pathlib\n"
        "from storage.sqlite_store import SqliteStore\n"
        "async def main():\n"
        "    store = SqliteStore(pathlib.Path(sys.argv[1])); await store.open(); await store.close()\n"
        "asyncio.run(main())\n"
        "print(any(name.startswith('tortoise.migrations') for name in sys.modules),"
        " 'storage.models' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    assert done.stdout.split() == ["False", "False"], done.stderr


async def test_what_is_no_file_is_left_as_it_is(tmp_path: Path) -> None:
    strange = tmp_path / "pipe"
    os.mkfifo(strange)
    with pytest.raises(StoreError, match="is not a file"), held(strange):
        await migrate(strange)
    with pytest.raises(StoreError, match="is not a file"):
        version(strange)
    assert strange.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_the_lock_is_held_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.file.os.write", full)
    with held(tmp_path / "a.db"), pytest.raises(StoreBusy, match="another process"), held(tmp_path / "a.db"):
        raise AssertionError


async def test_a_database_that_comes_back_while_an_empty_one_is_made_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, away = tmp_path / "a.db", tmp_path / "away.db"
    store = SqliteStore(kept)
    await store.open()
    await store.journal.set_value("whose", "ours")
    await store.close()
    kept.replace(away)
    make = storage.file._migrate

    async def slowly(copy: Path, package: str) -> None:
        await make(copy, package)
        away.replace(kept)

    monkeypatch.setattr(storage.file, "_migrate", slowly)
    with pytest.raises(StoreBusy, match="left as it is"):
        await SqliteStore(kept).open()
    await store.open()
    assert await store.journal.value("whose") == "ours"
    await store.close()
