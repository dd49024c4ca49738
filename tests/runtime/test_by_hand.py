"""Timers and signals set off by hand, at the very moment at which they come by themselves: each once."""

import asyncio

import pytest

from engine.core.conversation import Status
from engine.core.events import TextReceived, TimerFired
from engine.runtime.ports import Envelope
from engine.runtime.routing import Addressed
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import ORDER, PAY, SLOW
from tests.runtime.harness import assemble


@pytest.fixture
async def bot(tmp_path):
    flows = {"slow": SLOW, "order": ORDER, "pay": PAY}
    bot = assemble(tmp_path, flows, store=SqliteStore(tmp_path / "bot.sqlite3", synchronous="NORMAL"))
    await bot.app.start()
    yield bot
    await bot.app.stop()


async def only(bot):
    (conversation,) = await bot.app.store.conversations(bot.chat)
    return conversation


@pytest.mark.parametrize("ahead", [0, 1, 3])
async def test_a_timeout_by_hand_and_by_itself_is_one(bot, ahead):
    await bot.command("slow")
    conversation = await only(bot)
    ((visit, name),) = [(row.visit, row.name) for row in await bot.app.store.timers(conversation.id)]
    firing = [asyncio.create_task(bot.app.runtime.fire(conversation.id, visit, name)) for _ in range(3)]
    for _ in range(ahead):
        await asyncio.sleep(0)
    bot.clock.advance(301)
    await asyncio.gather(bot.app.run_due(), *firing)
    await bot.app.run_due()
    assert bot.screen.texts(bot.chat).count("Too late.") == 1
    assert await bot.app.runtime.fire(conversation.id, visit, name) is False
    assert await bot.app.store.timers(conversation.id) == ()


async def test_an_end_by_hand_and_by_itself_is_one(bot):
    await bot.command("order")
    conversation = await only(bot)
    before = len(bot.screen.texts(bot.chat))
    firing = [asyncio.create_task(bot.app.runtime.fire(conversation.id, 0, "expires")) for _ in range(3)]
    bot.clock.advance(86401)
    await asyncio.gather(bot.app.run_due(), *firing)
    await bot.app.run_due()
    assert len(bot.screen.texts(bot.chat)) == before + 1
    over = await bot.app.store.conversation(conversation.id)
    assert (over.status, over.outcome) == (Status.FINISHED, "expired")
    assert await bot.app.runtime.fire(conversation.id, 0, "expires") is False


async def test_who_waits_for_a_payment_has_no_end_to_bring_about(bot):
    await bot.command("pay")
    await bot.types("17")
    conversation = await only(bot)
    assert conversation.expires_at is None
    assert await bot.app.runtime.fire(conversation.id, 0, "expires") is False
    assert await bot.app.runtime.tell(conversation.id, "settled", {})
    assert await bot.app.runtime.tell(conversation.id, "settled", {}), "open, but nobody waits for it: it is dropped"
    await bot.app.run_due()
    assert bot.screen.texts(bot.chat).count("How was it?") == 1


async def test_an_end_by_hand_behind_an_answer_says_that_it_was_not_brought_about(bot, monkeypatch):
    await bot.command("order")
    conversation = await only(bot)
    bot.clock.advance(60)
    read = bot.app.store.conversation

    async def read_before_the_answer(name):
        found = await read(name)
        monkeypatch.undo()
        await bot.types("Anna")
        return found

    monkeypatch.setattr(bot.app.store, "conversation", read_before_the_answer)
    assert await bot.app.runtime.fire(conversation.id, 0, "expires") is False
    await bot.app.run_due()
    assert bot.last == "Colour?"
    assert await bot.app.runtime.fire(conversation.id, 0, "expires")
    assert (await bot.app.store.conversation(conversation.id)).outcome == "expired"


async def test_an_answer_right_before_the_end_is_not_followed_by_it(bot):
    await bot.command("order")
    conversation = await only(bot)
    bot.clock.advance(86400)
    event = TimerFired(at=bot.clock.now(), visit=0, name="expires")
    late = Envelope(chat=bot.chat, update=None, what=Addressed(conversation=conversation.id, event=event))
    answer = TextReceived(at=bot.clock.now(), text="Anna")
    await asyncio.gather(
        bot.app.handle(Envelope(chat=bot.chat, update="a1", what=answer)),
        bot.app.handle(late),
    )
    assert bot.last == "Colour?"
    await bot.turn(86401)
    assert (await bot.app.store.conversation(conversation.id)).outcome == "expired"
