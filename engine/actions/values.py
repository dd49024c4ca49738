"""Values across the door: plain data to what a function annotates, and its result back to plain data.

Pure.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, get_args, get_origin

from engine.actions.annotations import alternatives, bare, field_hints, has_default
from engine.actions.errors import BadArgument, BadResult
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
from engine.core.values import Money, Unset

_ATOMS: Mapping[type, tuple[type, ...]] = {
    IntegerType: (int,),
    DecimalType: (Decimal, int, float),
    BooleanType: (bool,),
    MoneyType: (Money,),
    DurationType: (timedelta,),
}


def nothing(value: object) -> bool:
    """Whether there is no value: None, or never set."""
    return value is None or isinstance(value, Unset)


def mismatch(value: object, kind: ValueType, where: str) -> str | None:
    """Why `value` is not of `kind`, as a sentence that starts with `where`; None when it is."""
    match kind:
        case AnyType():
            return None
        case OptionalType(inner=inner):
            return None if nothing(value) else mismatch(value, inner, where)
        case ListType(item=item) if isinstance(value, list | tuple):
            found = (mismatch(each, item, f"{where}[{at}]") for at, each in enumerate(value))
            return next((sentence for sentence in found if sentence), None)
        case RecordType() if isinstance(value, Mapping):
            return _record_mismatch(value, kind, where)
        case _ if _atom_fits(value, kind):
            return None
        case _:
            given = "nothing" if nothing(value) else f"a {type(value).__name__}"
            return f"{where} must be {describe(kind)}, not {given}"


def _record_mismatch(value: Mapping[Any, object], kind: RecordType, where: str) -> str | None:
    found = (mismatch(value.get(name), field, f"{where}.{name}") for name, field in kind.fields.items())
    return next((sentence for sentence in found if sentence), None)


def _atom_fits(value: object, kind: ValueType) -> bool:
    match kind:
        case TextType(choices=choices):
            return isinstance(value, str) and (choices is None or value in choices)
        case DateTimeType():
            return isinstance(value, datetime) and value.tzinfo is not None
        case DateType():
            return isinstance(value, date) and not isinstance(value, datetime)
        case NothingType():
            return nothing(value)
        case BooleanType():
            return isinstance(value, bool)
        case _:
            return isinstance(value, _ATOMS.get(type(kind), ())) and not isinstance(value, bool)


# --- in --------------------------------------------------------------------------------------------------


def to_python(value: object, annotation: object) -> Any:
    """`value` as `annotation` has it: mappings become dataclasses, text an Enum, a number a Decimal.

    The value is expected to fit (see `mismatch`); raises BadArgument when a class refuses it.
    """
    if nothing(value):
        return None
    try:
        target, origin, items = _meant(annotation)
    except TypeError:  # something in `Annotated[…]` that cannot be a key
        target, origin, items = _meant.__wrapped__(annotation)
    if origin is None and isinstance(target, type):
        return _to_class(value, target)
    if origin in (list, Sequence) and isinstance(value, list | tuple):
        return [to_python(item, items[0]) for item in value]
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(to_python(item, items[0]) for item in value)
    return dict(value) if origin is dict and isinstance(value, Mapping) else value


@lru_cache(maxsize=1024)
def _meant(annotation: object) -> tuple[Any, Any, tuple[Any, ...]]:
    """The type that is not None in an annotation, its origin and its arguments: asking `typing` for them costs more
    than the conversion itself."""
    parts = [part for part in alternatives(annotation) if part is not type(None)]
    target = bare(parts[0])
    return target, get_origin(target), get_args(target)


def _to_class(value: object, target: type) -> object:
    if target is Decimal and not isinstance(value, Decimal):
        return Decimal(str(value))
    if issubclass(target, Enum):
        return target(value)
    if target is dict and isinstance(value, Mapping):
        return dict(value)
    if dataclasses.is_dataclass(target) and isinstance(value, Mapping):
        return _build(value, target)
    return value


@lru_cache(maxsize=1024)
def _fields(target: type) -> tuple[tuple[str, object, bool], ...]:
    hints = field_hints(target)
    return tuple((item.name, hints[item.name], has_default(item)) for item in dataclasses.fields(target) if item.init)


def _build(value: Mapping[Any, object], target: type) -> object:
    given: dict[str, object] = {}
    for name, hint, optional in _fields(target):
        if nothing(value.get(name)) and optional:
            continue
        given[name] = to_python(value.get(name), hint)
    try:
        return target(**given)
    except (TypeError, ValueError) as error:
        raise BadArgument(f"{target.__name__}: {error}") from error


# --- out -------------------------------------------------------------------------------------------------


def to_data(value: object) -> Any:
    """A function's result as plain data: dataclasses become dicts, lists tuples, Enums texts.

    Raises BadResult for anything a conversation cannot keep.
    """
    match value:
        case None | bool() | int() | Decimal() | Money() | date() | timedelta():
            return value
        case Enum():
            return value.value
        case str():
            return str(value)
        case float():
            return Decimal(str(value))
        case list() | tuple():
            return tuple(to_data(item) for item in value)
        case Mapping():
            return {_key(name): to_data(item) for name, item in value.items()}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {item.name: to_data(getattr(value, item.name)) for item in dataclasses.fields(value)}
        case _:
            raise BadResult(f"a {type(value).__name__} cannot be kept in a conversation; return plain values")


def _key(name: object) -> str:
    if isinstance(name, str):
        return name
    raise BadResult(f"the key {name!r} of a dict must be text")
