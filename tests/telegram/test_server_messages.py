"""Messages on the loopback server, as the customer and the bot see them: two copies, edits, deletions, keyboards,
limits."""

import pytest
from pyrogram import errors, raw
from pyrogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)


def inline(*labels):
    rows = [[InlineKeyboardButton(text=label, callback_data=label)] for label in labels]
    return InlineKeyboardMarkup(inline_keyboard=rows)


async def test_each_side_has_its_own_copy_with_its_own_ids(server, bot, bot_client, customer):
    anna, bob = await customer("Anna"), await customer("Bob")
    for text in ("one", "two"):
        await bob.says(text)
    first = await anna.says("hello")
    sent = await bot_client.send_message(chat_id=anna.id, text="<b>Hi</b> and <i>welcome</i>")
    seen = await anna.sees("Hi and welcome")
    assert first == 1
    assert [message.id for message in server.box(bot)] == [1, 2, 3, 4]
    assert (sent.id, seen.id) == (4, 2)
    assert seen.html == "<b>Hi</b> and <i>welcome</i>"
    assert not seen.mine
    assert [message.mine for message in anna.messages] == [True, False]


async def test_an_edit_changes_the_message_where_it_stands(bot_client, customer):
    anna = await customer("Anna")
    sent = await bot_client.send_message(chat_id=anna.id, text="Size?", reply_markup=inline("S", "L"))
    before = await anna.sees("Size?")
    await bot_client.edit_message_text(chat_id=anna.id, message_id=sent.id, text="Colour?", reply_markup=inline("Red"))
    after = await anna.sees("Colour?")
    assert (before.labels, after.labels) == (["S", "L"], ["Red"])
    assert after.id == before.id
    assert after.edited
    assert (len(anna.received), anna.edits_seen) == (1, 1)


async def test_an_edit_that_changes_nothing_is_refused_and_so_is_one_of_a_missing_message(bot_client, customer):
    anna = await customer("Anna")
    sent = await bot_client.send_message(chat_id=anna.id, text="<b>Size</b>?", reply_markup=inline("S"))
    with pytest.raises(errors.MessageNotModified):
        await bot_client.edit_message_text(
            chat_id=anna.id, message_id=sent.id, text="<b>Size</b>?", reply_markup=inline("S")
        )
    await bot_client.edit_message_text(
        chat_id=anna.id, message_id=sent.id, text="<i>Size</i>?", reply_markup=inline("S")
    )
    seen = await anna.sees("Size?")
    await anna.deletes(seen.id)
    with pytest.raises(errors.MessageIdInvalid):
        await bot_client.edit_message_text(chat_id=anna.id, message_id=sent.id, text="anew")


async def test_what_the_bot_deletes_is_gone_on_both_sides(server, bot, bot_client, customer):
    anna = await customer("Anna")
    sent = await bot_client.send_message(chat_id=anna.id, text="for a moment")
    await anna.sees("for a moment")
    await bot_client.delete_messages(chat_id=anna.id, message_ids=[sent.id])
    await anna.sees_gone("for a moment")
    assert anna.messages == []
    assert server.box(bot) == []


async def test_the_reply_keyboard_shares_contact_and_place_and_goes_away(bot_client, server, bot, customer):
    anna = await customer("Anna", phone="+4915100000001")
    keys = [
        [
            KeyboardButton(text="My number", request_contact=True),
            KeyboardButton(text="My place", request_location=True),
        ],
        [KeyboardButton(text="Later")],
    ]
    await bot_client.send_message(
        chat_id=anna.id, text="Share?", reply_markup=ReplyKeyboardMarkup(keyboard=keys, resize_keyboard=True)
    )
    await anna.taps("My number")
    await anna.taps("My place")
    await anna.taps("Later")
    assert [[key.text for key in row] for row in anna.keyboard] == [["My number", "My place"], ["Later"]]
    contact, place, text = server.box(bot)[-3:]
    assert (contact.media.phone_number, contact.media.user_id) == ("4915100000001", anna.id)
    assert round(place.media.geo.lat, 2) == 52.52
    assert text.message == "Later"
    await bot_client.send_message(chat_id=anna.id, text="Thanks", reply_markup=ReplyKeyboardRemove())
    await anna.sees("Thanks")
    assert anna.keyboard is None


async def test_a_one_time_keyboard_is_put_away_once_used_and_with_its_message(bot_client, customer):
    anna = await customer("Anna")
    once = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Yes")]], one_time_keyboard=True)
    sent = await bot_client.send_message(chat_id=anna.id, text="Sure?", reply_markup=once)
    await anna.taps("Yes")
    assert anna.keyboard is None
    sent = await bot_client.send_message(chat_id=anna.id, text="Really?", reply_markup=once)
    await anna.sees("Really?")
    assert anna.keyboard is not None
    await bot_client.delete_messages(chat_id=anna.id, message_ids=[sent.id])
    await anna.sees_gone("Really?")
    assert anna.keyboard is None


async def test_somebody_elses_contact_is_not_their_own(server, bot, customer):
    anna = await customer("Anna")
    bob = server.add_customer("Bob", phone="+4915100000009")
    await anna.shares_contact(phone="+4915100000009", name="Bob")
    await anna.shares_contact(phone="+1555", name="Nobody")
    assert [message.media.user_id for message in server.box(bot)] == [bob.id, 0]


