"""A signal as it is sent, and what may become of it. One rule for actions, webhooks and the command line. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.core.codec import NotStorableError, dump_data
from engine.core.early import awaited
from engine.core.keys import short_key
from engine.core.values import Value
from engine.runtime.library import Library
from engine.runtime.ports import NewSignal

MOST_SIGNALS: Final = 1000
"""Signals that one outcome of an action, and one update, may send."""
LARGEST_PAYLOAD: Final = 64 * 1024
"""Bytes of JSON that a signal may bring."""
LONGEST_UPDATE: Final = 100
"""Characters of a sender's own id; a longer one is known by its digest."""
_MOST_PLACES: Final = 50
"""Before or behind the point of a number, so that reckoning with it stays cheap."""


class Sent(StrEnum):
    """What became of a signal."""

    DELIVERED = "delivered"
    """A conversation has it: taken by the step that waits for it, or kept in it for a later one."""
    KEPT = "kept"
    """Written down; delivered as soon as there is a conversation with that key, for seven days."""
    DUPLICATE = "duplicate"
    """A signal with this id is known: nothing was done."""
    LATE = "late"
    """The conversation with that key is over: dropped."""
    UNKNOWN_FLOW = "unknown_flow"
    UNKNOWN_SIGNAL = "unknown_signal"
    """No step of the flow, or of one it calls, waits for such a signal: refused."""

    @property
    def refused(self) -> bool:
        """Nothing was written down: the sender has made a mistake."""
        return self in (Sent.UNKNOWN_FLOW, Sent.UNKNOWN_SIGNAL)


class UnfitSignal(ValueError):  # noqa: N818 - says what it is
    """A signal that cannot be kept: no key, or a payload that is too big or no record of the language."""


def signals_of(library: Library, flow: str) -> frozenset[str] | None:
    """The signals that a flow and those it calls wait for; None: there is no such flow."""
    if flow not in library.programs:
        return None
    return awaited(lambda name: library.programs[name].flow, [flow])


def payload_of(text: bytes | str) -> dict[str, Value]:
    """A payload out of JSON: an object; numbers with places become Decimal. Raises UnfitSignal."""
    try:
        raw = json.loads(text, parse_float=_decimal, parse_constant=_no_number)
    except RecursionError as error:
        raise UnfitSignal("The payload has too many lists or records inside each other.") from error
    except ValueError as error:  # no UTF-8 is one, too
        raise UnfitSignal(f"The payload is no JSON: {error}.") from error
    if not isinstance(raw, dict):
        raise UnfitSignal("The payload must be a JSON object such as {}.")
    return raw


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MOST_PLACES:
        raise ValueError(f"the number {text[:30]} is too big or too small")
    return number


def _no_number(text: str) -> Value:
    raise ValueError(f"{text} is no number")


def update_of(sender: str) -> str:
    """The id under which a repeated signal is known: apart from the updates of channels, and short enough."""
    short = sender if len(sender) <= LONGEST_UPDATE and sender.isprintable() else None
    return f"signal:{short or hashlib.sha256(sender.encode('utf-8', 'surrogatepass')).hexdigest()}"


def new_signal(
    *,
    flow: str,
    key: str,
    name: str,
    payload: Mapping[str, Value],
    update: str,
    at: datetime,
    chat: str = "",
    otherwise: str = "",
) -> NewSignal:
    """The row of a signal; with `otherwise`, of news for `chat`. Raises UnfitSignal."""
    if not key:
        raise UnfitSignal("A signal needs the key of the conversation that it is for.")
    try:
        packed = dump_data(dict(payload))
    except (NotStorableError, TypeError, ValueError, RecursionError) as error:
        raise UnfitSignal(f"The payload cannot be kept: {error}.") from error
    if len(packed) > LARGEST_PAYLOAD:
        raise UnfitSignal(f"The payload has {len(packed)} bytes; at most {LARGEST_PAYLOAD} are taken.")
    return NewSignal(
        update=update,
        flow=flow,
        key=short_key(key),
        name=name,
        payload=packed,
        at=at,
        chat=chat,
        otherwise=otherwise,
    )
