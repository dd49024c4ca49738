"""`stepgram keys new, public, pool`: what is typed where the seed is, best on a machine without a network.

Reads no bot.yaml and no database. Nothing is kept.
"""

import secrets

import click

from plugins.keys import asking
from storage.shop import pool, wallets
from storage.shop.keys import accounts, bip32, bip39, ed25519, native, slip10
from storage.shop.keys.errors import KeyTrouble

_ZPUB = {("BTC", "main"): "04b24746", ("LTC", "main"): "04b24746", ("BTC", "test"): "045f1cf6"}
_XPUB = {"main": "0488b21e", "test": "043587cf"}
_PASSWORD = click.option("--password", is_flag=True, help="The phrase has a password of its own: ask for it, too.")
_NETWORK = click.option("--network", type=click.Choice(["main", "test"]), default="main", show_default=True)


@click.command()
@click.option("--words", type=click.Choice(["12", "24"]), default="24", show_default=True)
@_NETWORK
def new(words: str, network: str) -> int:
    """Make a new seed phrase and show it once, with the public keys that the bot needs.

    Nothing is kept: write the words down on paper. Who has them has the money.
    """
    phrase = bip39.words_of(secrets.token_bytes(16 if words == "12" else 32))
    public_keys = account_lines(bip39.seed_of(phrase), network)
    click.echo("Write these words down, on paper, in this order. They are shown once, and nothing keeps them:\n")
    numbered = [f"{number:2}. {word}" for number, word in enumerate(phrase.split(), 1)]
    for at in range(0, len(numbered), 4):
        click.echo("   ".join(f"{one:12}" for one in numbered[at : at + 4]).rstrip())
    click.echo("\nFor the bot's environment, public:\n")
    click.echo("\n".join(public_keys))
    click.echo("\nSOL needs a pool of addresses: stepgram keys pool > pool.txt, and type the words.")
    return 0


@click.command()
@_PASSWORD
@_NETWORK
def public(password: bool, network: str) -> int:
    """Show the public keys of a seed, for the bot's environment. Asks for the phrase, or reads it from a pipe."""
    click.echo("\n".join(account_lines(asking.seed(password=password), network)))
    return 0


@click.command(name="pool")
@click.option("--coin", type=click.Choice(["SOL"]), default="SOL", show_default=True)
@click.option("--count", type=click.IntRange(1, pool.LARGEST), default=1000, show_default=True)
@click.option("--start", type=click.IntRange(0, 999_999_999 - pool.LARGEST), default=0, show_default=True)
@_PASSWORD
def make_pool(coin: str, count: int, start: int, password: bool) -> int:
    """Print public addresses of a seed, made here so that the bot needs no key: `… > pool.txt`.

    Asks for the phrase, or reads it from a pipe. Each address is computed in two ways.
    """
    seed = asking.seed(password=password)
    try:
        wallet = wallets.SolanaWallet(seed)
        master = slip10.Secret.of(seed)
        addresses = [(number, _proved(wallet, master, number)) for number in range(start, start + count)]
    except KeyTrouble as trouble:
        raise click.UsageError(f"{trouble}.") from None
    click.echo(pool.write(coin, wallet.account, addresses), nl=False)
    click.echo(
        f"{count} addresses of account {wallet.account}. The first is {addresses[0][1]}: your wallet must show it, too,"
        " else the words were others. On the bot's machine: stepgram keys import pool.txt",
        err=True,
    )
    return 0


def account_lines(seed: bytes, network: str) -> list[str]:
    """The public keys of a seed as lines of an environment, each with its first address to compare."""
    lines = []
    for asset in ("BTC", "LTC", "ETH"):
        try:
            node = wallets.account_of_seed(asset, network, seed)
            first = accounts.address(asset, node, 0, accounts.hrp_of(asset, network))
        except KeyTrouble as trouble:
            raise click.UsageError(f"{trouble}.") from None
        path = bip32.account_path(asset, network)
        above = bip32.Private.of(seed).down(path.rpartition("/")[0], native.public).public(native.public)
        kind = _ZPUB.get((asset, network), _XPUB[network])
        written = bip32.written(node, parent=native.hash160(above.point)[:4], kind=kind)
        lines += [f"# {path}, the first address is {first}", f"{asset}_XPUB={written}"]
    return lines


def _proved(wallet: wallets.SolanaWallet, master: slip10.Secret, number: int) -> str:
    """Address `number`, whose public key the plain Python curve finds, too."""
    address = wallet.address(number)
    secret = master.down(wallets.SOLANA_PATH.format(number)).secret
    if ed25519.public(secret) != accounts.check_solana(address):
        raise KeyTrouble(f"address {number} came out differently the second time: check this machine's memory")
    return address
