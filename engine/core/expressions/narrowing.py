"""What a condition proves: which names are set where it holds, and where it does not. Pure, syntactic.

A key names a value that can be asked for twice with the same result: a dotted path, an item, a filter of one.
"""

from collections.abc import Callable
from typing import Final

from engine.core.expressions.nodes import (
    Attribute,
    Both,
    Comparison,
    Constant,
    Either,
    Filtered,
    Index,
    Name,
    Node,
    Not,
    Tested,
)

Key = tuple[object, ...]
Known = frozenset[Key]
NONE: Final[Known] = frozenset()
HAS_ITEMS: Final = ("has items",)
"""Put behind a list's key: it has at least one item."""
_ENDS: Final = frozenset({"first", "last", "min", "max"})
_ALWAYS: Final = frozenset({"set", "defined"})


def key_of(node: Node) -> Key | None:
    """The key of a name, attribute, constant index or argument-less filter; None for anything else."""
    match node:
        case Name(name=name):
            return (name,)
        case Attribute(base=base, name=name):
            return _below(base, name)
        case Index(base=base, index=Constant(value=int() as index)):
            return _below(base, index)
        case Filtered(subject=subject, name=name, arguments=(), named=()):
            return _below(subject, ("|", name))
        case _:
            return None


def _below(base: Node, last: object) -> Key | None:
    key = key_of(base)
    return None if key is None else (*key, last)


def set_by(key: Key | None) -> Known:
    """A value that is set was found in something that is set."""
    return NONE if key is None else frozenset(key[:end] for end in range(1, len(key) + 1))


def end_is_there(node: Node, known: Known) -> bool:
    """Whether an item at an end of a list is known to be there, the list having been asked for."""
    match node:
        case Index(base=base, index=Constant(value=0 | -1)):
            list_key = key_of(base)
        case Filtered(subject=base, name=name) if name in _ENDS:
            list_key = key_of(base)
        case _:
            return False
    return list_key is not None and (*list_key, HAS_ITEMS) in known


def without(known: Known, *names: str) -> Known:
    """`known`, less everything about names that mean something else now."""
    return frozenset(key for key in known if key[0] not in names)


def proves(node: Node) -> tuple[Known, Known]:
    """The keys that are set where the condition holds, and where it does not."""
    match node:
        case Not(operand=operand):
            holds, fails = proves(operand)
            return fails, holds
        case Both(left=left, right=right):
            return _combined(left, right, frozenset.union, frozenset.intersection)
        case Either(left=left, right=right):
            return _combined(left, right, frozenset.intersection, frozenset.union)
        case Tested(subject=subject, name=name):
            return _tested(subject, name)
        case Comparison(first=first, rest=((operator, second),)):
            return _compared(first, operator, second)
        case _:
            return _truthy(node), NONE


def _truthy(node: Node) -> Known:
    key = key_of(node)
    return NONE if key is None else set_by(key) | {(*key, HAS_ITEMS)}


def _combined(
    left: Node, right: Node, of_holds: Callable[[Known, Known], Known], of_fails: Callable[[Known, Known], Known]
) -> tuple[Known, Known]:
    (left_holds, left_fails), (right_holds, right_fails) = proves(left), proves(right)
    return of_holds(left_holds, right_holds), of_fails(left_fails, right_fails)


def _tested(subject: Node, name: str) -> tuple[Known, Known]:
    if name in _ALWAYS:
        return set_by(key_of(subject)), NONE
    if name == "none":
        return NONE, set_by(key_of(subject))
    if name == "empty":
        return NONE, _truthy(subject)
    return NONE, NONE


def _compared(first: Node, operator: str, second: Node) -> tuple[Known, Known]:
    if isinstance(first, Constant) and first.value is None:
        first, second = second, first
    if not (isinstance(second, Constant) and second.value is None):
        counted = isinstance(first, Filtered) and first.name in {"count", "length"} and not first.arguments
        if counted and isinstance(first, Filtered) and isinstance(second, Constant):
            return _counted(first.subject, operator, second.value)
        return NONE, NONE
    known = set_by(key_of(first))
    if operator == "!=":
        return known, NONE
    return (NONE, known) if operator == "==" else (NONE, NONE)


def _counted(subject: Node, operator: str, value: object) -> tuple[Known, Known]:
    """`files | count > 0` and its relatives prove that there is an item."""
    if not isinstance(value, int) or isinstance(value, bool):
        return NONE, NONE
    there = _truthy(subject)
    above = {">": value >= 0, ">=": value >= 1, "==": value >= 1, "!=": value == 0}.get(operator, False)
    below = {"<": value == 1, "<=": value == 0, "==": value == 0}.get(operator, False)
    return (there if above else NONE), (there if below else NONE)
