"""Values of the runtime as rows of the tables, and back. Pure; columns in the order of `storage.statements`.

A moment is kept in whole milliseconds: what happened is rounded down, what is due is rounded up, so that nothing
fires early.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from engine.core.codec import dump, load
from engine.core.conversation import Conversation, Status
from engine.core.effects import Trace
from engine.runtime.ports import Chat, NewSignal, Outgoing, PendingCall, SignalRow, TimerRow, VisitRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Line = tuple[Any, ...]
"""A row as the driver takes and gives it."""


def past_ms(moment: datetime) -> int:
    """Epoch milliseconds, rounded down. `moment` must be aware."""
    return (moment - _EPOCH) // _MILLISECOND


def due_ms(moment: datetime) -> int:
    """Epoch milliseconds, rounded up. `moment` must be aware."""
    return -((_EPOCH - moment) // _MILLISECOND)


def moment(milliseconds: int) -> datetime:
    """The aware moment of epoch milliseconds, in UTC, exact."""
    return _EPOCH + milliseconds * _MILLISECOND


def chat_line(chat: Chat) -> Line:
    """front, aside, name, username, language, revision, id."""
    aside = msgspec.json.encode(chat.aside).decode() if chat.aside else "[]"
    return (chat.front, aside, chat.name, chat.username, chat.language, chat.revision, chat.id)


def chat_of(line: Line) -> Chat:
    front, aside, name, username, language, revision, key = line
    return Chat(
        id=key,
        front=front,
        aside=() if aside == "[]" else tuple(msgspec.json.decode(aside)),
        name=name,
        username=username,
        language=language,
        revision=revision,
    )


def conversation_line(conversation: Conversation, at: int) -> Line:
    """Every column, for a new conversation."""
    finished = conversation.status is Status.FINISHED
    expires = None if finished or conversation.expires_at is None else due_ms(conversation.expires_at)
    return (
        conversation.id,
        conversation.chat,
        conversation.flow,
        conversation.status.value,
        conversation.key,
        conversation.revision,
        past_ms(conversation.started_at),
        past_ms(conversation.touched_at),
        expires,
        at if finished else None,
        dump(conversation),
    )


def active_change(conversation: Conversation) -> Line:
    """What changes in an open conversation, its id, and the revision that must be there."""
    expires = None if conversation.expires_at is None else due_ms(conversation.expires_at)
    return (
        dump(conversation),
        conversation.revision,
        past_ms(conversation.touched_at),
        expires,
        conversation.key,
        conversation.id,
        conversation.revision - 1,
    )


def finishing_change(conversation: Conversation, at: int) -> Line:
    """What changes in a finished conversation, its id, and the revision that must be there."""
    return (
        dump(conversation),
        conversation.revision,
        past_ms(conversation.touched_at),
        conversation.key,
        at,
        conversation.id,
        conversation.revision - 1,
    )


def conversation_of(data: bytes) -> Conversation:
    return load(data)


def visit_line(visit: VisitRow) -> Line:
    trace = visit.trace
    return (visit.conversation, past_ms(visit.at), trace.visit, trace.step, trace.kind, trace.detail)


def visit_of(line: Line) -> VisitRow:
    conversation, at, visit, step, kind, detail = line
    trace = Trace(visit=visit, step=step, kind=kind, detail=detail)
    return VisitRow(conversation=conversation, at=moment(at), trace=trace)


def outgoing_line(outgoing: Outgoing) -> Line:
    return (
        outgoing.id,
        outgoing.chat,
        outgoing.sequence,
        outgoing.kind,
        outgoing.payload,
        outgoing.surface,
        past_ms(outgoing.created_at),
    )


def outgoing_of(line: Line) -> Outgoing:
    key, chat, sequence, kind, payload, surface, created_at = line
    return Outgoing(
        id=key,
        chat=chat,
        sequence=sequence,
        kind=kind,
        payload=payload,
        surface=surface,
        created_at=moment(created_at),
    )


def timer_line(timer: TimerRow) -> Line:
    return (timer.conversation, timer.chat, timer.visit, timer.name, due_ms(timer.due))


def timer_of(line: Line) -> TimerRow:
    conversation, chat, visit, name, due = line
    return TimerRow(conversation=conversation, chat=chat, visit=visit, name=name, due=moment(due))


def signal_line(signal: NewSignal) -> Line:
    """Every column but the id, and the update id once more: to ask whether it was seen."""
    update = signal.update
    at = past_ms(signal.at)
    return (update, signal.flow, signal.key, signal.name, signal.payload, at, signal.chat, signal.otherwise, update)


def signal_of(line: Line) -> SignalRow:
    number, update, flow, key, name, payload, at, chat, otherwise = line
    return SignalRow(
        id=number,
        update=update,
        flow=flow,
        key=key,
        name=name,
        payload=bytes(payload),
        at=moment(at),
        chat=chat,
        otherwise=otherwise,
    )


def call_line(call: PendingCall) -> Line:
    return (
        call.conversation,
        call.chat,
        call.call,
        call.purpose,
        call.name,
        call.arguments,
        call.retry,
        call.timeout,
        call.attempt,
        due_ms(call.due),
    )


def call_of(line: Line) -> PendingCall:
    conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due = line
    return PendingCall(
        conversation=conversation,
        chat=chat,
        call=call,
        purpose=purpose,
        name=name,
        arguments=arguments,
        retry=retry,
        timeout=timeout,
        attempt=attempt,
        due=moment(due),
    )
