"""What a plugin's class of settings holds, as values: bot.yaml is read by it, the schema and the guide are made of it.

Reads annotations and docstrings only; knows no file.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Literal, get_args, get_origin

from engine.actions.annotations import Untypable, alternatives, bare, field_hints, has_default, marks
from engine.actions.docstrings import summary
from engine.actions.errors import SignatureError
from engine.core.values import Money


@dataclasses.dataclass(frozen=True, slots=True)
class VariableMark:
    """The setting is the NAME of an environment variable, never what it holds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """`str`, `int`, `Decimal`, `bool`, `timedelta` or `Money`."""

    kind: type[Any]
    variable: bool = False
    """A text that is the name of an environment variable."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of these constants; `kind`: the StrEnum that they belong to, if any."""

    choices: tuple[str | int, ...]
    kind: type[StrEnum] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Keys and values: another frozen dataclass. Its fields by `fields_of`."""

    kind: type[Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A list; as a tuple when the annotation says so."""

    item: "Kind"
    as_tuple: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Values under names that the file's author chooses."""

    item: "Kind"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Maybe:
    """The value, or nothing."""

    inner: "Kind"


Kind = OneOf | Choice | Record | Many | Named | Maybe


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field."""

    name: str
    """As bot.yaml has it: without the “_” at the end."""
    field: str
    kind: Kind
    required: bool
    default: object
    """None also where a function makes it."""
    owner: Any
    """The class that the field is of."""

    @property
    def doc(self) -> str:
        """The docstring below the field. Sources are read only when it is asked for: that is slow."""
        return field_docs(self.owner).get(self.field, "")


_SIMPLE: Final = (str, int, Decimal, bool, timedelta, Money)


def fields_of(kind: Any) -> Mapping[str, Setting]:
    """The fields of a class of settings, by their names in bot.yaml. Raises SignatureError."""
    return _fields(kind)


@lru_cache(maxsize=256)
def _fields(kind: Any) -> Mapping[str, Setting]:
    try:
        hints = field_hints(kind)
    except Untypable as error:
        raise SignatureError(f"{kind.__module__}.{error}") from error
    found: dict[str, Setting] = {}
    for item in dataclasses.fields(kind):
        if not item.init:
            continue
        name = item.name.removesuffix("_")
        try:
            read = kind_of(hints[item.name])
        except Untypable as error:
            raise SignatureError(f"{kind.__module__}.{kind.__qualname__}.{item.name}: {error}") from error
        found[name] = Setting(
            name=name,
            field=item.name,
            kind=read,
            required=not has_default(item),
            default=None if item.default is dataclasses.MISSING else item.default,
            owner=kind,
        )
    return found


def kind_of(annotation: object) -> Kind:
    """What an annotation lets bot.yaml hold. Raises Untypable."""
    given = alternatives(annotation)
    parts = [part for part in given if part is not type(None)]
    if len(parts) != 1:
        raise Untypable("of unions only `X | None` can be a setting")
    read = _kind(parts[0], variable=any(isinstance(mark, VariableMark) for mark in marks(annotation)))
    return read if len(parts) == len(given) else Maybe(inner=read)


def _kind(annotation: object, *, variable: bool) -> Kind:
    annotation = bare(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in _SIMPLE:
        assert isinstance(annotation, type)
        return OneOf(kind=annotation, variable=variable and annotation is str)
    if origin is Literal:
        if not all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts):
            raise Untypable("the choices of a Literal are texts or whole numbers")
        return Choice(choices=parts)
    if origin in (list, tuple, Sequence):
        items = [part for part in parts if part is not Ellipsis]
        if len(items) != 1:
            raise Untypable("a list has one kind of item: write list[str] or tuple[str, ...]")
        return Many(item=kind_of(items[0]), as_tuple=origin is not list)
    if origin in (dict, Mapping) and parts and parts[0] is str:
        return Named(item=kind_of(parts[1]))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Choice(choices=tuple(member.value for member in annotation), kind=annotation)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return Record(kind=annotation)
    raise Untypable(
        f"{annotation!r} is no kind of setting: str, int, Decimal, bool, timedelta, Money, Literal, StrEnum, a frozen "
        "dataclass, list, dict[str, …] and `| None` are"
    )


def records_in(kind: Kind) -> tuple[type[Any], ...]:
    """The classes that a kind holds at once."""
    match kind:
        case Record(kind=found):
            return (found,)
        case Many(item=inner) | Named(item=inner) | Maybe(inner=inner):
            return records_in(inner)
        case _:
            return ()


def classes_of(kind: type[Any]) -> tuple[type[Any], ...]:
    """The class and all that its fields hold, each once. Raises SignatureError."""
    found: dict[type[Any], None] = {kind: None}
    waiting = [kind]
    while waiting:
        for setting in fields_of(waiting.pop()).values():
            for inner in records_in(setting.kind):
                if inner not in found:
                    found[inner] = None
                    waiting.append(inner)
    return tuple(found)


@lru_cache(maxsize=256)
def field_docs(kind: type[Any]) -> Mapping[str, str]:
    """The docstrings below the fields, on one line; empty where the source cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found: dict[str, str] = {}
    for field, said in pairwise(body):
        match field, said:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                found[name] = summary(text)
            case _:
                pass
    return found
