"""Decorators read signatures: types, outcomes, docstrings; a bad one is refused with a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest

from engine.actions import (
    Accepted,
    Context,
    Direct,
    File,
    Location,
    Money,
    Page,
    Refused,
    Rows,
    SignatureError,
    Template,
    Written,
    action,
    source,
    validator,
)
from engine.core import types


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, kw_only=True)
class Address:
    street: str
    floor: int = 0


@dataclass(frozen=True, kw_only=True)
class OutOfStock:
    left: int


@dataclass(frozen=True, kw_only=True)
class Sent:
    __outcome__ = "done"
    to: Address
    lines: tuple[Address, ...] = ()


@dataclass
class Soft:
    left: int


@dataclass(frozen=True)
class Floating:
    price: float


@dataclass(frozen=True)
class Failed:
    why: str


def test_an_action_is_its_signature() -> None:
    @action(transactional=True, timeout=5, name="send")
    async def ship(
        context: Context, *, to: Address, note: Template, min_: int = 2, headers: dict[str, Template] | None = None
    ) -> Sent | OutOfStock:
        """Send the parcel
        on its way.

        Args:
            to: Where to,
                in full.
            note (str): What stands on it.

        Returns:
            nothing: to see here
        """
        return OutOfStock(left=min_)

    read = ship.signature
    assert (read.name, read.doc, read.transactional, read.timeout) == ("send", "Send the parcel on its way.", True, 5)
    by_name = {parameter.name: parameter for parameter in read.parameters}
    assert list(by_name) == ["to", "note", "min", "headers"]
    assert by_name["to"].type == types.RecordType(
        name="Address", fields={"street": types.TEXT, "floor": types.OptionalType(inner=types.INTEGER)}
    )
    assert (by_name["to"].doc, by_name["note"].doc) == ("Where to, in full.", "What stands on it.")
    assert (by_name["note"].written, by_name["headers"].written) == (Written.TEMPLATE, Written.TEMPLATE)
    assert (by_name["min"].required, by_name["min"].default, by_name["to"].required) == (False, 2, True)
    assert set(read.outcomes) == {"done", "out_of_stock"}
    row = types.RecordType(name="Address", fields={"street": types.TEXT, "floor": types.INTEGER})
    assert read.outcomes["done"].fields == {"to": row, "lines": types.ListType(item=row)}


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, types.TEXT),
        (int, types.INTEGER),
        (bool, types.BOOLEAN),
        (Decimal, types.DECIMAL),
        (date, types.DATE),
        (datetime, types.DATETIME),
        (timedelta, types.DURATION),
        (Money, types.MONEY),
        (File, types.FILE),
        (Location, types.LOCATION),
        (Any, types.ANY),
        (dict[str, Any], types.ANY),
        (Mapping[str, int], types.ANY),
        (Literal["a", "b"], types.TextType(choices=frozenset({"a", "b"}))),
        (Size, types.TextType(choices=frozenset({"small", "large"}))),
        (list[int], types.ListType(item=types.INTEGER)),
        (tuple[str, ...], types.ListType(item=types.TEXT)),
        (int | None, types.OptionalType(inner=types.INTEGER)),
        (list[str | None], types.ListType(item=types.OptionalType(inner=types.TEXT))),
    ],
)
def test_every_annotation_has_its_type(annotation: Any, kind: types.ValueType) -> None:
    @validator()
    def judge(value: str, *, given: annotation) -> Accepted | Refused:
        """Judge."""
        return Accepted(value=value)

    assert judge.signature.parameters[0].type == kind


def test_a_source_knows_its_rows() -> None:
    @source()
    async def plain(context: Context, *, near: str = "") -> list[Address]:
        """All of them."""
        return []

    @source(transactional=True)
    async def paged(context: Context, *, page: Page) -> Rows[str]:
        """Some of them."""
        return Rows(items=[], total=0)

    assert (plain.signature.paged, plain.signature.row) == (
        False,
        types.RecordType(name="Address", fields={"street": types.TEXT, "floor": types.INTEGER}),
    )
    assert (paged.signature.paged, paged.signature.row, paged.signature.parameters) == (True, types.TEXT, ())


def test_a_validator_puts_its_direct_argument_first() -> None:
    @validator(name="near")
    def judge(value: date, *, days: int = 1, where: Annotated[str, Direct], now: datetime) -> Accepted | Refused:
        """Judge."""
        return Accepted(value=now.date() + timedelta(days=days))

    read = judge.signature
    assert (read.accepts, read.needs_now, read.name) == (types.DATE, True, "near")
    assert [(p.name, p.direct, p.written) for p in read.parameters] == [
        ("where", True, Written.LITERAL),
        ("days", False, Written.LITERAL),
    ]


async def no_doc(context: Context) -> OutOfStock:
    return OutOfStock(left=0)


async def positional(context: Context, left: int) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=left)


async def bare(context: Context, *, left) -> OutOfStock:  # type: ignore[no-untyped-def]
    """Doc."""
    return OutOfStock(left=left)


async def floating(context: Context, *, price: float) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=0)


async def no_return(context: Context):  # type: ignore[no-untyped-def]
    """Doc."""


async def a_dict(context: Context) -> dict[str, int]:
    """Doc."""
    return {}


async def soft(context: Context) -> Soft:
    """Doc."""
    return Soft(left=0)


async def floating_out(context: Context) -> Floating:
    """Doc."""
    return Floating(price=1)


async def own_failed(context: Context) -> Failed:
    """Doc."""
    return Failed(why="")


async def no_context(*, left: int) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=left)


async def other_context(world: int) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=0)


async def misdescribed(context: Context, *, left: int) -> OutOfStock:
    """Doc.

    Args:
        right: There is none.
    """
    return OutOfStock(left=left)


async def unknown_name(context: Context, *, left: "Nowhere") -> OutOfStock:  # type: ignore[name-defined]  # noqa: F821
    """Doc."""
    return OutOfStock(left=left)


async def pages(context: Context, *, page: Page) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=0)


async def both(context: Context, *, a: int | str) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=0)


def not_async(context: Context) -> OutOfStock:
    """Doc."""
    return OutOfStock(left=0)


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (no_doc, "docstring"),
        (positional, "keyword-only"),
        (bare, "annotation"),
        (floating, "Decimal instead of float"),
        (no_return, "frozen dataclasses"),
        (a_dict, "frozen dataclasses"),
        (soft, "frozen dataclass"),
        (floating_out, "Floating.price"),
        (own_failed, "engine's own"),
        (no_context, "context: Context"),
        (other_context, "context: Context"),
        (misdescribed, "right"),
        (unknown_name, "Nowhere"),
        (pages, "engine's own"),
        (both, "X | None"),
        (not_async, "async def"),
    ],
)
def test_a_bad_action_is_refused_with_its_place(function: Callable[..., Any], advice: str) -> None:
    with pytest.raises(SignatureError, match=advice.replace("|", r"\|")) as caught:
        action()(function)
    assert f"test_signatures.py:{function.__code__.co_firstlineno}: {function.__name__}" in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -1, 601])
def test_a_timeout_has_limits(seconds: float) -> None:
    async def fine(context: Context) -> OutOfStock:
        """Doc."""
        return OutOfStock(left=0)

    with pytest.raises(SignatureError, match="at most 600"):
        action(timeout=seconds)(fine)


@pytest.mark.parametrize(("given", "seconds"), [({}, 30), ({"transactional": True}, 5), ({"timeout": 40}, 40)])
def test_every_action_has_a_timeout(given: dict[str, Any], seconds: float) -> None:
    async def fine(context: Context) -> OutOfStock:
        """Doc."""
        return OutOfStock(left=0)

    assert action(**given)(fine).signature.timeout == seconds
    with pytest.raises(SignatureError, match="at most 30"):
        action(transactional=True, timeout=31)(fine)


def test_a_bad_source_or_validator_is_refused() -> None:
    async def rows(context: Context) -> Rows[str]:
        """Doc."""
        return Rows(items=[], total=0)

    async def listed(context: Context, *, page: Page) -> list[str]:
        """Doc."""
        return []

    def bad_verdict(value: str) -> bool:
        """Doc."""
        return True

    def two_direct(value: str, *, a: Annotated[str, Direct], b: Annotated[str, Direct]) -> Accepted | Refused:
        """Doc."""
        return Accepted(value=value)

    async def judging(value: str) -> Accepted | Refused:
        """Doc."""
        return Accepted(value=value)

    cases: list[tuple[Callable[[Any], Any], Any, str]] = [
        (source(), rows, "page: Page"),
        (source(), listed, "Rows"),
        (validator(), bad_verdict, "Accepted"),
        (validator(), two_direct, "one parameter"),
        (validator(), judging, "plain `def`"),
    ]
    for offer, function, advice in cases:
        with pytest.raises(SignatureError, match=advice):
            offer(function)


def test_what_was_decorated_can_be_called() -> None:
    @validator()
    def judge(value: str) -> Accepted | Refused:
        """Judge."""
        return Refused(message=value)

    assert judge("no") == Refused(message="no")
