"""An example for every argument of a plugin, made from its name and type, as a product owner would write it.

Decides nothing: what is allowed there stands in `schema_catalog`.
"""

from collections.abc import Sequence
from typing import Any

from engine.actions.catalog import Parameter, Written
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
)


def examples_of(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The arguments that are needed, or all when none is."""
    shown = [one for one in parameters if one.required] or list(parameters)
    return {one.name: example_of(one.name, one.type, one.written) for one in shown}


def example_of(name: str, kind: ValueType, written: Written) -> Any:
    """What may stand behind `name:`. An expression reads the answer that is called so; the rest are constants."""
    match kind:
        case OptionalType(inner=inner):
            return example_of(name, inner, written)
        case TextType(choices=frozenset() as choices):
            return min(choices)
        case RecordType(fields=fields) if written is not Written.EXPRESSION:
            return {field: example_of(field, inner, written) for field, inner in fields.items()}
        case ListType(item=item) if written is not Written.EXPRESSION:
            return [example_of(name, item, written)]
        case AnyType() if written is Written.TEMPLATE:
            return {"name": "{{ name }}"}
    if written is Written.TEMPLATE:
        return f"{{{{ {name} }}}}"
    return name if written is Written.EXPRESSION else _constant(kind)


def _constant(kind: ValueType) -> Any:
    """A value of the type as it is written in YAML; what is no number, day or the like is a text."""
    match kind:
        case IntegerType():
            return 5
        case DecimalType():
            return 2.5
        case BooleanType():
            return True
        case MoneyType():
            return "12.50 EUR"
        case DateType():
            return "2030-12-31"
        case DateTimeType():
            return "2030-12-31T18:00:00+00:00"
        case DurationType():
            return "30m"
        case NothingType():
            return None
        case _:
            return "abc"
