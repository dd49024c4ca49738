"""Files on the loopback server: uploads in parts, downloads in steps, references that expire, what goes wrong on the
way."""

import hashlib
import io

import pytest
from pyrogram import errors, raw, types

from tests.telegram.server.files import Pattern, Upload
from tests.telegram.server.refusal import Refusal

MIB = 2**20


async def test_documents_go_both_ways_unchanged(server, bot, bot_client, customer, tmp_path):
    anna = await customer("Anna")
    content = Pattern(700_000).read(0, 700_000)
    await anna.sends_file(content, name="part ü.stl", caption="two of it")
    got = await last_message(bot_client, server, bot)
    assert (got.document.file_name, got.document.file_size, got.caption) == ("part ü.stl", 700_000, "two of it")
    assert bytes((await bot_client.download_media(message=got, in_memory=True)).getbuffer()) == content

    path = tmp_path / "quote.pdf"
    path.write_bytes(b"%PDF" + content)
    await bot_client.send_document(chat_id=anna.id, document=str(path), caption="<b>Quote</b>")
    seen = await anna.sees("Quote")
    assert (seen.kind, seen.file_name, seen.file_size) == ("document", "quote.pdf", 700_004)
    assert await anna.downloads(seen.id) == path.read_bytes()


async def test_photos_albums_and_voice(server, bot, bot_client, customer):
    anna = await customer("Anna")
    await anna.sends_photo(b"\x89PNG not really" * 10, caption="look")
    numbers = await anna.sends_album([(b"one" * 100, "1.stl"), (b"two" * 100, "2.stl")])
    await anna.sends_voice(b"OggS" * 50)
    photo, first, second, voice = server.box(bot)
    assert photo.media.photo.sizes[0].size == 150
    assert first.grouped_id == second.grouped_id != 0
    assert len(numbers) == 2
    assert any(isinstance(each, raw.types.DocumentAttributeAudio) for each in voice.media.document.attributes)
    await bot_client.send_photo(chat_id=anna.id, photo="https://example.org/a.png", caption="from the web")
    assert (await anna.sees("from the web")).kind == "photo"


async def test_an_album_asked_for_again_is_the_same_album(server, bot, bot_client, customer):
    anna = await customer("Anna")
    peer = await bot_client.resolve_peer(anna.id)
    sent = await bot_client.send_document(chat_id=anna.id, document=named(b"x" * 100), caption="one alone")
    stored = next(iter(server.files.stored.values())).inner
    place = raw.types.InputDocument(id=stored.id, access_hash=1, file_reference=stored.file_reference)

    def album(*random_ids):
        media = raw.types.InputMediaDocument(id=place)
        single = [raw.types.InputSingleMedia(media=media, random_id=each, message="part") for each in random_ids]
        return raw.functions.messages.SendMultiMedia(peer=peer, multi_media=single)

    first = await bot_client.invoke(album(11, 12))
    server.expire_references()
    again = await bot_client.invoke(album(11, 12))
    assert [update.id for update in first.updates[::2]] == [update.id for update in again.updates[::2]]
    await anna.sees_count("part", 2)
    with pytest.raises(errors.RPCError, match="RANDOM_ID_EMPTY"):
        await bot_client.invoke(album(0, 13))
    assert len(server.box(bot)) == sent.id + 2


async def test_a_photo_is_edited_in_place_and_sent_again_by_its_id(server, bot, bot_client, customer, tmp_path):
    anna = await customer("Anna")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(name.encode() * 40)
    sent = await bot_client.send_photo(chat_id=anna.id, photo=str(tmp_path / "a.png"), caption="old")
    seen = await anna.sees("old")
    new = types.InputMediaPhoto(media=str(tmp_path / "b.png"), caption="new")
    await bot_client.edit_message_media(chat_id=anna.id, message_id=sent.id, media=new)
    assert (await anna.sees("new")).id == seen.id
    assert await anna.downloads(seen.id) == b"b.png" * 40
    again = await bot_client.send_photo(chat_id=anna.id, photo=sent.photo.file_id, caption="again")
    assert await anna.downloads((await anna.sees("again")).id) == b"a.png" * 40
    server.expire_references()
    with pytest.raises(errors.FileReferenceExpired):
        await bot_client.send_photo(chat_id=anna.id, photo=again.photo.file_id, caption="too late")


async def test_a_large_file_comes_without_an_upload_and_is_streamed(server, bot, bot_client, customer):
    anna = await customer("Anna")
    large = server.pattern(25 * MIB + 17)
    await anna.sends_file(large, name="huge.stl")
    got = await last_message(bot_client, server, bot)
    total, size = hashlib.sha256(), 0
    async for chunk in bot_client.stream_media(message=got):
        total.update(chunk)
        size += len(chunk)
    assert (size, total.hexdigest()) == (25 * MIB + 17, large.sha256())


