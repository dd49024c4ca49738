"""What the table of filters is made of: signatures, and how a use's arguments find their parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.core.expressions.faults import Fault, nearest
from engine.core.expressions.nodes import Filtered, Node
from engine.core.types import ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterParameter:
    """One argument of a filter; `attribute` means a constant path of a field of the list's items."""

    name: str
    type: ValueType
    required: bool = False
    default: object = None
    attribute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a filter: the type it gets, of a list's items (or their attribute), and of its arguments."""

    subject: ValueType
    element: ValueType
    arguments: Mapping[str, ValueType]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSpec:
    """`accepts`: types of the subject; `elements`: types that a list's items must have; `example`: an
    expression and what it prints in English, with EUR and UTC."""

    name: str
    function: Callable[..., object]
    accepts: tuple[ValueType, ...]
    result: Callable[[Use], ValueType]
    doc: str
    example: tuple[str, str]
    parameters: tuple[FilterParameter, ...] = ()
    elements: tuple[ValueType, ...] | None = None
    takes_nothing: bool = False
    """Whether the subject may be a name that is not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSpec:
    """A test after `is`. `accepts` None: anything, also what is not set."""

    name: str
    function: Callable[[object], bool]
    accepts: tuple[ValueType, ...] | None
    doc: str
    example: tuple[str, str]


def bind(known: FilterSpec, node: Filtered) -> Mapping[str, Node] | Fault:
    """A use's arguments by the names of the filter's parameters, or what is wrong with them."""
    bound: dict[str, Node] = {}
    names = [parameter.name for parameter in known.parameters]
    for position, argument in enumerate(node.arguments):
        if position >= len(names):
            return _misused(argument, f"“{known.name}” takes at most {len(names)} arguments.")
        bound[names[position]] = argument
    for name, argument in node.named:
        if name not in names:
            return _misused(argument, f"“{known.name}” has no argument “{name}”.", nearest(name, names))
        if name in bound:
            return _misused(argument, f"“{name}” is given twice.")
        bound[name] = argument
    for parameter in known.parameters:
        if parameter.required and parameter.name not in bound:
            fault_at = f"“{known.name}” needs “{parameter.name}”."
            return Fault(
                offset=node.name_start,
                length=len(node.name),
                kind="type",
                message=fault_at,
                expected=f"for example: {known.example[0]}",
            )
    return bound


def _misused(argument: Node, message: str, suggestion: str | None = None) -> Fault:
    return Fault(
        offset=argument.start,
        length=argument.end - argument.start,
        kind="type",
        message=message,
        suggestion=suggestion,
    )
