"""Graph → Mermaid's flowchart, for pages that draw it themselves. Everything put in is escaped. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from engine.core.graph.model import EdgeKind, Graph, GraphEdge, GraphNode, NodeKind
from engine.core.graph.words import clean

_SHAPES: Final[Mapping[NodeKind, tuple[str, str]]] = {
    NodeKind.ASK: ("[", "]"),
    NodeKind.SHOW: ("(", ")"),
    NodeKind.DO: ("[[", "]]"),
    NodeKind.WAIT: ("{{", "}}"),
    NodeKind.CALL: ("[/", "/]"),
    NodeKind.END: ("([", "])"),
}
_DASHED: Final = (EdgeKind.TIMEOUT, EdgeKind.FAILED, EdgeKind.PASSED)
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MARKUP: Final = frozenset("\"'#&<>`[]{}()|\\\\*~;%$")
_LISTED: Final = re.compile(r"(?<=\d)[.)]|^[-+](?= )|://|@")
_LONGEST: Final = 60


def mermaid(graph: Graph, *, current: str | None = None) -> str:
    """The diagram as `flowchart TD`. `current`: the step to light."""
    ids = {node.id: _id(node.id, index) for index, node in enumerate(graph.nodes)}
    lines = ["flowchart TD", *(f"    {_step(node, ids)}" for node in graph.nodes)]
    lines += [f"    {line}" for edge in graph.edges for line in _line(edge, ids)]
    if current in ids:
        lines += ["    classDef current stroke:#e8590c,stroke-width:4px", f"    class {ids[current]} current"]
    return "\n".join(lines) + "\n"


def _id(step: str, index: int) -> str:
    """Never a word of Mermaid's own, such as `end`."""
    return f"s_{step}" if _PLAIN.fullmatch(step) else f"s{index}"


def _step(node: GraphNode, ids: Mapping[str, str]) -> str:
    opening, closing = _SHAPES[node.kind]
    words = node.label if len(node.label) <= _LONGEST else f"{node.label[: _LONGEST - 1].rstrip()}…"
    named = [] if words == node.id else [node.id]
    about = " · ".join(dict.fromkeys([*named, node.detail or node.kind.value]))
    text = quoted(words) if words == about else f"{quoted(words)}<br/><small>{quoted(about)}</small>"
    return f'{ids[node.id]}{opening}"{text}"{closing}'


def _line(edge: GraphEdge, ids: Mapping[str, str]) -> Iterator[str]:
    arrow = "-.->" if edge.kind in _DASHED else "-->"
    words = "<br/>".join(quoted(word[:_LONGEST]) for word in edge.words)
    label = f'|"{words}"|' if words else ""
    yield f"{ids[edge.source]} {arrow}{label} {ids[edge.target]}"


def quoted(text: str) -> str:
    """Text for a label in quotes: whatever means something to Mermaid or HTML becomes `#code;`."""
    plain = clean(text)
    marked = {found.start() for found in _LISTED.finditer(plain)}
    return "".join(f"#{ord(char)};" if char in _MARKUP or index in marked else char for index, char in enumerate(plain))
