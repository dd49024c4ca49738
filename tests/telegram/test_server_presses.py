"""Presses on the loopback server: answered, alerted, too late, forged, twice, while the bot is away."""

import asyncio

import pytest
from pyrogram import errors
from pyrogram.types import InlineKeyboardButton, InlineKeyboardMarkup


@pytest.fixture
def pressed(bot_client):
    """The queries the bare bot got, in order."""
    queries = asyncio.Queue()

    @bot_client.on_callback_query()
    async def keep(_client, query):
        await queries.put(query)

    return queries


async def ask(bot_client, anna, data="size:s"):
    button = InlineKeyboardButton(text="Small", callback_data=data)
    await bot_client.send_message(
        chat_id=anna.id, text="Size?", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]])
    )
    return await anna.sees("Size?")


async def test_a_press_waits_for_the_bots_answer(bot_client, customer, pressed):
    anna = await customer("Anna")
    seen = await ask(bot_client, anna)
    press = asyncio.create_task(anna.presses("Small"))
    query = await pressed.get()
    assert (query.data, query.from_user.id, query.message.text) == ("size:s", anna.id, "Size?")
    assert not press.done()
    await bot_client.answer_callback_query(callback_query_id=query.id, text="Small it is", show_alert=True)
    answer = await press
    assert (answer.text, answer.alert) == ("Small it is", True)
    assert seen.rows[0][0].data == "size:s"


async def test_an_unanswered_press_fails_and_a_late_answer_is_refused(server, bot_client, customer, pressed):
    server.callback_timeout = 0.3
    anna = await customer("Anna")
    await ask(bot_client, anna)
    with pytest.raises(errors.BotResponseTimeout):
        await anna.presses("Small")
    query = await pressed.get()
    with pytest.raises(errors.QueryIdInvalid):
        await bot_client.answer_callback_query(callback_query_id=query.id)


async def test_an_answer_counts_once(bot_client, customer, pressed):
    anna = await customer("Anna")
    await ask(bot_client, anna)
    press = asyncio.create_task(anna.presses("Small"))
    query = await pressed.get()
    await bot_client.answer_callback_query(callback_query_id=query.id)
    with pytest.raises(errors.QueryIdInvalid):
        await bot_client.answer_callback_query(callback_query_id=query.id)
    assert (await press).text == ""


async def test_a_double_tap_is_two_queries_and_forged_data_comes_through(bot_client, customer, pressed):
    anna = await customer("Anna")
    seen = await ask(bot_client, anna)
    presses = [
        asyncio.create_task(anna.presses_data(seen.id, data))
        for data in ("size:s", "size:s", "drop table", b"\xff\xfe")
    ]
    queries = [await asyncio.wait_for(pressed.get(), 5) for _ in presses]
    assert len({query.id for query in queries}) == 4
    assert {query.data for query in queries} >= {"size:s", "drop table"}
    for query in queries:
        await bot_client.answer_callback_query(callback_query_id=query.id)
    await asyncio.gather(*presses)


async def test_a_message_that_is_gone_cannot_be_pressed(bot_client, customer):
    anna = await customer("Anna")
    seen = await ask(bot_client, anna)
    await anna.deletes(seen.id)
    with pytest.raises(errors.MessageIdInvalid):
        await anna.presses_data(seen.id, "size:s")


async def test_a_press_while_the_bot_is_away_is_lost(server, bot, bot_client, customer, pressed):
    server.callback_timeout = 0.3
    anna = await customer("Anna")
    await ask(bot_client, anna)
    await bot_client.stop()
    with pytest.raises(errors.BotResponseTimeout):
        await anna.presses("Small")
    await bot_client.start()
    assert pressed.empty()
    assert server.box(bot)[-1].out
