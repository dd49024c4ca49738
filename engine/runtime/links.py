"""The rest of a deep link's payload as an argument of the flow's declared type. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.core.program import Program
from engine.core.types import AnyType, DecimalType, IntegerType, OptionalType, TextType, ValueType
from engine.core.values import Value

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
"""Written out and bounded: no exponents, no signs in a row, no digits that only Python reads."""


class BadPayloadError(ValueError):
    """The payload is no value of the argument's type."""


def argument_of(program: Program, argument: str | None, rest: str) -> Mapping[str, Value]:
    """The flow's arguments from what stands behind `NAME_` in the link. Raises BadPayloadError."""
    if argument is None or not rest:
        return {}
    declared = next((name for name in program.flow.arguments if name.name == argument), None)
    return {argument: rest if declared is None else _typed(declared.type, rest)}


def _typed(kind: ValueType, text: str) -> Value:
    match kind:
        case OptionalType(inner=inner):
            return _typed(inner, text)
        case TextType(choices=choices) if choices is None or text in choices:
            return text
        case IntegerType() if _INTEGER.fullmatch(text):
            return int(text)
        case DecimalType() if _DECIMAL.fullmatch(text):
            return Decimal(text)
        case AnyType():
            return text
    raise BadPayloadError("not a value of the argument's type")
