"""upload.* and the media of messages: what was uploaded, what it is called, and the references by which it is asked for
again."""

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyrogram import raw
from pyrogram.raw.core import TLObject

from tests.telegram.server.accounts import DATA_CENTRE, Account
from tests.telegram.server.files import Blob, Given, Pattern, Uploads
from tests.telegram.server.methods import Methods
from tests.telegram.server.refusal import Refusal
from tests.telegram.server.updates import seconds

if TYPE_CHECKING:
    from tests.telegram.server.telegram import TelegramServer

T = raw.types
STEP = 4096
MAX_ANSWER = 1024 * 1024
FIRST_ID = 5_000_000_000_000_000_001
FETCHED = 2_000
"""Bytes of what a sent address is said to hold: nothing is fetched."""


@dataclass(eq=False)
class Stored:
    """A file of the server. `media` is shared by all messages that carry it, so its reference is fresh wherever it is
    read."""

    blob: Blob
    media: TLObject

    @property
    def inner(self) -> TLObject:
        return getattr(self.media, "document", None) or self.media.photo


class Files:
    def __init__(self, server: "TelegramServer") -> None:
        self._server = server
        self._uploads = Uploads()
        self._ids = itertools.count(FIRST_ID)
        self._epoch = 1
        self.stored: dict[int, Stored] = {}

    def methods(self) -> Methods:
        return {
            "upload.SaveFilePart": self.save_part,
            "upload.SaveBigFilePart": self.save_part,
            "upload.GetFile": self.get_file,
            "messages.UploadMedia": self.upload_media,
        }

    def close(self) -> None:
        self._uploads.close()

    @property
    def _reference(self) -> bytes:
        return b"reference %d" % self._epoch

    def expire_references(self) -> None:
        """From now on every reference given out is refused; messages read again carry fresh ones."""
        self._epoch += 1
        for stored in self.stored.values():
            stored.inner.file_reference = self._reference

    def save_part(self, me: Account, query: TLObject) -> bool:
        self._uploads.put(me.id, query.file_id, query.file_part, bytes(query.bytes))
        return True

    def get_file(self, _me: Account, query: TLObject) -> TLObject:
        if query.offset % STEP or query.limit % STEP or not 0 < query.limit <= MAX_ANSWER:
            raise Refusal(400, "LIMIT_INVALID")
        stored = self._found(query.location, "FILE_ID_INVALID")
        data = stored.blob.read(query.offset, query.limit) if query.offset < stored.blob.size else b""
        return T.upload.File(type=T.storage.FileUnknown(), mtime=seconds(), bytes=data)

    def _found(self, wanted: TLObject, unknown: str) -> Stored:
        stored = self.stored.get(wanted.id)
        if stored is None:
            raise Refusal(400, unknown)
        if wanted.file_reference != self._reference:
            raise Refusal(400, "FILE_REFERENCE_EXPIRED")
        return stored

    def upload_media(self, me: Account, query: TLObject) -> TLObject:
        return self.made(me, query.media)

    def made(self, me: Account, media: TLObject) -> TLObject:
        """The media of a message from what a client sends."""
        match media:
            case T.InputMediaContact():
                return self._contact(media)
            case T.InputMediaGeoPoint():
                point = T.GeoPoint(long=media.geo_point.long, lat=media.geo_point.lat, access_hash=0)
                return T.MessageMediaGeo(geo=point)
            case T.InputMediaDice():
                return T.MessageMediaDice(value=4, emoticon=media.emoticon)
            case T.InputMediaDocument() | T.InputMediaPhoto():
                return self._found(media.id, "MEDIA_EMPTY").media
            case T.InputMediaPhotoExternal():
                return self.photo(Pattern(FETCHED, media.url))
            case T.InputMediaUploadedPhoto():
                return self.photo(self._taken(me, media.file))
            case T.InputMediaUploadedDocument():
                return self.document(self._taken(me, media.file), media.mime_type, media.attributes)
        raise Refusal(400, "MEDIA_INVALID")

    def _taken(self, me: Account, file: TLObject) -> Blob:
        return self._uploads.take(me.id, file.id, file.parts, getattr(file, "md5_checksum", "") or "")

    def _contact(self, media: TLObject) -> TLObject:
        phone = media.phone_number.lstrip("+")
        owner = next((each.id for each in self._server.accounts.values() if each.phone and each.phone == phone), 0)
        return T.MessageMediaContact(
            phone_number=phone,
            first_name=media.first_name,
            last_name=media.last_name,
            vcard=media.vcard,
            user_id=owner,
        )

    def photo(self, blob: Blob | bytes) -> TLObject:
        blob = Given(blob) if isinstance(blob, bytes) else blob
        photo = T.Photo(
            id=next(self._ids),
            access_hash=1,
            file_reference=self._reference,
            date=seconds(),
            dc_id=DATA_CENTRE,
            sizes=[T.PhotoSize(type="x", w=100, h=100, size=blob.size)],
        )
        return self._store(blob, T.MessageMediaPhoto(photo=photo))

    def document(self, blob: Blob | bytes, mime: str, attributes: list[TLObject]) -> TLObject:
        blob = Given(blob) if isinstance(blob, bytes) else blob
        document = T.Document(
            id=next(self._ids),
            access_hash=1,
            file_reference=self._reference,
            date=seconds(),
            mime_type=mime,
            size=blob.size,
            dc_id=DATA_CENTRE,
            attributes=attributes,
        )
        return self._store(blob, T.MessageMediaDocument(document=document))

    def _store(self, blob: Blob, media: TLObject) -> TLObject:
        stored = Stored(blob, media)
        self.stored[stored.inner.id] = stored
        return media
