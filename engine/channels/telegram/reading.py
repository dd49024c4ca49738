"""What arrived, from Telegram's raw updates to what the inbox keeps (JSON) and on to what the engine handles.

Pure: no I/O, no clock. What it does not know it leaves out; nothing that a customer sends makes it raise.
"""

import mimetypes
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, assert_never

import msgspec
from pyrogram import raw
from pyrogram.file_id import FileId, FileType, ThumbnailSource

from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.runtime.routing import CallbackPressed, Command

T = raw.types

CHANNEL: Final = "telegram:"
LONGEST_NAME: Final = 200
_BINARY: Final = "application/octet-stream"
_MIME: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,16}\Z")
_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,64})(?:@(\w+))?(?:\s+(.*))?\Z", re.DOTALL)
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Invisible marks that turn the direction of writing: `exe.fdp` must not look like `pdf.exe`."""


class Words(msgspec.Struct, frozen=True, tag="words"):
    """Typed text. Empty: something that the engine has no use for, so that it says what it wants instead."""

    text: str


class Pressed(msgspec.Struct, frozen=True, tag="pressed"):
    """A press of an inline button; `query` is what is to be answered."""

    data: str
    query: int


class Card(msgspec.Struct, frozen=True, tag="card"):
    """A contact; `own`: of the one who sent it."""

    phone: str
    own: bool


class Place(msgspec.Struct, frozen=True, tag="place"):
    """A location, degrees."""

    latitude: float
    longitude: float


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """A file, as announced. `ref`: where it is kept, empty until it was fetched."""

    file_id: str
    name: str
    """For showing only, never a path."""
    size: int
    """Bytes; 0: not announced."""
    mime: str
    kind: Literal["document", "photo"]
    ref: str = ""


Body = Words | Pressed | Card | Place | Sent


class Incoming(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the inbox keeps of an update."""

    user: int
    body: Body
    message: int = 0
    """Its number; 0 for a press."""
    name: str = ""
    username: str | None = None
    language: str | None = None

    def key(self, bot: int) -> str:
        """Unique per update of this bot."""
        if isinstance(self.body, Pressed):
            return press_key(bot, self.body.query)
        return f"{CHANNEL}{bot}:{self.user}:{self.message}"

    @property
    def chat(self) -> str:
        """The engine's name of the chat."""
        return f"{CHANNEL}{self.user}"


def press_key(bot: int, query: int) -> str:
    """The key of the update that a press is."""
    return f"{CHANNEL}{bot}:cb:{query}"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Incoming)


def encoded(incoming: Incoming) -> bytes:
    """The payload of an inbox entry."""
    return _encoder.encode(incoming)


def decoded(payload: bytes) -> Incoming | None:
    """The payload of an inbox entry, read; None: damaged."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None


# --- from Telegram ----------------------------------------------------------------------------------------


def incoming_of(update: object, users: Mapping[int, Any]) -> Incoming | None:
    """What a raw update (or a raw message of a difference) brings from a customer; None: nothing for us.

    `users` are the raw users that came along, by id.
    """
    match update:
        case T.UpdateNewMessage(message=message):
            return _of_message(message, users)
        case T.Message():
            return _of_message(update, users)
        case T.UpdateBotCallbackQuery(query_id=query, user_id=user, peer=T.PeerUser(user_id=peer), data=data):
            text = (data or b"").decode("utf-8", "replace")
            return _signed(Incoming(user=user, body=Pressed(data=text, query=query)), users) if peer == user else None
        case _:
            return None


def foreign_press(update: object) -> int | None:
    """The query of a press that no private chat sent: it is answered with nothing. None: it is no such press."""
    match update:
        case T.UpdateBotCallbackQuery(query_id=query, user_id=user, peer=peer):
            return None if isinstance(peer, T.PeerUser) and peer.user_id == user else int(query)
        case T.UpdateInlineBotCallbackQuery(query_id=query):
            return int(query)
        case _:
            return None


def foreign_chat(update: object) -> str | None:
    """The group or channel that a message was written in; None: it is no message of one."""
    match update:
        case T.UpdateNewMessage(message=message) | T.UpdateNewChannelMessage(message=message):
            peer = getattr(message, "peer_id", None)
        case T.Message(peer_id=peer):
            pass
        case _:
            return None
    if isinstance(peer, T.PeerChat):
        return f"group {peer.chat_id}"
    return f"channel {peer.channel_id}" if isinstance(peer, T.PeerChannel) else None


def _of_message(message: object, users: Mapping[int, Any]) -> Incoming | None:
    if not isinstance(message, T.Message) or message.out or not isinstance(message.peer_id, T.PeerUser):
        return None
    user = message.peer_id.user_id
    return _signed(Incoming(user=user, message=message.id, body=_body(message, user)), users)


def _signed(incoming: Incoming, users: Mapping[int, Any]) -> Incoming:
    user = users.get(incoming.user)
    if not isinstance(user, T.User):
        return incoming
    name = " ".join(part for part in (user.first_name, user.last_name) if part)
    return msgspec.structs.replace(
        incoming,
        name=clean_line(name, 128),
        username=user.username or _first_username(user),
        language=clean_line(user.lang_code or "", 16) or None,
    )


def _first_username(user: Any) -> str | None:
    """Collectible names stand in a list instead."""
    return next((item.username for item in user.usernames or () if item.username), None)


def _body(message: Any, user: int) -> Body:
    match message.media:
        case T.MessageMediaPhoto(photo=T.Photo() as photo):
            return _photo(photo, message.id) or Words(text=message.message or "")
        case T.MessageMediaDocument(document=T.Document() as document):
            return _document(document, message.id)
        case T.MessageMediaContact(phone_number=phone, user_id=owner):
            return Card(phone=_phone(phone or "", registered=bool(owner)), own=owner == user)
        case (
            T.MessageMediaGeo(geo=T.GeoPoint(lat=latitude, long=longitude))
            | T.MessageMediaGeoLive(geo=T.GeoPoint(lat=latitude, long=longitude))
            | T.MessageMediaVenue(geo=T.GeoPoint(lat=latitude, long=longitude))
        ):
            return Place(latitude=latitude, longitude=longitude)
        case T.MessageMediaDice(emoticon=emoticon):
            return Words(text=emoticon)
        case _:
            return Words(text=message.message or "")


def _phone(phone: str, *, registered: bool) -> str:
    """Telegram writes the numbers of its own users internationally, with a plus or without; of others as they stand
    in somebody's address book."""
    return f"+{phone}" if registered and phone.isascii() and phone.isdigit() else clean_line(phone, 64)


