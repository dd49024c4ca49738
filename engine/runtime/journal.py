"""What a channel of our own keeps of a chat, since no messenger does it for us: messages, people, what was tried.

The browser chat writes it and draws itself from it after a reload or a restart. Values and a Protocol only;
`storage` implements it twice (SQLite, memory).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engine.core.records import record


@record
class Entry:
    """One line of a chat's journal. `id` counts up over all chats; 0 before it is written."""

    id: int = 0
    chat: str
    at: datetime
    kind: str
    """What the payload holds: `engine.channels.web.entries` knows the kinds."""
    key: str
    """Unique: the id of the update or of the outbox row it comes from. A repeated one is not written again."""
    conversation: str = ""
    """The conversation it belongs to, where that is known."""
    surface: str = ""
    """`conversation.visit` of a message that a later edit replaces; else empty."""
    payload: bytes
    """JSON."""
    revision: int = 1
    """1 when new; each edit counts up."""
    handled: bool = True
    """False: an input that has not been brought to the engine yet."""


@record
class Person:
    """Somebody who uses the browser chat. Their chat is `web:ID`."""

    id: str
    """At most 24 characters of a-z and 0-9."""
    name: str
    language: str = "en"
    roles: tuple[str, ...] = ()
    """Roles that were given to them on the page, beside those of `bot.yaml`."""
    phone: str = ""
    seen_at: datetime
    """When a page last spoke for them."""


class Journal(Protocol):
    """Durable; every method that writes commits before it returns.

    A text that no database takes (half a surrogate pair; a key without or with more than 200 characters) raises
    the store's own error, and so does a store that is closed, full or damaged. Numbers may be of any size.
    """

    async def append(self, entry: Entry) -> tuple[Entry, bool]:
        """Write an entry; the written one and True. One with the same key is there already: that one and False."""
        ...

    async def append_all(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bool]]:
        """Write several entries with one commit, all or none; for each what `append` gives."""
        ...

    async def edit(self, chat: str, surface: str, payload: bytes, at: datetime) -> Entry | None:
        """Replace the payload of the newest entry with this surface, its revision counted up.

        The entry is of the moment `at` from now on. None: there is no such entry."""
        ...

    async def amend(self, entry: int, payload: bytes) -> Entry | None:
        """Replace the payload of one entry, its revision counted up; None: it is gone."""
        ...

    async def handled(self, entry: int) -> None:
        """The engine has taken this input."""
        ...

    async def drop(self, entries: Sequence[int]) -> None:
        """Delete entries that nobody needs any more, such as inputs that are handled; gone ones are fine."""
        ...

    async def of_surface(self, chat: str, surface: str) -> Entry | None:
        """The newest entry of a chat with this surface."""
        ...

    async def entry(self, entry: int) -> Entry | None: ...

    async def entries(self, chat: str, *, before: int | None = None, limit: int = 200) -> Sequence[Entry]:
        """The newest `limit` entries of a chat (older than `before`), oldest first."""
        ...

    async def unhandled(self, channel: str = "") -> Sequence[Entry]:
        """Inputs that the engine has not taken yet, of the chats that begin with `channel`, oldest first."""
        ...

    async def people(self) -> Sequence[Person]:
        """Everybody, the one seen last first."""
        ...

    async def keep(self, person: Person) -> None:
        """Write a person, new or known."""
        ...

    async def value(self, name: str) -> str | None:
        """A setting of the page itself, such as how far its clock was turned."""
        ...

    async def set_value(self, name: str, value: str) -> None: ...

    async def old(self, kind: str, before: datetime) -> Sequence[Entry]:
        """Entries of one kind that `clean` would delete."""
        ...

    async def clean(self, before: datetime) -> int:
        """Delete entries older than this, except inputs that the engine has not taken; how many went."""
        ...
