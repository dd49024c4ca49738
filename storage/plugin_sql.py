"""Statements of plugins in the conversation's transaction, and the shipped plugins' tables, for both stores."""

import re
import sqlite3
from collections.abc import Sequence
from typing import Final

from storage.errors import StoreError
from storage.shop.tables import SHOP_TABLES

_ENGINES_OWN: Final = frozenset(
    {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "PRAGMA", "VACUUM"}
)

_BEFORE_THE_WORD: Final = re.compile(r"(?:[\s;\ufeff]|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$))*+", re.DOTALL)
"""What SQLite passes over before a statement begins: blanks, empty statements, comments."""
_WORD: Final = re.compile(r"\w*")

TABLES: Final = (
    """
CREATE TABLE print_orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    number VARCHAR(64) NOT NULL UNIQUE,
    idempotency_key VARCHAR(128) NOT NULL UNIQUE,
    chat VARCHAR(128) NOT NULL,
    document TEXT NOT NULL,
    status VARCHAR(32) NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE print_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    ref TEXT NOT NULL,
    idempotency_key VARCHAR(128) NOT NULL UNIQUE,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
"""
    + SHOP_TABLES
)
"""The plugins' tables for the memory store; in a file the migrations make them. A test keeps both alike."""


def check_statement(sql: str) -> None:
    """Raises StoreError for a statement that would end the transaction or change the connection."""
    skipped = _BEFORE_THE_WORD.match(sql)
    found = _WORD.match(sql, skipped.end() if skipped else 0)
    word = found[0].upper() if found else ""
    if word in _ENGINES_OWN:
        raise StoreError(
            f"{word} is not for plugins: the engine opens and ends the transaction. Raise an error to have"
            " everything undone, or use `savepoint()` for a part of it."
        )


def execute(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> int:
    """Run one statement to its end; the rows it changed itself, without those of triggers and cascades."""
    cursor = connection.execute(sql, tuple(parameters))
    cursor.fetchall()
    return max(cursor.rowcount, 0)


def query(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> list[dict[str, object]]:
    """All rows as mappings by column name."""
    cursor = connection.execute(sql, tuple(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, line, strict=True)) for line in cursor.fetchall()]
