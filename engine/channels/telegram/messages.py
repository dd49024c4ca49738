"""Sends, edits and deletes single messages. What Telegram refuses as it is goes in a plainer form, not never."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pyrogram import enums, types

from engine.channels.telegram import keyboards
from engine.channels.telegram.asking import Asker, Refused, Strange
from engine.channels.telegram.line import Line
from engine.channels.telegram.pictures import Picture
from engine.channels.telegram.surfaces import Sent
from engine.channels.telegram.texts import LONGEST_CAPTION, LONGEST_TEXT, Rendered, split
from engine.core.effects import Press

ANNOUNCED: Final = 256 * 1024
"""Bytes from which on the customer sees that a picture is on its way."""
ANNOUNCED_AGAIN: Final = 4.5
"""Real seconds after which that is told again: Telegram takes it down after five."""
_UPLOADS: Final = 2
"""Attempts to bring a picture up whose parts are lost on the way; then one more."""
_LOST_PARTS: Final = ("FILE_PART", "MD5_CHECKSUM")
_KNOWN_FILES: Final = 2048

log = logging.getLogger("stepgram.telegram")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be seen: text, picture, buttons."""

    text: Rendered
    rows: tuple[tuple[Press, ...], ...] = ()
    surface: str = ""
    draw: int = 0
    picture: Picture | None = None

    def keyboard(self, *, links: bool = True) -> types.InlineKeyboardMarkup | None:
        """The buttons as the library has them."""
        return keyboards.inline(self.rows, self.surface, self.draw, links=links)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message goes, and under which key its repeated sending is known."""

    chat: str
    customer: int
    """Telegram's id."""
    key: str


