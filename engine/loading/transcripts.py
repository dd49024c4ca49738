"""A transcript: a conversation as a test that a product owner can read. Values only.

Read by `transcripts_parser`, written by `transcripts_writing`, played by `engine.transcripts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from engine.core.values import Value
from engine.diagnostics import NOWHERE, Span

START: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""Where the clock of a transcript stands that does not say: a Monday, noon."""
FAILURES: Final = ("timeout", "unreachable", "error", "refused")
"""How an action can fail: `failure.kind` of the language."""
TIMERS: Final = ("timeout", "refresh", "expires")
SMALL_FILE: Final = 1024
"""Bytes of a file whose size the transcript does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who talks to the bot."""

    id: str = "anna"
    name: str = "Anna"
    language: str = "en"
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a text must be: exactly this, or with all these parts in this order. Plain text, no HTML."""

    exact: str | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """An expected button; `url` only where the transcript says one."""

    text: str
    url: str | None = None


Buttons = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Everything that stands in the file knows where; the place does not count in comparisons."""

    span: Span = field(default=NOWHERE, compare=False)


# --- what the customer and the world do -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Says(Placed):
    """Typed: a text, or a command with its slash."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presses(Placed):
    """A press of the newest button with this label. `message` 2: of the one before that has it, and so on;
    `number` 2: the second one of that label in the message."""

    button: str
    message: int = 1
    number: int = 1
    part: bool = False
    """`button` is only a part of the label: for what is another text every time, such as the number of an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PressesData(Placed):
    """A press of a button that the bot never drew: its callback data as somebody made it up."""

    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends(Placed):
    """A file or photo, made up."""

    name: str
    size: int = SMALL_FILE
    photo: bool = False
    mime: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesPhone(Placed):
    phone: str
    own: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesLocation(Placed):
    latitude: Decimal
    longitude: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts(Placed):
    """A flow is started without a command."""

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits(Placed):
    """The clock is turned forwards."""

    seconds: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals(Placed):
    """A signal from outside: to the conversation of `flow` with `key`, else to the one that waits for it."""

    name: str
    payload: Mapping[str, Value] = field(default_factory=dict)
    flow: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fires(Placed):
    """A pending timer of the conversation in front fires now, before its time."""

    name: str


# --- what is expected -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot(Placed):
    """The next message: a new one, or (`edit`) one that is changed in place. Buttons None: any."""

    text: Wanted
    buttons: Buttons | None = None
    picture: tuple[str, str] | None = None
    """(kind, content) as in `engine.core.effects.Show`."""
    edit: bool = False
    message: int = 1
    """Of an edit: which message changes, counted from the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices(Placed):
    """The answer to a press: a short notice, or an alert."""

    text: Wanted
    alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends(Placed):
    """A conversation has ended since the last `ends`, with this outcome."""

    outcome: str
    flow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A path and the value that is to stand there (None: nothing)."""

    path: str
    value: Value
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds(Placed):
    """What the data of the conversation is: the one in front, else the one that ended last."""

    facts: tuple[Fact, ...]


Input = (
    Says | Presses | PressesData | Sends | SharesPhone | SharesLocation | Starts | Waits | Signals | Fires
)  # fmt: skip
Expectation = Bot | Notices | Ends | Holds
Step = Input | Expectation


# --- what actions give ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Gives(Placed):
    """The outcome of an action. `given`: what its arguments must be."""

    outcome: str
    value: Mapping[str, Value] = field(default_factory=dict)
    given: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists(Placed):
    """The rows of a source. `total` None: these are all of them."""

    rows: tuple[Value, ...]
    total: int | None = None
    given: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fails(Placed):
    """A failed attempt. `final`: trying again cannot help."""

    kind: str
    reason: str = ""
    final: bool = False
    given: tuple[Fact, ...] = ()


Given = Gives | Lists | Fails


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript(Placed):
    """One file. `actions`: what actions and sources gave, in order; the last one also for every later call."""

    name: str
    customer: Customer = field(default_factory=Customer)
    start: datetime = START
    actions: Mapping[str, tuple[Given, ...]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
