"""What stands in YAML where a value is meant: texts, expressions, constants, and uses of actions with their arguments.

No behaviour here; what an expression means is `engine.core.expressions`'.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.diagnostics import Span

Path = tuple[str, ...]
"""`("contact", "email")` for `save: contact.email`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression without braces: `score > 3`. `span` covers exactly `source` when it stands on one line."""

    source: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text with `{{ … }}`, Telegram HTML; offsets in `source` count from `span`'s start.

    `block` is true for a YAML block scalar (`|`, `>`): there line n of `source` stands on line
    `span.line + 1 + n` and is indented by `span.column - 1`… columns are exact for `|` only.
    """

    source: str
    span: Span
    block: bool = False
    indent: int = 0
    """How many columns each line of a block scalar is indented in the file."""
    translations: "tuple[tuple[str, Template], ...]" = ()
    """The same text in other languages of the bot, each with its place in the file of that language."""

    @property
    def wordings(self) -> "tuple[Template, ...]":
        """The text in the flow's own language, then its translations."""
        return (self, *(template for _, template in self.translations))


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A constant written in YAML: number, boolean, null, or text where text is never an expression."""

    value: str | int | Decimal | bool | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentList:
    items: tuple["Argument", ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentMap:
    items: tuple[tuple[str, "Argument"], ...]
    span: Span


Argument = Expression | Template | Literal | ArgumentList | ArgumentMap


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArgument:
    name: str
    name_span: Span
    value: Argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """The use of an action, a source or a validator: `do: shop.pay` with its `with:`. `span` is the name's."""

    name: str
    arguments: tuple[NamedArgument, ...] = ()
    span: Span
