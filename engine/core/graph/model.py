"""A flow as a diagram has it: nodes and edges, nothing about where they are drawn. Values only."""

from collections.abc import Mapping
from enum import StrEnum

from engine.core.records import record

PLAIN = frozenset({"answered", "next"})
"""Triggers that only say that a step is done: no words on a line."""


class NodeKind(StrEnum):
    """What a step does."""

    ASK = "ask"
    SHOW = "show"
    DO = "do"
    WAIT = "wait"
    CALL = "call"
    END = "end"


class EdgeKind(StrEnum):
    """Why a conversation takes an edge. `passed`: the step's `if:` or `only:` leaves it out."""

    ONWARDS = "onwards"
    TRANSITION = "transition"
    TIMEOUT = "timeout"
    FAILED = "failed"
    PASSED = "passed"


@record
class GraphNode:
    """One step."""

    id: str
    kind: NodeKind
    detail: str
    """The word after `ask:`, the action, flow or signals, the outcome; empty for a message."""
    label: str
    """The first line of its text without markup; the step's id where it has no text."""
    condition: str
    """The source of its `if:`, or the roles of its `only:`; empty: everybody comes here."""
    final: bool
    """There is no way back over it."""
    first: bool
    file: str
    line: int


@record
class Trigger:
    """One reason to take an edge. `name` empty: whatever happens, unless another edge says otherwise."""

    name: str
    condition: str = ""
    """The source of its `if:`; empty: always."""
    otherwise: bool = False
    """It is taken when no condition of the same trigger held."""
    detail: str = ""
    """When a timeout comes: `30m`, or the source of its `until:`."""

    @property
    def words(self) -> str:
        """As a label: `paid`, `if score > 3`, `timeout 30m`; empty for plainly going on."""
        name = "" if self.name in PLAIN else " ".join(part for part in (self.name, self.detail) if part)
        condition = "otherwise" if self.otherwise else f"if {self.condition}" if self.condition else ""
        return " · ".join(part for part in (name, condition) if part)


@record
class GraphEdge:
    """All ways from one step to another: one line with several labels."""

    source: str
    target: str
    kind: EdgeKind
    triggers: tuple[Trigger, ...]
    back: bool
    """It closes a loop: drawn at the side."""

    @property
    def words(self) -> tuple[str, ...]:
        """The labels, without repeats."""
        return tuple(dict.fromkeys(trigger.words for trigger in self.triggers if trigger.words))


@record
class Graph:
    """One flow. Nodes stand in the order of the file."""

    name: str
    title: str
    version: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]

    def order(self) -> Mapping[str, int]:
        """Each step's place in the file, from 0."""
        return {node.id: index for index, node in enumerate(self.nodes)}
