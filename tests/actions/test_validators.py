"""Every built-in validator: what it takes, what it refuses, and that its refusal has English words."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from string import Formatter
from typing import Any

import pytest

from engine.actions import Accepted, BadArgument, Refused
from engine.actions.discovery import builtin_catalog
from engine.runtime.locales import FOLDER, messages

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
CATALOG = builtin_catalog()
WORDING = {key: text for key, text in messages(FOLDER / "en.yaml").items() if key.startswith("refused.")}

CASES: list[tuple[str, Any, dict[str, Any], Any]] = [
    # name, answer, arguments, what it becomes — or the key of the refusal
    ("length", "ab", {"min": 2, "max": 3}, "ab"),
    ("length", "a", {"min": 2, "max": 3}, "refused.length.between"),
    ("length", "a", {"min": 2}, "refused.length.min"),
    ("length", "abcd", {"max": 3}, "refused.length.max"),
    ("pattern", "Zoë O’Neil", {"regex": r"^[\p{L} '’-]+$"}, "Zoë O’Neil"),
    ("pattern", "Жанна", {"regex": r"\p{L}+"}, "Жанна"),
    ("pattern", "R2D2", {"regex": r"\p{L}+"}, "refused.pattern"),
    ("pattern", "abc\n", {"regex": "^abc$"}, "refused.pattern"),
    ("range", 5, {"min": 1, "max": 5}, 5),
    ("range", 6, {"min": 1, "max": 5}, "refused.range.between"),
    ("range", Decimal("0.5"), {"min": 1}, "refused.range.min"),
    ("range", 6, {"max": Decimal("5.5")}, "refused.range.max"),
    ("one_of", " RED ", {"values": ("red", "blue")}, "red"),
    ("one_of", "green", {"values": ("red", "blue")}, "refused.one_of"),
    ("not_one_of", "green", {"values": ("red",)}, "green"),
    ("not_one_of", "Red", {"values": ("red",)}, "refused.not_one_of"),
    ("digits", "12-3 4", {}, "1234"),
    ("digits", "12a", {}, "refused.digits"),
    ("digits", "١٢", {}, "refused.digits"),
    ("digits", "123", {"count": 4}, "refused.digits.count"),
    ("url", " https://example.com/a?b=1 ", {}, "https://example.com/a?b=1"),
    ("url", "example.com", {}, "refused.url"),
    ("url", "javascript:alert(1)", {}, "refused.url"),
    ("url", "http://[", {}, "refused.url"),
    ("future", date(2026, 11, 21), {}, date(2026, 11, 21)),
    ("future", TODAY, {}, "refused.future"),
    ("past", date(2026, 11, 19), {}, date(2026, 11, 19)),
    ("past", TODAY, {}, "refused.past"),
    ("within_days", TODAY, {"n": 0}, TODAY),
    ("within_days", date(2026, 11, 23), {"n": 2}, "refused.within_days"),
    ("within_days", date(2026, 11, 19), {"n": 2}, "refused.within_days"),
    ("after", date(2027, 1, 1), {"date": "2026-12-31"}, date(2027, 1, 1)),
    ("after", TODAY, {"date": TODAY}, "refused.after"),
    ("before", TODAY, {"date": datetime(2026, 12, 1, tzinfo=UTC)}, TODAY),
    ("before", TODAY, {"date": "2026-11-20"}, "refused.before"),
    ("contains", "me@Home", {"text": "@home"}, "me@Home"),
    ("contains", "me", {"text": "@"}, "refused.contains"),
    ("count", (1, 2), {"min": 1, "max": 2}, (1, 2)),
    ("count", (), {"min": 1}, "refused.count.min"),
    ("count", (1, 2), {"max": 1}, "refused.count.max"),
    ("count", (1, 2, 3), {"min": 1, "max": 2}, "refused.count.between"),
]


@pytest.mark.parametrize(("name", "answer", "arguments", "expected"), CASES)
def test_a_validator_judges(name: str, answer: Any, arguments: dict[str, Any], expected: Any) -> None:
    verdict = CATALOG.validators[name].function(answer, now=NOW, **arguments)
    match verdict:
        case Accepted(value=value):
            assert value == expected
            assert type(value) is type(answer)
        case Refused(key=key, values=values):
            assert key == expected
            assert WORDING[key].format(**values)
        case _:
            pytest.fail("no verdict")


def test_every_validator_and_every_sentence_has_a_case() -> None:
    assert {name for name, *_ in CASES} == set(CATALOG.validators)
    assert {expected for *_, expected in CASES if str(expected).startswith("refused.")} == set(WORDING)
    for sentence in WORDING.values():
        assert list(Formatter().parse(sentence))


def test_a_catastrophic_pattern_is_cut_off() -> None:
    begun = time.monotonic()
    verdict = CATALOG.validators["pattern"].function("a" * 4000 + "!", regex=r"(.*a){25}b")
    assert verdict == Refused(key="refused.pattern", values={})
    assert time.monotonic() - begun < 5


def test_the_direct_argument_needs_no_name() -> None:
    assert CATALOG.validators["pattern"].function("12", **{"": "[0-9]+"}) == Accepted(value="12")
    directs = {name for name, read in CATALOG.validators.items() if read.parameters and read.parameters[0].direct}
    assert directs == {
        "pattern", "one_of", "not_one_of", "digits", "within_days", "after", "before", "contains",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "constants", "part"),
    [
        ("pattern", {"regex": "[a-z+"}, "at the end of “[a-z+”"),
        ("pattern", {"regex": "a{3,1}b"}, "at character 3 of “a{3,1}b”"),
        ("pattern", {"regex": "(x"}, "missing )"),
        ("pattern", {"regex": r"\p{Nothing}"}, "unknown property"),
        ("length", {"min": 5, "max": 2}, "least (5) is more than the most (2)"),
        ("range", {"min": Decimal("0.5"), "max": Decimal("0.25")}, "least (0.5)"),
        ("count", {"min": 3, "max": 1}, "least (3)"),
        ("after", {"date": "31.12.2026"}, "2026-12-31"),
        ("before", {"date": "2026-02-30"}, "2026-02-30"),
    ],
)
def test_constants_are_judged_when_flows_load(name: str, constants: dict[str, Any], part: str) -> None:
    check = CATALOG.validators[name].check
    assert check is not None
    assert part in (check(constants) or "")
    assert check({}) is None


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("pattern", {"regex": r"[\p{L}\d_]+"}),
        ("length", {"min": 2, "max": 2}),
        ("range", {"min": 0}),
        ("count", {"max": 0}),
        ("after", {"date": "2026-01-31"}),
    ],
)
def test_constants_that_make_sense(name: str, constants: dict[str, Any]) -> None:
    check = CATALOG.validators[name].check
    assert check is not None
    assert check(constants) is None


@pytest.mark.parametrize(
    ("name", "answer", "arguments"),
    [
        ("pattern", "x", {"regex": "("}),
        ("pattern", "x", {}),
        ("after", TODAY, {"date": "tomorrow"}),
        ("after", TODAY, {"date": 5}),
        ("length", "x", {"min": "2"}),
        ("length", "x", {"least": 2}),
    ],
)
def test_a_wrong_argument_is_a_bad_argument(name: str, answer: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadArgument):
        CATALOG.validators[name].function(answer, **arguments)
