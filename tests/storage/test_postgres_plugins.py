"""Plugins' statements on PostgreSQL, written as for SQLite: `?`, plain values, a failed one undoes itself only."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from storage.errors import ConstraintBroken, StoreError
from storage.memory import MemoryStore
from storage.postgres_plugin_sql import translated
from storage.postgres_store import PostgresStore
from tests.storage.contract import ADD_ORDER, orders


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    durable = PostgresStore(database_url)
    await durable.open()
    yield durable
    await durable.close()


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT '?', \"a?\", ? -- what?\n, ?", "SELECT '?', \"a?\", $1 -- what?\n, $2"),
        ("SELECT 'it''s ?' /* ? \n ? */ || ?", "SELECT 'it''s ?' /* ? \n ? */ || $1"),
        ("SELECT ?2, ?1, ?", "SELECT $2, $1, $2"),
        ("SELECT 'open ?", "SELECT 'open ?"),
        ("SELECT 1 /* open ?", "SELECT 1 /* open ?"),
        ("SELECT ?-- ?", "SELECT $1-- ?"),
        ("", ""),
    ],
)
def test_placeholders(written: str, sent: str) -> None:
    assert translated(written) == sent


QUESTIONS = (
    ("SELECT count(*) AS n, sum(size) AS total, max(name) AS last FROM print_files", ()),
    ("SELECT name FROM print_files WHERE size > ? AND name LIKE ? ORDER BY name LIMIT ? OFFSET ?", (1, "%.stl", 5, 0)),
    ("SELECT name AS 'a', size FROM print_files WHERE size = ?", ("2",)),
    ("SELECT CASE WHEN size > CAST(? AS REAL) THEN 1 ELSE 0 END AS big FROM print_files ORDER BY id", (1.5,)),
    ("SELECT id FROM print_files WHERE name = ? OR ref = ?", (None, "r1")),
    ("UPDATE print_files SET size = size + ? WHERE ref = ? RETURNING size", (True, "r1")),
    ("SELECT size * 1.5 AS more FROM print_files WHERE ref = ?", ("r2",)),
)


async def test_the_same_statements_say_the_same_on_both(store: PostgresStore) -> None:
    memory = MemoryStore()
    await memory.open()
    found: list[list[object]] = [[], []]
    for answers, one in zip(found, (memory, store), strict=True):
        async with one.transaction() as transaction:
            for number in (1, 2):
                changed = await transaction.execute(
                    "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    (f"r{number}", f"k{number}", f"{number}.stl", number, 5),
                )
                answers.append(changed)
            answers.append(await transaction.execute(ADD_ORDER + " ON CONFLICT DO NOTHING", ("P-1", 7)))
            answers.append(await transaction.execute(ADD_ORDER + " ON CONFLICT DO NOTHING", ("P-2", "7")))
            for sql, parameters in QUESTIONS:
                text = sql.replace(" AS 'a'", ' AS "a"')
                answers.append([{k: float(str(v)) if isinstance(v, Decimal | float) else v for k, v in row.items()}
                                for row in await transaction.query(text, parameters)])  # fmt: skip
            answers.append(await transaction.execute("DELETE FROM print_files WHERE size > ?", (0,)))
            answers.append(await transaction.execute("UPDATE print_files SET size = 1"))
    assert found[0] == found[1]
    assert all(isinstance(row["total"], int) for row in found[1][4])  # type: ignore[index, union-attr]
    await memory.close()


async def test_values_of_other_kinds(store: PostgresStore) -> None:
    async with store.transaction() as transaction:
        await transaction.execute("CREATE TABLE things (a NUMERIC, b TIMESTAMPTZ, c BYTEA, d BOOLEAN, e TEXT, f REAL)")
        moment = datetime(2026, 11, 21, 5, tzinfo=UTC)
        insert = "INSERT INTO things (a, b, c, d, e, f) VALUES (?, ?, ?, ?, ?, ?)"
        await transaction.execute(insert, (Decimal("1.50"), moment, b"\0x", True, moment, 2))
        await transaction.execute(insert, ("2.5", moment.isoformat(), "text", 0, Decimal("1.0"), "0.5"))
        first, second = await transaction.query("SELECT * FROM things ORDER BY a")
    assert first == {
        "a": Decimal("1.50"),
        "b": moment,
        "c": b"\0x",
        "d": True,
        "e": "2026-11-21 05:00:00+00:00",
        "f": 2,
    }
    assert second == {"a": Decimal("2.5"), "b": moment, "c": b"text", "d": False, "e": "1.0", "f": 0.5}


async def test_a_failed_statement_undoes_itself_only(store: PostgresStore) -> None:
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P-1", "k1"))
        for sql, parameters, words in (
            ("SELECT * FROM nowhere", (), "no such table: nowhere"),
            ("SELEKT 1", (), "syntax error"),
            ("SELECT nothing FROM print_orders", (), "nothing"),
            ("SELECT number FROM print_orders WHERE id = ?", ("x",), "does not fit a column of type int8"),
            ("SELECT number FROM print_orders WHERE id = ?", (1, 2), "1 placeholders and was given 2 values"),
            ("SELECT number FROM print_orders WHERE id = ?", (10**30,), "refused a statement"),
            ("SELECT 1 / ?", (0,), "division by zero"),
            ("INSERT INTO print_orders (number) VALUES ('x'); COMMIT", (), "multiple commands"),
        ):
            for call in (transaction.query, transaction.execute):
                with pytest.raises(StoreError, match=words):
                    await call(sql, parameters)
        with pytest.raises(ConstraintBroken):
            await transaction.execute(ADD_ORDER, ("P-1", "k2"))
        async with transaction.savepoint():
            await transaction.execute(ADD_ORDER, ("P-2", "k2"))
            with pytest.raises(ConstraintBroken):
                await transaction.execute(ADD_ORDER, ("P-2", "k3"))
    assert await orders(store) == ["P-1", "P-2"]


@pytest.mark.parametrize(
    "sql",
    [
        "SET statement_timeout = 0",
        " reset all",
        "/* x */ START TRANSACTION",
        "LISTEN x",
        "do $$ begin end $$",
        "COPY print_orders TO STDOUT",
        "ABORT",
    ],
)
async def test_what_would_change_the_connection_is_refused(store: PostgresStore, sql: str) -> None:
    async with store.transaction() as transaction:
        with pytest.raises(StoreError, match="not for plugins"):
            await transaction.execute(sql)
        assert await transaction.query("SELECT 1 AS one") == [{"one": 1}]
