"""Keccak-256 and RIPEMD-160 in plain Python: for practice addresses, and as the second way that checks real ones.

Half a millisecond each. What is made in numbers uses pycryptodome's. Pure.
"""

from typing import Final

_MASK64: Final = (1 << 64) - 1
_MASK32: Final = (1 << 32) - 1
_RATE: Final = 136
"""Bytes that Keccak-256 takes in between two permutations."""


def _round_constants() -> tuple[int, ...]:
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for place in range(7):
            if register & 1:
                constant |= 1 << (1 << place) - 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _lanes() -> tuple[tuple[int, int, int], ...]:
    """For each lane that rho and pi move: from where, to where, turned by how many bits."""
    moves = [(0, 0, 0)]
    x, y = 1, 0
    for step in range(24):
        moves.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (step + 1) * (step + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return tuple(moves)


_CONSTANTS: Final = _round_constants()
_MOVES: Final = _lanes()


def _permute(state: list[int]) -> list[int]:
    for constant in _CONSTANTS:
        column = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        theta = [column[x - 1] ^ _left64(column[(x + 1) % 5], 1) for x in range(5)]
        moved = [0] * 25
        for source, target, turn in _MOVES:
            moved[target] = _left64(state[source] ^ theta[source % 5], turn)
        state = [
            moved[at] ^ (~moved[at - at % 5 + (at + 1) % 5] & moved[at - at % 5 + (at + 2) % 5]) for at in range(25)
        ]
        state[0] ^= constant
    return state


def _left64(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK64


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it, with the padding from before SHA-3."""
    padded = bytearray(data + b"\x01" + b"\0" * (_RATE - 1 - len(data) % _RATE))
    padded[-1] |= 0x80
    state = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            state[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        state = _permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


_LEFT_WORDS: Final = (
    *range(16),
    7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
    3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
    1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
    4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
)  # fmt: skip
_RIGHT_WORDS: Final = (
    5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
    6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
    15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
    8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
    12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
)  # fmt: skip
_LEFT_TURNS: Final = (
    11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
    7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
    11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
    11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
    9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
)  # fmt: skip
_RIGHT_TURNS: Final = (
    8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
    9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
    9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
    15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
    8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
)  # fmt: skip
_LEFT_SUMS: Final = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_RIGHT_SUMS: Final = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
_Five = tuple[int, int, int, int, int]
_Recipe = tuple[tuple[int, ...], ...]
_LEFT: Final[_Recipe] = (_LEFT_WORDS, _LEFT_TURNS, _LEFT_SUMS, (0, 1, 2, 3, 4))
_RIGHT: Final[_Recipe] = (_RIGHT_WORDS, _RIGHT_TURNS, _RIGHT_SUMS, (4, 3, 2, 1, 0))
"""Order of the words, turns, sums, and which mixing serves each of the five rounds."""


def ripemd160(data: bytes) -> bytes:
    """RIPEMD-160. OpenSSL may come without it."""
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "little")
    state: _Five = _START
    for start in range(0, len(padded), 64):
        words = [int.from_bytes(padded[at : at + 4], "little") for at in range(start, start + 64, 4)]
        state = _compress(state, words)
    return b"".join(word.to_bytes(4, "little") for word in state)


def _compress(state: _Five, words: list[int]) -> _Five:
    left = _line(state, words, _LEFT)
    right = _line(state, words, _RIGHT)
    sums = [(state[(at + 1) % 5] + left[(at + 2) % 5] + right[(at + 3) % 5]) & _MASK32 for at in range(5)]
    return (sums[0], sums[1], sums[2], sums[3], sums[4])


def _line(state: _Five, words: list[int], recipe: _Recipe) -> _Five:
    order, turns, sums, kinds = recipe
    a, b, c, d, e = state
    for at in range(80):
        mixed = a + _mix(kinds[at // 16], b, c, d) + words[order[at]] + sums[at // 16]
        a, e, d, c, b = e, d, _left32(c, 10), b, (_left32(mixed & _MASK32, turns[at]) + e) & _MASK32
    return (a, b, c, d, e)


def _mix(kind: int, x: int, y: int, z: int) -> int:
    match kind:
        case 0:
            return x ^ y ^ z
        case 1:
            return x & y | ~x & z
        case 2:
            return (x | ~y & _MASK32) ^ z
        case 3:
            return x & z | y & ~z
        case _:
            return x ^ (y | ~z & _MASK32)


def _left32(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _MASK32
