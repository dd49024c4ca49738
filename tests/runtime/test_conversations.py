"""Several flows of one customer: which is in front, what waits, what comes back; through the whole runtime."""

import asyncio
from datetime import timedelta

import pytest

from engine.app import FlowsFaulty, build
from engine.core.conversation import Status
from engine.core.effects import Notice
from engine.core.events import TextReceived
from engine.runtime.ports import Envelope
from engine.runtime.routing import CallbackPressed, Start
from engine.runtime.sending import Sent
from engine.settings import Settings
from tests.runtime.flows import HELP, ORDER, PAY, SLOW
from tests.runtime.harness import Bot, assemble


@pytest.fixture
async def bot(tmp_path):
    bot = assemble(tmp_path, {"order": ORDER, "help": HELP, "pay": PAY, "slow": SLOW})
    await bot.app.start()
    yield bot
    await bot.app.stop()


async def test_a_flow_from_the_first_word_to_the_last(bot: Bot):
    await bot.types("hello")
    assert "/order – Order" in bot.last
    await bot.command("order")
    await bot.types("<b>Anna</b>")
    await bot.press("Red")
    assert bot.last == "Bye &lt;b&gt;Anna&lt;/b&gt;, red"
    await bot.types("and now?")
    assert "Nothing is open" in bot.last


async def test_an_interruption_puts_aside_and_offers_to_go_on(bot: Bot):
    await bot.command("order")
    await bot.types("Anna")
    await bot.command("help")
    assert bot.screen.texts(bot.chat)[-2:] == ["Here is help.", "«Order» is waiting for you, exactly as you left it."]
    await bot.types("hm")
    assert "is waiting" in bot.last
    await bot.press("Continue")
    assert bot.last == "Colour?"
    await bot.press("Blue")
    assert bot.last == "Bye Anna, blue"


async def test_what_waits_can_be_dropped(bot: Bot):
    await bot.command("order")
    await bot.command("help")
    await bot.press("Drop")
    assert "is cancelled" in bot.last
    await bot.types("hm")
    assert "Nothing is open" in bot.last


async def test_a_press_brings_its_conversation_to_the_front(bot: Bot):
    await bot.command("order")
    await bot.types("Anna")
    red = bot.button("Red")
    await bot.command("slow")
    await bot.send(CallbackPressed(data=red))
    assert "«Slow» is waiting for you, exactly as you left it." in bot.screen.texts(bot.chat)
    assert "Bye Anna, red" in bot.screen.texts(bot.chat)
    await bot.command("resume")
    assert bot.last == "Quick!"


async def test_old_foreign_and_finished_buttons_change_nothing(bot: Bot):
    await bot.command("order")
    await bot.types("Anna")
    red = bot.button("Red")
    await bot.send(CallbackPressed(data=red), chat="terminal:eve")
    notice = bot.screen.effects("terminal:eve")[-1]
    assert isinstance(notice, Notice)
    assert "nothing" in notice.text
    await bot.press("Red")
    await bot.send(CallbackPressed(data=red))
    assert bot.last == "This conversation is over."
    assert bot.screen.texts(bot.chat).count("Bye Anna, red") == 1


async def test_starting_again_asks_and_can_begin_anew(bot: Bot):
    await bot.command("order")
    await bot.types("Anna")
    await bot.command("order")
    assert "open already" in bot.last
    await bot.press("Start again")
    assert bot.last == "Name?"
    await bot.types("Berta")
    await bot.command("order")
    await bot.press("Continue")
    await bot.press("Red")
    assert bot.last == "Bye Berta, red"


async def test_a_waiting_conversation_leaves_the_chat_free_and_comes_back_by_a_signal(bot: Bot):
    await bot.command("pay")
    await bot.types("77")
    assert bot.last == "Waiting for the money."
    await bot.types("hello?")
    assert "as soon as there is news: Pay" in bot.last
    assert "/resume" in bot.last
    await bot.command("order")
    assert bot.last == "Name?"
    assert await bot.app.signal("pay", "77", "settled", update="hook-1") is Sent.DELIVERED
    assert await bot.app.signal("pay", "77", "settled", update="hook-1") is Sent.DUPLICATE
    await bot.app.run_due()
    assert bot.last == "How was it?"
    await bot.types("Anna")
    assert bot.last == "Colour?", "typed text still goes to the one in front"
    await bot.press("Red")
    assert "«Payment» is waiting" in bot.last
    await bot.press("Continue")
    await bot.types("fine")
    assert bot.last == "Thanks for fine"


