"""What a step shows to choose from and what it asks for: keyboards, questions, validators. No behaviour here."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.core.written import Expression, Invocation, Template
from engine.diagnostics import Span

# --- keyboards ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button of a fixed row. Exactly one of trigger, edit, start, url is set."""

    text: Template
    span: Span
    trigger: str | None = None
    edit: tuple[tuple[str, Span], ...] | None = None
    """Steps that the customer may go back to and change from here: opens a menu of them, or goes there when one."""
    start: tuple[str, Span] | None = None
    """The flow that a press starts, this one being put aside."""
    url: Template | None = None
    condition: Expression | None = None
    only: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One fixed option of `choice` or `choices`: its value is text."""

    value: str
    text: Template
    span: Span
    condition: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Options drawn from a source (`from:` and its `with:`) or from a list of the conversation's data (`items:`); one
    `text:` per row, `value:` what identifies a row. Exactly one of `source` and `items` is set."""

    source: Invocation | None
    items: Expression | None = None
    text: Template
    value: Expression | None
    """An expression on `option` (`option.id`) that gives text or a whole number; None: the row itself is text."""
    empty: Template | None = None
    """What the customer reads when the source lists nothing."""
    buttons: tuple[Button, ...] = ()
    """Every option is a row of these buttons, each with a trigger; empty: one button, which is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyboard:
    """The buttons under a message: options first, then the fixed rows."""

    span: Span
    options: tuple[Option, ...] = ()
    source: SourceOptions | None = None
    rows: tuple[tuple[Button, ...], ...] = ()
    columns: int = 1
    page: int | None = None
    """Options per page; None: all on one."""
    search: bool = False
    """Typed text narrows the options down."""


# --- questions: what `ask:` asks for --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the keyboard's options. Answer: the option's value (text), or the chosen record of a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Several of the keyboard's options, ticked; `minimum`..`maximum` of them. Answer: a list."""

    minimum: int = 0
    maximum: int | None = None
    done: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Typed text. Answer: text, trimmed. At most 4096 characters, as Telegram has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """Typed number as written in the customer's language. Answer: integer, or decimal when `decimal`."""

    decimal: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyAmount:
    """Typed amount. Answer: money in `currency` (None: the bot's)."""

    currency: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A typed e-mail address. Answer: text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A telephone number, typed or shared. Answer: text in E.164, `+48100200300`. `region`: for numbers without +."""

    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A shared location. Answer: record latitude, longitude."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One document (`photo`: a photo). Answer: a file record, or what `each` made of it."""

    accept: tuple[str, ...] = ()
    """Allowed endings with the dot, lower case; empty: any."""
    max_size: int | None = None
    """Bytes."""
    photo: bool = False
    each: "Invocation | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Several documents, each checked at once, removable, a failed one retried. Answer: a list."""

    accept: tuple[str, ...] = ()
    max_size: int | None = None
    minimum: int = 1
    maximum: int | None = None
    photo: bool = False
    each: "Invocation | None" = None
    """Action run with every file as it arrives; the answer then lists its results instead of the files."""
    done: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A typed date in the customer's language or ISO. Answer: a date."""

    minimum: date | Expression | None = None
    maximum: date | Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNo:
    """Two buttons. Answer: true or false; triggers `yes` and `no` exist beside `answered`."""

    yes: Template | None = None
    no: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """➖ n ➕ and a button to accept; a number may be typed too. Answer: integer."""

    minimum: int = 1
    maximum: int | Expression | None = None
    step: int = 1
    start: int | Expression | None = None


Question = (
    Choice | Choices | Text | Number | MoneyAmount | Email | Phone | Location | File | Files | Day | YesNo | Quantity
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """Judges a well-formed answer. Arguments are literals, or expressions where written as `"{{ … }}"`."""

    invocation: Invocation
    message: Template | None = None
