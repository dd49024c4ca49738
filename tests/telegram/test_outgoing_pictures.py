"""Pictures over the loopback server: codes, files of flows, customers' files, and what happens when one is refused."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from engine.channels.telegram.pictures import Pictures, qr_png
from tests.telegram.delivering import Bench, bench, show

PNG = b"\x89PNG\r\n\x1a\n"


def png(colour: int = 0, pad: int = 0) -> bytes:
    """A picture of one pixel, `pad` bytes larger than it has to be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes([0, colour])))
    return PNG + body + (chunk(b"tEXt", b"x" * pad) if pad else b"") + chunk(b"IEND", b"")


@pytest_asyncio.fixture
async def out(tmp_path: Path, bot) -> AsyncIterator[Bench]:
    async with bench(tmp_path, bot) as made:
        yield made


def photos(server) -> int:
    """Pictures whose bytes went up."""
    sends = [call.query.media for call in server.calls if call.method == "messages.SendMedia"]
    return sum(type(media).__name__.startswith("InputMediaUploaded") for media in sends)


async def test_a_code_with_its_text_and_buttons(out, customer, server):
    anna = await customer("Anna")
    await out.post(anna.chat).sends(show("<b>Pay</b> here", photo=("qr", "solana:abc")))
    seen = await anna.sees("Pay here")
    assert (seen.kind, seen.html, seen.labels) == ("photo", "<b>Pay</b> here", ["Yes", "No"])
    assert await anna.downloads(seen.id) == qr_png("solana:abc")


async def test_the_same_picture_goes_up_once(out, customer, server):
    anna, bob = await customer("Anna"), await customer("Bob")
    for who in (anna, bob):
        await out.post(who.chat).sends(show("Pay", photo=("qr", "same")))
        assert (await who.sees("Pay")).kind == "photo"
    assert photos(server) == 1


async def test_an_expired_picture_goes_up_again(out, customer, server):
    anna, bob = await customer("Anna"), await customer("Bob")
    await out.post(anna.chat).sends(show("Pay", photo=("qr", "same")))
    server.expire_references()
    await out.post(bob.chat).sends(show("Pay", photo=("qr", "same")))
    assert (await bob.sees("Pay")).kind == "photo"
    assert photos(server) == 2


