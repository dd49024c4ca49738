"""Values of the language as they stand in a transcript: `12.50 EUR`, `2026-11-21`, `1h30m`, and back by type. Pure.

Where the type is not known, what YAML has no word for stands as the store keeps it: `{$: day, v: "2026-11-21"}`.
"""

import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.core.codec import NotStorableError, dump_data, load_data
from engine.core.types import (
    AnyType,
    DateTimeType,
    DateType,
    DecimalType,
    DurationType,
    ListType,
    MoneyType,
    OptionalType,
    RecordType,
    ValueType,
)
from engine.core.values import Money, Unset, Value, major
from engine.loading.durations import parse_duration, parse_money


class Unfit(ValueError):  # noqa: N818 - says what happened
    """A value cannot be of the type that is wanted; the message says which value, as it is written."""


def typed(value: object, kind: ValueType) -> Value:
    """A plain value of YAML as a value of the type; what is of no fitting form stays as it is, for `mismatch`.

    Raises Unfit for a tagged value that cannot be read.
    """
    if isinstance(value, Mapping) and "$" in value:
        return tagged(value)
    match kind:
        case OptionalType(inner=inner):
            return None if value is None else typed(value, inner)
        case ListType(item=item) if isinstance(value, list | tuple):
            return tuple(typed(each, item) for each in value)
        case RecordType(fields=fields) if isinstance(value, Mapping):
            named = {name: typed(value.get(name), field) for name, field in fields.items()}
            return {**{name: free(item) for name, item in value.items()}, **named}
        case AnyType() | RecordType() | ListType():
            return free(value)
        case DecimalType() if isinstance(value, int) and not isinstance(value, bool):
            return value
        case _ if isinstance(value, str):
            return _from_text(value, kind)
        case _:
            return value


def _from_text(text: str, kind: ValueType) -> Value:
    found: Value = None
    try:
        match kind:
            case MoneyType():
                found = parse_money(text)
            case DateTimeType():
                found = moment(text)
            case DateType():
                found = date.fromisoformat(text)
            case DurationType():
                found = duration(text)
    except ValueError:
        found = None
    return text if found is None else found


def free(value: object) -> Value:
    """A plain value whose type nobody knows: lists become tuples, tagged values what they stand for. Raises Unfit."""
    match value:
        case list() | tuple():
            return tuple(free(item) for item in value)
        case Mapping() if "$" in value:
            return tagged(value)
        case Mapping():
            return {str(name): free(item) for name, item in value.items()}
        case _:
            return value


def tagged(value: Mapping[Any, object]) -> Value:
    """A value as the store keeps it. Raises Unfit."""
    try:
        loaded: Value = load_data(json.dumps(value, default=str).encode())
    except (NotStorableError, ValueError, TypeError, ArithmeticError, KeyError, IndexError, AttributeError) as error:
        raise Unfit(f"a value with the key “$” is not of a form that is known ({type(error).__name__})") from error
    return loaded


def untyped(value: Value, kind: ValueType | None = None) -> Any:
    """The inverse of `typed`: a plain value that is read back as the same one. Raises NotStorableError."""
    match kind, value:
        case _, Unset():
            return None
        case OptionalType(inner=inner), _:
            return None if value is None else untyped(value, inner)
        case ListType(item=item), list() | tuple():
            return [untyped(each, item) for each in value]
        case RecordType(fields=fields), Mapping():
            return {str(name): untyped(item, fields.get(name)) for name, item in value.items() if _said(item)}
        case _, None | bool() | int() | str():
            return value
        case _, list() | tuple():
            return [untyped(each) for each in value]
        case _, Mapping() if "$" not in value:
            return {str(name): untyped(item) for name, item in value.items()}
        case _:
            return _to_text(value, kind)


def _said(value: object) -> bool:
    return value is not None and not isinstance(value, Unset)


def _to_text(value: Value, kind: ValueType | None) -> Any:
    known: Any = None
    match kind, value:
        case DecimalType() | AnyType() | None, Decimal() if _plain_number(value):
            known = value
        case MoneyType(), Money():
            known = amount(value)
        case DateTimeType(), datetime():
            known = value.isoformat()
        case DateType(), date():
            known = value.isoformat()
        case DurationType(), timedelta() if value >= timedelta(0) and not value.microseconds:
            known = spell(Decimal(value // timedelta(seconds=1)))
    if known is not None and (isinstance(known, Decimal) or kind is None or typed(known, kind) == value):
        return known
    return json.loads(dump_data(value))


def _plain_number(value: Decimal) -> bool:
    """Whether it can stand as `1.50`: YAML reads a number without a point as a whole one."""
    return value.is_finite() and len(text := str(value)) < 40 and "." in text and "E" not in text


def amount(value: Money) -> str:
    """`12.50 EUR`."""
    return f"{major(value):f} {value.asset}"


def moment(text: str) -> datetime:
    """An ISO moment; without a zone it is UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def duration(text: str) -> timedelta | None:
    """`31m`, `1h30m`, `3.25s`; None when it is no duration."""
    whole, point, rest = text.partition(".")
    if not point:
        return parse_duration(text)
    known = parse_duration(f"{whole}s")
    digits = rest.removesuffix("s")
    if known is None or not rest.endswith("s") or not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
        return None
    return known + timedelta(microseconds=int(digits.ljust(6, "0")))


def spell(seconds: Decimal) -> str:
    """Seconds as `1h30m`, `3.25s`: the inverse of `duration`, for 0 and more."""
    whole, part = divmod(seconds, 1)
    days, rest = divmod(int(whole), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    tail = f"{left}{f'{part.normalize():f}'[1:]}" if part else str(left)
    pieces = [f"{count}{unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if count]
    if part or left or not pieces:
        pieces.append(f"{tail}s")
    return "".join(pieces)


# --- texts --------------------------------------------------------------------------------------------------------

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u2009": " "})
_TAG = re.compile(r"<[^>]*>")


def folded(text: str) -> str:
    """A text of the bot as it is compared: without what a reader cannot see at the ends of lines, every space alike."""
    lines = text.translate(_SPACES).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def readable(html_text: str) -> str:
    """Telegram HTML as the plain text that a transcript has."""
    return folded(html.unescape(_TAG.sub("", html_text)))


def labelled(text: str) -> str:
    """A button's label as it is compared: on one line, every space alike."""
    return " ".join(text.split())