class Messages:
    """Makes the requests through the line. Every method may wait for Telegram; raises as `Asker.ask` does."""

    def __init__(self, line: Line, asker: Asker) -> None:
        self._line = line
        self._asker = asker
        self._files: OrderedDict[str, tuple[bool, str]] = OrderedDict()
        """Key of a picture → whether it went as a document, and its id at Telegram."""

    async def send(self, place: Place, message: Message) -> Sent:
        """A new message, or several when the text is too long for one; the one with the buttons is given back.

        Raises Refused only when not even the plain text is taken.
        """
        picture = message.picture
        if picture is None:
            return Sent(message=await self._send_text(place, message))
        fits = len(message.text.text) <= LONGEST_CAPTION
        number = await self._send_picture(place, message if fits else None, picture)
        if fits and number is not None:
            return Sent(message=number, kind="photo", picture=picture.key)
        return Sent(message=await self._send_text(place, message))

    async def edit(self, place: Place, sent: Sent, message: Message) -> Sent | None:
        """Redraw a message in place; None: it cannot be, it has to be sent anew."""
        try:
            if sent.kind == "text":
                if message.picture is not None:
                    return None
                await self._asker.ask(place.chat, lambda: self._edit_text(place, sent, message))
                return sent
            return await self._edit_photo(place, sent, message)
        except (Refused, Strange) as refused:
            if str(refused) == "MESSAGE_NOT_MODIFIED":
                return sent
            log.info("message %d of %s cannot be edited (%s): it is sent anew", sent.message, place.chat, refused)
            return None

    async def special(self, place: Place, text: str, markup: Any) -> int:
        """A message whose keyboard is none of inline buttons; its id."""
        return await self._asker.ask(place.chat, lambda: self._text(place, Rendered(text=text), markup))

    async def delete(self, chat: str, customer: int, *messages: int) -> None:
        """Messages that nobody needs any more; those that are gone, or that Telegram keeps, are fine."""
        try:
            await self._asker.ask(
                chat, lambda: self._line.client.delete_messages(chat_id=customer, message_ids=list(messages))
            )
        except Refused as refused:
            log.debug("messages of %s stay: %s", chat, refused)

    # --- texts ------------------------------------------------------------------------------------------

    async def _send_text(self, place: Place, message: Message) -> int:
        *first, last = split(message.text, LONGEST_TEXT)
        for number, piece in enumerate(first):
            await self._send_piece(_under(place, f"part{number}"), Message(text=piece))
        return await self._send_piece(
            place, Message(text=last, rows=message.rows, surface=message.surface, draw=message.draw)
        )

    async def _send_piece(self, place: Place, message: Message) -> int:
        try:
            return await self._asker.ask(place.chat, lambda: self._text(place, message.text, message.keyboard()))
        except Refused as refused:
            log.error("message %s was refused (%s): it goes without formatting and links", place.key, refused)
        bare = Rendered(text=message.text.text)
        try:
            return await self._asker.ask(place.chat, lambda: self._text(place, bare, message.keyboard(links=False)))
        except Refused as refused:
            if not message.rows:
                raise
            log.error("message %s was refused again (%s): it goes without buttons", place.key, refused)
        return await self._asker.ask(place.chat, lambda: self._text(place, bare, None))

    async def _text(self, place: Place, text: Rendered, markup: Any) -> int:
        with self._line.sending(place.key):
            sent = await self._line.client.send_message(
                chat_id=place.customer,
                text=text.text,
                parse_mode=enums.ParseMode.DISABLED,
                entities=keyboards.entities(text),
                reply_markup=markup,
            )
        return _number(sent)

    async def _edit_text(self, place: Place, sent: Sent, message: Message) -> None:
        """Of a text that took several messages, the last one, which has the buttons."""
        *_, text = split(message.text, LONGEST_TEXT)
        await self._line.client.edit_message_text(
            chat_id=place.customer,
            message_id=sent.message,
            text=text.text,
            parse_mode=enums.ParseMode.DISABLED,
            entities=keyboards.entities(text),
            reply_markup=message.keyboard(),
        )

    # --- pictures ---------------------------------------------------------------------------------------

    async def _send_picture(self, place: Place, message: Message | None, picture: Picture) -> int | None:
        """With the message as its caption, or alone; None: Telegram takes it in no way."""
        where = place if message is not None else _under(place, "picture")
        for document, source in self._ways(picture):
            try:
                sent = await self._uploaded(place.chat, self._upload(where, message, picture, document, source))
            except (Refused, Strange) as refused:
                self._files.pop(picture.key, None)
                log.warning("the picture of %s was refused (%s)", place.key, refused)
                continue
            self._learn(picture, document, sent)
            return _number(sent)
        log.error("the picture of %s is left out", place.key)
        return None

    async def _uploaded(self, chat: str, request: Callable[[], Awaitable[Any]]) -> Any:
        """The library goes on when a part did not get through, and only the sending fails then: all parts again."""
        for _ in range(_UPLOADS):
            try:
                return await self._asker.ask(chat, request)
            except Refused as refused:
                if not str(refused).startswith(_LOST_PARTS):
                    raise
                log.info("parts of a picture for %s were lost (%s): it goes up again", chat, refused)
        return await self._asker.ask(chat, request)

    def _ways(self, picture: Picture) -> Iterator[tuple[bool, str | None]]:
        """(as a document, file id): what Telegram has already, then the bytes, then those as a document."""
        known = self._files.get(picture.key)
        if known is not None:
            yield known
        yield picture.document, None
        if not picture.document:
            yield True, None

    def _upload(
        self, place: Place, message: Message | None, picture: Picture, document: bool, file_id: str | None
    ) -> Callable[[], Awaitable[Any]]:
        async def request() -> Any:
            source: Any = file_id or picture.source()
            given: dict[str, Any] = {"chat_id": place.customer, "parse_mode": enums.ParseMode.DISABLED}
            if message is not None:
                given["caption"] = message.text.text
                given["caption_entities"] = keyboards.entities(message.text)
                given["reply_markup"] = message.keyboard()
            client = self._line.client
            if file_id is None and picture.size >= ANNOUNCED:
                given["progress"] = announce = self._announcer(place, document)
                await announce(0, picture.size)
            with self._line.sending(place.key):
                if document:
                    return await client.send_document(document=source, file_name=picture.name, **given)
                return await client.send_photo(photo=source, **given)

        return request

    def _announcer(self, place: Place, document: bool) -> Callable[[int, int], Awaitable[None]]:
        """Tells the customer that something is on its way, again and again while it is."""
        action = enums.ChatAction.UPLOAD_DOCUMENT if document else enums.ChatAction.UPLOAD_PHOTO
        loop, due = asyncio.get_running_loop(), 0.0

        async def announce(_sent: int, _size: int) -> None:
            nonlocal due
            if loop.time() >= due:
                due = loop.time() + ANNOUNCED_AGAIN
                with suppress(Exception):  # it is worth no second attempt, and the upload goes on without it
                    await self._line.client.send_chat_action(chat_id=place.customer, action=action)

        return announce

    async def _edit_photo(self, place: Place, sent: Sent, message: Message) -> Sent | None:
        picture = message.picture
        if picture is None or len(message.text.text) > LONGEST_CAPTION:
            return None
        if picture.key == sent.picture:
            await self._asker.ask(place.chat, lambda: self._edit_caption(place, sent, message))
            return sent
        known = self._files.get(picture.key)
        if known is None or known[0]:
            return None
        await self._asker.ask(place.chat, lambda: self._edit_media(place, sent, message, known[1]))
        return Sent(message=sent.message, kind="photo", picture=picture.key)

    async def _edit_caption(self, place: Place, sent: Sent, message: Message) -> None:
        await self._line.client.edit_message_caption(
            chat_id=place.customer,
            message_id=sent.message,
            caption=message.text.text,
            parse_mode=enums.ParseMode.DISABLED,
            caption_entities=keyboards.entities(message.text),
            reply_markup=message.keyboard(),
        )

    async def _edit_media(self, place: Place, sent: Sent, message: Message, file_id: str) -> None:
        media = types.InputMediaPhoto(
            media=file_id,
            caption=message.text.text,
            parse_mode=enums.ParseMode.DISABLED,
            caption_entities=keyboards.entities(message.text),
        )
        await self._line.client.edit_message_media(
            chat_id=place.customer, message_id=sent.message, media=media, reply_markup=message.keyboard()
        )

    def _learn(self, picture: Picture, document: bool, sent: Any) -> None:
        media = getattr(sent, "document", None) if document else getattr(sent, "photo", None)
        file_id = getattr(media, "file_id", None)
        if file_id is None:
            return
        self._files[picture.key] = (document, str(file_id))
        self._files.move_to_end(picture.key)
        if len(self._files) > _KNOWN_FILES:
            self._files.popitem(last=False)


def _under(place: Place, part: str) -> Place:
    return Place(chat=place.chat, customer=place.customer, key=f"{place.key}/{part}")


def _number(sent: Any) -> int:
    """The id of a message that was sent. The library gives none when an upload went wrong unnoticed."""
    if sent is None:
        raise ConnectionError("Telegram's answer has no message")
    return int(sent.id)
