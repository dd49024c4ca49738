"""SQLite's driver for the chaos runs: the work done inline instead of in a thread (so that a seed replays exactly),
and a place where the database fails, is full, or is held by somebody else."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import aiosqlite

import storage.hop
from tests.chaos.points import Points, replaced_in

PAUSES = (0.002, 0.004, 0.008)
"""Instead of the store's own pauses, which are for people."""


class Inline:
    """As much of `aiosqlite.Connection` as the store uses."""

    def __init__(self, database: str, **named: Any) -> None:
        self._database, self._named = database, named
        self._conn: Any = None

    def __await__(self) -> Generator[Any, None, "Inline"]:
        return self._connect().__await__()

    async def _connect(self) -> "Inline":
        await asyncio.sleep(0)
        self._conn = sqlite3.connect(self._database, **self._named)
        return self

    @property
    def in_transaction(self) -> bool:
        return bool(self._conn.in_transaction)

    async def _execute(self, work: Callable[..., Any], *arguments: Any) -> Any:
        await asyncio.sleep(0)
        result = work(*arguments)
        await asyncio.sleep(0)
        return result

    async def execute(self, sql: str) -> "Inline.Cursor":
        self._conn.execute(sql)
        return Inline.Cursor()

    async def executescript(self, sql: str) -> "Inline.Cursor":
        self._conn.executescript(sql)
        return Inline.Cursor()

    async def close(self) -> None:
        await asyncio.sleep(0)
        self._conn.close()

    class Cursor:
        async def close(self) -> None:
            pass


class Database:
    """Breaks and mends the store of this process."""

    def __init__(self, file: Path, points: Points, *, threads: bool, holder: Callable[[str], None] | None) -> None:
        self._file = file
        self._points = points
        self._holder = holder
        """Tells the process that can hold the database what to do."""
        self._limited: dict[int, bool] = {}
        """By connection: whether SQLite was told that it may not grow."""
        self._full = False
        self._broken = False
        replaced_in(storage.hop, "PAUSES", PAUSES)
        once = storage.hop.Hop._once
        watch = self._watched

        async def watched(hop: Any, work: Callable[[sqlite3.Connection], Any]) -> Any:
            return await once(hop, lambda connection: watch(connection, work))

        replaced_in(storage.hop.Hop, "_once", watched)
        if not threads:
            replaced_in(aiosqlite, "connect", Inline)

    def _watched(self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """In the driver's thread."""
        if id(connection) not in self._limited:
            self._limited[id(connection)] = False
            connection.set_trace_callback(self._points)
        if self._broken:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        if self._full != self._limited[id(connection)] and not connection.in_transaction:
            self._limit(connection)
        return work(connection)

    def _limit(self, connection: sqlite3.Connection) -> None:
        """SQLite's own limit makes its own error, in the middle of a transaction."""
        pages = connection.execute("PRAGMA page_count").fetchone()[0] if self._full else 1 << 30
        connection.execute(f"PRAGMA max_page_count = {pages}")
        self._limited[id(connection)] = self._full

    def begin(self, kind: str) -> None:
        match kind:
            case "full":
                self._full = True
            case "io":
                self._broken = True
            case "busy" if self._holder is not None:
                self._holder("hold")
            case "away" if not os.path.exists(f"{self._file}.away"):  # else it is away already
                self._move("", ".away")

    def end(self, kind: str) -> None:
        match kind:
            case "full":
                self._full = False
            case "io":
                self._broken = False
            case "busy" if self._holder is not None:
                self._holder("free")
                time.sleep(0.002)
            case "away":
                self._move(".away", "")

    def _move(self, before: str, after: str) -> None:
        bring_back(self._file, before, after)


def bring_back(file: Path, before: str = ".away", after: str = "") -> None:
    """The files of a database under another name, or under their own again. What a start made in their place meanwhile
    goes: a log of one database beside the file of another would be played into it."""
    if os.path.exists(f"{file}{before}"):
        for ending in ("-wal", "-shm"):
            Path(f"{file}{ending}{after}").unlink(missing_ok=True)
    for ending in ("", "-wal", "-shm"):
        source = f"{file}{ending}{before}"
        if os.path.exists(source):
            os.replace(source, f"{file}{ending}{after}")
