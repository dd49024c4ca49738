"""The graph of a flow has the edges of its machine: no more, and no fewer than a step can take."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings

from engine.actions.catalog import Catalog
from engine.core.graph import EdgeKind, Graph, NodeKind, graph_of
from engine.core.machine import edges
from engine.core.model import Flow
from engine.core.program import ONWARDS, Program
from engine.loading.rules.triggers import exits, outlets
from tests.core.diagrams import drawn, large, programs_of, shipped, steps
from tests.core.generated import CATALOG, flows
from tests.core.walker import flow_of


def assert_as_the_machine(
    flow: Flow, program: Program, catalog: Catalog, others: Mapping[str, Program], *, known: bool = True
) -> None:
    """Three views must agree: the machine, the graph, and what the checker says that a step can fire."""
    outcomes = {name: action.outcomes for name, action in catalog.actions.items()} if known else {}
    graph = graph_of(program, outcomes=outcomes, flows=others)
    machine = {(edge.source, edge.event, edge.target) for edge in edges(program)}
    shown = {
        (edge.source, trigger.name or ONWARDS, edge.target)
        for edge in graph.edges
        for trigger in edge.triggers
        if edge.kind is not EdgeKind.PASSED
    }
    assert shown <= machine
    flows_by_name = {name: other.flow for name, other in others.items()}
    possible = {
        (step.id, way.target)
        for step in flow.steps
        for way in exits(step, outlets(step, catalog, flows_by_name))
        if way.target is not None
    }
    pairs = {(source, target) for source, _, target in shown}
    assert possible <= pairs
    if known:
        assert pairs == possible
    never = {event for _, event, _ in machine - shown}
    assert never <= {ONWARDS}


def test_shipped_flows_are_drawn_from_their_machines() -> None:
    found, catalog = shipped()
    assert len(found) > 5
    others = {flow.name: program for flow, program in found}
    for flow, program in found:
        assert_as_the_machine(flow, program, catalog, others)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(flows())
def test_any_flow_is_drawn_from_its_machine(texts: list[str]) -> None:
    made = [flow_of(text, CATALOG) for text in texts]
    programs = programs_of(made, CATALOG)
    for flow in made:
        assert_as_the_machine(flow, programs[flow.name], CATALOG, programs, known=False)


def edge(graph: Graph, source: str, target: str) -> tuple[EdgeKind, tuple[str, ...], bool]:
    found = next(edge for edge in graph.edges if (edge.source, edge.target) == (source, target))
    return found.kind, found.words, found.back


def test_kinds_of_edges_and_their_words() -> None:
    graph = large()
    assert edge(graph, "welcome", "language") == (EdgeKind.ONWARDS, (), False)
    assert edge(graph, "kind", "repair_photo") == (EdgeKind.TRANSITION, ("repair",), False)
    assert edge(graph, "laser_material", "gave_up") == (EdgeKind.TIMEOUT, ("timeout 30m",), False)
    assert edge(graph, "code", "help_needed") == (EdgeKind.FAILED, ("failed",), False)
    assert edge(graph, "place", "summary") == (EdgeKind.TRANSITION, ("refused", "failed"), True)
    assert edge(graph, "amount_check", "amount") == (EdgeKind.TRANSITION, ("no",), True)
    assert edge(graph, "code_entry", "code_wrong") == (EdgeKind.TRANSITION, ("if code_entry != 4711",), False)
    assert edge(graph, "code_entry", "phone") == (EdgeKind.ONWARDS, ("otherwise",), False)
    assert edge(graph, "reminder", "expired") == (EdgeKind.TIMEOUT, ("timeout 1d",), False)


def test_nodes_say_what_a_step_is() -> None:
    graph = large()
    nodes = {node.id: node for node in graph.nodes}
    assert [node.id for node in graph.nodes if node.first] == ["welcome"]
    assert (nodes["kind"].kind, nodes["kind"].detail) == (NodeKind.ASK, "choice")
    assert (nodes["code"].kind, nodes["code"].detail) == (NodeKind.DO, "shop.do")
    assert (nodes["survey"].kind, nodes["survey"].detail) == (NodeKind.CALL, "called")
    assert (nodes["gave_up"].kind, nodes["gave_up"].detail) == (NodeKind.END, "cancelled")
    assert (nodes["pay_wait"].kind, nodes["pay_wait"].detail) == (NodeKind.WAIT, "order.paid")
    assert nodes["cash_note"].final
    assert nodes["express"].condition == "tries == 0"
    assert nodes["amount_check"].label == "That is ‹amount› pieces. Sure?"
    assert nodes["repair_words"].label.startswith("What happened to it? Please tell us")
    assert nodes["place"].label == "place"
    assert nodes["welcome"].line == 6


@pytest.mark.parametrize(
    ("step", "goes_on"),
    [
        ("s: {ask: yes_no, text: Sure?, transitions: {yes: a, no: b}}", False),
        ("s: {ask: yes_no, text: Sure?, transitions: {yes: a}}", True),
        ("s: {ask: choice, text: What?, keyboard: {x: X, y: Y}, transitions: {x: a, y: b}}", False),
        ("s: {ask: choice, text: What?, keyboard: {x: X, y: Y}, transitions: {x: a, answered: b}}", False),
        ("s: {ask: text, text: What?, transitions: {answered: [{to: a, if: s == 'x'}, b]}}", False),
        ("s: {ask: text, text: What?, transitions: {answered: [{to: a, if: s == 'x'}]}}", True),
        ("s: {text: Hm, keyboard: [[{text: X, trigger: x}]], transitions: {x: a}}", False),
        ("s: {text: Hm, keyboard: [[{text: X, trigger: x}, {text: Y, trigger: y}]], transitions: {x: a}}", True),
        ("s: {text: Hm, wait: {sig: a, after: {time: 1m, to: b}}}", False),
        ("s: {call: called, transitions: {completed: a, given: a, given_up: b}}", False),
        ("s: {end: completed}", False),
    ],
)
def test_a_step_goes_on_below_only_where_it_can(step: str, goes_on: bool) -> None:
    called = "flow: called\nsteps:\n  one: {end: given}\n  two: {end: given_up}\n"
    text = steps(step, "below: {text: Below}", "a: {end: completed}", "b: {end: other}")
    graph = drawn(text, called)
    assert (("s", "below") in {(edge.source, edge.target) for edge in graph.edges}) is goes_on


def test_a_step_that_is_passed_over_leads_below() -> None:
    text = steps(
        "s: {ask: yes_no, text: Sure?, if: customer.name == 'x', transitions: {yes: b, no: b}}",
        "a: {text: Below}",
        "b: {end: completed}",
    )
    assert edge(drawn(text), "s", "a") == (EdgeKind.PASSED, ("otherwise",), False)


def test_loops_are_closed_by_as_few_lines_as_possible() -> None:
    graph = large()
    back = {(edge.source, edge.target) for edge in graph.edges if edge.back}
    assert ("card_link", "payment") in back
    assert ("vat", "summary") not in back  # up the file, but only to another branch
    ahead: dict[str, set[str]] = {}
    for one in graph.edges:
        if not one.back:
            ahead.setdefault(one.source, set()).add(one.target)
    done: set[str] = set()
    while len(done) < len(graph.nodes):
        ready = {node.id for node in graph.nodes if ahead.get(node.id, set()) <= done} - done
        assert ready, "the forward lines go around in a circle"
        done |= ready
