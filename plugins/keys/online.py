"""`stepgram keys import, show, encrypt, reveal`: what is typed on the bot's machine.

Reads bot.yaml and the database. A key is printed by `reveal` alone, on a terminal, after its entry is in the books.
"""

import asyncio
import getpass
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from engine.actions.commands import CommandContext
from engine.actions.context import Transaction
from plugins.keys import asking
from plugins.keys.standing import standing
from storage.shop import hot, pool, wallets
from storage.shop.hot import NotRevealed
from storage.shop.keys import sealing
from storage.shop.keys.errors import KeyTrouble
from storage.shop.settings import ASSETS, ChainSettings, HotSettings

_FLOWS = click.option("--flows", type=click.Path(path_type=Path, file_okay=False), help="The folder of flows.")
_DATABASE = click.option("--database", type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file.")
LEAK = (
    "Whoever has this key and the account's public key can compute every key of the account (SOL excepted). Move the"
    " money, and do not hand the key on."
)


@click.command(name="import")
@click.argument("file", type=click.File("r", encoding="ascii", errors="replace"))
@_FLOWS
@_DATABASE
def import_pool(file: TextIO, flows: Path | None, database: Path | None) -> int:
    """Put a pool of addresses from FILE (- for a pipe) into the database. What is there stays; the bot may run."""
    try:
        made = pool.read(file.read(pool.LARGEST * 60))
        new, total = asyncio.run(_put(_bot(flows, database), made))
    except KeyTrouble as trouble:
        raise click.UsageError(f"{trouble}.") from None
    click.echo(f"{made.asset}: {new} new addresses of account {made.account}; {total} are left.")
    return 0


async def _put(bot: CommandContext, made: pool.Pool) -> tuple[int, int]:
    async with bot.begin() as work:
        new = await pool.put(work, made)
        return new, (await pool.left(work, made.asset, made.account)).left


@click.command()
@_FLOWS
@_DATABASE
def show(flows: Path | None, database: Path | None) -> int:
    """Show where the addresses of each coin come from, which is the next, and how much of a pool is left."""
    bot = _bot(flows, database)
    chains = bot.configured(ChainSettings)
    if not chains.offered():
        click.echo("bot.yaml offers no coin: plugins: {chains: {BTC: {via: practice}}}")
        return 0
    for line in asyncio.run(_standing(bot, chains)):
        click.echo(line)
    return 0


async def _standing(bot: CommandContext, chains: ChainSettings) -> list[str]:
    async with bot.begin() as work:
        return [line for asset in chains.offered() for line in await standing(work, bot, asset, chains)]


@click.command()
@click.option("--new-key", metavar="ID", help="Print a new key with this id, such as k1, and do nothing else.")
@click.option("--again", is_flag=True, help="Open what is encrypted now, and encrypt it with the first key.")
@click.option("--password", is_flag=True, help="The phrase has a password of its own: ask for it, too.")
@_FLOWS
def encrypt(new_key: str | None, again: bool, password: bool, flows: Path | None) -> int:
    """Encrypt a seed for the opt-in hot mode, for each coin that has `hot:` in bot.yaml. Prints lines of an
    environment.

    Asks for the phrase, or reads it from a pipe. Only for those who know why: whoever takes over the bot's machine
    then has the money. Without `hot:` the bot needs public keys only.
    """
    try:
        if new_key is not None:
            click.echo(sealing.write_key(new_key, secrets.token_bytes(sealing.KEY_BYTES)))
            return 0
        bot = _bot(flows, None)
        chains = bot.configured(ChainSettings)
        seed = None if again else asking.seed(password=password)
        lines = [_sealed(bot, chains, asset, seed) for asset in ASSETS if _hot(chains, asset) is not None]
    except KeyTrouble as trouble:
        raise click.UsageError(f"{trouble}.") from None
    if not lines:
        raise click.UsageError("No coin has hot: in bot.yaml, so nothing needs a seed here.")
    click.echo("\n".join(lines))
    return 0


def _hot(chains: ChainSettings, asset: str) -> HotSettings | None:
    chain = chains.of(asset)
    return None if chain is None else chain.hot


def _sealed(bot: CommandContext, chains: ChainSettings, asset: str, seed: bytes | None) -> str:
    """The line of the environment with one coin's seed; `seed` None: that which is there now. Raises KeyTrouble."""
    chain = chains.of(asset)
    assert chain is not None
    assert chain.hot is not None
    keys = wallets.sealing_keys(asset, chain.hot, bot.environment)
    opened = wallets.seed(asset, chain, bot.environment) if seed is None else seed
    nonce = secrets.token_bytes(sealing.NONCE_BYTES)
    return f"{chain.hot.seed}={sealing.seal(opened, keys, place=chain.hot.seed, asset=asset, nonce=nonce)}"


@click.command()
@click.argument("order")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is written down.")
@click.option("--again", is_flag=True, help="Show a key that was shown before; that is written down, too.")
@click.option("--plain", is_flag=True, help="Also when the output is no terminal, where it may be kept.")
@_FLOWS
@_DATABASE
def reveal(*, order: str, reason: str, again: bool, plain: bool, flows: Path | None, database: Path | None) -> int:
    """Show the private key of one ORDER (its number or id), once, and write down who saw it and why.

    Only in the opt-in hot mode; otherwise the key is in your wallet.
    """
    if not plain and not sys.stdout.isatty():
        raise click.UsageError("A key is shown on a terminal only. If it may be kept where this goes: --plain")
    found = asyncio.run(_reveal(_bot(flows, database), order, reason, again=again))
    if isinstance(found, NotRevealed):
        raise click.UsageError(f"{found.reason}.")
    click.echo(f"Order {order}, {found.asset}, {found.address}, {found.path.split('@')[0]}. {LEAK}", err=True)
    click.echo(found.key.text())
    return 0


async def _reveal(bot: CommandContext, order: str, reason: str, *, again: bool) -> hot.Revealed | NotRevealed:
    """The key, when its entry in the books is committed."""
    async with bot.begin() as work:
        return await hot.reveal(
            work,
            await _id_of(work, order),
            who=_who(),
            reason=reason,
            now=datetime.now(UTC),
            chains=bot.configured(ChainSettings),
            environment=bot.environment,
            again=again,
        )


async def _id_of(work: Transaction, order: str) -> str:
    rows = await work.query("SELECT id FROM shop_orders WHERE number = ?", (order,))
    return str(rows[0]["id"]) if rows else order


def _who() -> str:
    """The operator's name on this machine."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    return f"terminal: {name}"


def _bot(flows: Path | None, database: Path | None) -> CommandContext:
    from engine.cli_beside import command_context

    return command_context(flows=flows, database=database)
