"""Values of the language to JSON for people, to a short text, and back from the JSON of a form. Pure.

Not for storing: `engine.core.codec` does that, exactly.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from engine.actions.values import mismatch
from engine.core.codec import dump_data
from engine.core.expressions import EvaluationError
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
    TextType,
    ValueType,
    describe,
)
from engine.core.values import Money, Unset, Value, major, money

LONGEST_SHOWN: Final = 1000
"""Characters of a text that the pane shows; the rest is cut."""
MOST_SHOWN: Final = 50
"""Items of a list or record that the pane shows."""
DEEPEST: Final = 16
LARGEST_GIVEN: Final = 256 * 1024
"""Bytes of JSON that a form may hand over."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_ASSET: Final = re.compile(r"[A-Z0-9]{2,10}")
_SIZES: Final = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))
_SPANS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Unfit(ValueError):  # noqa: N818 - says what happened
    """The JSON is no value of the type; the message is a sentence for the person who typed it."""


# --- to people --------------------------------------------------------------------------------------------


def shown(value: Value, depth: int = 0) -> Any:
    """A value as JSON that people read: money as `12.50 EUR`, a file as its name and size. Never raises."""
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) < 2**53 else _digits(value)
        case str():
            return _cut(value, LONGEST_SHOWN)
        case Mapping() if depth < DEEPEST:
            return file_words(value) or _shown_items(value, depth)
        case tuple() | list() if depth < DEEPEST:
            items = [shown(item, depth + 1) for item in value[:MOST_SHOWN]]
            return items if len(value) <= MOST_SHOWN else [*items, f"… {len(value) - MOST_SHOWN} more"]
        case _:
            return _atom(value)


def _shown_items(value: Mapping[Any, Value], depth: int) -> dict[str, Any]:
    found = {}
    for name in list(value)[:MOST_SHOWN]:
        found[_cut(str(name), 100)] = shown(value[name], depth + 1)
    if len(value) > MOST_SHOWN:
        found["…"] = f"{len(value) - MOST_SHOWN} more"
    return found


def file_words(value: Mapping[Any, Value]) -> str | None:
    """`model.stl (1.2 MB)` of a received file; None for any other record."""
    name, size = value.get("name"), value.get("size")
    if not (isinstance(name, str) and isinstance(size, int) and "ref" in value and "mime" in value):
        return None
    return f"{_cut(name, 100)} ({size_words(size)})"


def size_words(size: int) -> str:
    """Bytes in words: `12 bytes`, `1.2 MB`."""
    for factor, unit in _SIZES:
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def span_words(seconds: float) -> str:
    """A length of time in words: `30 minutes`, `1 day 2 hours`; two units at most."""
    left, parts = abs(round(seconds)), []
    for factor, unit in _SPANS:
        count, left = divmod(left, factor)
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    return " ".join(parts[:2]) or "0 seconds"


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python writes no more than 4300 digits
        return "a very long number"


def _atom(value: object) -> str | None:
    match value:
        case Unset():
            return None
        case Money():
            amount = major(value)
            return f"{amount:f} {value.asset}"
        case Decimal():
            return _cut(f"{value:f}" if abs(value.adjusted()) < 100 else str(value), 100)
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return span_words(value.total_seconds())
        case str() | int() | float():
            return _cut(str(value), LONGEST_SHOWN)
        case _:
            return f"<{type(value).__name__}>"


def _cut(text: str, longest: int) -> str:
    text = text.encode("utf-8", "replace").decode() if not text.isascii() else text
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def readable(value: object, longest: int = 300) -> str:
    """A value as one short line. Never raises, whatever the value does."""
    try:
        return _cut(_line(value, longest, 0), longest)
    except Exception:
        return f"<{type(value).__name__}>"


def _line(value: object, longest: int, depth: int) -> str:
    match value:
        case EvaluationError():
            return _cut(str(value), longest)
        case None:
            return "nothing"
        case Unset():
            return "not set"
        case bool():
            return "true" if value else "false"
        case int():
            return _digits(value)
        case str():
            text = _cut(value, longest)
            return f"“{text}”" if depth else text
        case Mapping() if depth < DEEPEST:
            return file_words(value) or _joined(((f"{name}: ", item) for name, item in value.items()), longest, depth)
        case tuple() | list() if depth < DEEPEST:
            return "[" + _joined((("", item) for item in value), longest, depth)[1:-1] + "]"
        case _:
            return _atom(value) or ""


def _joined(items: Any, longest: int, depth: int) -> str:
    """`{a: 1, b: 2}`; stops as soon as there is more than can be shown."""
    parts: list[str] = []
    length = 0
    for name, item in items:
        if length > longest:
            parts.append("…")
            break
        parts.append(f"{name}{_line(item, longest, depth + 1)}")
        length += len(parts[-1]) + 2
    return "{" + ", ".join(parts) + "}"


# --- from people ------------------------------------------------------------------------------------------


def given_payload(raw: object, where: str) -> dict[str, Value]:
    """The record of a form whose type nobody knows, such as a signal's payload. Raises Unfit."""
    if not isinstance(raw, dict):
        raise Unfit(f"{where} must be a JSON object such as {{}}.")
    value = _plain(raw, where, 0)
    _check_kept(value, where)
    assert isinstance(value, dict)
    return value


