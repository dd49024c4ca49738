"""A bare bot on the client library as anybody would write it: a press is answered, then a question is sent. It keeps
nothing. The product is measured beside it.
"""

from pyrogram import Client, filters, handlers, types

from tests.telegram.server import API_HASH, API_ID, Account

LABELS = ("Go on", "Enough")
WORKERS = 64
"""Presses handled at once. The library's own default is a handful, with which many customers at once wait longer."""


class _TwoCalls(Client):
    """The library fetches the message of a press when it does not know it yet, which depends on chance: this bot has no
    use for it and goes without, so that each turn is the same two calls."""

    async def get_messages(self, *_: object, **__: object) -> None:
        return None


def echo_bot(account: Account) -> Client:
    """Not started yet. `/turn` asks a question; each press of it is answered and asks the next one."""
    client = _TwoCalls(
        "echo-bot",
        api_id=API_ID,
        api_hash=API_HASH,
        session_string=account.session_string(API_ID),
        in_memory=True,
        workers=WORKERS,
    )

    async def begun(_: Client, message: types.Message) -> None:
        await client.send_message(chat_id=message.chat.id, text=_text(0), reply_markup=_keyboard(0))

    async def pressed(_: Client, query: types.CallbackQuery) -> None:
        number = int(str(query.data).partition(".")[0]) + 1
        await client.answer_callback_query(callback_query_id=query.id)
        await client.send_message(chat_id=query.from_user.id, text=_text(number), reply_markup=_keyboard(number))

    client.add_handler(handlers.MessageHandler(begun, filters.command("turn")))
    client.add_handler(handlers.CallbackQueryHandler(pressed))
    return client


def _text(number: int) -> str:
    return f"<b>{'Right' if number % 2 else 'Left'}</b>, Anna. Which way now?"


def _keyboard(number: int) -> types.InlineKeyboardMarkup:
    row = [types.InlineKeyboardButton(text=label, callback_data=f"{number}.{label}") for label in LABELS]
    return types.InlineKeyboardMarkup(inline_keyboard=[[key] for key in row])
