"""The outbox's rows: effects that a customer sees, to JSON and back. No delivery here (see `delivery`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import msgspec

from engine.core.effects import Notice, Say, Show
from engine.core.fitting import fitted
from engine.runtime.ports import Outgoing

Visible = Show | Say | Notice
"""The effects that go out to a customer."""


class UnknownKind(Exception):  # noqa: N818 - says what happened
    """An outbox row of a kind that this version does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row of the outbox, read."""

    effect: Visible
    reply_to: str | None
    """Id of the update that caused it: a channel answers that very press with a Notice."""


class _Shown(msgspec.Struct):
    effect: Show
    reply_to: str | None = None


class _Said(msgspec.Struct):
    effect: Say
    reply_to: str | None = None


class _Noticed(msgspec.Struct):
    effect: Notice
    reply_to: str | None = None


_encoder = msgspec.json.Encoder()
_show = msgspec.json.Decoder(_Shown)
_say = msgspec.json.Decoder(_Said)
_notice = msgspec.json.Decoder(_Noticed)


def encode(effect: Visible, reply_to: str | None = None) -> tuple[str, bytes]:
    """The kind and the payload of an outbox row."""
    match effect:
        case Show():
            return "show", _encoder.encode(_Shown(effect=effect, reply_to=reply_to))
        case Say():
            return "say", _encoder.encode(_Said(effect=effect, reply_to=reply_to))
        case Notice():
            return "notice", _encoder.encode(_Noticed(effect=effect, reply_to=reply_to))
        case never:
            assert_never(never)


def decode(outgoing: Outgoing) -> Delivery:
    """What a row carries. Raises UnknownKind, and msgspec.DecodeError for a damaged payload."""
    decoder: msgspec.json.Decoder[_Shown] | msgspec.json.Decoder[_Said] | msgspec.json.Decoder[_Noticed]
    match outgoing.kind:
        case "show":
            decoder = _show
        case "say":
            decoder = _say
        case "notice":
            decoder = _notice
        case kind:
            raise UnknownKind(f"the outbox has a row of the unknown kind “{kind}”")
    read = decoder.decode(outgoing.payload)
    return Delivery(effect=read.effect, reply_to=read.reply_to)


def compose(
    effect: Visible,
    *,
    chat: str,
    sequence: int,
    conversation: str | None,
    at: datetime,
    reply_to: str | None = None,
) -> Outgoing:
    """A row for the outbox, within Telegram's limits. Its id follows from chat and sequence, so a repeated send is
    known as such."""
    kind, payload = encode(fitted(effect), reply_to)
    surface = f"{conversation}.{effect.over or effect.visit}" if conversation and isinstance(effect, Show) else ""
    return Outgoing(
        id=f"{chat}#{sequence}",
        chat=chat,
        sequence=sequence,
        kind=kind,
        payload=payload,
        surface=surface,
        created_at=at,
    )


def callback_data(surface: str, draw: int, code: str) -> str:
    """What a channel puts into a button: `conversation.visit.draw.code`, `surface` as `pressed` gives it."""
    return f"{surface}.{draw}.{code}"


def pressed(surface: str, show: Show) -> str:
    """`conversation.visit` of a message's buttons: of the visit that was drawn, also in an earlier one's message."""
    return f"{surface.rpartition('.')[0]}.{show.visit}" if show.over else surface
