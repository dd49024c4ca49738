"""Looks on while a transcript is played: which conversations there are, how they stand, how they ended."""

from engine.core.advance import Advanced
from engine.core.conversation import Conversation
from engine.core.effects import Finish
from engine.core.events import Event
from engine.core.model import Expression, Template
from engine.runtime.observing import Returned


class Watcher:
    """The Observer of one play. `ended`: ends that no step has mentioned yet, oldest first."""

    def __init__(self) -> None:
        self.conversations: dict[str, Conversation] = {}
        """As they stand now, the one touched last last."""
        self.ended: list[Conversation] = []
        self._over: set[str] = set()

    def advancing(self, conversation: Conversation, event: Event) -> None:
        """Nothing to note."""

    def evaluated(self, source: Expression | Template, value: object) -> None:
        """Nothing to note."""

    def advanced(self, advanced: Advanced) -> None:
        """Note where the conversation stands, and its end once."""
        conversation = advanced.conversation
        self.conversations.pop(conversation.id, None)
        self.conversations[conversation.id] = conversation
        if conversation.id in self._over or not any(isinstance(effect, Finish) for effect in advanced.effects):
            return
        self._over.add(conversation.id)
        self.ended.append(conversation)

    def returned(self, returned: Returned) -> None:
        """Nothing to note."""

    def committed(self, chat: str) -> None:
        """Nothing to note."""
