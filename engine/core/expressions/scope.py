"""What an evaluation reads and may spend: names, formats, budget. No evaluation happens here."""

from collections.abc import Callable, Mapping
from typing import Final

from engine.core.expressions.formats import Formats
from engine.core.values import UNSET, Unset

BUDGET: Final = 10_000
"""How much one evaluation may do: about one per evaluated part in loops, one per item in filters."""
LONGEST_TEXT: Final = 100_000
"""Characters that any text made during evaluation may have."""

HOURS: Final = "hours"
"""The name of the calendars of working hours. In `extra` stands a function that works them out."""


class EvaluationError(Exception):
    """The only exception of an evaluation; its message says in simple words what went wrong."""


class Scope:
    """Names of one evaluation: `extra` (such as `answer`, `now`) is looked at before `data`.

    `budget` is what is left to spend; make a new scope for every event so that it is whole again.
    """

    __slots__ = ("budget", "data", "extra", "formats", "loops")

    def __init__(
        self,
        data: Mapping[str, object],
        extra: Mapping[str, object],
        formats: Formats,
        budget: int = BUDGET,
    ) -> None:
        self.data = data
        self.extra = extra
        self.formats = formats
        self.budget = budget
        self.loops: dict[str, object] = {}
        """Names of the loops that are running, innermost wins."""

    def spend(self, cost: int) -> None:
        """Take `cost` from the budget. Raises EvaluationError when it is used up."""
        self.budget -= cost
        if self.budget < 0:
            raise EvaluationError("This has too much to work out; show fewer items.")


def checked_text(text: str) -> str:
    """`text`, when it is short enough. Raises EvaluationError."""
    if len(text) > LONGEST_TEXT:
        raise EvaluationError(f"A text of {len(text)} characters is too long.")
    return text


def check_length(characters: int) -> None:
    """Before a text is made: raises EvaluationError when it would be too long."""
    if characters > LONGEST_TEXT:
        raise EvaluationError(f"A text of {characters} characters is too long.")


def walk(scope: Scope, items: object) -> tuple[object, ...]:
    """The items of a list, paid for. Nothing is an empty list. Raises EvaluationError for anything else."""
    if isinstance(items, list | tuple):
        scope.spend(len(items))
        return tuple(items)
    if items is None or isinstance(items, Unset):
        return ()
    raise EvaluationError("A list was expected.")


def _calendars(scope: Scope) -> object:
    found = scope.extra.get(HOURS, UNSET)
    return found() if callable(found) else found


WORKED_OUT: Final[Mapping[str, Callable[[Scope], object]]] = {
    "today": lambda scope: scope.formats.today,
    HOURS: _calendars,
}
"""Names that are worked out only where an expression uses them: the calendar day where the bot lives, and the
calendars of working hours."""