async def test_the_caption_is_redrawn_in_place(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Waiting", photo=("qr", "same")))
    first = await anna.sees("Waiting")
    post.channel = out.restarted()
    await post.sends(show("Paid", draw=2, edit=True, photo=("qr", "same")))
    seen = await anna.sees("Paid")
    assert (seen.id, seen.kind) == (first.id, "photo")
    assert photos(server) == 1


async def test_another_picture_is_another_message_unless_telegram_has_it(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("A", photo=("qr", "a")))
    first = await anna.sees("A")
    await post.sends(show("B", draw=2, edit=True, photo=("qr", "b")))
    second = await anna.sees("B", after=first.id)
    await anna.until(lambda: len(anna.received) == 1 or None, "the old one is gone")
    await post.sends(show("Again", draw=3, edit=True, photo=("qr", "a")))
    third = await anna.sees("Again")
    assert (third.id, third.kind) == (second.id, "photo")
    assert await anna.downloads(third.id) == qr_png("a")


async def test_from_picture_to_text_and_back(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("With", photo=("qr", "a")))
    await post.sends(show("Without", draw=2, edit=True))
    assert (await anna.sees("Without")).kind == "text"
    await post.sends(show("Once more", draw=3, edit=True, photo=("qr", "a")))
    assert (await anna.sees("Once more")).kind == "photo"
    await anna.until(lambda: len(anna.received) == 1 or None, "only the newest is left")


async def test_a_stay_is_drawn_in_the_message_of_an_earlier_one(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("One"))
    first = await anna.sees("One")
    await post.sends(replace(show("Two", visit=3, edit=True), over=1))
    seen = await anna.sees("Two")
    assert seen.id == first.id
    post.channel = out.restarted()
    await post.sends(replace(show("Three", visit=5, edit=True, photo=("qr", "a")), over=1))
    assert (await anna.sees("Three")).kind == "photo"
    await post.sends(replace(show("Four", visit=8, edit=True), over=1))
    seen = await anna.sees("Four")
    assert (seen.kind, seen.rows[0][0].data) == ("text", "abc.8.1.k:yes")
    await anna.until(lambda: len(anna.received) == 1 or None, "only the newest is left")


async def test_a_picture_of_the_flows_folder(out, customer):
    anna = await customer("Anna")
    (out.flows / "shop.png").write_bytes(png())
    await out.post(anna.chat).sends(show("Shop", photo=("path", "shop.png")))
    seen = await anna.sees("Shop")
    assert seen.kind == "photo"
    assert await anna.downloads(seen.id) == png()


async def test_a_customers_file(out, customer):
    anna = await customer("Anna")

    async def stream(data: bytes) -> AsyncIterator[bytes]:
        yield data

    picture = await out.files.put(stream(png(7)))
    model = await out.files.put(stream(b"solid cube"))
    post = out.post(anna.chat)
    await post.sends(show("Photo", photo=("value", picture.ref)))
    await post.sends(show("Model", visit=2, photo=("value", model.ref)))
    assert (await anna.sees("Photo")).kind == "photo"
    seen = await anna.sees("Model")
    assert seen.kind == "document"
    assert seen.file_size == len(b"solid cube")


async def test_the_same_row_twice_is_one_picture(out, customer, server):
    anna = await customer("Anna")
    row = await out.post(anna.chat).sends(show("Pay", photo=("qr", "same")))
    await out.restarted().deliver(row)
    server.faults.drop_line("messages.SendMedia")
    again = out.post(anna.chat)
    again.sequence = 10
    await again.sends(show("More", visit=2, photo=("qr", "same")))
    await anna.sees("More")
    assert len(server.box(anna.account)) == 2


@pytest.mark.parametrize(
    "photo", [("path", "../secret.png"), ("path", "gone.png"), ("value", "0" * 24), ("qr", "x" * 9000)]
)
async def test_a_picture_that_is_not_there_leaves_the_text(out, customer, photo, caplog):
    anna = await customer("Anna")
    await out.post(anna.chat).sends(show("Text", photo=photo))
    seen = await anna.sees("Text")
    assert (seen.kind, seen.labels) == ("text", ["Yes", "No"])
    assert "is not there" in caplog.text


async def test_a_photo_that_is_refused_goes_as_a_document(out, customer, server):
    anna = await customer("Anna")
    server.faults.fail("messages.SendMedia", 400, "PHOTO_INVALID_DIMENSIONS")
    (out.flows / "long.png").write_bytes(png())
    await out.post(anna.chat).sends(show("Long", photo=("path", "long.png")))
    seen = await anna.sees("Long")
    assert (seen.kind, seen.file_name) == ("document", "picture.png")


async def test_a_picture_that_is_always_refused_leaves_the_text(out, customer, server):
    anna = await customer("Anna")
    server.faults.fail("messages.SendMedia", 400, "WEBPAGE_MEDIA_EMPTY", times=None)
    await out.post(anna.chat).sends(show("Text", photo=("value", "https://example.org/a.png")))
    assert (await anna.sees("Text")).kind == "text"


async def test_a_caption_that_is_too_long_is_a_message_of_its_own(out, customer):
    anna = await customer("Anna")
    row = out.post(anna.chat).row(show("short", photo=("qr", "a")))
    effect = show("Long " * 300, photo=("qr", "a"))
    payload = msgspec.json.encode({"effect": effect, "reply_to": None})
    await out.channel.deliver(replace(row, payload=payload))
    seen = await anna.sees("Long")
    assert [message.kind for message in anna.received] == ["photo", "text"]
    assert seen.labels == ["Yes", "No"]
    assert anna.received[0].labels == []


async def test_a_large_picture_is_announced(out, customer):
    anna = await customer("Anna")
    (out.flows / "big.png").write_bytes(png(pad=600_000))
    await out.post(anna.chat).sends(show("Big", photo=("path", "big.png")))
    await anna.sees("Big")
    assert "upload_photo" in anna.actions


async def test_more_than_a_photo_may_have_is_a_document(tmp_path, out):
    (out.flows / "huge.png").write_bytes(png(pad=10 * 1024 * 1024))
    (out.flows / "page.png").write_bytes(b"<html>")
    pictures = Pictures(files=out.files, flows=out.flows)
    huge, page = await pictures.find(("path", "huge.png")), await pictures.find(("path", "page.png"))
    assert huge is not None
    assert huge.document
    assert page is not None
    assert page.document, "it is no picture, whatever its name says"


def test_a_code_is_a_picture():
    code = qr_png("hello")
    assert code is not None
    assert io.BytesIO(code).read(8) == PNG


async def test_a_part_that_is_lost_goes_up_again(out, customer, server):
    anna = await customer("Anna")
    fault = server.faults.fail("upload.SaveFilePart", 400, "FILE_PART_INVALID")
    await out.post(anna.chat).sends(show("Pay", photo=("qr", "a")))
    seen = await anna.sees("Pay")
    assert fault.hits == 1
    assert seen.kind == "photo"
    assert await anna.downloads(seen.id) == qr_png("a")
