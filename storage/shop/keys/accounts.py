"""From an account's public key to the address of one order, computed twice: with coincurve, and in plain Python. Pure.

An address on which both ways do not agree is never returned.
"""

import hashlib
from functools import lru_cache
from typing import Final

from storage.shop.keys import base58, bech32, bip32, curve, digests, ed25519, evm, native
from storage.shop.keys.bip32 import Node
from storage.shop.keys.errors import Mismatch

HRPS: Final = {
    ("BTC", "main"): "bc", ("BTC", "test"): "tb", ("BTC", "regtest"): "bcrt",
    ("LTC", "main"): "ltc", ("LTC", "test"): "tltc", ("LTC", "regtest"): "rltc",
}  # fmt: skip
_RECEIVING: Final = 0
"""The account's branch for addresses that are given to others; 1 is for change."""


def hrp_of(asset: str, network: str, given: str = "") -> str:
    """How addresses of BTC and LTC begin on that network, before the `1`; empty for other assets."""
    return given or HRPS.get((asset, network), "")


def address(asset: str, account: Node, index: int, hrp: str) -> str:
    """Address `index` of the account, proved a second way.

    Raises Mismatch when the two ways differ, MissingLibraries without the extra, ValueError for the one index in
    2^127 that has none.
    """
    found = computed(asset, account, index, hrp)
    prove(asset, account, index, hrp, found)
    return found


def computed(asset: str, account: Node, index: int, hrp: str) -> str:
    """The first way: coincurve and pycryptodome."""
    point = bip32.child(_branch(account), index, native.shifted).point
    if asset == "ETH":
        return evm.encode(evm.account_of(native.plain(point), keccak=native.keccak256), keccak=native.keccak256)
    return bech32.encode(hrp, native.hash160(point))


def prove(asset: str, account: Node, index: int, hrp: str, shown: str) -> None:
    """The second way: the curve and the digests in plain Python, compared with what the address decodes to.

    Raises Mismatch.
    """
    point = bip32.child(_branch_again(account), index, bip32.shifted).point
    try:
        if asset == "ETH":
            agree = evm.decode(shown) == evm.account_of(curve.plain(curve.read(point)))
        else:
            agree = bech32.decode(hrp, shown) == digests.ripemd160(hashlib.sha256(point).digest())
    except ValueError:
        agree = False
    if not agree:
        raise Mismatch(
            f"{asset}: address {index} of account {account.name} came out differently the second time; it was shown to"
            " nobody. Check this machine's memory, and install the extra crypto afresh"
        )


@lru_cache(maxsize=32)
def _branch(account: Node) -> Node:
    return bip32.child(account, _RECEIVING, native.shifted)


@lru_cache(maxsize=32)
def _branch_again(account: Node) -> Node:
    return bip32.child(account, _RECEIVING, bip32.shifted)


def check_solana(address: str) -> bytes:
    """The 32 bytes of a wallet's address. Raises ValueError for one that no wallet has."""
    raw = base58.decode(address)
    if len(raw) != 32:
        raise ValueError(f"it has {len(raw)} bytes, and an address of SOL has 32")
    if not ed25519.is_key(raw):
        raise ValueError("no wallet has such an address: it is not on the curve")
    return raw
