"""The next number of an account: the highest of what the database, the mark on disk and the chain say.

Statements over an open transaction; whoever has the account's row locked is alone with it.
"""

import asyncio
from pathlib import Path

from engine.actions.context import Transaction
from storage.shop import marks


async def lock(work: Transaction, asset: str, account: str) -> int:
    """The database's next number of an account, whose row is locked until the transaction ends."""
    await work.execute(
        "INSERT INTO pay_indexes (asset, account, next) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", (asset, account)
    )
    await work.execute("UPDATE pay_indexes SET next = next WHERE asset = ? AND account = ?", (asset, account))
    return await peek(work, asset, account)


async def peek(work: Transaction, asset: str, account: str) -> int:
    """The database's next number of an account, without locking it; 0 for a new one."""
    rows = await work.query("SELECT next FROM pay_indexes WHERE asset = ? AND account = ?", (asset, account))
    return int(str(rows[0]["next"])) if rows else 0


async def take(work: Transaction, data: Path, asset: str, account: str, mark: marks.Mark) -> bool:
    """Write down, on disk first and then in the database, that numbers below `mark.next` are gone.

    False when another process that shares the folder was quicker: then nothing is taken. Raises BadMark.
    """
    if not await asyncio.to_thread(marks.write, data, asset, account, mark):
        return False
    await follow(work, asset, account, mark.next)
    return True


async def follow(work: Transaction, asset: str, account: str, number: int) -> None:
    """The database's next number is this one at least."""
    await work.execute(
        "UPDATE pay_indexes SET next = ? WHERE asset = ? AND account = ? AND next < ?", (number, asset, account, number)
    )
