"""The guide's own example of working hours, played through a weekend, a closed day and an outage of the bot."""

from datetime import datetime

import pytest

from engine.runtime.clock import ManualClock
from engine.runtime.ports import Store
from storage.sqlite_store import SqliteStore
from tests.flows.guide import blocks
from tests.runtime.harness import Bot, Screen, assemble

HOUR = 3600.0
FRIDAY = "2026-06-12T17:30:00+02:00"
"""In Berlin; the shop closes at 18:00 and opens on Saturday from 10:00 to 14:00."""


def documented() -> dict[str, str]:
    """The flow `pickup` and bot.yaml as they stand in the guide."""
    pickup = next(block.text for block in blocks() if block.text.startswith("flow: pickup"))
    return {"bot": next(block.text for block in blocks() if block.bot), "pickup": pickup}


def living(tmp_path, at: str, screen: Screen | None = None, seed: int = 1) -> Bot:
    clock = ManualClock(datetime.fromisoformat(at))
    store: Store = SqliteStore(tmp_path / "bot.sqlite3")
    bot = assemble(tmp_path, documented(), clock=clock, store=store, screen=screen, seed=seed)
    bot.count = seed * 1000
    return bot


async def ordered(bot: Bot, amount: str = "20") -> None:
    await bot.command("pickup")
    await bot.types(amount)
    assert "within two hours of its opening time" in bot.last


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (FRIDAY, None),
        ("2026-06-12T18:00:00+02:00", "Saturday, June 13, 2026 at 10:00"),
        ("2026-06-12T13:00:00+02:00", "Friday, June 12, 2026 at 1:30"),
        ("2026-06-13T15:00:00+02:00", "Monday, June 15, 2026 at 9:00"),
        ("2026-07-18T15:00:00+02:00", "Monday, August 3, 2026 at 9:00"),
        ("2026-12-24T19:00:00+01:00", "Saturday, December 26, 2026 at 10:00"),
        ("2026-03-28T20:00:00+01:00", "Monday, March 30, 2026 at 9:00"),
    ],
)
async def test_whether_it_is_open(tmp_path, at, said):
    bot = living(tmp_path, at)
    await bot.app.start()
    await bot.command("pickup")
    texts = [text.replace("\u202f", " ") for text in bot.screen.texts(bot.chat)]
    assert len(texts) == (1 if said is None else 2)
    assert said is None or f"We open on {said}" in texts[0]
    await bot.app.stop()


async def test_a_minimum_amount(tmp_path):
    bot = living(tmp_path, FRIDAY)
    await bot.app.start()
    await bot.command("pickup")
    await bot.types("4.49")
    assert "That is less than €4.50." in bot.screen.texts(bot.chat)
    await bot.types("4.50")
    assert "within two hours" in bot.last
    await bot.app.stop()


async def test_two_hours_of_opening_time_over_the_weekend(tmp_path):
    bot = living(tmp_path, FRIDAY)
    await bot.app.start()
    await ordered(bot)
    await bot.turn(18 * HOUR - 1)
    assert "within two hours" in bot.last, "half an hour on Friday, and less than the rest on Saturday"
    await bot.turn(1)
    assert bot.last == "Sorry, not this time."
    await bot.app.stop()


async def test_it_is_still_fired_after_an_outage_since_its_own_policy_says_so(tmp_path):
    bot = living(tmp_path, FRIDAY)
    await bot.app.start()
    await ordered(bot)
    await bot.app.stop()
    # On Sunday the shop is closed: it waits for Monday, nine o'clock.
    again = living(tmp_path, "2026-06-14T12:00:00+02:00", bot.screen, 2)
    await again.app.start()
    await again.turn(21 * HOUR - 1)
    assert "within two hours" in again.last
    await again.turn(1)
    assert again.last == "Sorry, not this time."
    await again.app.stop()


@pytest.mark.parametrize(
    ("back_at", "reminded"), [("2026-06-13T10:00:30+02:00", True), ("2026-06-14T03:00:00+02:00", False)]
)
async def test_a_reminder_that_is_late_is_left_out(tmp_path, back_at, reminded):
    bot = living(tmp_path, "2026-06-12T16:00:00+02:00")
    await bot.app.start()
    await ordered(bot)
    await bot.app.signal("pickup", "anna", "shop.accepted", update="s1")
    await bot.app.run_due()
    assert bot.last.startswith("It is ready. We are here until 6:00")
    await bot.app.stop()
    again = living(tmp_path, back_at, bot.screen, 2)
    await again.app.start()
    await again.app.run_due()
    assert ("Do not forget" in again.last) is reminded
    await again.press("I have it")
    assert again.last == "Thank you!"
    await again.app.stop()


async def test_a_late_way_of_its_own(tmp_path):
    bot = living(tmp_path, "2026-06-12T16:00:00+02:00")
    await bot.app.start()
    await ordered(bot)
    await bot.app.signal("pickup", "anna", "shop.accepted", update="s1")
    await bot.turn(18 * HOUR)
    assert "Do not forget" in bot.last
    await bot.app.stop()
    again = living(tmp_path, "2026-06-16T12:00:00+02:00", bot.screen, 2)
    await again.app.start()
    await again.app.run_due()
    assert "Do not forget" in again.last
    assert again.screen.texts(again.chat).count(again.last) == 2
    await again.turn(24 * HOUR)
    assert again.last == "Sorry, not this time."
    await again.app.stop()
