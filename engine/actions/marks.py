"""The words that plugin authors annotate with. Values and marks only, no behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class TemplateMark:
    """The argument is a text with `{{ … }}` places."""


@dataclass(frozen=True, slots=True)
class DirectMark:
    """The validator's argument that may be written without its name."""


Template = Annotated[str, TemplateMark()]
"""A text of YAML, `{{ … }}` allowed. `dict[str, Template]`: the values are such texts."""

Direct = DirectMark()
"""`Annotated[str, Direct]`: this argument of a validator may stand alone: `pattern: "^[0-9]+$"`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that the customer sent. `name` is what their device calls it, never a path on ours."""

    name: str
    size: int
    """Bytes."""
    mime: str
    ref: str
    """The key under which `Context.files` keeps it."""
    kind: Literal["document", "photo"] = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A point on earth, degrees."""

    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a long list is on show: at most `limit` items from `offset` on, matching `search`."""

    search: str = ""
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Generic[Item]):
    """One page of a list, and how long the whole list is."""

    items: Sequence[Item]
    total: int
