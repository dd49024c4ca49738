"""A Context for tests of plugins: a real SQLite database in memory, files from bytes, time that stands still.

For tests only; nothing of the engine imports it.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from engine.actions.context import Context, MenuEntry, OpenConversation, Transaction
from engine.actions.errors import Refusal, UnknownSecret
from engine.core.values import Value

if TYPE_CHECKING:
    from aiohttp import ClientSession

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""What `context.now` says unless the test says otherwise."""
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One SQLite database in memory. Several contexts may share it."""

    connection: sqlite3.Connection

    @staticmethod
    def of(script: str = "") -> "Database":
        """A new database, made by a script of CREATE and INSERT statements."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.executescript(script)
        return Database(connection=connection)

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        return self.connection.execute(sql, tuple(parameters)).rowcount

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        cursor = self.connection.execute(sql, tuple(parameters))
        return [dict(row) for row in cursor.fetchall()]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits at the end, undoes everything when the block raises."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files by their ref, kept in a folder."""

    folder: Path

    async def open(self, ref: str) -> AsyncIterator[bytes]:
        for piece in _pieces(self.path(ref)):
            yield piece

    def path(self, ref: str) -> Path:
        return self.folder / ref

    async def keep(self, ref: str) -> None:
        if not self.path(ref).is_file():
            raise FileNotFoundError("no file is kept under this ref")
        (self.folder / f"{ref}.kept").touch()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Secrets by name."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, name: str) -> str:
        if name not in self.values:
            raise UnknownSecret(f"there is no secret “{name}”")
        return self.values[name]


def _no_http() -> "ClientSession":
    raise Refusal("this test gave no HTTP session: context(http=session)")


def context(
    *,
    database: Database | None = None,
    transactional: bool = False,
    files: Mapping[str, bytes] | None = None,
    http: "ClientSession | None" = None,
    secrets: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, Value] | None = None,
    open_conversations: tuple[OpenConversation, ...] = (),
    menu: tuple[MenuEntry, ...] = (),
    **fields: Any,
) -> Context:
    """A Context as the engine would hand it over; what you do not give has a quiet default.

    `transactional`: `context.transaction` is open on the database. `files`: content by ref. `http`: a real
    session, for a real server on 127.0.0.1. Other fields of Context go by their names.
    """
    data = database or Database.of()
    return Context(
        conversation=fields.pop("conversation", "testtest01"),
        chat=fields.pop("chat", "test:1"),
        customer=fields.pop("customer", {"id": "1", "name": "Anna", "language": "en", "roles": ()}),
        language=fields.pop("language", "en"),
        settings=settings or {},
        idempotency_key=fields.pop("idempotency_key", "testtest01/1.do"),
        attempt=fields.pop("attempt", 1),
        now=fields.pop("now", MOMENT),
        transaction=data if transactional else None,
        database=data.transaction,
        http=_no_http if http is None else (lambda: http),
        files=_files(files or {}),
        secret=Secrets(values=secrets or {}),
        environment=environment or {},
        open_conversations=open_conversations,
        menu=menu,
        **fields,
    )


def _files(content: Mapping[str, bytes]) -> Files:
    folder = Path(mkdtemp(prefix="stepgram-files-")) if content else Path()
    for ref, data in content.items():
        (folder / ref).write_bytes(data)
    return Files(folder=folder)
