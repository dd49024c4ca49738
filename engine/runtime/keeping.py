"""How long each flow's finished conversations are kept, as the flows say it. Pure."""

from collections.abc import Mapping

from engine.runtime.library import Library


def retention_of(library: Library) -> Mapping[str, float | None]:
    """Seconds by flow; None: for ever."""
    kept = {name: program.flow.retention for name, program in library.programs.items()}
    return {name: None if time is None else time.total_seconds() for name, time in kept.items()}


def fleeting_of(retention: Mapping[str, float | None]) -> frozenset[str]:
    """Flows whose conversations go as soon as they are over."""
    return frozenset(name for name, seconds in retention.items() if seconds == 0)
