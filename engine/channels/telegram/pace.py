"""How fast messages go out, so that Telegram need not tell us to wait. No sending.

Telegram's own advice: about one message a second to one chat, short bursts allowed, and about 30 a second to
everybody when nobody asked for them. What answers a customer is not held back by what goes to others.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.runtime.ports import Clock

OVERALL: Final = 28.0
"""Unasked messages a second, over all chats."""
PER_CHAT: Final = 1.0
"""Messages a second to one chat, once its burst is used up."""
BURST: Final = 5
ANSWERS: Final = 3
"""Messages that answer one update and wait for nothing."""
TALKING: Final = 60.0
"""Seconds after a customer's last deed in which what comes still counts as asked for."""
_CHATS: Final = 10_000


@dataclass(slots=True)
class _Chat:
    tokens: float
    at: datetime
    heard: datetime | None = None
    update: str | None = None
    """The newest update that was answered."""
    answers: int = 0
    """How often."""


class Pace:
    """Gives each message its turn. The first answers to an update wait for nothing."""

    def __init__(
        self, clock: Clock, *, overall: float = OVERALL, per_chat: float = PER_CHAT, burst: int = BURST
    ) -> None:
        """Rates are messages a second."""
        self._clock = clock
        self._overall = overall
        self._per_chat = per_chat
        self._burst = burst
        self._chats: OrderedDict[str, _Chat] = OrderedDict()
        self._next: datetime | None = None

    def heard(self, chat: str) -> None:
        """The customer has done something."""
        self._of(chat).heard = self._clock.now()

    async def turn(self, chat: str, reply_to: str | None) -> None:
        """Wait until a message may go to this chat. `reply_to`: the update that it answers."""
        state, now = self._of(chat), self._clock.now()
        if reply_to is not None:
            state.heard = now
            if state.update != reply_to:
                state.update, state.answers = reply_to, 0
            state.answers += 1
            if state.answers <= ANSWERS:
                return
        wait = self._in_chat(state, now)
        if state.heard is None or (now - state.heard).total_seconds() > TALKING:
            wait = max(wait, self._unasked(now))
        if wait > 0:
            await self._clock.sleep(wait)

    def _in_chat(self, state: _Chat, now: datetime) -> float:
        """Seconds until this chat's next message; its turn is taken by that."""
        passed = (now - state.at).total_seconds()
        state.tokens = min(float(self._burst), state.tokens + max(0.0, passed) * self._per_chat) - 1
        state.at = now
        return max(0.0, -state.tokens / self._per_chat)

    def _unasked(self, now: datetime) -> float:
        """Seconds until the next unasked message; its turn is taken by that."""
        due = now if self._next is None or self._next < now else self._next
        self._next = due + timedelta(seconds=1 / self._overall)
        return (due - now).total_seconds()

    def _of(self, chat: str) -> _Chat:
        state = self._chats.get(chat)
        if state is None:
            state = self._chats[chat] = _Chat(tokens=float(self._burst), at=self._clock.now())
            if len(self._chats) > _CHATS:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat)
        return state
