"""What the page sends, read and checked: a frame in, a message or the reason why it is none out. Pure."""

import json
import re
from typing import Annotated, Final

import msgspec

from engine.core.records import record

LARGEST_FRAME: Final = 64 * 1024
"""Characters of one frame. A text of 4096 characters takes at most 48 KiB, however it is written."""
LONGEST_TEXT: Final = 4096
"""Characters, as in Telegram."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]{2,30}")

Id = Annotated[str, msgspec.Meta(pattern=rf"^{_UUID.pattern}\Z")]
"""Made by the page for each input; the same one when it is sent again."""
PersonId = Annotated[str, msgspec.Meta(max_length=24)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
NAMES: Final = 64
"""Characters of a person's name."""


class Hello(msgspec.Struct, tag_field="type", tag="hello"):
    """The first frame. `person` None: whoever is free; `new`: somebody new."""

    person: PersonId | None = None
    known: Count = 0


class TextSent(msgspec.Struct, tag_field="type", tag="text"):
    """Typed text, also a command."""

    id: Id
    text: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]


class PressSent(msgspec.Struct, tag_field="type", tag="press"):
    """A press of a button: callback data as it was drawn, or as somebody made it up."""

    id: Id
    data: Annotated[str, msgspec.Meta(max_length=256)]


class ContactSent(msgspec.Struct, tag_field="type", tag="contact"):
    """The person's own phone number."""

    id: Id
    phone: Annotated[str, msgspec.Meta(max_length=32)]


class LocationSent(msgspec.Struct, tag_field="type", tag="location"):
    """Degrees."""

    id: Id
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class PersonChanged(msgspec.Struct, tag_field="type", tag="person"):
    """Other name, language, roles or phone for the person of this tab; None: as it is."""

    name: Annotated[str, msgspec.Meta(max_length=4 * NAMES)] | None = None
    language: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    roles: Annotated[list[Annotated[str, msgspec.Meta(max_length=128)]], msgspec.Meta(max_length=256)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=32)] | None = None


class Older(msgspec.Struct, tag_field="type", tag="older"):
    """Asks for entries older than `before`."""

    before: Count


Input = TextSent | PressSent | ContactSent | LocationSent
Message = Hello | Input | PersonChanged | Older

_TYPES: Final = frozenset({"hello", "text", "press", "contact", "location", "person", "older"})
_WRONG: Final = {
    "text": f"This text cannot be sent: it may have 1 to {LONGEST_TEXT} characters.",
    "press": "This press could not be read: please reload the page.",
    "contact": "This is no phone number: please give one such as +49 30 901820.",
    "location": "This is no place on earth: latitude goes from -90 to 90 and longitude from -180 to 180.",
}


@record
class Bad:
    """A frame that cannot be used; `id` of the input it was meant to be, where that much could be read."""

    text: str
    id: str | None = None


@record
class Unknown:
    """An object of a type that is none of the chat's: perhaps the workshop's."""

    content: dict[str, object]


def read(frame: str) -> Message | Unknown | Bad:
    """What a frame says."""
    try:
        content = msgspec.json.decode(frame)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return _unreadable(frame)
    if not isinstance(content, dict) or not isinstance(kind := content.get("type"), str):
        return Bad(text="This message has no type and was left out.")
    identity = _identity(content)
    if len(frame) > LARGEST_FRAME:
        return Bad(text=_WRONG.get(kind, "This message is too large and was left out."), id=identity)
    if kind not in _TYPES:
        return Unknown(content=content)
    try:
        message = msgspec.convert(content, Message)
    except (msgspec.MsgspecError, RecursionError):
        return Bad(text=_WRONG.get(kind, f"This “{kind}” message has another form and was left out."), id=identity)
    return _checked(message)


def _unreadable(frame: str) -> Bad:
    """Half a surrogate pair or a NaN is no JSON, but the page has to hear which input it was, or it waits for ever."""
    try:
        content = json.loads(frame) if len(frame) <= LARGEST_FRAME else None
    except (RecursionError, ValueError):
        content = None
    if not isinstance(content, dict):
        return Bad(text="This message is not JSON and was left out.")
    kind = content.get("type")
    wrong = _WRONG.get(kind) if isinstance(kind, str) else None
    return Bad(text=wrong or "This message is not JSON and was left out.", id=_identity(content))


def is_id(text: str) -> bool:
    """Whether this is an id as the page makes them."""
    return _UUID.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether this can be a phone number; the flow decides whether it is a good one."""
    return _PHONE.fullmatch(text) is not None


def _identity(content: dict[str, object]) -> str | None:
    given = content.get("id")
    return given if isinstance(given, str) and is_id(given) else None


def _checked(message: Message) -> Message | Bad:
    match message:
        case TextSent(id=identity, text=text) if not text.strip():
            return Bad(text=_WRONG["text"], id=identity)
        case ContactSent(id=identity, phone=phone) if not is_phone(phone):
            return Bad(text=_WRONG["contact"], id=identity)
        case _:
            return message
