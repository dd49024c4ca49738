"""Incoming updates with the real engine behind them: what is fetched, what is refused, what a crash leaves."""

import asyncio
from pathlib import Path
from typing import Any

from engine.channels.telegram import downloads
from engine.core.conversation import Conversation
from tests.telegram.receiving_rig import Rig, until
from tests.telegram.server import Account, TelegramServer

BOT = """
bot: Print
languages: [en, de]
"""

SENDING = """
flow: sending
title: Sending
entry: {commands: [send]}
steps:
  name: {ask: text, text: "Name?"}
  model: {ask: file, text: "Your file, please.", accept: [.stl], max_size: 1 MB}
  phone: {ask: phone, text: "Your number?"}
  place: {ask: location, text: "Where are you?"}
  logo: {ask: photo, text: "A picture?"}
  bye: {text: "Thanks {{ name }}", end: completed}
"""

MANY = """
flow: many
title: Many
entry: {commands: [many]}
steps:
  models: {ask: files, text: "Files?", count: {min: 1, max: 1}}
  bye: {text: "Done", end: completed}
"""

COLOURS = """
flow: colours
title: Colours
entry: {commands: [colours]}
steps:
  colours: {ask: choices, text: "Colours?", keyboard: {red: Red, blue: Blue}}
  bye: {text: "You like {{ colours | join(', ') }}", end: completed}
"""

FLOWS = {"bot": BOT, "sending": SENDING, "colours": COLOURS, "many": MANY}


async def front(rig: Rig, chat: str) -> Conversation | None:
    assert rig.app is not None
    loaded = await rig.app.runtime.chat(chat)
    return next((item for item in loaded.open if item.id == loaded.chat.front), None)


async def asked(rig: Rig, anna: Any) -> None:
    """Up to the question for a file."""
    await anna.says("/send")
    await anna.sees("Name?")
    await anna.says("Anna")
    await anna.sees("Your file, please.")


async def test_straight_through(server: TelegramServer, bot: Account, tmp_path: Path, customer) -> None:
    async with Rig(server, bot, tmp_path, flows=FLOWS) as rig:
        anna = await customer("Anna", phone="+4915100000001")
        await asked(rig, anna)
        await anna.sends_file(b"solid" * 100, name="../part.stl")
        await anna.sees("Your number?")
        conversation = await front(rig, anna.chat)
        assert conversation is not None
        file: Any = conversation.top.data["model"]
        assert (file["name"], file["size"]) == ("part.stl", 500)
        assert rig.files.path(file["ref"]).read_bytes() == b"solid" * 100
        await anna.shares_contact(phone="+4915100000099", name="Bob")
        await anna.sees("own")
        await anna.shares_contact()
        await anna.sees("Where are you?")
        await anna.shares_location(52.5, 13.4)
        await anna.sees("A picture?")
        from tests.channels.web.site import PNG

        await anna.sends_photo(PNG)
        await anna.sees("Thanks Anna")


async def test_what_nobody_asked_for_is_not_fetched(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    async with Rig(server, bot, tmp_path, flows=FLOWS) as rig:
        anna = await customer("Anna")
        await anna.sends_file(b"x" * 100, name="part.stl")  # nothing is open
        await until(lambda: anna.received)
        await anna.says("/send")
        await anna.sees("Name?")
        count = len(anna.received)
        await anna.sends_file(b"x" * 100, name="part.stl")  # a text is asked for
        await until(lambda: len(anna.received) > count)
        assert not server.count("upload.GetFile", bot)
        assert not rig.kept()


async def test_what_is_sure_to_be_refused_is_not_fetched(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    async with Rig(server, bot, tmp_path, flows=FLOWS) as rig:
        anna = await customer("Anna")
        await asked(rig, anna)
        await anna.sends_file(b"x" * 100, name="part.exe")
        await anna.sees("format")
        server.post(anna.account, bot, blob=server.pattern(1_500_000), name="big.stl")
        await anna.sees("too big")
        assert not server.count("upload.GetFile", bot)
        await anna.sends_file(b"x" * 100, name="part.stl")
        await anna.sees("Your number?")


async def test_one_file_too_many_is_not_fetched(server: TelegramServer, bot: Account, tmp_path: Path, customer) -> None:
    async with Rig(server, bot, tmp_path, flows=FLOWS) as rig:
        anna = await customer("Anna")
        await anna.says("/many")
        await anna.sees("Files?")
        await anna.sends_file(b"x" * 100, name="a.stl")
        await anna.sees("a.stl")
        await anna.sends_file(b"x" * 100, name="b.stl")
        await anna.sees("1 files at most")
        assert len(rig.kept()) == 1


async def test_a_lost_file_is_told_in_the_customers_language(
    server: TelegramServer, bot: Account, tmp_path: Path, customer, monkeypatch
) -> None:
    monkeypatch.setattr(downloads, "FIRST_PAUSE", 0.02)
    async with Rig(server, bot, tmp_path, flows=FLOWS) as rig:
        anna = await customer("Anna", language="de")
        await asked(rig, anna)
        server.faults.short_part(bytes_left=0, times=None, account=bot)
        await anna.sends_file(b"x" * 100, name="part.stl")
        await anna.sees("part.stl")
        server.faults.clear()
        await anna.sends_file(b"x" * 100, name="part.stl")
        await anna.sees("Your number?")


async def test_killed_again_and_again(server: TelegramServer, bot: Account, tmp_path: Path, customer) -> None:
    rig = Rig(server, bot, tmp_path, flows=FLOWS)
    await rig.begin()
    anna = await customer("Anna")
    await anna.says("/send")
    await rig.end()
    await rig.begin()
    await anna.sees("Name?")
    await rig.end()
    await anna.says("Anna")
    await anna.sends_file(b"x" * 100, name="part.stl")
    await rig.begin()
    await anna.sees("Your number?")
    conversation = await front(rig, anna.chat)
    assert conversation is not None
    assert conversation.top.data["name"] == "Anna"
    await asyncio.sleep(0.3)
    assert [seen for seen in anna.texts if seen.startswith("Your number?")] == ["Your number?"]
    assert len(rig.kept()) == 1
    await rig.end()


async def test_old_and_forged_buttons_are_answered_with_a_notice(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    rig = Rig(server, bot, tmp_path, flows=FLOWS)
    await rig.begin()
    anna = await customer("Anna")
    await anna.says("/colours")
    question = await anna.sees("Colours?")
    await asyncio.gather(anna.presses("Red"), anna.presses("Red"), anna.presses("Blue"))
    await rig.end()
    await rig.begin()  # buttons of the time before stay usable
    await anna.presses("Red")
    done = next(label for label in question.labels if label not in ("Red", "Blue"))
    await anna.presses(done)
    await anna.settles()
    gone = await anna.presses_data(question.id, question.rows[0][0].data)
    assert gone.text
    await rig.end()
