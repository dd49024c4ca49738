"""F05, the graph: a customer can reach every step, and get from every step to an end."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.core.early import NEWS
from engine.core.model import Call, End, Flow, Show, Step, Wait
from engine.diagnostics import Diagnostic, Span
from engine.loading.rules.checked import Checked, JudgedFlow
from engine.loading.rules.findings import finding, listing, nearest
from engine.loading.rules.triggers import Exit, buttons, passes_over, waits

Edges = Mapping[str, tuple[str, ...]]


def closure(starts: Iterable[str], edges: Edges) -> set[str]:
    """Everything that can be reached from `starts`, they themselves included."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(edges.get(name, ()))
    return seen


def edges_of(judged: JudgedFlow) -> Edges:
    return {step.id: judged.view.next_steps(step) for step in judged.flow.steps}


def _per_flow(checked: Checked, rule: Callable[[JudgedFlow], Iterator[Diagnostic]]) -> Iterator[Diagnostic]:
    for judged in checked.judged:
        yield from rule(judged)


def unreachable(checked: Checked) -> Iterator[Diagnostic]:
    """F0501: no way leads to a step. Not said where another fault (a misspelled target) is the reason."""
    for judged in checked.judged:
        meant = {step.id: (*judged.view.next_steps(step), *_meant(judged, step)) for step in judged.flow.steps}
        reached = closure([step.id for step in judged.flow.steps[:1]], meant)
        for step in judged.flow.steps:
            if step.id not in reached:
                yield finding(
                    "F0501",
                    step.span,
                    f"No way leads to the step “{step.id}”.",
                    expected="a transition or a step above that goes on to it; or take it out",
                )


def _meant(judged: JudgedFlow, step: Step) -> Iterator[str]:
    """Where a step would lead if its other faults were put right."""
    outlet = judged.view.outlets[step.id]
    for transition in step.transitions:
        if transition.target not in judged.view.steps:
            yield nearest(transition.target, judged.view.steps) or step.id
            yield from _below(step)
        elif transition.trigger and transition.trigger not in outlet.possible:
            yield transition.target
            yield from _below(step)
    if not outlet.known or (_must_be_left(step) and not judged.view.exits[step.id]):
        yield from _below(step)


def _below(step: Step) -> Iterator[str]:
    if step.following is not None:
        yield step.following


def no_way_to_an_end(checked: Checked) -> Iterator[Diagnostic]:
    """F0502: steps from which the conversation can never come to an end."""
    yield from _per_flow(checked, _traps)


def _traps(judged: JudgedFlow) -> Iterator[Diagnostic]:
    edges = edges_of(judged)
    backwards: dict[str, tuple[str, ...]] = dict.fromkeys(edges, ())
    for name, targets in edges.items():
        for target in targets:
            backwards[target] = (*backwards[target], name)
    goals = [step.id for step in judged.flow.steps if isinstance(step.body, End) or _open_end(judged, step)]
    saved = closure(goals, backwards)
    reported: set[str] = set()
    for step in judged.flow.steps:
        if step.id in saved or step.id not in judged.view.reachable or step.id in reported:
            continue
        inside = closure(edges[step.id], edges)
        if all(step.id in closure([other], edges) for other in inside):
            reported |= {step.id, *inside}
            yield _trap(judged, step, inside | {step.id})


def _open_end(judged: JudgedFlow, step: Step) -> bool:
    """Faults of their own (F0301, F0503, F0507): not said twice."""
    if not judged.view.outlets[step.id].known or (_must_be_left(step) and not judged.view.exits[step.id]):
        return True
    falls = passes_over(step) and step.following is None
    return falls or any(way.target not in judged.view.steps for way in judged.view.exits[step.id])


def _must_be_left(step: Step) -> bool:
    return isinstance(step.body, Show | Wait)


def _trap(judged: JudgedFlow, step: Step, inside: set[str]) -> Diagnostic:
    names = ", ".join(f"“{other.id}”" for other in judged.flow.steps if other.id in inside)
    where = f"only leads to itself ({names})" if len(inside) == 1 else f"only leads around in a circle: {names}"
    return finding(
        "F0502",
        step.span,
        f"Nobody gets out of the step “{step.id}”: it {where}.",
        expected="a way that leads to a step with `end:`",
    )


