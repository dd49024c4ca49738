"""Which conversation an update belongs to, and what becomes of the others. Pure: decisions only, no I/O."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Final

from engine.actions.context import Request
from engine.core.conversation import Conversation, Phase
from engine.core.events import (
    ButtonPressed,
    ContactShared,
    Event,
    FileReceived,
    LocationShared,
    Move,
    Navigated,
    Resumed,
    TextReceived,
)
from engine.core.model import SecondStart
from engine.core.records import record
from engine.core.values import Value
from engine.runtime.desk import CANCEL, RESTART, RESUME, Desk
from engine.runtime.library import Library
from engine.runtime.links import BadPayloadError, argument_of
from engine.runtime.outbox import Visible
from engine.runtime.ports import Chat


@record
class Command:
    """`/name payload`, name without the slash."""

    name: str
    payload: str = ""


@record
class CallbackPressed:
    """A press of an inline button with its callback data, as the channel got it: not to be trusted."""

    data: str


@record
class Start:
    """Start a flow by name, such as `stepgram chat --flow quiz`; roles count here too."""

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@record
class Addressed:
    """An event from inside (a timer, the outcome of a call, a signal) for one conversation of the chat.

    Without an event only the rows it names are settled: what they were for is over.
    """

    conversation: str
    event: Event | None = None
    timer: tuple[str, int, str] | None = None
    """(conversation, visit, name) of the timer's row."""
    call: tuple[str, str] | None = None
    """(conversation, call) of the pending call's row."""
    signal: int | None = None
    """Id of the signal's row."""
    requests: tuple[Request, ...] = ()
    """What the action asked for besides its outcome."""


@record
class Beside:
    """Begin a flow in the chat beside what is going on there: nothing is displaced, nobody is asked.

    The engine was told to: neither the flow's `only:` nor its `second_start:` counts.
    """

    flow: str
    """Empty: only the row is settled."""
    arguments: Mapping[str, Value] = field(default_factory=dict)
    """As they were sent; the flow gets those that it declares."""
    signal: int | None = None
    """Id of the signal's row that this settles."""


@record
class Deliver:
    """Give the event to an open conversation. `claim`: the customer turned to it, it comes to the front."""

    conversation: str
    event: Event
    claim: bool = False


@record
class Cancel:
    """End an open conversation for good, undoing what is to be undone."""

    conversation: str
    move: Move = Move.CANCEL


@record
class Begin:
    """Begin a conversation; the one in front is put aside."""

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)


@record
class Tell:
    """Say something; a Show belongs to `conversation`, so that its buttons lead there."""

    effect: Visible
    conversation: str | None = None


Decision = Deliver | Cancel | Begin | Tell
Routed = tuple[Decision, ...]


@record
class Situation:
    """Everything a decision depends on."""

    chat: Chat
    open: Mapping[str, Conversation]
    """The chat's open conversations by id, oldest first."""
    library: Library
    roles: frozenset[str]
    desk: Desk
    at: datetime
    elsewhere: Conversation | None = None
    """The conversation that a press names when it is not among the open ones, if there is such a one."""

    @property
    def front(self) -> str | None:
        """The open conversation in front."""
        return self.chat.front if self.chat.front in self.open else None

    @property
    def aside(self) -> str | None:
        """The open conversation that was put aside last."""
        return next((name for name in reversed(self.chat.aside) if name in self.open), None)

    @property
    def offered(self) -> str | None:
        """The one put aside last that the customer is reminded of."""
        return next((name for name in reversed(self.chat.aside) if name in self.open and self.reminds(name)), None)

    def reminds(self, name: str) -> bool:
        """Whether the customer is told that this open conversation waits."""
        program = self.library.programs.get(self.open[name].flow)
        return program is None or program.flow.remind


_MOVES: Final[Mapping[str, Move]] = {"back": Move.BACK, "skip": Move.SKIP, "retry": Move.RETRY}


def route(situation: Situation, what: object) -> Routed:
    """The decisions for one update. What it does not know it answers with nothing."""
    match what:
        case Command(name=name, payload=payload):
            return _command(situation, name.lower(), payload)
        case CallbackPressed(data=data):
            return _press(situation, data)
        case Start(flow=flow, arguments=arguments):
            return start(situation, flow, arguments)
        case TextReceived() | FileReceived() | ContactShared() | LocationShared() | Navigated():
            return _to_front(situation, what)
        case Resumed():
            return _resume(situation)
        case _:
            return ()


def named_conversation(what: object) -> str | None:
    """The conversation that a press names, for looking it up before `route`."""
    if not isinstance(what, CallbackPressed):
        return None
    parsed = _parse(what.data)
    return None if parsed is None else parsed[0]


def holds_front(conversation: Conversation) -> bool:
    """Whether typed text may go to it: one that waits for signals leaves the chat free."""
    return conversation.top.visit.phase is not Phase.WAITING


def start(situation: Situation, flow: str, arguments: Mapping[str, Value] | None = None, *, rest: str = "") -> Routed:
    """Start a flow for this customer, as its roles and `second_start` have it."""
    program = situation.library.programs.get(flow)
    if program is None:
        return (Tell(effect=situation.desk.unknown_command(flow)),)
    if not situation.library.allowed(flow, situation.roles):
        return (Tell(effect=situation.desk.not_allowed(flow)),)
    begin = Begin(flow=flow, arguments=arguments or {})
    running = _running(situation, flow)
    if running is None:
        return (begin,)
    match program.flow.second_start:
        case SecondStart.RESUME:
            return (Deliver(conversation=running, event=Resumed(at=situation.at), claim=True),)
        case SecondStart.RESTART:
            return (Cancel(conversation=running, move=Move.REPLACE), begin)
        case SecondStart.PARALLEL:
            return (begin,)
        case SecondStart.ASK:
            return (Tell(effect=situation.desk.second_start(flow, rest), conversation=running),)


