"""The command `stepgram rehearse`: a table of what the settings of bot.yaml do with a payment in every case."""

import asyncio
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from engine.actions import money
from plugins.payments.rehearsal import rehearse as play
from plugins.payments.rehearsal import table
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ASSETS, ChainSettings, ShopSettings

_LARGEST = 10**12
"""In minor units."""


@click.command()
@click.option("--flows", type=click.Path(path_type=Path), help="The folder with bot.yaml.")
@click.option("--coin", default="", help="The coin that is paid with; unsaid: the first that the shop takes.")
@click.option("--total", default="20.00 EUR", show_default=True, help="What the order costs.")
def rehearse(flows: Path | None, coin: str, total: str) -> None:
    """Show what the payment settings do: paid, too little, too much, twice, late, withdrawn …

    Everything is played in memory: no network, no database, no customer. Change `plugins: payments:` in bot.yaml and
    compare.
    """
    from engine.cli_beside import command_context

    amount, _, currency = total.partition(" ")
    context = command_context(flows=flows)
    offered = context.configured(ChainSettings).offered()
    asset = coin.upper() or (offered[0] if offered else "BTC")
    if asset not in ASSETS:
        raise click.UsageError(f"--coin: there is no {coin}; it is one of {', '.join(ASSETS)}")
    payments, shop = context.configured(PaymentSettings), context.configured(ShopSettings)
    try:
        price = money(Decimal(amount), currency)
        if not 0 < price.minor <= _LARGEST or not (currency.isalpha() and len(currency) == 3):
            raise ValueError("no price")
    except (InvalidOperation, ValueError) as error:
        raise click.UsageError(f"--total: {total} is no price; write such as --total '20.00 EUR'") from error
    endings = asyncio.run(play(payments, shop, asset=asset, currency=currency, total=Decimal(amount)))
    click.echo(table(endings, asset=asset, total=price))
