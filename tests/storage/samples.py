"""Values to store: chats, conversations and commits, small and complete. Only builders, no tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.core.conversation import Conversation, Frame, Status, Visit
from engine.core.effects import Trace
from engine.core.values import Money
from engine.runtime.ports import Chat, Commit, Outgoing, PendingCall, TimerRow, VisitRow

T0 = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def conversation(name: str = "c1", chat: str = "terminal:anna", **changes: Any) -> Conversation:
    frame = Frame(
        flow="order",
        version="v1",
        visit=Visit(number=1, step="name"),
        data={"price": Money(minor=1250, asset="EUR"), "infill": Decimal("0.2"), "name": "Żaneta <b>"},
    )
    first = Conversation(id=name, chat=chat, flow="order", frames=(frame,), revision=1, started_at=T0, touched_at=T0)
    return replace(first, **changes)


def stepped(before: Conversation, seconds: float = 1, **changes: Any) -> Conversation:
    """The next revision of a conversation."""
    return replace(before, revision=before.revision + 1, touched_at=at(seconds), **changes)


def finished(before: Conversation, seconds: float = 1) -> Conversation:
    return stepped(before, seconds, status=Status.FINISHED, outcome="completed", expires_at=None)


def outgoing(key: str, sequence: int, chat: str = "terminal:anna") -> Outgoing:
    return Outgoing(
        id=key, chat=chat, sequence=sequence, kind="say", payload=b'{"text":"hi"}', surface="", created_at=T0
    )


def timer(seconds: float, visit: int = 1, name: str = "timeout", of: str = "c1") -> TimerRow:
    return TimerRow(conversation=of, chat="terminal:anna", visit=visit, name=name, due=at(seconds))


def pending(seconds: float, call: str = "1.do", of: str = "c1") -> PendingCall:
    return PendingCall(
        conversation=of,
        chat="terminal:anna",
        call=call,
        purpose="do",
        name="http.post",
        arguments=b"{}",
        retry=b"null",
        timeout=2.5,
        attempt=0,
        due=at(seconds),
    )


def visit(kind: str, of: str = "c1", number: int = 1) -> VisitRow:
    return VisitRow(conversation=of, at=T0, trace=Trace(visit=number, step="name", kind=kind, detail="x; y"))


def commit(chat: Chat, *conversations: Conversation, seconds: float = 0, **more: Any) -> Commit:
    return Commit(chat=chat, new_chat=chat.revision == 1, conversations=conversations, at=at(seconds), **more)


class Writer:
    """Makes the commits of one chat, one after the other, with the chat's revision counted."""

    def __init__(self, chat: str = "terminal:anna") -> None:
        self.chat = Chat(id=chat, name="Anna", revision=0)

    def next(self, *conversations: Conversation, seconds: float = 0, **more: Any) -> Commit:
        self.chat = replace(self.chat, revision=self.chat.revision + 1)
        return commit(self.chat, *conversations, seconds=seconds, **more)
