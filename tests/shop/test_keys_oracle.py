"""2,000 addresses of each coin against bip-utils, an implementation that shares nothing with ours."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from storage.shop import wallets
from storage.shop.keys import accounts, base58, bip32, bip39, native

COUNT = 2000
EVERY = 1 if os.environ.get("STEPGRAM_LONG") else 20
"""Every so manieth address is also proved the second way; the first way is compared for all of them."""
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
SEED = bip39.seed_of(PHRASE)

bip_utils: Any = pytest.importorskip("bip_utils", reason="pip install 'bip-utils>=2.12.3'")


def bip84(coin: str) -> Callable[[int], str]:
    chain = bip_utils.Bip84.FromSeed(SEED, getattr(bip_utils.Bip84Coins, coin)).Purpose().Coin().Account(0)
    receiving = chain.Change(bip_utils.Bip44Changes.CHAIN_EXT)
    return lambda index: str(receiving.AddressIndex(index).PublicKey().ToAddress())


def bip44() -> Callable[[int], str]:
    chain = bip_utils.Bip44.FromSeed(SEED, bip_utils.Bip44Coins.ETHEREUM).Purpose().Coin().Account(0)
    receiving = chain.Change(bip_utils.Bip44Changes.CHAIN_EXT)
    return lambda index: str(receiving.AddressIndex(index).PublicKey().ToAddress())


def solana() -> Callable[[int], str]:
    coin = bip_utils.Bip44.FromSeed(SEED, bip_utils.Bip44Coins.SOLANA).Purpose().Coin()
    change = bip_utils.Bip44Changes.CHAIN_EXT
    return lambda index: str(coin.Account(index).Change(change).PublicKey().ToAddress())


@pytest.mark.parametrize(
    ("asset", "coin", "network"),
    [
        ("BTC", "BITCOIN", "main"), ("BTC", "BITCOIN_REGTEST", "regtest"), ("LTC", "LITECOIN", "main"),
        ("LTC", "LITECOIN_TESTNET", "test"), ("ETH", "", "main"),
    ],
)  # fmt: skip
def test_the_same_addresses_from_the_public_key(asset: str, coin: str, network: str):
    account = wallets.account_of_seed(asset, network, SEED)
    count = COUNT if network == "main" else 50
    theirs, hrp = bip84(coin) if coin else bip44(), accounts.hrp_of(asset, network)
    ours = [accounts.computed(asset, account, index, hrp) for index in range(count)]
    assert ours == [theirs(index) for index in range(count)]
    for index in range(0, count, EVERY):
        accounts.prove(asset, account, index, hrp, ours[index])


def test_the_same_addresses_of_solana():
    wallet, theirs = wallets.SolanaWallet(SEED), solana()
    assert [wallet.address(index) for index in range(COUNT)] == [theirs(index) for index in range(COUNT)]


def test_the_same_addresses_of_solana_by_its_own_library():
    keypairs: Any = pytest.importorskip("solders.keypair", reason="pip install solders")
    wallet = wallets.SolanaWallet(SEED)
    for index in range(50):
        path = wallets.SOLANA_PATH.format(index)
        assert str(keypairs.Keypair.from_seed_and_derivation_path(SEED, path).pubkey()) == wallet.address(index)


@pytest.mark.parametrize("kind", ["BITCOIN", "LITECOIN", "BITCOIN_TESTNET", "LITECOIN_TESTNET"])
def test_account_keys_as_others_write_them(kind: str):
    """zpub, vpub, Mtub and ttub of bip-utils are read as the account that we derive ourselves."""
    asset, network = kind[:3].replace("BIT", "BTC").replace("LIT", "LTC"), "test" if "TEST" in kind else "main"
    theirs = bip_utils.Bip84.FromSeed(SEED, getattr(bip_utils.Bip84Coins, kind)).Purpose().Coin().Account(0)
    read = bip32.read_account(theirs.PublicKey().ToExtended(), asset=asset, network=network)
    assert read == wallets.account_of_seed(asset, network, SEED)


@pytest.mark.parametrize(
    ("asset", "network", "version"),
    [
        ("BTC", "main", "0488b21e"), ("BTC", "main", "04b24746"), ("BTC", "test", "043587cf"),
        ("BTC", "regtest", "045f1cf6"), ("LTC", "main", "019da462"), ("LTC", "main", "01b26ef6"),
        ("LTC", "main", "04b24746"), ("LTC", "regtest", "0436f6e1"), ("ETH", "main", "0488b21e"),
    ],
)  # fmt: skip
def test_every_form_of_an_account_key(asset: str, network: str, version: str):
    account = wallets.account_of_seed(asset, network, SEED)
    text = bip32.written(account, parent=bytes(4), kind=version)
    assert bip32.read_account(f" {text}\n", asset=asset, network=network) == account


def test_the_second_way_is_another():
    """What the first way would give with one bit wrong is found by the second."""
    from storage.shop.keys.errors import Mismatch

    account = wallets.account_of_seed("BTC", "main", SEED)
    right = accounts.computed("BTC", account, 3, "bc")
    other = accounts.computed("BTC", account, 4, "bc")
    accounts.prove("BTC", account, 3, "bc", right)
    for wrong in (other, f"{right[:-1]}q", right.replace("bc1", "tb1"), ""):
        with pytest.raises(Mismatch, match="shown to nobody") as found:
            accounts.prove("BTC", account, 3, "bc", wrong)
        assert base58.encode(account.point) not in str(found.value)
    ether = wallets.account_of_seed("ETH", "main", SEED)
    shown = accounts.computed("ETH", ether, 0, "")
    for wrong in (shown.lower(), accounts.computed("ETH", ether, 1, "")):
        with pytest.raises(Mismatch):
            accounts.prove("ETH", ether, 0, "", wrong)
    assert native.plain(account.point)[:32] == account.point[1:]
