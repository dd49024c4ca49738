"""Base58 as Bitcoin writes it, with and without checksum. Solana's addresses are plain Base58. Pure."""

import hashlib
from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}
LONGEST: Final = 200
"""No key or address is longer; more would cost quadratic time."""


def encode(data: bytes) -> str:
    """Any bytes as Base58; each leading zero byte is one `1`."""
    number = int.from_bytes(data)
    letters: list[str] = []
    while number:
        number, value = divmod(number, 58)
        letters.append(ALPHABET[value])
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + "".join(reversed(letters))


def decode(text: str) -> bytes:
    """The bytes of a Base58 text. Raises ValueError for a letter that Base58 does not have."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text)} letters: no key or address is that long")
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise ValueError("it has a letter that keys and addresses do not use")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def encode_checked(data: bytes) -> str:
    """Base58Check: four bytes of double SHA-256 behind the data."""
    return encode(data + _checksum(data))


def decode_checked(text: str) -> bytes:
    """The data of a Base58Check text. Raises ValueError when a letter is wrong or missing."""
    raw = decode(text)
    data, checksum = raw[:-4], raw[-4:]
    if len(raw) < 5 or _checksum(data) != checksum:
        raise ValueError("its checksum is wrong: a letter is missing or mistyped")
    return data


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
