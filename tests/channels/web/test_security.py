"""Who gets in: Host, Origin, token; headers of every answer; nothing of the disk but the page's own files."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from engine.channels.web.security import guard_for, is_loopback
from engine.channels.web.server import CannotListen
from tests.channels.web.site import Site

TOKEN = "täken-1234567890"


async def test_every_answer_has_its_headers(site: Site) -> None:
    page = await site.page()
    paths = ["/", "/assets/none.js", "/nowhere", "/picture/1", "/file/1", "/health", "/ws", "/upload"]
    for path in paths:
        answer = await site.get(path)
        assert answer.headers["Content-Security-Policy"].startswith("default-src '"), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] in ("no-store", "no-cache")
        assert answer.headers["Server"] == "stepgram"
    assert "unsafe" not in (await site.get("/")).headers["Content-Security-Policy"]
    assert await (await site.get("/health")).text() == "ok"
    assert page.closed is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "127.0.0.1@evil", "a b", "x" * 5000]
)
async def test_another_name_gets_nothing(site: Site, host: str) -> None:
    for path in ("/", "/health", "/ws", "/file/1"):
        assert (await site.get(path, Host=host)).status in (400, 403)
    assert (await site.get("/health", Host="localhost:1")).status == 200
    assert (await site.get("/health", Host="[::1]:99")).status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://127.0.0.1", "file://", "http://[", "javascript:1"]
)
async def test_only_the_page_itself_may_connect_and_upload(site: Site, origin: str) -> None:
    page = await site.page()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await site.silent(Origin=origin)
    assert refused.value.status == 403
    url = f"{site.base}/upload?person={page.id}&id=x&name=a"
    assert (await site.session.post(url, data=b"1", headers={"Origin": origin})).status == 403
    assert (await site.session.post(url, data=b"1")).status == 403
    assert site.files() == []


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../server.py",
        "/assets/..%2fserver.py",
        "/assets/%2e%2e/server.py",
        "/assets/..%5cserver.py",
        "/assets//etc/passwd",
        "/assets/%2fetc%2fpasswd",
        "/assets/",
        "/assets/index.html%00",
        "/assets/__init__.py",
        "/picture/../../etc/passwd",
        "/picture/-1",
        "/picture/1%2f..%2f2",
        "/picture/999999999999999",
        "/picture/9999999999999999999999999",
        "/file/0x10",
        "/file/..%2f..%2fetc%2fpasswd",
        "/file/%C2%B9",
        "/diagram/..%2f..%2fbot.svg",
        "/../../etc/passwd",
        "/.git/config",
    ],
)
async def test_no_path_leads_out(site: Site, path: str) -> None:
    answer = await site.session.get(URL(site.base + path, encoded=True), allow_redirects=False)
    assert answer.status == 404
    assert b"root:" not in await answer.read()


async def test_assets_are_asked_for_again_and_not_sent_again(site: Site) -> None:
    answer = await site.get("/")
    assert (answer.status, answer.content_type, answer.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    again = await site.get("/", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    assert (await site.get("/", **{"If-None-Match": '"old"'})).status == 200
    assert (await site.get("/assets/index.html")).status == 200


async def test_the_token_opens_the_page_and_nothing_else_does(tmp_path: Path) -> None:
    async with Site(tmp_path, token=TOKEN) as site:
        assert site.address.endswith(f"/?token={TOKEN}")
        for path in ("/", "/assets/index.html", "/file/1", "/?token=", "/?token=wrong", "/?token=t%C3%A4ken"):
            answer = await site.get(path)
            assert answer.status == 401
            assert "default-src" in answer.headers["Content-Security-Policy"]
        assert (await site.get("/health")).status == 200
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await site.silent()
        answer = await site.session.get(site.base + "/", params={"token": TOKEN}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert (await site.get("/")).status == 200
        page = await site.page()
        assert page.person["name"] == "Customer 1"
        site.session.cookie_jar.clear()
        assert (await site.get("/", Cookie="stepgram=ü; stepgram_x=" + "y" * 100)).status == 401


async def test_elsewhere_than_on_loopback_a_token_is_made(tmp_path: Path) -> None:
    async with Site(tmp_path, host="0.0.0.0") as site:
        assert site.server.token is not None
        assert len(site.server.token) == 24
        assert site.address.startswith("http://127.0.0.1:")
        assert (await site.get("/", Host="my-server.local:8080")).status == 401
        assert (await site.session.get(site.address)).status == 200


def test_hosts_and_names() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "LOCALHOST")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "", "192.168.1.2", "localhost.example")] == [False] * 5
    listed = guard_for("192.168.1.2", "t", ["Print.local"])
    assert listed.knows("print.LOCAL:80")
    assert not listed.knows("192.168.1.3")
    assert guard_for("127.0.0.1", None, ["print.local"]).knows("print.local")
    assert guard_for("::1", None).knows("[::1]:8080")
    assert not guard_for("127.0.0.1", "t").knows("evil.example")


async def test_a_port_that_is_taken_is_one_clear_sentence(site: Site) -> None:
    port = int(site.base.rpartition(":")[2])
    with pytest.raises(CannotListen, match=r"the port is taken.*STEPGRAM_WEB_PORT"):
        await site.serve(ports=(port,)).start()
    giving_way = site.serve(ports=(port, 0))
    assert int((await giving_way.start()).rstrip("/").rpartition(":")[2]) != port
    await giving_way.stop()
    with pytest.raises(CannotListen, match="STEPGRAM_WEB_HOST"):
        await site.serve(host="no.such.host.invalid").start()
    assert (await site.get("/health")).status == 200


@pytest.mark.parametrize("cookie", [b"stepgram=\xff\xfe", b"stepgram_%d=\xed\xa0\x80", b"stepgram_%d=\xf0\x9f\x92\xa9"])
async def test_a_cookie_that_is_no_text_opens_nothing_and_breaks_nothing(tmp_path: Path, cookie: bytes) -> None:
    async with Site(tmp_path, host="0.0.0.0", token="open sesame") as site:
        port = URL(site.base).port or 0
        cookie = cookie.replace(b"%d", b"%d" % port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %b\r\nConnection: close\r\n\r\n" % (port, cookie)
        )
        answer = await asyncio.wait_for(reader.read(), 40)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 401"), answer[:80]
