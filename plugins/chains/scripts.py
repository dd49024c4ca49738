"""Addresses of BTC and LTC as output scripts, Electrum's script hashes, and descriptors with their checksum. Pure."""

import hashlib
from typing import Final

from storage.shop.keys import base58, bech32

_INPUT: Final = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_OUTPUT: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)
_KEY_HASHES: Final = frozenset({0x00, 0x30, 0x6F})
"""First byte of addresses that pay to a key: Bitcoin, Litecoin, both test networks."""
_SCRIPT_HASHES: Final = frozenset({0x05, 0x32, 0xC4, 0x3A})


def script(address: str) -> bytes:
    """The output script that pays to an address. Raises ValueError for what is no address of BTC or LTC."""
    hrp, separator, _ = address.lower().rpartition("1")
    if separator and hrp.isalpha():
        try:
            program = bech32.decode(hrp, address)
        except ValueError:
            if not hrp.startswith(("bc", "ltc", "tb", "tltc", "rltc", "rb")):
                return _legacy(address)
            raise
        return b"\0" + bytes([len(program)]) + program
    return _legacy(address)


def _legacy(address: str) -> bytes:
    data = base58.decode_checked(address)
    if len(data) == 21 and data[0] in _KEY_HASHES:
        return b"\x76\xa9\x14" + data[1:] + b"\x88\xac"
    if len(data) == 21 and data[0] in _SCRIPT_HASHES:
        return b"\xa9\x14" + data[1:] + b"\x87"
    raise ValueError("it is no address of BTC or LTC")


def scripthash(address: str) -> str:
    """What the Electrum protocol calls an address: the script's SHA-256, backwards. Raises ValueError."""
    return hashlib.sha256(script(address)).digest()[::-1].hex()


def descriptor(address: str) -> str:
    """`addr(…)#checksum`, as Bitcoin Core imports it (BIP380)."""
    return checked(f"addr({address})")


def checked(text: str) -> str:
    """A descriptor with its checksum. Raises ValueError for letters that descriptors do not have."""
    values: list[int] = []
    groups: list[int] = []
    for letter in text:
        value = _INPUT.index(letter)
        values.append(value & 31)
        groups.append(value >> 5)
        if len(groups) == 3:
            values.append(groups[0] * 9 + groups[1] * 3 + groups[2])
            groups = []
    if groups:
        values.append(groups[0] if len(groups) == 1 else groups[0] * 3 + groups[1])
    sealed = _polymod([*values, 0, 0, 0, 0, 0, 0, 0, 0]) ^ 1
    return f"{text}#{''.join(_OUTPUT[sealed >> 5 * (7 - place) & 31] for place in range(8))}"


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 35
        check = (check & 0x7FFFFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                check ^= generator
    return check