def _photo(photo: Any, message: int) -> Sent | None:
    """The largest size; None when there is none to fetch."""
    sizes = [(_bytes(size), size.type) for size in photo.sizes if _bytes(size) > 0]
    if not sizes:
        return None
    size, kind = max(sizes, key=lambda item: item[0])
    file_id = FileId(
        file_type=FileType.PHOTO,
        dc_id=photo.dc_id,
        media_id=photo.id,
        access_hash=photo.access_hash,
        file_reference=photo.file_reference,
        thumbnail_source=ThumbnailSource.THUMBNAIL,
        thumbnail_file_type=FileType.PHOTO,
        thumbnail_size=kind,
        volume_id=0,
        local_id=0,
    ).encode()
    return Sent(file_id=file_id, name=f"photo_{message}.jpg", size=size, mime="image/jpeg", kind="photo")


def _bytes(size: object) -> int:
    match size:
        case T.PhotoSize(size=count):
            return int(count)
        case T.PhotoSizeProgressive(sizes=counts):
            return max(counts, default=0)
        case _:
            return 0


def _document(document: Any, message: int) -> Body:
    found = {type(item): item for item in document.attributes}
    sticker = found.get(T.DocumentAttributeSticker)
    if sticker is not None:
        return Words(text=sticker.alt or "")
    mime = clean_mime(document.mime_type)
    given = found.get(T.DocumentAttributeFilename)
    name = clean_name(given.file_name if given is not None else "")
    if not name:
        name = f"{_sort(found)}_{message}{mimetypes.guess_extension(mime) or ''}"
    file_id = FileId(
        file_type=FileType.DOCUMENT,
        dc_id=document.dc_id,
        media_id=document.id,
        access_hash=document.access_hash,
        file_reference=document.file_reference,
    ).encode()
    return Sent(file_id=file_id, name=name, size=int(document.size), mime=mime, kind="document")


def _sort(found: Mapping[type, Any]) -> str:
    """What a file without a name is called."""
    audio = found.get(T.DocumentAttributeAudio)
    if audio is not None:
        return "voice" if audio.voice else "audio"
    if T.DocumentAttributeAnimated in found:
        return "animation"
    return "video" if T.DocumentAttributeVideo in found else "file"


# --- names ------------------------------------------------------------------------------------------------


def clean_line(text: str, longest: int) -> str:
    """One line of at most so many characters, without control characters and invisible turns of direction."""
    kept = "".join(" " if unicodedata.category(mark) in ("Cc", "Zl", "Zp") else mark for mark in text)
    kept = "".join(mark for mark in kept if mark not in _TURNS and unicodedata.category(mark) != "Cs")
    return " ".join(kept.split())[:longest].strip()


def clean_name(given: str) -> str:
    """The last part of whatever path was given, on one line, its ending kept when it is cut. Empty: no name at all."""
    last = clean_line(given.replace("\\", "/").rpartition("/")[2], 4096)
    if not last.strip("."):
        return ""
    if len(last) <= LONGEST_NAME:
        return last
    match = _ENDING.search(last)
    ending = match[0] if match else ""
    return last[: LONGEST_NAME - len(ending)] + ending


def clean_mime(given: str | None) -> str:
    """The kind of file that the sender's device names, if that is one."""
    low = (given or "").strip().lower()
    return low if _MIME.fullmatch(low) else _BINARY


# --- to the engine ----------------------------------------------------------------------------------------


def event_of(body: Body, at: datetime, username: str) -> object:
    """What it is to the engine; `username` is the bot's own, for `/command@bot`."""
    match body:
        case Words(text=text):
            return command_of(text, username) or TextReceived(at=at, text=text)
        case Pressed(data=data):
            return CallbackPressed(data=data)
        case Card(phone=phone, own=own):
            return ContactShared(at=at, phone=phone, own=own)
        case Place(latitude=latitude, longitude=longitude):
            return LocationShared(at=at, latitude=latitude, longitude=longitude)
        case Sent():
            return FileReceived(at=at, file=record_of(body))
        case never:
            assert_never(never)


def record_of(sent: Sent) -> dict[str, str | int]:
    """A file as a record of `engine.core.types.FILE`."""
    return {"name": sent.name, "size": sent.size, "mime": sent.mime, "ref": sent.ref, "kind": sent.kind}


def command_of(text: str, username: str) -> Command | None:
    """`/name@bot payload`; None: the text is no command, or one for another bot."""
    match = _COMMAND.match(text.strip())
    if match is None or (match[2] and username and match[2].lower() != username.lower()):
        return None
    return Command(name=match[1], payload=(match[3] or "").strip())
