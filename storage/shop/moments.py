"""Moments as the shop's tables keep them: whole milliseconds since 1970. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


def millis(moment: datetime) -> int:
    """The milliseconds of an aware moment; what is smaller is cut off."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment(stamp: object) -> datetime:
    """The moment of a table's milliseconds, UTC. Raises ValueError for what is no whole number."""
    return _EPOCH + timedelta(milliseconds=int(str(stamp)))
