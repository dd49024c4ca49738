"""How several worker processes share one store: chats fall into buckets, a bucket is leased to one worker at a time.

Only what the runtime asks of a store; the store's own clock counts the leases. Nothing here knows a conversation.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from engine.core.records import record

BUCKETS: Final = 256
BEAT: Final = 1.0
"""Seconds between two beats of a worker."""
LEASE: Final = 5.0
"""Seconds after its last beat until a worker counts as dead and its buckets are free."""


def bucket_of(chat: str) -> int:
    """The bucket of a chat, 0…255: the first byte of the MD5 of its id, so that a database can count it too."""
    return hashlib.md5(chat.encode(), usedforsecurity=False).digest()[0]


@record
class Letter:
    """An update that one process received and another one is to handle."""

    id: int
    """Given by the store, rising: letters of one chat are handled in this order."""
    chat: str
    payload: bytes
    """JSON by engine.runtime.letters."""


@record
class NewLetter:
    """A letter on its way into the store."""

    chat: str
    update: str
    """Unique: a repeated one is dropped."""
    payload: bytes


@record
class Standing:
    """What a beat found out."""

    buckets: frozenset[int]
    """Leased to this worker now."""
    fair: int
    """How many it should have: who has more gives some up."""
    workers: int
    """Alive ones, this one included."""
    leader: bool
    """Whether it is the one that cleans up: the one that joined first."""
    lost: bool = False
    """The lease had run out before this beat: everything it held may be another's by now."""


Heard = Callable[[str, Sequence[str]], None]
"""`inbox` with buckets, `outbox` with chat ids, `signal` with nothing: something new is in the store. A hint only."""


class Sharing(Protocol):
    """A worker's hold on its share. The worker's name is given when the store is opened."""

    @property
    def worker(self) -> str:
        """This worker's name, new for every start."""
        ...

    async def beat(self) -> Standing:
        """Join or renew, free what dead workers held, take free buckets up to the fair share. Raises StoreError."""
        ...

    async def give_up(self, buckets: Collection[int]) -> None:
        """Let others have these buckets: nothing of them is under way here any more."""
        ...

    async def leave(self) -> None:
        """Give up everything: the worker ends."""
        ...

    async def post(self, letters: Sequence[NewLetter]) -> None:
        """Write letters down and tell the others. Durable when it returns; repeated updates are left out."""
        ...

    async def letters(self, buckets: Collection[int], after: int = 0, limit: int = 500) -> Sequence[Letter]:
        """Letters of these buckets with a higher id than `after`, in order of id."""
        ...

    async def drop(self, letters: Collection[int]) -> None:
        """Remove letters that are not to be handled."""
        ...

    async def hold(self, name: str) -> bool:
        """Be the only process that does this (such as serving one bot's customers), as long as the process lives.
        False: another one is."""
        ...

    def listen(self, heard: Heard) -> None:
        """Call `heard` (in the event loop, must not wait) when another process, or this one, wrote something."""
        ...
