"""Ethereum addresses: twenty bytes, written with EIP-55's capitals as a checksum. Pure."""

import re
from collections.abc import Callable
from typing import Final

from storage.shop.keys.digests import keccak256

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


def encode(account: bytes, *, keccak: Callable[[bytes], bytes] = keccak256) -> str:
    """An account's twenty bytes as its address. Raises ValueError for another length."""
    if len(account) != 20:
        raise ValueError(f"an account has 20 bytes, not {len(account)}")
    plain = account.hex()
    marks = keccak(plain.encode()).hex()
    return "0x" + "".join(
        letter.upper() if mark in "89abcdef" else letter for letter, mark in zip(plain, marks, strict=False)
    )


def decode(address: str) -> bytes:
    """The twenty bytes of an address. Raises ValueError when its capitals are not those of EIP-55."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("it is not 0x and 40 hexadecimal digits")
    account = bytes.fromhex(address[2:])
    if encode(account) != address:
        raise ValueError("its checksum is wrong: a letter is mistyped, or its capitals were lost")
    return account


def account_of(point: bytes, *, keccak: Callable[[bytes], bytes] = keccak256) -> bytes:
    """The account of a public key, given as 64 bytes: x and y. Raises ValueError for another length."""
    if len(point) != 64:
        raise ValueError(f"a public key has 64 bytes, not {len(point)}")
    return keccak(point)[12:]
