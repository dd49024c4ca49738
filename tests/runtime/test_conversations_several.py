"""Many conversations of one customer at once: who hears typed text, whose button it is, who speaks up from behind."""

import asyncio

import pytest

from engine.core.effects import Notice, Show
from engine.core.events import TextReceived
from engine.runtime.outbox import callback_data, decode
from engine.runtime.ports import Envelope
from engine.runtime.routing import CallbackPressed, Command
from tests.runtime.flows import HELP, ORDER, PAY, SLOW
from tests.runtime.harness import Bot, assemble

PARALLEL = PAY.replace("key: number", "key: number\nsecond_start: parallel")
ALARM = """
flow: alarm
title: Alarm
entry: {commands: [alarm]}
second_start: parallel
expires: 3h
steps:
  when:
    ask: text
    text: What shall I remind you of?
  sleep:
    text: "All right: {{ when }}"
    wait:
      alarm.off: over
      after: {time: 1h, to: ring}
    keyboard: [[{text: Sooner, trigger: sooner}]]
    transitions: {sooner: ring}
  ring:
    ask: choice
    text: "Now: {{ when }}!"
    keyboard: {done: Done, later: Later}
  over:
    text: "Over: {{ when }}"
    end: completed
"""


@pytest.fixture
async def bot(tmp_path):
    flows = {"order": ORDER, "help": HELP, "pay": PARALLEL, "slow": SLOW, "alarm": ALARM}
    bot = assemble(tmp_path, flows)
    await bot.app.start()
    yield bot
    await bot.app.stop()


def open_of(bot: Bot):
    return bot.app.store.conversations(bot.chat)


def buttons(bot: Bot, label: str) -> list[str]:
    """Callback data of every drawn button of that name, oldest first."""
    shown = [(row.surface, effect) for row in bot.screen.rows if isinstance(effect := decode(row).effect, Show)]
    return [
        callback_data(surface, effect.draw, press.code)
        for surface, effect in shown
        for line in effect.rows
        for press in line
        if label in press.text
    ]


async def alarm(bot: Bot, what: str) -> None:
    await bot.command("alarm")
    await bot.types(what)
    assert bot.last == f"All right: {what}"


async def test_two_waiting_conversations_of_one_flow_each_get_what_is_theirs(bot: Bot):
    await bot.command("pay")
    await bot.types("77")
    await bot.command("pay")
    await bot.types("88")
    assert len(await open_of(bot)) == 2
    assert await bot.app.signal("pay", "77", "settled", update="s1")
    await bot.app.run_due()
    assert bot.last == "How was it?"
    await bot.types("good")
    assert bot.last == "Thanks for good"
    [left] = await open_of(bot)
    assert left.key == "88"
    await bot.send(CallbackPressed(data=buttons(bot, "Give up")[0]))
    assert len(await open_of(bot)) == 1, "the button of the one that is over"
    assert isinstance(bot.screen.effects(bot.chat)[-1], Notice)
    await bot.send(CallbackPressed(data=buttons(bot, "Give up")[1]))
    assert bot.last == "Given up."
    assert len(await open_of(bot)) == 0


async def test_a_time_limit_behind_the_front_speaks_up_and_does_not_take_the_typed_text(bot: Bot):
    await alarm(bot, "tea")
    await bot.command("order")
    await bot.turn(3601)
    assert bot.last == "Now: tea!"
    await bot.types("Anna")
    assert bot.last == "Colour?", "what is typed is for the one in front"
    await bot.press("Done")
    assert "Over: tea" in bot.screen.texts(bot.chat)
    await bot.press("Red")
    assert bot.last == "Bye Anna, red"


async def test_a_press_behind_the_front_brings_that_one_there_and_nothing_is_lost(bot: Bot):
    await alarm(bot, "tea")
    await alarm(bot, "cake")
    await bot.command("order")
    await bot.types("Anna")
    first = buttons(bot, "Sooner")[0]
    await bot.send(CallbackPressed(data=first))
    assert bot.last == "Now: tea!"
    await bot.types("done")
    assert "Over: tea" in bot.screen.texts(bot.chat)
    assert "is waiting" in bot.last
    await bot.press("Continue")
    await bot.press("Red")
    assert bot.last == "Bye Anna, red"
    await bot.turn(3601)
    assert bot.last == "Now: cake!"


async def test_both_come_due_at_one_moment(bot: Bot):
    await alarm(bot, "tea")
    await alarm(bot, "cake")
    await bot.turn(3601)
    assert sorted(text for text in bot.screen.texts(bot.chat) if text.startswith("Now")) == ["Now: cake!", "Now: tea!"]
    # One of them has the front, the other one waits behind it; each answer goes to the conversation that drew it.
    for data in buttons(bot, "Done"):
        await bot.send(CallbackPressed(data=data))
    assert sorted(text for text in bot.screen.texts(bot.chat) if text.startswith("Over")) == ["Over: cake", "Over: tea"]
    assert len(await open_of(bot)) == 0


