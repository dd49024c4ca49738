"""What one process tells the others through PostgreSQL's NOTIFY: a kind and a few words, as small JSON texts. Pure.

A notice is a hint that something new is in the tables; nothing may depend on one that is lost.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

CHANNEL: Final = "stepgram"
"""The name that is listened to."""
LIMIT: Final = 7900
"""Bytes of one notice; PostgreSQL takes fewer than 8,000."""
_FRAME: Final = 64
"""Bytes for what stands around the values; a kind is a short word."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode(kind: str, values: Iterable[str] = ()) -> list[str]:
    """The payloads to notify with: one, or more when the values do not fit into one. No values: look at everything,
    and so says the notice of a value that fits into none."""
    pieces: list[list[str]] = [[]]
    room = LIMIT - _FRAME
    for value in values:
        size = len(_encode(value)) + 1
        if size > LIMIT - _FRAME:
            return [_piece(kind, [])]
        if size > room:
            pieces.append([])
            room = LIMIT - _FRAME
        pieces[-1].append(value)
        room -= size
    return [_piece(kind, piece) for piece in pieces]


def _piece(kind: str, values: list[str]) -> str:
    return _encode({"k": kind, "v": values} if values else {"k": kind}).decode()


def decode(payload: str) -> tuple[str, tuple[str, ...]] | None:
    """The kind and the values; None for what is no notice of ours."""
    try:
        read: Any = _decode(payload)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    if not isinstance(read, dict) or not isinstance(read.get("k"), str):
        return None
    values = read.get("v", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return read["k"], tuple(values)
