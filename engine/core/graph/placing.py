"""Where items stand from left to right: close to what they are connected with, never closer than they may. Pure.

Each row is solved exactly (least squares with given distances, by pooling neighbours); rows take turns. The spine
weighs so much that it is straight.
"""

from collections.abc import Sequence
from typing import Final

from engine.core.graph.rows import Item, Part, Rows

_SWEEPS: Final = 10
_STRAIGHTENINGS: Final = 4
_SPINE: Final = 1e9
_STRAIGHT: Final = 1e4
_GAPS: Final = {(Part.NODE, Part.NODE): 40.0, (Part.PASS, Part.PASS): 8.0}
_GAP: Final = 14.0


def place(rows: Rows) -> None:
    """Give every item its x. The spine stands at 0."""
    for row in rows.rows:
        _solve(row, [0.0] * len(row))
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows.rows if down else reversed(rows.rows):
            _solve(row, [_wish(item, down=down) for item in row])
    for _ in range(_STRAIGHTENINGS):
        _straighten(rows)
    for row in rows.rows:
        for item in row:
            item.x = float(round(item.x))


def _straighten(rows: Rows) -> None:
    """Passing lines move out to where they are farthest: every bend that is not needed goes."""
    farthest: dict[str, float] = {}
    for row in rows.rows:
        for item in row:
            if item.part is Part.PASS and not item.pinned:
                farthest[item.name] = max(farthest.get(item.name, item.x), item.x)
    for row in rows.rows:
        wishes = [farthest.get(item.name, item.x) if _free(item) else item.x for item in row]
        _solve(row, wishes, passing=_STRAIGHT)


def _free(item: Item) -> bool:
    return item.part is Part.PASS and not item.pinned


def _wish(item: Item, *, down: bool) -> float:
    if item.pinned:
        return 0.0
    others = item.above if down else item.below
    if item.part is Part.PASS:
        others = [other for other in others if other.part is Part.PASS] or others
    elif not down:  # steps and labels stay with what leads to them; they do not run after a line that passes far away
        others = [other for other in others if other.part is not Part.PASS]
    if not others:
        return item.x
    return sum(other.x for other in others) / len(others)


def distance(left: Item, right: Item) -> float:
    """How far the middles of two neighbours are apart at least."""
    return left.right + _GAPS.get((left.part, right.part), _GAP) + right.left


def _weight(item: Item, passing: float) -> float:
    return _SPINE if item.pinned else passing if item.part is Part.PASS else 1.0


def _solve(row: Sequence[Item], wishes: Sequence[float], passing: float = 3.0) -> None:
    """Pool adjacent violators: with the distances taken off, places must not fall from left to right."""
    blocks: list[list[float]] = []  # sum of weighted wishes, weight, number of items
    offsets, offset = [], 0.0
    for index, item in enumerate(row):
        offset += distance(row[index - 1], item) if index else 0.0
        offsets.append(offset)
        weight = _weight(item, passing)
        blocks.append([(wishes[index] - offset) * weight, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    index = 0
    for total, weight, count in blocks:
        for _ in range(int(count)):
            row[index].x = total / weight + offsets[index]
            index += 1
