"""Heights of rows and gaps, and the lanes and tracks of lines that close loops. Pure.

A lane is vertical and belongs to one step and side: all lines back to that step share it. A track is horizontal, in
the gap between two rows, for lines that must go around a step.
"""

from dataclasses import dataclass, field
from typing import Final

from engine.core.graph.rows import Item, Part, Rows
from engine.core.graph.sides import LEFT, Return, Sides

_LANE: Final = 14.0
_TRACK: Final = 12.0
_GAP: Final = 32.0
_GAP_ABOVE_LABELS: Final = 16.0
_GAP_BELOW_LABELS: Final = 24.0
_SLOPE: Final = 0.06
_SLOPE_MOST: Final = 40.0

Lane = tuple[str, int]
"""The step that it leads to, and the side."""


@dataclass(slots=True, kw_only=True)
class Levels:
    """`tops` and `bottoms` of the rows; where lanes (x) and tracks (y, by gap below that row) are."""

    tops: list[float] = field(default_factory=list)
    bottoms: list[float] = field(default_factory=list)
    lanes: dict[Lane, float] = field(default_factory=dict)
    tracks: dict[tuple[int, Lane], float] = field(default_factory=dict)


def lane_of(line: Return) -> Lane:
    """The lane that it runs in."""
    return (line.target.name, line.side)


def levels(rows: Rows, sides: Sides) -> Levels:
    """Everything vertical first, then the lanes beside it."""
    found = Levels()
    tracks = _tracks(sides)
    y = _TRACK * len(tracks.get(-1, ()))
    _place_tracks(found, -1, tracks.get(-1, []), 0.0)
    for number, row in enumerate(rows.rows):
        height = max((item.height for item in row), default=0.0)
        found.tops.append(y)
        found.bottoms.append(y + height)
        own = tracks.get(number, [])
        _place_tracks(found, number, own, y + height)
        y += height + _gap(row) + _TRACK * len(own)
    _place_lanes(found, rows, sides)
    return found


def _tracks(sides: Sides) -> dict[int, list[Lane]]:
    found: dict[int, list[Lane]] = {}
    for line in sides.returns:
        gaps = [line.source.row] if line.leaves_blocked else []
        gaps += [line.target.row - 1] if line.arrives_blocked else []
        for gap in gaps:
            lanes = found.setdefault(gap, [])
            if lane_of(line) not in lanes:
                lanes.append(lane_of(line))
    return found


def _place_tracks(found: Levels, gap: int, lanes: list[Lane], top: float) -> None:
    for index, lane in enumerate(lanes):
        found.tracks[gap, lane] = top + _TRACK * (index + 1) - (4 if gap >= 0 else _TRACK)


def _gap(row: list[Item]) -> float:
    """More where lines have a long way to the side."""
    labels = any(item.part is Part.LABEL for item in row)
    below = [(item, other) for item in row for other in item.below]
    above_labels = any(other.part is Part.LABEL for _, other in below)
    base = _GAP_ABOVE_LABELS if above_labels else _GAP_BELOW_LABELS if labels else _GAP
    return base + round(min(_SLOPE_MOST, _SLOPE * max((abs(item.x - other.x) for item, other in below), default=0.0)))


def _place_lanes(found: Levels, rows: Rows, sides: Sides) -> None:
    """Short lanes inside, long ones outside."""
    spans: dict[Lane, tuple[int, int]] = {}
    for line in sides.returns:
        first = line.target.row - (1 if line.arrives_blocked else 0)
        last = line.source.row + (1 if line.leaves_blocked else 0)
        low, high = spans.get(lane_of(line), (first, last))
        spans[lane_of(line)] = (min(low, first, last), max(high, first, last))
    reach = {side: [_reach(row, side) for row in rows.rows] for side in {side for _, side in spans}}
    for lane in sorted(spans, key=lambda lane: (spans[lane][1] - spans[lane][0], spans[lane][0], lane[0])):
        first, last = max(spans[lane][0], 0), min(spans[lane][1], len(rows.rows) - 1)
        side = lane[1]
        out = max(reach[side][first : last + 1]) + _LANE
        found.lanes[lane] = side * out
        for row in range(first, last + 1):
            reach[side][row] = out


def _reach(row: list[Item], side: int) -> float:
    """How far a row reaches to a side, away from 0; negative when it ends before it."""
    if side == LEFT:
        return max((item.left - item.x for item in row), default=0.0)
    return max((item.x + item.right for item in row), default=0.0)
