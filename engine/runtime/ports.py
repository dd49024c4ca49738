"""What the runtime needs from the outside, as Protocols: a store, a channel, a clock.

`storage` implements Store twice (Tortoise on SQLite, memory); `channels` implement Channel; tests turn Clock.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final, Protocol

from engine.core.conversation import Conversation
from engine.core.effects import Trace
from engine.core.records import value_record
from engine.core.values import Value
from engine.runtime.journal import Journal
from engine.runtime.sharing import Sharing


@value_record
class Chat:
    """One customer on one channel, and which of their conversations is in front."""

    id: str
    """`telegram:42`, `terminal:anna`."""
    front: str | None = None
    """Id of the conversation that takes typed text."""
    aside: tuple[str, ...] = ()
    """Open conversations behind it, most recently put aside last."""
    name: str = ""
    username: str | None = None
    language: str = "en"
    revision: int = 0


@value_record
class Outgoing:
    """A row of the outbox: one thing to deliver to one chat, in order of `sequence` within the chat."""

    id: str
    chat: str
    sequence: int
    kind: str
    """`show` | `say` | `notice`."""
    payload: bytes
    """JSON of the effect (engine.runtime.outbox encodes and decodes)."""
    surface: str
    """`conversation.visit`: what a later edit replaces; empty for say and notice."""
    created_at: datetime


@value_record
class TimerRow:
    """A pending timer; (conversation, visit, name) is unique."""

    conversation: str
    chat: str
    visit: int
    name: str
    due: datetime


@value_record
class PendingCall:
    """An external action that was recorded and has not come back. (conversation, call) is unique."""

    conversation: str
    chat: str
    call: str
    purpose: str
    name: str
    arguments: bytes
    """JSON by engine.core.codec."""
    retry: bytes
    """JSON of the Retry policy, resolved."""
    timeout: float | None
    attempt: int
    """Attempts made so far."""
    due: datetime


@value_record
class NewSignal:
    """Something that happened outside, on its way to the conversation of `flow` that has this key."""

    update: str
    """What the sender calls it, unique: a repeated one is dropped."""
    flow: str
    key: str
    name: str
    payload: bytes
    """JSON by engine.core.codec."""
    at: datetime
    chat: str = ""
    """Where `otherwise` begins; empty without it."""
    otherwise: str = ""
    """The flow that begins beside in `chat` when no open conversation takes the signal. Without a flow and a name of
    its own it is nothing but this: then the key is the chat's id."""


@value_record
class SignalRow(NewSignal):
    """A signal that was taken and that no conversation has handled yet."""

    id: int
    """Given by the store, rising: signals for one key are delivered in this order."""


@value_record
class VisitRow:
    """A line of the append-only visit log."""

    conversation: str
    at: datetime
    trace: Trace


@value_record
class Commit:
    """Everything one event changes, written in one transaction or not at all."""

    chat: Chat
    new_chat: bool = False
    conversations: tuple[Conversation, ...] = ()
    """New and changed ones; `revision` is already the new number (1 for a new one)."""
    visits: tuple[VisitRow, ...] = ()
    outbox: tuple[Outgoing, ...] = ()
    delivered: tuple[str, ...] = ()
    """Outbox ids known to be delivered: removed."""
    timers: tuple[TimerRow, ...] = ()
    cancelled_timers: tuple[tuple[str, int], ...] = ()
    """(conversation, visit): all timers of a visit that was left; applied before `timers`."""
    fired_timers: tuple[tuple[str, int, str], ...] = ()
    """(conversation, visit, name) of the timer that this commit handles; applied before `timers`. Gone: AlreadySeen."""
    pending: tuple[PendingCall, ...] = ()
    finished_calls: tuple[tuple[str, str], ...] = ()
    """(conversation, call) whose outcome this commit handles. Gone: AlreadySeen."""
    signals: tuple[NewSignal, ...] = ()
    """Signals that this event's actions send; one whose update id is known already is left out."""
    taken_signals: tuple[int, ...] = ()
    """Ids of the signals that this commit handles: removed, their update ids are seen. Gone: AlreadySeen."""
    letters: tuple[int, ...] = ()
    """Ids of the letters that this commit handles: removed. Gone: AlreadySeen."""
    seen: tuple[str, ...] = ()
    """Update ids handled by this commit; a repeated one raises AlreadySeen and nothing is written."""
    at: datetime


