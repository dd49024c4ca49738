"""What the chain has seen is not given out: an account's next number is lifted above the highest address in use.

After a restored backup without its marks, and when another shop uses the same account. The question to the chain comes
in by parameter, and no transaction is open while it is asked.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from engine.actions.context import Work
from engine.core.records import record
from storage.shop import alarms, counting, marks, pool, wallets
from storage.shop.keys.errors import KeyTrouble
from storage.shop.marks import BadMark
from storage.shop.settings import ChainSettings

Used = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Which of these addresses the chain has ever seen."""
WINDOW: Final = 20
"""So many addresses ahead are asked about at once; twenty unused ones in a row are the end, as for wallets."""
_ROUNDS: Final = 500


@record
class Lifted:
    """The next number of an account, and by how much it was lifted."""

    account: str
    next: int
    by: int


@record
class NotLifted:
    """It could not be found out, and why, for the operator."""

    reason: str


async def lift(
    begin: Callable[[], AbstractAsyncContextManager[Work]],
    asset: str,
    *,
    chains: ChainSettings,
    environment: Mapping[str, str],
    data: Path,
    used: Used,
    at: int,
) -> tuple[Lifted, ...] | NotLifted:
    """Ask the chain about the next addresses of an asset's accounts, and lift their numbers above those in use.

    To be called at the start, before addresses are given out. Raises what `used` raises.
    """
    chain = chains.of(asset)
    if chain is None or chain.via == "practice":
        return ()
    try:
        wallet = wallets.read(asset, chain, environment)
        async with begin() as work:
            named = await _accounts(work, asset, wallet)
        return tuple([await _lift(begin, asset, wallet, name, data=data, used=used, at=at) for name in named])
    except (KeyTrouble, BadMark) as trouble:
        return NotLifted(reason=f"{asset}: {trouble}")


async def _accounts(work: Work, asset: str, wallet: wallets.Wallet) -> tuple[str, ...]:
    if isinstance(wallet, wallets.PoolWallet):
        return await pool.accounts_of(work, asset)
    return (wallet.account,)


async def _lift(
    begin: Callable[[], AbstractAsyncContextManager[Work]],
    asset: str,
    wallet: wallets.Wallet,
    account: str,
    *,
    data: Path,
    used: Used,
    at: int,
) -> Lifted:
    async with begin() as work:
        known = await counting.peek(work, asset, account)
    start = max(known, marks.read(data, asset, account).next)
    number, ahead = start, start
    for _ in range(_ROUNDS):
        async with begin() as work:
            window = await _window(work, asset, wallet, account, ahead)
        if not window:
            break
        seen = await used([address for _, address in window])
        hit = [at_number for at_number, address in window if address in seen]
        if not hit:
            break
        number = max(hit) + 1
        ahead = window[-1][0] + 1
    if number > start:
        async with begin() as work:
            await _raise(work, asset, account, number, data=data, at=at, by=number - start)
    return Lifted(account=account, next=number, by=number - start)


async def _window(
    work: Work, asset: str, wallet: wallets.Wallet, account: str, start: int
) -> Sequence[tuple[int, str]]:
    if isinstance(wallet, wallets.PoolWallet):
        return await pool.window(work, asset, account, start, WINDOW)
    return [(number, wallet.address(number)) for number in range(start, start + WINDOW)]


async def _raise(work: Work, asset: str, account: str, number: int, *, data: Path, at: int, by: int) -> None:
    known = await counting.lock(work, asset, account)
    mark = marks.read(data, asset, account)
    higher = marks.Mark(next=max(number, known, mark.next), latest=mark.latest)
    await counting.take(work, data, asset, account, higher)
    await alarms.lifted(work, asset, account, number=number, by=by, at=at)
