"""The shipped flows as a customer in Telegram walks them: every message, button and key as it is seen there."""

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.channels.web.site import PNG
from tests.telegram.running_bot import QUESTIONS, STL, Order, RunningBot, bold
from tests.telegram.seen import Seen
from tests.telegram.server import Account, TelegramServer

PHONE = "+4915112345678"


def numbered(thanks: Seen) -> str:
    """The order's number in the message that thanks for it."""
    return thanks.text.partition("order is ")[2].partition(".")[0]


async def test_an_order_straight_through(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path) as running:
        anna = await customer("Anna", phone=PHONE)
        order = Order(anna)
        phone = await order.until("Your phone number")
        assert phone.text.startswith("Step 4 of 12")
        assert phone.labels == ["Skip", "⬅️ Back", "✖️ Cancel"]
        await anna.taps("Share my phone number")
        asked = await anna.sees("Send your models")
        await anna.until(lambda: anna.keyboard is None or None, "the key is put away")
        await anna.sends_album([(STL, "cube.stl"), (STL * 2, "plate <1>.3mf")])
        await anna.sees("✅ cube.stl (440 B)")
        listed = await anna.sees("✅ plate <1>.3mf (880 B)")
        await anna.settles()
        assert [seen.id for seen in anna.received if seen.id > asked.id] == [listed.id], "one list, redrawn in place"
        listed = anna.with_text("✅ plate")
        assert listed.edited
        assert bold(listed) == ["Files: 2"]
        assert listed.labels == ["❌ cube.stl", "❌ plate <1>.3mf", "✅ That's all", "⬅️ Back", "✖️ Cancel"]
        await anna.presses("That's all")
        material = await anna.sees("Which material?")
        assert [[button.text for button in row] for row in material.rows] == [
            ["PLA (basic)", "PETG (durable)"],
            ["ABS (heat-resistant)", "TPU (flexible)"],
            ["⬅️ Back", "✖️ Cancel"],
        ]
        check = await order.until("Please check your order", start=5)
        for line in (
            "👤 Anna Muster, anna@example.com, +49 1511",
            "🧩 FDM printing: 2 files",
            "🧪 PLA, standard, 30 %",
        ):
            assert line in check.text
        assert bold(check) == ["Please check your order"]
        await anna.presses("✅ Order")
        thanks = await anna.sees("Thank you! Your order is")
        assert thanks.rows == []
        await anna.settles()
        assert [text for text in anna.texts if text in ("👇", "👌")] == [], "what carried keys is gone"
        assert [sum(question in text for text in anna.texts) for question in QUESTIONS] == [1] * 4 + [2] + [1] * 6
        assert {path.read_bytes() for path in running.kept_files() if path.suffix == ""} == {STL, STL * 2}
        assert await running.open(anna.chat) == []
        number = numbered(thanks)
        assert bold(thanks) == [number]
        await anna.says("/my_orders")
        await anna.presses(number)
        details = await anna.sees(f"Order {number}", after=thanks.id)
        assert "cube.stl" in details.text


