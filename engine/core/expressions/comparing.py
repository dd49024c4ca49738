"""Faults of comparisons: unlike types, choices that do not exist, things that have no order. Types only."""

from typing import Final, Protocol

from engine.core.expressions import combining
from engine.core.expressions.faults import nearest
from engine.core.expressions.nodes import Node
from engine.core.types import TEXT, AnyType, ListType, TextType, ValueType, describe, fits

_ORDERING: Final = frozenset({"<", "<=", ">", ">="})


class Report(Protocol):
    """Takes note of a fault at a node."""

    def __call__(
        self, node: Node, kind: str, message: str, expected: str | None = None, suggestion: str | None = None
    ) -> None: ...


def check_pair(report: Report, node: Node, operator: str, left: ValueType, right: ValueType) -> None:
    """`left operator right`, where both are set."""
    if operator not in _ORDERING:
        if not combining.alike(left, right):
            _unlike(report, node, left, right)
    elif not combining.ordered(left, right):
        message = f"Of {combining.plainly(left)} and {combining.plainly(right)} none is larger."
        report(node, "comparison", message, "two values of one kind")


def check_membership(report: Report, item: Node, kind: ValueType, container: Node, whole: ValueType) -> None:
    """`item in container`, where both are set."""
    match whole:
        case AnyType():
            pass
        case ListType(item=member):
            if not combining.alike(kind, combining.bare(member)):
                _unlike(report, item, kind, combining.bare(member))
        case TextType():
            if not fits(combining.widened(kind), TEXT):
                report(item, "comparison", f"{combining.in_words(kind)} is never part of a text.", "a text")
        case _:
            report(container, "type", f"Nothing can be “in” {describe(whole)}.", "a list or a text")


def _unlike(report: Report, node: Node, left: ValueType, right: ValueType) -> None:
    if isinstance(left, TextType) and isinstance(right, TextType):
        few, many = sorted((left.choices or frozenset(), right.choices or frozenset()), key=len)
        wrong = ", ".join(f"“{choice}”" for choice in sorted(few)[:3])
        expected = describe(TextType(choices=many))
        suggestion = nearest(next(iter(few)), many) if len(few) == 1 else None
        report(node, "comparison", f"This text is never {wrong}.", expected, suggestion)
        return
    message = f"{combining.in_words(left)} and {combining.plainly(right)} are never equal."
    report(node, "comparison", message, "two values of one kind")
