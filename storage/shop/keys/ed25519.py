"""Ed25519 in plain Python: which 32 bytes are a public key, and a second way to a public key, for the offline pool.

Its time depends on the numbers: never for a key that a server holds. Pure.
"""

import hashlib
from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def _recover(y: int, odd: int) -> int | None:
    """The x of a point; None when there is none with this y."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and odd):
        return None
    return x if x % 2 == odd else _P - x


def _base() -> _Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _recover(y, 0)
    assert x is not None
    return (x, y, 1, x * y % _P)


_BASE: Final = _base()


def is_key(raw: bytes) -> bool:
    """Whether these are 32 bytes that are a point of the curve, as every address of a wallet is."""
    if len(raw) != 32:
        return False
    number = int.from_bytes(raw, "little")
    y = number % 2**255
    return y < _P and _recover(y, number >> 255) is not None


def public(secret: bytes) -> bytes:
    """The public key of a secret of 32 bytes."""
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
    found: _Point = (0, 1, 1, 0)
    power = _BASE
    while scalar:
        if scalar & 1:
            found = _add(found, power)
        power = _add(power, power)
        scalar >>= 1
    x, y, z, _ = found
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _add(first: _Point, second: _Point) -> _Point:
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)
