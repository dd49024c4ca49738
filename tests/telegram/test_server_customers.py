"""The two kinds of customers: with a client and without one, they see and do the same."""

import asyncio

import pytest
from pyrogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from tests.telegram.server import Refusal


@pytest.fixture
def shop(bot_client):
    """A bare bot that knows a few things."""

    @bot_client.on_message()
    async def reply(client, message):
        if message.contact:
            own = message.contact.user_id == message.from_user.id
            await client.send_message(chat_id=message.chat.id, text=f"contact own={own}")
        elif message.document:
            name, size = message.document.file_name, message.document.file_size
            await client.send_message(chat_id=message.chat.id, text=f"{name} {size}")
        elif message.location:
            await client.send_message(chat_id=message.chat.id, text=f"at {message.location.latitude:.1f}")
        else:
            button = InlineKeyboardButton(text="✅ Yes", callback_data="yes")
            page = InlineKeyboardButton(text="Site", url="https://example.org/")
            await client.send_message(
                chat_id=message.chat.id,
                text=f"{message.text}?",
                reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button], [page]]),
            )

    @bot_client.on_callback_query()
    async def pressed(client, query):
        await client.edit_message_text(
            chat_id=query.from_user.id, message_id=query.message.id, text=f"chosen {query.data}"
        )
        await client.answer_callback_query(callback_query_id=query.id, text="noted")


@pytest.fixture(params=["with a client", "without one"])
async def anna(request, customer, direct):
    return await customer("Anna") if request.param == "with a client" else direct("Anna")


async def test_a_whole_little_order(shop, anna):
    await anna.opens("promo")
    seen = await anna.sees("/start promo?")
    assert seen.labels == ["✅ Yes", "Site"]
    assert [row[0].url for row in seen.rows] == [None, "https://example.org/"]
    assert (await anna.presses("Yes")).text == "noted"
    chosen = await anna.sees("chosen yes")
    assert (chosen.id, chosen.edited, chosen.labels) == (seen.id, True, [])
    await anna.presses_data(seen.id, "no")
    await anna.sees("chosen no")
    await anna.sends_file(b"solid" * 10, name="a.stl")
    await anna.sees("a.stl 50")
    await anna.shares_contact()
    await anna.sees("contact own=True")
    await anna.shares_contact(phone="+1999", name="Bob")
    await anna.sees("contact own=False")
    await anna.shares_location(52.5, 13.4)
    await anna.sees("at 52.5")
    assert anna.texts == ["chosen no", "a.stl 50", "contact own=True", "contact own=False", "at 52.5"]
    with pytest.raises(AssertionError, match="Anna waits"):
        await anna.sees("never", timeout=0.1)


async def test_pressing_until_the_bot_is_back(server, bot_client, shop, direct):
    server.callback_timeout = 0.2
    anna = direct("Anna")
    await anna.says("red")
    await anna.sees("red?")
    fault = server.faults.swallow_push(account=anna.bot, times=2)
    with pytest.raises(Refusal, match="BOT_RESPONSE_TIMEOUT"):
        await anna.presses("Yes")
    assert (await anna.keeps_pressing("Yes")).text == "noted"
    assert fault.hits == 2


async def test_customers_do_not_see_each_other(shop, customer, direct):
    people = [await customer("Anna"), direct("Bob"), await customer("Cleo")]
    await asyncio.gather(*(person.says(f"from {person.account.first_name}") for person in people))
    for person in people:
        await person.sees(f"from {person.account.first_name}?")
        assert len(person.messages) == 2