async def test_cancelling_one_behind_the_front_leaves_the_front_alone(bot: Bot):
    await bot.command("order")
    await bot.types("Anna")
    cancel = buttons(bot, "Cancel")[-1]
    await bot.command("slow")
    await bot.send(CallbackPressed(data=cancel))
    sure = buttons(bot, "Yes, cancel")[-1]
    await bot.send(CallbackPressed(data=sure))
    assert any("is cancelled" in text for text in bot.screen.texts(bot.chat))
    flows = [one.flow for one in await open_of(bot)]
    assert flows == ["slow"]
    await bot.command("resume")
    await bot.types("here")
    assert "In time." in bot.screen.texts(bot.chat)


async def test_a_background_conversation_expires_and_the_front_goes_on(bot: Bot):
    await alarm(bot, "tea")
    await bot.turn(3601)
    await bot.command("slow")
    bot.clock.advance(2 * 3600 + 3601)
    await asyncio.gather(
        bot.app.run_due(),
        bot.app.handle(Envelope(chat=bot.chat, update="t", what=TextReceived(at=bot.clock.now(), text="hm"))),
    )
    await bot.app.run_due()
    texts = bot.screen.texts(bot.chat)
    assert sum("Alarm" in text and "closed" in text for text in texts) == 1
    assert texts.count("Too late.") + texts.count("In time.") == 1
    assert len(await open_of(bot)) == 0


RULES = {
    "resume": ["Name?", "Colour?", "Colour?"],
    "restart": ["Name?", "Colour?", "«Order» is cancelled. You can start again at any time.", "Name?"],
    "parallel": ["Name?", "Colour?", "Name?"],
}


@pytest.mark.parametrize(("rule", "texts"), RULES.items())
@pytest.mark.parametrize("behind", [False, True])
async def test_the_second_start(tmp_path, rule, texts, behind):
    flow = ORDER.replace("expires: 24h", f"expires: 24h\nsecond_start: {rule}")
    bot = assemble(tmp_path, {"order": flow, "slow": SLOW})
    await bot.app.start()
    await bot.command("order")
    await bot.types("Anna")
    if behind:
        await bot.command("slow")
    await bot.command("order")
    assert [text for text in bot.screen.texts(bot.chat) if text != "Quick!"] == texts
    opened = [one.flow for one in await bot.app.store.conversations(bot.chat)]
    assert opened.count("order") == (2 if rule == "parallel" else 1)
    await bot.types("red" if rule == "resume" else "Berta")
    assert bot.screen.texts(bot.chat).count("Colour?") == 2 or "Bye Anna, red" in bot.screen.texts(bot.chat)
    await bot.app.stop()


async def test_a_second_start_while_the_first_one_waits_for_a_signal(tmp_path):
    bot = assemble(tmp_path, {"pay": PAY})
    await bot.app.start()
    await bot.command("pay")
    await bot.types("77")
    await bot.command("pay")
    assert "open already" in bot.last
    await bot.press("Start again")
    assert bot.last == "Which order?"
    assert len(await bot.app.store.conversations(bot.chat)) == 1
    await bot.app.stop()


async def test_many_at_once_in_any_order_end_as_they_should(bot: Bot):
    """Twelve alarms and everything pressed, typed and due at the same time: each ends once, none is lost."""
    for number in range(12):
        await alarm(bot, f"thing {number}")
    early = buttons(bot, "Sooner")[:6]
    done = [*(CallbackPressed(data=data) for data in early), Command(name="resume")]
    sent = [Envelope(chat=bot.chat, update=f"p{number}", what=what) for number, what in enumerate(done)]
    await asyncio.gather(*(bot.app.handle(envelope) for envelope in sent))
    await bot.turn(3601)
    rings = [text for text in bot.screen.texts(bot.chat) if text.startswith("Now")]
    assert set(rings) == {f"Now: thing {number}!" for number in range(12)}
    for data in dict.fromkeys(buttons(bot, "Done")):
        await bot.send(CallbackPressed(data=data))
    overs = [text for text in bot.screen.texts(bot.chat) if text.startswith("Over")]
    assert sorted(overs) == sorted(f"Over: thing {number}" for number in range(12))
    assert len(await open_of(bot)) == 0


SHELF = """
flow: shelf
entry: {commands: [shelf]}
second_start: restart
remind: false
steps:
  which:
    ask: choice
    text: What are you looking for?
    keyboard: {tea: Tea, bun: Bun}
  chosen:
    text: "{{ which }}."
    end: completed
"""
LOUD = SHELF.replace("remind: false\n", "").replace("shelf", "loud")


async def test_of_a_flow_that_does_not_remind_nothing_is_said(tmp_path):
    bot = assemble(tmp_path, {"shelf": SHELF, "loud": LOUD, "help": HELP})
    await bot.app.start()
    await bot.command("shelf")
    await bot.command("help")
    assert "waiting" not in bot.last
    await bot.types("hello?")
    assert bot.last.startswith("Nothing is open")
    await bot.command("resume")
    assert bot.last == "What are you looking for?"
    before = len(bot.screen.rows)
    await bot.command("shelf")
    assert "cancelled" not in "".join(str(decode(row).effect) for row in bot.screen.rows[before:])
    assert (len(await open_of(bot)), bot.last) == (1, "What are you looking for?")
    await bot.command("cancel")
    assert "is cancelled" in bot.last
    await bot.command("loud")
    await bot.command("shelf")
    await bot.command("help")
    assert "«loud» is waiting" in bot.last  # the one that reminds, though the other was put aside later
    await bot.app.stop()
