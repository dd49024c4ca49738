"""Prices of coins: three sources on a real server, the median, how far they may differ, how old they may be."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from engine.actions import Money
from engine.actions.testing import MOMENT, Slept, Time, service_context
from engine.core.values import minor_digits
from plugins.payments import prices
from plugins.payments.prices import keep_rates
from plugins.payments.records import Quoted, Unavailable
from plugins.payments.selling import quote
from storage.shop import rates
from storage.shop.policy import PaymentSettings, Rates
from storage.shop.rates import Agreed, NoRate, Rate
from storage.shop.settings import ChainSetting, ChainSettings
from tests.shop.till import Till

EUR = "EUR"


class Exchange:
    """All three sources behind one address. `answers`: by source, what is answered; an int is a status."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        source = request.match_info["source"]
        self.asked.append(str(request.rel_url))
        said = self.answers.get(source, 500)
        if isinstance(said, int):
            return web.Response(status=said)
        return web.Response(text=said, content_type="application/json")

    def price(self, source: str, price: str) -> None:
        self.answers[source] = {
            "kraken": '{"error": [], "result": {"XXBTZEUR": {"c": ["%s", "0.1"]}}}',
            "coinbase": '{"data": {"amount": "%s", "base": "BTC", "currency": "EUR"}}',
            "coingecko": '{"bitcoin": {"eur": %s}}',
        }[source] % price

    def settings(self, **changes: Any) -> Rates:
        return Rates(urls={name: f"{self.url}/{name}" for name in ("kraken", "coinbase", "coingecko")}, **changes)


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    found = Exchange()
    app = web.Application()
    app.router.add_get("/{source}/{tail:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


async def _ask(exchange: Exchange, session: aiohttp.ClientSession) -> dict[str, Decimal]:
    found = await prices.ask(session, exchange.settings(), {}, ("BTC",), (EUR,), now=MOMENT)
    return {one.source: one.rate for one in found}


async def test_three_sources_are_read(exchange: Exchange, session: aiohttp.ClientSession) -> None:
    exchange.price("kraken", "50000.10")
    exchange.price("coinbase", "50010.20")
    exchange.price("coingecko", "50020.3")
    assert await _ask(exchange, session) == {
        "kraken": Decimal("50000.10"), "coinbase": Decimal("50010.20"), "coingecko": Decimal("50020.3"),
    }  # fmt: skip
    assert sorted(exchange.asked) == [
        "/coinbase/v2/prices/BTC-EUR/spot",
        "/coingecko/api/v3/simple/price?ids=bitcoin&vs_currencies=eur",
        "/kraken/0/public/Ticker?pair=XBTEUR",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        500, 301, 429, "", "{", "[]", "null", '{"error": ["EQuery:Unknown asset pair"]}', '{"result": {}}',
        '{"result": {"X": {"c": []}}}', '{"result": {"X": {"c": ["0"]}}}', '{"result": {"X": {"c": ["-1"]}}}',
        '{"result": {"X": {"c": ["NaN"]}}}', '{"result": {"X": {"c": ["1e99"]}}}', '{"result": {"X": {"c": [true]}}}',
        '{"result": {"X": {"c": ["1"]}, "Y": {"c": ["2"]}}}', "[" * 100_000, '"' + "x" * 300_000 + '"',
    ],
)  # fmt: skip
async def test_a_source_that_talks_nonsense_is_left_out(
    exchange: Exchange, session: aiohttp.ClientSession, answer: Any
) -> None:
    exchange.answers["kraken"] = answer
    exchange.price("coinbase", "50000")
    assert await _ask(exchange, session) == {"coinbase": Decimal(50000)}


async def test_another_pair_than_was_asked_for_is_left_out(exchange: Exchange, session: aiohttp.ClientSession) -> None:
    exchange.answers["coinbase"] = json.dumps({"data": {"amount": "1", "base": "LTC", "currency": "EUR"}})
    assert await _ask(exchange, session) == {}


async def test_the_environment_names_other_addresses() -> None:
    settings = Rates()
    assert prices.base("kraken", settings, {}) == "https://api.kraken.com"
    assert prices.base("kraken", settings, {"RATES_KRAKEN_URL": "http://127.0.0.1:1/ "}) == "http://127.0.0.1:1"
    assert prices.base("kraken", Rates(urls={"kraken": "http://x/"}), {"RATES_KRAKEN_URL": "y"}) == "http://x"


