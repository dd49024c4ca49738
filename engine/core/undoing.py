"""Which outcomes of an action its step's `undo:` belongs to. Pure; one rule for the checker and for the compiler."""

from collections.abc import Collection

from engine.core.model import Do, Step


def undone_outcomes(step: Step, do: Do, outcomes: Collection[str]) -> frozenset[str]:
    """The outcomes after which there is something to take back; `outcomes` are all that the action has.

    Those listed under `after:`; else those that no transition names (they go on below); else every one.
    """
    if do.undo_after:
        return frozenset(name for name, _ in do.undo_after)
    named = {transition.trigger for transition in step.transitions}
    return frozenset(outcomes) - named or frozenset(outcomes)
