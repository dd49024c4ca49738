"""Values to people and back from forms: exact, bounded, and never an exception towards people."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from engine.actions.values import mismatch
from engine.channels.web.sampling import sample
from engine.channels.web.workshop_values import Unfit, given, given_payload, readable, shown, span_words
from engine.core.expressions import EvaluationError
from engine.core.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    FILE,
    INTEGER,
    LOCATION,
    MONEY,
    NOTHING,
    TEXT,
    ListType,
    OptionalType,
    RecordType,
    TextType,
    ValueType,
)
from engine.core.values import UNSET, money

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
ATOMS: list[ValueType] = [
    TEXT, TextType(choices=frozenset({"b", "a"})), INTEGER, DECIMAL, BOOLEAN, MONEY, DATE, DATETIME, DURATION, ANY,
    NOTHING, FILE, LOCATION,
]  # fmt: skip
TYPES = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        inner.map(lambda item: ListType(item=item)),
        inner.map(lambda item: OptionalType(inner=item)),
        st.dictionaries(st.sampled_from(["a", "b_c", "name"]), inner, max_size=3).map(
            lambda fields: RecordType(name="thing", fields=fields)
        ),
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def tried(read: Callable[[], object]) -> tuple[object, str]:
    """The value, or the sentence that says why there is none."""
    try:
        return read(), ""
    except Unfit as unfit:
        return None, str(unfit)


@each(TYPES, st.sampled_from(["EUR", "JPY", "BTC", "BHD"]))
def test_every_sample_is_a_value_of_its_type(kind, currency):
    raw = json.loads(json.dumps(sample(kind, at=AT, currency=currency)))
    value = given(raw, kind, "it")
    assert mismatch(value, kind, "it") is None


@each(TYPES, JSON)
def test_whatever_a_form_sends_is_a_value_or_a_sentence(kind, raw):
    value, sentence = tried(lambda: given(raw, kind, "it"))
    if sentence:
        assert sentence.endswith(".")
    else:
        assert mismatch(value, kind, "it") is None
        json.dumps(shown(value), allow_nan=False)


@each(JSON)
def test_a_payload_is_a_record_or_a_sentence(raw):
    value, sentence = tried(lambda: given_payload(raw, "The payload"))
    assert sentence.startswith("The payload") if sentence else isinstance(value, dict)


class Rude(Mapping):
    """Fails at whatever is asked of it."""

    def __getitem__(self, name):
        raise RuntimeError("no")

    def __iter__(self):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")


class Mute:
    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


@pytest.mark.parametrize("value", [Rude(), Mute(), [Mute()], {"a": Rude()}, object(), b"x", {1: Mute()}])
def test_a_value_that_cannot_be_shown_is_its_class(value):
    assert isinstance(readable(value), str)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (UNSET, "not set"),
        (True, "true"),
        (3, "3"),
        (10**5000, "a very long number"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (money(Decimal("12.5"), "EUR"), "12.50 EUR"),
        ("Anna", "Anna"),
        (("Anna", 3), "[“Anna”, 3]"),
        ({"a": None, "b": {}}, "{a: nothing, b: {}}"),
        (date(2026, 1, 5), "2026-01-05"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (EvaluationError("There is no “x”."), "There is no “x”."),
        ({"name": "a.stl", "size": 1300000, "mime": "x", "ref": "r", "kind": "document"}, "a.stl (1.2 MB)"),
        ("a\ud800b", "a?b"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_read_well(value, words):
    assert readable(value) == words


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, ("x" * 100,) * 10**5, {str(n): "y" * 50 for n in range(10**4)}, 10**4000],
    ids=lambda value: type(value).__name__,
)
def test_long_values_are_cut(value):
    assert len(readable(value)) <= 300


def test_deep_values_are_cut():
    deep: object = 1
    for _ in range(5000):
        deep = (deep,)
    assert len(readable(deep)) <= 300
    assert len(json.dumps(shown(deep))) < 1000


def test_a_file_is_shown_without_its_ref():
    file = {"name": "a.stl", "size": 100, "mime": "model/stl", "ref": "secret-ref", "kind": "document"}
    assert shown({"files": (file,)}) == {"files": ["a.stl (100 bytes)"]}


def test_long_lists_and_texts_are_shown_in_part():
    assert shown(tuple(range(60)))[-1] == "… 10 more"
    assert len(shown("x" * 5000)) == 1000
    assert shown({str(number): number for number in range(60)})["…"] == "10 more"
    assert shown(2**60) == str(2**60)
    assert shown(UNSET) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (1800, "30 minutes"), (93784, "1 day 2 hours"), (0.4, "0 seconds")],
)
def test_spans_in_words(seconds, words):
    assert span_words(seconds) == words


def test_numbers_are_exact():
    assert given(0.1, DECIMAL, "it") == Decimal("0.1")
    assert given("0.10", DECIMAL, "it") == Decimal("0.10")
    assert given(1e-7, DECIMAL, "it") == Decimal("0.0000001")
    assert given({"amount": 0.3, "asset": "EUR"}, MONEY, "it") == money(Decimal("0.3"), "EUR")
    assert given(90, DURATION, "it") == timedelta(seconds=90)
    assert given_payload({"a": 1, "b": 1.5}, "x") == {"a": 1, "b": Decimal("1.5")}


def test_a_time_needs_its_zone():
    with pytest.raises(Unfit, match="time zone"):
        given("2026-01-05T12:00:00", DATETIME, "it")
    with pytest.raises(Unfit, match="a time such as"):
        given("noon", DATETIME, "it")
