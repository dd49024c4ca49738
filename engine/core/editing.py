"""Edit and return: after a changed answer the way to the summary is walked again, and only what depends on the
change is asked (or done) again. The closure is found by the data that a step reads.

Holds the bookkeeping of an edit; walking itself is `engine.core.walking`'s.
"""

from engine.core.conversation import Edit, Past, Remembered
from engine.core.effects import Invoke, Purpose
from engine.core.model import Ask, Call, Path
from engine.core.paths import last_stay, touches
from engine.core.program import Node, Program
from engine.core.records import replaced
from engine.core.turn import Turn, Work, read_path
from engine.core.values import Value


def take_back(turn: Turn, past: Past) -> bool:
    """Run the `undo` of a stay and of what a flow that it called has done. False: a final step there forbids more.

    The key is the stay's number: nobody undoes it twice.
    """
    if past.undo is not None:
        name, arguments = past.undo
        visit = turn.work.visit.number
        turn.emit(Invoke(call=f"{visit}.undo.{past.number}", purpose=Purpose.UNDO, name=name, arguments=arguments))
    return past.child is None or undo_trail(turn, turn.programs(past.child.flow), past.child.trail)


def undo_trail(turn: Turn, program: Program, trail: tuple[Past, ...]) -> bool:
    """Take a trail back from its end; False when a final step closed it."""
    for past in reversed(trail):
        node = program.nodes.get(past.step)
        if (node is not None and node.final) or not take_back(turn, past):
            return False
    return True


def whole_trail(work: Work) -> tuple[Past, ...]:
    """What a frame has behind it, with what an edit under way has not walked again yet."""
    edit = work.edit
    return work.trail if edit is None else (*work.trail, *edit.missed, *edit.replay)


def unwound(turn: Turn, past: Past) -> Past:
    """Take back what a stay wrote; the stay with what it wrote as its `changes`, as `Edit` keeps it."""
    written = tuple((path, read_path(turn.work.data, path)) for path, _ in past.changes)
    turn.restore(past)
    return replaced(past, changes=written)


def begin(turn: Turn, target: str) -> bool:
    """Note that the customer wants to change the answer at `target`; False when they never were there."""
    work = turn.work
    past = last_stay(work.trail, target)
    if past is None:
        return False
    _offer(turn, past)
    work.edit = Edit(home=work.visit.step, target=target)
    turn.trace("edit", target)
    turn.close_visit()
    return True


def _offer(turn: Turn, past: Past) -> None:
    turn.remember(past.step, _remembered(turn, past))


def _remembered(turn: Turn, past: Past) -> Remembered:
    inner: dict[str, tuple[Remembered, ...]] = {}
    if past.child is not None:
        inner.update(past.child.remembered)
        nodes = turn.programs(past.child.flow).nodes
        for stay in reversed(past.child.trail):
            node = nodes.get(stay.step)
            if node is not None and isinstance(node.body, Ask | Call):
                inner[stay.step] = (*inner.get(stay.step, ()), _remembered(turn, stay))
    return Remembered(value=past.value, draft=past.draft, inner=inner)


def cancelled(turn: Turn) -> str | None:
    """The customer goes back instead of answering: the step to return to, everything as it was."""
    edit = turn.work.edit
    if edit is None or edit.replaying or turn.work.visit.step != edit.target:
        return None
    turn.forget(edit.target)
    turn.work.edit = None
    return edit.home


def answered(turn: Turn, node: Node, value: Value, trigger: str) -> str | None:
    """The edited step has its new answer. The step to return to when nothing changed; else None, and the trail is
    wound back to before the old answer, what lay behind it kept for reuse."""
    work = turn.work
    edit = work.edit
    if edit is None or edit.replaying or node.id != edit.target:
        return None
    old = last_stay(work.trail, node.id)
    if old is None or (old.value == value and old.trigger == trigger):
        work.edit = None
        return edit.home
    index = work.trail.index(old)
    behind = [unwound(turn, past) for past in reversed(work.trail[index:])]
    current = behind.pop()
    work.trail = work.trail[:index]
    work.edit = replaced(edit, replaying=True, replay=tuple(reversed(behind)), current=current)
    take_back(turn, current)
    return None


def reusable(turn: Turn, node: Node) -> Past | None:
    """The old stay at `node`, taken out of the replay, when the change does not touch it. None: go there anew."""
    work = turn.work
    edit = work.edit
    assert edit is not None
    if node.id == edit.home:
        drop(turn)
        return None
    edit, past = _taken(turn, edit, node.id)
    work.edit = replaced(edit, current=past)
    if past is None:
        return None
    if touches(node.reads, edit.changed) or past.trigger in ("failed", "timeout", "timeout_late"):
        take_back(turn, past)
        if isinstance(node.body, Ask | Call):
            _offer(turn, past)
        return None
    return past


def _taken(turn: Turn, edit: Edit, step: str) -> tuple[Edit, Past | None]:
    """The old stay at a step, taken out of the edit. What stood before it has been missed: its writes are gone."""
    for index, past in enumerate(edit.replay):
        if past.step == step:
            skipped, rest = edit.replay[:index], edit.replay[index + 1 :]
            data = turn.work.data
            gone = {path for stay in skipped for path, value in stay.changes if read_path(data, path) != value}
            missed, changed = (*edit.missed, *skipped), edit.changed | gone
            return replaced(edit, replay=rest, missed=missed, changed=changed), past
    for past in edit.missed:
        if past.step == step:
            return replaced(edit, missed=tuple(other for other in edit.missed if other is not past)), past
    return edit, None


def compare(turn: Turn, step: str, changes: tuple[tuple[Path, Value], ...]) -> None:
    """A stay of the way that is walked again ends: what it wrote otherwise than the old one has changed."""
    edit = turn.work.edit
    if edit is None or not edit.replaying:
        return
    data = turn.work.data
    old = dict(edit.current.changes) if edit.current is not None and edit.current.step == step else {}
    same = {path for path, value in old.items() if read_path(data, path) == value}
    changed = edit.changed - same | (old.keys() - same)
    for path, before in changes:
        if path not in old and (touches((path,), edit.changed) or read_path(data, path) != before):
            changed |= {path}
    turn.work.edit = replaced(edit, changed=frozenset(changed), current=None)


def shelve(turn: Turn) -> None:
    """The customer goes back from a question that an edit asks again: its old stay waits for their return."""
    edit, node = turn.work.edit, turn.work.node
    if edit is not None and edit.replaying and edit.current is not None and edit.current.step == node.id:
        replay = (edit.current, *edit.replay) if node.interactive else edit.replay
        turn.work.edit = replaced(edit, replay=replay, current=None)


def drop(turn: Turn) -> None:
    """The edit is over: what was not walked again is taken back, its answers are remembered."""
    edit = turn.work.edit
    if edit is None:
        return
    turn.work.edit = None
    for past in reversed((*edit.missed, *edit.replay)):
        take_back(turn, past)
        node = turn.work.program.nodes.get(past.step)
        if node is not None and isinstance(node.body, Ask | Call):
            _offer(turn, past)
