"""Eight processes at one small stock, on both databases; and what the usual way of doing it comes to there."""

import multiprocessing
import os
from pathlib import Path

import pytest

from tests.shop.oversell import PRODUCTS, Result, Trial, attempt

LONG = bool(os.environ.get("STEPGRAM_LONG"))
CHECKOUTS = 1000 if LONG else 40
PROCESSES = 8
pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="needs many processes that start at once"
)


def trial(address: str, checkouts: int = CHECKOUTS, processes: int = PROCESSES) -> Trial:
    return Trial(address=address, processes=processes, checkouts=checkouts, pieces=processes * checkouts * 3 // 10)


def check(result: Result, checkouts: int = CHECKOUTS) -> None:
    assert result.errors == {}
    assert result.faults == []
    assert result.deadlocks == 0
    assert result.samples > PROCESSES
    assert result.outcomes.total() == PROCESSES * checkouts
    assert result.outcomes["Placed"] > checkouts
    assert result.outcomes["Short"] > len(PRODUCTS), "the stock was never short: this proves nothing"


def test_nothing_is_oversold_on_sqlite(tmp_path: Path) -> None:
    check(attempt(trial(str(tmp_path / "shop.db"))))


def test_nothing_is_oversold_on_postgresql(database_url: str) -> None:
    check(attempt(trial(database_url)))


def test_read_check_save_fails_on_sqlite(tmp_path: Path) -> None:
    one = trial(str(tmp_path / "shop.db"), 40)
    one.naive = one.impatient = True
    result = attempt(one)
    assert not result.sound()
    assert any("database is locked" in error for error in result.errors)


def test_read_check_save_fails_on_postgresql(database_url: str) -> None:
    one = trial(database_url, 40, processes=3)
    one.naive = one.impatient = True
    result = attempt(one)
    assert not result.sound()
    assert result.faults, "reserved is not what its rows say"
