"""The rows of a diagram: steps by how far they are from the first, labels and passing lines between them. Pure.

A layer is the longest way down to a step. Under a layer stands a row of labels, when it has any. A line that passes
rows has an item in each; all lines to the same step share these, so that they meet instead of running side by side.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from math import ceil
from typing import Final

from engine.core.graph.cycles import reaches
from engine.core.graph.model import EdgeKind, Graph, GraphEdge
from engine.core.graph.words import fitted, width

NODE_WIDTH: Final = 256.0
NODE_HEIGHT: Final = 48.0
LABEL_SIZE: Final = 11.5
LABEL_HEIGHT: Final = 18.0
LABEL_ROOM: Final = 190.0
PASS_WIDTH: Final = 14.0


class Part(Enum):
    """What an item is."""

    NODE = auto()
    LABEL = auto()
    PASS = auto()


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """Something that takes room in a row. `x` is its middle; `left` and `right` reach from there."""

    part: Part
    name: str
    """The step; of a line, the step that it leads to."""
    row: int
    left: float
    right: float
    height: float = 0.0
    x: float = 0.0
    rank: int = 0
    """Its place in the row, from 0."""
    pinned: bool = False
    """It is part of the spine."""
    above: list["Item"] = field(default_factory=list)
    below: list["Item"] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Rows:
    """Everything that has to be placed."""

    rows: list[list[Item]]
    nodes: dict[str, Item]
    routes: dict[tuple[str, str], list[Item]]
    """The items between the two steps of a forward edge, downwards; the first may be its label."""


def label_of(edge: GraphEdge) -> str:
    """What stands at the line: as many of its reasons as fit; the others are counted."""
    words = edge.words
    for shown in range(len(words), 0, -1):
        more = f" +{len(words) - shown}" if shown < len(words) else ""
        text = ", ".join(words[:shown]) + more
        if width(text, LABEL_SIZE) <= LABEL_ROOM:
            return text
    more = f" +{len(words) - 1}" if len(words) > 1 else ""
    return fitted(words[0], LABEL_SIZE, LABEL_ROOM - width(more, LABEL_SIZE)) + more if words else ""


def label_width(text: str) -> float:
    """With the room around it; an even number, so that everything stands on whole or half pixels."""
    return 2.0 * ceil((width(text, LABEL_SIZE) + 14) / 2)


def layers(graph: Graph) -> Mapping[str, int]:
    """The layer of each step. What nothing leads to hangs under the step before it in the file."""
    ahead: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    led = set()
    for edge in graph.edges:
        if not edge.back:
            ahead[edge.source].append(edge.target)
            led.add(edge.target)
    for before, node in zip(graph.nodes, graph.nodes[1:], strict=False):
        if node.id not in led and not reaches(ahead, node.id, before.id):
            ahead[before.id].append(node.id)
    return _longest(ahead)


def _longest(ahead: Mapping[str, list[str]]) -> Mapping[str, int]:
    waiting = dict.fromkeys(ahead, 0)
    for targets in ahead.values():
        for target in targets:
            waiting[target] += 1
    found = dict.fromkeys(ahead, 0)
    todo = [name for name, left in waiting.items() if not left]
    for name in todo:
        for target in ahead[name]:
            found[target] = max(found[target], found[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                todo.append(target)
    return found


def spine(graph: Graph, layer: Mapping[str, int]) -> list[str]:
    """The longest way from the first step without failures and timeouts; on equal length, the file's first."""
    place = graph.order()
    ahead: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        if not edge.back and edge.kind not in (EdgeKind.FAILED, EdgeKind.TIMEOUT):
            ahead[edge.source].append(edge.target)
    length: dict[str, int] = {}
    chosen: dict[str, str] = {}
    for name in sorted(ahead, key=lambda name: -layer[name]):
        targets = sorted(ahead[name], key=lambda target: (-length[target], place[target]))
        length[name] = 1 + (length[targets[0]] if targets else 0)
        if targets:
            chosen[name] = targets[0]
    found = [graph.nodes[0].id]
    while found[-1] in chosen:
        found.append(chosen[found[-1]])
    return found


def arrange(graph: Graph) -> Rows:
    """All items in rows, in the order of the file, linked with those above and below."""
    layer = layers(graph)
    forward = [edge for edge in graph.edges if not edge.back]
    row_of, count = _rows_of_layers(layer, forward)
    rows = Rows(rows=[[] for _ in range(count)], nodes={}, routes={})
    for node in graph.nodes:
        half = NODE_WIDTH / 2
        item = Item(part=Part.NODE, name=node.id, row=row_of[layer[node.id]], left=half, right=half, height=NODE_HEIGHT)
        rows.nodes[node.id] = item
        rows.rows[item.row].append(item)
    passes: dict[tuple[str, int], Item] = {}
    for edge in forward:
        rows.routes[edge.source, edge.target] = _route(edge, rows, passes)
    main = spine(graph, layer)
    for name in main:
        rows.nodes[name].pinned = True
    for pair in itertools.pairwise(main):
        for item in rows.routes[pair]:
            item.pinned = True
    return rows


def _rows_of_layers(layer: Mapping[str, int], forward: Iterable[GraphEdge]) -> tuple[Mapping[int, int], int]:
    """Layer → row. A layer from which a line with a label leaves has one more row below it."""
    labelled = {layer[edge.source] for edge in forward if edge.words}
    row_of, row = {}, 0
    for number in range(max(layer.values()) + 1):
        row_of[number] = row
        row += 2 if number in labelled else 1
    return row_of, row


def _route(edge: GraphEdge, rows: Rows, passes: dict[tuple[str, int], Item]) -> list[Item]:
    start, end = rows.nodes[edge.source], rows.nodes[edge.target]
    route = []
    for row in range(start.row + 1, end.row):
        text = label_of(edge) if row == start.row + 1 else ""
        if text:
            half = label_width(text) / 2
            item = Item(part=Part.LABEL, name=edge.target, row=row, left=half, right=half, height=LABEL_HEIGHT)
            rows.rows[row].append(item)
        elif (edge.target, row) in passes:
            item = passes[edge.target, row]
        else:
            item = Item(part=Part.PASS, name=edge.target, row=row, left=PASS_WIDTH / 2, right=PASS_WIDTH / 2)
            passes[edge.target, row] = item
            rows.rows[row].append(item)
        route.append(item)
    line = [start, *route, end]
    for upper, lower in itertools.pairwise(line):
        if lower not in upper.below:
            upper.below.append(lower)
            lower.above.append(upper)
    return route
