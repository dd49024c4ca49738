"""Going forwards: entering steps, leaving them through the machine, calling flows and coming back, ending.

`enter` walks until the customer's (or an action's) turn; how far is limited, so that no loop can hold a worker.
"""

import hashlib
from typing import Any

from engine.core import codec, early, editing, redrawing
from engine.core.conversation import Draft, EarlySignal, FileStatus, Frame, Past, Phase, Visit
from engine.core.draw import draw, draw_trouble
from engine.core.due import again, limit_of
from engine.core.effects import Invoke, Purpose, Say, StartTimer
from engine.core.keyboard import static_rows
from engine.core.listing import evaluated, fetch
from engine.core.machine import fire
from engine.core.model import Ask, Call, Choices, Do, End, Files, Quantity, Show, Wait
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.values import UNSET, Value

MOST_STEPS = 200
"""Steps that one event may pass; the checker refuses loops without a question, this stops what it cannot see."""
DEEPEST_CALLS = 8
_DRAFTED = (Choices, Files, Quantity)


def enter(turn: Turn, step: str | None) -> None:
    """Go to a step and on, until somebody else has to do something."""
    while step is not None:
        turn.steps += 1
        if turn.steps > MOST_STEPS:
            turn.trouble(f"{turn.work.program.name}.{step}: more than {MOST_STEPS} steps for one event")
            draw_trouble(turn, "trouble.loop")
            return
        node = turn.work.program.nodes[step]
        if (node.only or node.condition is not None) and _passed_over(turn, node):
            step = node.step.following
            if step is None:
                close(turn, "completed")
            continue
        edit = turn.work.edit
        if edit is not None and edit.replaying:
            past = editing.reusable(turn, node)
            if past is not None:
                step = _again(turn, node, past)
                continue
        step = _arrive(turn, node)


def _passed_over(turn: Turn, node: Node) -> bool:
    if not turn.has_role(node.only):
        return True
    return node.condition is not None and not turn.value(node.condition, turn.scope(), default=False)


def _again(turn: Turn, node: Node, past: Past) -> str | None:
    """A stay that an edit did not touch: its answer stands, only the way on is chosen anew."""
    turn.work.visit = Visit(number=past.number, step=past.step)
    if any(path == node.target for path, _ in past.changes) and past.value not in (None, UNSET):
        turn.write(node.target, past.value)
    name = "answer" if isinstance(node.body, Ask) else "outcome"
    return depart(
        turn,
        past.trigger,
        past.value,
        {name: past.value},
        undo=past.undo,
        draft=past.draft,
        child=past.child,
        silent=True,
    )


def _arrive(turn: Turn, node: Node) -> str | None:
    """Start a stay at a step; the next step when nobody has to be waited for."""
    match node.body:
        case Ask():
            open_question(turn, node)
            return None
        case Show():
            if node.keys is not None:
                open_question(turn, node)
                return None
            turn.visit_at(node, Phase.ASKING)
            draw(turn, edit=redrawing.arrive(turn, node))
            return depart(turn, "next", None, None)
        case Do():
            run(turn, node)
            return None
        case Wait():
            turn.visit_at(node, Phase.WAITING)
            over = redrawing.arrive(turn, node)
            start_timers(turn, node)
            if node.text is not None:
                draw(turn, edit=over)
            kept = early.take(turn, node)
            return None if kept is None else signalled(turn, node, kept)
        case Call():
            return _call(turn, node)
        case End():
            return _end(turn, node)


# --- questions --------------------------------------------------------------------------------------------


def open_question(turn: Turn, node: Node) -> None:
    """Begin a stay at a question or menu: what was ticked here before is back, options are fetched, it is drawn."""
    turn.visit_at(node, Phase.ASKING)
    over = redrawing.arrive(turn, node)
    recalled = turn.recalled(node.id)
    if recalled is not None and recalled.draft is not None:
        d = recalled.draft
        numbered = max((item.number for item in d.files), default=0)
        turn.change(ticks=d.ticks, quantity=d.quantity, files=d.files, numbered=numbered, rows=d.rows)
    elif isinstance(node.question, Choices) and node.prefill is not None:
        _tick(turn, node, turn.value(node.prefill, turn.scope()))
    if node.step.timeout is not None or node.refresh is not None:
        start_timers(turn, node)
    if node.keys is not None and node.keys.source is not None:
        fetch(turn, node)
    else:
        draw(turn, edit=over)
    for item in turn.work.visit.files:
        if item.status is FileStatus.CHECKING and node.use is not None:
            check_file(turn, node, item.number)  # what the stay before asked for does not come here


