"""The same durable step through Tortoise's model layer: SELECT, UPDATE and a journal row in one transaction per event.

Only the database work: no dialog is played, nothing is answered.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.store_floor import IN_FLIGHT, Level
from tests.benchmarks.work import SCRIPT, Run

_DATA = b'{"answers": "' + b"a customer's words " * 45 + b'"}'
"""About as long as our own conversation is in the middle of the order."""
Connection = dict[str, Any]


def sqlite(file: Path, level: Level) -> Connection:
    """A SQLite file, as Tortoise's settings have it."""
    pragmas = {"file_path": str(file), "journal_mode": "WAL", "synchronous": level}
    return {"engine": "tortoise.backends.sqlite", "credentials": pragmas}


def server(address: str) -> Connection:
    """A PostgreSQL database, as Tortoise's settings have it; a connection for each that is in flight."""
    parts = urlsplit(address)
    where = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password or ""}
    pool = {"database": parts.path[1:], "minsize": IN_FLIGHT, "maxsize": IN_FLIGHT}
    return {"engine": "tortoise.backends.asyncpg", "credentials": {**where, **pool}}


class ModelLayer:
    """Our own tables, which must be there, through models. Tortoise speaks one dialect at a time: each run connects
    anew, before the clock starts."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections
        self._customers = 0

    async def run(self, where: str, orders: int, in_flight: int = 1) -> Run:
        """In one of the databases, so many orders of 13 events, at most `in_flight` at once."""
        from tortoise import Tortoise

        app = {"models": ["storage.models"], "default_connection": where}
        used = {where: self._connections[where]}
        await Tortoise.init(config={"connections": used, "apps": {"stepgram": app}})
        try:
            names = [f"t{self._customers + number}" for number in range(1, orders + 1)]
            self._customers += orders
            for name in names:
                await self._begin(where, name)
            return await self._timed(where, names, in_flight)
        finally:
            await Tortoise.close_connections()

    async def _timed(self, where: str, names: Sequence[str], in_flight: int) -> Run:
        waits: list[float] = []
        left = iter(names)

        async def customer() -> None:
            for name in left:
                for number in range(len(SCRIPT)):
                    begun = time.perf_counter()
                    await self._event(where, name, number)
                    waits.append(time.perf_counter() - begun)

        begun, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(customer() for _ in range(min(in_flight, len(names)))))
        return Run(seconds=time.perf_counter() - begun, cpu=time.process_time() - cpu, waits=waits)

    async def _begin(self, where: str, name: str) -> None:
        from tortoise import connections

        from storage.models import ConversationRow

        await ConversationRow.create(
            id=name, chat=f"bench:{name}", flow="print_order", status="active", revision=1, started_at=0, touched_at=0,
            data=_DATA, using_db=connections.get(where),
        )  # fmt: skip

    async def _event(self, where: str, name: str, number: int) -> None:
        from tortoise.transactions import in_transaction

        from storage.models import ConversationRow, VisitLine

        async with in_transaction(where) as connection:
            row = await ConversationRow.get(id=name, using_db=connection)
            row.revision += 1
            row.touched_at = number
            row.data = _DATA
            await row.save(using_db=connection, update_fields=["revision", "touched_at", "data"])
            await VisitLine.create(
                conversation=name, at=number, visit=number, step="material", kind="answered", detail="PLA",
                using_db=connection,
            )  # fmt: skip
