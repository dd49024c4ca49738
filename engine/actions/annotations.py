"""Python annotations to types of the language. What has no such type is refused with a sentence.

Never looks at values: that is `engine.actions.values`.
"""

import dataclasses
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from engine.actions.marks import File, Location
from engine.core import types as language
from engine.core.types import ListType, OptionalType, RecordType, TextType, ValueType
from engine.core.values import Money

_SIMPLE: Mapping[object, ValueType] = {
    str: language.TEXT, int: language.INTEGER, Decimal: language.DECIMAL, bool: language.BOOLEAN,
    date: language.DATE, datetime: language.DATETIME, timedelta: language.DURATION,
    Money: language.MONEY, File: language.FILE, Location: language.LOCATION,
    Any: language.ANY, object: language.ANY, dict: language.ANY, type(None): language.NOTHING,
}  # fmt: skip
_LISTS = (list, tuple, Sequence)


class Untypable(TypeError):  # noqa: N818 - says what happened
    """An annotation that the language has no type for; the message says what to write instead."""


def bare(annotation: object) -> object:
    """The annotation without its `Annotated` marks."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def marks(annotation: object) -> tuple[object, ...]:
    """All `Annotated` marks, those on a dict's values or under `| None` included."""
    found: list[object] = []
    if get_origin(annotation) is Annotated:
        found.extend(get_args(annotation)[1:])
        annotation = bare(annotation)
    if get_origin(annotation) in (dict, Mapping, Union, types.UnionType, *_LISTS):
        for part in get_args(annotation):
            found.extend(marks(part))
    return tuple(found)


def alternatives(annotation: object) -> tuple[object, ...]:
    """The members of a union; of anything else, itself."""
    annotation = bare(annotation)
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def value_type(annotation: object, *, incoming: bool) -> ValueType:
    """The type of the language for an annotation.

    `incoming`: for arguments, where a field with a default may be left out and so is optional. Raises
    Untypable.
    """
    annotation = bare(annotation)
    try:
        simple = _SIMPLE.get(annotation)
    except TypeError:  # an unhashable annotation
        simple = None
    if simple is not None:
        return simple
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return _class_type(annotation, incoming=incoming)
    return _generic_type(annotation, incoming=incoming)


def _class_type(annotation: type, *, incoming: bool) -> ValueType:
    if dataclasses.is_dataclass(annotation):
        return record_type(annotation, incoming=incoming)
    if issubclass(annotation, Enum):
        values = [member.value for member in annotation]
        if not all(isinstance(value, str) for value in values):
            raise Untypable(f"give {annotation.__name__} text values only, for example with StrEnum")
        return TextType(choices=frozenset(values))
    if annotation is float:
        raise Untypable("use Decimal instead of float: float loses cents")
    raise Untypable(
        f"{annotation.__name__} is no type of the language; use str, int, Decimal, bool, date, datetime, "
        "timedelta, Money, File, Location, Literal, a list, or a frozen dataclass"
    )


def _generic_type(annotation: object, *, incoming: bool) -> ValueType:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        if not all(isinstance(part, str) for part in parts):
            raise Untypable("use only texts in Literal[…]")
        return TextType(choices=frozenset(parts))
    if origin in (dict, Mapping):
        return language.ANY
    if origin in _LISTS:
        items = [part for part in parts if part is not Ellipsis]
        if len(items) != 1:
            raise Untypable("a list has one kind of item: write tuple[str, ...] or list[str]")
        return ListType(item=value_type(items[0], incoming=incoming))
    if origin in (Union, types.UnionType):
        inner = [part for part in parts if part is not type(None)]
        if len(inner) == 1:
            return OptionalType(inner=value_type(inner[0], incoming=incoming))
        raise Untypable("of unions only `X | None` can be an argument or a field")
    raise Untypable(f"{annotation!r} is no type of the language")


def field_hints(record: type) -> Mapping[str, object]:
    """Annotations of a dataclass's fields, marks included. Raises Untypable when one cannot be resolved."""
    try:
        return get_type_hints(record, include_extras=True)
    except NameError as error:
        raise Untypable(f"{record.__name__}: {error}; define the class at the module's top level") from error


def record_type(record: type, *, incoming: bool) -> RecordType:
    """The record of a frozen dataclass. Raises Untypable when it is not frozen or a field has no type."""
    if not record.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise Untypable(f"make {record.__name__} a frozen dataclass: @dataclass(frozen=True)")
    hints = field_hints(record)
    fields: dict[str, ValueType] = {}
    for item in dataclasses.fields(record):
        try:
            kind = value_type(hints[item.name], incoming=incoming)
        except Untypable as error:
            raise Untypable(f"{record.__name__}.{item.name}: {error}") from None
        fields[item.name] = language.optional(kind) if incoming and has_default(item) else kind
    return RecordType(name=record.__name__, fields=fields)


def has_default(item: "dataclasses.Field[Any]") -> bool:
    """Whether a dataclass field may be left out."""
    return item.default is not dataclasses.MISSING or item.default_factory is not dataclasses.MISSING
