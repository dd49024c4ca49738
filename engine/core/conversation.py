"""One customer in one flow: where they stand, what they answered, how they got there.

A Conversation is a value: changing it makes a new one (`engine.core.turn` does). Stored by `engine.core.codec`.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from engine.core.model import Path
from engine.core.records import value_record
from engine.core.values import Value


class Phase(StrEnum):
    """What a current visit is doing."""

    FETCHING = "fetching"
    """Its keyboard's source has been asked; nothing is drawn yet (or the page before)."""
    ASKING = "asking"
    """Drawn; the customer's turn."""
    RUNNING = "running"
    """Its action runs."""
    BROKEN = "broken"
    """Source or action failed and the flow draws no way on: the customer is offered to try again."""
    WAITING = "waiting"
    """For signals; the chat is free."""


class FileStatus(StrEnum):
    CHECKING = "checking"
    READY = "ready"
    FAILED = "failed"


@value_record
class FileItem:
    """One file of a collection: its number in the visit, the record, and what `each` made of it."""

    number: int
    file: Mapping[str, Value]
    status: FileStatus
    value: Value = None
    attempt: int = 1
    reason: str = ""
    """Why it failed, for the customer."""


@value_record
class Row:
    """One option as it was drawn: what identifies it, the label, and the record that is the answer."""

    key: str
    label: str
    value: Value


@value_record
class Draft:
    """What a customer had ticked, counted or sent at a step before leaving it: put back when they return."""

    ticks: tuple[str, ...] = ()
    quantity: int | None = None
    files: tuple[FileItem, ...] = ()
    rows: tuple[Row, ...] = ()


@value_record
class Visit:
    """The current stay at a step. `number` counts up in the conversation and is never used twice."""

    number: int
    step: str
    phase: Phase = Phase.ASKING
    draw: int = 1
    page: int = 0
    search: str = ""
    ticks: tuple[str, ...] = ()
    """Keys of ticked options, in the order of ticking."""
    quantity: int | None = None
    files: tuple[FileItem, ...] = ()
    numbered: int = 0
    """The highest number that a file of this stay has had: a removed file's number is not given again, since its
    check may still come back."""
    rows: tuple[Row, ...] = ()
    """The options of the page on show when they came from a source; ticked ones of other pages are kept too."""
    shown: int = 0
    """How many of `rows`, from the first, are on the page."""
    total: int = 0
    """How many options the source has in all."""
    menu: str = ""
    """What stands in the question's place: `edit:N` (menu N), `cancel` (are you sure), or nothing."""
    timed: bool = False
    """Whether timers run that end with this visit."""
    over: tuple[str, int] | None = None
    """(step, number of a stay there): that stay's message was pressed last, and nothing has been said since. A stay
    at the same step is drawn in that message; at any other it is only carried along."""


@value_record
class Past:
    """A stay that was left forwards: what going back has to put right, what an edit may use again."""

    number: int
    step: str
    trigger: str
    value: Value = None
    """The answer, the action's outcome record, or the called flow's result."""
    changes: tuple[tuple[Path, Value], ...] = ()
    """What stood before under every path this visit wrote (UNSET: nothing), in the order of writing."""
    undo: tuple[str, Mapping[str, Value]] | None = None
    """The action that takes this visit's effect back, arguments already evaluated."""
    draft: Draft | None = None
    child: "Frame | None" = None
    """The finished frame of a called flow, so that back can go into it."""


@value_record
class Remembered:
    """An answer that was gone back over (`value` UNSET: an unfinished one, only the draft)."""

    value: Value
    draft: Draft | None = None
    inner: Mapping[str, tuple["Remembered", ...]] = field(default_factory=dict)
    """For a call: what had been answered in the called flow."""


@value_record
class Edit:
    """An edit under way, opened at the step `home` to change `target`.

    Until the new answer is there `replaying` is false and nothing else has changed. Then `replay` holds what had
    been answered between target and home, oldest first, `missed` what of it the new way has passed by, `changed` the
    paths that now differ, `current` the old stay at the step that is being asked again. In `replay`, `missed` and
    `current` the `changes` of a stay are what it wrote, not what had stood there before.
    """

    home: str
    target: str
    replaying: bool = False
    replay: tuple[Past, ...] = ()
    missed: tuple[Past, ...] = ()
    changed: frozenset[Path] = frozenset()
    current: Past | None = None


@value_record
class Frame:
    """One flow on the stack of calls: the conversation's own at the bottom, the called one on top."""

    flow: str
    version: str
    visit: Visit
    trail: tuple[Past, ...] = ()
    """Stays that were left forwards, oldest first; back pops them."""
    data: Mapping[str, Value] = field(default_factory=dict)
    remembered: Mapping[str, tuple[Remembered, ...]] = field(default_factory=dict)
    """Step → answers that were gone back over, the one to offer first last."""
    edit: Edit | None = None
    unsettled: Mapping[str, int] = field(default_factory=dict)
    """Step → number of the stay whose action has not succeeded yet: a later try of the same work carries the same
    idempotency key, since the failed one may have reached the other side."""


class Status(StrEnum):
    """Whether a conversation goes on."""

    ACTIVE = "active"
    FINISHED = "finished"


@value_record
class EarlySignal:
    """A signal that came before a step waited for it."""

    name: str
    payload: Mapping[str, Value] = field(default_factory=dict)


@value_record
class Conversation:
    """`id` fits callback data (at most 12 ASCII characters); `frames` is never empty while active."""

    id: str
    chat: str
    flow: str
    status: Status = Status.ACTIVE
    outcome: str | None = None
    frames: tuple[Frame, ...]
    next_visit: int = 1
    revision: int = 0
    """Counts commits; the store refuses a write over a newer one."""
    key: str | None = None
    started_at: datetime
    touched_at: datetime
    expires_at: datetime | None = None
    early: tuple[EarlySignal, ...] = ()
    """Signals that nobody has waited for yet, in the order in which they came."""

    @property
    def top(self) -> Frame:
        """The frame the customer is in."""
        return self.frames[-1]
