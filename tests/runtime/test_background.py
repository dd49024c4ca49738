"""What happens by itself on a real clock, and what a customer hears when the store fails."""

import asyncio
from datetime import UTC, datetime, timedelta

from engine.actions import Unreachable
from engine.core.events import TextReceived
from engine.runtime.clock import SystemClock
from engine.runtime.ports import Envelope
from engine.runtime.routing import Start
from storage.memory import MemoryStore
from tests.runtime.flows import CALLING, ORDER
from tests.runtime.harness import assemble
from tests.runtime.test_calls import Shop, make


async def test_a_retry_comes_back_by_itself(tmp_path):
    shop = Shop()
    shop.does = [Unreachable("x")]
    flow = CALLING.replace("first: 10s", "first: 1s")
    bot = make(tmp_path, shop, flow=flow, clock=SystemClock())
    await bot.app.start()
    await bot.app.handle(Envelope(chat=bot.chat, update="1", what=Start(flow="calling")))
    typed = TextReceived(at=datetime.now(UTC), text="cube")
    await bot.app.handle(Envelope(chat=bot.chat, update="2", what=typed))
    assert await bot.app.settled(10)
    assert bot.last == "Placed N-cube"
    await bot.app.stop()


async def test_patience_has_an_end(tmp_path):
    shop = Shop()
    shop.does = [Unreachable("x")] * 3
    bot = make(tmp_path, shop, clock=SystemClock())
    await bot.app.start()
    await bot.app.handle(Envelope(chat=bot.chat, update="1", what=Start(flow="calling")))
    typed = TextReceived(at=datetime.now(UTC), text="cube")
    await bot.app.handle(Envelope(chat=bot.chat, update="2", what=typed))
    assert not await bot.app.settled(0.2)
    await bot.app.stop()


class FullDisk(MemoryStore):
    """Refuses commits while `full`."""

    full = False

    async def commit(self, commits) -> None:
        if self.full:
            raise OSError("no space left")
        await super().commit(commits)


async def test_a_store_that_fails_is_told_kindly_and_nothing_is_lost(tmp_path):
    store = FullDisk()
    bot = assemble(tmp_path, {"order": ORDER}, store=store)
    await bot.app.start()
    await bot.command("order")
    store.full = True
    assert not await bot.types("Anna")
    assert "Something went wrong on our side" in bot.last
    store.full = False
    assert await bot.types("Anna")
    assert bot.last == "Colour?"
    await bot.app.stop()


async def test_stopping_cuts_a_hanging_call(tmp_path):
    shop = Shop()
    shop.gate = asyncio.Event()
    bot = make(tmp_path, shop)
    await bot.app.start()
    await bot.command("call")
    typed = TextReceived(at=bot.clock.now() + timedelta(seconds=1), text="cube")
    await bot.app.handle(Envelope(chat=bot.chat, update="x", what=typed))
    await asyncio.wait_for(bot.app.stop(), 5)
    assert len(shop.calls) <= 1
