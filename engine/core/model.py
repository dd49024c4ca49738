"""A flow as the product owner wrote it, shorthand gone, nothing resolved: every part keeps its Span.

Made by `engine.loading.parser`, read by the rules and by `engine.core.machine`. No behaviour here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from engine.core.hours import Hours
from engine.core.questions import (
    Button,
    Choice,
    Choices,
    Day,
    Email,
    File,
    Files,
    Keyboard,
    Location,
    MoneyAmount,
    Number,
    Option,
    Phone,
    Quantity,
    Question,
    SourceOptions,
    Text,
    Validator,
    YesNo,
)
from engine.core.types import ValueType
from engine.core.written import (
    Argument,
    ArgumentList,
    ArgumentMap,
    Expression,
    Invocation,
    Literal,
    NamedArgument,
    Path,
    Template,
)
from engine.diagnostics import Span

__all__ = [
    "Argument",
    "ArgumentList",
    "ArgumentMap",
    "Ask",
    "Assignment",
    "Body",
    "Bot",
    "Button",
    "Call",
    "Choice",
    "Choices",
    "Day",
    "Declared",
    "DeepLink",
    "Do",
    "Email",
    "End",
    "Entry",
    "Expression",
    "File",
    "Files",
    "Flow",
    "Invocation",
    "Keyboard",
    "Late",
    "Literal",
    "Location",
    "MoneyAmount",
    "NamedArgument",
    "Number",
    "Option",
    "Path",
    "Phone",
    "Picture",
    "Quantity",
    "Question",
    "Retry",
    "SecondStart",
    "Show",
    "SourceOptions",
    "Step",
    "Template",
    "Text",
    "Timeout",
    "Transition",
    "Validator",
    "Wait",
    "YesNo",
]


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
    hours: tuple[str, Span] | None = None
    """A calendar of bot.yaml: `after` counts its working time, `until` is moved to its next opening."""
    late: "Late | None" = None
    """None: as the flow has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What becomes of a timer that comes late, because the bot was down at its moment."""

    grace: timedelta = timedelta(minutes=1)
    """So late at most it counts as in time."""
    skip: bool = False
    """Beyond that it does not fire at all."""
    more: timedelta | None = None
    """Beyond that so much time is given once more; None: it fires, however late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`photo:` of a step: a text made into a QR code, a file beside the flow, or a URL / file reference."""

    kind: str
    """`qr` | `path` | `value`."""
    content: Template | Expression
    span: Span
    folder: str = ""
    """Of a `path`: what goes before it to make it a path from the folder of flows, empty or with `/` at its end."""


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
    redraw: bool = False
    """Come to again by one of its own buttons, it is drawn in the message that was pressed."""
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
    late: Late = field(default_factory=Late)
    """What becomes of its timers that come late; a step's own `late:` goes before it."""
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
    remind: bool = True
    """Whether the customer is told that it waits behind, and that it is over when they begin it anew."""

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
    hours: Mapping[str, Hours] = field(default_factory=dict)
    """Calendars of working hours, by name."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that `http.*` actions may call."""
    plugins: Mapping[str, object] = field(default_factory=dict)
    """Namespace → the plugin's settings, an instance of the class that it declares."""
