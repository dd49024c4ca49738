"""The commands menu on the loopback server: by scope and language, the nearest one shown."""

import pytest
from pyrogram import errors
from pyrogram.types import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat, BotCommandScopeDefault


def commands(*names):
    return [BotCommand(command=name, description=name.title()) for name in names]


async def test_the_nearest_scope_and_language_is_shown(server, bot, bot_client, customer):
    anna = await customer("Anna", language="de")
    boss = await customer("Boss", language="de")
    await bot_client.set_bot_commands(commands=commands("start", "help"), scope=BotCommandScopeDefault())
    assert server.menu(bot, anna.account) == [("start", "Start"), ("help", "Help")]
    await bot_client.set_bot_commands(
        commands=commands("hilfe"), scope=BotCommandScopeAllPrivateChats(), language_code="de"
    )
    await bot_client.set_bot_commands(commands=commands("admin"), scope=BotCommandScopeChat(chat_id=boss.id))
    assert server.menu(bot, anna.account) == [("hilfe", "Hilfe")]
    assert server.menu(bot, anna.account, "ru") == [("start", "Start"), ("help", "Help")]
    assert server.menu(bot, boss.account) == [("admin", "Admin")]
    assert server.commands(bot, "users", "de") == [("hilfe", "Hilfe")]
    assert server.commands(bot, f"peer:{boss.id}") == [("admin", "Admin")]
    got = await bot_client.get_bot_commands(scope=BotCommandScopeChat(chat_id=boss.id))
    assert [each.command for each in got] == ["admin"]
    await bot_client.delete_bot_commands(scope=BotCommandScopeChat(chat_id=boss.id))
    assert server.menu(bot, boss.account) == [("hilfe", "Hilfe")]


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ([BotCommand(command="Start", description="x")], "BOT_COMMAND_INVALID"),
        ([BotCommand(command="a" * 33, description="x")], "BOT_COMMAND_INVALID"),
        ([BotCommand(command="a", description="x" * 257)], "BOT_COMMAND_DESCRIPTION_INVALID"),
        (commands(*[f"a{number}" for number in range(101)]), "BOT_COMMANDS_TOO_MUCH"),
    ],
)
async def test_what_a_menu_cannot_be(bot_client, given, refused):
    with pytest.raises(errors.BadRequest, match=refused):
        await bot_client.set_bot_commands(commands=given)
