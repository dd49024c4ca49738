"""Transactional actions that stand in each other's way on PostgreSQL: done again as a whole, nothing oversold."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from engine.actions import Context, action
from engine.core.events import TextReceived
from engine.runtime.clock import SystemClock
from engine.runtime.ports import Envelope
from engine.runtime.routing import Command
from storage.postgres_store import PostgresStore
from tests.runtime.harness import assemble, offering

BUY = """
flow: buy
title: Buy
entry: {commands: [buy]}
steps:
  first:
    ask: text
    text: First?
  second:
    ask: text
    text: Second?
  take:
    do: stock.take
    with: {first: first, second: second}
    transitions: {taken: done, failed: broken}
  done: {text: Taken., end: completed}
  broken: {text: Broken., end: failed}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    count: int


@action(transactional=True)
async def take(context: Context, *, first: str, second: str) -> Taken:
    """Take one of each, in the order asked for: two that ask crosswise lock each other out."""
    transaction = context.transaction
    assert transaction is not None
    for name in (first, second):
        await transaction.execute("UPDATE print_files SET size = size - 1 WHERE name = ? AND size > 0", (name,))
        await asyncio.sleep(0.05)
    return Taken(count=2)


async def test_two_that_lock_each_other_out_both_get_through(tmp_path: Path, database_url: str) -> None:
    bot = assemble(
        tmp_path,
        {"buy": BUY},
        store=PostgresStore(database_url),
        clock=SystemClock(),  # type: ignore[arg-type]
        offers=offering("stock", take),
    )
    await bot.app.start()
    try:
        async with bot.app.store.transaction() as transaction:
            for number, name in enumerate(("a", "b")):
                await transaction.execute(
                    "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES (?, ?, ?, 10, 1)",
                    (f"ref{number}", f"key{number}", name),
                )
        counts = {}

        async def says(chat: str, what: object) -> None:
            counts[chat] = counts.get(chat, 0) + 1
            assert await bot.app.handle(Envelope(chat=chat, update=f"{chat}#{counts[chat]}", what=what, name="Anna"))

        async def buys(chat: str, order: str) -> None:
            await says(chat, Command(name="buy"))
            for name in order:
                await says(chat, TextReceived(at=SystemClock().now(), text=name))

        await asyncio.gather(*(buys(f"desk:{number}", "ab" if number % 2 else "ba") for number in range(4)))
        await bot.app.run_due()
        assert [bot.screen.texts(f"desk:{number}")[-1] for number in range(4)] == ["Taken."] * 4
        async with bot.app.store.transaction() as transaction:
            left = await transaction.query("SELECT name, size FROM print_files ORDER BY name")
        assert [(row["name"], row["size"]) for row in left] == [("a", 6), ("b", 6)]
    finally:
        await bot.app.stop()
