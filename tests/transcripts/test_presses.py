"""Buttons by a part of their label, and messages that change while time passes."""

from pathlib import Path

from engine.actions.catalog import Catalog
from engine.loading.transcripts import Presses
from engine.loading.transcripts_parser import parse_text
from engine.loading.transcripts_writing import write
from engine.settings import Settings
from engine.transcripts.phone import Drawing, Phone
from engine.transcripts.player import play
from engine.transcripts.results import Failed, Passed, Played

FLOW = """flow: clock
title: Clock
entry: {commands: [clock]}
steps:
  look:
    ask: choice
    text: "{{ now | time }}"
    refresh: 1m
    keyboard:
      - [{text: "Now {{ now | time }}", trigger: now}, {text: Now or never, trigger: never}]
    transitions: {now: done, never: done}
  done:
    text: Done.
    end: completed
"""
TEST = """test: a clock
start: 2026-11-21T10:00:00Z
steps:
  - says: /clock
  - bot: {has: "10:00"}
  - wait: 5m30s
  - edits: {has: "10:05"}
  - timer: refresh
  - edits: {has: "10:05"}
  - presses: {has: Now 10, message: 1}
  - bot: Done.
  - ends: completed
"""


def test_a_part_of_a_label_finds_its_button() -> None:
    phone = Phone()
    phone.draw(Drawing(surface="a.1", buttons=(("S-1 · €5", "one"), ("S-2 · €6", "two"))), edit=False)
    phone.draw(Drawing(surface="a.2", buttons=(("S-3", "three"),)), edit=False)
    assert phone.button("S-", 1, 1, part=True) == "three"
    assert phone.button("S-", 2, 2, part=True) == "two"
    assert phone.button("€5", 1, 1, part=True) == "one"
    assert phone.button("€5", 1, 1) is None
    assert phone.button("€7", 1, 1, part=True) is None


def test_it_is_written_as_it_is_read(catalog: Catalog) -> None:
    read = parse_text(TEST, "clock.yaml", catalog).transcript
    assert read is not None
    pressed = next(step for step in read.steps if isinstance(step, Presses))
    assert (pressed.button, pressed.part, pressed.number) == ("Now 10", True, 1)
    assert "- presses: {has: Now 10}\n" in write(read, catalog)


async def played(tmp_path: Path, catalog: Catalog, text: str) -> Played:
    (tmp_path / "clock.yaml").write_text(FLOW, encoding="utf-8")
    read = parse_text(text, "test.yaml", catalog)
    assert read.transcript is not None, read.findings
    return await play(read.transcript, settings=Settings(flows=tmp_path), catalog=catalog)


async def test_of_many_changes_while_time_passes_the_last_counts(tmp_path: Path, catalog: Catalog) -> None:
    assert isinstance(await played(tmp_path, catalog, TEST), Passed)
    again = TEST.replace('  - timer: refresh\n  - edits: {has: "10:05"}\n', '  - edits: {has: "10:05"}\n')
    assert isinstance(await played(tmp_path, catalog, again), Failed)
