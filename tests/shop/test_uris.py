"""Payment links: amounts survive exactly, and a picture of each can be photographed."""

import random
from decimal import Context, Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import segno

from engine.core.values import minor_digits
from storage.shop import uris
from storage.shop.keys import practice

ASSETS = ("BTC", "LTC", "ETH", "SOL")
ALL_BITCOIN = 21 * 10**14
EXACT = Context(prec=100)


def read_back(uri: str, asset: str) -> int:
    """The amount as a wallet reads it, in minor units."""
    query = parse_qs(urlsplit(uri).query, strict_parsing=True)
    if asset == "ETH":
        return int(query["value"][0])
    (text,) = query["amount"]
    assert set(text) <= set("0123456789.")
    return int(Decimal(text).scaleb(minor_digits(asset), EXACT))


@pytest.mark.parametrize(
    ("asset", "amount", "uri"),
    [
        ("BTC", 1, "bitcoin:A?amount=0.00000001"), ("BTC", ALL_BITCOIN, "bitcoin:A?amount=21000000"),
        ("BTC", 1250000, "bitcoin:A?amount=0.0125"), ("BTC", 100, "bitcoin:A?amount=0.000001"),
        ("LTC", 10**8, "litecoin:A?amount=1"), ("SOL", 890880, "solana:A?amount=0.00089088"),
        ("SOL", 1, "solana:A?amount=0.000000001"), ("ETH", 1, "ethereum:A@1?value=1"),
        ("ETH", 10**18, "ethereum:A@1?value=1000000000000000000"),
    ],
)  # fmt: skip
def test_links(asset: str, amount: int, uri: str):
    assert uris.uri(asset, "A", amount, label="") == uri


def test_the_label_is_percent_encoded():
    label = "Käse & Brot #7? 100%=ок"
    found = uris.uri("BTC", "A", 1, label=label)
    assert found.isascii()
    assert parse_qs(urlsplit(found).query)["label"] == [label]
    assert urlsplit(found).fragment == ""
    assert "label" not in uris.uri("ETH", "A", 1, label=label)


def test_the_chain_of_ether():
    assert uris.uri("ETH", "A", 5, label="", chain_id=31337) == "ethereum:A@31337?value=5"


@pytest.mark.parametrize("asset", ASSETS)
def test_every_amount_comes_back(asset: str):
    """100,000 random amounts of each coin, of all sizes, through the link and back."""
    draw = random.Random(asset)
    largest = ALL_BITCOIN if asset != "ETH" else 2**256 - 1
    bits = largest.bit_length()
    for _ in range(100_000):
        amount = min(largest, draw.getrandbits(draw.randrange(1, bits + 1)) + 1)
        assert int(Decimal(uris.plain(amount, asset)).scaleb(minor_digits(asset), EXACT)) == amount
    for amount in (1, 10, largest - 1, largest):
        assert read_back(uris.uri(asset, "A", amount, label="x"), asset) == amount


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_not_asked_for(amount: int):
    with pytest.raises(ValueError, match="cannot be asked for"):
        uris.uri("BTC", "A", amount, label="")


def test_unknown_coins_and_negative_amounts_are_refused():
    with pytest.raises(ValueError, match="no payment links"):
        uris.uri("XMR", "A", 1, label="")
    with pytest.raises(ValueError, match="below 0"):
        uris.plain(-1, "BTC")
    assert uris.plain(0, "BTC") == "0"
    assert uris.plain(7, "JPY") == "7"


@pytest.mark.parametrize("asset", ASSETS)
def test_a_picture_of_the_link_is_small_enough_to_photograph(asset: str):
    """At most 53 modules a side (version 9): 6 pixels each on a telephone's screen."""
    address = practice.address(asset, "order")
    link = uris.uri(asset, address, 123456789, label="Order S-261121-7F3K", chain_id=31337)
    code = segno.make_qr(link)
    assert int(str(code.version)) <= 9
    assert code.symbol_size(border=4)[0] <= 61
