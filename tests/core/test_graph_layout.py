"""Where a diagram's parts stand: nothing overlaps, no line runs through a step, the same every time, and quickly."""

import os
import time
from itertools import combinations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.core.graph import EdgeKind, Graph, GraphEdge, GraphNode, Layout, NodeKind, Trigger, graph_of, layout, svg
from engine.core.graph.cycles import closing
from tests.core.diagrams import drawn, large, programs_of, shipped, steps
from tests.core.generated import CATALOG, flows
from tests.core.walker import flow_of

LONG = bool(os.environ.get("STEPGRAM_LONG"))
NAMES = ("", "answered", "paid", "a_rather_long_outcome_of_an_action", "timeout")


def graph_from(count: int, pairs: list[tuple[int, int, str]]) -> Graph:
    """Any graph at all; steps that nothing leads to, loops and crossing lines included."""
    nodes = tuple(
        GraphNode(id=f"s{index}", kind=list(NodeKind)[index % 6], detail="", label=f"Step {index}", condition="",
                  final=index % 7 == 0, first=index == 0, file="f.yaml", line=index + 1)
        for index in range(count)
    )  # fmt: skip
    ends = {(f"s{one % count}", f"s{two % count}"): name for one, two, name in pairs}
    back = closing([node.id for node in nodes], ends)
    edges = tuple(
        GraphEdge(
            source=source,
            target=target,
            kind=EdgeKind.TIMEOUT if name == "timeout" else EdgeKind.TRANSITION if name else EdgeKind.ONWARDS,
            triggers=(Trigger(name=name),),
            back=(source, target) in back,
        )
        for (source, target), name in ends.items()
    )
    return Graph(name="any", title="Any", version="1", nodes=nodes, edges=edges)


def check(graph: Graph) -> Layout:
    """Everything that must hold of every diagram."""
    placed = layout(graph)
    assert [node.node.id for node in placed.nodes] == [node.id for node in graph.nodes]
    assert [edge.edge for edge in placed.edges] == list(graph.edges)
    boxes = [(node.node.id, node.box) for node in placed.nodes]
    labels = [(edge.edge, edge.box) for edge in placed.edges if edge.box is not None]
    for (one, first), (two, second) in combinations(boxes, 2):
        assert not first.overlaps(second), f"{one} lies on {two}"
    for one, label in labels:
        for two, box in boxes:
            assert not label.overlaps(box), f"the label of {one.source} → {one.target} lies on {two}"
    for (one, first), (two, second) in combinations(labels, 2):
        assert not first.overlaps(second), f"{one.words} of {one.source} lies on {two.words} of {two.source}"
    for edge in placed.edges:
        for x, y in edge.path.points(12):
            assert 0 < x < placed.width
            assert 0 < y < placed.height
            crossed = [one.words for one, label in labels if one is not edge.edge and label.holds(x, y)]
            assert not crossed, f"{edge.edge.source} → {edge.edge.target} runs through the label {crossed[0]}"
            hit = [name for name, box in boxes if box.holds(x, y)]
            assert not hit, f"{edge.edge.source} → {edge.edge.target} runs through {hit[0]}"
        assert touches(placed, edge.edge.source, edge.path.start)
        assert touches(placed, edge.edge.target, edge.path.end)
    return placed


def touches(placed: Layout, name: str, point: tuple[float, float]) -> bool:
    box = next(node.box for node in placed.nodes if node.node.id == name)
    x, y = point
    across = min(abs(x - box.x), abs(x - box.x - box.width)) < 0.1 and box.y <= y <= box.y + box.height
    down = min(abs(y - box.y), abs(y - box.y - box.height)) < 0.1 and box.x <= x <= box.x + box.width
    return across or down


