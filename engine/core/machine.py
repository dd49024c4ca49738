"""Flow → Program: sources become closures, steps and transitions one flat `transitions.Machine`.

The only importer of `transitions`. The machine has no models: a short-lived cursor is
handed to it for each event (measured in the design: 7 µs and 59 B per conversation, against 78 µs and 12 kB with
`add_model`). It gets functions compiled by us, never names: `transitions` would import and call those.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from transitions import Event as MachineEvent
from transitions import EventData, Machine, State
from transitions import Transition as MachineTransition

from engine.core.compiling import Compiler
from engine.core.expressions import EvaluationError, Scope
from engine.core.model import Ask, Bot, Flow, Step, Transition
from engine.core.program import NEVER_ONWARDS, ONWARDS, Evaluate, Node, Program, Signatures, Watch, Way
from engine.core.records import record


class Cursor:
    """Stands at one state for one event; afterwards `state` is the next step and `way` how it got there."""

    __slots__ = ("scope", "state", "trouble", "way")

    def __init__(self, state: str, scope: Callable[[], Scope]) -> None:
        self.state = state
        self.scope = scope
        self.way: Way | None = None
        self.trouble: str | None = None


class _Transition(MachineTransition):
    """Notes on the cursor which declared transition was taken."""

    def __init__(self, *args: Any, way: Way | None = None, declared: Transition | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way = way
        self.declared = declared

    def execute(self, event_data: EventData) -> bool:
        """As the library's own, without its callbacks: our machines have none, and looking for them on every
        transition, state and machine costs more than the transition itself (measured: 6.0 → 3.3 µs)."""
        if self.conditions and not self._eval_conditions(event_data):
            return False
        cursor: Any = event_data.model
        cursor.state = self.dest
        cursor.way = self.way
        return True


class _Event(MachineEvent):
    """Asks the transitions of the cursor's state, in order, until one is open."""

    def trigger(self, model: Any, *args: Any, **kwargs: Any) -> bool:
        """As the library's own, without the queue, the callbacks and the look-up of a State object: our machines
        have none of the first two and need none of the third (measured, `fire`: 2.0 → 0.5 µs)."""
        data = EventData(None, self, self.machine, model, args, kwargs)
        for transition in self.transitions[model.state]:  # noqa: SIM110 - a generator costs 0.3 µs here
            if transition.execute(data):
                return True
        return False


class _Machine(Machine):
    event_cls = _Event
    transition_cls = _Transition


def _guard(condition: Evaluate) -> Callable[[EventData], bool]:
    """A condition as `transitions` calls it. One that cannot be evaluated does not hold, and is reported."""

    def holds(event_data: EventData) -> bool:
        cursor: Any = event_data.model
        try:
            return bool(condition(cursor.scope()))
        except EvaluationError as error:
            cursor.trouble = str(error)
            return False

    return holds


def fire(program: Program, node: Node, trigger: str, scope: Callable[[], Scope]) -> Cursor | None:
    """Where `trigger` leads from `node`. None when no transition is open (and the customer stays).

    `scope` is called when a condition wants to be evaluated.
    """
    name = trigger if trigger in node.triggers else ONWARDS
    if name is ONWARDS and trigger in NEVER_ONWARDS:
        return None
    event = program.machine.events.get(name)
    if event is None or node.id not in event.transitions:
        return None
    cursor = Cursor(node.id, scope)
    return cursor if event.trigger(cursor) else None


@record
class MachineEdge:
    """One transition of the machine, in the order in which they are asked. `event` is a trigger or ONWARDS."""

    source: str
    event: str
    target: str
    declared: Transition | None
    """What the author wrote; None: it just goes on to the step below."""


def edges(program: Program) -> Iterator[MachineEdge]:
    """Every transition of the machine, event by event: for drawing it."""
    for name, event in program.machine.events.items():
        for source, ways in event.transitions.items():
            for way in ways:
                yield MachineEdge(source=source, event=name, target=way.dest, declared=way.declared)


def _grouped(step: Step) -> dict[str, list[Transition]]:
    groups: dict[str, list[Transition]] = {}
    for transition in step.transitions:
        groups.setdefault(transition.trigger, []).append(transition)
    return groups


def _add(machine: _Machine, compiler: Compiler, step: Step, trigger: str, declared: Sequence[Transition]) -> bool:
    """Add transitions in order; True when the last one always holds."""
    for transition in declared:
        condition = compiler.expression(transition.condition)
        machine.add_transition(
            trigger,
            step.id,
            transition.target,
            conditions=[_guard(condition)] if condition else None,
            way=compiler.way(transition),
            declared=transition,
        )
        if condition is None:
            return True
    return False


def _wire(machine: _Machine, compiler: Compiler, step: Step) -> frozenset[str]:
    """The transitions of one step; the names that have some of their own."""
    groups = _grouped(step)
    default = groups.pop("", [])
    for trigger, declared in groups.items():
        closed = _add(machine, compiler, step, trigger, declared)
        if not closed and trigger not in NEVER_ONWARDS:
            closed = _add(machine, compiler, step, trigger, default)
            if not closed and step.following:
                machine.add_transition(trigger, step.id, step.following)
    if not _add(machine, compiler, step, ONWARDS, default) and step.following:
        machine.add_transition(ONWARDS, step.id, step.following)
    return frozenset(groups)


def _edges(flow: Flow) -> Mapping[str, list[str]]:
    edges: dict[str, list[str]] = {}
    for step in flow.steps:
        targets = [transition.target for transition in step.transitions if transition.trigger not in NEVER_ONWARDS]
        if step.following:
            targets.append(step.following)
        edges[step.id] = targets
    return edges


def _remaining(flow: Flow) -> Mapping[str, int]:
    """Questions left from each step on the longest way that only goes down the file."""
    order = {step.id: index for index, step in enumerate(flow.steps)}
    edges = _edges(flow)
    left: dict[str, int] = {}
    for step in reversed(flow.steps):
        below = [left[target] for target in edges[step.id] if order.get(target, -1) > order[step.id]]
        left[step.id] = max(below, default=0) + (1 if isinstance(step.body, Ask) else 0)
    return left


def compile_flow(flow: Flow, signatures: Signatures, bot: Bot, watch: Watch | None = None) -> Program:
    """One checked flow as a Program; `watch` looks on at every evaluation.

    Raises ValueError for a flow that the checker would refuse.
    """
    compiler = Compiler(signatures=signatures, bot=bot, watch=watch)
    machine = _Machine(
        model=None,
        states=[State(step.id) for step in flow.steps],
        initial=flow.steps[0].id,
        auto_transitions=False,
        send_event=True,
        queued=False,
    )
    remaining = _remaining(flow)
    nodes = {
        step.id: compiler.node(
            step, triggers=_wire(machine, compiler, step), remaining=remaining[step.id], late=flow.late
        )
        for step in flow.steps
    }
    return Program(
        name=flow.name,
        version=flow.version,
        flow=flow,
        title=compiler.text(flow.title),
        expired=compiler.optional_text(flow.expired),
        key=compiler.expression(flow.key),
        machine=machine,
        nodes=nodes,
        first=flow.steps[0].id,
        arguments=tuple((name.name, compiler.initial(name.initial)) for name in flow.arguments),
        data=tuple((d.name, compiler.argument(d.initial)) for d in flow.data if d.initial is not None),
    )


def compile_flows(
    flows: Iterable[Flow], bot: Bot, signatures: Signatures, watch: Watch | None = None
) -> Mapping[str, Program]:
    """All flows of a bot by name. They must have passed the checker."""
    return {flow.name: compile_flow(flow, signatures, bot, watch) for flow in flows}
