"""Coming back to a step with `redraw: true`: in which message it is drawn, and what of the way there is kept.

A stay carries along whose message was pressed last, as long as nothing has been said since. No drawing here.
"""

from engine.core.conversation import Past, Visit
from engine.core.events import ActionFailed, ActionFinished, ButtonPressed, Event
from engine.core.model import Path
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.values import Value


def draws_over(visit: Visit) -> bool:
    """Whether the stay is drawn in the message of an earlier one at the same step."""
    return visit.over is not None and visit.over[0] == visit.step


def surface(visit: Visit) -> int:
    """The number of the stay whose message this one is drawn in: an earlier one's, or its own."""
    return visit.over[1] if visit.over is not None and visit.over[0] == visit.step else visit.number


def is_behind(visit: Visit, number: int) -> bool:
    """Whether a press of the stay `number` is of this very message, which is drawn anew: the customer was quicker."""
    return visit.over is not None and visit.over[1] <= number < visit.number


def begin(turn: Turn, event: Event) -> None:
    """Before anything is done: which message may be drawn over from here."""
    visit, node = turn.work.visit, turn.work.program.nodes.get(turn.work.visit.step)
    if visit.over is None and (node is None or not node.step.redraw):  # nearly always
        turn.over = None
        return
    match event:
        case ButtonPressed(visit=number) if number == visit.number and node is not None and node.step.redraw:
            turn.over = (visit.step, surface(visit))
        case ActionFinished() | ActionFailed() if not draws_over(visit):
            turn.over = visit.over
        case _:
            turn.over = None


def arrive(turn: Turn, node: Node) -> bool:
    """Whether the stay that has just begun is drawn over the one before; the way between them is folded then, and
    else its message is its own."""
    visit = turn.work.visit
    if visit.over is None:  # nearly always
        return False
    if not (node.step.redraw and draws_over(visit)):
        turn.change(over=None)
        return False
    _fold(turn, node)
    return True


def _fold(turn: Turn, node: Node) -> None:
    """The stays since the last one at this step become one with it: a customer who presses ➕ a hundred times has
    been here once. Not what an action's undo, a called flow or a final step has to find again."""
    work = turn.work
    trail = work.trail
    start = next((at for at in range(len(trail) - 1, -1, -1) if trail[at].step == node.id), -1)
    if work.edit is not None or start < 0 or not all(_folds(turn, past) for past in trail[start:]):
        return
    while start and trail[start - 1].step == node.id and _folds(turn, trail[start - 1]):
        start -= 1
    first = trail[start]
    changes: dict[Path, Value] = {}
    for past in trail[start:]:
        for path, before in past.changes:
            changes.setdefault(path, before)
    merged = Past(
        number=first.number, step=first.step, trigger=first.trigger, value=first.value, changes=tuple(changes.items())
    )
    work.trail = (*trail[:start], merged)


def _folds(turn: Turn, past: Past) -> bool:
    node = turn.work.program.nodes.get(past.step)
    return past.undo is None and past.child is None and past.draft is None and (node is None or not node.final)
