"""How far the bot has read Telegram's updates, and the order of those that arrive. Pure: no I/O, no clock.

Every change of the account has a number (`pts`); an update says up to which one it leads and how many it covers.
"""

import heapq
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

CHANNELS: Final = "Channel"
"""In the name of a raw type: its numbers are those of a channel, not of the account."""


class Marks(msgspec.Struct, frozen=True):
    """What `updates.getDifference` is asked with, as kept over a restart."""

    pts: int
    qts: int = 0
    date: int = 1


def written(marks: Marks) -> str:
    """The marks as the journal keeps them."""
    return msgspec.json.encode(marks).decode()


def read(text: str | None) -> Marks | None:
    """The marks that were kept; None: none were, or they are damaged."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Marks)
    except msgspec.MsgspecError:
        return None


def numbers_of(update: object) -> tuple[int, int] | None:
    """(pts, pts_count) of a raw update of the account; None: it has no place in that order."""
    pts, count = getattr(update, "pts", None), getattr(update, "pts_count", None)
    if not isinstance(pts, int) or not isinstance(count, int) or CHANNELS in type(update).__name__:
        return None
    return pts, count


@dataclass(order=True, slots=True)
class _Held(Generic[T]):
    pts: int
    number: int
    count: int = field(compare=False)
    item: T = field(compare=False)


class Order(Generic[T]):
    """Gives items in the order of their numbers: one that comes before its time is held until the gap is closed.

    Until `jump` has said where to begin, everything is held.
    """

    def __init__(self) -> None:
        self._pts: int | None = None
        self._held: list[_Held[T]] = []
        self._number = 0

    @property
    def pts(self) -> int | None:
        """Up to here nothing is missing; None: it is not known yet where to begin."""
        return self._pts

    @property
    def holding(self) -> bool:
        """Whether something waits for what is missing."""
        return bool(self._held)

    def place(self, pts: int, count: int, item: T) -> list[T]:
        """One arrived: what is to be handled now, in order.

        One that was known before is given at once, since its own key tells better whether it is a repeated one.
        """
        self._number += 1
        heapq.heappush(self._held, _Held(pts=pts, number=self._number, count=count, item=item))
        return self._ready()

    def jump(self, pts: int) -> list[T]:
        """Everything up to here was fetched, or is of no interest; what is to be handled now."""
        self._pts = pts if self._pts is None else max(self._pts, pts)
        return self._ready()

    def reset(self, pts: int) -> list[T]:
        """Begin anew from here, also backwards: the other side has lost its count."""
        self._pts = pts
        return self._ready()

    def _ready(self) -> list[T]:
        ready: list[T] = []
        while self._pts is not None and self._held and self._held[0].pts - self._held[0].count <= self._pts:
            held = heapq.heappop(self._held)
            self._pts = max(self._pts, held.pts)
            ready.append(held.item)
        return ready
