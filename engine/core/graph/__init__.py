"""The diagram of a flow: Program → Graph → Mermaid or SVG. Pure; the edges are the machine's own."""

from engine.core.graph.building import graph_of
from engine.core.graph.layout import Layout, layout
from engine.core.graph.mermaid import mermaid
from engine.core.graph.model import EdgeKind, Graph, GraphEdge, GraphNode, NodeKind, Trigger
from engine.core.graph.style import css, flat_css
from engine.core.graph.svg import svg

__all__ = [
    "EdgeKind",
    "Graph",
    "GraphEdge",
    "GraphNode",
    "Layout",
    "NodeKind",
    "Trigger",
    "css",
    "flat_css",
    "graph_of",
    "layout",
    "mermaid",
    "svg",
]
