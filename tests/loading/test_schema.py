"""flows.schema.json: current, valid, and of one mind with the checker about every flow."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from engine.actions.catalog import ActionSignature, Catalog, Parameter, SourceSignature, ValidatorSignature, Written
from engine.actions.discovery import builtin_catalog
from engine.core import types as t
from engine.loading.codes_form import FORM
from engine.loading.documents import plain
from engine.loading.schema import flow_schema, render
from engine.loading.schema_check import check_document
from engine.loading.source import read_file, read_text

ROOT = Path(__file__).parents[2]
FLOWS = sorted((ROOT / "flows").glob("*.yaml"))
CATALOG_FREE = Draft202012Validator(flow_schema(Catalog()))


async def nothing(**_: object) -> None:
    return None


HOW = t.TextType(choices=frozenset({"card", "cash"}))
LINES = t.ListType(item=t.RecordType(name="line", fields={"n": t.INTEGER}))
LENGTH = ValidatorSignature(
    name="length",
    doc="So long.",
    parameters=(Parameter(name="min", type=t.INTEGER, required=False, default=0),),
    accepts=t.TEXT,
    function=nothing,
)
SHOP = Catalog(
    actions={
        "shop.pay": ActionSignature(
            name="shop.pay",
            doc="Takes the money.",
            parameters=(
                Parameter(name="order", type=t.TEXT, required=True, doc="The order's id."),
                Parameter(name="times", type=t.optional(t.INTEGER), required=False),
                Parameter(name="how", type=HOW, required=False, default="card"),
                Parameter(name="note", type=t.TEXT, required=False, default="", written=Written.TEMPLATE),
                Parameter(name="lines", type=LINES, required=False),
                Parameter(name="fast", type=t.BOOLEAN, required=False, default=False),
            ),
            outcomes={"paid": t.RecordType(name="Paid", fields={}), "refused": t.RecordType(name="Refused", fields={})},
            transactional=False,
            function=nothing,
        )
    },
    sources={"shop.products": SourceSignature(name="shop.products", doc="What is sold.", parameters=(), row=t.ANY,
                                              transactional=True, function=nothing)},
    validators={"length": LENGTH},
)  # fmt: skip
IN_SHOP = Draft202012Validator(flow_schema(SHOP))


def shop_accepts(step: str) -> bool:
    tree = read_text(f"flow: f\nsteps:\n  s: {step}\n", "a.yaml").document.root
    return IN_SHOP.is_valid(plain(tree))


def test_the_committed_file_is_current():
    """When this fails: `stepgram schema --output flows.schema.json`."""
    assert (ROOT / "flows.schema.json").read_text(encoding="utf-8") == render(builtin_catalog())


def test_it_is_a_schema():
    Draft202012Validator.check_schema(flow_schema(SHOP))
    Draft202012Validator.check_schema(flow_schema(Catalog()))
    assert json.loads(render(SHOP))["$schema"].endswith("2020-12/schema")


def _properties(schema: object, path: str = "") -> Iterator[tuple[str, dict]]:
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if name in ("if", "examples"):
                continue
            if name == "properties":
                yield from ((f"{path}/{key}", value) for key, value in inner.items())
            yield from _properties(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from _properties(inner, path)


def _full(schema: dict, words: dict) -> dict:
    """A key's schema with what it refers to."""
    return {**words[schema["$ref"].rsplit("/", 1)[-1]], **schema} if "$ref" in schema else schema


@pytest.mark.parametrize("catalog", [Catalog(), SHOP, builtin_catalog()], ids=["bare", "shop", "shipped"])
def test_every_key_has_a_description_and_an_example(catalog):
    words = flow_schema(catalog)["$defs"]
    keys = [(path, _full(value, words)) for path, value in _properties(words)]
    assert [path for path, value in keys if not value.get("description")] == []
    assert [path for path, value in keys if not value.get("examples")] == []
    assert len(keys) > 150


@pytest.mark.parametrize("catalog", [Catalog(), builtin_catalog()], ids=["bare", "shipped"])
def test_every_example_is_right(catalog):
    words = flow_schema(catalog)["$defs"]
    wrong = [
        (path, example)
        for path, value in _properties(words)
        for example in value.get("examples", ())
        if not Draft202012Validator({**value, "$defs": words}).is_valid(example)
    ]
    assert wrong == []


def test_every_reference_leads_somewhere():
    for catalog in (Catalog(), SHOP):
        schema = flow_schema(catalog)
        text = json.dumps(schema)
        used = {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}
        assert used <= set(schema["$defs"])
        assert set(schema["$defs"]) - used <= {"invoked"}


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.name)
def test_every_shipped_file_is_right_in_form(path):
    read = read_file(path)
    assert read.findings == ()
    assert check_document(read.document) == ()
    found = list(Draft202012Validator(flow_schema(builtin_catalog())).iter_errors(plain(read.document.root)))
    assert [(error.json_path, error.message) for error in found] == []


@pytest.mark.parametrize("code", [code for code in FORM if code.code < "F0208"], ids=lambda code: code.code)
def test_the_schema_and_the_checker_agree_on_the_examples(code):
    for example, right in ((code.bad_example, False), (code.good_example, True)):
        read = read_text(example, "a.yaml").document
        assert CATALOG_FREE.is_valid(plain(read.root)) is right
        assert (check_document(read) == ()) is right


@pytest.mark.parametrize(
    ("step", "right"),
    [
        ("{do: shop.pay, with: {order: order.id}}", True),
        (
            "{do: shop.pay, with: {order: order.id, times: 3, how: card, note: 'x {{ y }}', lines: lines, fast: true}}",
            True,
        ),
        ("{do: shop.pay, with: {order: o, times: null, how: kind, lines: [{n: 1}], fast: quick}}", True),
        ("{do: shop.pay}", False),
        ("{do: shop.pay, with: {oder: order.id}}", False),
        ("{do: shop.pay, with: {order: 5}}", False),
        ("{do: shop.pay, with: {order: o, lines: [{m: 1}]}}", False),
        ("{do: shop.pya, with: {order: o}}", False),
        ("{do: shop.pay, with: {order: o}, undo: {do: shop.pay}}", False),
        ("{ask: choice, text: x, keyboard: {from: shop.products}}", True),
        ("{ask: choice, text: x, keyboard: {from: shop.products, with: {a: b}}}", False),
        ("{ask: choice, text: x, keyboard: {from: shop.prodcts}}", False),
        ("{ask: text, text: x, validators: [length, {length: {min: 2}, message: No}, {length: 3}]}", True),
        ("{ask: text, text: x, validators: [lenght]}", False),
        ("{ask: text, text: x, validators: [{lenght: 3}]}", False),
        ("{ask: text, text: x, validators: [{length: {mn: 3}}]}", False),
        ("{ask: text}", False),
        ("{text: x, txt: y}", False),
    ],
)
def test_plugins_are_part_of_it(step, right):
    assert shop_accepts(step) is right


def test_an_editor_can_show_the_docstrings():
    known = flow_schema(SHOP)["$defs"]
    assert known["action"]["anyOf"] == [
        {"const": "shop.pay", "description": "Takes the money.\n\nOutcomes: paid, refused."}
    ]
    order = known["with_do_shop.pay"]["properties"]["order"]
    assert order["description"].startswith("The order's id.")
    assert known["with_do_shop.pay"]["properties"]["how"]["description"].endswith("Unsaid: card.")
