"""The limits of a number, an amount or a day that a question sets, evaluated for this conversation."""

from datetime import datetime
from operator import gt, lt
from typing import Any

from engine.core.display import display
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.values import UNSET, Money, major, money
from engine.core.verdicts import Refusal


def bound(turn: Turn, node: Node, name: str) -> Any:
    """A question's `minimum`, `maximum` or `start`, evaluated; None when there is none."""
    evaluate = node.bounds.get(name)
    if evaluate is None:
        return None
    value = turn.value(evaluate, turn.scope())
    if isinstance(value, datetime):
        return value.astimezone(turn.formats.zone).date()
    return None if value is UNSET else value


def outside_bounds(turn: Turn, node: Node, value: Any) -> Refusal | None:
    """The refusal of a value below the minimum or above the maximum; None when it is within. A limit that cannot be
    compared with the answer is reported and ignored."""
    for name, wrong in (("minimum", lt), ("maximum", gt)):
        limit = bound(turn, node, name)
        if limit is None:
            continue
        try:
            if isinstance(value, Money) and not isinstance(limit, Money):
                limit = money(limit, value.asset)
            outside = wrong(_comparable(value), _comparable(limit))
        except (TypeError, ValueError, ArithmeticError):
            turn.trouble(f"{node.id}: the {name} is no limit for such an answer: {limit!r:.60}")
            continue
        if outside:
            shown = display(turn, limit)
            return Refusal(text=turn.words(f"answer.{name}", limit=shown), rule=f"answer.{name}")
    return None


def _comparable(value: Any) -> Any:
    return major(value) if isinstance(value, Money) else value
