"""Files from the page: limits, breaks, repeats, names; and how files and pictures are given out again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine.channels.web.pictures import disposition, image_kind, qr_png
from engine.channels.web.uploads import clean_name, mime_of
from tests.channels.web.site import PNG, Page, Site, new_id


async def asked_for_files(site: Site) -> Page:
    page = await site.page()
    await page.says("/send")
    await page.sees("Your files")
    return page


async def test_a_file_reaches_the_flow(site: Site) -> None:
    page = await asked_for_files(site)
    name = '../..\\weird <b>&\u202e "quote".stl'
    status, answer = await site.upload(page, name, b"solid")
    assert (status, answer) == (200, {"ok": True})
    await page.sees("weird &lt;b&gt;&amp;", revision=1)
    entry = next(one for one in page.entries.values() if one["kind"] == "file")
    clean = 'weird <b>& "quote".stl'
    assert entry["file"] == {"name": clean, "size": 5, "url": f"/file/{entry['id']}", "image": False}
    await page.sees("weird &lt;b&gt;&amp;", revision=1)
    assert [path.read_bytes() for path in site.files()] == [b"solid"]
    given = await site.get(entry["file"]["url"])
    assert await given.read() == b"solid"
    assert given.headers["Content-Disposition"].startswith(
        "attachment; filename=\"weird <b>& _quote_.stl\"; filename*=UTF-8''weird%20"
    )
    assert given.content_type == "application/octet-stream"
    assert "sandbox" in given.headers["Content-Security-Policy"]


async def test_an_image_may_be_looked_at_and_a_script_may_not(site: Site) -> None:
    page = await asked_for_files(site)
    await site.upload(page, "a.png", PNG, kind="photo")
    await site.upload(page, "b.svg", b"<svg onload='alert(1)'/>", kind="photo")
    await site.upload(page, "c.stl", b"x", kind="photo")
    while len([one for one in page.entries.values() if "file" in one]) < 3:
        await asyncio.sleep(0.01)
    png, svg, stl = sorted((one for one in page.entries.values() if "file" in one), key=lambda one: int(one["id"]))
    assert (png["kind"], png["file"]["image"]) == ("photo", True)
    assert (svg["kind"], svg["file"]["image"]) == ("photo", False)
    assert (stl["kind"], stl["file"]["image"]) == ("file", False)
    shown = await site.get(png["file"]["url"])
    assert (shown.content_type, shown.headers["Content-Disposition"][:6]) == ("image/png", "inline")
    hidden = await site.get(svg["file"]["url"])
    assert (hidden.content_type, hidden.headers["Content-Disposition"][:10]) == (
        "application/octet-stream",
        "attachment",
    )
    assert (await site.get(f"/picture/{png['id']}")).content_type == "image/png"
    assert (await site.get(f"/picture/{svg['id']}")).status == 404


@pytest.mark.parametrize("declared", [True, False])
async def test_a_file_that_is_too_large_leaves_nothing(site: Site, declared: bool) -> None:
    page = await asked_for_files(site)
    status, answer = await site.upload(page, "big.stl", b"x" * 400_000 if declared else _stream(400_000))
    assert (status, answer["ok"]) == (413, False)
    assert "97.7 kB" in answer["error"]
    assert site.files() == []
    assert (await site.upload(page, "edge.stl", b"x" * 100_000))[0] == 200
    assert not any("big.stl" in str(entry) for entry in page.entries.values())


async def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    page = await asked_for_files(site)
    port = int(site.base.rpartition(":")[2])
    key = new_id()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /upload?person={page.id}&id={key}&name=a.stl HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Origin: {site.base}\r\nContent-Length: 50000\r\n\r\n"
    )
    writer.write(head.encode() + b"x" * 20_000)
    await writer.drain()
    while not site.files():
        await asyncio.sleep(0.01)
    writer.transport.abort()
    while site.files():
        await asyncio.sleep(0.01)
    assert (await site.upload(page, "a.stl", b"y" * 50, key=key))[0] == 200
    assert [len(path.read_bytes()) for path in site.files()] == [50]
    assert reader.at_eof() or reader.exception() is not None


async def test_the_same_upload_twice_is_one_file(site: Site) -> None:
    page, key = await asked_for_files(site), new_id()
    for _ in range(3):
        assert await site.upload(page, "a.stl", b"once", key=key) == (200, {"ok": True})
    same = new_id()
    both = await asyncio.gather(*(site.upload(page, "b.stl", _stream(3000, b"b"), key=same) for _ in range(2)))
    assert both == [(200, {"ok": True})] * 2
    await page.sees("b.stl")
    assert len(site.files()) == 2
    assert sum(one["kind"] == "file" for one in page.entries.values()) == 2


async def test_an_empty_file_is_for_the_flow_to_refuse(site: Site) -> None:
    page = await asked_for_files(site)
    assert (await site.upload(page, "empty.stl", b""))[0] == 200
    await page.sees("empty")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"person": "nobody"}, 404),
        ({"person": "../x"}, 404),
        ({"key": "no uuid"}, 400),
        ({"key": "../../../../etc/passwd"}, 400),
        ({"kind": "program"}, 400),
    ],
)
async def test_a_bad_upload_is_refused_with_a_sentence(site: Site, changed: dict[str, str], status: int) -> None:
    page = await site.page()
    answered, answer = await site.upload(page, "a.stl", b"x", **changed)
    assert (answered, answer["ok"], answer["error"][-1]) == (status, False, ".")
    assert site.files() == []


async def test_a_full_disk_is_said_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await site.page()

    async def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(site.app.files, "put", full)
    status, answer = await site.upload(page, "a.stl", b"x")
    assert (status, answer["ok"]) == (507, False)


async def test_a_journal_that_fails_leaves_no_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await site.page()

    async def broken(*_args: object) -> None:
        raise RuntimeError("no journal")

    monkeypatch.setattr(site.feed, "append", broken)
    assert (await site.upload(page, "a.stl", b"x"))[0] == 500
    assert site.files() == []
    key = new_id()
    await page.send(type="text", id=key, text="hello")
    assert (await page.until("refused", id=key))["text"].endswith(".")


# --- pictures -----------------------------------------------------------------------------------------------


async def test_the_rest_of_the_questions_and_a_code_to_scan(site: Site) -> None:
    page = await asked_for_files(site)
    await site.upload(page, "a.stl", b"solid")
    await page.sees("a.stl")
    await page.presses("Done")
    number = await page.sees("Your number?")
    assert set(number["accepts"]) == {"text", "contact"}
    assert number["share"]["contact"]
    await page.inputs("contact", phone="+49 30 901820")
    place = await page.sees("Where are you?")
    assert place["accepts"] == ["location"]
    assert place["share"]["location"]
    await page.inputs("location", latitude=52.5, longitude=13.4)
    code = await page.sees("Scan +4930901820")
    assert urlsplit(code["picture"]).path == f"/picture/{code['id']}"
    png = await site.get(code["picture"])
    assert (png.content_type, (await png.read())[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    kinds = {entry["kind"]: entry for entry in page.entries.values()}
    assert kinds["contact"]["phone"] == "+49 30 901820"
    assert (kinds["location"]["latitude"], kinds["location"]["longitude"]) == (52.5, 13.4)


async def test_pictures_of_flows_and_of_customers(site: Site) -> None:
    page = await site.page()
    await page.says("/picture")
    logo = await page.sees("Like this one?")
    assert await (await site.get(logo["picture"])).read() == PNG
    (site.folder / "flows" / "logo.png").unlink()
    gone = await site.get(logo["picture"])
    assert (gone.status, gone.content_type) == (404, "image/svg+xml")
    await site.upload(page, "me.png", PNG + b"!", kind="photo")
    mine = await page.sees("Yours")
    assert await (await site.get(mine["picture"])).read() == PNG + b"!"
    for path in site.files():
        path.unlink()
    assert (await site.get(mine["picture"])).status == 404
    photo = next(one for one in page.entries.values() if one["kind"] == "photo")
    assert (await site.get(photo["file"]["url"])).status == 404


def test_names_are_cleaned() -> None:
    names = {"a/b/c.stl": "c.stl", "C:\\x\\y.stl": "y.stl", "": "file", "..": "file", "a/": "file", "\x00\r\n": "file"}
    for given, clean in names.items():
        assert clean_name(given) == clean
    long = clean_name("n" * 500 + ".stl")
    assert (len(long), long[-5:]) == (200, "n.stl")
    assert mime_of("x.PNG") == "image/png"
    assert mime_of("data:text/html,x.png?") == "application/octet-stream"
    assert disposition('ü\n"\\%.stl', inline=False) == (
        "attachment; filename=\"_____.stl\"; filename*=UTF-8''%C3%BC%0A%22%5C%25.stl"
    )


def test_a_code_is_sharp_and_has_an_end(tmp_path: Path) -> None:
    assert qr_png("x" * 5000) is None
    png = qr_png("bitcoin:x?amount=1")
    assert png is not None
    assert int.from_bytes(png[16:20]) >= 480
    place = tmp_path / "x"
    for content, kind in (
        (b"RIFF0000WEBP", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"<svg", None),
    ):
        place.write_bytes(content)
        assert image_kind(place) == kind


async def _stream(size: int, byte: bytes = b"x") -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield byte * 1000
        await asyncio.sleep(0)
