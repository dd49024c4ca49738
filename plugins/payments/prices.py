"""Asks public exchanges what coins cost: Kraken, Coinbase, CoinGecko. Plain HTTP, no account, nothing but reading.

A source that fails is left out; whether enough are left is decided in `storage.shop.rates`.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from engine.actions import ServiceContext, service
from storage.shop import rates
from storage.shop.policy import PaymentSettings, Rates
from storage.shop.rates import HIGHEST, Rate
from storage.shop.settings import ChainSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession

_log = logging.getLogger(__name__)
PUBLIC: Final = {
    "kraken": "https://api.kraken.com",
    "coinbase": "https://api.coinbase.com",
    "coingecko": "https://api.coingecko.com",
}
_KRAKEN: Final = {"BTC": "XBT"}
_COINGECKO: Final = {"BTC": "bitcoin", "LTC": "litecoin", "ETH": "ethereum", "SOL": "solana"}
_LONGEST: Final = 256 * 1024
_SECONDS: Final = 10.0
_MOST: Final = 5
"""Currencies that are asked for."""


def base(source: str, settings: Rates, environment: Mapping[str, str]) -> str:
    """Where a source is: as the settings say, else the environment (`RATES_KRAKEN_URL`), else the public one."""
    given = settings.urls.get(source) or environment.get(f"RATES_{source.upper()}_URL", "").strip()
    return (given or PUBLIC[source]).rstrip("/")


async def ask(
    http: "ClientSession",
    settings: Rates,
    environment: Mapping[str, str],
    assets: Sequence[str],
    currencies: Sequence[str],
    *,
    now: datetime,
) -> list[Rate]:
    """What all sources say, side by side; one that fails says nothing."""
    calls = [
        _prices(http, source, base(source, settings, environment), asset, currency)
        for source in dict.fromkeys(settings.sources)
        for asset in assets
        for currency in currencies
    ]
    answers = await asyncio.gather(*calls)
    return [
        Rate(asset=asset, currency=currency, rate=price, source=source, at=now)
        for source, asset, currency, price in answers
        if price is not None
    ]


async def _prices(
    http: "ClientSession", source: str, url: str, asset: str, currency: str
) -> tuple[str, str, str, Decimal | None]:
    try:
        answer = await _get(http, url + path(source, asset, currency))
        return source, asset, currency, read(source, answer, asset, currency)
    except Exception as error:  # whatever is wrong with one source, the others count
        _log.warning("the price of %s in %s cannot be had from %s: %s", asset, currency, source, type(error).__name__)
        return source, asset, currency, None


async def _get(http: "ClientSession", url: str) -> Any:
    from aiohttp import ClientTimeout

    async with http.get(url, timeout=ClientTimeout(total=_SECONDS), allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"status {response.status}")
        content = b""
        async for piece in response.content.iter_chunked(_LONGEST):
            content += piece
            if len(content) > _LONGEST:
                raise ValueError("the answer is too long")
    return json.loads(content, parse_float=Decimal)


def path(source: str, asset: str, currency: str) -> str:
    """What to ask a source for. Raises KeyError for a coin that it does not know."""
    if source == "kraken":
        return f"/0/public/Ticker?pair={_KRAKEN.get(asset, asset)}{currency}"
    if source == "coinbase":
        return f"/v2/prices/{asset}-{currency}/spot"
    return f"/api/v3/simple/price?ids={_COINGECKO[asset]}&vs_currencies={currency.lower()}"


def read(source: str, answer: Any, asset: str, currency: str) -> Decimal:
    """The price in a source's answer. Raises whatever a malformed answer brings about, and ValueError for nonsense."""
    if source == "kraken":
        if answer.get("error"):
            raise ValueError("kraken reports an error")
        (pair,) = answer["result"].values()
        found = pair["c"][0]
    elif source == "coinbase":
        if (answer["data"]["base"], answer["data"]["currency"]) != (asset, currency):
            raise ValueError("another price than was asked for")
        found = answer["data"]["amount"]
    else:
        found = answer[_COINGECKO[asset]][currency.lower()]
    if isinstance(found, bool) or not isinstance(found, str | int | Decimal):
        raise ValueError("no price")
    price = Decimal(found)
    if not price.is_finite() or not Decimal(0) < price <= HIGHEST:
        raise ValueError("no price")
    return price


@service(name="rates")
async def keep_rates(context: ServiceContext) -> None:
    """Asks the sources of prices again and again, so that a quote need not wait for them."""
    while True:
        settings = context.configured(PaymentSettings).rates
        assets = [one for one in context.configured(ChainSettings).offered() if one not in settings.fixed]
        if assets and settings.sources:
            async with context.begin() as work:
                rows = await work.query("SELECT DISTINCT currency FROM shop_products ORDER BY currency")
            currencies = [str(row["currency"]) for row in rows][:_MOST]
            found = await ask(context.http(), settings, context.environment, assets, currencies, now=context.now())
            async with context.begin() as work:
                await rates.keep(work, found)
        await context.sleep(max(5.0, settings.every.total_seconds()))
