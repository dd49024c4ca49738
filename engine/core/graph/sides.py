"""Lines that close a loop: on which side of a step they leave and arrive, and the room they need there. Pure.

They leave a step at its side, run beside everything in a lane of the step they lead to, and arrive at its side.
Where another step stands in the way they go around it, through the gap between two rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.core.graph.model import Graph, GraphEdge
from engine.core.graph.rows import NODE_HEIGHT, Item, Part, Rows, label_of, label_width

LEFT: Final = -1
RIGHT: Final = 1
STUB: Final = 20.0
"""A line's way out of a step before it may turn."""
LOOP: Final = 18.0
"""How far a line from a step to itself reaches out."""
_SHORT: Final = 6.0
"""A turn is that much inside the room, so that it does not touch what stands next."""
_PITCH: Final = 19.0
"""Between two lines at the side of a step: as much as a label is high, and a little."""


@dataclass(slots=True, kw_only=True, eq=False)
class Return:
    """One line that closes a loop."""

    edge: GraphEdge
    source: Item
    target: Item
    side: int
    """LEFT or RIGHT."""
    label: str
    leaves_blocked: bool
    """Another step stands between its source and the lane."""
    arrives_blocked: bool


@dataclass(slots=True, kw_only=True)
class Sides:
    """What happens at the sides of each step."""

    returns: list[Return]
    loops: list[tuple[GraphEdge, Item]]
    places: dict[tuple[str, int], list[tuple[str, str]]] = field(default_factory=dict)
    """(step, side) → what is attached there from top to bottom: ("in", ""), ("out", target), ("loop", "")."""

    def height(self, name: str, side: int, what: tuple[str, str], item: Item) -> float:
        """How far below the step's top something is attached."""
        places = self.places[name, side]
        return item.height / 2 + (places.index(what) - (len(places) - 1) / 2) * _PITCH

    def turn(self, line: Return) -> float:
        """How far from the border a line turns down that must go around a step: past its label and all below it."""
        name, side = line.source.name, line.side
        places = self.places[name, side]
        below = places[places.index(("out", line.target.name)) :]
        leaving = (other for other in self.returns if other.source.name == name and other.side == side)
        labels = [other.label for other in leaving if ("out", other.target.name) in below]
        looping = [label_of(edge) for edge, item in self.loops if item.name == name and ("loop", "") in below]
        return max([_out(label) for label in labels] + [_around(label) for label in looping]) - _SHORT


def sides(graph: Graph, rows: Rows) -> Sides:
    """Choose the sides and widen the steps by what stands beside them. The order of the rows is known."""
    crowd = _crowd(rows)
    loops = [(edge, rows.nodes[edge.source]) for edge in graph.edges if edge.source == edge.target]
    back = (edge for edge in graph.edges if edge.back and edge.source != edge.target)
    returns = [_return(edge, rows.nodes[edge.source], rows.nodes[edge.target], crowd) for edge in back]
    found = Sides(returns=returns, loops=loops)
    _attach(found)
    for (name, side), places in found.places.items():
        item = rows.nodes[name]
        item.height = max(item.height, _PITCH * len(places) + 8, NODE_HEIGHT)
        room = _room(found, name, side)
        if side == LEFT:
            item.left += room
        else:
            item.right += room
    return found


def _crowd(rows: Rows) -> Mapping[tuple[str, int], int]:
    """How many steps stand on either side of each."""
    found = {}
    for row in rows.rows:
        steps = [item for item in row if item.part is Part.NODE]
        for index, item in enumerate(steps):
            found[item.name, LEFT] = index
            found[item.name, RIGHT] = len(steps) - 1 - index
    return found


def _return(edge: GraphEdge, source: Item, target: Item, crowd: Mapping[tuple[str, int], int]) -> Return:
    side = min((LEFT, RIGHT), key=lambda side: (2 * crowd[source.name, side] + crowd[target.name, side], side))
    return Return(
        edge=edge,
        source=source,
        target=target,
        side=side,
        label=label_of(edge),
        leaves_blocked=crowd[source.name, side] > 0,
        arrives_blocked=crowd[target.name, side] > 0,
    )


def _attach(found: Sides) -> None:
    """Arrivals on top, then the way out to the nearest step, then further ones, then the step's own loop."""
    for line in found.returns:
        if not line.arrives_blocked:
            places = found.places.setdefault((line.target.name, line.side), [])
            if ("in", "") not in places:
                places.append(("in", ""))
    for line in sorted(found.returns, key=lambda line: line.source.row - line.target.row):
        found.places.setdefault((line.source.name, line.side), []).append(("out", line.target.name))
    for _, item in found.loops:
        found.places.setdefault((item.name, RIGHT), []).extend([("loop", ""), ("loop", "end")])


def _room(found: Sides, name: str, side: int) -> float:
    labels: Iterable[str] = (line.label for line in found.returns if line.source.name == name and line.side == side)
    room = max((_out(label) for label in labels), default=STUB)
    for edge, item in found.loops:
        if item.name == name and side == RIGHT:
            room = max(room, _around(label_of(edge)))
    return room


def _out(label: str) -> float:
    """What a line that leaves needs beside the step."""
    return label_width(label) + STUB if label else STUB


def _around(label: str) -> float:
    """What a line to the step itself needs beside it."""
    return LOOP + 12 + label_width(label) if label else LOOP + 8
