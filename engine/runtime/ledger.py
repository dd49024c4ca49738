"""What one event changes, gathered while it is handled, and at the end one Commit. No I/O, no decisions."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from engine.core.conversation import Conversation, Status
from engine.core.effects import CancelTimers, StartTimer, Trace
from engine.core.records import replaced
from engine.runtime.outbox import Visible, compose
from engine.runtime.ports import Chat, Commit, NewSignal, Outgoing, PendingCall, TimerRow, VisitRow
from engine.runtime.routing import holds_front

ROWS_PER_COMMIT = 1000
"""Sequence numbers of the outbox: chat's revision x 1000 + place in the commit, so they rise for ever."""


class Ledger:
    """One chat's changes. `open` and `chat` always show how things stand after what was noted so far."""

    def __init__(
        self,
        *,
        chat: Chat,
        new: bool,
        conversations: Sequence[Conversation],
        at: datetime,
        reply_to: str | None,
    ) -> None:
        self.chat = chat
        self.new = new
        self.at = at
        self.reply_to = reply_to
        self.open: dict[str, Conversation] = {item.id: item for item in conversations}
        self.front_ended = False
        """The conversation in front ended or left the chat free."""
        self._revisions = {item.id: item.revision for item in conversations}
        self._keys = {item.id: item.key for item in conversations}
        self._changed: dict[str, Conversation] = {}
        self._visits: list[VisitRow] = []
        self._outbox: list[Outgoing] = []
        self._timers: dict[tuple[str, int, str], TimerRow] = {}
        self._cancelled: dict[tuple[str, int], None] = {}
        self._pending: dict[tuple[str, str], PendingCall] = {}
        self.fired: tuple[tuple[str, int, str], ...] = ()
        self.finished_calls: tuple[tuple[str, str], ...] = ()
        self.delivered: tuple[str, ...] = ()
        self.letters: tuple[int, ...] = ()
        self.taken_signals: tuple[int, ...] = ()
        self._signals: list[NewSignal] = []

    # --- conversations ----------------------------------------------------------------------------------

    def put(self, conversation: Conversation) -> None:
        """A conversation as it now stands; one that is over leaves the chat."""
        self._changed[conversation.id] = conversation
        if conversation.status is Status.ACTIVE:
            self.open[conversation.id] = conversation
            return
        self.open.pop(conversation.id, None)
        for key in [key for key in self._timers if key[0] == conversation.id]:
            del self._timers[key]
        self._leave_front(conversation.id)
        self.chat = replaced(self.chat, aside=tuple(name for name in self.chat.aside if name != conversation.id))

    def revisit(self, conversation: Conversation) -> None:
        """Take in one that is over: something that it had set off has come back."""
        self._revisions[conversation.id] = conversation.revision

    def bring_to_front(self, conversation: str) -> str | None:
        """Put it in front; the conversation that had to go aside for it, if there was one."""
        before = self.chat.front
        if before == conversation:
            return None
        aside = [name for name in self.chat.aside if name != conversation]
        displaced = before if before in self.open else None
        if displaced is not None:
            aside.append(displaced)
        self.chat = replaced(self.chat, front=conversation, aside=tuple(aside))
        return displaced

    def settle(self) -> None:
        """Who waits for signals leaves the chat free; who woke up takes it, or queues behind."""
        for name, conversation in self.open.items():
            if not holds_front(conversation):
                self._leave_front(name)
                if name in self.chat.aside:
                    self.chat = replaced(self.chat, aside=tuple(n for n in self.chat.aside if n != name))
            elif name != self.chat.front and name not in self.chat.aside:
                if self.chat.front is None:
                    self.chat = replaced(self.chat, front=name)
                else:
                    self.chat = replaced(self.chat, aside=(*self.chat.aside, name))

    def _leave_front(self, conversation: str) -> None:
        if self.chat.front == conversation:
            self.chat = replaced(self.chat, front=None)
            self.front_ended = True

    # --- effects ----------------------------------------------------------------------------------------

    def tell(self, effect: Visible, conversation: str | None) -> None:
        """One thing for the customer to see."""
        sequence = (self.chat.revision + 1) * ROWS_PER_COMMIT + len(self._outbox)
        self._outbox.append(
            compose(
                effect,
                chat=self.chat.id,
                sequence=sequence,
                conversation=conversation,
                at=self.at,
                reply_to=self.reply_to,
            )
        )

    def trace(self, conversation: str, trace: Trace) -> None:
        """One line of the visit log."""
        self._visits.append(VisitRow(conversation=conversation, at=self.at, trace=trace))

    def start_timer(self, conversation: str, timer: StartTimer) -> None:
        """A timer is set, or moved."""
        self._timers[conversation, timer.visit, timer.name] = TimerRow(
            conversation=conversation, chat=self.chat.id, visit=timer.visit, name=timer.name, due=timer.due
        )

    def cancel_timers(self, conversation: str, timers: CancelTimers) -> None:
        """A visit was left."""
        for key in [key for key in self._timers if key[:2] == (conversation, timers.visit)]:
            del self._timers[key]
        self._cancelled[conversation, timers.visit] = None

    def await_call(self, call: PendingCall) -> None:
        """An external action is to run after the commit."""
        self._pending[call.conversation, call.call] = call

    def send(self, signal: NewSignal) -> None:
        """A signal goes out with this commit."""
        self._signals.append(signal)

    # --- the end ----------------------------------------------------------------------------------------

    @property
    def outbox(self) -> Sequence[Outgoing]:
        """What the customer gets to see, in order."""
        return self._outbox

    @property
    def changed(self) -> Sequence[Conversation]:
        """New and changed conversations."""
        return tuple(self._changed.values())

    @property
    def pending(self) -> Sequence[PendingCall]:
        """The external calls of this commit."""
        return tuple(self._pending.values())

    @property
    def signals(self) -> Sequence[NewSignal]:
        """The signals that this commit sends."""
        return self._signals

    @property
    def keyed(self) -> Sequence[tuple[str, str]]:
        """(flow, key) of conversations whose key is new, and of those that are over: signals may wait for them."""
        return [
            (item.flow, item.key)
            for item in self._changed.values()
            if item.key is not None and (item.status is Status.FINISHED or self._keys.get(item.id) != item.key)
        ]

    @property
    def earliest(self) -> datetime | None:
        """When the next of the timers and expirations set here is due."""
        earliest = min([timer.due for timer in self._timers.values()]) if self._timers else None
        for item in self._changed.values():
            expires = item.expires_at
            if expires is not None and (earliest is None or expires < earliest):
                earliest = expires
        return earliest

    def commit(self, update: str | None, others: Iterable[str] = ()) -> Commit:
        """Everything as one Commit. Call once; `chat` and `open` then carry their new revisions.

        `others`: updates that are not to be handled any more, beside `update`.
        """
        self.chat = replaced(self.chat, revision=self.chat.revision + 1)
        changed = tuple([self._numbered(item) for item in self._changed.values()])
        for item in changed:
            if item.id in self.open:
                self.open[item.id] = item
        return Commit(
            chat=self.chat,
            new_chat=self.new,
            conversations=changed,
            visits=tuple(self._visits),
            outbox=tuple(self._outbox),
            delivered=self.delivered,
            timers=tuple(self._timers.values()),
            cancelled_timers=tuple(self._cancelled),
            fired_timers=self.fired,
            pending=tuple(self._pending.values()),
            finished_calls=self.finished_calls,
            signals=tuple(self._signals),
            taken_signals=self.taken_signals,
            letters=self.letters,
            seen=(*others,) if update is None else (update, *others),
            at=self.at,
        )

    def _numbered(self, conversation: Conversation) -> Conversation:
        return replaced(conversation, revision=self._revisions.get(conversation.id, 0) + 1)
