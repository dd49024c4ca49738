"""Values and texts: nothing is coerced, everything is escaped, everything has a limit."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.expressions import (
    TESTS,
    EvaluationError,
    Fault,
    Parsed,
    compile_expression,
    compile_native,
    compile_template,
    infer,
    parse_expression,
    parse_template,
)
from engine.core.values import UNSET, Money
from tests.core.expressions.samples import TYPES, expression, scope, template, text, value


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("1 + 2 * 3", 7),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("-7.5 // 2", Decimal(-4)),
        ("-7.5 % 2", Decimal("0.5")),
        ("1 / 4", Decimal("0.25")),
        ("0.1 + 0.2", Decimal("0.3")),
        ("price + price * 2", Money(minor=3750, asset="EUR")),
        ("day + pause * 32", date(2026, 3, 7)),
        ("pause + pause", timedelta(hours=3)),
        ("'a' ~ 1 ~ true", "a1true"),
        ("contact.email == email", True),
        ("contact['name']", "Ann"),
        ("contact.missing", UNSET),
        ("missing.deeper.still", UNSET),
        ("items[0].name", "cup"),
        ("items[-1].name", "box"),
        ("items[7]", UNSET),
        ("items[1:][0].name", "box"),
        ("'filament'[:3]", "fil"),
        ("'+48100200300'", "+48100200300"),
        ("'48' == 48", False),
        ("true == 1", False),
        ("1 == 1.0", True),
        ("missing == 3", False),
        ("missing < 3", False),
        ("missing >= 3", False),
        ("missing == none", True),
        ("missing != none", False),
        ("1 < score <= 4", True),
        ("1 < score < 4", False),
        ("'a' in ['a', 'b']", True),
        ("'x' not in 'abc'", True),
        ("missing in ['a']", False),
        ("score is in [4]", True),
        ("missing or 'friend'", "friend"),
        ("paid and score", 4),
        ("not missing", True),
        ("1 if missing else 2", 2),
        ("1 if missing", UNSET),
        ("[1, 'a']", (1, "a")),
    ],
)
def test_values(source: str, result: object) -> None:
    found = value(source)
    assert found == result
    assert type(found) is type(result)


def test_every_test_has_an_example_that_holds() -> None:
    for known in TESTS.values():
        assert value(known.example[0]) is (known.example[1] == "true"), known.name


@pytest.mark.parametrize(
    "source",
    [
        "1 / 0",
        "1 % 0",
        "1.5 // 0",
        "999999999999999999999999999999 * 10",
        "email + email",
        "score + email",
        "email * 1000000",
        "price + other",
        "price < other",
        "email < score",
        "day < now",
        "email | round",
        "email | nofilter",
        "email is notest",
        "email | truncate",
        "json | text",
        "inf + 1",
        "3 in score",
        "score.name",
        "-email",
        "[1, 'a'] | sort",
        "1 | number(500)",
        "day | date('%Y')",
    ],
)
def test_what_goes_wrong_is_an_evaluation_error(source: str) -> None:
    data = {
        "email": "a", "score": 1, "price": Money(minor=1, asset="EUR"), "other": Money(minor=1, asset="USD"),
        "day": date(2026, 1, 1), "json": object(), "inf": float("inf"),
    }  # fmt: skip
    with pytest.raises(EvaluationError):
        compile_expression(expression(source))(scope(data))


def test_what_a_customer_types_stays_text() -> None:
    typed = '{{ 7 * 7 }} {% if true %} <b>bold</b> & "quoted"'
    assert text("Hi {{ name }}!", {"name": typed}) == (
        "Hi {{ 7 * 7 }} {% if true %} &lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;!"
    )
    assert text("<b>{{ name }}</b>", {"name": "&lt;"}) == "<b>&amp;lt;</b>"


def test_attributes_of_python_objects_cannot_be_reached() -> None:
    assert value("contact.keys") is UNSET
    assert value("a['b']", {"a": {"b": 1}}) == 1
    for source in ("email.upper", "score.real", "items.count"):
        with pytest.raises(EvaluationError):
            value(source)


def test_links_are_made_only_to_addresses() -> None:
    source = "{{ name | link(url) }}"
    good = text(source, {"name": "<shop>", "url": "https://example.org/?a=1&b=2"})
    assert good == '<a href="https://example.org/?a=1&amp;b=2">&lt;shop&gt;</a>'
    for bad in ("javascript:alert(1)", 'https://x" onclick="y', "https://a b", "data:text/html,x"):
        assert text(source, {"name": "<shop>", "url": bad}) == "&lt;shop&gt;"
    assert text("{{ name | link('https://a.b') | upper }}", {"name": "x"}).startswith("&lt;A HREF")


def test_loops_know_where_they_are() -> None:
    source = (
        "{% for f in files %}{{ loop.index }}{{ f.name }}{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}"
    )
    assert text(source) == "1a.stl, 2b.stl"
    assert text(source, {"files": ()}) == "none"
    assert text(source, {}) == "none"


def test_names_of_loops_end_with_them() -> None:
    source = "{% for f in files %}{% for g in files %}{{ f.size }}{% endfor %}{{ loop.index }};{% endfor %}{{ f }}"
    assert text(source) == "204820481;10102;"


def test_values_are_printed_in_the_customers_language() -> None:
    assert text("{{ price }} {{ score }} {{ ratio }} {{ paid }} {{ missing }}") == "€12.50 4 0.5 true "
    assert text("{{ price }}", language="de") == "12,50\u00a0€"
    assert text("{{ day }}|{{ pause }}") == "Mar 5, 2026|1 h 30 min"


def test_on_the_wire_nothing_is_escaped_or_localized() -> None:
    render = compile_template(template("{{ name }}={{ day }}&{{ ratio }}"), escape=False)
    assert render(scope({"name": "a&b", "day": date(2026, 3, 5), "ratio": Decimal("1E+2")})) == "a&b=2026-03-05&100"


def test_one_value_keeps_its_type() -> None:
    assert compile_native(template("{{ score }}"))(scope()) == 4
    assert compile_native(template("{{ items | count }}"))(scope()) == 2
    assert compile_native(template("{{ score }} points"))(scope()) == "4 points"


def test_extra_names_come_before_data() -> None:
    found = scope({"now": "hidden"})
    assert compile_expression(expression("now"))(found) is found.extra["now"]


def test_loops_have_a_budget() -> None:
    nested = "{% for a in x %}{% for b in x %}{{ b }}{% endfor %}{% endfor %}"
    render = compile_template(template(nested))
    assert render(scope({"x": tuple(range(9))}))
    with pytest.raises(EvaluationError):
        render(scope({"x": tuple(range(200))}))
    with pytest.raises(EvaluationError):
        compile_expression(expression("x | sort | map('a')"))(scope({"x": tuple(range(6000))}))


def test_texts_have_a_limit() -> None:
    long = "a" * 60_000
    for source in ("{{ x }}{{ x }}", "{{ x ~ x }}", "{{ [x, x] | join }}", "{{ x | replace('a', 'bb') }}"):
        with pytest.raises(EvaluationError):
            text(source, {"x": long})


def test_replacing_never_makes_a_huge_text_first() -> None:
    with pytest.raises(EvaluationError):
        value("x | replace('a', x)", {"x": "a" * 90_000})


PIECES = st.sampled_from(
    [
        "a", "b.c", "contact", "items", "score", "nickname", "email", "price", "now", "(", ")", "[", "]", ".", ",", "|",
        "~", "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">=", " in ", " not ", " and ", " or ", " if ",
        " else ", " is ", "set", "'x'", '"', "0", "1.5", "10**9", "money", "sort", "map('a')", "default(1)",
        "truncate(2)",
        "{{", "}}", "{%", "%}", "{% if a %}", "{% endif %}", "{% for x in items %}", "{% endfor %}", "{#", "#}", "-%}",
        "__class__", "\n", " ", "{", "}", ":", "é", "\u2028",
    ]
)  # fmt: skip
SOURCES = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join))
AMOUNTS = st.just(Money(minor=1, asset="EUR"))
ANYTHING: st.SearchStrategy[object] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just(Money(minor=1, asset="EUR"))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=5,
)
WORLD = st.dictionaries(
    st.sampled_from(["a", "b", "contact", "items", "score", "email", "price"]), ANYTHING, max_size=4
)


@settings(max_examples=300, deadline=None)
@given(source=SOURCES, world=WORLD, of_text=st.booleans())
def test_no_source_and_no_data_raise_anything_else(source: str, world: Mapping[str, object], of_text: bool) -> None:
    parsed = parse_template(source) if of_text else parse_expression(source)
    if isinstance(parsed, Fault):
        assert 0 <= parsed.offset <= parsed.offset + parsed.length <= len(source)
        return
    for fault in infer(parsed, TYPES).faults:
        assert 0 <= fault.offset <= fault.offset + fault.length <= len(source)
    run = compile_template(parsed) if of_text else compile_expression(parsed)
    try:
        result = run(scope(world))
    except EvaluationError:
        return
    assert isinstance(result, str) or not of_text


OPERANDS = st.sampled_from(
    ["score", "ratio", "price", "email", "paid", "day", "now", "pause", "1", "2.5", "'pla'", "material"]
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "%", "==", "<", ">=", "in", "~", "and", "or"])


@settings(max_examples=300, deadline=None)
@given(left=OPERANDS, operator=OPERATORS, right=OPERANDS)
def test_what_has_no_faults_can_be_worked_out(left: str, operator: str, right: str) -> None:
    """The types and the values agree: an expression without faults never fails on values of these types."""
    parsed = parse_expression(f"{left} {operator} {right}")
    assert isinstance(parsed, Parsed)
    if not infer(parsed, TYPES).faults:
        compile_expression(parsed)(scope())
