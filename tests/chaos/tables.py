"""The shop's own tables, and how the whole database stands at the end, asked in SQL that both databases know."""

from collections.abc import Sequence
from typing import Any

from engine.runtime.ports import Store
from tests.chaos.script import STOCK

SHOP = (
    "CREATE TABLE IF NOT EXISTS chaos_stock (item TEXT PRIMARY KEY, amount BIGINT NOT NULL CHECK (amount >= 0))",
    "CREATE TABLE IF NOT EXISTS chaos_taken (ref TEXT PRIMARY KEY, item TEXT NOT NULL, chat TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chaos_back (ref TEXT NOT NULL, n BIGINT NOT NULL)",
)
TABLES = ("outbox", "timers", "pending_calls", "signals", "inbox", "chats", "seen_updates", "visits")
"""Of the engine's own: how many rows they have at the end."""


async def stocked(store: Store) -> None:
    """The shop's own tables, filled once."""
    async with store.transaction() as transaction:
        for sql in SHOP:
            await transaction.execute(sql)
        for item, amount in STOCK.items():
            await transaction.execute(
                "INSERT INTO chaos_stock (item, amount) VALUES (?, ?) ON CONFLICT (item) DO NOTHING", (item, amount)
            )


async def standing(store: Store) -> dict[str, Any]:
    """How the database stands."""

    async def rows(sql: str) -> Sequence[Any]:
        async with store.transaction() as transaction:
            return [list(row.values()) for row in await transaction.query(sql)]

    found: dict[str, Any] = {table: (await rows(f"SELECT count(*) AS n FROM {table}"))[0][0] for table in TABLES}
    found["journal"] = (await rows("SELECT count(*) AS n FROM journal WHERE kind = 'incoming'"))[0][0]
    found["conversations"] = sorted(
        await rows("SELECT chat, flow, status, count(*) AS n FROM conversations GROUP BY chat, flow, status")
    )
    found["stock"] = sorted(await rows("SELECT item, amount FROM chaos_stock"))
    found["taken"] = sorted(await rows("SELECT ref, item, chat FROM chaos_taken"))
    found["given back"] = sorted(await rows("SELECT ref, n FROM chaos_back"))
    return found
