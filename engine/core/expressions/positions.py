"""Jinja2's lexer and parser with character offsets where they have line numbers.

The trick: the parser copies a token's `lineno` into its nodes and never counts with it, so a token stream whose
line numbers are offsets gives a tree that knows every place. The only importer of Jinja2's parser besides `grammar`.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from jinja2 import Environment, TemplateSyntaxError
from jinja2.lexer import TokenStream

from engine.core.expressions.faults import Fault, nearest

DEEPEST: Final = 40
"""How far brackets, blocks and operands may be nested."""
_SIGNS: Final = {
    "&&": "`and`", "&": "`and`", "||": "`or`", "!": "`not`",
    **dict.fromkeys("“”„«»", 'straight quotes: "'), **dict.fromkeys("‘’‚", "straight quotes: '"),
}  # fmt: skip
"""What to write instead of a sign that has no meaning here."""
BLOCKS: Final = frozenset({"if", "elif", "else", "endif", "for", "endfor"})
FOREIGN_BLOCKS: Final = frozenset(
    {
        "set", "endset", "macro", "endmacro", "import", "from", "include", "extends", "block", "endblock", "call",
        "endcall", "filter", "endfilter", "with", "endwith", "raw", "endraw", "autoescape", "endautoescape", "do",
        "print", "break", "continue", "trans", "endtrans", "pluralize", "debug",
    }
)  # fmt: skip
"""Blocks that Jinja2 knows and Stepgram does not have."""

_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")

Raw = tuple[int, str, str]
"""Offset, kind of token, the characters as they stand."""


class Broken(Exception):  # noqa: N818 - carries a value out of the parser
    """Raised inside the parser; caught in `grammar`, never seen outside this package."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class OffsetEnvironment(Environment):
    """An environment only for parsing: it has no filters, no tests, no globals, no loader."""

    def __init__(self) -> None:
        super().__init__(keep_trailing_newline=True)
        self.filters, self.tests, self.globals = {}, {}, {}
        self.lengths: dict[int, int] = {}
        """Length of the token at each offset, of the source read last."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = self._aligned(source, state)
        _check_nesting(tokens)
        _check_blocks(tokens)
        self.lengths = {offset: len(value) for offset, kind, value in tokens if kind != "data"}
        kept = _without_block_lines(source, tokens)
        return TokenStream(self.lexer.wrap(iter(kept), name, filename), name, filename)

    def _aligned(self, source: str, state: str | None) -> list[Raw]:
        tokens: list[Raw] = []
        position = 0
        try:
            for _, kind, value in self.lexer.tokeniter(source, None, None, state):
                # Only whitespace can be missing between two tokens (`{%-`), so the first match is the token.
                start = source.find(value, position) if value else position
                tokens.append((start, kind, value))
                position = start + len(value)
        except TemplateSyntaxError as error:
            raise Broken(_lexer_fault(error, source, position)) from None
        return tokens


def meant(source: str, offset: int) -> str | None:
    """What the language has instead, for signs that other languages and word processors write."""
    if source[max(0, offset - 1) : offset + 1] == "||":  # the first one was read as a filter's
        offset -= 1
    written = source[offset : offset + 2]
    if written[:1] == "=" and written != "==":
        return "`==` to compare"
    return _SIGNS.get(written) or _SIGNS.get(written[:1])


def _lexer_fault(error: TemplateSyntaxError, source: str, position: int) -> Fault:
    message = error.message or "it cannot be read"
    found = re.search(r" at (\d+)$", message)
    if found:
        position = int(found.group(1))
        if source[position] in "\"'":
            message, rest = "the quote is not closed", len(source) - position
            return Fault(offset=position, length=rest, kind="syntax", message=f"This cannot be read: {message}.")
        message = f"the character “{source[position]}” has no meaning here"
    return Fault(
        offset=position,
        length=1,
        kind="syntax",
        message=f"This cannot be read: {message}.",
        expected=meant(source, position),
    )


def _check_nesting(tokens: list[Raw]) -> None:
    depth, before = 0, ""
    for offset, kind, value in tokens:
        if kind == "operator":
            depth += (value in _OPENING) - (value in _CLOSING)
        elif kind == "name" and before == "block_begin":
            depth += (value in {"if", "for"}) - (value in {"endif", "endfor"})
        if kind != "whitespace":
            before = kind
        if depth > DEEPEST:
            raise Broken(too_deep(offset, len(value)))


def too_deep(offset: int, length: int) -> Fault:
    """The fault of an expression that is nested beyond the limit."""
    return Fault(
        offset=offset,
        length=length,
        kind="too_deep",
        message=f"This is nested more than {DEEPEST} levels deep.",
        expected="a shorter expression, or an action that works the value out",
    )


def _check_blocks(tokens: list[Raw]) -> None:
    significant = [token for token in tokens if token[1] != "whitespace"]
    for (begin, kind, _), (offset, next_kind, word) in pairwise(significant):
        if kind == "raw_begin":
            raise Broken(_foreign("raw", begin, 6))
        if kind == "block_begin" and next_kind == "name" and word not in BLOCKS:
            raise Broken(_foreign(word, offset, len(word)))
    if significant and significant[-1][1] == "raw_begin":
        raise Broken(_foreign("raw", significant[-1][0], 6))


def _foreign(word: str, offset: int, length: int) -> Fault:
    known = word in FOREIGN_BLOCKS
    return Fault(
        offset=offset,
        length=length,
        kind="forbidden" if known else "syntax",
        message=f"The block “{{% {word} %}}” does not exist here.",
        expected="{% if %}, {% elif %}, {% else %}, {% endif %}, {% for %} or {% endfor %}",
        suggestion=None if known else nearest(word, BLOCKS),
    )


def _without_block_lines(source: str, tokens: list[Raw]) -> Iterator[Raw]:
    """Tokens, less the line ends of lines on which only blocks stand: such a line leaves no empty line behind."""
    dropped = _block_lines(source, tokens)
    for offset, kind, value in tokens:
        if kind != "data" or not dropped:
            yield offset, kind, value
            continue
        kept, position, end = [], offset, offset + len(value)
        for start, stop in dropped:
            if start < end and stop > position:
                kept.append(source[position : max(start, position)])
                position = min(stop, end)
        text = "".join(kept) + source[position:end]
        if text:
            yield offset, kind, text


def _block_lines(source: str, tokens: list[Raw]) -> list[tuple[int, int]]:
    mask, begin = list(source), -1
    for offset, kind, value in tokens:
        if kind in {"block_begin", "comment_begin"}:
            begin = offset
        elif kind in {"block_end", "comment_end"} and begin >= 0:
            end = offset + len(value.rstrip())
            mask[begin:end] = "\0" * (end - begin)
            begin = -1
    return [found.span() for found in re.finditer(r"(?m)^[ \t]*\0[\0 \t]*$\n?", "".join(mask))]
