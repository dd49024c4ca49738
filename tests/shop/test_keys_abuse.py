"""Whatever stands where a key, a seed, a pool or an address should be: a sentence, never a crash, never an echo."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.shop import pool
from storage.shop.keys import accounts, base58, bech32, bip32, bip39, evm, sealing
from storage.shop.keys.errors import KeyTrouble
from tests.shop.hot_shop import ENVIRONMENT, KEYS
from tests.shop.issuing import xpub

TEXTS = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=base58.ALPHABET, max_size=120),
    st.binary(min_size=74, max_size=82).map(base58.encode_checked),
    st.sampled_from(sorted([*bip32._PUBLIC, *bip32._PRIVATE, *bip32._OTHER])).flatmap(
        lambda version: st.binary(min_size=70, max_size=78).map(
            lambda rest: base58.encode_checked(bytes.fromhex(version) + rest)
        )
    ),
)


@settings(max_examples=300)
@given(TEXTS, st.sampled_from(["BTC", "LTC", "ETH"]), st.sampled_from(["main", "test", "regtest"]))
def test_account_keys(text: str, asset: str, network: str):
    said = ""
    try:
        assert len(bip32.read_account(text, asset=asset, network=network).point) == 33
    except KeyTrouble as trouble:
        said = str(trouble)
    assert len(text) < 12 or text not in said


@settings(max_examples=200)
@given(st.data())
def test_a_changed_letter_of_an_account_key_is_found(data: st.DataObject):
    text = xpub("BTC")
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(base58.ALPHABET).filter(lambda one: one != text[place]))
    with pytest.raises(KeyTrouble):
        bip32.read_account(text[:place] + letter + text[place + 1 :], asset="BTC", network="main")


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=200), st.from_regex(r"sealed1:k1:[A-Za-z0-9+/]{0,120}={0,2}", fullmatch=True)))
def test_sealed_seeds(text: str):
    with pytest.raises(KeyTrouble) as found:
        sealing.unseal(text, sealing.read_keys(KEYS), place="BTC_SEED", asset="BTC")
    assert len(text) < 12 or text not in str(found.value)


def _key(raw: bytes) -> str:
    return f"k{raw[0] % 5}:{base64.b64encode(raw).decode()}"


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=200), st.lists(st.binary(min_size=30, max_size=33).map(_key)).map(",".join)))
def test_sealing_keys(text: str):
    try:
        keys = sealing.read_keys(text)
    except KeyTrouble:
        return
    assert len(keys.get(keys.present)) == 32


@settings(max_examples=200)
@given(st.text(max_size=400))
def test_phrases_and_pools(text: str):
    for reader in (bip39.check, pool.read):
        with pytest.raises(KeyTrouble):
            reader(text)


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=100), st.text(alphabet="0123456789abcdefABCDEFx", max_size=44)))
def test_addresses(text: str):
    for reader in (evm.decode, accounts.check_solana, lambda one: bech32.decode("bc", one)):
        try:
            raw = reader(text)
        except ValueError:
            continue
        assert len(raw) in (20, 32)


@settings(max_examples=100)
@given(st.binary(max_size=120), st.integers(0, 40))
def test_base58_comes_back(data: bytes, zeros: int):
    raw = bytes(zeros) + data
    assert base58.decode(base58.encode(raw)) == raw
    assert base58.decode_checked(base58.encode_checked(raw + b"x")) == raw + b"x"


@settings(max_examples=200)
@given(
    st.binary(min_size=20, max_size=20), st.sampled_from(["bc", "tb", "bcrt", "ltc", "tltc", "rltc", "rb"]), st.data()
)
def test_one_changed_letter_of_an_address_is_found(program: bytes, hrp: str, data: st.DataObject):
    address = bech32.encode(hrp, program)
    assert bech32.decode(hrp, address) == program
    place = data.draw(st.integers(len(hrp) + 1, len(address) - 1))
    letter = data.draw(st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l").filter(lambda one: one != address[place]))
    with pytest.raises(ValueError, match="it"):
        bech32.decode(hrp, address[:place] + letter + address[place + 1 :])


def test_a_seed_in_place_of_its_encrypted_form_is_not_repeated():
    with pytest.raises(KeyTrouble, match="never put the seed itself"):
        sealing.unseal("ab" * 64, sealing.read_keys(KEYS), place="BTC_SEED", asset="BTC")
    assert ENVIRONMENT["BTC_SEED"].startswith("sealed1:k1:")
