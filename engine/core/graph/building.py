"""Program → Graph: the edges of the machine that a step can really take, gathered by where they lead. Pure."""

from collections.abc import Collection, Iterator, Mapping

from engine.core.graph.cycles import closing
from engine.core.graph.model import EdgeKind, Graph, GraphEdge, GraphNode, NodeKind, Trigger
from engine.core.graph.words import clean, duration, first_line
from engine.core.machine import MachineEdge, edges
from engine.core.model import Ask, Call, Choice, Do, End, Show, Step, Wait, YesNo
from engine.core.program import NEVER_ONWARDS, ONWARDS, Program

Outcomes = Mapping[str, Collection[str]]
"""Action → its outcomes. An action that is not in it may have others than a step names."""


def graph_of(
    program: Program, *, outcomes: Outcomes | None = None, flows: Mapping[str, Program] | None = None
) -> Graph:
    """The diagram of a flow.

    `outcomes` and `flows` (those it may call) sharpen it: a step whose every outcome has a transition of its own does
    not go on to the step below. Without them such a line is drawn where it cannot be excluded.
    """
    flow = program.flow
    known = {**(outcomes or {}), **_calls(flows or {})}
    found: dict[tuple[str, str], list[tuple[EdgeKind, Trigger]]] = {}
    written = _by_source(program)
    for step in flow.steps:
        for target, kind, trigger in _ways(step, written.get(step.id, []), known):
            found.setdefault((step.id, target), []).append((kind, trigger))
    back = closing([step.id for step in flow.steps], found)
    return Graph(
        name=flow.name,
        title=first_line(flow.title.source) or flow.name,
        version=flow.version,
        nodes=tuple(_node(step, first=step.id == program.first) for step in flow.steps),
        edges=tuple(_edge(ends, ways, back=ends in back) for ends, ways in found.items()),
    )


def _calls(flows: Mapping[str, Program]) -> Outcomes:
    """The outcomes of flows by a name that no action has."""
    return {
        f"call {name}": {step.body.outcome for step in program.flow.steps if isinstance(step.body, End)}
        for name, program in flows.items()
    }


def _ways(step: Step, written: list[MachineEdge], known: Outcomes) -> Iterator[tuple[str, EdgeKind, Trigger]]:
    """What can be taken from a step, in the order of the file."""
    order = {trigger: index for index, trigger in enumerate(_named(step))}
    own = [edge for edge in written if can_fire(step, edge.event, known)]
    own.sort(key=lambda edge: order.get(edge.event, len(order)))
    seen: dict[str, int] = {}
    for edge in own:
        before = seen.get(edge.event, 0)
        seen[edge.event] = before + 1
        yield edge.target, _kind(edge), _trigger(step, edge, again=before > 0)
    below = step.following
    if (step.condition or step.only) and below and below not in {edge.target for edge in own}:
        yield below, EdgeKind.PASSED, Trigger(name="", otherwise=True)


def _by_source(program: Program) -> Mapping[str, list[MachineEdge]]:
    grouped: dict[str, list[MachineEdge]] = {}
    for edge in edges(program):
        grouped.setdefault(edge.source, []).append(edge)
    return grouped


def can_fire(step: Step, event: str, known: Outcomes) -> bool:
    """Whether a step can fire this event of the machine: not every step can just go on."""
    if isinstance(step.body, End):
        return False
    if event != ONWARDS:
        return True
    named = set(_named(step))
    others = _others(step, known)
    if others is None:
        return True
    if isinstance(step.body, Ask):  # an answer without a transition of its own fires `answered`
        answers = _answers(step)
        closed = "answered" in named or (bool(answers) and answers <= named)
        return not closed or not others <= named
    return not others <= named