def _tick(turn: Turn, node: Node, wanted: Value) -> None:
    """A list of options as `prefill` comes ticked; an option that is not open stays out of it."""
    if node.keys is None or not isinstance(wanted, list | tuple):
        return
    most = node.question.maximum if isinstance(node.question, Choices) else None
    turn.change(ticks=tuple(row.key for row in static_rows(turn, node.keys) if row.key in wanted)[:most])


def start_timers(turn: Turn, node: Node) -> None:
    """The stay's timeout and its redrawing."""
    number = turn.work.visit.number
    over = limit_of(turn, node)
    if over is not None:
        turn.emit(StartTimer(visit=number, name="timeout", due=over))
    if node.refresh is not None:
        turn.emit(StartTimer(visit=number, name="refresh", due=again(turn, node.refresh)))
    if over is not None or node.refresh is not None:
        turn.change(timed=True)


# --- actions ----------------------------------------------------------------------------------------------


def run(turn: Turn, node: Node) -> None:
    """Begin a stay at a `do` step: its action is invoked.

    The idempotency key (the call after the stay's number) is the same for every try of the same work until one
    succeeds: an order that failed with a time-out may have been stored.
    """
    assert node.use is not None
    work = turn.work
    visit = turn.visit_at(node, Phase.RUNNING)
    arguments = evaluated(turn, node.use)
    if arguments is None:
        failed(turn, node, "error", "an argument cannot be evaluated")
        return
    first = work.unsettled.get(node.id, visit.number)
    work.unsettled = {**work.unsettled, node.id: first}
    digest = hashlib.sha256(codec.dump_data(arguments)).hexdigest()[:12]
    depth = len(turn.stack)
    turn.emit(
        Invoke(
            call=f"{visit.number}.do.{depth}.{first}.{digest}",
            purpose=Purpose.DO,
            name=node.use.name,
            arguments=arguments,
            retry=node.retry,
            timeout=node.timeout,
        )
    )


def check_file(turn: Turn, node: Node, number: int) -> None:
    """Run the question's `each` for a file that has come."""
    assert node.use is not None
    visit = turn.work.visit
    item = next(item for item in visit.files if item.number == number)
    arguments = evaluated(turn, node.use, {"file": item.file})
    # Trying again is another call of the same work: a name of its own, the same idempotency key.
    stay = f"{visit.number}" if item.attempt == 1 else f"{visit.number}:{item.attempt}"
    turn.emit(
        Invoke(
            call=f"{stay}.file.{visit.number}.{number}",
            purpose=Purpose.FILE,
            name=node.use.name,
            arguments=arguments or {},
        )
    )


def undo_of(turn: Turn, node: Node, outcome: str, value: Value) -> tuple[str, dict[str, Any]] | None:
    """What takes an action's effect back, with the arguments as they are now. None after an outcome without one."""
    if node.undo is None or (node.undone is not None and outcome not in node.undone):
        return None
    arguments = evaluated(turn, node.undo, {"result": value})
    return None if arguments is None else (node.undo.name, arguments)


def succeeded(turn: Turn, node: Node, outcome: str, value: Value) -> None:
    """The step's action came back: keep its record, go where the outcome leads."""
    work = turn.work
    work.unsettled = {name: number for name, number in work.unsettled.items() if name != node.id}
    turn.write(node.target, value)
    undo = undo_of(turn, node, outcome, value)
    go(turn, outcome, value, {"outcome": value}, undo=undo)


def failed(turn: Turn, node: Node, kind: str, reason: str) -> None:
    """The step's action failed for good: the flow's `failed` transition, else the customer may try again."""
    turn.trace("failed", f"{kind}: {reason}")
    if "failed" not in node.triggers:
        draw_trouble(turn, "trouble.action")
        return
    go(turn, "failed", None, {"failure": {"kind": kind, "reason": reason}})


# --- leaving ----------------------------------------------------------------------------------------------


def draft_of(turn: Turn) -> Draft | None:
    """What the customer has ticked, counted or sent at the current stay; None for questions that keep none."""
    if not isinstance(turn.work.node.question, _DRAFTED):
        return None
    visit = turn.work.visit
    rows = tuple(row for row in visit.rows if row.key in visit.ticks)
    return Draft(ticks=visit.ticks, quantity=visit.quantity, files=visit.files, rows=rows)


