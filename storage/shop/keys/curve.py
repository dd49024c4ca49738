"""secp256k1 in plain Python: the second way by which every address is computed before it is shown.

For public keys only: its time depends on the numbers, so no private key may ever come in here. Pure.
"""

from functools import cache
from typing import Final

P: Final = 2**256 - 2**32 - 977
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BASE: Final = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = tuple[int, int]
_Jacobian = tuple[int, int, int]
_NOWHERE: Final = (1, 1, 0)
_WINDOW: Final = 4


def read(compressed: bytes) -> Point:
    """The point of 33 bytes. Raises ValueError when no point of the curve is written so."""
    if len(compressed) != 33 or compressed[0] not in (2, 3):
        raise ValueError("it is no public key")
    x = int.from_bytes(compressed[1:])
    y = pow(x**3 + 7, (P + 1) // 4, P)
    if x >= P or (y * y - x**3 - 7) % P:
        raise ValueError("its public key is not on the curve")
    return (x, y if y % 2 == compressed[0] % 2 else P - y)


def compressed(point: Point) -> bytes:
    """A point as 33 bytes."""
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32)


def plain(point: Point) -> bytes:
    """A point as 64 bytes: x and y."""
    return point[0].to_bytes(32) + point[1].to_bytes(32)


def shifted(point: Point, by: int) -> Point:
    """`point` + `by` times the base: how a public child key is made. Raises ValueError at the point in infinity."""
    start = (point[0], point[1], 1)
    number = by % ORDER
    for row in _table():
        digit = number % 2**_WINDOW
        number >>= _WINDOW
        if digit:
            start = _add(start, row[digit - 1])
    return _affine(start)


@cache
def _table() -> tuple[tuple[Point, ...], ...]:
    """For each four bits of a number: 1 to 15 times that power of the base. 64 rows, made in some 20 ms."""
    rows: list[tuple[Point, ...]] = []
    step = BASE
    for _ in range(256 // _WINDOW):
        row = [step]
        for _ in range(2**_WINDOW - 1):
            row.append(_affine(_add((*row[-1], 1), step)))
        step = row.pop()
        rows.append(tuple(row))
    return tuple(rows)


def _add(first: _Jacobian, second: Point) -> _Jacobian:
    x1, y1, z1 = first
    if z1 == 0:
        return (*second, 1)
    square = z1 * z1 % P
    h = (second[0] * square - x1) % P
    r = (second[1] * square * z1 - y1) % P
    if h == 0:
        return _doubled(second) if r == 0 else _NOWHERE
    h2 = h * h % P
    h3 = h2 * h % P
    v = x1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return (x3, (r * (v - x3) - y1 * h3) % P, z1 * h % P)


def _doubled(point: Point) -> _Jacobian:
    x, y = point
    slope = 3 * x * x % P
    s = 4 * x * y * y % P
    x3 = (slope * slope - 2 * s) % P
    return (x3, (slope * (s - x3) - 8 * pow(y, 4, P)) % P, 2 * y % P)


def _affine(point: _Jacobian) -> Point:
    x, y, z = point
    if z == 0:
        raise ValueError("this sum is the point in infinity")
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return (x * square % P, y * square * inverse % P)
