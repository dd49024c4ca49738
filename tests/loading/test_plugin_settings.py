"""`plugins:` of bot.yaml: every kind of setting, every fault with its place, defaults, the schema."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator

from engine.actions import Catalog, Money, SettingsSignature, SignatureError, Variable, settings
from engine.actions.setting_kinds import fields_of
from engine.loading.documents import plain
from engine.loading.library import load_texts
from engine.loading.schema import flow_schema
from engine.loading.schema_plugins import duration_text
from engine.loading.source import read_text


class Late(StrEnum):
    ACCEPT = "accept"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    name: str
    """What customers read."""
    below: list["Shelf"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    via: Literal["practice", "bitcoin"] = "practice"
    node: Annotated[str, Variable] = ""
    """The node's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """Settings of a kiosk."""

    hold: timedelta = timedelta(minutes=30)
    """How long goods are kept
    for somebody."""
    pieces: int = 99
    part: Decimal = Decimal("0.5")
    open: bool = True
    least: Money = field(default_factory=lambda: Money(minor=100, asset="EUR"))
    late: Late = Late.ACCEPT
    prefix: str = "S"
    shelves: tuple[Shelf, ...] = ()
    nodes: dict[str, Node] = field(default_factory=dict)
    spare: Node | None = None
    level: Literal[1, 2] = 1
    from_: str = "here"

    def check(self) -> str | None:
        return "hold is longer than a day" if self.hold > timedelta(days=1) else None


CATALOG = Catalog(settings={"kiosk": SettingsSignature(namespace="kiosk", kind=settings(Kiosk).kind)})


def read(text, catalog=CATALOG):
    return load_texts({"bot.yaml": f"bot: a\nplugins:\n{text}"}, catalog)


def only(text):
    (finding,) = read(text).report.findings
    return finding


FULL = """\
  kiosk:
    hold: 1h30m
    pieces: 3
    part: 1
    open: false
    least: 5.00 USD
    late: refund
    prefix: 7
    shelves:
      - name: Tea
        below:
          - name: Green
    nodes: {BTC: {via: bitcoin, node: BTC_NODE}}
    spare:
    level: 2
    from: there
"""


def test_every_kind_is_read():
    loaded = read(FULL)
    assert loaded.report.ok, loaded.report.findings
    assert loaded.bot.plugins["kiosk"] == Kiosk(
        hold=timedelta(minutes=90),
        pieces=3,
        part=Decimal(1),
        open=False,
        least=Money(minor=500, asset="USD"),
        late=Late.REFUND,
        prefix="7",
        shelves=(Shelf(name="Tea", below=[Shelf(name="Green")]),),
        nodes={"BTC": Node(via="bitcoin", node="BTC_NODE")},
        spare=None,
        level=2,
        from_="there",
    )
    assert isinstance(loaded.bot.plugins["kiosk"].late, Late)


@pytest.mark.parametrize("text", ["  kiosk: {}\n", "  kiosk:\n", "  {}\n"])
def test_what_is_unsaid_has_its_default(text):
    loaded = read(text)
    assert loaded.report.ok, loaded.report.findings
    assert loaded.bot.plugins == {"kiosk": Kiosk()}


@pytest.mark.parametrize(
    ("text", "code", "place", "expected", "suggestion"),
    [
        ("  kiosc: {}\n", "F0907", (3, 3), "kiosk", "kiosk"),
        ("  kiosk: {hodl: 30m}\n", "F0908", (3, 11), None, "hold"),
        ("  kiosk: {hold: soon}\n", "F0909", (3, 17), "a duration", None),
        ("  kiosk: {hold: 30}\n", "F0909", (3, 17), "a duration", None),
        ("  kiosk: {hold: }\n", "F0909", (3, 11), "a duration", None),
        ("  kiosk: {pieces: true}\n", "F0909", (3, 19), "a whole number", None),
        ("  kiosk: {pieces: 1.5}\n", "F0909", (3, 19), "a whole number", None),
        ("  kiosk: {pieces: \"3\"}\n", "F0909", (3, 20), "a whole number", None),
        ("  kiosk: {part: .inf}\n", "F0909", (3, 17), "a number", None),
        ("  kiosk: {open: 1}\n", "F0909", (3, 17), "true or false", None),
        ("  kiosk: {least: 5}\n", "F0909", (3, 18), "5.00 EUR", None),
        ("  kiosk: {least: 5.005 EUR}\n", "F0909", (3, 18), "5.00 EUR", None),
        ("  kiosk: {late: refnd}\n", "F0909", (3, 17), "accept, refund", "refund"),
        ("  kiosk: {level: 3}\n", "F0909", (3, 18), "1, 2", None),
        ("  kiosk: {prefix: [a]}\n", "F0909", (3, 19), "a text", None),
        ("  kiosk: {shelves: Tea}\n", "F0909", (3, 20), "a list of keys and values", None),
        ("  kiosk: {shelves: [{}]}\n", "F0202", (3, 21), "name: …", None),
        ("  kiosk: {shelves: [{name: a, belov: []}]}\n", "F0908", (3, 31), None, "below"),
        ("  kiosk: {nodes: [a]}\n", "F0909", (3, 18), "names, each with its value", None),
        ("  kiosk: {nodes: {BTC: {via: bitcon}}}\n", "F0909", (3, 30), "practice, bitcoin", "bitcoin"),
        ("  kiosk: {nodes: {BTC: {node: http://x}}}\n", "F0909", (3, 31), "the name of an environment variable", None),
        ("  kiosk: {hold: 2d}\n", "F0910", (3, 3), None, None),
        ("  kiosk: [a]\n", "F0203", (3, 10), "keys and values", None),
    ],
)  # fmt: skip
def test_every_fault_has_its_place(text, code, place, expected, suggestion):
    finding = only(text)
    assert (finding.code, (finding.span.line, finding.span.column)) == (code, place)
    assert expected is None or expected in (finding.expected or "")
    assert finding.suggestion == suggestion


