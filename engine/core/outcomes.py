"""What comes back to a conversation: actions and sources, signals; also after its end."""

from html import escape

from engine.core import early
from engine.core.accepting import accept
from engine.core.conversation import FileItem, FileStatus, Phase
from engine.core.draw import draw, draw_trouble
from engine.core.effects import Invoke, Notice, Purpose, Say
from engine.core.events import ActionFailed, ActionFinished, ButtonPressed, Event, SignalReceived
from engine.core.filing import shortened
from engine.core.listing import rows_came
from engine.core.model import Ask, File
from engine.core.moves import engine_button, settle
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.verdicts import Answer
from engine.core.walking import enter, failed, signalled, succeeded, undo_of


def _call_parts(call: str) -> tuple[int, str, str]:
    """The stay, the purpose, and what is behind the last point of a call's id."""
    stay, _, rest = call.partition(".")
    visit = stay.partition(":")[0]
    purpose, _, tail = rest.partition(".")
    return (int(visit) if visit.isdecimal() else -1), purpose, tail.rpartition(".")[2]


def finished(turn: Turn, event: ActionFinished) -> None:
    number, purpose, tail = _call_parts(event.call)
    visit, node = turn.work.visit, turn.work.node
    if purpose == Purpose.UNDO or number != visit.number:
        return
    match purpose:
        case Purpose.DO if visit.phase is Phase.RUNNING:
            succeeded(turn, node, event.outcome, dict(event.value))
        case Purpose.ROWS if visit.phase is Phase.FETCHING and tail == str(visit.draw):
            rows_came(turn, node, event.value)
        case Purpose.FILE:
            _file(turn, node, tail, event)
        case _:
            pass


def failed_call(turn: Turn, event: ActionFailed) -> None:
    number, purpose, tail = _call_parts(event.call)
    visit, node = turn.work.visit, turn.work.node
    if purpose == Purpose.UNDO:
        turn.trouble(f"{turn.work.program.name}: undo {event.call} failed: {event.reason}")
        return
    if number != visit.number:
        return
    match purpose:
        case Purpose.DO if visit.phase is Phase.RUNNING:
            failed(turn, node, event.kind, event.reason)
        case Purpose.ROWS if visit.phase is Phase.FETCHING and tail == str(visit.draw):
            turn.trace("failed", event.reason)
            draw_trouble(turn, "trouble.source")
        case Purpose.FILE:
            _file(turn, node, tail, event)
        case _:
            pass


def _file(turn: Turn, node: Node, number: str, event: ActionFinished | ActionFailed) -> None:
    visit = turn.work.visit
    item = next((i for i in visit.files if str(i.number) == number), None)
    if item is None or item.status is not FileStatus.CHECKING or not isinstance(node.body, Ask):
        return
    checked = _checked(turn, item, event)
    turn.change(files=tuple(checked if i is item else i for i in visit.files), draw=visit.draw + 1)
    if isinstance(node.question, File) and checked.status is FileStatus.READY:
        answer = accept(turn, node, checked.value)
        if isinstance(answer, Answer):
            settle(turn, node, answer.value, answer.triggers)
            return
        turn.emit(Say(text=answer.text))
    elif checked.status is FileStatus.FAILED and isinstance(node.question, File):
        name = shortened(str(item.file.get("name", "")))
        turn.say("files.failed", name=name, reason=escape(checked.reason, quote=False))
    draw(turn, edit=True)


def _checked(turn: Turn, item: FileItem, event: ActionFinished | ActionFailed) -> FileItem:
    if isinstance(event, ActionFinished) and event.outcome not in ("refused", "rejected"):
        status, value, reason = FileStatus.READY, dict(event.value), ""
    elif isinstance(event, ActionFinished):
        status, value, reason = FileStatus.FAILED, {}, str(event.value.get("reason", ""))
    else:
        turn.trouble(f"{turn.work.program.name}.{turn.work.visit.step}: {event.kind}: {event.reason}")
        status, value, reason = FileStatus.FAILED, {}, turn.words("files.upload_failed")
    return FileItem(number=item.number, file=item.file, status=status, value=value, attempt=item.attempt, reason=reason)


# --- signals -----------------------------------------------------------------------------------------------


def signal(turn: Turn, event: SignalReceived) -> None:
    """Taken by the step that waits for it, else kept for the next one that does."""
    if not early.keep(turn, event.name, event.payload):
        turn.idle = True
        turn.trace("signal_ignored", event.name)
        return
    node = turn.work.node
    taken = early.take(turn, node)
    if taken is not None:
        enter(turn, signalled(turn, node, taken))
        return
    turn.idle = True  # nobody has done anything: the conversation's time goes on
    turn.trace("signal_kept", event.name)
    early.bound(turn)


# --- after the end ----------------------------------------------------------------------------------------


def late(turn: Turn, event: Event) -> None:
    """Something reaches a conversation that is over: nothing happens, but an action that came back after its
    customer had gone is undone."""
    match event:
        case ButtonPressed(visit=number, code=code) if number == turn.work.visit.number and code.startswith("s:"):
            engine_button(turn, code)  # “Order again” under the last message
        case ButtonPressed():
            turn.emit(Notice(text=turn.words("button.over")))
        case ActionFinished(call=call, outcome=outcome, value=value):
            number, purpose, _ = _call_parts(call)
            visit, node = turn.work.visit, turn.work.node
            if purpose != Purpose.DO or number != visit.number or visit.phase is not Phase.RUNNING:
                return
            turn.change(phase=Phase.BROKEN)
            turn.write(node.target, dict(value))
            undo = undo_of(turn, node, outcome, dict(value))
            turn.take_changes()
            if undo is not None:
                name, arguments = undo
                turn.emit(Invoke(call=f"{number}.undo.{number}", purpose=Purpose.UNDO, name=name, arguments=arguments))
        case _:
            pass
