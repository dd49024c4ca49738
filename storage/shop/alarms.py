"""Warnings about addresses, for the team: each once, as a case and as a line of the log.

Statements over an open transaction. Never a key, never an address.
"""

import logging
from typing import Final

from engine.actions.context import Transaction
from storage.shop.pool import Left

_log = logging.getLogger(__name__)
EMPTY: Final = (
    "{asset}: the pool has no address left. Where the seed is: stepgram keys pool --coin {asset} > pool.txt. Here:"
    " stepgram keys import pool.txt"
)
_LIMITS: Final = (100, 1000, 10_000, 100_000)
_BITCOIN: Final = (
    "Electrum: in the console wallet.change_gap_limit({limit}), then wallet.synchronize(). Sparrow: Settings,"
    " Advanced, Gap limit {limit}. Bitcoin Core: import the descriptor with the range [0, {limit}]"
)
_ACCOUNTS: Final = "add accounts by hand up to the path {path}: wallets of this coin have no gap limit to set"
_HINTS: Final = {
    "BTC": _BITCOIN,
    "LTC": "Electrum-LTC: in the console wallet.change_gap_limit({limit}), then wallet.synchronize()",
    "ETH": _ACCOUNTS,
    "SOL": _ACCOUNTS,
}


async def empty(work: Transaction, asset: str, *, order: str, at: int) -> None:
    """There was no address for an order: once for each order."""
    await _open(work, order, "pool_empty", EMPTY.format(asset=asset), key=f"pool_empty:{asset}:{order}", at=at)


async def lacking(work: Transaction, asset: str, text: str, *, at: int) -> bool:
    """No address can be given out, as is found at the start: once while such a case is open. Whether it is new."""
    known = await work.query(
        "SELECT id FROM pay_cases WHERE kind = 'no_address' AND status = 'open' AND text = ?", (text,)
    )
    if not known:
        await _open(work, "", "no_address", text, key=f"no_address:{asset}:{at}", at=at)
    return not known


async def low(work: Transaction, asset: str, found: Left, *, spare: int, percent: int, order: str, at: int) -> None:
    """Less than so many percent of an account's pool are left, with the `spare` ones of other accounts: once for each
    size that the pool has had."""
    if (found.left + spare) * 100 >= found.total * percent:
        return
    text = (
        f"{asset}: {found.left} of {found.total} addresses are left in the pool. Where the seed is:"
        f" stepgram keys pool --coin {asset} --start {found.next + found.left} > pool.txt."
        " Here: stepgram keys import pool.txt"
    )
    await _open(work, order, "pool_low", text, key=f"pool_low:{asset}:{found.account}:{found.total}", at=at)


async def gap(work: Transaction, asset: str, account: str, *, path: str, gap: int, order: str, at: int) -> None:
    """So many addresses in a row were given out and not paid that wallets stop looking: once for each such row, and
    again when it grows beyond the limit that was named."""
    behind = f"%@{account}"
    latest = await work.query(
        "SELECT received FROM pay_invoices WHERE asset = ? AND path LIKE ? ORDER BY id DESC LIMIT ?",
        (asset, behind, gap),
    )
    if gap <= 0 or len(latest) < gap or any(str(row["received"]) not in ("", "0") for row in latest):
        return
    paid, unpaid = await _row(work, asset, behind)
    limit = next((limit for limit in _LIMITS if unpaid + 1 < limit), unpaid * 2)
    hint = _HINTS[asset].format(limit=limit, path=path.split("@", maxsplit=1)[0])
    text = (
        f"{asset}: the last {unpaid} addresses were not paid, and most wallets look only 20 ahead."
        f" So that yours finds later payments: {hint}."
    )
    await _open(work, order, "gap", text, key=f"gap:{asset}:{account}:{paid}:{limit}", at=at)


async def lifted(work: Transaction, asset: str, account: str, *, number: int, by: int, at: int) -> None:
    """The chain has seen addresses that this database never gave out: once for each such number."""
    text = (
        f"{asset}: the chain knows payments to addresses of account {account} that this database has not given out."
        f" {by} numbers were passed over, and {number} is the next. Was an old backup restored? Then look in your"
        " wallet for payments to addresses that no order has. Does another shop use the same account? Give each its own"
    )
    await _open(work, "", "lifted", text, key=f"lifted:{asset}:{account}:{number}", at=at)


async def _row(work: Transaction, asset: str, behind: str) -> tuple[int, int]:
    """The last paid invoice of an account, 0 when none is, and how many came after it."""
    paid = await work.query(
        "SELECT id FROM pay_invoices WHERE asset = ? AND path LIKE ? AND received NOT IN ('', '0')"
        " ORDER BY id DESC LIMIT 1",
        (asset, behind),
    )
    last = int(str(paid[0]["id"])) if paid else 0
    count = await work.query(
        "SELECT COUNT(*) AS unpaid FROM pay_invoices WHERE asset = ? AND path LIKE ? AND id > ?", (asset, behind, last)
    )
    return last, int(str(count[0]["unpaid"]))


async def _open(work: Transaction, order: str, kind: str, text: str, *, key: str, at: int) -> None:
    opened = await work.execute(
        "INSERT INTO pay_cases (order_id, kind, text, status, at, answer, key) VALUES (?, ?, ?, 'open', ?, '', ?)"
        " ON CONFLICT DO NOTHING",
        (order[:20], kind, text, at, key),
    )
    if opened:
        _log.warning("%s", text)
