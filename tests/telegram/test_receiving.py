"""Incoming updates over the loopback server: each one once, in order, whatever happens on the way."""

import asyncio
import logging
from pathlib import Path

import pytest
from pyrogram import raw

from engine.channels.telegram import receiving
from engine.channels.telegram.inbox import state_name
from tests.telegram.receiving_rig import Rig, chat_of, until
from tests.telegram.server import Account, TelegramServer

T = raw.types


def texts(*numbers: int) -> list[str]:
    return [f"m{number}" for number in numbers]


async def arrived(rig: Rig, account: Account, count: int) -> list[str]:
    await until(lambda: len(rig.desk.of(chat_of(account))) >= count)
    await rig.settled()
    return rig.desk.of(chat_of(account))


class TestLive:
    async def test_a_message_arrives_with_who_sent_it(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna", last_name="Bell", username="anna", language="de")
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, "/start promo")
            assert await arrived(rig, anna, 1) == ["/start promo"]
            (envelope,) = rig.desk.envelopes
            assert envelope.chat == f"telegram:{anna.id}"
            assert envelope.update == f"telegram:{bot.id}:{anna.id}:1"
            assert rig.mouth.heard_of == [envelope.chat]
            assert (envelope.name, envelope.username, envelope.language) == ("Anna Bell", "anna", "de")

    async def test_handled_updates_leave_the_inbox(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            for text in texts(1, 2, 3):
                server.post(anna, bot, text)
            await arrived(rig, anna, 3)
            await asyncio.sleep(0.4)
            assert not await rig.store.journal.unhandled()
            assert not await rig.store.journal.entries(chat_of(anna))
            kept = await rig.store.journal.value(state_name(bot.id))
            assert kept is not None
            assert f'"pts":{bot.pts}' in kept

    async def test_doubled_pushes_are_handled_once(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.duplicate_push(account=bot, times=None)
            for number in range(20):
                server.post(anna, bot, f"m{number}")
            assert await arrived(rig, anna, 20) == texts(*range(20))
            await asyncio.sleep(0.4)
            assert len(rig.desk.envelopes) == 20

    async def test_a_repeated_update_long_after_it_was_handled(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, "m1")
            await arrived(rig, anna, 1)
            await asyncio.sleep(0.4)
            await rig.receiver.received(T.Updates(updates=[bot.log[-1].update], users=[], chats=[], date=1, seq=0))
            await until(lambda: rig.desk.repeated)
            assert len(rig.desk.envelopes) == 1

    async def test_reordered_pushes_are_handled_in_order(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.reorder_pushes(7, account=bot)
            for number in range(7):
                server.post(anna, bot, f"m{number}")
            assert await arrived(rig, anna, 7) == texts(*range(7))
            assert not server.count("updates.GetDifference", bot)

    async def test_a_swallowed_push_is_fetched_soon(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.swallow_push(account=bot, times=2)
            for number in range(5):
                server.post(anna, bot, f"m{number}")
            assert await arrived(rig, anna, 5) == texts(*range(5))
            assert server.count("updates.GetDifference", bot) == 1

    async def test_a_push_that_nothing_follows_is_fetched_within_a_quarter_of_an_hour(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.faults.swallow_push(account=bot)
            server.post(anna, bot, "m1")
            await asyncio.sleep(0.8)
            assert not rig.desk.envelopes
            rig.clock.turn(901)  # type: ignore[attr-defined]
            assert await arrived(rig, anna, 1) == ["m1"]

    @pytest.mark.parametrize("pushes", ["short", "too_long"])
    async def test_other_ways_to_be_told(
        self, server: TelegramServer, bot: Account, tmp_path: Path, pushes: str
    ) -> None:
        anna = server.add_customer("Anna", username="anna")
        server.pushes = pushes
        async with Rig(server, bot, tmp_path) as rig:
            for number in range(5):
                server.post(anna, bot, f"m{number}")
            assert await arrived(rig, anna, 5) == texts(*range(5))
            assert rig.desk.envelopes[0].username == "anna"

    async def test_own_messages_are_no_gap(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            for number in range(10):
                server.post(anna, bot, f"m{number}")
                await arrived(rig, anna, number + 1)
                sent = await rig.line.client.send_message(chat_id=anna.id, text=f"answer {number}")
                if number % 3 == 0:
                    await rig.line.client.delete_messages(chat_id=anna.id, message_ids=sent.id)
                if number % 3 == 1:
                    await rig.line.client.edit_message_text(chat_id=anna.id, message_id=sent.id, text=f"other {number}")
            assert len(rig.desk.envelopes) == 10
            assert not server.count("updates.GetDifference", bot)

    async def test_edited_messages_are_ignored(
        self, server: TelegramServer, bot: Account, tmp_path: Path, customer
    ) -> None:
        async with Rig(server, bot, tmp_path) as rig:
            anna = await customer("Anna")
            number = await anna.says("first")
            await until(lambda: rig.desk.envelopes)
            await anna.edits(number, "second")
            await anna.says("third")
            await until(lambda: len(rig.desk.envelopes) == 2)
            assert rig.desk.of(anna.chat) == ["first", "third"]

    async def test_groups_are_ignored_with_one_line_in_the_log(
        self, server: TelegramServer, bot: Account, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, logger="stepgram.telegram")
        async with Rig(server, bot, tmp_path) as rig:
            for number in range(3):
                bot.pts += 1
                message = T.Message(id=900 + number, peer_id=T.PeerChat(chat_id=5), date=1, message="hello group")
                update = T.UpdateNewMessage(message=message, pts=bot.pts, pts_count=1)
                await rig.receiver.received(T.Updates(updates=[update], users=[], chats=[], date=1, seq=0))
            anna = server.add_customer("Anna")
            server.post(anna, bot, "m1")
            await arrived(rig, anna, 1)
            assert len(rig.desk.envelopes) == 1
            assert caplog.text.count("group 5") == 1

    async def test_strange_objects_do_not_harm(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        async with Rig(server, bot, tmp_path) as rig:
            for strange in (None, 3, "x", T.UpdatesTooLong(), T.Updates(updates=[], users=[], chats=[], date=1, seq=0)):
                await rig.receiver.received(strange)
                rig.receiver.noted(strange)
            anna = server.add_customer("Anna")
            server.post(anna, bot, "m1")
            assert await arrived(rig, anna, 1) == ["m1"]


class TestOrder:
    async def test_two_hundred_customers_at_once(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        people = [server.add_customer(f"C{number}") for number in range(200)]
        async with Rig(server, bot, tmp_path) as rig:
            for number in range(5):
                for account in people:
                    server.post(account, bot, f"m{number}")
            await until(lambda: len(rig.desk.envelopes) >= 1000)
            await rig.settled()
            assert all(rig.desk.of(chat_of(account)) == texts(*range(5)) for account in people)
            assert len(rig.desk.envelopes) == 1000

    async def test_a_slow_chat_delays_no_other(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna, ben = server.add_customer("Anna"), server.add_customer("Ben")
        async with Rig(server, bot, tmp_path) as rig:
            gate = rig.desk.gates[chat_of(anna)] = asyncio.Event()
            for number in range(3):
                server.post(anna, bot, f"m{number}")
                server.post(ben, bot, f"m{number}")
            await until(lambda: len(rig.desk.of(chat_of(ben))) == 3)
            assert rig.desk.of(chat_of(anna)) == []
            assert len([key for key in rig.desk.begun if f":{anna.id}:" in key]) == 1
            gate.set()
            assert await arrived(rig, anna, 3) == texts(0, 1, 2)


class TestDown:
    async def test_messages_of_the_time_before_the_first_start_are_left_alone(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        server.post(anna, bot, "m0")
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, "m1")
            assert await arrived(rig, anna, 1) == ["m1"]

    async def test_messages_while_the_bot_is_down_come_in_order(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        people = [server.add_customer(f"C{number}") for number in range(5)]
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        server.difference_slice = 7
        for number in range(10):
            for account in people:
                server.post(account, bot, f"m{number}")
        async with rig:
            await until(lambda: len(rig.desk.envelopes) >= 50)
            await rig.settled()
            assert all(rig.desk.of(chat_of(account)) == texts(*range(10)) for account in people)
            assert server.count("updates.GetDifference", bot) >= 8

    async def test_fetching_waits_for_handling_when_there_is_very_much(
        self, server: TelegramServer, bot: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receiving, "MANY", 5)
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        server.difference_slice = 10
        for number in range(40):
            server.post(anna, bot, f"m{number}")
        gate = rig.desk.gates[chat_of(anna)] = asyncio.Event()
        await rig.begin(online=False)
        starting = asyncio.create_task(rig.line.start(rig.receiver.received))
        await until(lambda: rig.receiver.waiting >= 10)
        await asyncio.sleep(0.5)
        assert rig.receiver.waiting == 10
        gate.set()
        await starting
        assert await arrived(rig, anna, 40) == texts(*range(40))
        await rig.end()

    async def test_a_clean_restart_repeats_nothing(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            server.post(anna, bot, "m1")
            await arrived(rig, anna, 1)
        async with rig:
            server.post(anna, bot, "m2")
            assert await arrived(rig, anna, 2) == texts(1, 2)
            assert not rig.desk.repeated

    async def test_too_long_goes_on_with_what_there_is(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        for number in range(10):
            server.post(anna, bot, f"m{number}")
        server.faults.difference_too_long(keep=3)
        await rig.begin()
        server.post(anna, bot, "m10")
        assert await arrived(rig, anna, 4) == texts(7, 8, 9, 10)
        await rig.end()

    async def test_a_dropped_line_loses_nothing(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, "m0")
            await server.drop_lines(bot)
            for number in range(1, 4):
                server.post(anna, bot, f"m{number}")
            assert await arrived(rig, anna, 4) == texts(*range(4))

    async def test_an_unreachable_server_loses_nothing(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            async with server.unreachable():
                server.post(anna, bot, "m0")
                await asyncio.sleep(1)
            assert await arrived(rig, anna, 1) == ["m0"]

    async def test_a_failing_difference_is_asked_for_again(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        server.post(anna, bot, "m0")
        server.faults.fail("updates.GetDifference", 400, "PEER_ID_INVALID", times=2)
        await rig.begin()
        server.post(anna, bot, "m1")
        await asyncio.sleep(0.3)
        assert not rig.desk.envelopes
        assert await arrived(rig, anna, 2) == texts(0, 1)
        await rig.end()

    async def test_a_flood_wait_on_the_difference_is_waited_for(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            pass
        server.post(anna, bot, "m0")
        server.faults.flood("updates.GetDifference", 1)
        async with rig:
            assert await arrived(rig, anna, 1) == ["m0"]

    async def test_marks_from_the_future_do_not_make_it_deaf(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            await rig.store.journal.set_value(state_name(bot.id), '{"pts":100000,"qts":0,"date":1}')
            rig.receiver._inbox._marks = None
            await rig.crash()
            await rig.begin()
            server.post(anna, bot, "m0")
            assert await arrived(rig, anna, 1) == ["m0"]


class TestCrash:
    async def test_killed_before_it_was_handled(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            rig.desk.gates[chat_of(anna)] = asyncio.Event()
            for number in range(4):
                server.post(anna, bot, f"m{number}")
            await until(lambda: rig.desk.begun)
            await asyncio.sleep(0.5)
            assert len(await rig.store.journal.unhandled("telegram:")) == 4
            await rig.crash()
            server.post(anna, bot, "m4")
            rig.desk.gates.clear()
            await rig.begin()
            assert await arrived(rig, anna, 5) == texts(*range(5))

    async def test_killed_after_handling_before_it_was_written_down(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            server.post(anna, bot, "m0")
            await until(lambda: rig.desk.envelopes)
            await rig.crash()
            await rig.begin()
            server.post(anna, bot, "m1")
            assert await arrived(rig, anna, 2) == texts(0, 1)
            await until(lambda: rig.desk.repeated)

    async def test_killed_before_anything_was_committed(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:

            async def stuck(entries: object) -> object:
                raise OSError("the disk is full")

            rig.store.journal.append_all = stuck  # type: ignore[method-assign, assignment]
            server.post(anna, bot, "m0")
            await asyncio.sleep(0.3)
            assert not rig.desk.envelopes
            await rig.crash()
            await rig.begin()
            assert await arrived(rig, anna, 1) == ["m0"]

    async def test_a_full_disk_delays_and_loses_nothing(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            real, tries = rig.store.journal.append_all, []

            async def stuck(entries):  # type: ignore[no-untyped-def]
                tries.append(1)
                if len(tries) < 3:
                    raise OSError("the disk is full")
                return await real(entries)

            rig.store.journal.append_all = stuck  # type: ignore[method-assign]
            for number in range(3):
                server.post(anna, bot, f"m{number}")
            assert await arrived(rig, anna, 3) == texts(*range(3))

    async def test_an_update_that_breaks_the_engine_waits_for_the_next_start(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            rig.desk.fails = 1
            server.post(anna, bot, "m0")
            server.post(anna, bot, "m1")
            assert await arrived(rig, anna, 1) == ["m1"]
        async with rig:
            assert await arrived(rig, anna, 2) == ["m1", "m0"]

    async def test_damaged_entries_are_left_out(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        async with Rig(server, bot, tmp_path) as rig:
            rig.desk.gates[chat_of(anna)] = asyncio.Event()
            server.post(anna, bot, "m0")
            server.post(anna, bot, "m1")
            await until(lambda: rig.desk.begun)
            await asyncio.sleep(0.3)
            first, _ = await rig.store.journal.unhandled("telegram:")
            await rig.store.journal.amend(first.id, b"\xff{")
            await rig.crash()
            rig.desk.gates.clear()
            await rig.begin()
            assert await arrived(rig, anna, 1) == ["m1"]
            await asyncio.sleep(0.4)
            assert not await rig.store.journal.unhandled("telegram:")

    async def test_stopping_finishes_what_is_at_hand_and_leaves_the_rest(
        self, server: TelegramServer, bot: Account, tmp_path: Path
    ) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        async with rig:
            gate = rig.desk.gates[chat_of(anna)] = asyncio.Event()
            for number in range(3):
                server.post(anna, bot, f"m{number}")
            await until(lambda: rig.desk.begun)
            asyncio.get_running_loop().call_later(0.2, gate.set)
        assert rig.desk.of(chat_of(anna)) == ["m0"]
        async with rig:
            assert await arrived(rig, anna, 3) == texts(*range(3))
            assert not rig.desk.repeated

    async def test_stopping_does_not_wait_for_ever(self, server: TelegramServer, bot: Account, tmp_path: Path) -> None:
        anna = server.add_customer("Anna")
        rig = Rig(server, bot, tmp_path)
        await rig.begin()
        rig.desk.gates[chat_of(anna)] = asyncio.Event()
        server.post(anna, bot, "m0")
        await until(lambda: rig.desk.begun)
        async with asyncio.timeout(3):
            await rig.receiver.stop(0.2)
        await rig.end()
        assert not rig.desk.envelopes
