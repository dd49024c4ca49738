"""Edit and return: after a changed answer the way to the summary is walked again, and only what depends on the
change is asked (or done) again. `architecture.md`: the closure is found by the data that a step reads.

Holds the bookkeeping of an edit; walking itself is `engine.core.walking`'s.
"""

from dataclasses import replace

from engine.core.conversation import Edit, Past, Remembered
from engine.core.effects import Invoke, Purpose
from engine.core.model import Ask, Call
from engine.core.paths import last_stay, touches
from engine.core.program import Node, Setting
from engine.core.turn import Turn
from engine.core.values import Value


def take_back(turn: Turn, past: Past) -> None:
    """Run the `undo` of a stay, once: its key is the stay's number."""
    if past.undo is None:
        return
    name, arguments = past.undo
    visit = turn.work.visit.number
    turn.emit(Invoke(call=f"{visit}.undo.{past.number}", purpose=Purpose.UNDO, name=name, arguments=arguments))


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
    inner = past.child.remembered if past.child is not None else {}
    turn.remember(past.step, Remembered(value=past.value, draft=past.draft, inner=inner))


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
    behind = work.trail[index + 1 :]
    for past in reversed(work.trail[index:]):
        turn.restore(past)
    work.trail = work.trail[:index]
    work.edit = replace(edit, replaying=True, replay=behind, changed=frozenset({node.target}), current=old)
    return None


def reusable(turn: Turn, node: Node) -> Past | None:
    """The old stay at `node`, taken out of the replay, when the change does not touch it. None: go there anew."""
    work = turn.work
    edit = work.edit
    assert edit is not None
    if node.id == edit.home:
        drop(turn)
        return None
    past = next((past for past in edit.replay if past.step == node.id), None)
    if past is None:
        work.edit = replace(edit, current=None)
        return None
    rest = tuple(other for other in edit.replay if other is not past)
    if touches(node.reads, edit.changed) or past.trigger in ("failed", "timeout"):
        work.edit = replace(edit, replay=rest, current=past)
        take_back(turn, past)
        if isinstance(node.body, Ask | Call):
            _offer(turn, past)
        return None
    work.edit = replace(edit, replay=rest, current=None)
    return past


def settled(turn: Turn, node: Node, value: Value) -> None:
    """A step on the way has been asked or done again: when it came out differently, so has what depends on it."""
    edit = turn.work.edit
    if edit is None or not edit.replaying:
        return
    same = edit.current is not None and edit.current.step == node.id and edit.current.value == value
    changed = edit.changed if same else edit.changed | {node.target}
    turn.work.edit = replace(edit, changed=changed, current=None)


def reassigned(turn: Turn, setting: Setting) -> None:
    """A transition's `set` that reads something changed changes what it sets."""
    edit = turn.work.edit
    if edit is not None and edit.replaying and touches(setting.reads, edit.changed):
        turn.work.edit = replace(edit, changed=edit.changed | {setting.path})


def drop(turn: Turn) -> None:
    """The edit is over: what was not walked again is taken back, its answers are remembered."""
    edit = turn.work.edit
    if edit is None:
        return
    turn.work.edit = None
    for past in reversed(edit.replay):
        take_back(turn, past)
        node = turn.work.program.nodes.get(past.step)
        if node is not None and isinstance(node.body, Ask | Call):
            _offer(turn, past)
