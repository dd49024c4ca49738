"""The shop's tables: the same in a file and in memory, and a net under whoever miscounts."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage.file import migrate
from storage.plugin_sql import TABLES
from tests.postgres import Server
from tests.shop.samples import ROWS, insert

NEVER = [
    ("shop_products", {"price": -1}),
    ("shop_products", {"stock": -1, "reserved": 0}),
    ("shop_products", {"reserved": -1}),
    ("shop_products", {"stock": 2, "reserved": 3}),
    ("shop_customers", {"strikes": -1}),
    ("shop_customers", {"wallet": -1}),
    ("shop_cart_lines", {"quantity": 0}),
    ("shop_orders", {"status": "lost"}),
    ("shop_orders", {"total": -1}),
    ("shop_order_lines", {"quantity": 0}),
    ("shop_order_lines", {"price": -1}),
    ("shop_order_lines", {"sold": 3}),
    ("shop_order_lines", {"sold": -1}),
    ("shop_reservations", {"quantity": 0}),
    ("pay_invoices", {"status": "paid"}),
    ("pay_invoices", {"total": -1}),
    ("pay_ledger", {"kind": "guessed"}),
    ("pay_refunds", {"status": "lost"}),
    ("pay_cases", {"status": "lost"}),
    ("pay_indexes", {"next": -1}),
]
ONCE = [
    ("shop_categories", {"name": "Other"}),
    ("shop_products", {"name": "Other"}),
    ("shop_goods", {"content": "CODE-1"}),
    ("shop_customers", {"name": "Ben"}),
    ("shop_cart_lines", {"quantity": 5}),
    ("shop_orders", {"id": "Z" * 20, "key": "other"}),
    ("shop_orders", {"id": "Z" * 20, "number": "S-1"}),
    ("shop_orders", {"number": "S-1", "key": "other"}),
    ("shop_order_lines", {"quantity": 5}),
    ("shop_reservations", {"quantity": 5}),
    ("pay_quotes", {}),
    ("pay_rates", {"rate": "2"}),
    ("pay_invoices", {"address": "b"}),
    ("pay_invoices", {"order_id": "other"}),
    ("pay_ledger", {"amount": "2"}),
    ("pay_refunds", {"amount": "2"}),
    ("pay_cases", {"kind": "other"}),
    ("pay_chains", {"height": 2}),
    ("pay_pool", {"position": 1}),
    ("pay_pool", {"address": "t"}),
    ("pay_indexes", {"next": 2}),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables") / "a.db"
    asyncio.run(migrate(made))
    return made


@pytest.fixture(params=["file", "memory"])
def connection(request: pytest.FixtureRequest, file: Path) -> Iterator[sqlite3.Connection]:
    """With a row in every table; undone afterwards."""
    place = ":memory:" if request.param == "memory" else str(file)
    with closing(sqlite3.connect(place, isolation_level=None)) as opened:
        if request.param == "memory":
            opened.executescript(TABLES)
        opened.execute("BEGIN")
        for table in ROWS:
            opened.execute(*insert(table))
        yield opened
        opened.execute("ROLLBACK")


@pytest.mark.parametrize(("table", "fields"), NEVER, ids=str)
def test_a_row_that_cannot_be_is_refused(connection: sqlite3.Connection, table: str, fields: dict[str, object]) -> None:
    names = ", ".join(f"{name} = ?" for name in fields)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute(f"UPDATE {table} SET {names}", tuple(fields.values()))


@pytest.mark.parametrize(("table", "fields"), ONCE, ids=str)
def test_what_must_be_once_is_refused_twice(
    connection: sqlite3.Connection, table: str, fields: dict[str, object]
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        connection.execute(*insert(table, **fields))


def test_postgresql_has_the_same_checks(postgres_server: Server, database_url: str) -> None:
    name = database_url.rpartition("/")[2]
    found: list[Any] = postgres_server.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname ~ '^(shop|pay)_'", database=name
    )[0]
    assert {str(row[0]) for row in found} == set(re.findall(r"CONSTRAINT (\w+) CHECK", TABLES))


def test_memory_has_the_checks_of_the_file(file: Path) -> None:
    with closing(sqlite3.connect(file)) as opened:
        migrated = opened.execute("SELECT sql FROM sqlite_master WHERE name LIKE 'shop_%' OR name LIKE 'pay_%'")
        text = "\n".join(sql for (sql,) in migrated if sql).replace('"', "")
    assert checks(text) == checks(TABLES)
    assert len(checks(TABLES)) == 19


def checks(sql: str) -> set[str]:
    return set(re.findall(r"CONSTRAINT (\w+ CHECK \(.*\)),?", sql))
