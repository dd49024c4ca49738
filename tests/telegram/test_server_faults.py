"""The faults of the loopback server, as the bare library meets them."""

import asyncio
import time

import pytest
from pyrogram import errors, raw

from tests.telegram.server.faults import Call, Faults
from tests.telegram.server.refusal import Refusal


async def send(client, account, text, random_id, **how):
    peer = await client.resolve_peer(account.id)
    return await client.invoke(raw.functions.messages.SendMessage(peer=peer, message=text, random_id=random_id), **how)


async def test_a_long_flood_wait_reaches_the_bot_and_only_for_that_chat(server, bot, bot_client, customer):
    anna, bob = await customer("Anna"), await customer("Bob")
    fault = server.faults.flood("messages.Send*", 30, account=bot, peer=anna.account)
    await bot_client.send_message(chat_id=bob.id, text="for Bob")
    with pytest.raises(errors.FloodWait) as caught:
        await bot_client.send_message(chat_id=anna.id, text="for Anna")
    assert (caught.value.value, fault.hits) == (30, 1)
    await bot_client.send_message(chat_id=anna.id, text="for Anna")
    await anna.sees_count("for Anna", 1)
    await bob.sees_count("for Bob", 1)


async def test_a_fault_skips_calls_and_counts_and_ends(server, bot_client, customer):
    anna = await customer("Anna")
    fault = server.faults.fail("messages.SendMessage", 400, "CHAT_WRITE_FORBIDDEN", skip=1, times=2, account=None)
    results = []
    for number in range(4):
        try:
            await bot_client.send_message(chat_id=anna.id, text=str(number))
            results.append(True)
        except errors.RPCError:
            results.append(False)
    assert (results, fault.hits) == ([True, False, False, True], 2)


async def test_a_lost_answer_after_the_effect_is_asked_again_and_is_one_message(server, bot_client, customer):
    anna = await customer("Anna")
    fault = server.faults.lose_answer("messages.SendMessage")
    await send(bot_client, anna, "once", 5, timeout=0.5)
    assert fault.hits == 1
    assert server.count("messages.SendMessage") == 2
    await anna.sees_count("once", 1)


async def test_an_error_after_the_effect_is_one_message_too(server, bot_client, customer):
    anna = await customer("Anna")
    server.faults.fail("messages.SendMessage", 500, "INTERNAL", after=True)
    await bot_client.send_message(chat_id=anna.id, text="once")
    await anna.sees_count("once", 1)
    assert server.count("messages.SendMessage") == 2


async def test_a_dropped_line_comes_back_and_the_call_is_made_again(server, bot, bot_client, customer):
    anna = await customer("Anna")
    server.faults.drop_line("messages.SendMessage", after=True)
    await send(bot_client, anna, "once", 6, timeout=1)
    await anna.sees_count("once", 1)
    await server.drop_lines(bot)
    await server.connected(bot)
    await send(bot_client, anna, "and again", 7, timeout=1)
    await anna.sees("and again")


async def test_slow_answers_come_after_the_effect_and_late_ones_before_it(server, bot_client, customer):
    anna = await customer("Anna")
    server.faults.slow("messages.SendMessage", 0.5)
    sending = asyncio.create_task(bot_client.send_message(chat_id=anna.id, text="slow"))
    await anna.sees("slow", timeout=0.4)
    assert not sending.done()
    await sending
    server.faults.late("messages.SendMessage", 0.5)
    sending = asyncio.create_task(bot_client.send_message(chat_id=anna.id, text="late"))
    await anna.sees_none("late", seconds=0.2)
    await sending
    await anna.sees("late")


async def test_a_restart_on_the_same_port_keeps_everything(server, bot, bot_client, customer):
    anna = await customer("Anna")
    await anna.says("before")
    port, pts = server.port, bot.pts
    async with server.unreachable():
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)
        server.post(bot, anna.account, "written on the server meanwhile")
    assert server.port == port
    await server.connected(bot)
    await server.connected(anna.account)
    await anna.says("after")
    await anna.sees("meanwhile")
    assert [message.message for message in server.box(bot)][::2] == ["before", "after"]
    assert bot.pts == pts + 2


async def test_a_silent_server_answers_nothing_until_it_does_again(server, bot, bot_client, customer):
    anna = await customer("Anna")
    with server.silent():
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await bot_client.invoke(raw.functions.updates.GetState(), retries=1, timeout=0.3)
        server.post(bot, anna.account, "unheard")
        assert 0.25 < time.monotonic() - started < 5
    await bot_client.invoke(raw.functions.updates.GetState())
    assert anna.texts == []
    await anna.refreshes()
    assert anna.texts == ["unheard"]


async def test_the_customer_finds_a_message_whose_push_was_lost(server, bot_client, customer):
    anna = await customer("Anna")
    server.faults.swallow_push(account=anna.account)
    await bot_client.send_message(chat_id=anna.id, text="not pushed")
    assert anna.texts == []
    await anna.sees("not pushed", timeout=40)


def test_the_pace_is_counted_over_all_and_by_chat():
    faults = Faults()
    faults.pace(overall=4, per_chat=2)

    def sent(peer):
        call = Call(None, "messages.SendMessage", None, peer)
        try:
            for fault in faults.meeting(call):
                fault.before(call)
        except Refusal as refusal:
            return refusal.text
        return "sent"

    assert [sent(1), sent(1), sent(1), sent(2), sent(2), sent(3)] == [
        "sent",
        "sent",
        "FLOOD_WAIT_1",
        "sent",
        "sent",
        "FLOOD_WAIT_1",
    ]


async def test_two_hundred_customers_talk_at_once(bot_client, direct):
    """Customers without clients: the server and one bare bot keep every chat apart and in order."""

    @bot_client.on_message()
    async def echo(client, message):
        await client.send_message(chat_id=message.chat.id, text="re " + message.text)

    async def talk(person):
        for number in range(3):
            await person.says(f"{number} from {person.id}")
            await person.sees(f"re {number} from {person.id}", timeout=60)
        return [seen.text for seen in person.messages]

    people = [direct(f"C{number}") for number in range(200)]
    for person, texts in zip(people, await asyncio.gather(*map(talk, people)), strict=True):
        said = [f"{number} from {person.id}" for number in range(3)]
        assert texts == [text for each in said for text in (each, "re " + each)]
