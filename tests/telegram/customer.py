"""A customer: a second client of the same library that writes to the bot, presses its buttons and sees what a person
would see.

Only keywords and high-level types of the library, so it runs on pyrogram and on kurigram alike.
"""

import asyncio
import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pyrogram import Client, enums, raw, types
from pyrogram.handlers import DeletedMessagesHandler, EditedMessageHandler, MessageHandler, RawUpdateHandler

from tests.telegram.seen import Answer, Button, Seen
from tests.telegram.server import API_HASH, API_ID, Account, Blob, TelegramServer

Found = TypeVar("Found")

TIMEOUT = 40.0
"""Seconds a customer waits for what should come: more than the library waits for an answer (15), on a busy machine."""
LOST_AFTER = 1.0
"""Seconds without news after which the customer reads the chat again: a push may have been lost with its line."""

ACTIONS = {
    "SendMessageTypingAction": "typing",
    "SendMessageUploadPhotoAction": "upload_photo",
    "SendMessageUploadDocumentAction": "upload_document",
    "SendMessageCancelAction": "cancel",
}


class Customer:
    """Made by the `customer` fixture. All sends give the id of the message in the customer's own box."""

    def __init__(self, server: TelegramServer, account: Account, bot: Account) -> None:
        self.account = account
        self.id = account.id
        self.chat = f"telegram:{account.id}"
        self.bot = bot
        self.actions: list[str] = []
        """Chat actions of the bot in order: typing, upload_photo, …"""
        self.edits_seen = 0
        self.client = Client(
            f"customer-{account.id}",
            api_id=API_ID,
            api_hash=API_HASH,
            session_string=account.session_string(API_ID),
            in_memory=True,
            workers=1,
            parse_mode=enums.ParseMode.DISABLED,
        )
        self._server = server
        self._seen: dict[int, Seen] = {}
        self._keyboard: Seen | None = None
        self._news = asyncio.Event()

    # being there

    async def arrives(self) -> None:
        """Logs in and looks the bot up."""
        for handler, group in (
            (MessageHandler(self._on_message), 0),
            (EditedMessageHandler(self._on_edit), 0),
            (DeletedMessagesHandler(self._on_deleted), 0),
            (RawUpdateHandler(self._on_update), 1),
        ):
            self.client.add_handler(handler, group)
        await self.client.start()
        await self.client.resolve_peer(self.bot.username)

    async def leaves(self) -> None:
        if self.client.is_connected:
            await self.client.stop()

    async def _on_message(self, _client: Client, message: types.Message) -> None:
        self._take(message, new=True)

    async def _on_edit(self, _client: Client, message: types.Message) -> None:
        self.edits_seen += 1
        self._take(message, new=False)

    async def _on_deleted(self, _client: Client, messages: list[types.Message]) -> None:
        for message in messages:
            self._forget(message.id)
        self._news.set()

    async def _on_update(self, _client: Client, update: Any, _users: Any, _chats: Any) -> None:
        if isinstance(update, raw.types.UpdateUserTyping):
            name = type(update.action).__name__
            self.actions.append(ACTIONS.get(name, name))

    def _take(self, message: types.Message, *, new: bool) -> None:
        known = self._seen.get(message.id)
        if new and known is not None and known.edited:
            return
        seen = Seen(message, self.id)
        self._seen[seen.id] = seen
        if known is None and not seen.mine:
            if seen.keyboard is not None:
                self._keyboard = seen
            elif isinstance(message.reply_markup, types.ReplyKeyboardRemove):
                self._keyboard = None
        self._news.set()

    def _forget(self, number: int) -> None:
        self._seen.pop(number, None)
        if self._keyboard is not None and self._keyboard.id == number:
            self._keyboard = None

    def _sent(self, message: types.Message) -> int:
        self._take(message, new=True)
        return message.id

    # what they see

    @property
    def messages(self) -> list[Seen]:
        return [self._seen[number] for number in sorted(self._seen)]

    @property
    def received(self) -> list[Seen]:
        return [seen for seen in self.messages if not seen.mine]

    @property
    def texts(self) -> list[str]:
        return [seen.text for seen in self.received]

    @property
    def last(self) -> Seen:
        return self.received[-1]

    @property
    def keyboard(self) -> list[list[Button]] | None:
        """The reply keyboard under the chat; a one-time one is put away once a key of it was tapped."""
        return self._keyboard.keyboard if self._keyboard is not None else None

    def with_text(self, text: str, *, after: int = 0) -> Seen | None:
        """The newest message of the bot that contains the text now."""
        found = [seen for seen in self.received if text in seen.text and seen.id > after]
        return found[-1] if found else None

    async def sees(self, text: str, *, after: int = 0, timeout: float = TIMEOUT) -> Seen:
        """Waits until a message of the bot, with an id greater than `after`, contains the text."""
        return await self.until(lambda: self.with_text(text, after=after), f"no {text!r}", timeout=timeout)

    async def sees_count(self, text: str, count: int, *, timeout: float = TIMEOUT) -> list[Seen]:
        """Waits until that many messages of the bot contain the text; more is a failure."""

        def enough() -> list[Seen] | None:
            found = [seen for seen in self.received if text in seen.text]
            return found if len(found) >= count else None

        found = await self.until(enough, f"not {count} times {text!r}", timeout=timeout)
        assert len(found) == count, f"{len(found)} times {text!r}: {self.messages}"
        return found

    async def sees_none(self, text: str, *, seconds: float = 0.5) -> None:
        """Nothing of the bot contains the text, now and for so many seconds."""
        await asyncio.sleep(seconds)
        await self.refreshes()
        assert self.with_text(text) is None, f"{text!r} is there: {self.messages}"

    async def sees_gone(self, text: str, *, timeout: float = TIMEOUT) -> None:
        """Waits until no message of the bot contains the text any more."""
        await self.until(
            lambda: True if self.with_text(text) is None else None, f"{text!r} is still there", timeout=timeout
        )

    async def until(self, look: Callable[[], Found | None], missing: str, *, timeout: float = TIMEOUT) -> Found:
        """Waits until `look` finds something; reads the chat again when no news come for a while."""
        end = asyncio.get_running_loop().time() + timeout
        while True:
            self._news.clear()
            found = look()
            if found is not None:
                return found
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                raise AssertionError(f"{self.account.first_name} waits {timeout} s: {missing}; sees {self.messages}")
            try:
                await asyncio.wait_for(self._news.wait(), min(left, LOST_AFTER))
            except TimeoutError:
                await self._refreshes_if_reachable(left)

    async def _refreshes_if_reachable(self, left: float) -> None:
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(self.refreshes(), max(left, 0.1))

    async def settles(self, *, quiet: float = 0.3, timeout: float = TIMEOUT) -> None:
        """Waits until nothing has come for `quiet` seconds."""
        async with asyncio.timeout(timeout):
            while True:
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), quiet)
                except TimeoutError:
                    return

    async def refreshes(self) -> None:
        """Reads the chat again from the server, as an app does when it is opened."""
        found = {}
        async for message in self.client.get_chat_history(chat_id=self.bot.id):
            found[message.id] = message
        for number in [each for each in self._seen if each not in found]:
            self._forget(number)
        for number in sorted(found):
            self._take(found[number], new=False)

    # what they do

    async def opens(self, payload: str = "") -> int:
        return await self.says(f"/start {payload}".rstrip())

    async def says(self, text: str) -> int:
        return self._sent(await self.client.send_message(chat_id=self.bot.id, text=text))

    async def presses(self, label: str, *, message: int | None = None, timeout: float = TIMEOUT) -> Answer:
        """Presses the inline button whose label is, or contains, this one: of that message, else of the newest that has
        it. Waits for the button to be there, and for the bot's answer; without one the library's BotResponseTimeout
        comes."""

        def find() -> tuple[int, Button] | None:
            for seen in reversed(self.received):
                button = seen.button(label) if message in (None, seen.id) else None
                if button is not None:
                    return seen.id, button
            return None

        number, button = await self.until(find, f"no button {label!r}", timeout=timeout)
        assert button.data is not None, f"{button} is not a callback button"
        return await self.presses_data(number, button.data)

    async def presses_data(self, message: int, data: str | bytes) -> Answer:
        """A press with any data, whatever the message's buttons are now."""
        answer = await self.client.request_callback_answer(
            chat_id=self.bot.id,
            message_id=message,
            callback_data=data,
            timeout=int(self._server.callback_timeout + TIMEOUT),
        )
        return Answer(answer.message or "", bool(answer.alert), answer.url)

    async def taps(self, label: str, *, timeout: float = TIMEOUT) -> int:
        """A key of the reply keyboard: sends its text, or the contact or place it asks for."""

        def find() -> Button | None:
            keys = [key for row in self.keyboard or [] for key in row if label in key.text]
            return keys[0] if keys else None

        key = await self.until(find, f"no key {label!r}", timeout=timeout)
        carrier = self._keyboard
        if carrier is not None and carrier.message.reply_markup.one_time_keyboard:
            self._keyboard = None
        if key.asks == "contact":
            return await self.shares_contact()
        if key.asks == "location":
            return await self.shares_location(52.52, 13.405)
        return await self.says(key.text)

    async def shares_contact(self, phone: str | None = None, name: str | None = None) -> int:
        """Their own contact; with a `phone` somebody else's."""
        return self._sent(
            await self.client.send_contact(
                chat_id=self.bot.id,
                phone_number=phone or f"+{self.account.phone}",
                first_name=name or self.account.first_name,
            )
        )

    async def shares_location(self, latitude: float, longitude: float) -> int:
        return self._sent(await self.client.send_location(chat_id=self.bot.id, latitude=latitude, longitude=longitude))

    async def sends_file(self, content: bytes | Path | Blob, *, name: str = "model.stl", caption: str = "") -> int:
        """A document. Bytes and paths are uploaded by the client; a `server.pattern(…)` is put there without an
        upload."""
        if not isinstance(content, (bytes, Path)):
            return self._server.post(self.account, self.bot, caption, blob=content, name=name)
        return self._sent(
            await self.client.send_document(
                chat_id=self.bot.id,
                document=_named(content, name),
                file_name=name,
                caption=caption,
                force_document=True,
            )
        )

    async def sends_photo(self, content: bytes | Path, *, caption: str = "") -> int:
        photo = _named(content, "photo.png")
        return self._sent(await self.client.send_photo(chat_id=self.bot.id, photo=photo, caption=caption))

    async def sends_album(self, files: list[tuple[bytes, str]]) -> list[int]:
        """2 to 10 documents in one message group."""
        media = [types.InputMediaDocument(media=_named(content, name)) for content, name in files]
        return [self._sent(each) for each in await self.client.send_media_group(chat_id=self.bot.id, media=media)]

    async def sends_voice(self, content: bytes) -> int:
        return self._sent(await self.client.send_voice(chat_id=self.bot.id, voice=_named(content, "voice.ogg")))

    async def forwards(self, message: int) -> int:
        """Forwards a message of this chat back into it."""
        sent = await self.client.forward_messages(chat_id=self.bot.id, from_chat_id=self.bot.id, message_ids=message)
        return self._sent(sent)

    async def edits(self, message: int, text: str) -> None:
        self._take(await self.client.edit_message_text(chat_id=self.bot.id, message_id=message, text=text), new=False)

    async def deletes(self, *messages: int) -> None:
        """On both sides."""
        await self.client.delete_messages(chat_id=self.bot.id, message_ids=list(messages))
        for number in messages:
            self._forget(number)

    async def downloads(self, message: int) -> bytes:
        kept = await self.client.download_media(message=self._seen[message].message, in_memory=True)
        return bytes(kept.getbuffer())

    async def blocks(self) -> None:
        await self.client.block_user(user_id=self.bot.id)

    async def unblocks(self) -> None:
        await self.client.unblock_user(user_id=self.bot.id)


def _named(content: bytes | Path, name: str) -> "io.BytesIO | str":
    if isinstance(content, Path):
        return str(content)
    stream = io.BytesIO(content)
    stream.name = name
    return stream
