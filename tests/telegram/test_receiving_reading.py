"""Raw updates to what the inbox keeps, and on to the engine's events. No network."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyrogram import raw
from pyrogram.file_id import FileId, FileType

from engine.channels.telegram import reading
from engine.channels.telegram.reading import Card, Incoming, Place, Pressed, Sent, Words
from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.runtime.routing import CallbackPressed, Command

T = raw.types
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA = T.User(id=42, first_name="Anna", last_name="Bell", username="anna", lang_code="de-AT", access_hash=1)
USERS = {42: ANNA}


def message(text: str = "", media: Any = None, **more: Any) -> Any:
    peer = more.pop("peer", T.PeerUser(user_id=42))
    return T.Message(id=7, peer_id=peer, date=1, message=text, media=media, **more)


def new(*args: Any, **more: Any) -> Any:
    return T.UpdateNewMessage(message=message(*args, **more), pts=3, pts_count=1)


def body(*args: Any, **more: Any) -> Any:
    incoming = reading.incoming_of(new(*args, **more), USERS)
    assert incoming is not None
    assert reading.decoded(reading.encoded(incoming)) == incoming
    return incoming.body


def document(name: str | None = None, size: int = 10, mime: str = "model/stl", *attributes: Any) -> Any:
    given = [] if name is None else [T.DocumentAttributeFilename(file_name=name)]
    file = T.Document(
        id=5,
        access_hash=6,
        file_reference=b"ref",
        date=1,
        mime_type=mime,
        size=size,
        dc_id=2,
        attributes=[*given, *attributes],
    )
    return T.MessageMediaDocument(document=file)


class TestWho:
    def test_name_username_and_language_come_along(self) -> None:
        incoming = reading.incoming_of(new("hi"), USERS)
        assert incoming == Incoming(
            user=42, message=7, body=Words(text="hi"), name="Anna Bell", username="anna", language="de-AT"
        )
        assert incoming.chat == "telegram:42"
        assert incoming.key(99) == "telegram:99:42:7"

    def test_somebody_unknown_is_served_all_the_same(self) -> None:
        assert reading.incoming_of(new("hi"), {}) == Incoming(user=42, message=7, body=Words(text="hi"))

    def test_a_name_is_one_clean_line(self) -> None:
        user = T.User(id=42, first_name="A\u202en\nna\x00", last_name="x" * 300)
        incoming = reading.incoming_of(new("hi"), {42: user})
        assert incoming is not None
        assert incoming.name.startswith("An na xxx")
        assert len(incoming.name) == 128

    @pytest.mark.parametrize(
        "update",
        [
            new("hi", out=True),
            new("hi", peer=T.PeerChat(chat_id=4)),
            new("hi", peer=T.PeerChannel(channel_id=4)),
            T.UpdateEditMessage(message=message("hi"), pts=3, pts_count=1),
            T.UpdateNewChannelMessage(message=message("hi", peer=T.PeerChannel(channel_id=4)), pts=3, pts_count=1),
            T.UpdateNewMessage(message=T.MessageEmpty(id=3), pts=3, pts_count=1),
            T.UpdateNewMessage(
                message=T.MessageService(
                    id=3, peer_id=T.PeerUser(user_id=42), date=1, action=T.MessageActionHistoryClear()
                ),
                pts=3,
                pts_count=1,
            ),
            T.UpdateDeleteMessages(messages=[3], pts=3, pts_count=1),
            T.UpdateUserTyping(user_id=42, action=T.SendMessageTypingAction()),
            None,
            "nonsense",
        ],
    )
    def test_what_is_not_for_us_gives_nothing(self, update: Any) -> None:
        assert reading.incoming_of(update, USERS) is None

    def test_groups_are_named(self) -> None:
        assert reading.foreign_chat(new("hi", peer=T.PeerChat(chat_id=4))) == "group 4"
        assert reading.foreign_chat(message("hi", peer=T.PeerChannel(channel_id=5))) == "channel 5"
        assert reading.foreign_chat(new("hi")) is None
        assert reading.foreign_chat("nonsense") is None


class TestPresses:
    def press(self, peer: Any, data: bytes | None = b"abc.1.1.t:go") -> Any:
        return T.UpdateBotCallbackQuery(query_id=11, user_id=42, peer=peer, msg_id=3, chat_instance=1, data=data)

    def test_a_press(self) -> None:
        incoming = reading.incoming_of(self.press(T.PeerUser(user_id=42)), USERS)
        assert incoming is not None
        assert incoming.body == Pressed(data="abc.1.1.t:go", query=11)
        assert incoming.key(99) == "telegram:99:cb:11"
        assert reading.foreign_press(self.press(T.PeerUser(user_id=42))) is None
        assert reading.event_of(incoming.body, NOW, "bot") == CallbackPressed(data="abc.1.1.t:go")

    @pytest.mark.parametrize("data", [None, b"\xff\xfe", b""])
    def test_forged_data_does_not_raise(self, data: bytes | None) -> None:
        incoming = reading.incoming_of(self.press(T.PeerUser(user_id=42), data), USERS)
        assert incoming is not None
        assert isinstance(incoming.body, Pressed)

    def test_a_press_in_a_group_is_only_answered(self) -> None:
        for peer in (T.PeerChat(chat_id=4), T.PeerUser(user_id=43)):
            assert reading.incoming_of(self.press(peer), USERS) is None
            assert reading.foreign_press(self.press(peer)) == 11


class TestBodies:
    def test_text_and_links(self) -> None:
        assert body("hello") == Words(text="hello")
        page = T.MessageMediaWebPage(webpage=T.WebPageEmpty(id=1))
        assert body("see https://example.org", page) == Words(text="see https://example.org")

    def test_own_contact(self) -> None:
        card = T.MessageMediaContact(phone_number="4915100001", first_name="A", last_name="", vcard="", user_id=42)
        assert body("", card) == Card(phone="+4915100001", own=True)

    def test_contact_of_somebody_else_registered_or_not(self) -> None:
        card = T.MessageMediaContact(phone_number="4915100001", first_name="B", last_name="", vcard="", user_id=43)
        assert body("", card) == Card(phone="+4915100001", own=False)
        card = T.MessageMediaContact(phone_number="0151 1", first_name="B", last_name="", vcard="", user_id=0)
        assert body("", card) == Card(phone="0151 1", own=False)

    def test_locations(self) -> None:
        geo = T.GeoPoint(long=13.4, lat=52.5, access_hash=0)
        assert body("", T.MessageMediaGeo(geo=geo)) == Place(latitude=52.5, longitude=13.4)
        live = T.MessageMediaGeoLive(geo=geo, period=60)
        assert body("", live) == Place(latitude=52.5, longitude=13.4)
        venue = T.MessageMediaVenue(geo=geo, title="", address="", provider="", venue_id="", venue_type="")
        assert body("", venue) == Place(latitude=52.5, longitude=13.4)
        assert body("", T.MessageMediaGeo(geo=T.GeoPointEmpty())) == Words(text="")

    def test_document(self) -> None:
        sent = body("a caption", document("part.stl", 1234))
        assert isinstance(sent, Sent)
        assert (sent.name, sent.size, sent.mime, sent.kind, sent.ref) == ("part.stl", 1234, "model/stl", "document", "")
        file_id = FileId.decode(sent.file_id)
        assert (file_id.file_type, file_id.media_id, file_id.access_hash) == (FileType.DOCUMENT, 5, 6)
        assert file_id.file_reference == b"ref"

    def test_photo_takes_the_largest_size(self) -> None:
        sizes = [
            T.PhotoStrippedSize(type="i", bytes=b"x"),
            T.PhotoSize(type="m", w=1, h=1, size=100),
            T.PhotoSizeProgressive(type="y", w=9, h=9, sizes=[10, 900, 500]),
            T.PhotoSize(type="x", w=5, h=5, size=400),
        ]
        photo = T.Photo(id=5, access_hash=6, file_reference=b"ref", date=1, sizes=sizes, dc_id=2)
        sent = body("", T.MessageMediaPhoto(photo=photo))
        assert (sent.name, sent.size, sent.mime, sent.kind) == ("photo_7.jpg", 900, "image/jpeg", "photo")
        file_id = FileId.decode(sent.file_id)
        assert (file_id.file_type, file_id.thumbnail_size) == (FileType.PHOTO, "y")

    def test_expired_photo_and_document(self) -> None:
        assert body("", T.MessageMediaPhoto(ttl_seconds=5)) == Words(text="")
        assert body("", T.MessageMediaDocument(ttl_seconds=5)) == Words(text="")
        photo = T.Photo(id=5, access_hash=6, file_reference=b"ref", date=1, sizes=[], dc_id=2)
        assert body("", T.MessageMediaPhoto(photo=photo)) == Words(text="")

    def test_voice_video_and_animation_are_files_with_a_name(self) -> None:
        voice = T.DocumentAttributeAudio(duration=3, voice=True)
        assert body("", document(None, 10, "audio/ogg", voice)).name.startswith("voice_7.og")
        video = T.DocumentAttributeVideo(duration=3, w=1, h=1, round_message=True)
        assert body("", document(None, 10, "video/mp4", video)).name == "video_7.mp4"
        assert body("", document(None, 10, "video/mp4", T.DocumentAttributeAnimated(), video)).name == "animation_7.mp4"
        assert body("", document(None, 10, "no such thing")).name.startswith("file_7")

    def test_sticker_and_dice_are_their_emoji(self) -> None:
        sticker = T.DocumentAttributeSticker(alt="👍", stickerset=T.InputStickerSetEmpty())
        assert body("", document("s.webp", 10, "image/webp", sticker)) == Words(text="👍")
        assert body("", T.MessageMediaDice(value=3, emoticon="🎲")) == Words(text="🎲")

    def test_what_is_of_no_use_becomes_empty_text(self) -> None:
        assert body("", T.MessageMediaUnsupported()) == Words(text="")


class TestNames:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("part.stl", "part.stl"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system.ini", "system.ini"),
            ("/abs/ol/ute.stl", "ute.stl"),
            ("a\x00b\nc.stl", "a b c.stl"),
            ("gpj.\u202eexe.stl", "gpj.exe.stl"),
            ("..", ""),
            ("", ""),
            ("   ", ""),
            ("dir/", ""),
            ("🖨 Würfel.stl", "🖨 Würfel.stl"),
        ],
    )
    def test_a_name_never_is_a_path(self, given: str, kept: str) -> None:
        assert reading.clean_name(given) == kept

    def test_a_long_name_keeps_its_ending(self) -> None:
        name = reading.clean_name("x" * 5000 + ".stl")
        assert len(name) <= reading.LONGEST_NAME
        assert reading.clean_name("x" * 300 + ".stl").endswith("x.stl")
        assert len(reading.clean_name("x" * 300 + ".stl")) == reading.LONGEST_NAME

    def test_without_a_usable_name_there_is_a_made_one(self) -> None:
        assert body("", document("../..", 10, "model/stl")).name.startswith("file_7")

    @pytest.mark.parametrize("mime", ["", "text", "a/b/c", "text/html; charset=x\r\nX: y", "x" * 200 + "/y", None])
    def test_a_strange_mime_type_is_bytes(self, mime: str | None) -> None:
        assert reading.clean_mime(mime) == "application/octet-stream"


class TestEvents:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("/start", Command(name="start")),
            ("/start promo_42", Command(name="start", payload="promo_42")),
            ("/order@PrintBot", Command(name="order")),
            ("/order@printbot now", Command(name="order", payload="now")),
            ("/order@other_bot", TextReceived(at=NOW, text="/order@other_bot")),
            ("/", TextReceived(at=NOW, text="/")),
            ("1/2", TextReceived(at=NOW, text="1/2")),
            ("hello /start", TextReceived(at=NOW, text="hello /start")),
        ],
    )
    def test_texts(self, text: str, expected: object) -> None:
        assert reading.event_of(Words(text=text), NOW, "PrintBot") == expected

    def test_others(self) -> None:
        assert reading.event_of(Card(phone="+1", own=False), NOW, "b") == ContactShared(at=NOW, phone="+1", own=False)
        place = reading.event_of(Place(latitude=1.5, longitude=2.5), NOW, "b")
        assert place == LocationShared(at=NOW, latitude=1.5, longitude=2.5)
        sent = Sent(file_id="f", name="a.stl", size=3, mime="model/stl", kind="document", ref="r")
        assert reading.event_of(sent, NOW, "b") == FileReceived(
            at=NOW, file={"name": "a.stl", "size": 3, "mime": "model/stl", "ref": "r", "kind": "document"}
        )


def test_damaged_payloads_are_known_as_such() -> None:
    for payload in (b"", b"{}", b"[]", b'{"user":1,"body":{"type":"nope"}}', json.dumps({"user": "x"}).encode()):
        assert reading.decoded(payload) is None