class AlreadySeen(Exception):  # noqa: N818 - says what happened
    """What the commit handles was handled before: drop it. `update` names which one: an update id, or the words of the
    timer, call, signal or letter that is not there any more."""

    def __init__(self, message: str = "", *, update: str = "") -> None:
        super().__init__(message)
        self.update = update


class Overtaken(Exception):  # noqa: N818 - says what happened
    """A row's revision is not the one expected: load again and repeat. `conversation` names the conversation,
    or `chat` the chat; the other one is empty."""

    def __init__(self, message: str = "", *, conversation: str = "", chat: str = "") -> None:
        super().__init__(message)
        self.conversation = conversation
        self.chat = chat


class StoreFailed(Exception):  # noqa: N818 - says what happened
    """The store could not do its work: disk, network, another program's lock. It is not the fault of what was asked,
    and the same may go well in a moment."""


class Conflict(Exception):  # noqa: N818 - says what happened
    """Two transactions stood in each other's way (a deadlock): this one is undone as a whole, do it again."""


class Fenced(Exception):  # noqa: N818 - says what happened
    """The chat belongs to another worker by now: nothing is written, and that worker handles the event."""


class Transaction(Protocol):
    """An open transaction: transactional actions run in it, then the commit is applied to it."""

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement with `?` placeholders; the number of rows it changed."""
        ...

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        """Rows of one SELECT or RETURNING."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """What happens inside is undone when it raises; the transaction goes on."""
        ...

    async def apply(self, commit: Commit) -> None:
        """Write a commit as part of this transaction. Raises AlreadySeen, Overtaken, Fenced."""
        ...

    async def send(self, signals: Sequence[NewSignal]) -> None:
        """Write signals as part of this transaction; one whose update id is known already is left out."""
        ...

    async def remember(self, update: str, at: datetime) -> bool:
        """Note an update id as handled by this transaction. False: it was handled before, nothing is noted."""
        ...

    async def chats_of(self, customers: Collection[str]) -> Sequence[str]:
        """The ids of all chats, of whatever channel, whose customer is one of these."""
        ...


UNDELIVERED_FOR: Final = timedelta(days=30)
"""How long a message is tried to be delivered; then it is given up."""
FLOW_GONE_FOR: Final = timedelta(days=90)
"""How long finished conversations of a flow are kept whose file is not there any more."""


@value_record
class Cleaned:
    """What a clean-up deleted."""

    conversations: int = 0
    files: tuple[str, ...] = ()
    """Refs of the files that customers had sent in those conversations: nothing in the store names them any more."""
    signals: int = 0
    """Signals that nobody had asked for in time."""
    outbox: int = 0
    """Messages that could not be delivered in time."""


class Store(Protocol):
    """Durable state. Every method that writes commits before it returns."""

    @property
    def journal(self) -> Journal:
        """What a channel of our own keeps of its chats."""
        ...

    @property
    def sharing(self) -> Sharing | None:
        """How several worker processes share this store; None when it belongs to one process."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def chat(self, chat: str) -> Chat | None: ...

    async def conversation(self, conversation: str) -> Conversation | None: ...

    async def conversations(self, chat: str) -> Sequence[Conversation]:
        """The open ones of a chat, oldest first."""
        ...

    async def by_key(self, flow: str, key: str) -> Conversation | None:
        """The newest open conversation of a flow with that key."""
        ...

    async def ended_by_key(self, flow: str, key: str) -> Conversation | None:
        """The newest finished conversation of a flow with that key that is still kept."""
        ...

    async def seen(self, update: str) -> bool: ...

    async def commit(self, commits: Sequence[Commit]) -> None:
        """Write several events' commits in one transaction. Raises AlreadySeen, Overtaken or Fenced, all undone."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...

    async def keep_signal(self, signal: NewSignal) -> bool:
        """Write a signal down. False: its update id is known (it waits, or was handled), nothing is written."""
        ...

    async def signals(self, flow: str, key: str, limit: int = 100, *, news: bool = False) -> Sequence[SignalRow]:
        """The first ones that wait for a conversation of this flow with this key, in order of id. `news`: only those
        with `otherwise`."""
        ...

    async def deliverable_signals(self, limit: int = 100) -> Sequence[tuple[str, SignalRow]]:
        """(chat, signal): the first one of each (flow, key) that a conversation has or had, and the first one with
        `otherwise` of each that none has or had, in order of id. The chat is that of the newest open conversation, else
        the signal's own, else that of the newest finished one. For a worker, of its own buckets."""
        ...

    async def drop_signal(self, signal: int) -> None:
        """Remove one that came too late; its update id stays known."""
        ...

    async def changed_outside(self) -> bool:
        """Whether another process has written since this was asked last (such as `stepgram signal`). Cheap."""
        ...

    async def delivered(self, outbox: Sequence[str]) -> None: ...

    async def undelivered(self) -> Sequence[Outgoing]:
        """Everything in the outbox, by chat and sequence."""
        ...

    async def undelivered_to(self, chats: Sequence[str]) -> Sequence[Outgoing]:
        """What the outbox has for these chats, by chat and sequence."""
        ...

    async def due_timers(self, now: datetime, limit: int = 100) -> Sequence[TimerRow]: ...

    async def due_expirations(self, now: datetime, limit: int = 100) -> Sequence[Conversation]:
        """Open conversations whose `expires_at` is over."""
        ...

    async def due_calls(self, now: datetime, limit: int = 100) -> Sequence[PendingCall]: ...

    async def timers(self, conversation: str) -> Sequence[TimerRow]:
        """All of a conversation that are pending, the next one first."""
        ...

    async def calls(self, conversation: str) -> Sequence[PendingCall]:
        """All of a conversation that have not come back, by the moment of their next attempt."""
        ...

    async def next_due(self) -> datetime | None:
        """The earliest moment of any timer, expiration or pending call."""
        ...

    async def attempted(self, conversation: str, call: str, attempt: int, due: datetime) -> None:
        """Note a failed attempt of a pending call and when the next one is due."""
        ...

    async def cleanup(self, now: datetime, retention: Mapping[str, float | None]) -> Cleaned:
        """Delete finished conversations older than their flow's retention (seconds, None: keep) with their
        visits, updates seen more than 7 days ago, signals and undelivered messages older than their time, and give
        room on the disk back."""
        ...

    async def unnamed(self, files: Collection[str]) -> Sequence[str]:
        """Those of these refs of files that no conversation, no pending call and no waiting message names."""
        ...

    async def history(self, conversation: str) -> Sequence[VisitRow]: ...


class Clock(Protocol):
    """Time, real or turned by hand."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Elsewhere(Exception):  # noqa: N818 - says what happened
    """A message for a chat that no channel of this process serves: it stays in the outbox for one that does."""


class Channel(Protocol):
    """The edge: brings events in, carries the outbox out."""

    async def deliver(self, outgoing: Outgoing) -> None:
        """Bring one thing to the customer; return when it is there.

        Raises Elsewhere for a chat of another channel, and anything else to be tried again.
        """
        ...


@value_record
class Envelope:
    """An update from outside, on its way to a conversation: exactly one of the kinds of `what`."""

    chat: str
    update: str | None
    """Unique per update of the channel; a repeated one is dropped. None: cannot repeat."""
    what: object
    """An engine.core.events.Event, or Command / CallbackPressed of engine.runtime.routing."""
    name: str = ""
    username: str | None = None
    language: str | None = None
    letter: int | None = None
    """Id of the letter by which another process handed it over."""
    arguments: Mapping[str, Value] = field(default_factory=dict)