async def test_two_files_one_after_the_other_and_one_taken_away(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with RunningBot(server, bot, tmp_path) as running:
        anna = await customer("Anna", phone=PHONE)
        asked = await Order(anna).until("Send your models")
        await anna.sends_file(STL, name="a.stl")
        first = await anna.sees("✅ a.stl")
        await anna.sends_file(STL * 3, name="b.obj")
        second = await anna.sees("✅ b.obj")
        assert second.text.count("✅") == 2
        await anna.sends_file(STL, name="c.exe")
        refusal = await anna.sees("has a format that does not work here")
        assert ".stl, .obj, .3mf" in refusal.text
        await anna.presses("❌ a.stl")
        await anna.sees_gone("✅ a.stl")
        left = await anna.sees("✅ b.obj")
        assert asked.id < first.id <= second.id <= left.id
        assert len([seen for seen in anna.received if "b.obj" in seen.text]) == 1
        await anna.presses("That's all")
        await anna.sees("Which material?")
        conversation = await running.front(anna.chat)
        assert [dict(file)["name"] for file in conversation.top.data["files"]] == ["b.obj"]


async def test_back_edit_and_what_does_not_fit(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with RunningBot(server, bot, tmp_path) as running:
        anna = await customer("Anna", phone=PHONE)
        order = Order(anna)
        name = await order.until("What is your name?")
        await anna.says("4")
        await anna.sees("Please write between 2 and 50 characters")
        await anna.says("<script>")
        await anna.sees("Letters, spaces, hyphens and apostrophes only")
        await anna.sends_file(STL, name="a.stl")
        await anna.sees("Please type your answer as text")
        await anna.says("Zoë O'Neill")
        await anna.sees("Where do we send", after=name.id)
        await anna.says("nobody at home")
        await anna.sees("This is no e-mail address")
        before = anna.last.id
        await anna.presses("Back")
        again = await anna.sees("What is your name?", after=before)
        assert "Keep: Zoë O'Neill" in " ".join(again.labels)
        await anna.presses("Keep: Zoë O'Neill")
        await anna.sees("Where do we send", after=again.id)
        phone = await order.until("Your phone number", start=2)
        await anna.shares_contact(phone="+4915112345699", name="Bob")
        await anna.sees("Please share your own number, or type it.")
        await anna.says("12")
        await anna.sees("This is no telephone number", after=phone.id)
        await order.until("Send your models", start=3)
        await anna.shares_contact()
        await anna.sees("Please send a file.")
        await anna.sends_photo(PNG)
        await anna.sees("has a format that does not work here")
        check = await order.until("Please check your order", start=4)
        assert "Zoë O'Neill" in check.text
        await anna.presses("Change something")
        which = await anna.sees("What would you like to change?")
        await anna.presses("Quality: Standard", message=which.id)
        await anna.sees("Which quality?", after=which.id)
        await anna.presses("High 0.1 mm")
        changed = await anna.sees("Please check your order", after=which.id)
        assert "PLA, high, 30 %" in changed.text
        await anna.says("what now?")
        await anna.sees("Please choose one of the buttons")
        await anna.presses("✅ Order", message=changed.id)
        await anna.sees("Thank you! Your order is")
        assert await running.open(anna.chat) == []


async def test_double_taps_on_every_button(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path) as running:
        anna = await customer("Anna", phone=PHONE)
        order = Order(anna)
        presses = anna.presses

        async def twice(label: str, *, message: int | None = None, timeout: float = 40) -> Any:
            """Waits for the button, then two presses at once, as a trembling finger does it."""
            await anna.until(
                lambda: any(label in text for seen in anna.received for text in seen.labels) or None, label
            )
            return (await asyncio.gather(*(presses(label, message=message, timeout=timeout) for _ in range(2))))[0]

        anna.presses = twice
        await order.placed()
        await anna.settles()
        await anna.sees_count("Thank you! Your order is", 1)
        for question in (*QUESTIONS[:4], *QUESTIONS[5:]):
            await anna.sees_count(question, 1)
        assert await running.open(anna.chat) == []
        await anna.says("/my_orders")
        listed = await anna.sees("Your orders, the newest first")
        assert len([label for label in listed.labels if " · " in label]) == 1


async def test_old_buttons_of_earlier_messages_and_of_finished_conversations(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with RunningBot(server, bot, tmp_path) as running:
        anna = await customer("Anna", phone=PHONE)
        order = Order(anna)
        await order.until("How do you want to get it?")
        service, material = anna.with_text("Which service"), anna.with_text("Which material?")
        for old in (service, material):
            answer = await anna.presses_data(old.id, old.rows[0][0].data)
            assert answer.text == "This question has been answered already."
        check = await order.until("Please check your order", start=9)
        await anna.presses("✅ Order")
        thanks = await anna.sees("Thank you! Your order is")
        for old in (service, material, check):
            answer = await anna.presses_data(old.id, old.rows[0][0].data)
            assert answer.text == "This conversation is over."
        await anna.settles()
        assert anna.last.id == thanks.id, "old buttons bring no messages"
        await running.stop()
        await running.start()
        answer = await anna.presses_data(check.id, check.rows[0][0].data)
        assert answer.text == "This conversation is over."
        await anna.sees_count("Thank you! Your order is", 1)


async def test_forged_presses(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path):
        anna = await customer("Anna", phone=PHONE)
        await anna.says("/order")
        asked = await anna.sees("Which service")
        stem = asked.rows[0][0].data.rpartition(".")[0]
        for data in (
            "x",
            "..",
            "a.1.1.k:gold",
            "🙂" * 16,
            "';DROP TABLE chats;--",
            "a" * 64,
            f"{stem}.k:gold",
            b"\xff\x00",
        ):
            answer = await anna.presses_data(asked.id, data)
            assert answer.text, data
        await anna.settles()
        assert anna.last.id == asked.id
        await anna.presses("FDM printing")
        await anna.sees("What is your name?")


async def test_a_button_of_somebody_elses(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path):
        anna, bob = await customer("Anna", phone=PHONE), await customer("Bob")
        asked = await Order(anna).until("Which service")
        await bob.says("/order")
        own = await bob.sees("Which service")
        answer = await bob.presses_data(own.id, asked.rows[0][0].data)
        assert answer.text
        await asyncio.gather(anna.settles(), bob.settles())
        assert (anna.last.id, bob.last.id) == (asked.id, own.id)


async def test_two_customers_interleaved(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path) as running:
        anna, bob = await customer("Anna", phone=PHONE), await customer("Bob", phone="+4915112345679")
        orders = Order(anna, name="Anna Muster"), Order(bob, name="Bob Meier")
        for number, question in enumerate(QUESTIONS):
            for order in orders:
                if number == 0:
                    await order.customer.says("/order")
                asked = await order.customer.sees(question)
                await order.answer(number)
                if number == 10:
                    assert order.name in asked.text
        for order in orders:
            await order.customer.sees("Thank you! Your order is")
        numbers = {numbered(order.customer.last) for order in orders}
        assert len(numbers) == 2
        together = await asyncio.gather(*(Order(each).placed() for each in (anna, bob)))
        numbers |= {numbered(thanks) for thanks in together}
        assert len(numbers) == 4
        assert [await running.open(each.chat) for each in (anna, bob)] == [[], []]


async def test_help_in_the_middle_and_back(server: TelegramServer, bot: Account, tmp_path: Path, customer: Any) -> None:
    async with RunningBot(server, bot, tmp_path):
        anna = await customer("Anna", phone=PHONE)
        order = Order(anna)
        phone = await order.until("Your phone number")
        await anna.until(lambda: anna.keyboard or None, "the key that shares the number")
        await anna.says("/help")
        told = await anna.sees("what you can do here")
        assert bold(told) == ["Nord Print: what you can do here"]
        waiting = await anna.sees("«3D print order» is waiting for you, exactly as you left it.")
        assert waiting.labels == ["▶️ Continue", "✖️ Drop it"]
        await anna.presses("Continue")
        again = await anna.sees("Your phone number", after=phone.id)
        assert again.id > told.id, "the question is asked again below the interruption"
        await anna.until(lambda: anna.keyboard or None, "and its key is there again")
        await anna.taps("Share my phone number")
        await anna.sees("Send your models")
        await anna.says("/my_orders")
        await anna.sees("You have no orders yet")
        await anna.presses("Done")
        aside = await anna.sees("is waiting for you", after=anna.with_text("You have no orders yet").id)
        await anna.says("/resume")
        await anna.sees("Send your models", after=aside.id)
        await anna.sends_file(STL, name="cube.stl")
        await anna.sees("✅ cube.stl")
        await anna.presses("That's all")
        await order.until("Please check your order", start=5)
        await anna.says("/order")
        await anna.sees("is open already")
        await anna.presses("Continue")
        await anna.settles()
        check = anna.with_text("Please check your order")
        await anna.presses("✅ Order", message=check.id)
        await anna.sees("Thank you! Your order is")
        await anna.until(lambda: anna.keyboard is None or None, "no key is left")


async def test_a_press_is_answered_at_once_while_a_file_is_on_its_way(
    server: TelegramServer, bot: Account, tmp_path: Path, customer: Any
) -> None:
    async with RunningBot(server, bot, tmp_path):
        anna, bob = await customer("Anna", phone=PHONE), await customer("Bob")
        asked = await Order(anna).until("Send your models")
        server.faults.slow("upload.GetFile", 4.0, times=None, account=bot)
        began = time.monotonic()
        await anna.sends_file(STL, name="cube.stl")
        answer = await anna.presses("Cancel", message=asked.id)
        assert (answer.text, time.monotonic() - began < 3.8) == ("", True)
        await bob.says("/order")
        await bob.sees("Which service do you need?")
        assert time.monotonic() - began < 3.9, "nobody else waits for Anna's file"
        assert anna.actions, "Anna sees that something is going on"
        await anna.sees("Cancel for good?")
        await anna.presses("No, go on")
        await anna.sees("✅ cube.stl")
