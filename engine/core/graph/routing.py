"""The way of every line, from a step's border to another's, never through a third one. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.core.graph.levels import Levels, lane_of
from engine.core.graph.lines import Path, Point, bent, flowing
from engine.core.graph.model import Graph, GraphEdge
from engine.core.graph.rows import NODE_WIDTH, Item, Part, Rows, label_of, label_width
from engine.core.graph.sides import LOOP, RIGHT, Return, Sides
from engine.core.records import record

_PORT: Final = 18.0
"""Between two lines at the top or bottom of a step."""
_HALF: Final = NODE_WIDTH / 2
_CORNER: Final = 16.0
"""No line arrives closer to a step's corner."""


@record
class Routed:
    """A line with its label: the text, and the middle of where it stands (None: no label)."""

    edge: GraphEdge
    path: Path
    text: str
    middle: Point | None


class Router:
    """Knows where everything stands; gives the ways."""

    def __init__(self, graph: Graph, rows: Rows, sides: Sides, levels: Levels) -> None:
        self._graph = graph
        self._rows = rows
        self._sides = sides
        self._levels = levels
        self._out = {item.name: _ports(item, item.below) for item in rows.nodes.values()}
        self._into = {item.name: _ports(item, item.above) for item in rows.nodes.values()}

    def top(self, item: Item) -> float:
        """The upper border: items stand in the middle of their row."""
        row = item.row
        return (self._levels.tops[row] + self._levels.bottoms[row] - item.height) / 2

    def all(self) -> Iterator[Routed]:
        """Every line, in the graph's order."""
        returns = {(line.edge.source, line.edge.target): line for line in self._sides.returns}
        for edge in self._graph.edges:
            ends = (edge.source, edge.target)
            if ends in returns:
                yield self._returning(returns[ends])
            elif edge.back:
                yield self._loop(edge)
            else:
                yield self._forward(edge, self._rows.routes[ends])

    def _forward(self, edge: GraphEdge, route: Sequence[Item]) -> Routed:
        start, end = self._rows.nodes[edge.source], self._rows.nodes[edge.target]
        after, before = (route[0], route[-1]) if route else (end, start)
        x = start.x + self._out[edge.source][after]
        points = [(x, self.top(start) + start.height), (x, self._levels.bottoms[start.row])]
        for item in route:
            points += [(item.x, self._levels.tops[item.row]), (item.x, self._levels.bottoms[item.row])]
        x = end.x + self._into[edge.target][before]
        points += [(x, self._levels.tops[end.row]), (x, self.top(end))]
        label = next((item for item in route if item.part is Part.LABEL), None)
        middle = (label.x, (self._levels.tops[label.row] + self._levels.bottoms[label.row]) / 2) if label else None
        return Routed(edge=edge, path=flowing(points), text=label_of(edge), middle=middle)

    def _returning(self, line: Return) -> Routed:
        side = line.side
        lane = self._levels.lanes[lane_of(line)]
        start = (line.source.x + side * _HALF, self._attached(line.source, side, ("out", line.target.name)))
        wide = label_width(line.label) if line.label else 0.0
        corners = [start]
        if line.leaves_blocked:
            turn = line.source.x + side * (_HALF + self._sides.turn(line))
            track = self._levels.tracks[line.source.row, lane_of(line)]
            corners += [(turn, start[1]), (turn, track), (lane, track)]
        else:
            corners.append((lane, start[1]))
        corners += self._arrival(line, lane)
        middle = (start[0] + side * (wide / 2 + 5), start[1]) if line.label else None
        return Routed(edge=line.edge, path=bent(corners), text=line.label, middle=middle)

    def _arrival(self, line: Return, lane: float) -> list[Point]:
        if not line.arrives_blocked:
            y = self._attached(line.target, line.side, ("in", ""))
            return [(lane, y), (line.target.x + line.side * _HALF, y)]
        track = self._levels.tracks[line.target.row - 1, lane_of(line)]
        x = line.target.x + line.side * (_HALF - _CORNER)
        return [(lane, track), (x, track), (x, self.top(line.target))]

    def _loop(self, edge: GraphEdge) -> Routed:
        item = self._rows.nodes[edge.source]
        low = self._attached(item, RIGHT, ("loop", "end"))
        high = self._attached(item, RIGHT, ("loop", ""))
        border = item.x + _HALF
        out = border + LOOP
        text = label_of(edge)
        middle = (out + 3 + label_width(text) / 2, (low + high) / 2) if text else None
        path = bent([(border, low), (out, low), (out, high), (border, high)])
        return Routed(edge=edge, path=path, text=text, middle=middle)

    def _attached(self, item: Item, side: int, what: tuple[str, str]) -> float:
        return self.top(item) + self._sides.height(item.name, side, what, item)


def _ports(item: Item, others: Sequence[Item]) -> Mapping[Item, float]:
    """Where lines to or from these items touch a step, from its middle: straight ones in the middle."""
    ordered = sorted(others, key=lambda other: (other.x, other.rank))
    if len(ordered) == 1:
        return {ordered[0]: 0.0}
    left = [other for other in ordered if other.x - item.x < -0.5]
    right = [other for other in ordered if other.x - item.x > 0.5]
    straight = [other for other in ordered if other not in left and other not in right]
    most = _HALF - _CORNER
    if not straight and not left:  # nothing straight down: as if the first one were
        straight, right = right[:1], right[1:]
    found = dict.fromkeys(straight, 0.0)
    found |= {other: min(_PORT * (index + 1), most) for index, other in enumerate(right)}
    found |= {other: -min(_PORT * (index + 1), most) for index, other in enumerate(reversed(left))}
    return found
