"""An action that comes back after its customer has gone: what it did is undone, once."""

import asyncio
from dataclasses import dataclass

from engine.actions import Context, action
from engine.core.conversation import Status
from engine.runtime.ports import Envelope
from engine.runtime.routing import Command
from tests.runtime.harness import assemble, offering

HOLDING = """
flow: holding
title: Holding
entry: {commands: [hold]}
steps:
  what:
    ask: text
    text: What?
  hold:
    do: shop.hold
    with: {what: what}
    undo: {do: shop.release, with: {number: result.number}}
    transitions: {failed: what}
  done:
    text: "Held {{ hold.number }}"
    end: completed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    pass


async def test_cancelled_while_the_action_runs(tmp_path):
    gate, entered, released = asyncio.Event(), asyncio.Event(), []

    @action()
    async def hold(context: Context, *, what: str) -> Held:
        """Hold something."""
        entered.set()
        await gate.wait()
        return Held(number=f"H-{what}")

    @action()
    async def release(context: Context, *, number: str) -> Released:
        """Let it go."""
        released.append((number, context.idempotency_key))
        return Released()

    bot = assemble(tmp_path, {"holding": HOLDING}, offers=offering("shop", hold, release))
    await bot.app.start()
    try:
        await bot.command("hold")
        running = asyncio.create_task(bot.types("cube"))
        await entered.wait()
        await bot.app.handle(_envelope(bot, Command(name="cancel", payload="")))
        gate.set()
        await running
        await bot.app.run_due()
        assert [number for number, _ in released] == ["H-cube"]
        chat = await bot.app.store.chat(bot.chat)
        assert chat is not None
        assert chat.front is None
        assert not await bot.app.runtime.unfinished()
        key = released[0][1]
        over = await bot.app.store.conversation(key.partition("/")[0])
        assert over is not None
        assert over.status is Status.FINISHED
        assert over.outcome == "cancelled"
    finally:
        await bot.app.stop()
    assert len(released) == 1


def _envelope(bot, what):
    return Envelope(chat=bot.chat, update="cancel", what=what, name="Anna")
