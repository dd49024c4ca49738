"""Graph → Layout: boxes, lines and labels with coordinates in pixels. Pure and deterministic; draws nothing."""

from collections.abc import Iterable
from typing import Final

from engine.core.graph.levels import levels
from engine.core.graph.lines import Path
from engine.core.graph.model import Graph, GraphEdge, GraphNode
from engine.core.graph.ordering import order
from engine.core.graph.placing import place
from engine.core.graph.routing import Routed, Router
from engine.core.graph.rows import LABEL_HEIGHT, NODE_WIDTH, Rows, arrange, label_width
from engine.core.graph.sides import sides
from engine.core.records import record

MARGIN: Final = 24.0


@record
class Box:
    """A rectangle by its upper left corner; y counts downwards."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> "Box":
        return Box(x=round(self.x + dx, 2), y=round(self.y + dy, 2), width=self.width, height=self.height)

    def overlaps(self, other: "Box") -> bool:
        """Whether they share more than their borders."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside, not on the border."""
        return self.x < x < self.x + self.width and self.y < y < self.y + self.height


@record
class PlacedNode:
    node: GraphNode
    box: Box


@record
class PlacedEdge:
    edge: GraphEdge
    path: Path
    """Ends at the border of the step that it leads to."""
    label: str
    """Empty: no label."""
    box: Box | None
    """Where the label stands."""


@record
class Layout:
    """Everything from 0, 0 to `width`, `height`, a margin included."""

    width: float
    height: float
    nodes: tuple[PlacedNode, ...]
    edges: tuple[PlacedEdge, ...]


def layout(graph: Graph) -> Layout:
    """Place a graph of at least one node."""
    rows = arrange(graph)
    order(rows)
    attached = sides(graph, rows)
    place(rows)
    heights = levels(rows, attached)
    router = Router(graph, rows, attached, heights)
    nodes = [PlacedNode(node=node, box=_box(rows, router, node.id)) for node in graph.nodes]
    edges = [_placed(routed) for routed in router.all()]
    return _from_zero(nodes, edges)


def _box(rows: Rows, router: Router, name: str) -> Box:
    item = rows.nodes[name]
    return Box(x=item.x - NODE_WIDTH / 2, y=router.top(item), width=NODE_WIDTH, height=item.height)


def _placed(routed: Routed) -> PlacedEdge:
    box = None
    if routed.middle is not None:
        wide = label_width(routed.text) - 4
        x, y = routed.middle
        box = Box(x=x - wide / 2, y=y - LABEL_HEIGHT / 2, width=wide, height=LABEL_HEIGHT)
    return PlacedEdge(edge=routed.edge, path=routed.path, label=routed.text, box=box)


def _from_zero(nodes: Iterable[PlacedNode], edges: Iterable[PlacedEdge]) -> Layout:
    nodes, edges = list(nodes), list(edges)
    boxes = [placed.box for placed in nodes] + [placed.box for placed in edges if placed.box is not None]
    points = [point for placed in edges for point in placed.path.points(2)]
    left = min([box.x for box in boxes] + [x for x, _ in points]) - MARGIN
    top = min([box.y for box in boxes] + [y for _, y in points]) - MARGIN
    right = max([box.x + box.width for box in boxes] + [x for x, _ in points]) + MARGIN
    bottom = max([box.y + box.height for box in boxes] + [y for _, y in points]) + MARGIN
    return Layout(
        width=right - left,
        height=bottom - top,
        nodes=tuple(PlacedNode(node=placed.node, box=placed.box.moved(-left, -top)) for placed in nodes),
        edges=tuple(
            PlacedEdge(
                edge=placed.edge,
                path=placed.path.moved(-left, -top),
                label=placed.label,
                box=placed.box.moved(-left, -top) if placed.box else None,
            )
            for placed in edges
        ),
    )
