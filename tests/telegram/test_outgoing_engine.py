"""The channel behind the real engine: what a customer sees of presses, keyboards and redrawn questions."""

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.telegram.receiving_rig import Rig
from tests.telegram.server import Account, TelegramServer

BOT = """
bot: Print
languages: [en, de]
"""

ORDER = """
flow: order
title: Order
entry: {commands: [order]}
steps:
  material: {ask: choice, text: "Which <b>material</b>?", keyboard: {pla: PLA, abs: ABS}}
  colours: {ask: choices, text: "Colours?", keyboard: {red: Red, blue: Blue}}
  phone: {ask: phone, text: "Your number?"}
  bye: {text: "Thanks for {{ material }} &amp; co", end: completed}
"""

FLOWS = {"bot": BOT, "order": ORDER}


async def test_an_order_as_the_customer_sees_it(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with Rig(server, bot, tmp_path, flows=FLOWS) as rig:
        anna = await customer("Anna", phone="+4915100000001", language="de")
        await anna.says("/order")
        question = await anna.sees("Which material?")
        assert question.html == "Which <b>material</b>?"
        began = time.monotonic()
        await anna.presses("PLA")
        assert time.monotonic() - began < 3, "every press is answered at once"
        colours = await anna.sees("Colours?")
        await anna.presses("Red")
        await anna.until(lambda: anna.edits_seen or None, "the tick is drawn into the same message")
        assert (await anna.sees("Colours?")).id == colours.id
        await rig.crash()
        await rig.begin()
        await anna.presses("Blue")
        await anna.until(lambda: anna.edits_seen >= 2 or None, "the tick after a restart too")
        assert (await anna.sees("Colours?")).id == colours.id
        done = next(label for label in anna.with_text("Colours?").labels if "Red" not in label and "Blue" not in label)
        await anna.presses(done)
        await anna.sees("Your number?")
        await anna.until(lambda: anna.keyboard or None, "the key that shares the number")
        assert anna.keyboard[0][0].asks == "contact"
        await anna.taps(anna.keyboard[0][0].text)
        await anna.sees("& co")
        await anna.until(lambda: anna.keyboard is None or None, "no key is left")
        await anna.settles()
        assert [text for text in anna.texts if text in ("👇", "👌")] == []


async def test_double_taps_and_old_buttons_are_told_kindly(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with Rig(server, bot, tmp_path, flows=FLOWS):
        anna = await customer("Anna", phone="+4915100000001")
        await anna.says("/order")
        old = await anna.sees("Which material?")
        await asyncio.gather(*(anna.presses("PLA", message=old.id) for _ in range(3)))
        await anna.sees("Colours?")
        answer = await anna.presses("ABS", message=old.id)
        assert answer.text, "an old button says why it does nothing"
        forged = await anna.presses_data(old.id, "abc.1.1.k:gold")
        assert forged.text
        await anna.settles()
        await anna.sees_count("Colours?", 1)
