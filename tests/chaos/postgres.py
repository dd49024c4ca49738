"""The same runs on a private PostgreSQL server: a database for each job, emptied before each run."""

import asyncio
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests import postgres
from tests.chaos.child import HELD, Place
from tests.chaos.plan import Plan
from tests.chaos.points import replaced_in
from tests.chaos.runs import Server, house
from tests.chaos.script import STOCK
from tests.chaos.tables import stocked

GONE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
LOCKED = "LOCK TABLE chats, outbox IN ACCESS EXCLUSIVE MODE"
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Instead of the store's own pauses, which are for a server that restarts."""


class PostgresServer(Server):
    """Runs plans on PostgreSQL."""

    name = "postgresql"
    shared = True

    def __init__(self, folder: Path, *, shop: bool = False) -> None:
        import tortoise.backends.asyncpg.client  # noqa: F401

        import storage.postgres_connection
        import storage.postgres_store

        replaced_in(storage.postgres_connection, "PAUSES", PAUSES)
        self._cluster = postgres.start()
        self._template_url = self._cluster.create()
        super().__init__(folder, house(shop=shop))
        self._url = self._cluster.create(self._template_url.rpartition("/")[2])

    def close(self) -> None:
        self._cluster.close()

    def for_job(self, job: int) -> "PostgresServer":
        made = super().for_job(job)
        assert isinstance(made, PostgresServer)
        made._url = self._cluster.create(self._template_url.rpartition("/")[2])
        return made

    def _make_template(self) -> int:
        async def make() -> None:
            store = self._store(self._template_url)
            await store.open()
            if not self.house.shop:
                await stocked(store)
            await store.close()

        asyncio.run(make())
        return 0

    def _store(self, url: str, worker: str = "") -> Any:
        from storage.postgres_store import PostgresStore

        return PostgresStore(url, worker=worker)

    def _emptied(self) -> None:
        stock = ", ".join(f"('{item}', {amount})" for item, amount in STOCK.items())
        filled = () if self.house.shop else (f"INSERT INTO chaos_stock (item, amount) VALUES {stock}",)
        self._cluster.execute(
            *postgres.EMPTIED[:2],
            *filled,
            database=self._url.rpartition("/")[2],
        )

    @contextmanager
    def _place(self, folder: Path, plan: Plan) -> Iterator[Place]:
        self._emptied()
        troubled = any(fault.kind in ("gone", "busy") for life in plan.lives for fault in life.faults)
        with _trouble(self._url) if troubled else _nobody() as holder:
            yield Place(
                folder=folder,
                store=lambda: self._store(self._url),
                database=None,
                holder=holder,
                count=self._count,
            )


@contextmanager
def _nobody() -> Iterator[None]:
    yield None


@contextmanager
def _trouble(url: str) -> Iterator[Callable[[str], None]]:
    """Another process that ends the server's sessions, or holds its tables for a moment."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(writing)
        with suppress(BaseException):
            asyncio.run(_make_trouble(url, reading))
        os._exit(0)
    os.close(reading)
    try:
        yield lambda word: _tell(writing, word)
    finally:
        os.close(writing)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _tell(writing: int, word: str) -> None:
    os.write(writing, word[:1].encode())


async def _make_trouble(url: str, reading: int) -> None:
    import asyncpg

    while word := os.read(reading, 1):
        with suppress(Exception):
            line = await asyncpg.connect(url)
            if word == b"g":
                await line.execute(GONE)
            elif word == b"h":
                async with line.transaction():
                    await line.execute(LOCKED)
                    if select.select([reading], [], [], HELD)[0]:
                        os.read(reading, 1)
            await line.close()
