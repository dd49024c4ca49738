"""Addresses made beforehand where the seed is: the file that carries them, and the table that gives them out.

Public addresses only. Statements over an open transaction; the file's text comes in and goes out by parameter.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from engine.actions.context import Transaction
from engine.core.records import record
from storage.shop import counting
from storage.shop.keys import accounts
from storage.shop.keys.errors import KeyTrouble

LARGEST: Final = 100_000
"""So many addresses fit into one file."""
_HEAD: Final = re.compile(r"# stepgram pool (SOL) ([0-9a-f]{16})")
_LINE: Final = re.compile(r"([0-9]{1,9}) ([1-9A-HJ-NP-Za-km-z]{32,44})")
_END: Final = re.compile(r"# end ([0-9]{1,9}) ([0-9a-f]{64})")


@record
class Pool:
    """What a file of addresses holds."""

    asset: str
    account: str
    addresses: tuple[tuple[int, str], ...]
    """Number of the derivation path, address."""


@record
class Left:
    """How much of an account's pool is left."""

    account: str
    total: int
    left: int
    next: int
    """No address below this number is free."""


def write(asset: str, account: str, addresses: Sequence[tuple[int, str]]) -> str:
    """A file of addresses, with a checksum at its end: an address of SOL has none of its own."""
    lines = [f"# stepgram pool {asset} {account}", *(f"{number} {address}" for number, address in addresses)]
    return "\n".join([*lines, f"# end {len(addresses)} {_checksum(lines)}", ""])


def read(text: str) -> Pool:
    """What such a file holds. Raises KeyTrouble: which line is wrong, or that a part is missing or was altered."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    head = _HEAD.fullmatch(lines[0]) if lines else None
    end = _END.fullmatch(lines[-1]) if lines else None
    if head is None:
        raise KeyTrouble("this is no file of addresses: `stepgram keys pool --coin SOL > pool.txt` makes one")
    if end is None:
        raise KeyTrouble("the end of the file is missing: copy it again, whole")
    body = lines[1:-1]
    if len(body) > LARGEST:
        raise KeyTrouble(f"the file has {len(body)} addresses; {LARGEST} fit into one")
    if int(end[1]) != len(body) or end[2] != _checksum(lines[:-1]):
        raise KeyTrouble("the file was altered, or a part of it is missing: copy it again, whole")
    return Pool(asset=head[1], account=head[2], addresses=tuple(_addresses(body)))


def _addresses(body: Iterable[str]) -> Iterable[tuple[int, str]]:
    numbers: set[int] = set()
    addresses: set[str] = set()
    for place, line in enumerate(body, 2):
        found = _LINE.fullmatch(line)
        if found is None:
            raise KeyTrouble(f"line {place} is not a number and an address")
        number, address = int(found[1]), found[2]
        try:
            accounts.check_solana(address)
        except ValueError as error:
            raise KeyTrouble(f"line {place}: {error}") from None
        if number in numbers or address in addresses:
            raise KeyTrouble(f"line {place} is there twice")
        numbers.add(number)
        addresses.add(address)
        yield number, address


def _checksum(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def put(work: Transaction, pool: Pool) -> int:
    """Put a pool's addresses into the table; those that are there stay. How many are new.

    Raises KeyTrouble when the table has another address under one of the numbers, or one of the addresses elsewhere.
    """
    new = 0
    for number, address in pool.addresses:
        new += await work.execute(
            "INSERT INTO pay_pool (asset, account, position, address) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (pool.asset, pool.account, number, address),
        )
    known = {
        (int(str(row["position"])), str(row["address"]))
        for row in await work.query(
            "SELECT position, address FROM pay_pool WHERE asset = ? AND account = ?", (pool.asset, pool.account)
        )
    }
    other = [number for number, address in pool.addresses if (number, address) not in known]
    if other:
        raise KeyTrouble(
            f"the database has another address of account {pool.account} under number {other[0]}, or this address in"
            " another account: the file is of another seed. Nothing was imported"
        )
    return new


async def accounts_of(work: Transaction, asset: str) -> tuple[str, ...]:
    """The accounts that have addresses in the pool, the one that was imported first in front."""
    rows = await work.query(
        "SELECT account, MIN(id) AS first FROM pay_pool WHERE asset = ? GROUP BY account ORDER BY MIN(id)", (asset,)
    )
    return tuple(str(row["account"]) for row in rows)


async def following(work: Transaction, asset: str, account: str, number: int) -> tuple[int, str] | None:
    """The first address of an account from this number on; None when there is none."""
    found = await window(work, asset, account, number, 1)
    return found[0] if found else None


async def window(work: Transaction, asset: str, account: str, number: int, size: int) -> Sequence[tuple[int, str]]:
    """The first `size` addresses of an account from this number on."""
    rows = await work.query(
        "SELECT position, address FROM pay_pool WHERE asset = ? AND account = ? AND position >= ?"
        " ORDER BY position LIMIT ?",
        (asset, account, number, size),
    )
    return [(int(str(row["position"])), str(row["address"])) for row in rows]


async def left(work: Transaction, asset: str, account: str, following: int | None = None) -> Left:
    """How much of an account is left. `following`: its next number, where that is known better than by the table."""
    number = await counting.peek(work, asset, account) if following is None else following
    rows = await work.query(
        "SELECT COUNT(*) AS total, COUNT(CASE WHEN position >= ? THEN 1 END) AS free FROM pay_pool"
        " WHERE asset = ? AND account = ?",
        (number, asset, account),
    )
    return Left(account=account, total=int(str(rows[0]["total"])), left=int(str(rows[0]["free"])), next=number)
