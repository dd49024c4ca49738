"""The order of the items in each row, with few crossings: sweeps of barycentres, the spine always first. Pure."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Final

from engine.core.graph.rows import Item, Rows

_SWEEPS: Final = 8


def order(rows: Rows) -> None:
    """Sort every row. What is equally good stays in the order of the file."""
    for row in rows.rows:
        row.sort(key=lambda item: not item.pinned)
        _number(row)
    best, kept = _crossings(rows.rows), [list(row) for row in rows.rows]
    for sweep in range(_SWEEPS):
        if not best:
            break
        _sweep(rows.rows, down=sweep % 2 == 0)
        found = _crossings(rows.rows)
        if found < best:
            best, kept = found, [list(row) for row in rows.rows]
    rows.rows[:] = kept
    for row in rows.rows:
        _number(row)


def _number(row: Sequence[Item]) -> None:
    for rank, item in enumerate(row):
        item.rank = rank


def _sweep(rows: list[list[Item]], *, down: bool) -> None:
    for row in rows if down else reversed(rows):
        row.sort(key=lambda item: _wish(item, down=down))
        _number(row)


def _wish(item: Item, *, down: bool) -> tuple[bool, float, int]:
    others = item.above if down else item.below
    middle = sum(other.rank for other in others) / len(others) if others else float(item.rank)
    return (not item.pinned, middle, item.rank)


def _crossings(rows: Sequence[Sequence[Item]]) -> int:
    """Pairs of lines between neighbouring rows that cross."""
    found = 0
    for row in rows:
        ends: list[int] = []
        for item in row:
            targets = sorted(other.rank for other in item.below)
            for target in targets:
                found += len(ends) - bisect_left(ends, target + 1)
            for target in targets:
                insort(ends, target)
    return found
