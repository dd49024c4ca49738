"""What becomes of an answer: the words between judging a reply and acting on it. Values only."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.core.records import value_record
from engine.core.values import Value


@value_record
class Accepted:
    """A validator's yes, and what the answer became."""

    value: Any


@value_record
class Refused:
    """A validator's no: a sentence, or the key of one in the engine's wording with its values."""

    message: str = ""
    key: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@value_record
class Answer:
    """A reply that answers the question. `triggers`: the first of them that the step names is fired."""

    value: Value
    triggers: tuple[str, ...] = ("answered",)


@value_record
class Refusal:
    """A reply that does not: what to tell the customer, and by which rule (for the funnel)."""

    text: str
    rule: str


@value_record
class Redraw:
    """The reply changed what stands on the screen (a tick, a page); the question goes on. `fields` of the Visit."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    fetch: bool = False
    """The options have to be fetched anew (another page, another search)."""
    notice: str = ""


@value_record
class Quiet:
    """Nothing changes; a short notice may say why."""

    notice: str = ""
    alert: bool = False


@value_record
class Leave:
    """A button with a trigger of its own on a step that is no question."""

    trigger: str


@value_record
class CheckFile:
    """Run an `each` action for a file; the fields are changed and the question redrawn."""

    fields: Mapping[str, Any]
    number: int


Verdict = Answer | Refusal | Redraw | Quiet | Leave | CheckFile
