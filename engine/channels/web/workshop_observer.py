"""Looks on while the engine works and keeps, for the pane, what every expression gave. Memory only, bounded.

Runs inside the engine's own step: quick, and nothing in here may raise.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from engine.channels.web.workshop_values import file_words, readable
from engine.core.advance import Advanced
from engine.core.conversation import Conversation
from engine.core.effects import Invoke, Show
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    ButtonPressed,
    ContactShared,
    Event,
    FileReceived,
    LocationShared,
    Move,
    Navigated,
    PutAside,
    Resumed,
    SignalReceived,
    Started,
    TextReceived,
    TimerFired,
)
from engine.core.expressions import EvaluationError
from engine.core.model import Expression, Template
from engine.core.program import Program
from engine.runtime.observing import Returned

EVENTS: Final = 20
"""Events kept of one conversation."""
ITEMS: Final = 200
"""Evaluations kept of one event."""
CONVERSATIONS: Final = 500
"""Conversations in memory; the one that was quiet for longest goes first."""
LONGEST: Final = 300
"""Characters of a value or a source."""
_LABELS: Final = 200

log = logging.getLogger("stepgram.workshop")
T = TypeVar("T")

Item = tuple[Expression | Template, str, bool]
"""What was evaluated, its value in words, and whether it was good: small, since there may be many."""
RECENT: Final = 20
"""Conversations of a chat that are known by name, the newest ones."""

_ENGINE_BUTTONS: Final[Mapping[str, str]] = {
    "n:back": "Back",
    "n:cancel": "Cancel",
    "n:cancel!": "Cancel",
    "n:stay": "Stay",
    "n:skip": "Skip",
    "n:keep": "Keep",
    "n:retry": "Try again",
    "x:ok": "Done",
    "q:ok": "Take",
    "q:+": "+",
    "q:-": "−",
}
_MOVES: Final[Mapping[Move, str]] = {
    Move.BACK: "went back",
    Move.SKIP: "skipped the question",
    Move.CANCEL: "cancelled",
    Move.RETRY: "tried again",
    Move.REPLACE: "began it anew",
}
_PLAIN: Final[Mapping[type, str]] = {
    Started: "started",
    PutAside: "was put aside",
    Resumed: "came back to it",
}


@dataclass(slots=True, kw_only=True)
class Observed:
    """One event and what was evaluated for it."""

    what: Event
    event: str
    at: datetime
    step: str
    items: list[Item] = field(default_factory=list)

    def message(self, most: int = ITEMS) -> dict[str, object]:
        """As the protocol has it, with so many items at most."""
        items = [_item(*item) for item in self.items[:most]]
        return {"event": self.event, "at": self.at, "step": self.step, "items": items}


def _item(source: Expression | Template, value: str, good: bool) -> dict[str, object]:
    return {
        "file": source.span.file,
        "line": source.span.line,
        "source": source.source if len(source.source) <= LONGEST else f"{source.source[: LONGEST - 1]}…",
        "value": value,
        "ok": good,
        "kind": "text" if isinstance(source, Template) else "expression",
    }


@dataclass(slots=True)
class _Kept:
    events: deque[Observed] = field(default_factory=lambda: deque(maxlen=EVENTS))
    labels: dict[str, str] = field(default_factory=dict)
    """Code → text of the buttons that were drawn last."""
    calls: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """Call → the name of its action or source."""


def _no_programs() -> Mapping[str, Program]:
    return {}


class Watcher:
    """The workshop's Observer. `programs` gives the live flows, for the names of buttons.

    Whoever wants to be told of outcomes and commits adds a function to `on_returned` or `on_committed`; it must be
    quick, and what it raises is logged and goes no further.
    """

    def __init__(self, programs: Callable[[], Mapping[str, Program]] = _no_programs) -> None:
        self.programs = programs
        self.on_returned: list[Callable[[Returned], None]] = []
        self.on_committed: list[Callable[[str], None]] = []
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._recent: OrderedDict[str, deque[str]] = OrderedDict()
        """Chat → its conversations, the one that something happened in last at the end."""
        self._now: Observed | None = None

    def events(self, conversation: str) -> Sequence[Observed]:
        """What is kept of a conversation, the newest event first."""
        kept = self._kept.get(conversation)
        return () if kept is None else tuple(reversed(kept.events))

    def recent(self, chat: str) -> Sequence[str]:
        """The chat's conversations in which something happened since the start, the last one first."""
        return tuple(reversed(self._recent.get(chat, ())))

    # --- as Observer ------------------------------------------------------------------------------------

    def advancing(self, conversation: Conversation, event: Event) -> None:
        """The core is about to be asked."""
        try:
            self._begin(conversation, event)
        except Exception:
            self._now = None
            log.exception("the workshop could not note an event")

    def evaluated(self, source: Expression | Template, value: object) -> None:
        """An expression or a text gave this value, or failed with an EvaluationError."""
        now = self._now
        if now is None or len(now.items) >= ITEMS:
            return
        try:
            now.items.append((source, readable(value, LONGEST), not isinstance(value, EvaluationError)))
        except Exception:
            log.exception("the workshop could not note a value")

    def advanced(self, advanced: Advanced) -> None:
        """The event is over: what was drawn and asked for is remembered by name."""
        self._now = None
        try:
            kept = self._of(advanced.conversation.id)
            for effect in advanced.effects:
                if isinstance(effect, Show):
                    texts = {press.code: press.text for row in effect.rows for press in row if press.code}
                    kept.labels = dict(list(texts.items())[:_LABELS])
                elif isinstance(effect, Invoke):
                    self._note_call(kept, effect.call, effect.name)
        except Exception:
            log.exception("the workshop could not note what was drawn")

    def returned(self, returned: Returned) -> None:
        """An action or source came back."""
        try:
            self._note_call(self._of(returned.conversation), returned.call, returned.name)
        except Exception:
            log.exception("the workshop could not note an outcome")
        _tell(self.on_returned, returned)

    def committed(self, chat: str) -> None:
        """An event of this chat was committed."""
        _tell(self.on_committed, chat)

    # --- inside -----------------------------------------------------------------------------------------

    def _of(self, conversation: str) -> _Kept:
        kept = self._kept.get(conversation)
        if kept is None:
            kept = self._kept[conversation] = _Kept()
            if len(self._kept) > CONVERSATIONS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(conversation)
        return kept

    def _note_call(self, kept: _Kept, call: str, name: str) -> None:
        kept.calls[call] = name
        if len(kept.calls) > _LABELS:
            kept.calls.popitem(last=False)

    def _begin(self, conversation: Conversation, event: Event) -> None:
        kept = self._of(conversation.id)
        if kept.events and kept.events[-1].what is event:
            kept.events.pop()  # the same once more: somebody else had written the rows meanwhile
        self._remember(conversation)
        step = conversation.top.visit.step if conversation.frames else ""
        words = self._words(kept, conversation, event)
        self._now = Observed(what=event, event=words, at=event.at, step=step)
        kept.events.append(self._now)

    def _remember(self, conversation: Conversation) -> None:
        names = self._recent.setdefault(conversation.chat, deque(maxlen=RECENT))
        self._recent.move_to_end(conversation.chat)
        if not names or names[-1] != conversation.id:
            if conversation.id in names:
                names.remove(conversation.id)
            names.append(conversation.id)
        if len(self._recent) > CONVERSATIONS:
            self._recent.popitem(last=False)

    def _words(self, kept: _Kept, conversation: Conversation, event: Event) -> str:
        match event:
            case ButtonPressed(code=code):
                return f"pressed “{self._label(kept, conversation, code)}”"
            case ActionFinished(call=call, outcome=outcome):
                return f"{kept.calls.get(call, 'a call')} → {outcome}"
            case ActionFailed(call=call, reason=reason):
                return f"{kept.calls.get(call, 'a call')} failed: {readable(reason, 80)}"
            case _:
                return words_of(event)

    def _label(self, kept: _Kept, conversation: Conversation, code: str) -> str:
        """The words on a button: as drawn, else (after a restart) as the options or the flow have them."""
        text = kept.labels.get(code) or _ENGINE_BUTTONS.get(code)
        if text is not None:
            return readable(text, 60)
        kind, _, rest = code.partition(":")
        rows = conversation.top.visit.rows
        if kind == "r" and rest.isdecimal() and len(rest) < 4 and int(rest) < len(rows):
            return readable(rows[int(rest)].label, 60)
        program = self.programs().get(conversation.top.flow)
        node = None if program is None else program.nodes.get(conversation.top.visit.step)
        if node is not None and node.keys is not None:
            labels = [*node.keys.options, *(label for row in node.keys.rows for label in row)]
            found = next((label.text.wording("") for label in labels if label.code == code), None)
            if found:
                return readable(found, 60)
        return readable(rest or code, 60)


def _tell(listeners: Sequence[Callable[[T], None]], what: T) -> None:
    for listener in listeners:
        try:
            listener(what)
        except Exception:
            log.exception("somebody could not be told what the engine did")


def words_of(event: Event) -> str:
    """An event in a product owner's words, as far as it says them itself."""
    match event:
        case TextReceived(text=text):
            return f"wrote “{readable(text, 60)}”"
        case FileReceived(file=file):
            return _sent_file(file)
        case ContactShared(phone=phone):
            return f"shared the phone number {readable(phone, 30)}"
        case LocationShared():
            return "shared a location"
        case Navigated(move=move):
            return _MOVES[move]
        case SignalReceived(name=name):
            return f"signal {readable(name, 60)}"
        case TimerFired(name=name):
            return "expired" if name == "expires" else f"timer {readable(name, 60)}"
        case _:
            return _PLAIN.get(type(event), type(event).__name__)


def _sent_file(file: Mapping[str, Any]) -> str:
    what = "photo" if file.get("kind") == "photo" else "file"
    return f"sent the {what} {readable(file_words(file) or file.get('name', ''), 80)}"
