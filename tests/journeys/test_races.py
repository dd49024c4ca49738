"""Things that happen in the same moment: what a look at the clock finds while a commit is just being made known."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.actions.catalog import Catalog
from engine.runtime.ports import Commit
from storage.sqlite_store import SqliteStore
from tests.backend import Backend
from tests.journeys.order import DOCUMENT, walk
from tests.journeys.shop import Shop


class Hesitant(SqliteStore):
    """Every commit is in the database a moment before the bot hears of it."""

    async def commit(self, commits: Sequence[Commit], *more: Any) -> None:
        await super().commit(commits, *more)
        await asyncio.sleep(0.02)


async def test_calls_are_found_before_their_chat_knows_of_them(
    tmp_path: Path, catalog: Catalog, backend: Backend
) -> None:
    shop = Shop(tmp_path, catalog, backend=backend)
    shop.app = shop.built(Hesitant(tmp_path / "shop.sqlite3", synchronous="NORMAL"))
    async with shop:
        looking = asyncio.create_task(_looks(shop))
        anna = shop.customer()
        try:
            await walk(anna)
        finally:
            looking.cancel()
        anna.sees("NL-00001")
    assert backend.orders == [DOCUMENT]
    assert len(backend.uploads) == 2


async def _looks(shop: Shop) -> None:
    """As the clock's own loop does, only all the time."""
    while True:
        await shop.app.run_due()
        await asyncio.sleep(0.001)
