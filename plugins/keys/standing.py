"""What `stepgram keys show` says of one coin. Public things only."""

from engine.actions.commands import CommandContext
from engine.actions.context import Transaction
from storage.shop import counting, marks, pool, wallets
from storage.shop.keys.errors import KeyTrouble
from storage.shop.marks import BadMark
from storage.shop.settings import ChainSetting, ChainSettings


async def standing(work: Transaction, bot: CommandContext, asset: str, chains: ChainSettings) -> list[str]:
    """Lines about one coin."""
    chain = chains.of(asset)
    assert chain is not None
    if chain.via == "practice":
        return [f"{asset}: practice, no real money and no keys"]
    try:
        return await _real(work, bot, asset, chain)
    except (KeyTrouble, BadMark) as trouble:
        return [f"{asset}: {trouble}"]


async def _real(work: Transaction, bot: CommandContext, asset: str, chain: ChainSetting) -> list[str]:
    wallet = wallets.read(asset, chain, bot.environment)
    mode = "hot: the encrypted seed is on this machine" if chain.hot else "no key on this machine"
    head = f"{asset}: via {chain.via}, {chain.network} network, {mode}"
    if isinstance(wallet, wallets.PoolWallet):
        found = [await _left(work, bot, asset, account) for account in await pool.accounts_of(work, asset)]
        return [head, *(found or ["  the pool is empty: stepgram keys pool > pool.txt, stepgram keys import pool.txt"])]
    number = await _next(work, bot, asset, wallet.account)
    return [
        head,
        f"  account {wallet.account}; the next address is number {number}, {wallet.path(number).split('@')[0]}",
        f"  the account's first address is {wallet.address(0)}: your wallet must show it, too",
    ]


async def _left(work: Transaction, bot: CommandContext, asset: str, account: str) -> str:
    found = await pool.left(work, asset, account, await _next(work, bot, asset, account))
    return f"  account {account}: {found.left} of {found.total} addresses are left, the next is number {found.next}"


async def _next(work: Transaction, bot: CommandContext, asset: str, account: str) -> int:
    return max(await counting.peek(work, asset, account), marks.read(bot.data, asset, account).next)
