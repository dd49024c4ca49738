"""Flows to draw, for the tests of graphs: the shipped ones, those of other tests, and one of 43 steps."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.core.graph import Graph, graph_of
from engine.core.machine import compile_flows
from engine.core.model import Bot, Flow
from engine.core.program import Program
from engine.loading.library import load
from tests.core.generated import CALLED, CATALOG
from tests.core.walker import flow_of

ROOT = Path(__file__).parents[2]
LARGE = Path(__file__).parent / "flows" / "large_order.yaml"


def programs_of(flows: list[Flow], catalog: Catalog, bot: Bot | None = None) -> Mapping[str, Program]:
    return compile_flows(flows, bot or Bot(), catalog)


def drawn(*texts: str, catalog: Catalog = CATALOG) -> Graph:
    """The graph of the first of these flows."""
    flows = [flow_of(text, catalog) for text in texts]
    programs = programs_of(flows, catalog)
    outcomes: dict[str, Any] = {}
    return graph_of(programs[flows[0].name], outcomes=outcomes, flows=programs)


def large() -> Graph:
    """A shop of 43 steps with branches, loops back to a summary, timeouts and failures."""
    return drawn(LARGE.read_text(encoding="utf-8"), CALLED)


@cache
def shipped() -> tuple[tuple[tuple[Flow, Program], ...], Catalog]:
    """The flows of the repository: its own, and those of the tests of the language."""
    catalog = discover([ROOT / "plugins"])
    found: list[tuple[Flow, Program]] = []
    for folder in (ROOT / "flows", ROOT / "tests" / "flows" / "unseen", ROOT / "tests" / "core" / "flows"):
        loaded = load(folder, catalog, environment={})
        programs = programs_of([*loaded.flows], catalog, loaded.bot)
        found += [(flow, programs[flow.name]) for flow in loaded.flows if flow.name != "large_order"]
    return tuple(found), catalog


def steps(*lines: str, head: str = "") -> str:
    """The text of a flow `f` out of one line per step."""
    return "flow: f\n" + head + "steps:\n" + "".join(f"  {line}\n" for line in lines)
