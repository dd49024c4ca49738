"""Durations, sizes and amounts."""

from datetime import timedelta

import pytest

from engine.core.values import Money
from engine.loading.durations import parse_duration, parse_money, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("24h", 86400), ("7d", 604800), ("1h30m", 5400), ("1d2h3m4s", 93784), ("0s", 0)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "30m1h", "1h1h", "-5m", "1.5h", "5min", "5m\n", "١m", "999999d"])
def test_what_is_no_duration(text):
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "size"), [("50 MB", 50 * 1024**2), ("512KB", 512 * 1024), ("1.5 GB", 1536 * 1024**2), ("7 B", 7)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "50", "50 mb", "MB", "-1 MB", "1 TB"])
def test_what_is_no_size(text):
    assert parse_size(text) is None


def test_amounts():
    assert parse_money("12.50 EUR") == Money(minor=1250, asset="EUR")
    assert parse_money("-1 JPY") == Money(minor=-1, asset="JPY")
    for text in ("12.505 EUR", "12.50", "EUR", "1.5 JPY", "five EUR"):
        assert parse_money(text) is None