def depart(
    turn: Turn,
    trigger: str,
    value: Value,
    extra: dict[str, Value] | None,
    *,
    undo: tuple[str, Any] | None = None,
    draft: Draft | None = None,
    child: Frame | None = None,
    silent: bool = False,
) -> str | None:
    """Leave the current stay by a trigger; the next step, or None when no transition is open."""
    work = turn.work
    visit = work.visit
    cursor = fire(work.program, work.node, trigger, lambda: turn.scope(extra))
    if cursor is None:
        turn.pending_changes.clear()
        turn.trouble(f"{work.program.name}.{visit.step}: no way on for “{trigger}”")
        draw_trouble(turn, "trouble.action")
        return None
    if cursor.trouble:
        turn.trouble(f"{work.program.name}.{visit.step}: {cursor.trouble}")
    if cursor.way is not None:
        for setting in cursor.way.settings:
            turn.write(setting.path, turn.value(setting.value, turn.scope(extra)))
        if cursor.way.text is not None and not silent:
            turn.emit(Say(text=turn.said(cursor.way.text, turn.scope(extra))))
    turn.trace(trigger, cursor.state)
    turn.close_visit()
    changes = turn.take_changes()
    if work.edit is not None:
        editing.compare(turn, visit.step, changes)
    past = Past(
        number=visit.number,
        step=visit.step,
        trigger=trigger,
        value=value,
        changes=changes,
        undo=undo,
        draft=draft,
        child=child,
    )
    turn.note(past)
    return cursor.state


def go(
    turn: Turn,
    trigger: str,
    value: Value,
    extra: dict[str, Value] | None,
    *,
    undo: tuple[str, Any] | None = None,
    draft: Draft | None = None,
) -> None:
    """Leave the current stay and walk on."""
    enter(turn, depart(turn, trigger, value, extra, undo=undo, draft=draft))


def signalled(turn: Turn, node: Node, signal: EarlySignal) -> str | None:
    """The step has what it waited for: the next step, or None when no transition is open."""
    turn.write(node.target, signal.payload)
    return depart(turn, signal.name, signal.payload, {"outcome": signal.payload})


# --- calls and ends ---------------------------------------------------------------------------------------


def _call(turn: Turn, node: Node) -> str | None:
    assert node.use is not None
    assert isinstance(node.body, Call)
    if len(turn.stack) >= DEEPEST_CALLS:
        turn.visit_at(node, Phase.ASKING)
        turn.trouble(f"{node.id}: more than {DEEPEST_CALLS} flows inside each other")
        draw_trouble(turn, "trouble.loop")
        return None
    program = turn.programs(node.body.flow)
    turn.visit_at(node, Phase.ASKING)
    arguments = evaluated(turn, node.use) or {}
    recalled = turn.recalled(node.id)
    frame = Frame(
        flow=program.name,
        version=program.version,
        visit=Visit(number=0, step=program.first),
        remembered=recalled.inner if recalled is not None else {},
    )
    turn.push(program, frame)
    set_data(turn, arguments)
    return program.first


def set_data(turn: Turn, arguments: dict[str, Value]) -> None:
    """The first data of a frame: what its flow declares, and the arguments it was given."""
    program = turn.work.program
    data: dict[str, Value] = {}
    for name, initial in program.arguments:
        if arguments.get(name) is not None:
            data[name] = arguments[name]
        elif initial is not None:
            data[name] = turn.value(initial, turn.scope())
    for name, constant in program.data:
        data[name] = turn.value(constant, turn.scope())
    turn.work.data = data


def _end(turn: Turn, node: Node) -> str | None:
    assert isinstance(node.body, End)
    turn.visit_at(node, Phase.ASKING)
    if node.text is not None:
        draw(turn)
    result = None if node.result is None else turn.value(node.result, turn.scope())
    return close(turn, node.body.outcome, result)


def close(turn: Turn, outcome: str, result: Value = None) -> str | None:
    """The top flow is over: back into the calling one, or the conversation ends."""
    editing.drop(turn)
    if len(turn.stack) == 1:
        turn.finish(outcome, result)
        return None
    turn.trace("returned", outcome)
    child = turn.pop().frozen()
    node = turn.work.node
    turn.forget(node.id)
    value = result if result is not UNSET else None
    home = editing.answered(turn, node, value, outcome)
    if home is not None:
        editing.undo_trail(turn, turn.programs(child.flow), child.trail)
        turn.trace("kept")
        return home
    if value is not None:
        turn.write(node.target, value)
    return depart(turn, outcome, value, {"outcome": value}, child=child)
