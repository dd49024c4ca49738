"""JSON from outside as the values that a function annotates, and its outcome as JSON. Pure.

Every fault of a sender is a BadArgument that names the field.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from engine.actions.catalog import WebhookSignature
from engine.actions.context import WebhookContext
from engine.actions.errors import BadArgument, BadResult
from engine.actions.signatures import outcome_name, outcomes, shape
from engine.actions.values import mismatch, nothing, to_data, to_python
from engine.core.types import (
    DateTimeType,
    DateType,
    DecimalType,
    DurationType,
    ListType,
    MoneyType,
    OptionalType,
    RecordType,
    ValueType,
    describe,
)
from engine.core.values import Money, Value, major, money

_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_MOST_SECONDS: Final = 10**9


def arguments_of(signature: WebhookSignature, given: Mapping[str, object]) -> dict[str, object]:
    """What the function is called with, out of the object of the body. Fields that it has no parameter for are left
    alone: a sender may say more than is asked. Raises BadArgument."""
    read = shape(signature.function)
    named: dict[str, object] = {}
    for parameter in signature.parameters:
        value, where = given.get(parameter.name), f"“{parameter.name}”"
        optional = isinstance(parameter.type, OptionalType)
        if value is None and parameter.required and not optional:
            raise BadArgument(f"{where} is missing: it must be {describe(parameter.type)}")
        if value is None and not (optional and parameter.name in given):
            if parameter.required:
                named[read.names[parameter.name]] = None
            continue
        fitting = from_json(value, parameter.type, where)
        named[read.names[parameter.name]] = to_python(fitting, read.hints[parameter.name])
    return named


async def answer(
    signature: WebhookSignature, context: WebhookContext, arguments: Mapping[str, object]
) -> tuple[str, dict[str, Value]]:
    """Call a webhook: the outcome's name and its fields. Raises BadResult, and whatever the function raises."""
    result = await signature.function(context, **arguments)
    name = outcome_name(type(result))
    declared = outcomes(signature.function).get(name)
    if declared is None or type(result) is not declared[0]:
        promised = ", ".join(sorted(signature.outcomes))
        raise BadResult(f"{signature.name} returned a {type(result).__name__}; it promises {promised}")
    data = to_data(result)
    wrong = mismatch(data, signature.outcomes[name], f"{signature.name}: {name}")
    if wrong:
        raise BadResult(wrong)
    return name, data


def from_json(value: object, kind: ValueType, where: str) -> Value:
    """What a piece of JSON means as a value of `kind`. Raises BadArgument."""
    match kind:
        case OptionalType(inner=inner):
            return None if value is None else from_json(value, inner, where)
        case ListType(item=item) if isinstance(value, list):
            return tuple(from_json(each, item, f"{where}[{at}]") for at, each in enumerate(value))
        case RecordType(fields=fields) if isinstance(value, dict):
            return {name: from_json(value.get(name), field, f"{where}.{name}") for name, field in fields.items()}
        case _:
            read = _atom(value, kind)
            wrong = mismatch(read, kind, where)
            if wrong:
                raise BadArgument(wrong)
            return read


def _atom(value: object, kind: ValueType) -> object:
    """A value with a form of its own in JSON; anything else, and what does not fit, as it is."""
    try:
        match kind:
            case DecimalType() if isinstance(value, str) and _NUMBER.fullmatch(value):
                return Decimal(value)
            case DateTimeType() if isinstance(value, str):
                read = datetime.fromisoformat(value)
                return read.astimezone(UTC) if read.tzinfo else value
            case DateType() if isinstance(value, str):
                return date.fromisoformat(value)
            case DurationType() if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return timedelta(seconds=float(value)) if -_MOST_SECONDS <= value <= _MOST_SECONDS else value
            case MoneyType():
                return _money(value)
            case _:
                return value
    except (ValueError, OverflowError, InvalidOperation):
        return value


def _money(value: object) -> object:
    match value:
        case str():
            amount, _, asset = value.partition(" ")
        case {"amount": str() | int() | Decimal() as given, "currency": str() as asset}:
            amount = f"{given:f}" if isinstance(given, Decimal) else str(given)
        case _:
            return value
    known = _NUMBER.fullmatch(amount) and re.fullmatch(r"[A-Z]{3,5}", asset)
    return money(Decimal(amount), asset) if known else value


def to_json(value: object) -> Any:
    """A value as JSON can hold it: numbers with places, money and moments as texts, a duration in seconds."""
    match value:
        case Money():
            return f"{major(value):f} {value.asset}"
        case Decimal():
            return f"{value:f}"
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {str(name): to_json(item) for name, item in value.items()}
        case Sequence() if not isinstance(value, str):
            return [to_json(item) for item in value]
        case _ if nothing(value):
            return None
        case _:
            return value
