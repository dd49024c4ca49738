"""Every kind of input that the browser chat knows, saved as a test: photos, places, ticks, signals, timers, roles."""

from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from tests.transcripts.sitting import Sitting
from tests.transcripts.test_player import BOT, FLOW

OFFICE = """
flow: office
title: Office
only: [admin]
entry: {commands: [office]}
steps:
  hello:
    text: "Only for {{ customer.roles | join }}."
    end: completed
"""
COUNTER = """
flow: counter
title: Counter
entry: {commands: [counter]}
steps:
  hold:
    text: "It is {{ now | datetime }}."
    refresh: 30s
    timeout: 2m
    keyboard: [[{text: Stop, trigger: stop}]]
    transitions: {stop: over, timeout: over}
  over:
    text: Over.
    end: completed
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    place = tmp_path / "flows"
    place.mkdir()
    for name, text in {"visit": FLOW, "office": OFFICE, "bot": BOT}.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return place


async def visit(one: Sitting) -> None:
    await one.says("/visit")
    await one.stands(52.52, -13.405)
    await one.shares("+4930901820")
    await one.sends("house \n 'x'.jpg", 2_000_000, mime="image/png", kind="photo")
    for label in ("Milk", "Tea", "Milk", "Milk", "That's it"):
        await one.presses(label)


async def test_a_visit_with_everything(small: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(small, tmp_path / "files", catalog, pause=5) as zoe:
        await visit(zoe)
        await zoe.presses("Yes")
        await zoe.signals("order.paid", {"from": "Zoë: the <b>1st</b>\n- x", "amount": 1})
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = (small / "tests" / "a_test.yaml").read_text(encoding="utf-8")
        assert "shares: {location: [52.52, -13.405]}" in text
        assert "mime: image/png" in text
        assert "- edits: What do you like?" in text
        assert "picture: {qr: " in text
        assert "- ends: {flow: visit, outcome: completed}" in text


async def test_a_timeout_that_came_by_itself_and_one_that_was_pushed(
    small: Path, tmp_path: Path, catalog: Catalog
) -> None:
    async with Sitting(small, tmp_path / "files", catalog) as zoe:
        await visit(zoe)
        await zoe.waits(601)
        await zoe.fires("timeout")
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = (small / "tests" / "a_test.yaml").read_text(encoding="utf-8")
        assert "- timer: timeout" in text
        assert "wait: 10m\n" in text  # the first one came at its own time, a second before the clock stood still


async def test_somebody_with_a_role(small: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(small, tmp_path / "files", catalog, roles=("admin",)) as zoe:
        await zoe.says("/office")
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert "roles: [admin]" in (small / "tests" / "a_test.yaml").read_text(encoding="utf-8")


async def test_a_message_that_is_drawn_again_by_the_time(small: Path, tmp_path: Path, catalog: Catalog) -> None:
    (small / "counter.yaml").write_text(
        COUNTER.replace("{{ (now - now) | duration | default('a moment') }}", "a moment")
    )
    async with Sitting(small, tmp_path / "files", catalog) as zoe:
        await zoe.says("/counter")
        await zoe.waits(61)
        await zoe.waits(59)
        await zoe.waits(61)
        saved = await zoe.save()
        assert saved.ok, saved.text
        text = (small / "tests" / "a_test.yaml").read_text(encoding="utf-8")
        assert "- ends: " in text
        assert "- edits: " in text


async def test_presses_while_the_chat_has_an_older_conversation(small: Path, tmp_path: Path, catalog: Catalog) -> None:
    async with Sitting(small, tmp_path / "files", catalog) as zoe:
        await zoe.says("/visit")
        await zoe.stands(1, 2)
        await zoe.says("/visit")
        saved = await zoe.save()
        assert saved.ok, saved.text
        await zoe.taps("made up")
        await zoe.taps("")
        saved = await zoe.save()
        assert saved.ok, saved.text
        assert "presses: {data: made up}" in (small / "tests" / "a_test-2.yaml").read_text(encoding="utf-8")


async def test_a_journal_with_rubbish_in_it(small: Path, tmp_path: Path, catalog: Catalog) -> None:
    from tests.transcripts.sitting import entry

    async with Sitting(small, tmp_path / "files", catalog) as zoe:
        for number, kind in enumerate(("text", "press", "called", "clock", "signal", "timer", "drawn", "odd", "file")):
            for payload in (b"", b"[]", b'{"seconds": "x", "name": 1}', b"\xff"):
                await zoe.journal.append(entry(kind=kind, key=f"x{number}{payload!r}", payload=payload))
        await visit(zoe)
        assert (await zoe.save()).ok
