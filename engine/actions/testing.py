"""A Context for tests of plugins: a real SQLite database in memory, files from bytes, time that stands still.

For tests only; nothing of the engine imports it.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, TypeVar

from engine.actions.context import (
    Context,
    MenuEntry,
    OpenConversation,
    Request,
    ServiceContext,
    Transaction,
    Voiced,
    WebhookContext,
)
from engine.actions.errors import Refusal, UnknownSecret
from engine.core.values import Value

if TYPE_CHECKING:
    from aiohttp import ClientSession

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""What `context.now` says unless the test says otherwise."""
_PIECE = 64 * 1024
_Kind = TypeVar("_Kind")


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
class Configured:
    """A plugin's settings by their class: those that the test gave, else the defaults."""

    values: Mapping[type[Any], object] = field(default_factory=dict)

    def __call__(self, kind: type[_Kind], /) -> _Kind:
        given = self.values.get(kind)
        return given if isinstance(given, kind) else kind()


@dataclass(slots=True, kw_only=True)
class Time:
    """A service's clock: whoever sleeps wakes at once, so much later. `ends` raises Slept when it is reached."""

    now: datetime = MOMENT
    ends: datetime | None = None
    slept: list[float] = field(default_factory=list)
    """How long each sleep was, in seconds."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        if self.ends is not None and self.now >= self.ends:
            raise Slept


class Slept(Exception):  # noqa: N818 - says what happened
    """A service under test has slept until the end of the test's time."""


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
    configured: Mapping[type[Any], object] | None = None,
    **fields: Any,
) -> Context:
    """A Context as the engine would hand it over; what you do not give has a quiet default.

    `transactional`: `context.transaction` is open on the database. `files`: content by ref. `http`: a real
    session, for a real server on 127.0.0.1. `configured`: plugins' settings by their class, else `Class()`. What
    actions ask for with `context.work` and in `context.begin()` stands in `context.requests`. Other fields of Context
    go by their names.
    """
    data = database or Database.of()
    requests: list[Request] = fields.pop("requests", [])
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
        begin=_beginning(data, requests),
        configured=Configured(values=configured or {}),
        data=fields.pop("data", None) or _folder(),
        requests=requests,
        **fields,
    )


def work(database: Database, requests: list[Request] | None = None) -> Voiced:
    """A Work over the database, outside of any transaction; what is sent stands in its `requests`."""
    return Voiced(database, [] if requests is None else requests)


def service_context(
    *,
    database: Database | None = None,
    time: Time | None = None,
    requests: list[Request] | None = None,
    http: "ClientSession | None" = None,
    secrets: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, Value] | None = None,
    configured: Mapping[type[Any], object] | None = None,
    data: Path | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> ServiceContext:
    """What a service is handed. `time`: its clock, which a sleep turns at once; with `Time(ends=…)` the service ends
    there with Slept. `requests`: the list that whatever it sends is put into when its transaction is committed."""
    clock = time or Time(ends=MOMENT)
    given = settings or {}
    return ServiceContext(
        name="test",
        now=lambda: clock.now,
        sleep=sleep or clock.sleep,
        begin=_beginning(database or Database.of(), [] if requests is None else requests),
        http=_no_http if http is None else (lambda: http),
        secret=Secrets(values=secrets or {}),
        environment=environment or {},
        settings=lambda: given,
        configured=Configured(values=configured or {}),
        data=data or _folder(),
    )


def webhook_context(
    *,
    database: Database | None = None,
    requests: list[Request] | None = None,
    delivery: str = "delivery-1",
    now: datetime = MOMENT,
    settings: Mapping[str, Value] | None = None,
    configured: Mapping[type[Any], object] | None = None,
) -> WebhookContext:
    """What a webhook is handed. `requests`: the list that whatever it sends is put into."""
    return WebhookContext(
        work=work(database or Database.of(), requests),
        delivery=delivery,
        now=now,
        configured=Configured(values=configured or {}),
        settings=settings or {},
    )


def _beginning(data: Database, requests: list[Request]) -> Callable[[], AbstractAsyncContextManager[Voiced]]:
    @asynccontextmanager
    async def begin() -> AsyncIterator[Voiced]:
        own: list[Request] = []
        async with data.transaction() as transaction:
            yield Voiced(transaction, own)
        requests.extend(own)  # what an undone transaction wanted to send is not sent

    return begin


def _folder() -> Path:
    return Path(mkdtemp(dir=_data().name))


@lru_cache(maxsize=1)
def _data() -> "TemporaryDirectory[str]":
    """Goes with the process."""
    return TemporaryDirectory(prefix="stepgram-data-")


def _files(content: Mapping[str, bytes]) -> Files:
    folder = Path(mkdtemp(prefix="stepgram-files-")) if content else Path()
    for ref, data in content.items():
        (folder / ref).write_bytes(data)
    return Files(folder=folder)
