"""Every key of a flow, and the types of data and arguments."""

import hashlib
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.core import model as m
from engine.core import types as t
from engine.loading.parser import parse, version_of
from tests.loading.reading import brief, document, faults, flow

END = "steps:\n  s: {end: completed}\n"


def test_everything_a_flow_can_have():
    found = flow(f"""
flow: order
title: An order
entry: {{commands: [order, new_order], menu: 🖨 Order, deep_link: {{name: product, argument: product}}}}
key: order.id
expires: 24h
expired: Too late.
progress: true
second_start: parallel
only: [staff]
arguments: {{product: text}}
data: {{score: 0}}
retention: 7d
back: false
cancel: false
remind: false
{END}""")
    assert (found.name, found.title.source, found.key.source, found.expired.source) == (
        "order",
        "An order",
        "order.id",
        "Too late.",
    )
    assert ([c for c, _ in found.entry.commands], found.entry.menu.source) == (["order", "new_order"], "🖨 Order")
    assert (found.entry.deep_link.name, found.entry.deep_link.argument) == ("product", "product")
    assert (found.expires, found.retention, found.progress) == (timedelta(hours=24), timedelta(days=7), True)
    assert (found.second_start, found.only[0][0], found.back, found.cancel) == (
        m.SecondStart.PARALLEL,
        "staff",
        False,
        False,
    )
    assert not found.remind
    assert [(d.name, d.type, d.initial) for d in found.arguments] == [("product", t.TEXT, None)]
    assert [(d.name, d.type, d.initial.value) for d in found.data] == [("score", t.INTEGER, 0)]


def test_what_is_not_said():
    found = flow(f"flow: order\n{END}")
    assert found.remind
    assert (found.title.source, found.entry, found.key, found.expires) == ("order", m.Entry(), None, None)
    assert (found.second_start, found.retention, found.back, found.cancel) == (
        m.SecondStart.ASK,
        timedelta(days=30),
        True,
        True,
    )
    assert flow(f"flow: f\nentry: {{deep_link: x}}\n{END}").entry.deep_link.argument is None


@pytest.mark.parametrize(("text", "kept"), [("forever", None), ("none", timedelta()), ("1h30m", timedelta(minutes=90))])
def test_retention(text, kept):
    assert flow(f"flow: f\nretention: {text}\n{END}").retention == kept


RECORD = t.RecordType(name="x", fields={"a": t.INTEGER, "b": t.TEXT})


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("text", t.TEXT), ("integer", t.INTEGER), ("decimal", t.DECIMAL), ("boolean", t.BOOLEAN), ("money", t.MONEY),
        ("date", t.DATE), ("time", t.DATETIME), ("duration", t.DURATION), ("file", t.FILE), ("location", t.LOCATION),
        ("any", t.ANY), ("list of text", t.ListType(item=t.TEXT)), ("text?", t.optional(t.TEXT)),
        ("list of file?", t.optional(t.ListType(item=t.FILE))),
        ("list of list of integer", t.ListType(item=t.ListType(item=t.INTEGER))),
        ("{a: integer, b: text}", RECORD), ("[{a: integer, b: text}]", t.ListType(item=RECORD)),
        ("[text]", t.ListType(item=t.TEXT)),
    ],
)  # fmt: skip
def test_types(written, kind):
    assert flow(f"flow: f\narguments: {{x: {written}}}\n{END}").arguments[0].type == kind
    assert flow(f"flow: f\ndata: {{x: {{type: {written}}}}}\n{END}").data[0].type == kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("5", t.INTEGER), ("1.5", t.DECIMAL), ("true", t.BOOLEAN), ("hello", t.TEXT), ("[]", t.ListType(item=t.ANY)),
        ("[1, 2]", t.ListType(item=t.INTEGER)), ("[1, 2.5]", t.ListType(item=t.DECIMAL)),
        ("[1, a]", t.ListType(item=t.ANY)), ("[1, null]", t.ListType(item=t.optional(t.INTEGER))),
        ("{a: 1, b: x}", RECORD), ("[{a: 1, b: x}, {a: 2, b: y}]", t.ListType(item=RECORD)),
        ("[{a: 1}, {a: 2, b: y}]",
         t.ListType(item=t.RecordType(name="x", fields={"a": t.INTEGER, "b": t.optional(t.TEXT)}))),
        ("[[1], [2.5]]", t.ListType(item=t.ListType(item=t.DECIMAL))),
    ],
)  # fmt: skip
def test_types_of_first_values(written, kind):
    assert flow(f"flow: f\ndata: {{x: {written}}}\n{END}").data[0].type == kind


def test_first_values_are_literal():
    found = flow(
        f"flow: f\ndata: {{a: score + 1, b: [{{q: x, n: 1.5}}], c: {{type: decimal, initial: 5}}}}\n{END}"
    ).data
    assert isinstance(found[0].initial, m.Literal)
    record = found[1].initial.items[0]
    assert [(k, v.value) for k, v in record.items] == [("q", "x"), ("n", Decimal("1.5"))]
    assert (found[2].type, found[2].initial.value) == (t.DECIMAL, 5)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("{x: {type: int}}", ("F0210", 2, 18)),
        ("{x: {type: list of txt}}", ("F0210", 2, 18)),
        ("{x: {type: integer, initial: a}}", ("F0211", 2, 36)),
        ("{x: {type: list of text, initial: [a, 1]}}", ("F0211", 2, 41)),
        ("{x: null}", ("F0212", 2, 11)),
        ("{now: 5}", ("F0208", 2, 8)),
    ],
)
def test_faulty_declarations(data, expected):
    assert brief(faults(f"flow: f\ndata: {data}\n{END}")) == [expected]


def test_a_misspelled_type_is_suggested():
    assert faults(f"flow: f\narguments: {{x: intger}}\n{END}")[0].suggestion == "integer"


def test_the_version_is_the_hash_of_the_bytes():
    content = f"flow: f\n{END}".encode()
    assert version_of(content) == hashlib.sha256(content).hexdigest()[:16]
    assert parse(document(content.decode()), Catalog()).flow.version == version_of(content)
    assert parse(document(content.decode()), Catalog(), "v1").flow.version == "v1"


def test_a_file_with_findings_gives_no_flow():
    parsed = parse(document("flow: f\nsteps:\n  now: {end: done}\n"), Catalog())
    assert parsed.flow is None


def test_the_yaml_examples_of_the_code_have_spans_in_their_file():
    text = (Path(__file__).parents[2] / "flows" / "print_order.yaml").read_text(encoding="utf-8")
    found = flow(text)
    lines = text.split("\n")
    for one in found.steps:
        assert lines[one.span.line - 1][one.span.column - 1 : one.span.end_column - 1] == one.id
        for way in one.transitions:
            shown = lines[way.target_span.line - 1][way.target_span.column - 1 : way.target_span.end_column - 1]
            assert re.fullmatch(re.escape(way.target), shown)