def given(raw: object, kind: ValueType, where: str) -> Value:
    """JSON of a form as a value of `kind`. Raises Unfit."""
    value = _typed(raw, kind, where, 0)
    _check_kept(value, where)
    wrong = mismatch(value, kind, where)
    if wrong is not None:
        raise Unfit(f"{wrong}.")
    return value


def _check_kept(value: Value, where: str) -> None:
    try:
        size = len(dump_data(value))
    except (ValueError, TypeError, RecursionError) as error:
        raise Unfit(f"{where} holds something that cannot be kept.") from error
    if size > LARGEST_GIVEN:
        raise Unfit(f"{where} is too large: at most {size_words(LARGEST_GIVEN)}.")


def _plain(raw: object, where: str, depth: int) -> Value:
    """JSON as it stands; numbers with a point become Decimal."""
    if depth > DEEPEST:
        raise Unfit(f"{where} is nested too deeply.")
    match raw:
        case None | bool() | str() | int():
            return raw
        case float() | Decimal():
            return _number(raw, where)
        case list() | tuple():
            return tuple(_plain(item, where, depth + 1) for item in raw)
        case dict():
            return {str(name): _plain(item, where, depth + 1) for name, item in raw.items()}
        case _:
            raise Unfit(f"{where} is no JSON.")


def _number(raw: object, where: str) -> Decimal:
    text = f"{raw:f}" if isinstance(raw, Decimal) and raw.is_finite() and abs(raw.adjusted()) < 50 else str(raw)
    if isinstance(raw, float) and "e" in text and abs(raw) < 10**30:
        text = f"{Decimal(text):f}"
    if isinstance(raw, bool) or not _NUMBER.fullmatch(text):
        raise Unfit(f"{where} must be a number such as 12.50.")
    return Decimal(text)


def _typed(raw: object, kind: ValueType, where: str, depth: int) -> Value:
    match kind:
        case _ if depth > DEEPEST:
            raise Unfit(f"{where} is nested too deeply.")
        case AnyType():
            return _plain(raw, where, depth)
        case OptionalType(inner=inner):
            return None if raw is None else _typed(raw, inner, where, depth)
        case ListType(item=item):
            if not isinstance(raw, list | tuple):
                raise Unfit(f"{where} must be {describe(kind)}: [ … ].")
            return tuple(_typed(each, item, f"{where}[{at}]", depth + 1) for at, each in enumerate(raw))
        case RecordType():
            return _record(raw, kind, where, depth)
        case DecimalType() | MoneyType() | DateType() | DateTimeType() | DurationType():
            return _special(raw, kind, where)
        case TextType() if not isinstance(raw, str):
            raise Unfit(f'{where} must be {describe(kind)}, in "double quotes".')
        case _:
            if wrong := mismatch(raw, kind, where):
                raise Unfit(f"{wrong}.")
            return raw


def _record(raw: object, kind: RecordType, where: str, depth: int) -> dict[str, Value]:
    if not isinstance(raw, Mapping):
        raise Unfit(f"{where} must be an object with {_names(kind)}.")
    unknown = next((str(name) for name in raw if name not in kind.fields), None)
    if unknown is not None:
        raise Unfit(f"{where} has no field “{_cut(unknown, 60)}”: there is {_names(kind)}.")
    found: dict[str, Value] = {}
    for name, inner in kind.fields.items():
        if name not in raw and not isinstance(inner, OptionalType):
            raise Unfit(f"{where}.{name} is missing: it must be {describe(inner)}.")
        found[name] = _typed(raw.get(name), inner, f"{where}.{name}", depth + 1)
    return found


def _names(kind: RecordType) -> str:
    return ", ".join(f"“{name}”" for name in kind.fields) or "no field at all: {}"


def _special(raw: object, kind: ValueType, where: str) -> Value:
    try:
        match kind:
            case DecimalType():
                return _number(raw, where)
            case MoneyType():
                return _money(raw, where)
            case DateTimeType():
                moment = datetime.fromisoformat(str(raw)[:40])
                if moment.tzinfo is None:
                    raise Unfit(f"{where} must say its time zone, such as 2026-12-31T18:00:00+01:00.")
                return moment
            case DateType():
                return date.fromisoformat(str(raw)[:40])
            case _:
                return timedelta(seconds=float(_number(raw, where)))
    except Unfit:
        raise
    except (ValueError, OverflowError) as error:
        raise Unfit(f"{where} must be {describe(kind)} such as {_SAMPLES[type(kind)]}.") from error


def _money(raw: Any, where: str) -> Money:
    match raw:
        case {"amount": amount, "asset": str() as asset} if len(raw) == 2 and _ASSET.fullmatch(asset):
            return money(_number(amount, f"{where}.amount"), asset)
        case _:
            raise Unfit(f"{where} must be money such as {_SAMPLES[MoneyType]}.")


_SAMPLES: Final[Mapping[type, str]] = {
    DecimalType: "12.50",
    MoneyType: '{"amount": "12.50", "asset": "EUR"}',
    DateType: "2026-12-31",
    DateTimeType: "2026-12-31T18:00:00+01:00",
    DurationType: "1800 (seconds)",
}
