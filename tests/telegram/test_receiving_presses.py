"""Presses over the loopback server: each is answered in time, handled once, old ones stay usable."""

import asyncio
import time
from pathlib import Path
from typing import Any

from pyrogram import raw, types

from tests.telegram.receiving_rig import Rig, until
from tests.telegram.server import Account, TelegramServer

T = raw.types


async def offered(rig: Rig, anna: Any, data: str = "abc.1.1.t:go") -> Any:
    """A message with one button, as the customer sees it."""
    button = types.InlineKeyboardButton(text="Go", callback_data=data)
    await rig.line.client.send_message(
        chat_id=anna.id, text="Shall we?", reply_markup=types.InlineKeyboardMarkup([[button]])
    )
    return await anna.sees("Shall we?")


async def test_a_press_is_handled_and_answered(server: TelegramServer, bot: Account, tmp_path: Path, customer) -> None:
    async with Rig(server, bot, tmp_path) as rig:
        anna = await customer("Anna")
        await offered(rig, anna)
        begun = time.monotonic()
        answer = await anna.presses("Go")
        assert time.monotonic() - begun < 3
        assert not answer.text
        assert rig.desk.of(anna.chat) == ["[abc.1.1.t:go]"]
        (envelope,) = rig.desk.envelopes
        assert envelope.update is not None
        assert envelope.update.startswith(f"telegram:{bot.id}:cb:")
        assert envelope.name == "Anna"
        await asyncio.sleep(0.5)
        assert len(rig.mouth.acknowledged) == 1


async def test_a_press_is_answered_within_a_second_however_long_the_work_takes(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    async with Rig(server, bot, tmp_path) as rig:
        anna = await customer("Anna")
        await offered(rig, anna)
        gate = rig.desk.gates[anna.chat] = asyncio.Event()
        begun = time.monotonic()
        await anna.presses("Go")
        assert time.monotonic() - begun < 3
        assert not rig.desk.envelopes
        gate.set()
        await until(lambda: rig.desk.envelopes)


async def test_double_taps_are_two_presses_in_order(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    async with Rig(server, bot, tmp_path) as rig:
        anna = await customer("Anna")
        await offered(rig, anna)
        await asyncio.gather(*(anna.presses("Go") for _ in range(5)))
        assert rig.desk.of(anna.chat) == ["[abc.1.1.t:go]"] * 5
        assert len({envelope.update for envelope in rig.desk.envelopes}) == 5


async def test_a_doubled_push_of_a_press_is_handled_once(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    async with Rig(server, bot, tmp_path) as rig:
        anna = await customer("Anna")
        await offered(rig, anna)
        server.faults.duplicate_push(account=bot, times=1)
        await anna.presses("Go")
        await asyncio.sleep(0.5)
        assert len(rig.desk.envelopes) == 1


async def test_a_press_while_down_can_be_repeated_after_the_start(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    server.callback_timeout = 0.5
    rig = Rig(server, bot, tmp_path)
    async with rig:
        anna = await customer("Anna")
        await offered(rig, anna)
    failed = False
    try:
        await anna.presses("Go")
    except Exception:
        failed = True
    assert failed
    server.callback_timeout = 15
    async with rig:
        await anna.presses("Go")
        assert rig.desk.of(anna.chat) == ["[abc.1.1.t:go]"]


async def test_a_press_that_was_kept_before_a_crash_is_handled_after_it(
    server: TelegramServer, bot: Account, tmp_path: Path, customer
) -> None:
    async with Rig(server, bot, tmp_path) as rig:
        anna = await customer("Anna")
        await offered(rig, anna)
        rig.desk.gates[anna.chat] = asyncio.Event()
        pressing = asyncio.create_task(anna.presses("Go"))
        await until(lambda: rig.desk.begun)
        await asyncio.sleep(0.3)
        await rig.crash()
        rig.desk.gates.clear()
        await rig.begin()
        await until(lambda: rig.desk.envelopes)
        assert rig.desk.of(anna.chat) == ["[abc.1.1.t:go]"]
        await asyncio.wait_for(pressing, 40)  # it was still spinning: the new process answers it
        await until(lambda: rig.mouth.acknowledged)


async def test_forged_data_goes_to_the_engine_as_it_is(server: TelegramServer, bot: Account, tmp_path: Path) -> None:
    anna = server.add_customer("Anna")
    async with Rig(server, bot, tmp_path) as rig:
        update = T.UpdateBotCallbackQuery(
            query_id=77, user_id=anna.id, peer=T.PeerUser(user_id=anna.id), msg_id=1, chat_instance=1, data=b"\xff\x00"
        )
        await rig.receiver.received(T.UpdateShort(update=update, date=1))
        await until(lambda: rig.desk.envelopes)
        assert rig.desk.envelopes[0].update == f"telegram:{bot.id}:cb:77"


async def test_a_press_in_a_group_only_stops_spinning(server: TelegramServer, bot: Account, tmp_path: Path) -> None:
    anna = server.add_customer("Anna")
    async with Rig(server, bot, tmp_path) as rig:
        update = T.UpdateBotCallbackQuery(
            query_id=78, user_id=anna.id, peer=T.PeerChat(chat_id=5), msg_id=1, chat_instance=1, data=b"x"
        )
        await rig.receiver.received(T.UpdateShort(update=update, date=1))
        await until(lambda: rig.mouth.acknowledged)
        assert rig.mouth.acknowledged == [78]
        assert not rig.desk.envelopes
