"""The engine's own moves, the same at every step: back, skip, cancel, try again, edit menus, starting another flow."""

from engine.core import editing
from engine.core.conversation import Phase
from engine.core.draw import draw, draw_trouble, editable
from engine.core.effects import Notice, StartFlow
from engine.core.events import Move
from engine.core.keyboard import visible
from engine.core.listing import fetch
from engine.core.model import Do
from engine.core.navigation import abandon, back
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.values import UNSET, Value
from engine.core.walking import draft_of, enter, go, run


def settle(turn: Turn, node: Node, value: Value, triggers: tuple[str, ...]) -> None:
    """An answer is accepted: keep it and go on (or home, when it was an edit that changed nothing)."""
    trigger = _fired(node, triggers)
    draft = draft_of(turn)
    turn.forget(node.id)
    home = None if turn.work.edit is None else editing.answered(turn, node, value, trigger)
    if home is not None:
        turn.trace("kept")
        turn.close_visit()
        enter(turn, home)
        return
    if value is not UNSET:
        turn.write(node.target, value)
    go(turn, trigger, value, {"answer": None if value is UNSET else value}, draft=draft)


def _fired(node: Node, triggers: tuple[str, ...]) -> str:
    for name in triggers:
        if name in node.triggers:
            return name
    return triggers[-1]


def leave(turn: Turn, node: Node, trigger: str) -> None:
    """A button of the author's or a time-out ends the stay; a question is left without an answer."""
    if node.question is None:
        go(turn, trigger, None, None)
    else:
        settle(turn, node, UNSET, (trigger,))


def engine_button(turn: Turn, code: str) -> bool:
    """Navigation, menus, starting another flow: the same at every step. False for a button of the question."""
    kind, _, rest = code.partition(":")
    match kind:
        case "n" if rest not in ("skip", "keep"):
            _navigation_button(turn, rest)
        case "E":
            _open_edit(turn, rest)
        case "e":
            _edit(turn, rest)
        case "s":
            _start_flow(turn, rest)
        case _:
            return False
    return True


def _navigation_button(turn: Turn, what: str) -> None:
    match what:
        case "back":
            navigate(turn, Move.BACK)
        case "retry":
            navigate(turn, Move.RETRY)
        case "cancel" if turn.work.trail or len(turn.stack) > 1:
            _menu(turn, "cancel")
        case "cancel" | "cancel!":
            navigate(turn, Move.CANCEL)
        case "stay":
            _menu(turn, "")
        case _:
            turn.emit(Notice(text=turn.words("button.old")))


def _menu(turn: Turn, menu: str) -> None:
    if turn.work.visit.phase is Phase.BROKEN and not menu:
        draw_trouble(turn, "trouble.pending")
        return
    turn.change(menu=menu)
    draw(turn, edit=True)


def _open_edit(turn: Turn, menu: str) -> None:
    node = turn.work.node
    steps = editable(turn, node, int(menu)) if menu.isdecimal() else []
    if not steps:
        turn.emit(Notice(text=turn.words("button.gone")))
    elif len(steps) == 1:
        _edit(turn, steps[0])
    else:
        _menu(turn, f"edit:{menu}")


def _edit(turn: Turn, step: str) -> None:
    node = turn.work.node
    menus = range(len(node.keys.edits)) if node.keys is not None else range(0)
    allowed = {name for menu in menus for name in editable(turn, node, menu)}
    if turn.work.visit.phase is not Phase.ASKING or step not in allowed or not editing.begin(turn, step):
        turn.emit(Notice(text=turn.words("button.gone")))
        return
    enter(turn, step)


def _start_flow(turn: Turn, flow: str) -> None:
    keys = turn.work.node.keys
    labels = [label for row in keys.rows for label in row if label.code == f"s:{flow}"] if keys is not None else []
    if any(visible(turn, label) for label in labels):
        turn.emit(StartFlow(flow=flow))
    else:
        turn.emit(Notice(text=turn.words("button.gone")))


def navigate(turn: Turn, move: Move) -> None:
    node, visit = turn.work.node, turn.work.visit
    match move:
        case Move.CANCEL | Move.REPLACE:
            _cancel(turn, told=move is Move.CANCEL or turn.stack[0].program.flow.remind)
        case _ if visit.phase is Phase.RUNNING:
            turn.say("busy")
        case Move.BACK:
            if visit.menu:
                turn.change(menu="")
            if not back(turn):
                turn.say("back.closed")
        case Move.SKIP:
            if node.optional is None or visit.phase is not Phase.ASKING:
                turn.say("skip.not_here")
            else:
                settle(turn, node, UNSET, ("skipped", "answered"))
        case Move.RETRY:
            _retry(turn, node)


def _cancel(turn: Turn, *, told: bool) -> None:
    """Over; or, in a called flow whose caller says what then, back into the caller. Not while an action runs whose
    effect nobody could take back: “nothing was kept” would not be true."""
    inside = len(turn.stack) > 1 and "cancelled" in turn.stack[-2].node.triggers
    if turn.work.visit.phase is Phase.RUNNING and (inside or turn.work.node.undo is None):
        turn.say("busy")
        return
    if inside:
        turn.close_visit()
        child = turn.pop()
        editing.undo_trail(turn, child.program, editing.whole_trail(child))
        home = editing.cancelled(turn)
        if home is None:
            go(turn, "cancelled", None, None)
        else:
            enter(turn, home)
        return
    if told:
        turn.say("cancel.done", title=turn.said(turn.stack[0].program.title, turn.scope()))
    abandon(turn, "cancelled")


def _retry(turn: Turn, node: Node) -> None:
    visit = turn.work.visit
    if visit.phase is not Phase.BROKEN:
        turn.say("retry.nothing")
    elif isinstance(node.body, Do):
        run(turn, node)
    elif node.keys is not None and node.keys.source is not None:
        turn.change(draw=visit.draw + 1, menu="")
        fetch(turn, node)
    else:
        turn.steps = 0
        enter(turn, visit.step)


def resume(turn: Turn) -> None:
    visit, node = turn.work.visit, turn.work.node
    match visit.phase:
        case Phase.ASKING:
            turn.change(draw=visit.draw + 1, menu="")
            draw(turn)
        case Phase.WAITING:
            turn.change(draw=visit.draw + 1)
            if node.text is not None:
                draw(turn)
            else:
                turn.say("wait.idle")
        case Phase.BROKEN:
            draw_trouble(turn, "trouble.pending")
        case Phase.FETCHING | Phase.RUNNING:
            turn.say("busy")
