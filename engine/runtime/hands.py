"""What a worker at its share asks of the runtime that it is part of. No behaviour."""

from collections.abc import Collection, Sequence
from typing import Protocol

from engine.runtime.ports import Envelope


class Hands(Protocol):
    """What runs the conversations of this worker."""

    async def post(self, envelope: Envelope) -> bool:
        """Into the chat's queue; whether it was handled."""
        ...

    def busy(self) -> Collection[str]:
        """Chats with anything under way."""
        ...

    def cut(self, buckets: Collection[int]) -> None:
        """Stop the calls of these buckets."""
        ...

    def forget(self, buckets: Collection[int]) -> None:
        """These buckets are another worker's."""
        ...

    async def take_over(self, buckets: Collection[int]) -> None:
        """These buckets are ours now: their messages, timers, calls and signals."""
        ...

    async def outbox(self, chats: Sequence[str]) -> None:
        """Others wrote messages for these chats; none named: for any."""
        ...

    def signalled(self) -> None:
        """A signal was written down."""
        ...
