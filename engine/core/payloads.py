"""What a flow reads of a signal's payload, so that a sender can be told what is missing. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass

from engine.core.early import reachable
from engine.core.expressing import reads_of
from engine.core.model import Expression, Flow, Path, Step, Template, Wait


def read_of(flow_of: Callable[[str], Flow], flow: str, signal: str) -> frozenset[str]:
    """The fields of the payload that a flow, or one it calls, reads: as `outcome.NAME` on the way on, or later from
    where the waiting step keeps it. A name that another step writes, too, counts as read all the same."""
    found: set[str] = set()
    for one in reachable(flow_of, [flow]):
        for step in one.steps:
            if isinstance(step.body, Wait) and signal in {name for name, _ in step.body.signals}:
                found |= _behind(("outcome",), _on_the_way(step, signal))
                found |= _behind(step.target, one.steps)
    return frozenset(found)


def _on_the_way(step: Step, signal: str) -> object:
    return tuple(way for way in step.transitions if way.trigger == signal)


def _behind(prefix: Path, value: object) -> set[str]:
    length = len(prefix)
    return {path[length] for path in _paths(value) if path[:length] == prefix and len(path) > length}


def _paths(value: object) -> Iterator[Path]:
    if isinstance(value, Expression | Template):
        yield from reads_of(value)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _paths(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _paths(item)
    elif is_dataclass(value):
        for part in fields(value):
            yield from _paths(getattr(value, part.name))
