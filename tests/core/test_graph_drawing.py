"""SVG and Mermaid of a graph: well-formed, nothing put in gets out of its place, themes, and what pages rely on."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.graph import EdgeKind, Graph, GraphEdge, GraphNode, NodeKind, Trigger, css, flat_css, mermaid, svg
from engine.core.graph.mermaid import quoted
from engine.core.graph.words import first_line, fitted, width
from tests.core.diagrams import ROOT, drawn, large, steps

SPACE = "{http://www.w3.org/2000/svg}"
STYLE = ROOT / "engine" / "channels" / "web" / "assets" / "diagram.css"
EVIL = "</title></text><script>alert('\"&1')</script>]]> --> <style>*{}</style> \x00\x1b\u202e\ufffe"


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def steps_of(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {group.attrib["data-step"]: group for group in root.iter(f"{SPACE}g") if "data-step" in group.attrib}


def test_what_pages_rely_on() -> None:
    graph = large()
    root = read(svg(graph, standalone=False))
    found = steps_of(root)
    assert list(found) == [node.id for node in graph.nodes]
    for name, group in found.items():
        assert group.attrib["class"].split()[0] == "step"
        assert (group.attrib["tabindex"], group.attrib["role"]) == ("0", "button")
        assert group.attrib["aria-label"].startswith(f"{name}, ")
    edges = [group for group in root.iter(f"{SPACE}g") if "data-from" in group.attrib]
    assert [(e.attrib["data-from"], e.attrib["data-to"]) for e in edges] == [(e.source, e.target) for e in graph.edges]
    place = next(e for e in edges if (e.attrib["data-from"], e.attrib["data-to"]) == ("place", "summary"))
    assert place.attrib["data-trigger"].split() == ["refused", "failed"]
    assert place.attrib["class"].split() == ["edge", "transition", "back"]


def test_inside_a_page_it_has_no_style_of_its_own() -> None:
    text = svg(large(), standalone=False, current="summary", walked=("welcome", "language"))
    assert "style" not in text
    root = read(text)
    for element in root.iter():
        assert not {name for name in element.attrib if name.startswith("on") or name == "href"}
        assert element.tag.removeprefix(SPACE) in {"svg", "g", "rect", "path", "text", "title"}


def test_standalone_it_needs_nothing_else() -> None:
    text = svg(large())
    assert "prefers-color-scheme: dark" in text
    outside = [url for url in re.findall(r"https?://[^\"' ]+", text) if url != "http://www.w3.org/2000/svg"]
    assert not outside
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize(("dark", "canvas"), [(True, "#17191d"), (False, "#ffffff")])
def test_light_or_dark_for_good(dark: bool, canvas: str) -> None:
    text = svg(large(), dark=dark)
    assert "prefers-color-scheme" not in text
    assert f"--diagram-canvas, {canvas}" in text
    assert "var(" not in flat_css(dark)
    assert canvas in flat_css(dark)


def test_the_step_of_now_and_the_way_to_it() -> None:
    walked = ("welcome", "language", "kind", "laser_files")
    root = read(svg(large(), current="laser_files", walked=walked, standalone=False))
    marked = {name: set(group.attrib["class"].split()) for name, group in steps_of(root).items()}
    assert {name for name, kinds in marked.items() if "walked" in kinds} == set(walked)
    assert {name for name, kinds in marked.items() if "current" in kinds} == {"laser_files"}
    assert steps_of(root)["laser_files"].attrib["aria-current"] == "step"
    lit = {
        (group.attrib["data-from"], group.attrib["data-to"])
        for group in root.iter(f"{SPACE}g")
        if "data-from" in group.attrib and "walked" in group.attrib["class"].split()
    }
    assert lit == set(pairwise(walked))


def node(name: str, label: str) -> GraphNode:
    return GraphNode(id=name, kind=NodeKind.ASK, detail=label, label=label, condition=label, final=True, first=True,
                     file="f.yaml", line=1)  # fmt: skip


def hostile(words: str) -> Graph:
    trigger = Trigger(name=words, condition=words, detail=words)
    edge = GraphEdge(source="a", target="end", kind=EdgeKind.TRANSITION, triggers=(trigger,), back=False)
    return Graph(name="x", title=words, version="1", nodes=(node("a", words), node("end", words)), edges=(edge,))


@pytest.mark.parametrize("words", [EVIL, "]]>", "<b>bold</b>", "a\nb\tc", "Привет «мир»", "👩‍👩‍👧 🇩🇪", "\ud800", ""])
def test_nothing_gets_out_of_its_place(words: str) -> None:
    graph = hostile(words)
    for standalone in (True, False):
        root = read(svg(graph, standalone=standalone))
        tags = {element.tag.removeprefix(SPACE) for element in root.iter()} - {"style"}
        assert tags <= {"svg", "g", "rect", "path", "text", "title"}
    text = mermaid(graph)
    assert len(text.splitlines()) == 4
    assert "<script" not in text
    text.encode()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_can_be_drawn(words: str) -> None:
    graph = hostile(words)
    read(svg(graph)).iter()
    assert len(mermaid(graph).splitlines()) == 4
    assert not set(quoted(words)) & set('"<>[]{}|()`\n')


def test_scripts_in_texts_and_options_of_a_flow() -> None:
    text = steps(
        'a: {ask: choice, text: "<script>alert(1)</script> \'x\' & y", keyboard: {"<script>": "<img src=x>", b: B},'
        ' transitions: {"<script>": end, b: a}}',
        'end: {text: "{{ a }} <i>&lt;script&gt;</i>", end: completed}',
    )
    graph = drawn(text)
    for shown in (svg(graph), svg(graph, standalone=False), mermaid(graph)):
        assert "<script" not in shown
        assert "<img" not in shown
    assert "‹a› &lt;script&gt;" in svg(graph)


def test_mermaid() -> None:
    text = steps(
        'end: {ask: choice, text: "Say \\"[yes]\\" # 1. Да 🙂", keyboard: {"15": A, b: B}, timeout: 5m,'
        ' transitions: {"15": bye, b: end, timeout: bye}}',
        "bye: {text: Bye, end: completed}",
    )
    assert mermaid(drawn(text), current="bye") == (
        "flowchart TD\n"
        '    s_end["Say #34;#91;yes#93;#34; #35; 1#46; Да 🙂<br/><small>end · choice</small>"]\n'
        '    s_bye(["Bye<br/><small>bye · completed</small>"])\n'
        '    s_end -->|"15<br/>timeout 5m"| s_bye\n'
        '    s_end -->|"b"| s_end\n'
        "    classDef current stroke:#e8590c,stroke-width:4px\n"
        "    class s_bye current\n"
    )


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("Hello <b>{{ customer.name }}</b>!", "Hello ‹customer.name›!"),
        ("\n\n  First\nSecond", "First"),
        ("{% if a %}\nYes &amp; no{% endif %}", "Yes & no"),
        ("{{ price | money('EUR') }} each", "‹price› each"),
        ("{# a note #}5 < 6", "5 < 6"),
        ("", ""),
        ("<b></b>\n{% if x %}{% endif %}", ""),
    ],
)
def test_the_first_line_of_a_text(source: str, line: str) -> None:
    assert first_line(source) == line


def test_texts_fit_their_room() -> None:
    assert fitted("short", 13, 200) == "short"
    cut = fitted("A very long question that never fits anywhere at all, really", 13, 120)
    assert cut.endswith("…")
    assert width(cut, 13) <= 120
    assert width("日本", 10) > width("ab", 10)


def test_the_page_has_the_same_style() -> None:
    text = STYLE.read_text(encoding="utf-8")
    command = "from engine.core.graph import css; print(css(), end='')"
    assert text == css(), f'{STYLE} is not current. Write into it what `python -c "{command}"` prints.'


def test_every_class_that_is_drawn_has_a_rule() -> None:
    text = svg(large(), standalone=False, current="summary", walked=("welcome", "language"))
    used = {name for names in re.findall(r'class="([^"]+)"', text) for name in names.split()}
    plain = {"step", "edge", "onwards", "transition", "final"}
    assert {name for name in used - plain if f".{name}" not in css()} == set()
