"""The rest of a deep link's payload as an argument of the flow's declared type. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from engine.core.program import Program
from engine.core.types import AnyType, DecimalType, IntegerType, OptionalType, TextType, ValueType
from engine.core.values import Value


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
        case IntegerType() if text.isascii() and text.lstrip("-").isdigit():
            return int(text)
        case DecimalType():
            try:
                number = Decimal(text)
            except InvalidOperation:
                raise BadPayloadError("not a number") from None
            if not number.is_finite():
                raise BadPayloadError("not a number")
            return number
        case AnyType():
            return text
    raise BadPayloadError("not a value of the argument's type")
