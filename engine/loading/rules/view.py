"""One flow as the rules see it: its graph, and what is known of every name at every step. Computed once."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.actions.catalog import Catalog
from engine.core.model import Button, Declared, Flow, Path, Step
from engine.core.types import AnyType, OptionalType, ValueType, optional
from engine.loading.rules.answers import Results, written
from engine.loading.rules.joins import Names, assign, bare, join, merge, records
from engine.loading.rules.proving import given
from engine.loading.rules.triggers import Exit, Outlets, buttons, exits, outlets, passes_over

ROUNDS = 60
"""Rounds per step after which the types are taken as they are; real flows need two or three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowView:
    flow: Flow
    steps: Mapping[str, Step]
    outlets: Mapping[str, Outlets]
    exits: Mapping[str, tuple[Exit, ...]]
    reachable: frozenset[str]
    before: Mapping[str, Names]
    """What is known when a step is entered."""
    everything: Names
    """Every path that anything in this flow ever sets, with its type."""
    results: Mapping[str, Results]
    """Results of the flows that this one calls."""
    catalog: Catalog

    def names_at(self, step: Step) -> dict[str, ValueType]:
        """Root name → type at the entry of a step; what is set only later is optional."""
        return records(self.paths_in(step))

    def names_arriving(self, step: Step) -> dict[str, ValueType]:
        """The same before the step's own `if:` was looked at."""
        return records(self.before.get(step.id, self.everything))

    def paths_in(self, step: Step) -> Names:
        """The same by path."""
        return given(self.before.get(step.id, self.everything), step.condition)

    def names_after(self, step: Step, way: Exit) -> tuple[dict[str, ValueType], dict[str, ValueType]]:
        """The same where the step is left, its own answer or result included: while the way's condition is
        looked at, and once it holds."""
        known = leave(step, way.trigger, self.paths_in(step), self.catalog, self.results)
        for condition in way.unless:
            known = given(known, condition, holds=False)
        deciding = way.transition.condition if way.transition is not None else None
        return records(known), records(given(known, deciding))

    def names_anytime(self) -> dict[str, ValueType]:
        """The same where the place is not known: everything is optional but what is always there."""
        start = starting(self.flow)
        return records({path: start.get(path, optional(kind)) for path, kind in self.everything.items()})

    def next_steps(self, step: Step) -> tuple[str, ...]:
        """Where the customer can be led from a step, those below a passed-over one included."""
        targets = [way.target for way in self.exits[step.id] if way.target in self.steps]
        if passes_over(step) and step.following in self.steps:
            targets.append(step.following)
        return tuple(dict.fromkeys(target for target in targets if target is not None))

    def edits(self, step: Step) -> tuple[Button, ...]:
        return tuple(button for button in buttons(step) if button.edit)


def view_of(flow: Flow, *, catalog: Catalog, flows: Mapping[str, Flow], results: Mapping[str, Results]) -> FlowView:
    """Everything that follows from one flow alone (`results`: of the flows it calls)."""
    steps = {step.id: step for step in flow.steps}
    outlet = {step.id: outlets(step, catalog, flows) for step in flow.steps}
    ways = {step.id: exits(step, outlet[step.id]) for step in flow.steps}
    untyped = _everything(flow, outlet, catalog, results, {})
    everything = _everything(flow, outlet, catalog, results, untyped)
    before = _flow_through(_at_first(flow, everything), steps, ways, catalog, results)
    return FlowView(
        flow=flow,
        steps=steps,
        outlets=outlet,
        exits=ways,
        reachable=frozenset(before),
        before=before,
        everything=everything,
        results=results,
        catalog=catalog,
    )


def starting(flow: Flow) -> dict[Path, ValueType]:
    """What is known at the first step: arguments, and data with an initial value."""
    names: dict[Path, ValueType] = {(declared.name,): declared.type for declared in flow.arguments}
    for declared in flow.data:
        names[(declared.name,)] = declared_type(declared)
    return names


def _at_first(flow: Flow, everything: Names) -> dict[Path, ValueType]:
    """What is known before the first step: what later steps set is there already, but optional."""
    return {path: optional(kind) for path, kind in everything.items()} | starting(flow)


def declared_type(declared: Declared) -> ValueType:
    return declared.type if declared.initial is not None else optional(declared.type)


def leave(step: Step, trigger: str, known: Names, catalog: Catalog, results: Mapping[str, Results]) -> Names:
    """What is known once the step was left with `trigger`, before the transition's own `set:`."""
    kind = written(step, trigger, catalog, results, known)
    return known if kind is None else assign(known, step.target, kind)


def _flow_through(
    first: Names,
    steps: Mapping[str, Step],
    ways: Mapping[str, tuple[Exit, ...]],
    catalog: Catalog,
    results: Mapping[str, Results],
) -> dict[str, Names]:
    todo = [*steps][:1]
    before: dict[str, Names] = dict.fromkeys(todo, first)
    left = ROUNDS * len(steps)
    while todo and left > 0:
        left -= 1
        step = steps[todo.pop(0)]
        known = before[step.id]
        inside = given(known, step.condition)
        arrivals = [(way.target, _after(step, way, inside, catalog, results)) for way in ways[step.id]]
        if passes_over(step):
            arrivals.append((step.following, known if step.only else given(known, step.condition, holds=False)))
        for target, names in arrivals:
            if target not in steps or target is None:
                continue
            merged = merge(before[target], names) if target in before else dict(names)
            if target not in before or merged != before[target]:
                before[target] = merged
                if target not in todo:
                    todo.append(target)
    return before


def _after(step: Step, way: Exit, known: Names, catalog: Catalog, results: Mapping[str, Results]) -> Names:
    names = leave(step, way.trigger, known, catalog, results)
    for condition in way.unless:
        names = given(names, condition, holds=False)
    names = given(names, way.transition.condition if way.transition is not None else None)
    if way.transition is not None:
        for assignment in way.transition.assignments:
            present = names.get(assignment.path)
            if isinstance(present, OptionalType):
                names = assign(names, assignment.path, bare(present))
    return names


def _everything(
    flow: Flow, outlet: Mapping[str, Outlets], catalog: Catalog, results: Mapping[str, Results], known: Names
) -> dict[Path, ValueType]:
    """`known`: the same worked out before, for options that are drawn from a list in the data."""
    found: dict[Path, ValueType] = {path: bare(kind) for path, kind in starting(flow).items()}
    for step in flow.steps:
        triggers = {*outlet[step.id].firing, *outlet[step.id].possible}
        for trigger in sorted(triggers, key=lambda name: (name != "answered", name)):
            kind = written(step, trigger, catalog, results, known)
            if kind is None:
                continue
            present = found.get(step.target)
            found[step.target] = kind if present is None else _either(present, kind)
    return {path: kind for path, kind in found.items() if not _hidden(path, found)}


def _either(present: ValueType, kind: ValueType) -> ValueType:
    """The join; the first of two that have nothing in common (a row and a button's word), so that it stays typed."""
    joined = join(present, kind)
    unlike = isinstance(joined, AnyType) and not isinstance(present, AnyType) and not isinstance(kind, AnyType)
    return present if unlike else joined


def _hidden(path: Path, found: Mapping[Path, ValueType]) -> bool:
    return any(isinstance(found.get(path[:length]), AnyType) for length in range(1, len(path)))
