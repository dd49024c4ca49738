"""What survives a restart on a real SQLite file: conversations, messages, calls, timers; and edited flows."""

import asyncio
from dataclasses import replace

from engine.core.conversation import Status
from engine.core.events import TextReceived
from engine.runtime.clock import ManualClock
from engine.runtime.ports import Commit, Envelope
from engine.runtime.routing import Start
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import CALLING, HELP, ORDER, SLOW
from tests.runtime.harness import START, Bot, Screen, assemble
from tests.runtime.test_calls import Shop, make

FLOWS = {"order": ORDER, "help": HELP, "slow": SLOW}


def on_disk(tmp_path, flows: dict[str, str] = FLOWS, **more) -> Bot:
    return assemble(tmp_path, flows, store=SqliteStore(tmp_path / "bot.sqlite3"), **more)


async def test_a_conversation_goes_on_where_it_was(tmp_path):
    bot = on_disk(tmp_path)
    await bot.app.start()
    await bot.command("order")
    await bot.types("Anna")
    await bot.app.stop()
    again = on_disk(tmp_path, screen=bot.screen, seed=2)
    again.count = bot.count
    await again.app.start()
    await again.press("Red")
    assert again.screen.texts(again.chat) == ["Name?", "Colour?", "Bye Anna, red"]
    await again.app.stop()


async def test_undelivered_messages_go_out_after_the_restart_once_and_in_order(tmp_path):
    bot = on_disk(tmp_path)
    bot.screen.down = True
    await bot.app.start()
    await bot.command("order")
    await bot.types("Anna")
    await bot.app.stop()
    again = on_disk(tmp_path)
    await again.app.start()
    await again.app.run_due()
    assert again.screen.texts(again.chat) == ["Name?", "Colour?"]
    await again.app.stop()
    third = on_disk(tmp_path)
    await third.app.start()
    await third.app.run_due()
    assert third.screen.rows == []
    await third.app.stop()


async def test_a_call_that_was_cut_runs_again_with_the_same_key(tmp_path):
    shop = Shop()
    shop.gate = asyncio.Event()
    bot = make(tmp_path, shop, store=SqliteStore(tmp_path / "bot.sqlite3"))
    await bot.app.start()
    await bot.command("call")
    await bot.app.handle(Envelope(chat=bot.chat, update="x", what=TextReceived(at=bot.clock.now(), text="cube")))
    while not shop.calls:
        await asyncio.sleep(0.001)
    await bot.app.stop()
    shop.gate.set()
    again = make(tmp_path, shop, store=SqliteStore(tmp_path / "bot.sqlite3"))
    await again.app.start()
    await again.app.run_due()
    assert again.screen.texts(again.chat) == ["Placed N-cube"]
    assert len(shop.calls) == 2
    assert len({key for key, _, _ in shop.calls}) == 1
    await again.app.stop()


async def test_a_timer_that_came_due_meanwhile_fires_once(tmp_path):
    bot = on_disk(tmp_path)
    await bot.app.start()
    await bot.command("slow")
    await bot.app.stop()
    clock = ManualClock(START)
    clock.advance(86_400)
    again = on_disk(tmp_path, clock=clock)
    await again.app.start()
    await again.app.run_due()
    await again.turn(1000)
    assert again.screen.texts(again.chat) == ["Too late."]
    await again.app.stop()


async def test_an_edited_flow_goes_on_when_its_step_is_still_there(tmp_path):
    bot = on_disk(tmp_path)
    await bot.app.start()
    await bot.command("order")
    await bot.types("Anna")
    await bot.app.stop()
    edited = {**FLOWS, "order": ORDER.replace("Bye {{ name }}", "Farewell {{ name }}")}
    again = on_disk(tmp_path, edited, screen=bot.screen)
    again.count = bot.count
    await again.app.start()
    await again.press("Red")
    assert again.last == "Farewell Anna, red"
    await again.app.stop()


async def test_an_edited_flow_ends_kindly_when_its_step_has_gone(tmp_path):
    bot = on_disk(tmp_path)
    await bot.app.start()
    await bot.command("order")
    await bot.types("Anna")
    name = bot.button("Red").split(".")[0]
    await bot.app.stop()
    edited = {**FLOWS, "order": ORDER.replace("colour", "paint")}
    again = on_disk(tmp_path, edited, screen=bot.screen)
    again.count = bot.count
    await again.app.start()
    await again.press("Red")
    texts = again.screen.texts(again.chat)
    assert "Please start again: /order" in texts[-2]
    assert texts[-1] == "This conversation is over."
    stored = await again.app.store.conversation(name)
    assert stored is not None
    assert (stored.status, stored.outcome) == (Status.FINISHED, "outdated")
    await again.app.stop()


async def test_a_step_that_became_another_kind_of_step_has_gone_too(tmp_path):
    bot = on_disk(tmp_path)
    await bot.app.start()
    await bot.command("order")
    await bot.app.stop()
    shown = ORDER.replace("    ask: text\n    text: Name?", "    text: Hello.").replace("{{ name }}", "")
    edited = {**FLOWS, "order": shown}
    again = on_disk(tmp_path, edited, screen=bot.screen)
    again.count = bot.count
    await again.app.start()
    await again.types("Anna")
    assert any("Please start again" in text for text in again.screen.texts(again.chat))
    await again.app.stop()


async def test_who_was_overtaken_reads_again(tmp_path):
    bot = on_disk(tmp_path)
    await bot.app.start()
    await bot.command("order")
    stored = await bot.app.store.chat(bot.chat)
    assert stored is not None
    elsewhere = Commit(chat=replace(stored, name="Berta", revision=stored.revision + 1), at=bot.clock.now())
    await bot.app.store.commit([elsewhere])
    await bot.types("Anna")
    assert bot.last == "Colour?"
    await bot.app.stop()


async def test_many_chats_at_once_share_commits_and_lose_nothing(tmp_path):
    bot = on_disk(tmp_path, screen=Screen())
    await bot.app.start()
    chats = [f"terminal:c{n}" for n in range(60)]

    async def customer(chat: str) -> None:
        for what in (Start(flow="order"), TextReceived(at=START, text="Anna"), TextReceived(at=START, text="Red")):
            assert await bot.app.handle(Envelope(chat=chat, update=f"{chat}/{what}", what=what))

    await asyncio.gather(*(customer(chat) for chat in chats))
    await bot.app.run_due()
    for chat in chats:
        assert bot.screen.texts(chat) == ["Name?", "Colour?", "Bye Anna, red"]
    assert not await bot.app.store.undelivered()
    await bot.app.stop()


async def test_the_default_retry_is_used_on_a_real_store(tmp_path):
    shop = Shop()
    shop.does = [ConnectionError("x")]
    flow = CALLING.replace("    retry: {attempts: 3, first: 10s, factor: 2}\n", "")
    bot = make(tmp_path, shop, flow=flow, store=SqliteStore(tmp_path / "bot.sqlite3"))
    await bot.app.start()
    await bot.command("call")
    await bot.types("cube")
    await bot.turn(1)
    assert bot.last == "Placed N-cube"
    await bot.app.stop()
