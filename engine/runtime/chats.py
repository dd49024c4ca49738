"""Chats with their open conversations, kept in memory while they are in use. The rows' revisions guard it."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Final

from engine.core.conversation import Conversation
from engine.core.records import record
from engine.runtime.library import Library
from engine.runtime.ports import Chat, Store
from engine.runtime.sharing import bucket_of

CAPACITY: Final = 4096
"""Chats kept in memory."""


@record
class Loaded:
    """A chat as the store has it."""

    chat: Chat
    new: bool
    """Never written before."""
    open: tuple[Conversation, ...]
    """Open conversations on the current versions of their flows, oldest first."""
    outdated: tuple[Conversation, ...] = ()
    """Open ones that stand at a step which has gone: they cannot go on."""
    library: Library | None = None
    """Whose versions `open` stands on."""


class Chats:
    """Reads chats through a cache that forgets the least recently used one."""

    def __init__(self, store: Store, capacity: int = CAPACITY) -> None:
        self._store = store
        self._capacity = capacity
        self._kept: OrderedDict[str, Loaded] = OrderedDict()

    async def load(self, chat: str, library: Library) -> Loaded:
        """The chat with its conversations on this library's versions; a new one when nobody has written from there yet.

        What is kept from before flows were edited is read again.
        """
        kept = self._kept.get(chat)
        if kept is not None and kept.library is library:
            self._kept.move_to_end(chat)
            return kept
        stored = await self._store.chat(chat)
        if stored is None:
            return Loaded(chat=Chat(id=chat), new=True, open=(), library=library)
        conversations, outdated = [], []
        for conversation in await self._store.conversations(chat):
            adopted = library.adopt(conversation)
            if adopted is None:
                outdated.append(conversation)
            else:
                conversations.append(adopted)
        return Loaded(chat=stored, new=False, open=tuple(conversations), outdated=tuple(outdated), library=library)

    def keep(self, chat: Chat, conversations: Iterable[Conversation], library: Library) -> None:
        """How the chat stands after a commit."""
        self._kept[chat.id] = Loaded(chat=chat, new=False, open=tuple(conversations), library=library)
        self._kept.move_to_end(chat.id)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def forget(self, buckets: Collection[int]) -> None:
        """Drop every chat of these buckets."""
        for chat in [chat for chat in self._kept if bucket_of(chat) in buckets]:
            del self._kept[chat]

    def drop(self, chat: str) -> None:
        """What is known may be wrong: read it again next time."""
        self._kept.pop(chat, None)
