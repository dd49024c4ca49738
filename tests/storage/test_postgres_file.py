"""Migrations on PostgreSQL: what they make is what the models say, data is kept, an older or newer schema refused."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from storage.errors import SchemaBehind, StoreError
from storage.file import latest
from storage.postgres_file import migrate, schema_of
from storage.postgres_store import PostgresStore
from tests.postgres import Server
from tests.storage.contract import ADD_ORDER
from tests.storage.journal_contract import entry, person
from tests.storage.older import EVERYTHING, OURS, migrations
from tests.storage.samples import conversation, pending, timer

COLUMNS = (
    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'tortoise%' ORDER BY 1, 2"
)
INDEXES = (
    "SELECT tablename, regexp_replace(indexdef, 'INDEX \\S+ ON', 'INDEX ON') FROM pg_indexes"
    " WHERE schemaname = 'public' AND tablename NOT LIKE 'tortoise%' ORDER BY 1, 2"
)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'tortoise%' ORDER BY 1"


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def contents(server: Server, url: str, tables: list[str]) -> dict[str, list[Any]]:
    lines = server.execute(*(f"SELECT * FROM {table} ORDER BY 1" for table in tables), database=name_of(url))
    return dict(zip(tables, lines, strict=True))


def tables_of(server: Server, url: str) -> list[str]:
    (found,) = server.execute(TABLES, database=name_of(url))
    return [str(row[0]) for row in found]


async def test_migrations_make_what_the_models_say(postgres_server: Server, database_url: str) -> None:
    generated = postgres_server.create()
    context = TortoiseContext()
    async with context:
        await context.init(
            db_url=generated.replace("postgresql:", "asyncpg:"), modules={"stepgram": ["storage.models"]}
        )
        await context.generate_schemas()
        await context.close_connections()
    migrated, made = (
        postgres_server.execute(COLUMNS, INDEXES, database=name_of(url)) for url in (database_url, generated)
    )
    assert migrated == made
    assert len(migrated[0]) > 80
    postgres_server.drop(generated)


@pytest.mark.parametrize("until", [1, 2])
async def test_an_older_database_keeps_all_it_has(
    postgres_server: Server, empty_database_url: str, tmp_path: Path, until: int
) -> None:
    url = empty_database_url
    with migrations(tmp_path, until) as package:
        assert await migrate(url, package) == (0, until)
        assert await schema_of(url) == until
        fill(postgres_server, url, journal=until > 1)
    tables = tables_of(postgres_server, url)
    before = contents(postgres_server, url, tables)
    assert len(before) == (9, 12)[until - 1]
    assert all(before.values())
    with pytest.raises(SchemaBehind, match=r"has schema \d, and this version .* Type `stepgram migrate`"):
        await PostgresStore(url).open()
    assert await migrate(url) == (until, latest())
    after = contents(postgres_server, url, tables)
    after["conversations"] = [line[:-1] for line in after["conversations"]]  # `began` came with 0003
    assert after == before
    store = PostgresStore(url)
    await store.open()
    assert await store.conversation("c1") == conversation()
    assert await store.timers("c1") == (timer(1),)
    assert await store.calls("c1") == (pending(1),)
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P-2", "k2"))
    await store.close()
    assert await migrate(url) == (latest(), latest())


def fill(server: Server, url: str, *, journal: bool) -> None:
    """A row in every table, as an older version wrote it: `conversations` had no column `began`."""
    from storage import rows

    def quoted(value: object) -> str:
        if isinstance(value, bytes):
            return f"'\\x{value.hex()}'"
        return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"

    def insert(table: str, columns: str, line: tuple[object, ...]) -> str:
        return f"INSERT INTO {table} ({columns}) VALUES ({', '.join(map(quoted, line))})"

    made = EVERYTHING
    server.execute(
        insert("chats", "front, aside, name, username, language, revision, id", rows.chat_line(made.chat)),
        insert(
            "conversations",
            "id, chat, flow, status, key, revision, started_at, touched_at, expires_at, finished_at, data",
            rows.conversation_line(made.conversations[0], 0)[:11],
        ),
        insert("visits", "conversation, at, visit, step, kind, detail", rows.visit_line(made.visits[0])),
        insert("outbox", "id, chat, sequence, kind, payload, surface, created_at", rows.outgoing_line(made.outbox[0])),
        insert("timers", "conversation, chat, visit, name, due", rows.timer_line(made.timers[0])),
        insert(
            "pending_calls",
            "conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due",
            rows.call_line(made.pending[0]),
        ),
        insert("seen_updates", "id, at", ("u1", 5)),
        insert(
            "print_orders", "number, idempotency_key, chat, document, status, created_at", ("P", "k", "c", "{}", "", 1)
        ),
        insert("print_files", "ref, idempotency_key, name, size, created_at", ("r", "k", "n", 1, 1)),
        database=name_of(url),
    )
    if journal:
        server.execute(
            insert(
                "journal",
                "chat, at, kind, key, conversation, surface, payload, revision, handled",
                ("web:a", 1, "said", "k", "", "", b"{}", 1, 1),
            ),
            insert("people", "id, name, language, roles, phone, seen_at", ("anna", "Anna", "en", "[]", "", 1)),
            insert("page_values", "name, value", ("clock", "5")),
            database=name_of(url),
        )


async def test_a_newer_database_is_refused(postgres_server: Server, empty_database_url: str) -> None:
    await migrate(empty_database_url)
    postgres_server.execute(
        "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('stepgram', '9001_later', now())",
        database=name_of(empty_database_url),
    )
    for refused in (
        PostgresStore(empty_database_url).open(),
        migrate(empty_database_url),
        schema_of(empty_database_url),
    ):
        with pytest.raises(StoreError, match=r"written by a newer version of Stepgram \(its schema is 9001"):
            await refused


async def test_an_empty_database_is_made_once_by_many_at_once(empty_database_url: str) -> None:
    assert await schema_of(empty_database_url) == 0
    stores = [PostgresStore(empty_database_url) for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    await stores[0].journal.append(entry("a"))
    await stores[1].journal.keep(person("anna"))
    assert len(await stores[2].journal.people()) == 1
    for store in stores:
        await store.close()
    assert await schema_of(empty_database_url) == latest()


async def test_a_migration_that_fails_changes_nothing(
    postgres_server: Server, empty_database_url: str, tmp_path: Path
) -> None:
    last = max(module.stem for module in OURS.glob("0*.py"))
    later = (
        "from tortoise import fields, migrations\nfrom tortoise.migrations import operations as ops\n\n\n"
        "class Migration(migrations.Migration):\n"
        f'    dependencies = [("stepgram", "{last}")]\n'
        "    operations = [\n"
        '        ops.AddField(model_name="PrintOrder", name="brand_new", field=fields.BigIntField(db_default=0)),\n'
        "        MORE\n"
        "    ]\n"
    )
    await migrate(empty_database_url)
    broken = later.replace("MORE", 'ops.RunSQL("INSERT INTO x VALUES (1)"),')
    after = latest() + 1
    words = rf"no such table: x\. The schema {after} could not be made; the database is as it was"
    with (
        migrations(tmp_path / "a", latest(), **{f"{after:04d}_new": broken}) as bad,
        pytest.raises(StoreError, match=words),
    ):
        await migrate(empty_database_url, bad)
    assert await schema_of(empty_database_url) == latest()
    found = postgres_server.execute(COLUMNS, database=name_of(empty_database_url))
    assert "brand_new" not in str(found)
    with migrations(tmp_path / "b", latest(), **{f"{after:04d}_new": later.replace("MORE", "")}) as good:
        assert await migrate(empty_database_url, good) == (latest(), after)
    assert "brand_new" in str(postgres_server.execute(COLUMNS, database=name_of(empty_database_url)))


async def test_tables_of_another_program_are_left_alone(postgres_server: Server, empty_database_url: str) -> None:
    postgres_server.execute("CREATE TABLE chats (id int)", database=name_of(empty_database_url))
    with pytest.raises(StoreError, match="give Stepgram a database of its own"):
        await PostgresStore(empty_database_url).open()
    assert tables_of(postgres_server, empty_database_url) == ["chats"]
    assert await schema_of(empty_database_url) == 0
