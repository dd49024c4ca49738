"""Reading YAML: values and places, everything a file can be refused for, and how long that takes."""

import os
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loading.documents import Mapping_, Scalar_, Sequence_, Style, plain
from engine.loading.source import MAX_NODES, read_bytes, read_file, read_text, resolve


def codes(text):
    return [(f.code, f.span.line, f.span.column) for f in read_text(text, "a.yaml").findings]


def values(text):
    read = read_text(text, "a.yaml")
    assert read.findings == ()
    return plain(read.document.root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("true", True), ("False", False), ("~", None),
        ("null", None), ("", None), ("5", 5), ("-5", -5), ("+7", 7), ("0x1F", 31), ("0o17", 15), ("007", 7),
        ("1.50", Decimal("1.50")), ("1e3", Decimal("1000")), (".5", Decimal("0.5")), (".inf", ".inf"), (".nan", ".nan"),
        ("1_000", "1_000"), ("2026-01-31", "2026-01-31"), ("12:30", "12:30"), ("-", "-"), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text, value):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_are_text():
    assert values("a: '5'\nb: \"true\"\nc: |\n  7\n") == {"a": "5", "b": "true", "c": "7\n"}


def test_every_key_and_value_has_its_place():
    root = read_text("a: 1\nbö:\n  - x\n  - 'y z'\nc: {d: e}\n", "a.yaml").document.root
    assert isinstance(root, Mapping_)
    assert [(p.key.text, p.key.span.line, p.key.span.column) for p in root] == [("a", 1, 1), ("bö", 2, 1), ("c", 5, 1)]
    items = root.get("bö")
    assert isinstance(items, Sequence_)
    last = items.items[1]
    assert isinstance(last, Scalar_)
    assert (last.style, last.span.line, last.span.column, last.span.end_column) == (Style.SINGLE, 4, 5, 10)
    assert (last.content.column, last.content.end_column) == (6, 9)
    inner = root.get("c").get("d")
    assert (inner.span.line, inner.span.column, inner.span.end_column) == (5, 8, 9)
    assert (items.span.line, items.span.end_line) == (3, 4)


def test_block_scalars_know_their_indentation():
    root = read_text("a:\n  b: |\n     one\n       two\n  c: >-\n    x\n    y\n", "a.yaml").document.root
    one, two = root.get("a").get("b"), root.get("a").get("c")
    assert (one.style, one.indent, one.text) == (Style.LITERAL, 5, "one\n  two\n")
    assert (two.style, two.indent, two.text) == (Style.FOLDED, 4, "x y")


def test_keys_are_text_as_written():
    assert values("{15: a, true: b, 1.0: c}") == {"15": "a", "true": "b", "1.0": "c"}


def test_duplicate_keys_are_found_and_the_rest_is_read():
    read = read_text("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n", "a.yaml")
    assert codes("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n") == [("F0102", 2, 1), ("F0102", 5, 3)]
    assert "line 1" in read.findings[0].expected
    assert plain(read.document.root) == {"a": 1, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 'x\n", ("F0101", 1, 5)),
        ("a: [1, 2\n", ("F0101", 1, 8)),
        ("a:\n  b: 1\n c: 2\n", ("F0101", 3, 2)),
        ("a: b: c\n", ("F0101", 1, 5)),
        ("a: @x\n", ("F0101", 1, 4)),
        ('a: "\\q"\n', ("F0101", 1, 6)),
        ("a: *b\n", ("F0101", 1, 4)),
        ("a: &a [*a]\n", ("F0101", 1, 8)),
        ("a:\n\tb: 1\n", ("F0103", 2, 1)),
        ("a: |\n  x\n\ty\n", ("F0103", 3, 1)),
        ("a: x\0y\n", ("F0104", 1, 5)),
        ("a: 1\n---\nb: 1\n", ("F0107", 2, 1)),
        ("a: !!python/object:os.system x\n", ("F0108", 1, 4)),
        ("a: !mine x\n", ("F0108", 1, 4)),
        ("? [a]\n: b\n", ("F0108", 1, 3)),
        ("", ("F0109", 1, 1)),
        ("# nothing\n", ("F0109", 1, 1)),
        ("- a\n", ("F0109", 1, 1)),
        ("hello\n", ("F0109", 1, 1)),
    ],
)
def test_what_is_not_one_yaml_document_is_refused_at_its_place(text, expected):
    read = read_text(text, "a.yaml")
    assert codes(text) == [expected]
    assert read.document is None


def test_bytes_that_are_not_utf8_are_refused_where_they_stand():
    read = read_bytes(b"a: 1\nb: \xff\n", "a.yaml")
    assert [(f.code, f.span.line, f.span.column) for f in read.findings] == [("F0104", 2, 4)]
    assert read_bytes("\ufeffa: 1".encode(), "a.yaml").findings == ()
    assert read_bytes("a: 1".encode("utf-16"), "a.yaml").findings[0].code == "F0104"


def test_a_file_that_is_not_there_or_too_large(tmp_path):
    assert read_file(tmp_path / "none.yaml").findings[0].code == "F0110"
    assert read_file(tmp_path).findings != ()
    large = tmp_path / "large.yaml"
    large.write_bytes(b"a: x\n" * 2_000_000)
    began = time.process_time()
    assert read_file(large).findings[0].code == "F0106"
    assert time.process_time() - began < 1


def test_anchors_may_be_used():
    assert values("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "F0106"),
        ("[" * 20_000, "F0105"),
        ("a: " + "{b: " * 5_000, "F0105"),
        ("a:\n" + "- x\n" * (MAX_NODES + 1), "F0106"),
        ("{" + "a: b, " * 70_000 + "}", "F0106"),
        ("a: [" + "[]," * 120_000, "F0106"),
        ("a: " + "x" * 600_000, "F0106"),
        ("a: '" + "''" * 200_000, "F0101"),
        ("a\n" * 200_000, "F0109"),
        ("#\n" * 200_000, "F0109"),
        ("a: {" + "a" * 400_000 + ": 1", "F0101"),
    ],
)
def test_bombs_are_refused_quickly(text, code):
    began = time.process_time()
    found = read_text(text, "a.yaml").findings
    assert time.process_time() - began < 5
    assert found[-1].code == code
    assert len(found) <= 60


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-? []{}&*!|>'\"%@#\n\t,x1\0é\u2028"), max_size=80))
def test_no_text_raises(text):
    read = read_text(text, "a.yaml")
    assert (read.document is None) <= bool(read.findings)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_raise(content):
    read = read_bytes(content, "a.yaml")
    assert (read.document is None) <= bool(read.findings)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_called_yaml_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "x.yaml"
    os.mkfifo(pipe)
    assert [finding.code for finding in read_file(pipe).findings] == ["F0110"]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("text: {{ name }}", "F0108", 'quotes around the whole text: "{{ name }}"'),
        ("text: {{ name }} is here", "F0108", 'quotes around the whole text: "{{ name }}"'),
        ('file: "C:\\Users\\me"', "F0101", "single quotes, or two backslashes"),
    ],
)
def test_a_common_slip_is_told_how_to_write_it(text, code, says):
    (finding,) = read_text(text, "x.yaml").findings
    assert (finding.code, finding.expected) == (code, says)
