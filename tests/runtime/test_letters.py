"""Letters come back as they were written, for everything that can happen; what is damaged is told, never raised."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.codec import NotStorableError
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    ButtonPressed,
    ContactShared,
    Event,
    FileReceived,
    LocationShared,
    Move,
    Navigated,
    PutAside,
    Resumed,
    SignalReceived,
    Started,
    TextReceived,
    TimerFired,
)
from engine.core.values import UNSET, Money
from engine.runtime.letters import KINDS, Unreadable, decode, encode
from engine.runtime.ports import Envelope
from engine.runtime.routing import Addressed, Beside, CallbackPressed, Command, Start

EVERY = [*get_args(Event), Command, CallbackPressed, Start, Beside]
AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
VALUES = {
    "text": "Żaneta <b> \0 \"'",
    "list": ("a", 1, ("b",)),
    "price": Money(minor=10**30, asset="EUR"),
    "infill": Decimal("0.20"),
    "wide": 2**70,
    "day": date(2026, 2, 28),
    "moment": AT.astimezone(timezone(timedelta(hours=5))),
    "span": timedelta(days=-1, microseconds=3),
    "record": {"$": "dec", "v": "1", "inner": {"": None}},
    "set": True,
    "unset": UNSET,
    "share": 0.1,
}
PLAIN: dict[str, Any] = {
    "str": "ż\n\0 /start",
    "int": 7,
    "float": 52.229676,
    "bool": False,
    "datetime": AT,
    "Mapping": VALUES,
    "Move": Move.SKIP,
}


def sample(kind: type) -> object:
    """A value of this kind, each field filled with something that is not its default."""

    def value(annotation: object) -> Any:
        name = getattr(annotation, "__name__", str(annotation))
        if name in PLAIN:
            return PLAIN[name]
        inner = next(one for one in get_args(annotation) if one is not type(None))
        return value(inner)

    return kind(**{item.name: value(item.type) for item in fields(kind)})  # type: ignore[arg-type]


def envelope(what: object, **more: Any) -> Envelope:
    return Envelope(chat="telegram:42", update="telegram:42:7", what=what, **more)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_kind_comes_back(kind: type) -> None:
    letter = envelope(sample(kind), name="Anna \0", username="anna", language="pl", arguments=VALUES)
    assert decode(encode(letter)) == letter
    assert decode(encode(letter), 17) == replace(letter, letter=17)
    assert encode(replace(letter, letter=17)) == encode(letter), "where it came from is not part of it"


def test_every_kind_has_its_word() -> None:
    assert set(KINDS.values()) == set(EVERY)
    assert len(KINDS) == len(set(KINDS.values()))


def test_the_words_of_letters_that_may_still_lie_in_a_database() -> None:
    assert dict(KINDS) == {
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
    old = (
        b'{"v":1,"head":{"chat":"telegram:42","update":null,"name":"","username":null,"language":null,"arguments":{}},'
        b'"kind":"text","what":{"at":{"$":"at","v":"2026-11-20T12:00:00.123456+00:00"},"text":"hi"}}'
    )
    assert decode(old) == Envelope(chat="telegram:42", update=None, what=TextReceived(at=AT, text="hi"))


def test_every_field_of_an_envelope_travels() -> None:
    """A new field of Envelope must be thought of."""
    head = json.loads(encode(envelope(Resumed(at=AT))))["head"]
    assert {*head, "what", "letter"} == {item.name for item in fields(Envelope)}


def test_an_update_of_a_channel() -> None:
    file = {"name": "a.stl", "size": 12, "mime": "model/stl", "ref": "ab/cd", "kind": "document"}
    for what in (
        TextReceived(at=AT, text=""),
        FileReceived(at=AT, file=file),
        ContactShared(at=AT, phone="+48 600"),
        LocationShared(at=AT, latitude=-90.0, longitude=0.0),
        Navigated(at=AT, move=Move.BACK),
        Command(name="start"),
        CallbackPressed(data="c1.1.1.ok"),
        Start(flow="order"),
    ):
        letter = Envelope(chat="web:anna", update=None, what=what)
        assert decode(encode(letter)) == letter


@pytest.mark.parametrize(
    "what", [Addressed(conversation="c1"), None, "text", object()], ids=["addressed", "none", "text", "object"]
)
def test_what_comes_from_inside_never_travels(what: object) -> None:
    with pytest.raises(NotStorableError, match="never travels"):
        encode(envelope(what))


def test_what_no_store_takes_is_refused() -> None:
    deep: Any = ()
    for _ in range(100_000):
        deep = (deep,)
    for bad in ({"x": object()}, {"x": "\ud800"}, {"x": deep}):
        with pytest.raises(NotStorableError):
            encode(envelope(Start(flow="order", arguments=bad)))
    with pytest.raises(NotStorableError, match="not valid Unicode"):
        encode(envelope(TextReceived(at=AT, text="a\ud800")))


def damaged(change: Any) -> bytes:
    raw = json.loads(encode(envelope(TextReceived(at=AT, text="secret"), name="secret")))
    change(raw)
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"null", "format 1"),
        (b"[1]", "format 1"),
        (b'"text"', "format 1"),
        (b"[" * 100_000, "damaged"),
        (b'{"v":' + b"9" * 5000 + b"}", ""),
        (b'{"v":{"$":"dec","v":"zz"}}', "damaged"),
        (b'{"v":{"$":"span","v":1e300}}', "damaged"),
        (b'{"v":{"$":"money","v":[]}}', "damaged"),
        (b'{"v":{"$":"map","v":1}}', "damaged"),
        (b'{"v":1}', "damaged"),
        (damaged(lambda raw: raw.update(v=2)), "another version"),
        (damaged(lambda raw: raw.update(kind="poll")), "does not know"),
        (damaged(lambda raw: raw.update(kind=["text"])), "does not know"),
        (damaged(lambda raw: raw.update(kind={"a": 1})), "damaged"),
        (damaged(lambda raw: raw.pop("head")), "damaged"),
        (damaged(lambda raw: raw["head"].pop("chat")), "missing required field `chat`"),
        (damaged(lambda raw: raw["head"].update(chat=7)), "field"),
        (damaged(lambda raw: raw["head"].update(arguments=[1])), "field"),
        (damaged(lambda raw: raw["what"].pop("text")), "missing required field `text`"),
        (damaged(lambda raw: raw["what"].update(text=None)), "field"),
        (damaged(lambda raw: raw["what"].update(at="soon")), "field"),
        (damaged(lambda raw: raw["what"].update(at={"$": "at", "v": "2026-11-20T12:00"})), "time zone"),
        (damaged(lambda raw: raw.update(what=7)), "field"),
        (damaged(lambda raw: raw.update(kind="location", what={"at": raw["what"]["at"], "latitude": None})), "field"),
    ],
)
def test_damaged_bytes_are_told(data: bytes, reason: str) -> None:
    read = decode(data, 5)
    assert isinstance(read, Unreadable)
    assert reason in read.reason
    assert "secret" not in read.reason


def test_a_field_of_a_newer_version_is_left_out() -> None:
    read = decode(damaged(lambda raw: raw["what"].update(reply="x")))
    assert isinstance(read, Envelope)
    assert read.what == TextReceived(at=AT, text="secret")


@given(data=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_answered(data: bytes) -> None:
    assert isinstance(decode(data), Unreadable)


@given(cut=st.integers(0, 400), put=st.binary(max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_letter_with_a_wrong_byte_is_answered(cut: int, put: bytes) -> None:
    whole = encode(envelope(Start(flow="order", arguments=VALUES), arguments=VALUES))
    assert isinstance(decode(whole[:cut] + put + whole[cut + len(put) :]), Unreadable | Envelope)