async def test_a_file_above_ten_megabytes_is_uploaded_in_big_parts(server, bot, bot_client, customer, tmp_path):
    anna = await customer("Anna")
    path = tmp_path / "big.bin"
    path.write_bytes(Pattern(11 * MIB).read(0, 11 * MIB))
    await anna.sends_file(path, name="big.bin")
    assert server.count("upload.SaveBigFilePart", anna.account) == 22
    assert not any(call.query.bytes for call in server.calls if call.method == "upload.SaveBigFilePart")
    stored = next(iter(server.files.stored.values()))
    assert stored.blob.read(0, 11 * MIB) == path.read_bytes()
    assert stored.blob.read(5 * MIB - 3, 9) == path.read_bytes()[5 * MIB - 3 : 5 * MIB + 6]


async def test_a_cut_part_leaves_the_download_short(server, bot, bot_client, customer):
    """As a client meets it that does not compare sizes."""
    anna = await customer("Anna")
    await anna.sends_file(server.pattern(3 * MIB))
    got = await last_message(bot_client, server, bot)
    fault = server.faults.short_part(bytes_left=4096, skip=1)
    kept = [chunk async for chunk in bot_client.stream_media(message=got)]
    assert (sum(map(len, kept)), fault.hits) == (MIB + 4096, 1)


async def test_an_expired_reference_is_refused_and_a_fresh_one_comes_with_the_message(
    server, bot, bot_client, customer
):
    anna = await customer("Anna")
    await anna.sends_file(b"x" * 5000)
    old = await last_message(bot_client, server, bot)
    server.expire_references()
    with pytest.raises((errors.FileReferenceExpired, ValueError)):
        await raw_part(bot_client, old)
    fresh = await last_message(bot_client, server, bot)
    assert await raw_part(bot_client, fresh) == b"x" * 5000


async def test_a_part_that_fails_is_sent_again_by_the_client_or_the_message_is_refused(server, bot, customer, tmp_path):
    anna = await customer("Anna")
    fault = server.faults.fail("upload.SaveFilePart", 500, "INTERNAL")
    await anna.sends_file(b"y" * 1000)
    assert fault.hits == 1
    assert server.box(bot)[-1].media.document.size == 1000


def test_parts_are_checked(tmp_path):
    upload = Upload(tmp_path / "parts")
    upload.put(1, b"bb")
    upload.put(0, b"aaaa")
    with pytest.raises(Refusal, match="FILE_PART_2_MISSING"):
        upload.complete(3)
    upload.complete(2)
    assert (upload.size, upload.read(0, 10), upload.read(3, 2)) == (6, b"aaaabb", b"ab")
    upload.put(2, b"c")
    with pytest.raises(Refusal, match="FILE_PART_SIZE_CHANGED"):
        upload.complete(3)
    with pytest.raises(Refusal, match="FILE_PART_TOO_BIG"):
        upload.put(3, bytes(512 * 1024 + 1))
    with pytest.raises(Refusal, match="FILE_PART_INVALID"):
        upload.put(4000, b"d")


def test_a_pattern_is_the_same_wherever_it_is_cut():
    pattern = Pattern(20_000)
    whole = pattern.read(0, 20_000)
    assert len(whole) == 20_000
    assert pattern.read(4095, 3) + pattern.read(4098, 9000) == whole[4095:13098]
    assert pattern.read(19_990, 500) == whole[19_990:]
    assert pattern.read(20_000, 500) == b""
    assert hashlib.sha256(whole).hexdigest() == pattern.sha256()
    assert len({whole[at : at + 32] for at in range(0, 19_968, 32)}) == 624


def named(content):
    stream = io.BytesIO(content)
    stream.name = "x.stl"
    return stream


async def last_message(client, server, bot):
    newest = server.box(bot)[-1]
    return await client.get_messages(chat_id=newest.peer_id.user_id, message_ids=newest.id)


async def raw_part(client, message):
    """One part, asked for by the reference inside the message's file id: errors are not hidden as in a download."""
    from pyrogram.file_id import FileId

    decoded = FileId.decode(message.document.file_id)
    place = raw.types.InputDocumentFileLocation(
        id=decoded.media_id, access_hash=decoded.access_hash, file_reference=decoded.file_reference, thumb_size=""
    )
    part = await client.invoke(raw.functions.upload.GetFile(location=place, offset=0, limit=MIB))
    return part.bytes
