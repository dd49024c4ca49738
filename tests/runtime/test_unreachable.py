"""A customer who cannot be reached for long: redraws do not make the outbox grow, and in the end it is given up."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage.sqlite_store import SqliteStore
from tests.runtime.harness import assemble

WAITING = """\
flow: table
title: A table
entry: {commands: [table]}
expires: 60d
steps:
  hold:
    text: "Shall we keep it? {{ now | time }}"
    keyboard: [[{text: Keep it, trigger: keep}]]
    timeout: {after: 50d}
    refresh: 1m
    transitions: {keep: done, timeout: done}
  done:
    text: Thank you.
    end: completed
"""


@pytest.fixture
async def bot(tmp_path: Path):
    bot = assemble(tmp_path, {"table": WAITING}, store=SqliteStore(tmp_path / "a.db", synchronous="NORMAL"))
    await bot.app.start()
    yield bot
    await bot.app.stop()


async def test_redraws_for_nobody_do_not_grow_the_outbox(bot) -> None:
    bot.screen.down = True
    await bot.command("table")
    for _ in range(100):
        await bot.turn(60)
    assert len(await bot.app.store.undelivered()) <= 3
    bot.screen.down = False
    await bot.turn(60)
    await bot.turn(60)
    shown = bot.screen.effects(bot.chat)
    assert not shown[0].edit, "first the question itself, then how it stands now"
    assert [effect.edit for effect in shown[1:]] == [True] * (len(shown) - 1)
    assert len(shown) <= 5
    await bot.turn(0)
    assert await bot.app.store.undelivered() == ()


async def test_after_thirty_days_it_is_given_up(bot, caplog: pytest.LogCaptureFixture) -> None:
    bot.screen.down = True
    await bot.command("table")
    for _ in range(16):
        await bot.turn(timedelta(days=2).total_seconds())
    left = await bot.app.store.undelivered()
    assert all(row.created_at > bot.clock.now() - timedelta(days=30) for row in left)
    assert "that could not be delivered for 30 days were given up" in caplog.text
