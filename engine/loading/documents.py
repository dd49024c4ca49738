"""A YAML file as a tree of values where every key and value knows its place, and how to find places again.

Knows nothing of flows, and nothing of the library that reads YAML (that is `source`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from engine.core.model import Expression, Template
from engine.diagnostics import Span

Plain = str | int | Decimal | bool | None
"""What a scalar can be in YAML's core schema; `yes`, `on` and dates are text."""


class Style(StrEnum):
    """How a scalar is written."""

    PLAIN = "plain"
    SINGLE = "single"
    DOUBLE = "double"
    LITERAL = "literal"
    FOLDED = "folded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar_:  # noqa: N801 - the underscore keeps it apart from the model's own names
    """One value. `text` is its content as YAML reads it, `value` what that means; `span` includes quotes."""

    text: str
    value: Plain
    style: Style
    span: Span
    indent: int = 0
    """Columns that the lines of a block scalar are indented by."""

    @property
    def block(self) -> bool:
        return self.style in (Style.LITERAL, Style.FOLDED)

    @property
    def content(self) -> Span:
        """The span without the quotes."""
        if self.style not in (Style.SINGLE, Style.DOUBLE):
            return self.span
        return Span(
            file=self.span.file,
            line=self.span.line,
            column=self.span.column + 1,
            end_line=self.span.end_line,
            end_column=self.span.end_column - 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence_:  # noqa: N801
    """A list."""

    items: "tuple[Node, ...]"
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One `key: value` of a mapping."""

    key: Scalar_
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping_:  # noqa: N801
    """Keys in the order of the file; a key that stood twice is here once, as it stood first."""

    pairs: tuple[Pair, ...]
    span: Span

    def pair(self, name: str) -> Pair | None:
        """The pair of that key, or None."""
        return next((pair for pair in self.pairs if pair.key.text == name), None)

    def get(self, name: str) -> "Node | None":
        """The value of that key, or None when there is no such key."""
        found = self.pair(name)
        return found.value if found else None

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)


Node = Scalar_ | Sequence_ | Mapping_

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, kw_only=True)
class Document:
    """One file: `path` as it was given, its whole text, and the tree."""

    path: str
    text: str
    root: Node

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends, as YAML counts them."""
        return split_lines(self.text)


def split_lines(text: str) -> tuple[str, ...]:
    """Lines without their ends, counted the way YAML readers count them."""
    return tuple(_BREAK.split(text))


def plain(tree: Node) -> object:
    """The tree as dict, list and scalars. Keys are the text as written: `15:` is the key "15"."""
    match tree:
        case Scalar_(value=value):
            return value
        case Sequence_(items=items):
            return [plain(item) for item in items]
        case Mapping_(pairs=pairs):
            return {pair.key.text: plain(pair.value) for pair in pairs}


def locate(piece: Template | Expression, offset: int, length: int, document: Document | None = None) -> Span:
    """Where `length` characters from `offset` of a text or an expression stand in the file.

    Exact for one-line texts and `|` blocks. With the `document` it is exact for quoted texts with escapes
    and for folded ones too. Offsets outside the source are brought to its ends.
    """
    offset = max(0, min(offset, len(piece.source)))
    length = max(1, min(length, len(piece.source) - offset))
    if document is not None and document.path == piece.span.file:
        found = _aligned(piece, offset, length, document.lines)
        if found is not None:
            return found
    if isinstance(piece, Template) and piece.block:
        return _in_block(piece, offset, length)
    if piece.span.line == piece.span.end_line:
        return piece.span.within(offset, length)
    return piece.span


def _in_block(piece: Template, offset: int, length: int) -> Span:
    before = piece.source[:offset]
    line_start = before.rfind("\n") + 1
    first_line = piece.source[offset : offset + length].split("\n", 1)[0]
    line = min(piece.span.line + 1 + before.count("\n"), max(piece.span.end_line, piece.span.line + 1))
    column = piece.indent + 1 + offset - line_start
    return Span(
        file=piece.span.file,
        line=line,
        column=column,
        end_line=line,
        end_column=column + max(1, len(first_line)),
    )


_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")


def _aligned(piece: Template | Expression, offset: int, length: int, lines: tuple[str, ...]) -> Span | None:
    """Walks file and source side by side: white space matches white space, an escape its character."""
    block = isinstance(piece, Template) and piece.block
    line, column = (piece.span.line, 0) if block else (piece.span.line - 1, piece.span.column - 1)
    quoted = not block and lines[line][column - 1 : column] == '"'
    start: tuple[int, int] | None = None
    for index, wanted in enumerate(piece.source[: offset + length]):
        if not wanted.isspace():
            while line < len(lines) and (column >= len(lines[line]) or lines[line][column].isspace()):
                line, column = (line + 1, 0) if column >= len(lines[line]) else (line, column + 1)
            if line >= len(lines):
                return None
        if index == offset:
            start = (line, column)
        step = _consumed(lines[line], column, wanted, quoted=quoted)
        if step is None:
            return None
        column += step
    if start is None:
        return None
    end = column if line == start[0] else len(lines[start[0]])
    return Span(
        file=piece.span.file,
        line=start[0] + 1,
        column=start[1] + 1,
        end_line=start[0] + 1,
        end_column=max(end, start[1] + 1) + 1,
    )


def _consumed(line: str, column: int, wanted: str, *, quoted: bool) -> int | None:
    """How many characters of the file's line stand for `wanted`; None when they cannot."""
    given = line[column : column + 1]
    if quoted and given == "\\" and (escape := _ESCAPE.match(line, column)):
        return escape.end() - column
    if wanted.isspace():
        return 1 if given.isspace() else 0
    if given != wanted:
        return None
    return 2 if given == "'" and line[column : column + 2] == "''" and not quoted else 1
