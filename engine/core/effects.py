"""What the core wants done. The runtime does it, in the commit or after it. Values only."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from engine.core.model import Retry
from engine.core.records import value_record
from engine.core.values import Value


@value_record
class Press:
    """A drawn button. `code` goes into the callback data behind `conversation.visit.draw`; or a `url`."""

    text: str
    code: str = ""
    url: str | None = None


class Accepts(StrEnum):
    """What a question can be answered with besides its buttons; a channel shows the right controls for it."""

    TEXT = "text"
    CONTACT = "contact"
    LOCATION = "location"
    FILE = "file"
    PHOTO = "photo"


@value_record
class Show:
    """A message of one visit. The same (visit) shown again with `edit` replaces it in place."""

    visit: int
    draw: int
    text: str
    """Telegram HTML, everything put in is escaped. Never empty."""
    rows: tuple[tuple[Press, ...], ...] = ()
    photo: tuple[str, str] | None = None
    """(kind, content): `qr` and its text, `path` of a file from the folder of flows, `value` a URL or file ref."""
    accepts: frozenset[Accepts] = frozenset()
    edit: bool = False
    """Redraw in place (a page turned, a tick set) instead of a new message."""
    over: int = 0
    """The visit whose message this is drawn in, when it is not this visit's own: an earlier stay at the same step."""


@value_record
class Say:
    """A message without a step of its own: a refusal, a transition's text, a notice after a typed command."""

    text: str


@value_record
class Notice:
    """The answer to a press: a short notice, or an alert that must be closed. At most 200 characters."""

    text: str = ""
    alert: bool = False


class Purpose(StrEnum):
    """Why an action or source is invoked; the part of `Invoke.call` after the visit."""

    DO = "do"
    ROWS = "rows"
    FILE = "file"
    UNDO = "undo"


@value_record
class Invoke:
    """Run an action (or ask a source) and come back with ActionFinished or ActionFailed.

    `call` is unique in its conversation: the stay's number, a point, then what makes the work itself unique
    (`15.do.1.12.9f3c…`: tried first at stay 12, with these arguments; `12.file.12.2`, `12.rows.12.1`, `15.undo.12`).
    The part behind the first point is, with the conversation's id, the idempotency key: two stays that try the same
    work have the same one. A file that is tried again has `12:2.file.12.2`, the second attempt.
    """

    call: str
    purpose: Purpose
    name: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    retry: Retry | None = None
    """None: the runtime's default policy."""
    timeout: float | None = None
    """Seconds per attempt; None: the action's own, else the runtime's."""
    page: tuple[str, int, int] | None = None
    """For a source: (search, offset, limit). One that pages itself gets them; of any other the core takes the part
    it needs from the whole list."""


@value_record
class StartTimer:
    """Fires TimerFired(visit, name) at `due`. Starting it again moves it."""

    visit: int
    name: str
    due: datetime


@value_record
class CancelTimers:
    """The visit was left: none of its timers fires any more."""

    visit: int


@value_record
class StartFlow:
    """Begin another flow for the same customer, this one being put aside (or over)."""

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@value_record
class Finish:
    """The conversation is over: completed, cancelled, expired, or the outcome its `end:` names."""

    outcome: str
    result: Value = None


@value_record
class Trace:
    """For the visit log: what was decided and why. `kind`: entered, answered, refused, back, edit, skipped, …"""

    visit: int
    step: str
    kind: str
    detail: str = ""


@value_record
class Trouble:
    """Something a developer or owner should hear of that did not stop the conversation."""

    text: str


Effect = (
    Show | Say | Notice | Invoke | StartTimer | CancelTimers | StartFlow | Finish | Trace | Trouble
)  # fmt: skip
