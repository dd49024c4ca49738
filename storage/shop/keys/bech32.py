"""Segwit addresses, version 0, as BIP173 writes them: `bc1…`, `ltc1…`, `bcrt1…`. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(hrp: str, program: bytes) -> str:
    """The address of a version 0 program (20 bytes: a key's hash) on the network with that prefix.

    Raises ValueError when reading it back gives something else: for a program or prefix that cannot be.
    """
    values = [0, *_regroup(program, 8, 5, pad=True)]
    sealed = _polymod([*_expand(hrp), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [(sealed >> 5 * (5 - place)) & 31 for place in range(6)]
    address = f"{hrp}1{''.join(_ALPHABET[value] for value in [*values, *checksum])}"
    if decode(hrp, address) != program:
        raise ValueError("this address cannot be written")
    return address


def decode(hrp: str, address: str) -> bytes:
    """The program of a version 0 address. Raises ValueError: another network, a mistyped letter, another version."""
    if address.lower() != address and address.upper() != address:
        raise ValueError("it mixes capital and small letters")
    text = address.lower()
    prefix, separator, rest = text.rpartition("1")
    if not separator or prefix != hrp or len(text) > 90 or len(rest) < 7:
        raise ValueError(f"it is no address that begins with {hrp}1")
    if any(letter not in _VALUES for letter in rest):
        raise ValueError("it has a letter that addresses do not use")
    values = [_VALUES[letter] for letter in rest]
    if _polymod([*_expand(prefix), *values]) != 1:
        raise ValueError("its checksum is wrong: a letter is missing or mistyped")
    if values[0] != 0:
        raise ValueError(f"it is of version {values[0]}, not 0")
    program = bytes(_regroup(values[1:-6], 5, 8, pad=False))
    if len(program) not in (20, 32):
        raise ValueError(f"its program has {len(program)} bytes")
    return program


def _expand(hrp: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in hrp), 0, *(ord(letter) & 31 for letter in hrp)]


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                check ^= generator
    return check


def _regroup(values: Iterable[int], size: int, wanted: int, *, pad: bool) -> list[int]:
    """The same bits in groups of another size. Raises ValueError when bits are left over that are not padding."""
    held, bits = 0, 0
    groups: list[int] = []
    for value in values:
        held, bits = held << size | value, bits + size
        while bits >= wanted:
            bits -= wanted
            groups.append(held >> bits & ((1 << wanted) - 1))
        held &= (1 << bits) - 1
    if pad and bits:
        groups.append(held << (wanted - bits) & ((1 << wanted) - 1))
    elif bits >= size or held:
        raise ValueError("it has bits left over")
    return groups