def _answers(step: Step) -> set[str]:
    """What a question fires instead of `answered`, when that is all it can; empty: anything may come."""
    match step.body:
        case Ask(question=Choice()) if step.keyboard is not None:
            source = step.keyboard.source
            if source is not None and not source.buttons:
                return set()
            values = {option.value for option in step.keyboard.options} | _buttons(step)
        case Ask(question=YesNo()):
            values = {"yes", "no"}
        case _:
            return set()
    return values | ({"skipped"} if isinstance(step.body, Ask) and step.body.optional else set())


def _buttons(step: Step) -> set[str]:
    rows = step.keyboard.rows if step.keyboard else ()
    source = step.keyboard.source if step.keyboard else None
    rows = (*rows, source.buttons) if source else rows
    return {button.trigger for row in rows for button in row if button.trigger}


def _named(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(transition.trigger for transition in step.transitions if transition.trigger))


def _others(step: Step, known: Outcomes) -> set[str] | None:
    """Everything besides answers, timeouts and failures that a step fires; None: not known, or `next`."""
    match step.body:
        case Ask(question=Choice()):
            return set()
        case Ask():
            return _buttons(step)
        case Show() if step.keyboard is not None:
            return _buttons(step)
        case Wait(signals=signals):
            return {name for name, _ in signals} | _buttons(step)
        case Do(action=action) if action.name in known:
            return set(known[action.name]) - NEVER_ONWARDS
        case Call(flow=flow) if f"call {flow}" in known:
            return set(known[f"call {flow}"])
        case _:
            return None


def _kind(edge: MachineEdge) -> EdgeKind:
    if edge.event in ("timeout", "timeout_late"):
        return EdgeKind.TIMEOUT
    if edge.event == "failed":
        return EdgeKind.FAILED
    return EdgeKind.ONWARDS if edge.declared is None or not edge.declared.trigger else EdgeKind.TRANSITION


def _trigger(step: Step, edge: MachineEdge, *, again: bool) -> Trigger:
    condition = clean(edge.declared.condition.source) if edge.declared and edge.declared.condition else ""
    return Trigger(
        name="" if edge.event == ONWARDS else edge.event,
        condition=condition,
        otherwise=again and not condition,
        detail=_due(step) if edge.event == "timeout" else "",
    )


def _due(step: Step) -> str:
    limit = step.timeout
    if limit is None:
        return ""
    time = duration(limit.after) if limit.after is not None else clean(limit.until.source) if limit.until else ""
    return time if limit.hours is None else f"{time}, {limit.hours[0]}"


def _edge(ends: tuple[str, str], ways: list[tuple[EdgeKind, Trigger]], *, back: bool) -> GraphEdge:
    """One line. It looks like its most usual reason; plainly going on beside named ones needs no word."""
    kinds = list(EdgeKind)
    named = any(kind is EdgeKind.TRANSITION for kind, _ in ways)
    usual = min((kind for kind, _ in ways), key=kinds.index)
    return GraphEdge(
        source=ends[0],
        target=ends[1],
        kind=EdgeKind.TRANSITION if named else usual,
        triggers=tuple(dict.fromkeys(trigger for _, trigger in ways)),
        back=back,
    )


def _node(step: Step, *, first: bool) -> GraphNode:
    kind, detail = _what(step)
    text = step.label or step.text if kind is NodeKind.END else step.text
    condition = clean(step.condition.source) if step.condition else ", ".join(role for role, _ in step.only)
    return GraphNode(
        id=step.id,
        kind=kind,
        detail=clean(detail),
        label=(first_line(text.source) if text else "") or step.id,
        condition=condition,
        final=step.final,
        first=first,
        file=step.span.file,
        line=step.span.line,
    )


def _what(step: Step) -> tuple[NodeKind, str]:
    match step.body:
        case Ask(kind=kind):
            return NodeKind.ASK, kind
        case Show():
            return NodeKind.SHOW, ""
        case Do(action=action):
            return NodeKind.DO, action.name
        case Wait(signals=signals):
            return NodeKind.WAIT, ", ".join(name for name, _ in signals)
        case Call(flow=flow):
            return NodeKind.CALL, flow
        case End(outcome=outcome):
            return NodeKind.END, outcome
