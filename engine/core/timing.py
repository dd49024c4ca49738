"""What a timer does when it fires: in time, late, or at a stay that it does not belong to any more."""

from datetime import datetime, timedelta
from typing import Final

from engine.core import due
from engine.core.conversation import Phase
from engine.core.draw import draw
from engine.core.effects import Say, StartTimer
from engine.core.events import TimerFired
from engine.core.machine import fire
from engine.core.model import Late
from engine.core.moves import leave
from engine.core.navigation import abandon
from engine.core.program import Node
from engine.core.turn import Turn

LEAST_GRACE: Final = timedelta(seconds=10)
"""However little an author allows: a busy bot must not take its own work for an outage."""


def timer(turn: Turn, event: TimerFired) -> None:
    """A timer of the stay or of the whole conversation; one of a stay that was left does nothing."""
    visit, node = turn.work.visit, turn.work.node
    if event.name == "expires" and event.visit == 0:
        _expire(turn, event)
        return
    turn.idle = True  # until somebody hears of it, nothing has happened to the conversation
    if event.visit != visit.number:
        return
    if event.name == "timeout" and (node.after is not None or node.until is not None):
        _time_over(turn, node, event)
    elif event.name == "refresh" and node.refresh is not None:
        again = due.again(turn, max(node.refresh, due.SOONEST))
        turn.emit(StartTimer(visit=visit.number, name="refresh", due=again))
        if visit.phase in (Phase.ASKING, Phase.WAITING):
            turn.change(draw=visit.draw + 1)
            draw(turn, edit=True)


def _is_late(event: TimerFired, late: Late) -> bool:
    return event.lateness > max(late.grace, LEAST_GRACE)


def _time_over(turn: Turn, node: Node, event: TimerFired) -> None:
    late = node.late
    if not _is_late(event, late):
        _leave(turn, node, "timeout")
    elif _open(turn, node, "timeout_late"):
        _leave(turn, node, "timeout_late")
    elif late.skip:
        turn.trace("late", "skipped")
    elif late.more is not None:
        _once_more(turn, due.again(turn, late.more, node))
    elif node.hours is not None and not node.hours.is_open(turn.at):
        _once_more(turn, due.next_opening(turn, node))
    else:
        _leave(turn, node, "timeout")


def _open(turn: Turn, node: Node, trigger: str) -> bool:
    extra = None if node.question is None else {"answer": None}
    return fire(turn.work.program, node, trigger, lambda: turn.scope(extra)) is not None


def _leave(turn: Turn, node: Node, trigger: str) -> None:
    """The time is over: on by this trigger. Where no `if:` holds the step goes on waiting."""
    if not _open(turn, node, trigger):
        turn.trace("timeout_ignored")
        return
    turn.idle = False
    leave(turn, node, trigger)


def _once_more(turn: Turn, moment: datetime) -> None:
    turn.trace("late", f"until {moment.isoformat(timespec='seconds')}")
    turn.emit(StartTimer(visit=turn.work.visit.number, name="timeout", due=moment))


def _expire(turn: Turn, event: TimerFired) -> None:
    if turn.work.visit.phase in (Phase.WAITING, Phase.RUNNING):
        return
    program = turn.stack[0].program
    late = program.flow.late
    if _is_late(event, late) and (late.skip or late.more is not None):
        turn.trace("late", "expires later")
        if late.more is not None:
            turn.expires_at = due.again(turn, late.more)
        return
    turn.work = turn.stack[0]
    text = program.expired
    title = turn.said(program.title, turn.scope())
    turn.emit(Say(text=turn.words("expired", title=title) if text is None else turn.said(text, turn.scope())))
    turn.work = turn.stack[-1]
    abandon(turn, "expired")