async def test_one_random_id_is_one_message_for_ever(server, bot, bot_client, customer):
    anna, bob = await customer("Anna"), await customer("Bob")
    peer = await bot_client.resolve_peer(anna.id)
    for text in ("first", "first again"):
        await bot_client.invoke(raw.functions.messages.SendMessage(peer=peer, message=text, random_id=77))
    await server.stop()
    await server.start()
    await server.connected(bot)
    await server.connected(anna.account)
    await bot_client.invoke(raw.functions.messages.SendMessage(peer=peer, message="after a restart", random_id=77))
    await anna.refreshes()
    assert anna.texts == ["first"]
    other = await bot_client.resolve_peer(bob.id)
    await bot_client.invoke(raw.functions.messages.SendMessage(peer=other, message="to Bob", random_id=77))
    await bob.sees("to Bob")


async def test_limits_of_texts_and_buttons(bot_client, customer):
    anna = await customer("Anna")

    async def refused(text="text", rows=None):
        markup = InlineKeyboardMarkup(inline_keyboard=rows) if rows else None
        with pytest.raises(errors.BadRequest) as caught:
            await bot_client.send_message(chat_id=anna.id, text=text, reply_markup=markup)
        return caught.value.ID

    button = InlineKeyboardButton(text="x", callback_data="x")
    assert await refused("x" * 4097) == "MESSAGE_TOO_LONG"
    assert await refused(" \n ") == "MESSAGE_EMPTY"
    assert await refused(rows=[[InlineKeyboardButton(text="x", callback_data="ж" * 33)]]) == "BUTTON_DATA_INVALID"
    assert await refused(rows=[[InlineKeyboardButton(text="x", url="file:///etc")]]) == "BUTTON_URL_INVALID"
    assert await refused(rows=[[button] * 9]) == "REPLY_MARKUP_INVALID"
    assert await refused(rows=[[button]] * 101) == "REPLY_MARKUP_TOO_LONG"
    await bot_client.send_message(
        chat_id=anna.id, text="x" * 4096, reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button] * 8] * 12)
    )
    await anna.sees("xxx")


async def test_a_bot_writes_to_nobody_who_has_not_written_first(server, bot, bot_client, customer):
    anna = await customer("Anna", started=False)
    with pytest.raises(errors.PeerIdInvalid):
        await bot_client.send_message(chat_id=anna.id, text="Buy now")
    await anna.opens("promo_7")
    assert server.box(bot)[-1].message == "/start promo_7"
    await bot_client.send_message(chat_id=anna.id, text="Welcome")
    await anna.sees("Welcome")


async def test_a_blocked_bot_and_a_deleted_account(server, bot_client, customer):
    anna = await customer("Anna")
    await anna.blocks()
    with pytest.raises(errors.UserIsBlocked):
        await bot_client.send_message(chat_id=anna.id, text="Hello")
    await anna.unblocks()
    await bot_client.send_message(chat_id=anna.id, text="Hello")
    await anna.sees("Hello")
    server.deactivate(anna.account)
    with pytest.raises(errors.InputUserDeactivated):
        await bot_client.send_message(chat_id=anna.id, text="Hello?")


async def test_forwarding_replying_editing_history_and_reading(server, bot, bot_client, customer):
    anna = await customer("Anna")
    first = await anna.says("the original")
    await anna.forwards(first)
    forwarded = server.box(bot)[-1]
    assert (forwarded.message, forwarded.fwd_from.from_id.user_id) == ("the original", anna.id)
    await anna.edits(first, "corrected")
    assert server.box(bot)[0].message == "corrected"
    reply = await bot_client.send_message(chat_id=anna.id, text="an answer", reply_to_message_id=server.box(bot)[0].id)
    assert (await anna.sees("an answer")).reply_to == first
    assert reply.id == server.box(bot)[-1].id
    await anna.client.read_chat_history(chat_id=bot.id)
    anna._seen.clear()
    await anna.refreshes()
    assert [message.text for message in anna.messages] == ["corrected", "the original", "an answer"]
    with pytest.raises(errors.BotMethodInvalid):
        async for _ in bot_client.get_chat_history(chat_id=anna.id):
            pass


async def test_chat_actions_are_seen(bot_client, customer):
    from pyrogram.enums import ChatAction

    anna = await customer("Anna")
    await bot_client.send_chat_action(chat_id=anna.id, action=ChatAction.TYPING)
    await bot_client.send_chat_action(chat_id=anna.id, action=ChatAction.UPLOAD_PHOTO)
    await bot_client.send_message(chat_id=anna.id, text="done")
    await anna.sees("done")
    assert anna.actions == ["typing", "upload_photo"]


async def test_waiting_for_what_does_not_come_says_what_is_there(bot_client, customer):
    anna = await customer("Anna")
    await bot_client.send_message(chat_id=anna.id, text="Size?", reply_markup=inline("S"))
    await anna.sees("Size?")
    with pytest.raises(AssertionError, match=r"Anna waits 0.2 s: no 'Colour\?'; sees .*Size\?"):
        await anna.sees("Colour?", timeout=0.2)
    await anna.sees_none("Colour?", seconds=0.1)
    with pytest.raises(AssertionError, match="no button 'M'"):
        await anna.presses("M", timeout=0.2)
