"""What a flow that begins beside is given: of the values sent those that it has arguments for. Pure."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from engine.core.program import Program
from engine.core.records import record
from engine.core.types import (
    AnyType,
    BooleanType,
    DateTimeType,
    DateType,
    DecimalType,
    DurationType,
    IntegerType,
    ListType,
    MoneyType,
    NothingType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
    describe,
)
from engine.core.values import Money, Unset, Value
from engine.runtime.library import Library


@record
class Unfit:
    """The flow cannot begin with this. `reason`: one sentence for the log, without the values."""

    reason: str


def fitting(library: Library, flow: str, sent: Mapping[str, Value]) -> Mapping[str, Value] | Unfit:
    """The arguments of a flow out of what was sent: what it does not declare is left out."""
    program = library.programs.get(flow)
    if program is None:
        return Unfit(reason=f"there is no flow {flow}")
    found: dict[str, Value] = {}
    for declared in program.flow.arguments:
        value = sent.get(declared.name)
        if value is None or isinstance(value, Unset):
            if _needed(program, declared.name, declared.type):
                return Unfit(reason=f"the flow {flow} needs the argument {declared.name}, and nothing was sent for it")
        elif not is_of(value, declared.type):
            wanted = describe(declared.type)
            return Unfit(
                reason=f"the argument {declared.name} of the flow {flow} is {wanted}, and something else was sent"
            )
        else:
            found[declared.name] = value
    return found


def _needed(program: Program, name: str, kind: ValueType) -> bool:
    initial = next(declared.initial for declared in program.flow.arguments if declared.name == name)
    return initial is None and not isinstance(kind, OptionalType | AnyType | NothingType)


_PLAIN: Final[Mapping[type, Callable[[Value], bool]]] = {
    IntegerType: lambda value: isinstance(value, int) and not isinstance(value, bool),
    DecimalType: lambda value: isinstance(value, int | Decimal) and not isinstance(value, bool),
    BooleanType: lambda value: isinstance(value, bool),
    MoneyType: lambda value: isinstance(value, Money),
    DateType: lambda value: isinstance(value, date) and not isinstance(value, datetime),
    DateTimeType: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    DurationType: lambda value: isinstance(value, timedelta),
    AnyType: lambda _: True,
    NothingType: lambda value: value is None,
}


def is_of(value: Value, kind: ValueType) -> bool:
    """Whether a value is of a type; never coerces."""
    match kind:
        case TextType(choices=choices):
            return isinstance(value, str) and (choices is None or value in choices)
        case OptionalType(inner=inner):
            return value is None or is_of(value, inner)
        case ListType(item=item):
            return isinstance(value, list | tuple) and all(is_of(one, item) for one in value)
        case RecordType(fields=fields):
            return isinstance(value, Mapping) and all(is_of(value.get(name), inner) for name, inner in fields.items())
        case _:
            return _PLAIN[type(kind)](value)
