"""What would be worked out again for every test, though it comes out the same: done once, then given again.

Nothing here may change what a test sees. Only the same bytes of a file, and an empty database, are ever given again.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from engine.diagnostics import Span
from engine.loading import source
from engine.loading.documents import Document
from engine.loading.source import Read
from storage import file

Migrate = Callable[[Path, str], Awaitable[None]]


class Sparing:
    """Of one test run. `at_work` patches it in for a test."""

    def __init__(self) -> None:
        self._real = source.read_text
        self._readings = lru_cache(maxsize=1000)(self._reading)
        self.migrate: Migrate = file._migrate
        self._databases: dict[str, bytes] = {}
        """What the migrations of a package make of an empty file."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source, "read_text", self.read)
            patch.setattr(file, "_migrate", self.migrated)
            yield

    def read(self, text: str, name: str) -> Read:
        """As `read_text`; the same text is read once, under whatever name it comes back."""
        first, known = self._readings(text)
        if not first:
            first.append(name)
            known.append(self._real(text, name))
        return known[0] if name == first[0] else named(known[0], name)

    @staticmethod
    def _reading(_text: str) -> tuple[list[str], list[Read]]:
        return [], []

    async def migrated(self, database: Path, package: str) -> None:
        """As `migrate`; what it makes of an empty database is made once."""
        empty = _is_empty(database)
        known = self._databases.get(package) if empty else None
        if known is not None:
            database.write_bytes(known)
            return
        await self.migrate(database, package)
        if empty:
            self._databases[package] = database.read_bytes()


def named(value: Any, name: str) -> Any:
    """The same, of a file with another name. What is read never changes, so parts of it may be shared."""
    match value:
        case Span():
            return Span(
                file=name, line=value.line, column=value.column, end_line=value.end_line, end_column=value.end_column
            )
        case Document():
            return Document(path=name, text=value.text, root=named(value.root, name))
        case tuple():
            return tuple([named(part, name) for part in value])
        case _ if is_dataclass(value):
            return type(value)(**{one.name: named(getattr(value, one.name), name) for one in fields(value)})
        case _:
            return value


def _is_empty(database: Path) -> bool:
    if not database.exists():
        return True
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
