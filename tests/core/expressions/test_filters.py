"""Every filter has its example, which is run as the guide shows it; the languages and the edges besides."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.expressions import FILTERS
from engine.core.reading import Read, read_money
from engine.core.values import Money, minor_digits
from engine.core.values import money as to_money
from tests.core.expressions.samples import NOW, faults, formats, text, value


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_does_what_its_example_says(name: str) -> None:
    known = FILTERS[name]
    source, shown = known.example
    assert f"| {name}" in source
    assert text("{{ " + source + " }}").replace("&quot;", '"') == shown
    assert known.doc.endswith(".")


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("price | money", "€12.50"),
        ("3 | money('USD')", "$3.00"),
        ("1234567 | number", "1,234,567"),
        ("0.125 | percent(1)", "12.5%"),
        ("now | date('short')", "3/5/26"),
        ("day | date", "Mar 5, 2026"),
        ("pause | countdown", "1 h 30 min"),
        ("512 | size", "512 B"),
        ("'nobody' | phone", "nobody"),
        ("1 | plural('file', 'files')", "file"),
        ("'it is' | title", "It Is"),
        ("'abc' | truncate(3)", "abc"),
        ("'abcdef' | truncate(3, end='')", "abc"),
        ("1.005 | round(2)", Decimal("1.01")),
        ("-2.5 | round", -3),
        ("items | sum('price')", Money(minor=1250, asset="EUR")),
        ("items | map('name') | join(' + ')", "cup + box"),
        ("items | join('/', attribute='count')", "2/1"),
        ("(items | min('price')).name", "cup"),
        ("(items | max('price')).name", "box"),
        ("(items | sort('name') | first).name", "box"),
        ("[1, 3, 2] | sort(reverse=true) | join", "3, 2, 1"),
        ("[1, true, 1, 'a'] | unique | count", 3),
        ("missing | default(3)", 3),
        ("0 | default(3)", 0),
        ("[] | sum", 0),
        ("'a.b' | replace('.', '')", "ab"),
        ("'' | replace('', 'x')", ""),
        ("price | text", "12.50 EUR"),
    ],
)
def test_filters(source: str, result: object) -> None:
    assert value(source) == result


@pytest.mark.parametrize(
    ("language", "count", "word"),
    [("en", 1, "a"), ("en", 5, "b"), ("pl", 1, "a"), ("pl", 2, "b"), ("pl", 5, "c"), ("pl", 22, "b"), ("ru", 21, "a")],
)
def test_plural_forms_follow_the_language(language: str, count: int, word: str) -> None:
    forms = "'a', 'b'" if language == "en" else "'a', 'b', 'c'"
    assert value(f"{count} | plural({forms})", language=language) == word


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "1,234.5"),
        ("de", "1.234,5"),
        ("pl", "1\u00a0234,5"),
        ("hi", "1,234.5"),
        ("xx", "1,234.5"),
        ("", "1,234.5"),
    ],
)
def test_numbers_follow_the_language(language: str, shown: str) -> None:
    assert formats(language).number(Decimal("1234.5")) == shown


def test_large_numbers_of_india_are_grouped_as_there() -> None:
    assert formats("hi").number(12345678) == "1,23,45,678"


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (timedelta(minutes=-5), "0 min"),
        (timedelta(0), "0 min"),
        (timedelta(seconds=10), "1 min"),
        (timedelta(minutes=29), "29 min"),
        (timedelta(minutes=65), "1 h 05 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=2, hours=3, minutes=4), "2 d 03 h"),
    ],
)
def test_countdown(left: timedelta, shown: str) -> None:
    assert formats().countdown(NOW + left) == shown


def test_lengths_of_time_follow_the_script() -> None:
    assert "мин" in formats("ru").countdown(timedelta(minutes=5))
    assert formats("pl").duration(timedelta(hours=1, minutes=30)) == "1 h 30 min"
    assert formats().duration(timedelta(seconds=-45)) == "-45 s"


def test_crypto_is_exact_and_carries_its_asset() -> None:
    assert formats().money(Money(minor=123000, asset="BTC")) == "0.00123\u00a0BTC"
    assert formats("de").money(Money(minor=10**18, asset="ETH")) == "1\u00a0ETH"
    assert formats().money(Money(minor=1, asset="ETH")) == "0.000000000000000001\u00a0ETH"


AMOUNTS = [
    (125_000, "BTC", "0.00125", "0.00125 BTC", "0,00125 BTC", "0,00125 BTC"),
    (1, "BTC", "0.00000001", "0.00000001 BTC", "0,00000001 BTC", "0,00000001 BTC"),
    (1, "ETH", f"0.{'0' * 17}1", f"0.{'0' * 17}1 ETH", f"0,{'0' * 17}1 ETH", f"0,{'0' * 17}1 ETH"),
    (-5, "SOL", "-0.000000005", "-0.000000005 SOL", "-0,000000005 SOL", "-0,000000005 SOL"),
    (10**11, "LTC", "1000", "1,000 LTC", "1.000 LTC", "1 000 LTC"),
    (0, "BTC", "0", "0 BTC", "0 BTC", "0 BTC"),
    (1250, "EUR", "12.50", "€12.50", "12,50 €", "12,50 €"),
    (123_456, "JPY", "123456", "¥123,456", "123.456 ¥", "123 456 ¥"),
]


@pytest.mark.parametrize(("minor", "asset", "bare", "english", "german", "russian"), AMOUNTS)
def test_amounts_in_three_languages_and_for_copying(
    minor: int, asset: str, bare: str, english: str, german: str, russian: str
) -> None:
    money = Money(minor=minor, asset=asset)
    for language, shown in (("en", english), ("de", german), ("ru", russian)):
        assert formats(language).money(money).replace("\u00a0", " ").replace("\u202f", " ") == shown
        assert formats(language).amount(money) == bare


def test_an_amount_that_is_no_money_is_plain_too() -> None:
    assert [formats("de").amount(number) for number in (5, Decimal("1E-7"), Decimal("2.50"), Decimal("1E+3"))] == [
        "5", "0.0000001", "2.5", "1000",
    ]  # fmt: skip


def test_ten_thousand_amounts_come_back_from_what_is_shown() -> None:
    dice = random.Random(8)
    for asset in ("BTC", "LTC", "ETH", "SOL") * 2500:
        money = Money(minor=dice.randrange(10 ** dice.randrange(1, 10 + minor_digits(asset))), asset=asset)
        language = dice.choice(("en", "de", "ru"))
        assert read_money(formats(language).money(money), language, asset) == Read(value=money)
        bare = formats(language).amount(money)
        assert "e" not in bare.lower()
        assert to_money(Decimal(bare), asset) == money


def test_no_digit_of_a_large_amount_is_rounded() -> None:
    money = Money(minor=10**40 + 1, asset="ETH")
    assert formats().amount(money) == "1" + "0" * 22 + "." + "0" * 17 + "1"
    assert to_money(Decimal(formats().amount(money)), "ETH") == money
    assert formats().money(money).endswith("000.000000000000000001\u00a0ETH")


def test_moments_are_shown_in_the_time_zone() -> None:
    warsaw = formats("de", zone="Europe/Warsaw")
    assert warsaw.time(NOW) == "15:30"
    assert formats("de", zone="No/Where").time(NOW) == "14:30"
    assert warsaw.date(NOW.replace(hour=23, minute=30)) == "06.03.2026"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("[] | sum + price", Money(minor=1250, asset="EUR")),
        ("price - [] | sum", Money(minor=1250, asset="EUR")),
        ("([] | sum) < price", True),
        ("([] | sum) == price", False),
        ("([] | sum) + pause", timedelta(minutes=90)),
        ("[] | sum | money", "€0.00"),
        ("[] | sum | duration", "0 s"),
    ],
)
def test_the_sum_of_nothing_goes_with_money_and_time(source: str, result: object) -> None:
    assert value(source) == result


SUBJECTS = st.sampled_from(
    [
        "score", "ratio", "price", "email", "paid", "day", "now", "pause", "items", "files", "items | map('price')",
        "material", "[1, 2.5]", "items[:0]", "contact.name", "nickname | default('x')", "-3",
    ]
)  # fmt: skip
ARGUMENTS = st.sampled_from(
    ["", "()", "(1)", "('name')", "('a', 'b')", "('price')", "(digits=2)", "('https://a.b')", "('short')"]
)
CHAINS = st.lists(st.tuples(st.sampled_from(sorted(FILTERS)), ARGUMENTS), min_size=1, max_size=3)


@settings(max_examples=300, deadline=None)
@given(subject=SUBJECTS, chain=CHAINS)
def test_filters_without_faults_can_be_worked_out(subject: str, chain: list[tuple[str, str]]) -> None:
    """The types and the functions of the table agree, alone and one after another."""
    source = subject + "".join(f" | {name}{arguments}" for name, arguments in chain)
    if not faults(source):
        value(source)
    if not faults("{{ " + source + " }}", of_text=True):
        assert isinstance(text("{{ " + source + " }}"), str)
