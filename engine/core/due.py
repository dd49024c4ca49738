"""When the timers of a stay are due: after a while or at a moment, in working hours or at any time. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.core.program import Node
from engine.core.turn import Turn

SOONEST: Final = timedelta(seconds=1)
"""No timer is due sooner: steps whose time is over at once must not chase each other without a pause."""
LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)


def limit_of(turn: Turn, node: Node) -> datetime | None:
    """When the stay's time is over; None when it is not limited (or when its moment cannot be worked out)."""
    if node.after is not None:
        return again(turn, node.after, node)
    if node.until is None:
        return None
    value = turn.value(node.until, turn.scope())
    if isinstance(value, str):
        value = _read(turn, value)
    if isinstance(value, timedelta):
        return _kept(turn, lambda: _opening(node, turn.at + value))
    if isinstance(value, datetime):
        moment = value
        return _kept(turn, lambda: _opening(node, moment.astimezone(UTC)))
    turn.trouble(f"{node.id}: `until` gave no time")
    return None


def _read(turn: Turn, text: str) -> datetime | None:
    """A moment as an API writes it (ISO 8601); without an offset it is meant where the bot lives."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=turn.formats.zone)


def again(turn: Turn, span: timedelta, node: Node | None = None) -> datetime:
    """So long from now: of working time where the step keeps to working hours."""
    hours = None if node is None else node.hours
    return _kept(turn, lambda: turn.at + span if hours is None else hours.after(turn.at, span))


def next_opening(turn: Turn, node: Node) -> datetime:
    """When the step's working hours begin, if they have not begun yet."""
    return _kept(turn, lambda: _opening(node, turn.at))


def _opening(node: Node, moment: datetime) -> datetime:
    return moment if node.hours is None else node.hours.opening(moment) or LATEST


def _kept(turn: Turn, due: Callable[[], datetime]) -> datetime:
    """Not before a moment from now, and not beyond the years that a date can have."""
    try:
        return min(max(due(), turn.at + SOONEST), LATEST)
    except OverflowError:
        return LATEST
