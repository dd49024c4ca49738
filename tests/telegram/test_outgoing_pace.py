"""How fast messages go, on a clock that stands still until it is turned."""

import asyncio
from datetime import UTC, datetime

from engine.channels.telegram.pace import ANSWERS, BURST, OVERALL, Pace
from engine.runtime.clock import ManualClock


async def soon() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def gone_after(clock: ManualClock, pace: Pace, turns: list[tuple[str, str | None]], seconds: float) -> list[str]:
    """Whose messages went within that time, in order, all being wished for at once."""
    gone: list[str] = []

    async def one(chat: str, reply: str | None) -> None:
        await pace.turn(chat, reply)
        gone.append(chat)

    tasks = [asyncio.create_task(one(*turn)) for turn in turns]
    await soon()
    step = 0.01
    for _ in range(round(seconds / step)):
        clock.advance(step)
        await soon()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return gone


def clocked() -> tuple[ManualClock, Pace]:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    return clock, Pace(clock)


async def test_an_answer_goes_at_once_however_much_went_before():
    clock, pace = clocked()
    for number in range(200):
        assert await gone_after(clock, pace, [("a", f"update {number}")], 0) == ["a"]


async def test_one_update_has_some_answers_at_once():
    clock, pace = clocked()
    assert len(await gone_after(clock, pace, [("a", "update")] * 20, 0)) == ANSWERS + BURST


async def test_one_chat_has_a_burst_and_then_one_a_second():
    clock, pace = clocked()
    pace.heard("a")
    assert len(await gone_after(clock, pace, [("a", None)] * 20, 0)) == BURST
    clock, pace = clocked()
    pace.heard("a")
    assert len(await gone_after(clock, pace, [("a", None)] * 20, 3.005)) == BURST + 3


async def test_what_nobody_asked_for_keeps_to_the_overall_rate():
    clock, pace = clocked()
    everybody = [(f"chat {number}", None) for number in range(200)]
    gone = await gone_after(clock, pace, everybody, 2)
    assert OVERALL * 2 - 2 <= len(gone) <= OVERALL * 2 + 2


async def test_answers_do_not_wait_behind_what_nobody_asked_for():
    clock, pace = clocked()
    everybody: list[tuple[str, str | None]] = [(f"chat {number}", None) for number in range(500)]
    gone = await gone_after(clock, pace, [*everybody, ("anna", "update"), ("anna", "update")], 0)
    assert gone.count("anna") == 2
    assert len(gone) < 10


async def test_whoever_was_heard_of_is_not_kept_waiting_by_others():
    clock, pace = clocked()
    pace.heard("anna")
    everybody: list[tuple[str, str | None]] = [(f"chat {number}", None) for number in range(500)]
    assert "anna" in await gone_after(clock, pace, [*everybody, ("anna", None)], 0)
