"""A flow as the product owner wrote it, shorthand gone, nothing resolved: every part keeps its Span.

Made by `engine.loading.parser`, read by the rules and by `engine.core.machine`. No behaviour here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.core.types import ValueType
from engine.diagnostics import Span

Path = tuple[str, ...]
"""`("contact", "email")` for `save: contact.email`."""


# --- pieces of text and expressions ------------------------------------------------------------------


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


# --- steps ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    question: Question
    kind: str
    """The word after `ask:` — `choice`, `integer`, …"""
    validators: tuple[Validator, ...] = ()
    optional: Template | None = None
    """The label of the skip button; None: the question must be answered."""
    prefill: Expression | None = None
    """An answer offered as a button, such as the e-mail of the last order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A message. With a keyboard it waits for a press, without one it goes on at once (trigger `next`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and when an external action is tried again: after first, first*factor, … at most `longest`."""

    attempts: int = 3
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    longest: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    action: Invocation
    retry: Retry | tuple[str, Span] | None = None
    """A policy, or the name of one in bot.yaml."""
    undo: Invocation | None = None
    """Run when the customer leaves backwards over this step or cancels. Sees the step's result under its name."""
    undo_after: tuple[tuple[str, Span], ...] = ()
    """Outcomes that `undo` takes back; empty: those that no transition names, or all when each one is named."""
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Waits for signals; the chat is free meanwhile."""

    signals: tuple[tuple[str, Span], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Runs another flow and comes back with its result under this step's name (or `save:`)."""

    flow: str
    flow_span: Span
    arguments: tuple[NamedArgument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The conversation (or the called flow) is over with this outcome."""

    outcome: str = "completed"
    result: Argument | None = None


Body = Ask | Show | Do | Wait | Call | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """`set: {score: score + 1}`; every path was declared in `data:`."""

    path: Path
    value: Argument
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Under `trigger`, when `condition` holds, to `target`. First match in order wins."""

    trigger: str
    trigger_span: Span
    target: str
    target_span: Span
    condition: Expression | None = None
    text: Template | None = None
    """Said on the way, as a message of its own; sees `outcome` (an action's result) and `failure.reason`."""
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """When a waiting step stops waiting: `after` it was entered, or at a moment. Fires the trigger `timeout`."""

    after: timedelta | None = None
    until: Expression | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`photo:` of a step: a text made into a QR code, a file beside the flow, or a URL / file reference."""

    kind: str
    """`qr` | `path` | `value`."""
    content: Template | Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    id: str
    span: Span
    """The key's place."""
    body: Body
    text: Template | None = None
    label: Template | None = None
    """The step's name in edit menus; None: the first line of its text."""
    photo: Picture | None = None
    keyboard: Keyboard | None = None
    transitions: tuple[Transition, ...] = ()
    save: Path | None = None
    """Where the answer or result goes; None: under the step's id."""
    save_span: Span | None = None
    condition: Expression | None = None
    """`if:` — when it does not hold the step is passed over: its `otherwise` is the step below."""
    only: tuple[tuple[str, Span], ...] = ()
    final: bool = False
    """There is no way back over this step once it has been left."""
    timeout: Timeout | None = None
    refresh: timedelta | None = None
    following: str | None = None
    """The id of the step below; None for the last one."""

    @property
    def target(self) -> Path:
        """Where the answer or result of this step is kept."""
        return self.save or (self.id,)


# --- flows ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLink:
    """`t.me/bot?start=NAME` or `NAME_REST`; REST becomes the argument `argument` of the flow."""

    name: str
    argument: str | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    commands: tuple[tuple[str, Span], ...] = ()
    menu: Template | None = None
    deep_link: DeepLink | None = None


class SecondStart(StrEnum):
    """What happens when a customer starts a flow that is already running for them."""

    RESUME = "resume"
    RESTART = "restart"
    ASK = "ask"
    PARALLEL = "parallel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One name of `data:` or `arguments:`. `initial` None: not set until something sets it."""

    name: str
    span: Span
    type: ValueType
    initial: Argument | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One YAML file."""

    name: str
    span: Span
    title: Template
    version: str
    """Hash of the file's content."""
    entry: Entry = field(default_factory=Entry)
    steps: tuple[Step, ...]
    key: Expression | None = None
    """Signals from outside find the conversation by this value."""
    expires: timedelta | None = None
    """Idle time after which the conversation is over."""
    expired: Template | None = None
    """What the customer is told then."""
    progress: bool = False
    second_start: SecondStart = SecondStart.ASK
    only: tuple[tuple[str, Span], ...] = ()
    arguments: tuple[Declared, ...] = ()
    data: tuple[Declared, ...] = ()
    retention: timedelta | None = timedelta(days=30)
    """How long answers are kept after the end; None: for ever; zero: deleted with the last message."""
    back: bool = True
    """Whether questions show ⬅️ Back (where there is a way back)."""
    cancel: bool = True
    """Whether questions show ✖️ Cancel."""

    def step(self, name: str) -> Step | None:
        """The step of that id, or None."""
        return next((step for step in self.steps if step.id == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """`bot.yaml`: what belongs to the bot and not to one flow."""

    name: str = "Stepgram"
    languages: tuple[str, ...] = ("en",)
    """The first is the default and the one the flows are written in."""
    currency: str = "EUR"
    time_zone: str = "UTC"
    region: str | None = None
    """ISO 3166 country of telephone numbers typed without +."""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role → customer ids; `env:NAME` in the file is resolved to a comma-separated list of them."""
    retry: Mapping[str, Retry] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    setting_types: Mapping[str, ValueType] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret's name → name of the environment variable that holds it. Never the value."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that `http.*` actions may call."""
