"""Signals that come before anybody waits for them: kept in the conversation, taken by the next wait for their name.

What going back means for them is decided here too: a kept one stays (it has happened), a taken one is used up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from engine.core import codec
from engine.core.conversation import EarlySignal
from engine.core.model import Call, Flow, Wait
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.values import Value

NEWS: Final = "news"
"""The argument by which a flow that begins with news learns which: the signal's name."""
MOST_KEPT: Final = 50
"""Signals that one conversation keeps; one more, and the oldest goes."""
MOST_BYTES: Final = 256 * 1024
"""What the payloads of all that it keeps may measure."""


def awaited(flow_of: Callable[[str], Flow], flows: Iterable[str]) -> frozenset[str]:
    """Every signal that a step of these flows, or of one they call, waits for. `flow_of` raises KeyError."""
    bodies = (step.body for flow in reachable(flow_of, flows) for step in flow.steps)
    return frozenset(name for body in bodies if isinstance(body, Wait) for name, _ in body.signals)


def reachable(flow_of: Callable[[str], Flow], flows: Iterable[str]) -> Iterator[Flow]:
    """These flows and all that they call, each once. `flow_of` raises KeyError."""
    known: set[str] = set()
    left = list(flows)
    while left:
        name = left.pop()
        if name in known:
            continue
        known.add(name)
        try:
            flow = flow_of(name)
        except KeyError:  # a call of a flow that has gone
            continue
        yield flow
        left += [step.body.flow for step in flow.steps if isinstance(step.body, Call)]


def keep(turn: Turn, name: str, payload: Mapping[str, Value]) -> bool:
    """Put a signal behind those that are kept. False: nobody in this conversation could ever take it."""
    flows = dict.fromkeys(work.program.name for work in turn.stack)
    if name not in awaited(lambda flow: turn.programs(flow).flow, flows):
        turn.trouble(f"{turn.work.program.name}: no step waits for the signal “{name}”")
        return False
    turn.early = (*turn.early, EarlySignal(name=name, payload=dict(payload)))
    return True


def take(turn: Turn, node: Node) -> EarlySignal | None:
    """The first kept signal that this step waits for; it is not kept any more. None: it waits on."""
    if not turn.early or not isinstance(node.body, Wait):
        return None
    wanted = {name for name, _ in node.body.signals}
    for index, signal in enumerate(turn.early):
        if signal.name in wanted:
            turn.early = (*turn.early[:index], *turn.early[index + 1 :])
            return signal
    return None


def bound(turn: Turn) -> None:
    """Let the oldest kept signals go until the rest is not too many and not too big."""
    sizes = [len(codec.dump_data(signal.payload)) for signal in turn.early]
    total, first = sum(sizes), 0
    while len(sizes) - first > MOST_KEPT or (total > MOST_BYTES and len(sizes) - first > 1):
        turn.trouble(f"{turn.work.program.name}: too many signals are kept, “{turn.early[first].name}” is dropped")
        total -= sizes[first]
        first += 1
    if first:
        turn.early = turn.early[first:]
