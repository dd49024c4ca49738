"""What can happen to a conversation. Values only; `engine.core.advance` matches them."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from engine.core.records import value_record
from engine.core.values import Value


@value_record
class Happened:
    """Every event says when it happened (aware, UTC): the core has no clock."""

    at: datetime


@value_record
class Started(Happened):
    """The first event of a conversation."""

    arguments: Mapping[str, Value] = field(default_factory=dict)


@value_record
class TextReceived(Happened):
    text: str


@value_record
class ButtonPressed(Happened):
    """A press of a button that this conversation drew: `visit` and `draw` say when, `code` which."""

    visit: int
    draw: int
    code: str


@value_record
class FileReceived(Happened):
    """A document or photo; `file` is a record of `engine.core.types.FILE`."""

    file: Mapping[str, Value]


@value_record
class ContactShared(Happened):
    """`own`: the sender's own number, as Telegram's button sends it, not somebody's card."""

    phone: str
    own: bool = True


@value_record
class LocationShared(Happened):
    latitude: float
    longitude: float


class Move(StrEnum):
    """Navigation that no author draws; typed as /back, /skip, /cancel, or pressed."""

    BACK = "back"
    SKIP = "skip"
    CANCEL = "cancel"
    RETRY = "retry"
    REPLACE = "replace"
    """Cancelled because the customer begins it anew."""


@value_record
class Navigated(Happened):
    move: Move


@value_record
class PutAside(Happened):
    """Another flow came to the front. Nothing changes but the front."""


@value_record
class Resumed(Happened):
    """Back in front: the current step is drawn again, exactly as it stood."""


@value_record
class SignalReceived(Happened):
    name: str
    payload: Mapping[str, Value] = field(default_factory=dict)


@value_record
class TimerFired(Happened):
    """`visit` fences it: a timer of a step that was left does nothing."""

    visit: int
    name: str
    """`timeout` | `refresh` | `expires` (visit 0: the conversation's own)."""
    due: datetime | None = None
    """Its moment, when the bot was not there at that moment; None: it comes in time, whatever `at` says."""

    @property
    def lateness(self) -> timedelta:
        """How late it is; zero when it comes in time."""
        return timedelta(0) if self.due is None else max(timedelta(0), self.at - self.due)


@value_record
class ActionFinished(Happened):
    """An `Invoke` came back: the outcome's name and its record. For a source: outcome `rows`,
    value {"rows": tuple of rows, "total": int, "paged": bool}: `paged` when the source has cut out the page itself."""

    call: str
    outcome: str
    value: Mapping[str, Value]


@value_record
class ActionFailed(Happened):
    """An `Invoke` failed for good: after its last retry, or at once where retrying makes no sense."""

    call: str
    kind: str
    """`timeout` | `unreachable` | `error` | `refused`."""
    reason: str
    """For logs and for `failure.reason`; never a traceback."""


Event = (
    Started | TextReceived | ButtonPressed | FileReceived | ContactShared | LocationShared | Navigated
    | PutAside | Resumed | SignalReceived | TimerFired | ActionFinished | ActionFailed
)  # fmt: skip
