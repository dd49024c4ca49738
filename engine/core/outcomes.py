"""What comes back to a conversation: actions and sources, timers, signals; also after its end."""

from html import escape

from engine.core.answers import accept
from engine.core.conversation import FileItem, FileStatus, Phase
from engine.core.draw import draw, draw_trouble
from engine.core.effects import Invoke, Notice, Purpose, Say, StartTimer
from engine.core.events import ActionFailed, ActionFinished, ButtonPressed, Event, SignalReceived, TimerFired
from engine.core.filing import shortened
from engine.core.listing import rows_came
from engine.core.model import Ask, File, Wait
from engine.core.moves import engine_button, leave, settle
from engine.core.navigation import abandon
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.verdicts import Answer
from engine.core.walking import failed, go, succeeded, undo_of


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


# --- timers and signals -----------------------------------------------------------------------------------


def timer(turn: Turn, event: TimerFired) -> None:
    visit, node = turn.work.visit, turn.work.node
    if event.name == "expires" and event.visit == 0:
        _expire(turn)
        return
    if event.visit != visit.number:
        return
    if event.name == "timeout" and "timeout" in node.triggers:
        leave(turn, node, "timeout")
    elif event.name == "refresh" and node.refresh is not None:
        turn.emit(StartTimer(visit=visit.number, name="refresh", due=turn.at + node.refresh))
        if visit.phase in (Phase.ASKING, Phase.WAITING):
            turn.change(draw=visit.draw + 1)
            draw(turn, edit=True)


def _expire(turn: Turn) -> None:
    if turn.work.visit.phase in (Phase.WAITING, Phase.RUNNING):
        return
    program = turn.stack[0].program
    turn.work = turn.stack[0]
    text = program.expired
    title = turn.said(program.title, turn.scope())
    turn.emit(Say(text=turn.words("expired", title=title) if text is None else turn.said(text, turn.scope())))
    turn.work = turn.stack[-1]
    abandon(turn, "expired")


def signal(turn: Turn, event: SignalReceived) -> None:
    node = turn.work.node
    body = node.body
    if not isinstance(body, Wait) or event.name not in {name for name, _ in body.signals}:
        turn.trace("signal_ignored", event.name)
        return
    payload = dict(event.payload)
    turn.write(node.target, payload)
    go(turn, event.name, payload, {"outcome": payload})


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
