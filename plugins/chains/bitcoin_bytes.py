"""Transactions and block headers of BTC and LTC as bytes: what they pay, and their own names. Pure."""

import hashlib
from typing import Final

from engine.core.records import record

HEADER: Final = 80


@record
class Output:
    """One output of a transaction; `value` in satoshi."""

    script: bytes
    value: int


@record
class Header:
    """What a block says of itself; `time` in seconds since 1970."""

    block: str
    parent: str
    time: int


class _Bytes:
    """Reads from the front; raises ValueError at the end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise ValueError("the transaction ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number({0xFD: 2, 0xFE: 4, 0xFF: 8}[first])


def transaction(raw: bytes) -> tuple[str, tuple[Output, ...]]:
    """A transaction's id and outputs. Raises ValueError for what is none.

    Witnesses, and what Litecoin's MimbleWimble puts behind the outputs, do not belong to the id.
    """
    data = _Bytes(raw)
    version = data.take(4)
    if raw[4:5] == b"\0" and raw[5:6] != b"\0":
        data.take(2)
    start = data.at
    for _ in range(data.count()):
        data.take(36)
        data.take(data.count())
        data.take(4)
    outputs = []
    for _ in range(data.count()):
        value = data.number(8)
        outputs.append(Output(value=value, script=data.take(data.count())))
    body = raw[start : data.at]
    data.take(4)
    return _name(version + body + raw[-4:]), tuple(outputs)


def header(raw: bytes) -> Header:
    """A block's header. Raises ValueError for what is none."""
    if len(raw) != HEADER:
        raise ValueError("a block's header has 80 bytes")
    return Header(block=_name(raw), parent=raw[4:36][::-1].hex(), time=int.from_bytes(raw[68:72], "little"))


def _name(data: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()[::-1].hex()
