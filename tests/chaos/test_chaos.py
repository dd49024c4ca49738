"""A bounded part of the crash suite: what CI has time for. STEPGRAM_LONG=1 plays the long form, see README.md."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres
from tests.chaos.broken import ENGINE
from tests.chaos.shop_broken import SHOP
from tests.once import once

ROOT = Path(__file__).resolve().parents[2]
LONG = bool(os.environ.get("STEPGRAM_LONG"))

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the suite needs Linux: fork and pidfd_open")


def played(*arguments: str) -> str:
    """What the suite says, in a process of its own: it forks, and wants nothing of pytest's in its children."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=7200,
    )
    said = done.stdout + done.stderr
    print(said)  # failing seeds with the command that replays each
    assert done.returncode in (0, 1), said
    return said


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    return once(tmp_path_factory, "chaos_sqlite", lambda: played("--bounded"))


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("asyncpg", reason="no driver for PostgreSQL: pip install 'stepgram[postgresql]'")
    try:
        postgres.binaries()
    except postgres.NoServer as reason:
        pytest.skip(str(reason))
    return once(tmp_path_factory, "chaos_postgresql", lambda: played("--bounded", "--database", "postgresql"))


@pytest.mark.parametrize("part", ["seeds", "every point", "every point, inbox"])
def test_kills_and_faults_change_nothing(on_sqlite: str, part: str) -> None:
    assert f"part {part}: right" in on_sqlite, on_sqlite


def test_each_deliberately_broken_bot_is_caught(on_sqlite: str) -> None:
    assert re.findall("^(.+): caught by run", on_sqlite, re.MULTILINE) == list(ENGINE), on_sqlite


def test_a_seed_replays_exactly(on_sqlite: str) -> None:
    """Without threads, and with kills at points, the same seed dies at the same statements and steps each time."""
    (lives,) = [json.loads(line) for line in on_sqlite.splitlines() if line.startswith("[[")]
    first, *others = lives
    assert len(first) == 3
    assert others == [first, first]


@pytest.fixture(scope="module")
def in_the_shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    return once(tmp_path_factory, "chaos_shop", lambda: played("--bounded", "--shop"))


@pytest.mark.parametrize("part", ["seeds", "every point"])
def test_kills_change_nothing_about_goods_and_money(in_the_shop: str, part: str) -> None:
    assert f"part {part}: right" in in_the_shop, in_the_shop


def test_each_deliberately_broken_shop_is_caught(in_the_shop: str) -> None:
    assert re.findall("^(.+): caught by run", in_the_shop, re.MULTILINE) == list(SHOP), in_the_shop


@pytest.mark.parametrize("part", ["seeds", "fleets"])
def test_kills_and_faults_change_nothing_on_postgresql(on_postgresql: str, part: str) -> None:
    assert f"part {part}: right" in on_postgresql, on_postgresql


@pytest.mark.skipif(not LONG, reason="an hour; set STEPGRAM_LONG=1")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--runs", "10000"),
        ("--every", "1"),
        ("--every", "1", "--inbox"),
        ("--shop", "--runs", "5000"),
        ("--shop", "--every", "1"),
        ("--shop", "--every", "1", "--script", "expiry"),
        ("--shop", "--database", "postgresql", "--runs", "500"),
        ("--database", "postgresql", "--runs", "2000"),
        ("--database", "postgresql", "--runs", "200", "--workers", "3"),
    ],
    ids=" ".join,
)
def test_the_long_form(arguments: tuple[str, ...]) -> None:
    assert " 0 of " in played(*arguments)
