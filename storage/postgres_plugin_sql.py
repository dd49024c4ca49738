"""Plugins' statements on PostgreSQL, written as for SQLite: `?` for values, plain Python values in and out.

Only the differences that a careful plugin cannot avoid are bridged here; a statement must be one that both databases
know.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from storage import postgres_rows
from storage.errors import StoreError
from storage.plugin_sql import check_statement

if TYPE_CHECKING:
    import asyncpg

_NOT_FOR_PLUGINS: Final = frozenset(
    {"ABORT", "CALL", "CLUSTER", "COPY", "DEALLOCATE", "DISCARD", "DO", "EXECUTE", "LISTEN", "LOAD", "PREPARE", "RESET"}
    | {"SET", "START", "UNLISTEN"}
)
"""Beside those that `check_statement` knows: they would end the transaction or change the connection."""
_SKIPPED: Final = re.compile(
    r"""'(?:[^']|'')*(?:'|$) | "(?:[^"]|"")*(?:"|$) | --[^\n]* | /\*.*?(?:\*/|$)""", re.DOTALL | re.VERBOSE
)
"""Where a question mark is no placeholder: texts, quoted names, comments."""
_MARKS: Final = re.compile(_SKIPPED.pattern + r" | \?(?P<number>\d*)", re.DOTALL | re.VERBOSE)
_FIRST_WORD: Final = re.compile(r"(?:[\s;\ufeff]|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$))*+(\w*)", re.DOTALL)
_TEXTS: Final = frozenset({"text", "varchar", "bpchar", "name", "unknown"})
_WHOLE: Final = frozenset({"int2", "int4", "int8"})
_REAL: Final = frozenset({"float4", "float8"})


def checked(sql: str) -> str:
    """The statement as PostgreSQL takes it. Raises StoreError for one that is not for plugins."""
    check_statement(sql)
    word = first_word(sql)
    if word in _NOT_FOR_PLUGINS:
        raise StoreError(
            f"{word} is not for plugins: it would change the connection that others use after them, or end the"
            " transaction."
        )
    return translated(sql)


def first_word(sql: str) -> str:
    found = _FIRST_WORD.match(sql)
    return found[1].upper() if found else ""


@lru_cache(maxsize=512)
def translated(sql: str) -> str:
    """`?` as `$1`, `$2` …; `?3` as `$3`."""
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        given = found["number"]
        if given is None:
            return found[0]
        count = int(given) if given else count + 1
        return f"${count}"

    return _MARKS.sub(number, sql)


class Kinds:
    """The types of the placeholders of statements seen before, so that one is prepared once per connection only."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._known: dict[str, tuple[str, ...]] = {}

    async def fitted(self, line: "asyncpg.Connection", sql: str, parameters: Sequence[object]) -> list[object]:
        """The values as the statement wants them. Raises StoreError for too many, too few or unfit ones."""
        kinds = self._known.get(sql)
        if kinds is None:
            statement = await line.prepare(sql)
            kinds = tuple(kind.name for kind in statement.get_parameters())
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[sql] = kinds
        if len(kinds) != len(parameters):
            raise StoreError(
                f"A statement has {len(kinds)} placeholders and was given {len(parameters)} values. Give one for each"
                " `?`."
            )
        return [_as(kind, value) for kind, value in zip(kinds, parameters, strict=True)]

    def forget(self, sql: str) -> None:
        """It failed: the table may have changed."""
        self._known.pop(sql, None)


async def execute(line: "asyncpg.Connection", kinds: Kinds, sql: str, parameters: Sequence[object]) -> int:
    """Run one statement; the rows it changed (0 for a SELECT)."""
    try:
        if parameters:
            status = await line.execute(sql, *await kinds.fitted(line, sql, parameters))
        else:  # the driver would send it as a script, and a script may hold several statements
            statement = await line.prepare(sql)
            await statement.fetch()
            status = str(statement.get_statusmsg())
    except Exception:
        kinds.forget(sql)
        raise
    words = status.split()
    return int(words[-1]) if words[0] in {"INSERT", "UPDATE", "DELETE", "MERGE"} else 0


async def query(
    line: "asyncpg.Connection", kinds: Kinds, sql: str, parameters: Sequence[object]
) -> list[Mapping[str, object]]:
    """All rows as mappings by column name."""
    try:
        found = await line.fetch(sql, *await kinds.fitted(line, sql, parameters))
    except Exception:
        kinds.forget(sql)
        raise
    return [{name: _plain(value) for name, value in row.items()} for row in found]


def _as(kind: str, value: object) -> object:
    """The value in the kind that the statement has there, as SQLite's columns would take it. Raises StoreError."""
    if value is None:
        return None
    try:
        return _converted(kind, value)
    except (ValueError, ArithmeticError, TypeError) as error:
        raise StoreError(
            f"A value of a statement is a {type(value).__name__} and does not fit a column of type {kind}. Give one"
            " that does, or say in the statement what it is: CAST(? AS NUMERIC)."
        ) from error


def _converted(kind: str, value: object) -> object:
    if kind in _TEXTS:
        return postgres_rows.text(_as_text(value))
    if kind == "bytea":
        return value.encode() if isinstance(value, str) else value
    if kind == "bool":
        return bool(value) if isinstance(value, int) else value
    if kind in _WHOLE and not isinstance(value, int):
        return _as_whole(value)
    if kind in _REAL and not isinstance(value, float):
        return float(str(value))
    if kind == "numeric" and not isinstance(value, Decimal):
        return Decimal(str(value))
    if kind.startswith("timestamp") and isinstance(value, str):
        return datetime.fromisoformat(value)
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    return value


def _as_whole(value: object) -> int:
    number = Decimal(str(value))
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def _as_text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(int(value))
        case bytes():
            return value.decode()
        case datetime():
            return value.isoformat(" ")  # as the driver of SQLite does
        case date():
            return value.isoformat()
    return str(value)


def _plain(value: object) -> object:
    """A sum of whole numbers is a whole number, as on SQLite."""
    if isinstance(value, Decimal) and value.is_finite() and value.as_tuple().exponent == 0:
        return int(value)
    return value