async def test_a_signal_that_nobody_waits_for_is_told_so(bot: Bot):
    assert await bot.app.signal("pay", "nobody", "settled") is Sent.KEPT


async def test_a_button_of_a_waiting_conversation_works_without_the_front(bot: Bot):
    await bot.command("pay")
    await bot.types("77")
    await bot.command("order")
    await bot.press("Give up")
    assert bot.last == "Given up."
    await bot.types("Anna")
    assert bot.last == "Colour?"


async def test_a_repeated_update_is_handled_once(bot: Bot):
    await bot.command("order")
    await bot.types("Anna", update="same")
    await bot.types("Anna", update="same")
    assert bot.screen.texts(bot.chat) == ["Name?", "Colour?"]


async def test_messages_of_one_chat_keep_their_order_and_chats_do_not_mix(bot: Bot):
    chats = [f"terminal:c{n}" for n in range(20)]
    await asyncio.gather(*(bot.app.handle(Envelope(chat=c, update=None, what=Start(flow="order"))) for c in chats))
    typed = [TextReceived(at=bot.clock.now(), text=f"I am {c}") for c in chats]
    await asyncio.gather(
        *(bot.app.handle(Envelope(chat=c, update=None, what=t)) for c, t in zip(chats, typed, strict=True))
    )
    await bot.app.run_due()
    assert all(bot.screen.texts(chat) == ["Name?", "Colour?"] for chat in chats)


async def test_a_timeout_fires_once_at_its_time(bot: Bot):
    await bot.command("slow")
    await bot.turn(299)
    assert bot.last == "Quick!"
    await bot.turn(1)
    await bot.turn(1000)
    assert bot.screen.texts(bot.chat) == ["Quick!", "Too late."]


async def test_an_answer_in_time_ends_the_timer(bot: Bot):
    await bot.command("slow")
    await bot.types("here")
    await bot.turn(1000)
    assert bot.screen.texts(bot.chat) == ["Quick!", "In time."]
    assert not await bot.app.store.due_timers(bot.clock.now() + timedelta(days=9))


async def test_an_idle_conversation_expires_once_and_is_cleaned_up_later(bot: Bot):
    await bot.command("order")
    name = bot.button("Cancel").split(".")[0]
    await bot.turn(24 * 3600 - 1)
    assert bot.last == "Name?"
    await bot.turn(2)
    assert "closed" in bot.last
    stored = await bot.app.store.conversation(name)
    assert stored is not None
    assert (stored.status, stored.outcome) == (Status.FINISHED, "expired")
    await bot.turn(31 * 24 * 3600)
    assert await bot.app.store.conversation(name) is None
    assert len(bot.screen.texts(bot.chat)) == 2


async def test_a_channel_that_is_down_gets_everything_later_in_order(bot: Bot):
    bot.screen.down = True
    await bot.command("order")
    await bot.types("Anna")
    assert bot.screen.rows == []
    bot.screen.down = False
    await bot.turn(120)
    assert bot.screen.texts(bot.chat) == ["Name?", "Colour?"]
    assert not await bot.app.store.undelivered()


async def test_faulty_flows_are_refused_with_their_report(tmp_path):
    with pytest.raises(FlowsFaulty) as caught:
        assemble(tmp_path, {"bad": ORDER.replace("ask: text", "ask: txet")})
    assert caught.value.report.errors
    with pytest.raises(FlowsFaulty, match="no folder"):
        build(Settings(flows=tmp_path / "none"), channel=None, environment={})
    (tmp_path / "empty").mkdir()
    with pytest.raises(FlowsFaulty, match="no flows"):
        build(Settings(flows=tmp_path / "empty"), channel=None, environment={})
