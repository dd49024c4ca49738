"""Going backwards: back along the visits, cancelling, expiring. Undo runs for every effect left behind."""

from collections.abc import Mapping

from engine.core import editing
from engine.core.conversation import Frame, Past, Remembered
from engine.core.model import Ask, Do
from engine.core.paths import can_go_back, has_question
from engine.core.program import Node
from engine.core.records import record, replaced
from engine.core.turn import Turn, with_path
from engine.core.values import UNSET, Value
from engine.core.walking import draft_of, enter


def back(turn: Turn) -> bool:
    """To the question before this one, its answer offered again. False when there is no way back."""
    _drop_calls(turn)
    home = editing.cancelled(turn)
    if home is not None:
        turn.trace("back", home)
        turn.close_visit()
        enter(turn, home)
        return True
    if not can_go_back(turn):
        return False
    _keep_draft(turn)
    left = _left(turn)
    editing.shelve(turn)
    turn.trace("back")
    turn.close_visit()
    while (past := _step_back(turn, left)) is None:
        pass
    enter(turn, past.step)
    return True


def _drop_calls(turn: Turn) -> None:
    """From the first question of a called flow that is being edited: out of it, what it did is taken back."""
    for depth in range(len(turn.stack) - 1, 0, -1):
        if has_question(turn, turn.stack[depth]) is not None:
            return
        edit = turn.stack[depth - 1].edit
        if edit is not None and not edit.replaying and edit.target == turn.stack[depth - 1].visit.step:
            turn.close_visit()
            while len(turn.stack) > depth:
                child = turn.pop()
                editing.undo_trail(turn, child.program, editing.whole_trail(child))
            return


@record
class _Left:
    """Where a way back began, when an action had led there, or at a step that is drawn over itself."""

    depth: int
    node: Node
    data: Mapping[str, Value]

    def is_here(self, turn: Turn, node: Node) -> bool:
        """Whether the question at `node` is the one that was left, word for word: an action had failed and led back
        to it. The same step with other data (the next round of a loop) is another question."""
        if self.depth != len(turn.stack) or node is not self.node or turn.work.edit is not None:
            return False
        if node.step.redraw:  # earlier rounds of a cart are no places to go back to
            return True
        return with_path(self.data, node.target, UNSET) == with_path(turn.work.data, node.target, UNSET)


def _left(turn: Turn) -> _Left | None:
    work = turn.work
    before = work.program.nodes.get(work.trail[-1].step) if work.trail else None
    if not work.node.step.redraw and (before is None or not isinstance(before.body, Do)):
        return None
    return _Left(depth=len(turn.stack), node=work.node, data=work.data)


def _step_back(turn: Turn, left: _Left | None) -> Past | None:
    """Take one stay off the trail; the stay itself when it was a question."""
    work = turn.work
    if not work.trail:
        child = turn.pop()
        turn.remember(turn.work.visit.step, Remembered(value=UNSET, inner=child.remembered))
        return None
    past = work.trail[-1]
    work.trail = work.trail[:-1]
    written = editing.unwound(turn, past)
    node = work.program.nodes.get(past.step)
    if past.child is not None and node is not None:
        _into(turn, past, past.child)
        return None
    if node is not None and node.interactive:
        if left is not None and left.is_here(turn, node) and can_go_back(turn):
            return None
        _land(turn, written)
        return past
    _leave_behind(turn, written)
    return None


def _into(turn: Turn, past: Past, child: Frame) -> None:
    """Back into a flow that had been called and is over."""
    node = turn.work.program.nodes[past.step]
    turn.visit_at(node, turn.work.visit.phase)
    turn.push(turn.programs(child.flow), child)


def _land(turn: Turn, past: Past) -> None:
    work = turn.work
    if isinstance(work.program.nodes[past.step].body, Ask):
        turn.remember(past.step, Remembered(value=past.value, draft=past.draft))
    edit = work.edit
    if edit is not None and edit.replaying:
        work.edit = replaced(edit, current=past)


def _leave_behind(turn: Turn, past: Past) -> None:
    """An effect is left behind: undone now, or, in the middle of an edit, when it turns out not to be used again."""
    edit = turn.work.edit
    if edit is not None and edit.replaying:
        turn.work.edit = replaced(edit, replay=(past, *edit.replay))
    else:
        editing.take_back(turn, past)


def _keep_draft(turn: Turn) -> None:
    draft = draft_of(turn)
    if draft is None or not (draft.ticks or draft.files or draft.quantity is not None):
        return
    step = turn.work.visit.step
    recalled = turn.recalled(step)
    turn.forget(step)
    turn.remember(step, Remembered(value=UNSET if recalled is None else recalled.value, draft=draft))


def abandon(turn: Turn, outcome: str) -> None:
    """The conversation is over before its end: everything since the last `final` step is undone, newest first."""
    turn.close_visit()
    for work in reversed(turn.stack):
        if not editing.undo_trail(turn, work.program, editing.whole_trail(work)):
            break
    turn.finish(outcome)