async def test_a_quote_asks_when_nobody_has(exchange: Exchange, session: aiohttp.ClientSession) -> None:
    for source, price in (("kraken", "40000"), ("coinbase", "40100"), ("coingecko", "40200")):
        exchange.price(source, price)
    till = Till(PaymentSettings(rates=exchange.settings()))
    total = Money(minor=4010, asset=EUR)
    answer = await quote(till.context(http=session), total=total, currency="BTC")
    assert isinstance(answer, Quoted)
    assert (answer.rate, answer.amount) == (Decimal(40100), Money(minor=100_000, asset="BTC"))
    exchange.answers.clear()
    again = await quote(till.context(idempotency_key="b"), total=total, currency="BTC")
    assert isinstance(again, Quoted)  # what was asked a moment ago still counts
    till.now += timedelta(minutes=11)
    old = await quote(till.context(http=session, idempotency_key="c"), total=total, currency="BTC")
    assert old == Unavailable(reason="there is no fresh price")
    for source, price in (("kraken", "40000"), ("coinbase", "42000")):
        exchange.price(source, price)
    apart = await quote(till.context(http=session, idempotency_key="d"), total=total, currency="BTC")
    assert apart == Unavailable(reason="the sources do not agree on the price")


async def test_the_service_keeps_prices_fresh(exchange: Exchange, session: aiohttp.ClientSession) -> None:
    till = Till(PaymentSettings(rates=exchange.settings()))
    exchange.price("kraken", "40000")
    configured: dict[type[Any], object] = {
        PaymentSettings: till.payments,
        ChainSettings: ChainSettings(BTC=ChainSetting(via="practice")),
    }
    time = Time(ends=MOMENT + timedelta(minutes=3))
    context = service_context(database=till.database, time=time, http=session, configured=configured)
    with pytest.raises(Slept):
        await keep_rates(context)
    assert len(exchange.asked) == 9
    async with till.work() as work:
        (one,) = await rates.known(work, "BTC", EUR)
    assert (one.source, one.rate, one.at) == ("kraken", Decimal(40000), MOMENT + timedelta(minutes=2))


def _rate(source: str, price: str, minutes: int = 0) -> Rate:
    return Rate(asset="BTC", currency=EUR, rate=Decimal(price), source=source, at=MOMENT - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("given", "settings", "found"),
    [
        ([("kraken", "100")], Rates(), "100"),
        ([("kraken", "100"), ("coinbase", "102")], Rates(), "101"),
        ([("kraken", "100"), ("coinbase", "101"), ("coingecko", "102")], Rates(), "101"),
        ([("kraken", "100"), ("coinbase", "103.1")], Rates(), "do not agree"),
        ([("kraken", "100"), ("coinbase", "103.1")], Rates(spread=Decimal(4)), "101.55"),
        ([("kraken", "100")], Rates(at_least=2), "no fresh price"),
        ([("kraken", "100", 11), ("coinbase", "101")], Rates(), "101"),
        ([("kraken", "100", 11)], Rates(), "no fresh price"),
        ([("kraken", "100", -2)], Rates(), "no fresh price"),
        ([("kraken", "0")], Rates(), "no fresh price"),
        ([("elsewhere", "100")], Rates(), "no fresh price"),
    ],
)
def test_what_the_sources_agree_on(given: list[Any], settings: Rates, found: str) -> None:
    agreed = rates.agree([_rate(*one) for one in given], settings=settings, now=MOMENT)
    if isinstance(agreed, Agreed):
        assert agreed.rate == Decimal(found)
    else:
        assert isinstance(agreed, NoRate)
        assert found in agreed.reason


@given(
    total=st.integers(1, 10**9),
    rate=st.decimals("0.01", "1000000", places=2),
    asset=st.sampled_from(["BTC", "LTC", "ETH", "SOL"]),
)
def test_an_amount_is_never_too_small_and_hardly_too_large(total: int, rate: Decimal, asset: str) -> None:
    due = rates.amount(Money(minor=total, asset=EUR), asset, rate)
    worth = Decimal(due.minor).scaleb(-minor_digits(asset)) * rate
    step = Decimal(10**10 if asset == "ETH" else 1).scaleb(-minor_digits(asset)) * rate
    assert 0 <= worth - Decimal(total) / 100 < step + Decimal("1e-12")
    assert rates.value(due, EUR, rate).minor >= total
