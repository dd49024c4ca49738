"""Calendars of working hours: what is open when, the next opening, how working time adds up. Pure.

Times of day are wall-clock times of the calendar's time zone. Of two equal times (a clock is put back) the first is
meant; a time that a clock leaves out is moved on by what is left out.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from engine.core.expressions.formats import moment_of, zone_of
from engine.core.records import record
from engine.core.values import Value

HORIZON: Final = 1100
"""Days that are looked through for an opening."""
MOST_OPENINGS: Final = 5000
"""Openings that working time may be spread over; what is left then counts as plain time."""
LONGEST_PIECE: Final = timedelta(days=8)
"""An opening without a pause is handed out in pieces of about this length."""
LONGEST_OPENING: Final = timedelta(days=366)

_LAST: Final = datetime.max.replace(tzinfo=UTC)

Span = tuple[int, int]
"""Minutes from midnight; an end above 1440 is on the next day."""


@record
class Hours:
    """When somebody is there. `week` has the openings of each day, Monday first; they may reach into the next day."""

    time_zone: str
    week: tuple[tuple[Span, ...], ...]
    closed: frozenset[date] = frozenset()
    closed_yearly: frozenset[tuple[int, int]] = frozenset()
    """(month, day): closed each year."""

    def is_open(self, moment: datetime) -> bool:
        """Whether it is open at this moment; at the end of an opening it is not any more."""
        found = next(self.openings(moment), None)
        return found is not None and found[0] <= moment

    def opening(self, moment: datetime) -> datetime | None:
        """The moment itself when it is open then, else the next opening; None when there is none for years."""
        found = next(self.openings(moment), None)
        return None if found is None else max(found[0], moment)

    def after(self, moment: datetime, working: timedelta) -> datetime:
        """The moment at which so much working time has gone by. Raises OverflowError beyond the year 9999."""
        left, last = working, moment
        for count, (opens, closes) in enumerate(self.openings(moment)):
            begins = max(opens, moment)
            if count >= MOST_OPENINGS or left <= closes - begins:
                return begins + left
            left, last = left - (closes - begins), closes
        return last + left

    def openings(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """(begin, end) of the openings that end after this moment, in order, without overlaps."""
        zone = zone_of(self.time_zone)
        first = moment.astimezone(zone).date().toordinal() - 1
        piece: tuple[datetime, datetime] | None = None
        for ordinal in range(max(1, first), min(first + HORIZON, date.max.toordinal() - 2)):
            for opens, closes in self._on(date.fromordinal(ordinal), zone):
                if closes <= moment or (piece is not None and closes <= piece[1]):
                    continue
                if piece is None:
                    piece = (opens, closes)
                elif opens <= piece[1] and piece[1] - max(piece[0], moment) < LONGEST_PIECE:
                    piece = (piece[0], closes)
                else:
                    yield piece
                    piece = (max(opens, piece[1]), closes)
        if piece is not None:
            yield piece

    def _on(self, day: date, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        spans = self.week[day.weekday()]
        if not spans or day in self.closed or (day.month, day.day) in self.closed_yearly:
            return
        for start, end in spans:
            yield moment_of(day, start, zone), moment_of(day, end, zone)


def seen(hours: Mapping[str, Hours], moment: datetime) -> dict[str, Value]:
    """The calendars as texts and conditions see them: `hours.NAME.open`, `.opens` and `.closes`."""
    return {name: _seen(calendar, moment) for name, calendar in hours.items()}


def _seen(calendar: Hours, moment: datetime) -> dict[str, Value]:
    far = moment + min(LONGEST_OPENING, _LAST - moment)
    openings = calendar.openings(moment)
    begin, closes = next(openings, (far, far))
    opens = far
    for later, until in openings:
        if later > closes:
            opens = later
            break
        closes = until
        if closes >= far:
            break
    is_open = begin <= moment
    return {"open": is_open, "opens": opens if is_open else begin, "closes": closes}
