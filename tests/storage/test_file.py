"""Migrations: what they make is what the models say; an older file with rows is carried over, safely."""

import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from storage import file as storage_file
from storage.errors import StoreBusy, StoreError
from storage.plugin_sql import TABLES
from storage.sqlite_store import SqliteStore
from tests.storage.contract import ADD_ORDER, orders
from tests.storage.journal_contract import entry, person
from tests.storage.samples import Writer, conversation, outgoing, pending, timer, visit

SECOND = """
from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("stepgram", "0002_journal")]
    operations = [
        ops.AddField(model_name="PrintOrder", name="paid", field=fields.BigIntField(db_default=0)),
        {extra}
    ]
"""
BROKEN = 'ops.RunSQL("INSERT INTO nowhere VALUES (1)"),'

EVERYTHING = Writer().next(
    conversation(),
    visits=(visit("entered"),),
    outbox=(outgoing("o1", 1),),
    timers=(timer(1),),
    pending=(pending(1),),
    seen=("u1",),
)
"""A commit with a row for every table that commits write."""


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of migrations `later_migrations`: ours and one more."""
    package = tmp_path / "packages" / "later_migrations"
    package.mkdir(parents=True)
    ours = Path(storage_file.__file__).parent / "migrations"
    for name in ("__init__.py", "0001_initial.py", "0002_journal.py"):
        (package / name).write_text((ours / name).read_text())
    (package / "0003_paid.py").write_text(SECOND.format(extra=""))
    monkeypatch.syspath_prepend(str(package.parent))
    yield package
    for name in [name for name in sys.modules if name.startswith("later_migrations")]:
        del sys.modules[name]


async def filled(file: Path) -> None:
    """A file with at least one row in every table."""
    store = SqliteStore(file)
    await store.open()
    await store.commit([EVERYTHING])
    await store.journal.append(entry("a"))
    await store.journal.keep(person("anna"))
    await store.journal.set_value("clock", "5")
    await ordered(store)
    await store.close()


async def ordered(store: SqliteStore) -> None:
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P-1", "k"))
        await transaction.execute(
            "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES ('r', 'k', 'n', 1, 1)"
        )


async def test_a_file_of_the_first_version_keeps_all_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "packages" / "first_migrations"
    package.mkdir(parents=True)
    ours = Path(storage_file.__file__).parent / "migrations"
    for name in ("__init__.py", "0001_initial.py"):
        (package / name).write_text((ours / name).read_text())
    monkeypatch.syspath_prepend(str(package.parent))
    file = tmp_path / "a.db"
    old = SqliteStore(file, migrations="first_migrations")
    await old.open()
    await old.commit([EVERYTHING])
    await ordered(old)
    await old.close()
    with closing(sqlite3.connect(file)) as connection:
        before = contents(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert len(before) == 9
    assert all(before.values())
    store = SqliteStore(file)
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert await store.timers("c1") == (timer(1),)
    assert await store.calls("c1") == (pending(1),)
    assert (await store.journal.append(entry("a")))[0].id == 1
    await store.close()
    with closing(sqlite3.connect(file)) as connection:
        after = contents(connection)
    assert {name: lines for name, lines in after.items() if name in before} == before
    assert set(after) - set(before) == {"journal", "people", "page_values"}
    with closing(sqlite3.connect(tmp_path / "a.db.before-0002")) as connection:
        assert contents(connection) == before


def contents(connection: sqlite3.Connection) -> dict[str, list[object]]:
    """Every row of every table of ours."""
    return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in schema(connection)}


def schema(connection: sqlite3.Connection, tables: set[str] | None = None) -> dict[str, object]:
    """Columns, keys, uniques and indexes of every table, names of automatic ones left out."""
    found: dict[str, object] = {}
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    for (table,) in names:
        if table.startswith(("sqlite_", "tortoise_")) or (tables is not None and table not in tables):
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
    assert len(counts) == 12
    assert set(counts.values()) == {1}


def test_the_memory_store_has_the_same_plugin_tables(tmp_path: Path) -> None:
    names = set(re.findall(r"CREATE TABLE (\w+)", TABLES))
    with closing(sqlite3.connect(":memory:")) as memory, closing(sqlite3.connect(":memory:")) as file:
        memory.executescript(TABLES)
        file.executescript(models_sql(tmp_path))
        assert schema(memory) == schema(file, names)
        assert len(schema(memory)) == 2


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


async def test_an_older_file_with_rows_is_carried_over_and_backed_up(tmp_path: Path, newer: Path) -> None:
    file = tmp_path / "a.db"
    await filled(file)
    store = SqliteStore(file, migrations="later_migrations")
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert len(await store.history("c1")) == 1
    async with store.transaction() as transaction:
        assert await transaction.query("SELECT number, paid FROM print_orders") == [{"number": "P-1", "paid": 0}]
    await store.close()
    backup = tmp_path / "a.db.before-0003"
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT number FROM print_orders").fetchall() == [("P-1",)]
        assert "paid" not in [row[1] for row in connection.execute("PRAGMA table_info(print_orders)")]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        assert {"timers_due", "conversations_key", "visits_conversation"} <= names
    assert {path.name for path in tmp_path.iterdir()} >= {"a.db", "a.db.lock", backup.name}
    assert not list(tmp_path.glob("*.migrating*"))


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path, newer: Path) -> None:
    (newer / "0003_paid.py").write_text(SECOND.format(extra=BROKEN))
    file = tmp_path / "a.db"
    await filled(file)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"could not be brought to schema 3.*as it was before"):
        await SqliteStore(file, migrations="later_migrations").open()
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.migrating*"))
    store = SqliteStore(file)
    await store.open()
    assert await orders(store) == ["P-1"]
    await store.close()


async def test_a_new_file_gets_all_migrations(tmp_path: Path, newer: Path) -> None:
    store = SqliteStore(tmp_path / "new.db", migrations="later_migrations")
    await store.open()
    async with store.transaction() as transaction:
        assert await transaction.query("SELECT paid FROM print_orders") == []
    await store.close()
    assert not list(tmp_path.glob("*.before-*"))


async def test_a_newer_file_is_refused(tmp_path: Path, newer: Path) -> None:
    file = tmp_path / "a.db"
    store = SqliteStore(file, migrations="later_migrations")
    await store.open()
    await store.close()
    with pytest.raises(StoreError, match="written by a newer version of Stepgram"):
        await SqliteStore(file).open()


async def test_no_migration_under_another_program_s_feet(tmp_path: Path, newer: Path) -> None:
    file = tmp_path / "a.db"
    await filled(file)
    with closing(sqlite3.connect(file)) as browser:
        browser.execute("SELECT count(*) FROM chats").fetchone()
        with pytest.raises(StoreBusy, match="Another program has the database"):
            await SqliteStore(file, migrations="later_migrations").open()
    store = SqliteStore(file, migrations="later_migrations")
    await store.open()
    assert await orders(store) == ["P-1"]
    await store.close()


async def test_rests_of_a_killed_migration_are_swept_away(tmp_path: Path) -> None:
    (tmp_path / "a.db.migrating").write_bytes(b"half")
    (tmp_path / "a.db.migrating-wal").write_bytes(b"half")
    await filled(tmp_path / "a.db")
    assert not list(tmp_path.glob("*.migrating*"))


async def test_without_hard_links_the_backup_is_a_copy(
    tmp_path: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    file = tmp_path / "a.db"
    await filled(file)
    before = file.read_bytes()
    monkeypatch.setattr(os, "link", refuse)
    store = SqliteStore(file, migrations="later_migrations")
    await store.open()
    await store.close()
    assert (tmp_path / "a.db.before-0003").read_bytes() == before


async def test_opening_an_up_to_date_file_does_not_load_the_migrations(tmp_path: Path) -> None:
    import subprocess

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
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    assert done.stdout.split() == ["False", "False"], done.stderr
