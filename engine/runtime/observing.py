"""Looking on while the engine works, and standing in for an action: for the workshop and for transcripts.

Production has neither: an `Observer` or a `StandIn` is handed in, or nobody looks. Protocols and values only.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from engine.actions.catalog import ActionSignature, SourceSignature
from engine.actions.context import Context
from engine.core.advance import Advanced
from engine.core.conversation import Conversation
from engine.core.events import Event
from engine.core.model import Expression, Template
from engine.core.records import record
from engine.core.values import Value


@record
class Returned:
    """One attempt of an action or source that came back."""

    at: datetime
    chat: str
    conversation: str
    call: str
    name: str
    source: bool
    """A source of rows, not an action."""
    arguments: Mapping[str, Value]
    outcome: str = ""
    """Empty: it failed."""
    asked: bool = False
    """It asked the engine for something besides: to start a flow, to cancel, to signal."""
    value: Mapping[str, Value]
    """The outcome's record; of a source {"rows": …, "total": …, "paged": …}; of a failure
    {"kind": …, "reason": …, "retry": …}."""


class Observer(Protocol):
    """Is told what happens, at once and in order. Must be quick and must not raise."""

    def advancing(self, conversation: Conversation, event: Event) -> None:
        """The core is about to be asked."""
        ...

    def evaluated(self, source: Expression | Template, value: object) -> None:
        """An expression or text with something put in gave this value (an EvaluationError: it failed)."""
        ...

    def advanced(self, advanced: Advanced) -> None:
        """What the core made of it; not committed yet."""
        ...

    def returned(self, returned: Returned) -> None:
        """An action or source came back, before its outcome is handled."""
        ...

    def committed(self, chat: str) -> None:
        """An event of this chat was committed."""
        ...


class StandIn(Protocol):
    """May answer in an action's place."""

    async def instead(
        self, signature: ActionSignature | SourceSignature, context: Context, arguments: Mapping[str, Value]
    ) -> tuple[str, Mapping[str, Value]] | None:
        """Outcome and value as `engine.actions.invoke.invoke` gives them; None: let the action itself run.

        May wait, and may raise `engine.actions.errors.ActionError` as an action does.
        """
        ...
