"""One address for one order: taken once, checked a second way, written down before anybody sees it.

Public keys only, except in the opt-in hot mode; never a private key in a row, a log or an error.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.actions.context import Work
from engine.core.records import record
from storage.shop import alarms, counting, marks, pool, wallets
from storage.shop.keys import accounts, practice
from storage.shop.keys.errors import KeyTrouble, Mismatch
from storage.shop.marks import BadMark
from storage.shop.settings import ChainSetting, ChainSettings

_log = logging.getLogger(__name__)
_SKIPPED: Final = 1000
"""So many numbers are tried whose addresses another order has: after a loss of both marks, never otherwise."""


@record
class Issued:
    """An address for one order and for no other."""

    address: str
    path: str
    """Where its key is: `m/84'/0'/0'/0/7@ACCOUNT`, or `practice`. For the shop's books, not for the customer."""


@record
class NoAddress:
    """There is none to be had, and why, for the operator."""

    reason: str


@record
class _Taken:
    account: str
    number: int
    issued: Issued


async def issue(
    work: Work, asset: str, *, chains: ChainSettings, environment: Mapping[str, str], data: Path, key: str, at: int = 0
) -> Issued | NoAddress:
    """An address of `asset` for the order `key`. Asked again for the same order, it gives the same address.

    `data`: the folder of marks that a restored backup does not put back. `at`: the moment, in ms, for warnings to the
    team. Belongs to the caller's transaction: undone, the number stays unused, unless the same order comes again.
    """
    chain = chains.of(asset)
    if chain is None:
        return NoAddress(reason=f"bot.yaml has no {asset} under plugins: chains:")
    if chain.via == "practice":
        return Issued(address=practice.address(asset, key), path=practice.PATH)
    try:
        wallet = wallets.read(asset, chain, environment)
        taken = await _take(work, asset, wallet, data=data, key=key)
    except (KeyTrouble, BadMark) as trouble:
        _log.error("No address of %s: %s", asset, trouble)
        return NoAddress(reason=f"{asset}: {trouble}")
    if taken is None:
        await alarms.empty(work, asset, order=key, at=at)
        return NoAddress(reason=alarms.EMPTY.format(asset=asset))
    await _warn(work, asset, chain, taken, order=key, at=at)
    return taken.issued


async def lacking(work: Work, asset: str, *, chains: ChainSettings, environment: Mapping[str, str]) -> NoAddress | None:
    """Why no address of `asset` could be given out now; None when one could. Takes none."""
    chain = chains.of(asset)
    if chain is None or chain.via == "practice":
        return None
    try:
        wallet = wallets.read(asset, chain, environment)
        if isinstance(wallet, wallets.PoolWallet):
            stocks = [await pool.left(work, asset, account) for account in await pool.accounts_of(work, asset)]
            return None if any(one.left for one in stocks) else NoAddress(reason=alarms.EMPTY.format(asset=asset))
        wallet.address(0)
    except KeyTrouble as trouble:
        return NoAddress(reason=f"{asset}: {trouble}")
    return None


async def _take(work: Work, asset: str, wallet: wallets.Wallet, *, data: Path, key: str) -> _Taken | None:
    if isinstance(wallet, wallets.PoolWallet):
        for account in await pool.accounts_of(work, asset):
            taken = await _take_of(work, asset, wallet, account, data=data, key=key)
            if taken is not None:
                return taken
        return None
    taken = await _take_of(work, asset, wallet, wallet.account, data=data, key=key)
    if taken is None:
        raise KeyTrouble(
            f"the next {_SKIPPED} addresses of account {wallet.account} belong to other orders: the database's table"
            " pay_indexes lost its numbers. Put a number above all of them into the mark on disk"
        )
    return taken


async def _take_of(
    work: Work, asset: str, wallet: wallets.Wallet, account: str, *, data: Path, key: str
) -> _Taken | None:
    """The order's address of one account: that which it had, else the next free one. None when none is left."""
    known = await counting.lock(work, asset, account)
    mark = marks.read(data, asset, account)
    before = marks.number_of(mark, key)
    if before is not None:
        found = await _candidate(work, asset, wallet, account, before)
        if found is not None and found[0] == before and await _free(work, asset, found[1].address, key):
            await counting.follow(work, asset, account, before + 1)
            return _Taken(account=account, number=before, issued=found[1])
    number = max(known, mark.next)
    for _ in range(_SKIPPED):
        found = await _candidate(work, asset, wallet, account, number)
        if found is None:
            return None
        number, issued = found
        free = await _free(work, asset, issued.address, None)
        if free and await counting.take(work, data, asset, account, marks.given(mark, number, key)):
            return _Taken(account=account, number=number, issued=issued)
        mark = marks.read(data, asset, account)
        number = max(number + 1, mark.next)
    return None


async def _candidate(
    work: Work, asset: str, wallet: wallets.Wallet, account: str, number: int
) -> tuple[int, Issued] | None:
    """The first address from `number` on, with its number. None when a pool has none."""
    if isinstance(wallet, wallets.PoolWallet):
        found = await pool.following(work, asset, account, number)
        if found is None:
            return None
        try:
            accounts.check_solana(found[1])
        except ValueError as error:
            raise Mismatch(f"the pool's address {found[0]} of account {account} is damaged: {error}") from None
        return found[0], Issued(address=found[1], path=f"{wallets.SOLANA_PATH.format(found[0])}@{account}")
    while True:
        try:
            return number, Issued(address=wallet.address(number), path=wallet.path(number))
        except ValueError:  # the one number in 2^127 without a key
            number += 1


async def _free(work: Work, asset: str, address: str, order: str | None) -> bool:
    """Whether no other order than `order` has this address."""
    rows = await work.query("SELECT order_id FROM pay_invoices WHERE asset = ? AND address = ?", (asset, address))
    return all(row["order_id"] == order for row in rows)


async def _warn(work: Work, asset: str, chain: ChainSetting, taken: _Taken, *, order: str, at: int) -> None:
    """Tell the team, once each, that the pool runs low, or that the wallet must look further ahead."""
    if taken.issued.path.startswith(wallets.SOLANA_PATH.split("{")[0]) and chain.hot is None:
        found = await pool.left(work, asset, taken.account, taken.number + 1)
        others = [name for name in await pool.accounts_of(work, asset) if name != taken.account]
        spare = sum([(await pool.left(work, asset, name)).left for name in others])
        await alarms.low(work, asset, found, spare=spare, percent=chain.pool_alarm, order=order, at=at)
    else:
        await alarms.gap(work, asset, taken.account, path=taken.issued.path, gap=chain.gap, order=order, at=at)
