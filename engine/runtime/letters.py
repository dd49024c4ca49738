"""Letters: an update that one process received, as JSON for the process that handles it, and back. Pure.

Everything a channel may bring travels, and what begins beside in another worker's chat; what else comes from inside
(`Addressed`) never does: it is found in the store.
"""

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, Final

import msgspec

from engine.core.codec import NotStorableError, dump_data, load_data
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    ButtonPressed,
    ContactShared,
    FileReceived,
    Happened,
    LocationShared,
    Navigated,
    PutAside,
    Resumed,
    SignalReceived,
    Started,
    TextReceived,
    TimerFired,
)
from engine.core.records import record
from engine.core.values import Value
from engine.runtime.ports import Envelope
from engine.runtime.routing import Beside, CallbackPressed, Command, Start

VERSION: Final = 1

KINDS: Final[Mapping[str, type]] = {
    "started": Started,
    "text": TextReceived,
    "button": ButtonPressed,
    "file": FileReceived,
    "contact": ContactShared,
    "location": LocationShared,
    "move": Navigated,
    "aside": PutAside,
    "resumed": Resumed,
    "signal": SignalReceived,
    "timer": TimerFired,
    "finished": ActionFinished,
    "failed": ActionFailed,
    "command": Command,
    "press": CallbackPressed,
    "start": Start,
    "beside": Beside,
}
"""What an envelope may hold, by the word that stands for it in a letter. Letters outlive a version: never reuse one."""
_DAMAGES: Final = (
    msgspec.DecodeError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading bytes that are no letter can raise."""
_WORDS: Final = {kind: word for word, kind in KINDS.items()}


@record
class Unreadable:
    """Bytes that are no letter of this version. `reason` is for the log; it holds nothing of the customer's."""

    reason: str


@record
class _Head:
    """An envelope without what it carries."""

    chat: str
    update: str | None
    name: str = ""
    username: str | None = None
    language: str | None = None
    arguments: dict[str, Value] = field(default_factory=dict)


def encode(envelope: Envelope) -> bytes:
    """The letter of an update; the id of the letter it came by is not part of it. Raises NotStorableError for what
    never travels and for values that no store takes."""
    what = envelope.what
    word = _WORDS.get(type(what))
    if word is None:
        raise NotStorableError(f"a {type(what).__name__} never travels in a letter")
    head: dict[str, Value] = {item.name: getattr(envelope, item.name) for item in fields(_Head)}
    body: dict[str, Value] = {item.name: getattr(what, item.name) for item in fields(KINDS[word])}
    try:
        return dump_data({"v": VERSION, "head": head, "kind": word, "what": body})
    except UnicodeEncodeError as error:
        raise NotStorableError("a text is not valid Unicode") from error
    except RecursionError as error:
        raise NotStorableError("a value is nested too deeply") from error


def decode(data: bytes, letter: int | None = None) -> Envelope | Unreadable:
    """The inverse of `encode`; `letter`: the id that the store gave it. Lists come back as tuples."""
    try:
        return _read(load_data(data), letter)
    except msgspec.ValidationError as error:
        return Unreadable(reason=f"a field is not as it should be: {error}")
    except (
        msgspec.DecodeError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        return Unreadable(reason=f"it is damaged ({type(error).__name__})")


def _read(read: Any, letter: int | None) -> Envelope | Unreadable:
    if not isinstance(read, dict) or read.get("v") != VERSION:
        return Unreadable(reason=f"it is not of format {VERSION}: another version of Stepgram wrote it")
    kind = KINDS.get(read["kind"])
    if kind is None:
        return Unreadable(reason="it holds a kind of update that this version of Stepgram does not know")
    head = msgspec.convert(read["head"], _Head)
    what: object = msgspec.convert(read["what"], kind)
    if isinstance(what, Happened) and what.at.tzinfo is None:
        return Unreadable(reason="its moment has no time zone")
    return Envelope(
        chat=head.chat,
        update=head.update,
        what=what,
        name=head.name,
        username=head.username,
        language=head.language,
        letter=letter,
        arguments=head.arguments,
    )
