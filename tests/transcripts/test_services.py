"""Transcripts turn the clock from one moment to the next: services and timers on the way have their time."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from engine.actions import Catalog, ServiceContext, ServiceSignature
from engine.loading.transcripts_parser import parse_text
from engine.settings import Settings
from engine.transcripts.player import play
from engine.transcripts.results import Passed, Played

FLOW = """
flow: hold
entry: {commands: [hold]}
key: chat.id
steps:
  kept:
    text: "Kept at {{ now | time }}."
    wait:
      warned: warned
      over: over
      after: {time: 2h, to: late}
  warned:
    text: "Five minutes left at {{ now | time }}."
    wait:
      over: over
  over:
    text: "Over at {{ now | time }}."
    end: completed
  late:
    text: "Late at {{ now | time }}."
    end: missed
"""


def reminding(*signals: tuple[float, str]) -> Callable[[ServiceContext], object]:
    """Sends each signal so many minutes after the start; looks once a second, as a shop's clock does."""

    async def watch(context: ServiceContext) -> None:
        begun, left = context.now(), list(signals)
        while left:
            if context.now() >= begun + timedelta(minutes=left[0][0]):
                async with context.begin() as work:
                    work.signal("hold", "web:1", left.pop(0)[1])
            await context.sleep(1)

    return watch


async def played(tmp_path: Path, steps: str, *signals: tuple[float, str]) -> Played:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "hold.yaml").write_text(FLOW)
    service = ServiceSignature(name="hold.clock", doc="d", function=reminding(*signals))  # type: ignore[arg-type]
    catalog = Catalog(services={"hold.clock": service} if signals else {})
    head = "test: a\nstart: 2026-11-20T12:00:00Z\ncustomer: {id: '1', name: Anna}\nsteps:\n  - says: /hold\n"
    read = parse_text(head + steps, "a.yaml", catalog)
    assert read.transcript is not None, read.findings
    return await play(read.transcript, settings=Settings(flows=folder), catalog=catalog)


async def test_a_warning_and_an_end_in_one_wait(tmp_path: Path) -> None:
    steps = """\
  - bot: {has: Kept at}
  - wait: 31m
  - bot: {has: Five minutes left}
  - bot: {has: Over at}
  - ends: completed
"""
    assert isinstance(await played(tmp_path, steps, (25, "warned"), (30, "over")), Passed)


async def test_a_wait_that_ends_at_the_very_second(tmp_path: Path) -> None:
    steps = """\
  - bot: {has: Kept at}
  - wait: 24m59s
  - wait: 1s
  - bot: "Five minutes left at 12:25\u202fPM."
  - wait: 5m
  - bot: "Over at 12:30\u202fPM."
  - ends: completed
"""
    found = await played(tmp_path, steps, (25, "warned"), (30, "over"))
    assert isinstance(found, Passed), found


async def test_a_timer_has_its_own_time_however_far_the_clock_is_turned(tmp_path: Path) -> None:
    steps = """\
  - bot: {has: Kept at}
  - wait: 3d
  - bot: "Late at 2:00\u202fPM."
  - ends: missed
"""
    found = await played(tmp_path, steps)
    assert isinstance(found, Passed), found


@pytest.mark.parametrize("days", [30, 3650])
async def test_a_long_way_is_quick(tmp_path: Path, days: int) -> None:
    steps = f"  - bot: {{has: Kept at}}\n  - wait: {days}d\n  - bot: {{has: Late at}}\n  - ends: missed\n"
    found = await played(tmp_path, steps, (10**9, "warned"))
    assert isinstance(found, Passed), found