def test_a_flow_of_43_steps() -> None:
    placed = check(large())
    middles = {node.node.id: node.box.x + node.box.width / 2 for node in placed.nodes}
    spine = [
        "welcome",
        "language",
        "kind",
        "amount",
        "date",
        "email",
        "delivery",
        "payment",
        "summary",
        "place",
        "done",
    ]
    assert len({round(middles[name], 1) for name in spine}) == 1
    assert placed.width < 1600
    for edge in placed.edges:
        if edge.edge.back and {edge.edge.source, edge.edge.target} <= set(spine):
            assert min(x for x, _ in edge.path.points()) < middles["welcome"] - 128, "a loop runs at the side"


def test_shipped_flows() -> None:
    for _, program in shipped()[0]:
        check(graph_of(program))


@settings(max_examples=600 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(flows())
def test_any_flow(texts: list[str]) -> None:
    made = [flow_of(text, CATALOG) for text in texts]
    for program in programs_of(made, CATALOG).values():
        check(graph_of(program))


@settings(max_examples=20_000 if LONG else 150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(1, 14),
    st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13), st.sampled_from(NAMES)), max_size=30),
)
@example(7, [(0, 2, ""), (0, 5, ""), (2, 1, ""), (2, 4, ""), (4, 0, "paid"), (4, 4, "paid")])
def test_any_graph(count: int, pairs: list[tuple[int, int, str]]) -> None:
    graph = graph_from(count, pairs)
    check(graph)
    assert layout(graph) == layout(graph)


def test_one_step() -> None:
    placed = check(drawn(steps("only: {text: Bye, end: completed}")))
    assert len(placed.nodes) == 1
    assert not placed.edges


def test_a_step_that_leads_to_itself() -> None:
    text = steps(
        "again: {ask: choice, text: Again?, keyboard: {y: Yes, n: No}, timeout: 1m,"
        " transitions: {y: again, timeout: again}}",
        "bye: {end: completed}",
    )
    placed = check(drawn(text))
    loop = next(edge for edge in placed.edges if edge.edge.source == edge.edge.target)
    assert loop.label == "y, timeout 1m"
    assert loop.edge.back


def test_steps_that_nothing_leads_to_are_still_there() -> None:
    text = steps(
        "a: {ask: text, text: A, transitions: {answered: bye}}",
        "lost: {text: Lost}",
        "lost_too: {ask: yes_no, text: Lost, transitions: {no: lost}}",
        "bye: {end: completed}",
    )
    assert len(check(drawn(text)).nodes) == 4


def test_a_menu_with_many_branches_that_come_back() -> None:
    names = [f"b{index}" for index in range(9)]
    options = ", ".join(f"{name}: Branch {name}" for name in names)
    ways = ", ".join(f"{name}: {name}" for name in names)
    branches = [f"{name}: {{ask: text, text: {name}, transitions: {{answered: menu}}}}" for name in names]
    text = steps(
        f"menu: {{ask: choice, text: Menu, keyboard: {{{options}, bye: Bye}}, transitions: {{{ways}, bye: bye}}}}",
        *branches,
        "bye: {end: completed}",
    )
    check(drawn(text))


def chain(count: int) -> Graph:
    """Long, with jumps ahead and back and one end for all timeouts."""
    pairs = [(index, index + 1, "") for index in range(count - 2)]
    pairs += [(index, count - 1, "timeout") for index in range(0, count - 2, 3)]
    pairs += [(index, index // 2, "paid") for index in range(5, count - 2, 10)]
    pairs += [(index, min(index + 4, count - 2), "skip") for index in range(2, count - 2, 7)]
    return graph_from(count, pairs)


@pytest.mark.parametrize(("count", "seconds"), [(40, 0.1), (300, 2.0)])
def test_it_is_quick(count: int, seconds: float) -> None:
    graph = chain(count)
    check(graph)
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        svg(graph)
        taken.append(time.perf_counter() - started)
    assert min(taken) < seconds * 3  # three times: the machine may be busy
    print(f"\n{count} steps: {min(taken) * 1000:.0f} ms")
