"""Logging in to the loopback server: key exchange, token, phone code, ready session; logging out; keys it does not
know."""

import sys

import pytest
from pyrogram import Client, errors

from tests.telegram.server import API_HASH, API_ID


def a_client(folder, name="new", **how):
    return Client(name, api_id=API_ID, api_hash=API_HASH, workdir=str(folder), **how)


async def test_a_bot_logs_in_with_its_token_and_comes_back_with_its_session_file(server, bot, tmp_path):
    client = a_client(tmp_path, bot_token=bot.token)
    await client.start()
    me = await client.get_me()
    assert (me.id, me.username, me.is_bot) == (bot.id, "print_bot", True)
    await client.stop()

    again = a_client(tmp_path)
    await again.start()
    assert (await again.get_me()).id == bot.id
    await again.stop()
    assert server.count("auth.ImportBotAuthorization") == 1


async def test_a_wrong_token_is_refused(server, tmp_path):
    client = a_client(tmp_path, bot_token="1:wrong")
    with pytest.raises(errors.AccessTokenInvalid):
        await client.start()


async def test_a_customer_logs_in_with_the_code_of_their_phone(server, bot, tmp_path):
    anna = server.add_customer("Anna", phone="+49151000111", language="de")
    client = a_client(tmp_path)
    await client.connect()
    sent = await client.send_code("+49151000111")
    with pytest.raises(errors.PhoneCodeInvalid):
        await client.sign_in("+49151000111", sent.phone_code_hash, "99999")
    signed = await client.sign_in("+49151000111", sent.phone_code_hash, server.code)
    assert (signed.id, signed.first_name) == (anna.id, "Anna")
    await client.disconnect()


async def test_an_unknown_phone_is_refused(server, tmp_path):
    client = a_client(tmp_path)
    await client.connect()
    with pytest.raises(errors.RPCError, match="PHONE_NUMBER_INVALID"):
        await client.send_code("+100000")
    await client.disconnect()


async def test_logged_out_from_afar_every_call_is_refused(server, bot, bot_client):
    server.log_out(bot)
    with pytest.raises(errors.AuthKeyUnregistered):
        await bot_client.get_users(user_ids=bot.id)


async def test_a_client_logs_itself_out(server, bot, tmp_path):
    client = a_client(tmp_path, bot_token=bot.token)
    await client.start()
    await client.log_out()
    assert server.count("auth.LogOut", bot) == 1
    assert all(key.account is None for key in server.keys.values())


async def test_nothing_but_log_in_works_before_it(server, tmp_path):
    client = a_client(tmp_path)
    await client.connect()
    with pytest.raises(errors.AuthKeyUnregistered):
        await client.get_me()
    await client.disconnect()


async def test_a_child_process_is_led_here_too(server, bot, customer, child_environment, tmp_path):
    """Without importing anything of the tests, with the library's ordinary start."""
    anna = await customer("Anna")
    login = f"api_id={API_ID}, api_hash={API_HASH!r}, bot_token={bot.token!r}, in_memory=True"
    program = (
        "import asyncio, sys\n"
        "assert 'pyrogram' not in sys.modules\n"
        "async def main():\n"
        "    from pyrogram import Client\n"
        f"    async with Client('child', {login}) as it:\n"
        f"        await it.send_message(chat_id={anna.id}, text='from a child')\n"
        "asyncio.get_event_loop_policy().get_event_loop().run_until_complete(main())\n"
    )
    import asyncio
    import os

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env={**os.environ, **child_environment}, cwd=tmp_path
    )
    await anna.sees("from a child")
    assert await asyncio.wait_for(child.wait(), 30) == 0
