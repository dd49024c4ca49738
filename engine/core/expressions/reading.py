"""What a parsed expression or text is, and what it reads: the value that the other modules work on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from engine.core.expressions.nodes import (
    Attribute,
    Branches,
    Filtered,
    Loop,
    Name,
    Node,
    Piece,
    Print,
    Tested,
    Words,
    operands,
)

Dotted = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A source that has been read. `expression` is set for expressions, `pieces` for templates."""

    source: str
    expression: Node | None
    pieces: tuple[Piece, ...]
    paths: frozenset[Dotted] = frozenset()
    """Dotted paths of the names it reads: `contact.email` is ("contact", "email"). Names of its own loops are
    followed to what they walk over."""
    filters: frozenset[str] = frozenset()
    """Names of the filters and tests it uses."""

    @property
    def constant(self) -> bool:
        """Whether it gives the same value for everybody, always; of a template: whether the source is the text."""
        if self.expression is not None:
            return not self.paths and not self.filters
        return "".join(piece.text if isinstance(piece, Words) else "{{" for piece in self.pieces) == self.source

    @property
    def single(self) -> bool:
        """Whether it is a template of exactly one `{{ … }}` and nothing else."""
        return len(self.pieces) == 1 and isinstance(self.pieces[0], Print)


class Reads(TypedDict):
    """The fields of Parsed that `reads` works out."""

    paths: frozenset[Dotted]
    filters: frozenset[str]


def reads(*parts: Node | Piece) -> Reads:
    """All dotted paths and filters of some nodes."""
    collector = _Collector()
    for part in parts:
        collector.part(part, {})
    return Reads(paths=frozenset(collector.paths), filters=frozenset(collector.filters))


class _Collector:
    def __init__(self) -> None:
        self.paths: set[Dotted] = set()
        self.filters: set[str] = set()

    def part(self, part: Node | Piece, loops: dict[str, Dotted | None]) -> None:
        match part:
            case Words():
                return
            case Print(value=value):
                self.node(value, loops)
            case Branches(branches=branches, otherwise=otherwise):
                for test, body in branches:
                    self.node(test, loops)
                    self.all(body, loops)
                self.all(otherwise, loops)
            case Loop():
                self.node(part.items, loops)
                self.all(part.body, {**loops, part.name: dotted(part.items, loops), "loop": None})
                self.all(part.otherwise, loops)
            case _:
                self.node(part, loops)

    def all(self, pieces: Iterable[Piece], loops: dict[str, Dotted | None]) -> None:
        for piece in pieces:
            self.part(piece, loops)

    def node(self, node: Node, loops: dict[str, Dotted | None]) -> None:
        if isinstance(node, Filtered | Tested):
            self.filters.add(node.name)
        path = dotted(node, loops)
        if path is not None:
            self.paths.add(path)
            return
        for operand in operands(node):
            self.node(operand, loops)


def dotted(node: Node, loops: dict[str, Dotted | None]) -> Dotted | None:
    """`a.b` as ("a", "b"), a loop's name as what the loop walks over; None for anything else."""
    match node:
        case Name(name=name):
            return loops.get(name, (name,))
        case Attribute(base=base, name=name):
            path = dotted(base, loops)
            return None if path is None else (*path, name)
        case _:
            return None
