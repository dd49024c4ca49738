"""Looks along the trail of a conversation without changing it: where back leads, what was visited."""

from collections.abc import Iterable, Sequence

from engine.core.conversation import Past
from engine.core.model import Path
from engine.core.program import Program
from engine.core.turn import Programs, Turn, Work


def last_stay(trail: Sequence[Past], step: str) -> Past | None:
    """The latest stay at a step, or None."""
    return next((past for past in reversed(trail) if past.step == step), None)


def can_go_back(turn: Turn) -> bool:
    """Whether a question lies behind that no `final` step has closed."""
    for work in reversed(turn.stack):
        found = has_question(turn, work)
        if found is not None:
            return found
    return False


def has_question(turn: Turn, work: Work) -> bool | None:
    """Whether a question to go back to lies on one frame's trail; None: nothing that decides it."""
    here = work.program.nodes.get(work.visit.step)
    same = here.id if here is not None and here.step.redraw else None
    return _open_question(turn.programs, work.program, work.trail, same)


def _open_question(programs: Programs, program: Program, trail: Sequence[Past], same: str | None) -> bool | None:
    """True: a question to go back to; False: closed by a final step; None: nothing on this trail. `same`: a step with
    `redraw` that is stood at; earlier stays there are the same to a customer."""
    for past in reversed(trail):
        node = program.nodes.get(past.step)
        if node is None:
            continue
        if node.final:
            return False
        if past.child is not None:
            found = _open_question(programs, programs(past.child.flow), past.child.trail, None)
            if found is not None:
                return found
        if node.interactive and past.step != same:
            return True
    return None


def touches(reads: Iterable[Path], changed: Iterable[Path]) -> bool:
    """Whether something read lies on, above or below something changed."""
    changes = tuple(changed)
    return any(path[: len(other)] == other[: len(path)] for path in reads for other in changes)
