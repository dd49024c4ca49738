"""Types of names where paths meet, and the records that dotted names make up. Nothing is checked here."""

from collections.abc import Mapping
from functools import reduce

from engine.core.model import Path
from engine.core.types import (
    ANY,
    AnyType,
    DecimalType,
    IntegerType,
    ListType,
    NothingType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
    fits,
    optional,
)

Names = Mapping[Path, ValueType]
"""What is known at one place of a flow: type per path; OptionalType where not every way sets it."""


def join(first: ValueType, second: ValueType) -> ValueType:
    """The narrowest type that both fit; `AnyType` when they have nothing in common."""
    match first, second:
        case _ if first == second:
            return first
        case (AnyType(), _) | (_, AnyType()):
            return ANY
        case (NothingType(), other) | (other, NothingType()):
            return optional(other)
        case (OptionalType(inner=inner), other) | (other, OptionalType(inner=inner)):
            return optional(join(inner, other.inner if isinstance(other, OptionalType) else other))
        case TextType(choices=one), TextType(choices=two):
            return TextType(choices=one | two if one is not None and two is not None else None)
        case (IntegerType() | DecimalType(), IntegerType() | DecimalType()):
            return DecimalType()
        case ListType(item=one), ListType(item=two):
            return ListType(item=join(one, two))
        case RecordType(), RecordType():
            return _join_records(first, second)
        case _:
            return ANY


def _join_records(first: RecordType, second: RecordType) -> RecordType:
    fields = dict(first.fields)
    for name in first.fields:
        if name not in second.fields:
            fields[name] = optional(first.fields[name])
    for name, kind in second.fields.items():
        fields[name] = join(first.fields[name], kind) if name in first.fields else optional(kind)
    return RecordType(name=first.name, fields=fields)


def join_all(kinds: list[ValueType]) -> ValueType | None:
    """The join of all; None for an empty list."""
    return reduce(join, kinds) if kinds else None


def alike(first: ValueType, second: ValueType) -> bool:
    """Whether values of both types may stand under one name: unlike are text and number, record and list."""
    one, two = bare(first), bare(second)
    if isinstance(one, TextType) and isinstance(two, TextType):
        return True
    if isinstance(one, RecordType) and isinstance(two, RecordType):
        return all(alike(kind, two.fields[name]) for name, kind in one.fields.items() if name in two.fields)
    if isinstance(one, ListType) and isinstance(two, ListType):
        return alike(one.item, two.item)
    return fits(one, two) or fits(two, one)


def bare(kind: ValueType) -> ValueType:
    """The type without its “or nothing”."""
    return kind.inner if isinstance(kind, OptionalType) else kind


def join_names(first: Mapping[str, ValueType], second: Mapping[str, ValueType]) -> dict[str, ValueType]:
    """The join name by name; a name that only one side has is optional."""
    joined: dict[str, ValueType] = {}
    for name in {**first, **second}:
        one, two = first.get(name), second.get(name)
        joined[name] = join(one, two) if one and two else optional(one or two or ANY)
    return joined


def merge(first: Names, second: Names) -> dict[Path, ValueType]:
    """What is known where two ways meet."""
    merged: dict[Path, ValueType] = {}
    for path in {**first, **second}:
        one, two = first.get(path), second.get(path)
        merged[path] = join(one, two) if one and two else optional(one or two or ANY)
    return merged


def assign(names: Names, path: Path, kind: ValueType) -> dict[Path, ValueType]:
    """`names` after `path` was set; what stood below it is gone."""
    kept = {other: known for other, known in names.items() if other[: len(path)] != path}
    kept[path] = kind
    return kept


def records(names: Names) -> dict[str, ValueType]:
    """Root name → type; dotted paths become the fields of a record.

    A root that only has dotted paths is always a record: reading a field that nothing has set gives nothing.
    """
    roots: dict[str, ValueType] = {}
    for path in sorted(names, key=len):
        roots[path[0]] = _put(roots.get(path[0]), path[0], path[1:], names[path])
    return roots


def _put(present: ValueType | None, name: str, rest: Path, kind: ValueType) -> ValueType:
    if not rest:
        return kind
    if isinstance(present, AnyType):
        return present
    inner = bare(present) if present is not None else None
    fields: dict[str, ValueType] = {}
    if isinstance(inner, RecordType):
        weak = isinstance(present, OptionalType)
        fields = {field: optional(known) if weak else known for field, known in inner.fields.items()}
    fields[rest[0]] = _put(fields.get(rest[0]), rest[0], rest[1:], kind)
    return RecordType(name=name, fields=fields)
