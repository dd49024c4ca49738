"""Graph → SVG, whole in itself: no network, no script, no font of its own. Everything put in is escaped. Pure."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from engine.core.graph.icons import ICONS, LOCK
from engine.core.graph.layout import Layout, PlacedEdge, PlacedNode, layout
from engine.core.graph.lines import Point, number
from engine.core.graph.model import Graph, GraphEdge, GraphNode, NodeKind
from engine.core.graph.style import css
from engine.core.graph.words import clean, fitted

_TITLE: Final = 13.0
_DETAIL: Final = 11.0
_TEXT: Final = 40.0
"""Where a step's text begins, right of its icon."""
_ROOM_RIGHT: Final = 12.0
_ARROW: Final = 7.0


def svg(
    graph: Graph,
    *,
    current: str | None = None,
    walked: Sequence[str] = (),
    dark: bool | None = None,
    standalone: bool = True,
    style: str | None = None,
) -> str:
    """The diagram. `current`: the step to light; `walked`: the steps gone through, oldest first.

    Standalone it has its own style (`style`, else `css(dark)`). Otherwise it has none at all, only classes: for a
    page whose policy forbids inline style and which brings `diagram.css`. Its elements: `g.step[data-step]` and
    `g.edge[data-from][data-to][data-trigger]`, both with the classes `walked` and `current` as they apply.
    """
    placed = layout(graph)
    pairs = set(itertools.pairwise(walked))
    parts = list(_head(graph, placed, css(dark) if standalone and style is None else style or ""))
    for line in placed.edges:
        parts.extend(_line(line, walked=(line.edge.source, line.edge.target) in pairs))
    for node in placed.nodes:
        parts.extend(_step(node, current=node.node.id == current, walked=node.node.id in walked))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _attributes(**given: str | float | None) -> str:
    """As they stand in a tag: `data_step` becomes `data-step`, `kind` becomes `class`; None is left out."""
    names = {"kind": "class"}
    return "".join(
        f" {names.get(name, name.replace('_', '-'))}="
        f"{quoteattr(clean(value) if isinstance(value, str) else number(value))}"
        for name, value in given.items()
        if value is not None
    )


def _text(kind: str, x: float, y: float, words: str) -> str:
    return f"<text{_attributes(kind=kind or None, x=x, y=y)}>{escape(clean(words))}</text>"


def _head(graph: Graph, placed: Layout, style: str) -> Iterator[str]:
    size = f"{number(placed.width)} {number(placed.height)}"
    wide, high = number(placed.width), number(placed.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {size}" width="{wide}" height="{high}"'
        f"{_attributes(role='group', aria_label=graph.title, data_flow=graph.name)}>"
    )
    if style:
        yield f"<style>\n{style.replace('<', ' ').replace('&', ' ')}</style>"
        yield f'<rect class="canvas" width="{wide}" height="{high}"/>'


def _line(line: PlacedEdge, *, walked: bool) -> Iterator[str]:
    edge = line.edge
    kinds = ["edge", edge.kind.value, *(["back"] if edge.back else []), *(["walked"] if walked else [])]
    names = " ".join(dict.fromkeys(trigger.name for trigger in edge.triggers if trigger.name))
    yield (
        f"<g{_attributes(kind=' '.join(kinds), data_from=edge.source, data_to=edge.target, data_trigger=names)}>"
        f"<title>{escape(clean(_said(edge)))}</title>"
    )
    yield f'<path class="line" d="{line.path.data()}"/><path class="arrow" d="{_arrow(line)}"/>'
    if line.box is not None:
        box = line.box
        yield f"<rect{_attributes(kind='plate', x=box.x, y=box.y, width=box.width, height=box.height, rx=9)}/>"
        yield _text("", box.x + box.width / 2, box.y + box.height / 2 + 4, line.label)
    yield "</g>"


def _said(edge: GraphEdge) -> str:
    reasons = ", ".join(edge.words)
    return f"{edge.source} → {edge.target}{': ' if reasons else ''}{reasons}"


def _arrow(line: PlacedEdge) -> str:
    """A triangle at the end of the line, in its direction: down, or from a side."""
    x, y = line.path.end
    before = line.path.pieces[-1].handles[1] if line.path.pieces[-1].handles else _last_but_one(line)
    dx, dy = x - before[0], y - before[1]
    length = max((dx * dx + dy * dy) ** 0.5, 0.01)
    dx, dy = dx / length * _ARROW, dy / length * _ARROW
    one = (x - dx - dy * 0.5, y - dy + dx * 0.5)
    two = (x - dx + dy * 0.5, y - dy - dx * 0.5)
    return f"M{number(x)} {number(y)} L{number(one[0])} {number(one[1])} L{number(two[0])} {number(two[1])} Z"


def _last_but_one(line: PlacedEdge) -> Point:
    pieces = line.path.pieces
    return pieces[-2].end if len(pieces) > 1 else line.path.start


def _step(placed: PlacedNode, *, current: bool, walked: bool) -> Iterator[str]:
    node, box = placed.node, placed.box
    marks = {"first": node.first, "final": node.final, "walked": walked, "current": current}
    kinds = ["step", node.kind.value, *(name for name, on in marks.items() if on)]
    yield (
        f"<g{_attributes(kind=' '.join(kinds), data_step=node.id, tabindex='0', role='button', aria_label=_name(node))}"
        f"{_attributes(aria_current='step' if current else None)}><title>{escape(clean(_hint(node)))}</title>"
    )
    round_corner = 20 if node.kind is NodeKind.END else 3 if node.kind is NodeKind.DO else 9
    yield f"<rect{_attributes(kind='box', x=box.x, y=box.y, width=box.width, height=box.height, rx=round_corner)}/>"
    middle = box.y + box.height / 2
    at = f"{number(box.x + 12)} {number(middle - 9)}"
    yield f'<path class="icon" transform="translate({at})" d="{ICONS[node.kind]}"/>'
    room = box.width - _TEXT - _ROOM_RIGHT
    title_room = room - (16 if node.final else 0)
    yield _text("title", box.x + _TEXT, middle - 3, fitted(node.label, _TITLE, title_room))
    yield _text("detail", box.x + _TEXT, middle + 13, fitted(_detail(node), _DETAIL, room))
    if node.final:
        at = f"{number(box.x + box.width - 20)} {number(box.y + 8)}"
        yield f'<path class="lock" transform="translate({at})" d="{LOCK}"/>'
    yield "</g>"


def _detail(node: GraphNode) -> str:
    """`material · choice · if shipping`."""
    name = [node.id] if node.label != node.id else []
    condition = [f"if {node.condition}"] if node.condition else []
    return " · ".join([*name, node.detail or node.kind.value, *condition])


def _name(node: GraphNode) -> str:
    return f"{node.id}, {' '.join(part for part in (node.kind.value, node.detail) if part)}: {node.label}"


def _hint(node: GraphNode) -> str:
    parts = [node.id, f"{node.kind.value} {node.detail}".strip(), node.label]
    parts += [f"if {node.condition}"] if node.condition else []
    parts += ["no way back over it"] if node.final else []
    return " · ".join(dict.fromkeys(parts))
