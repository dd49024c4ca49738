"""What can be written, what cannot, and where exactly the fault is."""

import pytest

from engine.core.expressions import KINDS, Fault, parse_expression, parse_template
from tests.core.expressions.samples import expression, faults, template, text


@pytest.mark.parametrize(
    ("source", "kind", "place"),
    [
        ("a b", "syntax", "b"),
        ("score ># 3", "syntax", "#"),
        ("'open", "syntax", "'open"),
        ("{{ score }}", "syntax", "{{"),
        ("a.__class__", "forbidden", "__class__"),
        ("a['__class__']", "forbidden", "'__class__'"),
        ("_secret", "forbidden", "_secret"),
        ("range(3)", "forbidden", "range(3)"),
        ("a.pop(1)", "forbidden", "a.pop(1)"),
        ("2 ** 3", "forbidden", "2 ** 3"),
        ("{'a': 1}", "forbidden", "{'a': 1}"),
        ("x[::2]", "forbidden", "2"),
        ("score is divisibleby(3)", "forbidden", "divisibleby"),
        ("9" * 40, "too_long", "9" * 40),
        ("1e999", "too_long", "1e999"),
        ("(" * 60 + "1" + ")" * 60, "too_deep", "("),
    ],
)
def test_a_fault_of_an_expression_has_its_exact_place(source: str, kind: str, place: str) -> None:
    fault = parse_expression(source)
    assert isinstance(fault, Fault)
    assert fault.kind == kind
    assert source[fault.offset : fault.offset + fault.length] == place


@pytest.mark.parametrize(
    ("source", "kind", "place"),
    [
        ("Hi {% set a = 1 %}", "forbidden", "set"),
        ("{% macro a() %}{% endmacro %}", "forbidden", "macro"),
        ("{% include 'a' %}", "forbidden", "include"),
        ("{% import 'a' as b %}", "forbidden", "import"),
        ("{% raw %}a{% endraw %}", "forbidden", "{% raw"),
        ("x {% fro a in b %}", "syntax", "fro"),
        ("{% for a, b in c %}{% endfor %}", "forbidden", "a, b"),
        ("{% for a in b if a.c %}{% endfor %}", "forbidden", "a.c"),
        ("Hi {{ }}", "syntax", "}}"),
        ("Hi\nthere {{ a..b }}", "syntax", "."),
    ],
)
def test_a_fault_of_a_text_has_its_exact_place(source: str, kind: str, place: str) -> None:
    fault = parse_template(source)
    assert isinstance(fault, Fault)
    assert fault.kind == kind
    assert source[fault.offset : fault.offset + fault.length] == place


@pytest.mark.parametrize("source", ["", "a +", "a.", "(a", "x | "])
def test_an_expression_that_stops_early_is_a_fault_at_its_end(source: str) -> None:
    fault = parse_expression(source)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.offset, fault.length) == ("syntax", len(source), 0)


def test_an_open_block_names_what_is_missing() -> None:
    fault = parse_template("{% if a %}x")
    assert isinstance(fault, Fault)
    assert "{% endif %}" in fault.message


def test_a_misspelt_block_has_a_suggestion() -> None:
    fault = parse_template("{% fro a in b %}")
    assert isinstance(fault, Fault)
    assert fault.suggestion == "for"


@pytest.mark.parametrize(
    "source", ["a" * 9000, "not " * 3000 + "a", " and ".join(["a"] * 600), "9" * 5000, "x" + ".a" * 3000]
)
def test_what_is_too_large_is_refused_and_does_not_raise(source: str) -> None:
    fault = parse_expression(source)
    assert isinstance(fault, Fault)
    assert fault.kind in {"too_long", "too_deep"}


def test_many_parts_are_too_long() -> None:
    fault = parse_template("{{ a }}" * 1100)
    assert isinstance(fault, Fault)
    assert fault.kind == "too_long"


def test_control_characters_are_refused() -> None:
    for source in ("a\x00b", "'\\x00'", "'\\ud800'"):
        fault = parse_expression(source)
        assert isinstance(fault, Fault)
        assert fault.kind == "syntax"


def test_every_kind_of_fault_can_be_made() -> None:
    parsed = [parse_expression(source) for source in ("a b", "f()", "9" * 40, "(" * 60 + "a" + ")" * 60)]
    found = {fault.kind for fault in parsed if isinstance(fault, Fault)}
    for source in ("scor", "contact.nam", "email | uper", "nickname | upper", "score + email", "score == email"):
        found |= {fault.kind for fault in faults(source)}
    assert found == KINDS


def test_paths_filters_and_flags() -> None:
    parsed = template("{% for f in files %}{{ f.name }}{% endfor %}{{ contact.email | upper }}{{ a['k'].x[0].y }}")
    assert parsed.paths == {("files",), ("files", "name"), ("contact", "email"), ("a", "k", "x")}
    assert parsed.filters == {"upper"}
    assert not parsed.constant
    assert template("{{ a }}").single
    assert not template(" {{ a }}").single
    assert template("just text").constant
    assert not template("a{# said to nobody #}").constant
    assert expression("1 + 2").constant
    assert not expression("1 | money").constant


def test_a_line_with_only_blocks_leaves_no_empty_line() -> None:
    source = "Files:\n{% for f in files %}\n- {{ f.name }}\n{% endfor %}\nThat is {% if paid %}all{% endif %}\n."
    assert text(source) == "Files:\n- a.stl\n- b.stl\nThat is all\n."


def test_whitespace_control_keeps_places_exact() -> None:
    source = "a  {%- if paid -%}  b {{ scor }} {%- endif %}"
    (fault,) = faults(source, of_text=True)
    assert source[fault.offset : fault.offset + fault.length] == "scor"


def test_windows_line_ends_keep_places_exact() -> None:
    source = "a\r\nb\r\n{{ scor }}"
    (fault,) = faults(source, of_text=True)
    assert source[fault.offset : fault.offset + fault.length] == "scor"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% if a = 1 %}x{% endif %}", "`==` to compare"),
        ("{% if a && b %}x{% endif %}", "`and`"),
        ("{% if a || b %}x{% endif %}", "`or`"),
        ("{% if !a %}x{% endif %}", "`not`"),
        ("{% if a == “x” %}x{% endif %}", 'straight quotes: "'),
        ("{% if a == ‘x’ %}x{% endif %}", "straight quotes: '"),
        ("{% if a b %}x{% endif %}", None),
    ],
)
def test_a_sign_of_another_language_is_told_what_to_write_instead(source: str, expected: str | None) -> None:
    fault = parse_template(source)
    assert isinstance(fault, Fault)
    assert fault.expected == expected
