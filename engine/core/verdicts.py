"""What becomes of an answer: the words between judging a reply and acting on it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A validator's yes, and what the answer became."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A validator's no: a sentence, or the key of one in the engine's wording with its values."""

    message: str = ""
    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply that answers the question. `triggers`: the first of them that the step names is fired."""

    value: Value
    triggers: tuple[str, ...] = ("answered",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A reply that does not: what to tell the customer, and by which rule (for the funnel)."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redraw:
    """The reply changed what stands on the screen (a tick, a page); the question goes on. `fields` of the Visit."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    fetch: bool = False
    """The options have to be fetched anew (another page, another search)."""
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Nothing changes; a short notice may say why."""

    notice: str = ""
    alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A button with a trigger of its own on a step that is no question."""

    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFile:
    """Run an `each` action for a file; the fields are changed and the question redrawn."""

    fields: Mapping[str, Any]
    number: int


Verdict = Answer | Refusal | Redraw | Quiet | Leave | CheckFile