def falls_off(checked: Checked) -> Iterator[Diagnostic]:
    """F0503: a step goes on to the step below, and there is none."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            known = judged.view.outlets[step.id].known
            loose = [way for way in judged.view.exits[step.id] if way.target is None and known]
            skipped = passes_over(step) and step.following is None
            if loose or skipped:
                yield _loose(step, loose)


def _loose(step: Step, loose: list[Exit]) -> Diagnostic:
    names = [way.trigger for way in loose if way.trigger not in {"answered", "next"}]
    when = f" after {listing(names).removeprefix('one of ')}" if names else ""
    return finding(
        "F0503",
        step.span,
        f"The step “{step.id}” goes on to the step below{when}, but there is none.",
        expected="a transition, or `end:` in this step or in one below",
    )


def circles(checked: Checked) -> Iterator[Diagnostic]:
    """F0504: a circle of steps none of which waits for anybody."""
    quiet = {name: _never_waits(flow) for name, flow in checked.by_name.items()}
    for judged in checked.judged:
        silent = {step.id: step for step in judged.flow.steps if _silent(step, quiet)}
        edges = {
            name: tuple(target for target in judged.view.next_steps(step) if target in silent)
            for name, step in silent.items()
        }
        reported: set[str] = set()
        for name, step in silent.items():
            inside = closure(edges[name], edges)
            if name in inside and name not in reported:
                circle = {other for other in inside if name in closure([other], edges)}
                reported |= circle
                names = ", ".join(f"“{other.id}”" for other in judged.flow.steps if other.id in circle)
                yield finding(
                    "F0504",
                    _way_back(judged, step, circle),
                    f"These steps go around in a circle and none of them waits for the customer: {names}.",
                    expected="a step in the circle that asks, waits, or shows a button",
                )


def _way_back(judged: JudgedFlow, first: Step, circle: set[str]) -> Span:
    """The transition that closes the circle: the last one in the file that leads to its first step."""
    for step in reversed(judged.flow.steps):
        for way in judged.view.exits[step.id]:
            if step.id in circle and way.target == first.id and way.transition is not None:
                return way.transition.target_span
    return first.span


def _silent(step: Step, quiet: Mapping[str, bool]) -> bool:
    if isinstance(step.body, Call):
        return quiet.get(step.body.flow, False)
    return not waits(step)


def _never_waits(flow: Flow) -> bool:
    return not any(waits(step) and not isinstance(step.body, End) for step in flow.steps) and not any(
        isinstance(step.body, Call) for step in flow.steps
    )


def edit_into_final(checked: Checked) -> Iterator[Diagnostic]:
    """F0505: an edit button wants to go back over a step that closed the way back."""
    for judged in checked.judged:
        edges = edges_of(judged)
        for step in judged.flow.steps:
            for button in judged.view.edits(step):
                for target, span in button.edit or ():
                    closed = _closed_between(judged, edges, target, step.id)
                    if closed is not None:
                        yield finding(
                            "F0505",
                            span,
                            f"“{target}” cannot be edited from here: the step “{closed}” in between is `final: true`.",
                            expected="a step after it, or a summary before the final step",
                        )


def _closed_between(judged: JudgedFlow, edges: Edges, target: str, home: str) -> str | None:
    if target not in edges or target == home:
        return None
    before_home = {name: targets for name, targets in edges.items() if name != home}
    ahead = closure([target], before_home)
    for step in judged.flow.steps:
        if step.final and step.id in ahead and step.id != home and home in closure(edges[step.id], edges):
            return step.id
    return None


def recursion(checked: Checked) -> Iterator[Diagnostic]:
    """F0506: a flow calls itself, directly or through others."""
    calls = {
        name: tuple(step.body.flow for step in flow.steps if isinstance(step.body, Call))
        for name, flow in checked.by_name.items()
    }
    for flow in checked.flows:
        for step in flow.steps:
            if isinstance(step.body, Call) and flow.name in closure([step.body.flow], calls):
                yield finding(
                    "F0506",
                    step.body.flow_span,
                    f"“{flow.name}” would call itself through “{step.body.flow}”, without an end.",
                    expected="a transition back to an earlier step, or a flow that does not lead back here",
                )


def no_way_out(checked: Checked) -> Iterator[Diagnostic]:
    """F0507: a step waits, and nothing that it waits for leads anywhere."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            if _must_be_left(step) and not judged.view.exits[step.id]:
                only_starts = any(button.start or button.edit for button in buttons(step))
                more = " Its buttons lead to other places, but not on." if only_starts else ""
                yield finding(
                    "F0507",
                    step.span,
                    f"Nothing leads out of the step “{step.id}”.{more}",
                    expected="a button with `trigger:`, a signal, or a `timeout:` with its transition; "
                    "or `end:` when it is the last word",
                )


def shadowed(checked: Checked) -> Iterator[Diagnostic]:
    """F0515: a transition after one that always holds."""
    for judged in checked.judged:
        for step in judged.flow.steps:
            settled: set[str] = set()
            for transition in step.transitions:
                if transition.trigger in settled:
                    yield finding(
                        "F0515",
                        transition.target_span,
                        f"This is never taken: an earlier transition of “{transition.trigger or 'the step'}” "
                        "has no `if:`.",
                        expected="the one without `if:` last",
                    )
                if transition.condition is None:
                    settled.add(transition.trigger)


def never_started(checked: Checked) -> Iterator[Diagnostic]:
    """F0514: nothing starts a flow. One with the argument `news` is begun by news that nobody else takes."""
    started = {
        name
        for flow in checked.flows
        for step in flow.steps
        for name in (
            *([step.body.flow] if isinstance(step.body, Call) else []),
            *(button.start[0] for button in buttons(step) if button.start is not None),
        )
    }
    for flow in checked.flows:
        entry = flow.entry
        told = any(argument.name == NEWS for argument in flow.arguments)
        if not told and flow.name not in started and not (entry.commands or entry.menu or entry.deep_link):
            yield finding(
                "F0514",
                flow.span,
                f"Nothing starts the flow “{flow.name}”.",
                expected="`entry:` with a command or a menu entry, or another flow that calls it",
            )
