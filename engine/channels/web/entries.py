"""Entries of the journal: their payloads as kept (JSON), and what the page is given of them. No I/O.

Kinds of a customer's input: text, press, file, photo, contact, location. Of the bot: show, say, notice. Of the
workshop (from `system`, one sentence each): clock, timer, signal, rig. For transcripts only: called, drawn, redrawn.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, assert_never

import msgspec

from engine.core.effects import Notice, Press, Say, Show
from engine.runtime.journal import Entry
from engine.runtime.outbox import Visible, callback_data, pressed

INPUTS: Final = frozenset({"text", "press", "file", "photo", "contact", "location"})
SYSTEM: Final = frozenset({"clock", "timer", "signal", "rig"})
HIDDEN: Final = frozenset({"press", "called", "notice", "drawn", "redrawn"})
"""Kinds that the page is not sent: they are for transcripts and for knowing a repeated input."""
INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Images that a browser shows safely. SVG is none of them: it can carry scripts."""

ShareLabels = Callable[[str], str]
"""`contact` or `location` → the label of the button that shares it, in the customer's language."""


class Button(msgspec.Struct, omit_defaults=True):
    """A drawn button: `data` is the callback data, or `url` a link."""

    text: str
    data: str = ""
    url: str | None = None


class Shown(msgspec.Struct, omit_defaults=True):
    """`show`: a question or a message of a step."""

    html: str
    rows: tuple[tuple[Button, ...], ...] = ()
    photo: tuple[str, str] | None = None
    """(kind, content) as in `engine.core.effects.Show`."""
    accepts: tuple[str, ...] = ()
    visit: int = 0
    over: int = 0
    """The visit whose message it is drawn in, when that is another one."""
    sequence: int = 0
    """Of the outbox row it was drawn from: an older drawing never replaces a newer one."""


class Said(msgspec.Struct, omit_defaults=True):
    """`say`: a message without a step of its own."""

    html: str


class Noticed(msgspec.Struct, omit_defaults=True):
    """`notice`: the answer to the press with the id `reply`."""

    text: str
    alert: bool = False
    reply: str | None = None
    """The page's id of the input; None: of nothing that the page sent."""


class Text(msgspec.Struct):
    """`text`, and every entry of the system."""

    text: str


class Pressed(msgspec.Struct):
    """`press`: callback data as the page sent it."""

    data: str


class Contact(msgspec.Struct):
    """`contact`."""

    phone: str


class Location(msgspec.Struct):
    """`location`, degrees."""

    latitude: float
    longitude: float


class Received(msgspec.Struct):
    """`file` and `photo`: the record of a kept file, as `engine.core.types.FILE` has it."""

    name: str
    size: int
    mime: str
    ref: str
    kind: Literal["document", "photo"]


Payload = Shown | Said | Noticed | Text | Pressed | Contact | Location | Received

_KINDS: Final[Mapping[str, type[Payload]]] = {
    "show": Shown,
    "say": Said,
    "notice": Noticed,
    "text": Text,
    "press": Pressed,
    "contact": Contact,
    "location": Location,
    "file": Received,
    "photo": Received,
    **dict.fromkeys(SYSTEM, Text),
}


def encoded(payload: Payload) -> bytes:
    """The payload of an entry."""
    return msgspec.json.encode(payload)


def payload_of(entry: Entry) -> Payload | None:
    """The entry's payload, read; None: damaged, or of a kind that is not the page's."""
    kind = _KINDS.get(entry.kind)
    if kind is None:
        return None
    try:
        return msgspec.json.decode(entry.payload, type=kind)
    except msgspec.MsgspecError:
        return None


def of_effect(effect: Visible, *, surface: str, sequence: int, reply: str | None) -> Payload:
    """What the journal keeps of something that goes to a customer."""
    match effect:
        case Say(text=text):
            return Said(html=text)
        case Notice(text=text, alert=alert):
            return Noticed(text=text, alert=alert, reply=reply)
        case Show() as show:
            here = pressed(surface, show)
            return Shown(
                html=show.text,
                rows=tuple(tuple(_button(press, here, show.draw) for press in row) for row in show.rows),
                photo=show.photo,
                accepts=tuple(sorted(show.accepts)),
                visit=show.visit,
                over=show.over,
                sequence=sequence,
            )
        case never:
            assert_never(never)


def _button(press: Press, surface: str, draw: int) -> Button:
    if press.url:
        return Button(text=press.text, url=press.url)
    return Button(text=press.text, data=callback_data(surface, draw, press.code))


def for_page(entry: Entry, share: ShareLabels) -> dict[str, object] | None:
    """The entry as the protocol has it; None: it is not for the page."""
    payload = None if entry.kind in HIDDEN else payload_of(entry)
    if payload is None:
        return None
    shown: dict[str, object] = {
        "id": entry.id,
        "revision": entry.revision,
        "at": entry.at,
        "from": _sender(entry.kind),
        "kind": entry.kind,
        **_body(entry, payload, share),
    }
    if entry.kind in INPUTS:
        shown["input"] = entry.key.removeprefix(f"{entry.chat}:")
    if entry.conversation:
        shown["conversation"] = entry.conversation
    return shown


def _sender(kind: str) -> str:
    if kind in INPUTS:
        return "customer"
    return "system" if kind in SYSTEM else "bot"


def _body(entry: Entry, payload: Payload, share: ShareLabels) -> dict[str, object]:
    match payload:
        case Shown():
            return _shown(entry, payload, share)
        case Said(html=html):
            return {"html": html}
        case Text(text=text):
            return {"text": text}
        case Contact(phone=phone):
            return {"phone": phone}
        case Location(latitude=latitude, longitude=longitude):
            return {"latitude": latitude, "longitude": longitude}
        case Received(name=name, size=size, mime=mime):
            image = mime in INLINE
            return {"file": {"name": name, "size": size, "url": f"/file/{entry.id}", "image": image}}
        case Noticed() | Pressed():
            return {}
        case never:
            assert_never(never)


def _shown(entry: Entry, shown: Shown, share: ShareLabels) -> dict[str, object]:
    body: dict[str, object] = {"html": shown.html}
    if shown.rows:
        body["rows"] = shown.rows
    if shown.photo is not None:
        body["picture"] = _picture(entry, *shown.photo)
    if shown.accepts:
        body["accepts"] = shown.accepts
    shares = {kind: share(kind) for kind in ("contact", "location") if kind in shown.accepts}
    if shares:
        body["share"] = shares
    return body


def _picture(entry: Entry, kind: str, content: str) -> str:
    """A web address goes to the page as it is; everything else is fetched from us (`r`: an edit may change it)."""
    if kind == "value" and is_web_address(content):
        return content
    return f"/picture/{entry.id}?r={entry.revision}"


def is_web_address(text: str) -> bool:
    """Whether this is an http(s) address and not the ref of a kept file."""
    return text.lower().startswith(("http://", "https://"))
