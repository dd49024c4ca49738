"""The heart: `advance(programs, conversation, event, world) → Advanced(conversation, effects)`. Pure.

Whatever a customer does, whenever, in whatever order, comes through here and never raises.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from engine.core import redrawing
from engine.core.answers import judge
from engine.core.conversation import Conversation, Frame, Phase, Status, Visit
from engine.core.draw import draw
from engine.core.effects import Effect, Notice, Say
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    ButtonPressed,
    ContactShared,
    Event,
    FileReceived,
    LocationShared,
    Navigated,
    PutAside,
    Resumed,
    SignalReceived,
    Started,
    TextReceived,
    TimerFired,
)
from engine.core.listing import fetch
from engine.core.moves import engine_button, leave, navigate, resume, settle
from engine.core.outcomes import failed_call, finished, late, signal
from engine.core.program import Node, Program
from engine.core.records import value_record
from engine.core.timing import timer
from engine.core.turn import Turn
from engine.core.verdicts import Answer, CheckFile, Leave, Quiet, Redraw, Refusal
from engine.core.walking import check_file, enter, set_data
from engine.core.world import World

Reply = TextReceived | ButtonPressed | FileReceived | ContactShared | LocationShared


@value_record
class Advanced:
    """The conversation after the event, and what has to be done about it, in order."""

    conversation: Conversation
    effects: tuple[Effect, ...]


def begin(program: Program, *, id: str, chat: str, at: datetime) -> Conversation:  # noqa: A002 - its name everywhere
    """A conversation that has not started: hand it `Started` next."""
    frame = Frame(flow=program.name, version=program.version, visit=Visit(number=0, step=program.first))
    return Conversation(id=id, chat=chat, flow=program.name, frames=(frame,), started_at=at, touched_at=at)


def advance(programs: Mapping[str, Program], conversation: Conversation, event: Event, world: World) -> Advanced:
    """What an event makes of a conversation.

    `programs` must hold every flow on the conversation's stack and all that those call, with the steps that the
    conversation stands at (the runtime sees to edited files). The revision is left as it was.
    """
    turn = Turn(programs.__getitem__, conversation, event.at, world)
    if conversation.status is Status.FINISHED:
        late(turn, event)
    else:
        redrawing.begin(turn, event)
        _dispatch(turn, event)
    return Advanced(conversation=turn.frozen(), effects=tuple(turn.effects))


def _dispatch(turn: Turn, event: Event) -> None:
    match event:
        case TextReceived() | ButtonPressed() | FileReceived() | ContactShared() | LocationShared():
            _reply(turn, event)
        case ActionFinished():
            finished(turn, event)
        case ActionFailed():
            failed_call(turn, event)
        case Started(arguments=arguments):
            set_data(turn, dict(arguments))
            enter(turn, turn.work.program.first)
        case Navigated(move=move):
            navigate(turn, move)
        case TimerFired():
            timer(turn, event)
        case SignalReceived():
            signal(turn, event)
        case Resumed():
            resume(turn)
        case PutAside():
            pass
        case _:
            assert_never(event)


# --- replies ----------------------------------------------------------------------------------------------


def _reply(turn: Turn, event: Reply) -> None:
    visit = turn.work.visit
    if isinstance(event, ButtonPressed):
        if event.visit != visit.number:
            turn.emit(Notice(text=turn.words("busy" if redrawing.is_behind(visit, event.visit) else "button.answered")))
            return
        if engine_button(turn, event.code):
            return
    if visit.phase is Phase.WAITING:
        _while_waiting(turn, event)
        return
    if visit.phase is not Phase.ASKING:
        _tell(turn, event, "busy" if visit.phase is not Phase.BROKEN else "trouble.pending")
        return
    if visit.menu:
        turn.change(menu="")
    _judged(turn, turn.work.node, event)


def _tell(turn: Turn, event: Reply, key: str) -> None:
    if isinstance(event, ButtonPressed):
        turn.emit(Notice(text=turn.words(key)))
    else:
        turn.say(key)


def _judged(turn: Turn, node: Node, event: Reply) -> None:
    verdict = judge(turn, node, event)
    match verdict:
        case Answer(value=value, triggers=triggers):
            settle(turn, node, value, triggers)
        case Refusal(text=text, rule=rule):
            turn.emit(Say(text=text))
            turn.trace("refused", rule)
        case Redraw(fields=fields, fetch=again, notice=notice):
            visit = turn.change(**fields)
            turn.change(draw=visit.draw + 1)
            if notice:
                turn.emit(Notice(text=notice))
            if again:
                fetch(turn, node)
            else:
                draw(turn, edit=_in_place(event, node))
        case Quiet(notice=notice, alert=alert):
            if notice:
                turn.emit(Notice(text=notice, alert=alert))
        case Leave(trigger=trigger):
            leave(turn, node, trigger)
        case CheckFile(fields=fields, number=number):
            first = not turn.work.visit.files
            turn.change(**fields, draw=turn.work.visit.draw + 1)
            draw(turn, edit=not first)
            check_file(turn, node, number)


def _in_place(event: Reply, node: Node) -> bool:
    """A press redraws its message; what was typed or sent stands below it, so the question comes again below that."""
    return isinstance(event, ButtonPressed) or (isinstance(event, FileReceived) and node.question is not None)


def _while_waiting(turn: Turn, event: Reply) -> None:
    if isinstance(event, ButtonPressed):
        _judged(turn, turn.work.node, event)
    else:
        turn.say("wait.idle")