def _running(situation: Situation, flow: str) -> str | None:
    """The newest open conversation of a flow; the one in front before all others."""
    front = situation.front
    if front is not None and situation.open[front].flow == flow:
        return front
    return next((name for name in reversed(list(situation.open)) if situation.open[name].flow == flow), None)


def _command(situation: Situation, name: str, payload: str) -> Routed:
    if name in _MOVES:
        return _to_front(situation, Navigated(at=situation.at, move=_MOVES[name]))
    if name == "resume":
        return _resume(situation)
    if name == "start" and payload:
        linked = _linked(situation, payload)
        if linked is not None:
            return linked
    flow = situation.library.commands.get(name)
    if flow is not None:
        return start(situation, flow)
    if name == "cancel":
        return _to_front(situation, Navigated(at=situation.at, move=Move.CANCEL))
    if name in ("start", "help"):
        return _nothing_in_front(situation)
    return (Tell(effect=situation.desk.unknown_command(name)),)


def _linked(situation: Situation, payload: str) -> Routed | None:
    """What a deep link starts; None when no flow has such a link."""
    found = situation.library.linked(payload)
    if found is None:
        return None
    link, rest = found
    try:
        arguments = argument_of(situation.library.programs[link.flow], link.argument, rest)
    except BadPayloadError:
        return (Tell(effect=situation.desk.bad_link()),)
    return start(situation, link.flow, arguments, rest=rest)


def _to_front(situation: Situation, event: Event) -> Routed:
    front = situation.front
    if front is not None and holds_front(situation.open[front]):
        return (Deliver(conversation=front, event=event),)
    return _nothing_in_front(situation)


def _nothing_in_front(situation: Situation) -> Routed:
    aside = situation.offered
    if aside is not None:
        offer = situation.desk.waiting(situation.open[aside].flow)
        return (Tell(effect=offer, conversation=aside),)
    waiting = [situation.open[name].flow for name in reversed(list(situation.open)) if situation.reminds(name)]
    return (Tell(effect=situation.desk.waits_elsewhere(waiting) if waiting else situation.desk.nothing_open()),)


def _resume(situation: Situation) -> Routed:
    """Redraw the front one; else the last one put aside; else what waits for a signal."""
    name = situation.front or situation.aside or next(reversed(list(situation.open)), None)
    if name is None:
        return _nothing_in_front(situation)
    return (Deliver(conversation=name, event=Resumed(at=situation.at), claim=True),)


def _parse(data: str) -> tuple[str, int, int, str] | None:
    """Conversation, visit, draw, code of callback data; None for what we never drew."""
    parts = data.split(".", 3)
    if len(parts) != 4 or len(data.encode()) > 64:
        return None
    conversation, visit, draw, code = parts
    numbers = visit.isascii() and visit.isdigit() and draw.isascii() and draw.isdigit()
    if not (conversation.isascii() and conversation.isalnum() and numbers and code):
        return None
    return conversation, int(visit), int(draw), code


def _press(situation: Situation, data: str) -> Routed:
    parsed = _parse(data)
    if parsed is None:
        return (Tell(effect=situation.desk.foreign_button()),)
    name, visit, draw, code = parsed
    conversation = situation.open.get(name)
    if conversation is None:
        return _press_closed(situation)
    if visit == 0:
        return _press_desk(situation, conversation, code)
    event = ButtonPressed(at=situation.at, visit=visit, draw=draw, code=code)
    current = visit == conversation.top.visit.number
    return (Deliver(conversation=name, event=event, claim=current),)


def _press_closed(situation: Situation) -> Routed:
    """A button of a conversation that is over, or not this chat's."""
    known = situation.elsewhere
    if known is None or known.chat != situation.chat.id:
        return (Tell(effect=situation.desk.foreign_button()),)
    return (Tell(effect=situation.desk.finished()),)


def _press_desk(situation: Situation, conversation: Conversation, code: str) -> Routed:
    """A button of the desk's own offer about this conversation."""
    name, _, rest = code.partition(":")
    quiet = Tell(effect=situation.desk.quiet())
    if name == RESUME:
        return (quiet, Deliver(conversation=conversation.id, event=Resumed(at=situation.at), claim=True))
    if name == CANCEL:
        return (quiet, Cancel(conversation=conversation.id))
    if name == RESTART and situation.library.allowed(conversation.flow, situation.roles):
        return (quiet, Cancel(conversation=conversation.id), _again(situation, conversation.flow, rest))
    return (Tell(effect=situation.desk.foreign_button()),)


def _again(situation: Situation, flow: str, rest: str) -> Begin:
    """A new start of a flow, with the deep link's argument that stood in the button."""
    program = situation.library.programs[flow]
    link = program.flow.entry.deep_link
    try:
        arguments = argument_of(program, link.argument if link else None, rest)
    except BadPayloadError:
        arguments = {}
    return Begin(flow=flow, arguments=arguments)