def test_what_is_wrong_together_is_said_in_the_plugins_words():
    assert "hold is longer than a day" in only("  kiosk: {hold: 2d}\n").message


def test_several_faults_are_all_told():
    codes = [one.code for one in read("  kiosk: {pieces: a, hold: b, x: 1}\n  kosk: {}\n").report.findings]
    assert sorted(codes) == ["F0907", "F0908", "F0909", "F0909"]


def test_a_secret_in_place_of_a_name_is_not_repeated():
    secret = "https://user:swordfish-and-chips@node.example"
    for finding in read(f"  kiosk: {{nodes: {{BTC: {{node: '{secret}'}}}}}}\n").report.findings:
        assert "swordfish" not in f"{finding.message} {finding.expected} {finding.suggestion}"


def test_the_name_of_a_variable_is_no_secret_here():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Hot:
        api_key: str = ""

    catalog = Catalog(settings={"hot": SettingsSignature(namespace="hot", kind=Hot)})
    assert read("  hot: {api_key: HOT_KEY}\n", catalog).report.ok
    assert [one.code for one in read("  hot: {api_key: swordfish}\n", catalog).report.findings] == ["F0802"]


def test_without_a_plugin_there_is_nothing_to_set():
    (finding,) = read("  kiosk: {}\n", Catalog()).report.findings
    assert (finding.code, finding.expected) == ("F0907", "no plugin here has settings")


def test_the_schema_agrees_and_brings_the_docstrings():
    schema = flow_schema(CATALOG)
    accepts = Draft202012Validator(schema)
    whole = plain(read_text(f"bot: a\nplugins:\n{FULL}", "bot.yaml").document.root)
    whole["plugins"]["kiosk"]["part"] = 1
    assert accepts.is_valid(whole), list(accepts.iter_errors(whole))
    for wrong in ({"kiosc": {}}, {"kiosk": {"hold": "soon"}}, {"kiosk": {"pieces": "3"}}, {"kiosk": {"shelves": [{}]}}):
        assert not accepts.is_valid({"bot": "a", "plugins": wrong}), wrong
    hold = schema["$defs"]["settings_of_test_plugin_settings_Kiosk"]["properties"]["hold"]
    assert hold["description"] == "How long goods are kept for somebody. Unsaid: 30m."


@pytest.mark.parametrize("length", [timedelta(0), timedelta(days=2, seconds=5), timedelta(minutes=90)])
def test_a_duration_is_written_as_it_is_read(length):
    from engine.loading.durations import parse_duration

    assert parse_duration(duration_text(length)) == length


# --- classes that cannot be settings ----------------------------------------------------------------------


@dataclass(kw_only=True)
class Changing:
    a: int = 1


@dataclass(frozen=True, kw_only=True)
class Demanding:
    a: int


@dataclass(frozen=True, kw_only=True)
class Odd:
    a: float = 1.0


@dataclass(frozen=True, kw_only=True)
class HoldsChanging:
    a: Changing | None = None


@dataclass(frozen=True, kw_only=True)
class Torn:
    a: int | str = 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Changing, "frozen"),
        (Demanding, "default"),
        (Odd, "float"),
        (HoldsChanging, "frozen"),
        (Torn, "X | None"),
        (int, "a class"),
    ],
)
def test_a_class_that_cannot_be_settings_is_refused(kind, said):
    with pytest.raises(SignatureError, match=said):
        settings(kind)


def test_docstrings_of_fields_are_one_line():
    assert fields_of(Kiosk)["hold"].doc == "How long goods are kept for somebody."
    assert fields_of(Kiosk)["pieces"].doc == ""
