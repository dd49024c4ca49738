"""HTTP without Python, against a real server: outcomes, hosts, secrets, redirects, limits."""

import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import ClientSession, web

from engine.actions import Context, Refusal, Retryable, UnknownSecret, Unreachable, Written, failure, invoke
from engine.actions.discovery import builtin_catalog
from engine.actions.testing import context
from engine.core.values import UNSET, Money

ACTIONS = builtin_catalog().actions


class Api:
    """What the server was asked, and where it runs."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.port = 0
        self.elsewhere = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            {
                "method": request.method,
                "query": dict(request.query),
                "headers": dict(request.headers),
                "body": await request.text(),
            }
        )
        match request.path:
            case "/json":
                return web.json_response({"price": 12.50, "items": [1, None]}, status=201)
            case "/plain":
                return web.Response(text="hello")
            case "/echo":
                status = int(request.query["status"])
                return web.json_response({"detail": f"got {request.headers['Authorization']}"}, status=status)
            case "/word":
                return web.json_response({"detail": request.headers["Authorization"].split()[1]}, status=401)
            case "/big":
                return web.Response(text="x" * (1024 * 1024 + 1))
            case "/moved":
                raise web.HTTPSeeOther("/json")
            case "/away":
                raise web.HTTPTemporaryRedirect(self.elsewhere)
            case "/loop":
                raise web.HTTPFound("/loop")
            case _:
                status = int(request.path.strip("/"))
                return web.json_response({"detail": f"status {status} it is"}, status=status)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    server = Api()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    server.elsewhere = f"http://localhost:{server.port}/json"
    yield server
    await runner.cleanup()


def world(session: ClientSession, hosts: tuple[str, ...] = ("127.0.0.1",)) -> Context:
    return context(http=session, allowed_hosts=hosts, secrets={"crm_token": "Bearer s3cret"})


async def test_http_get(api: Api, session: ClientSession) -> None:
    outcome, found = await invoke(
        ACTIONS["http.get"],
        world(session),
        {
            "url": f" {api.url}/json ",
            "query": {"q": "O'Brien & Co", "page": 2},
            "headers": {"X-Shop": "north"},
            "secret_headers": {"Authorization": "crm_token"},
            "timeout": 5,
        },
    )
    assert outcome == "ok"
    assert found["json"] == {"price": Decimal("12.5"), "items": (1, None)}
    assert (found["status"], json.loads(str(found["text"]))["price"]) == (201, 12.5)
    (asked,) = api.asked
    assert asked["query"] == {"q": "O'Brien & Co", "page": "2"}
    assert asked["headers"]["Authorization"] == "Bearer s3cret"
    assert asked["headers"]["X-Shop"] == "north"
    assert asked["headers"]["Idempotency-Key"] == "testtest01/1.do"


@pytest.mark.parametrize("method", ["post", "put"])
async def test_http_post_and_http_put(api: Api, session: ClientSession, method: str) -> None:
    body = {"name": "Zoë", "lines": ({"n": 1, "price": Decimal("2.50")},), "none": None}
    outcome, found = await invoke(ACTIONS[f"http.{method}"], world(session), {"url": f"{api.url}/plain", "json": body})
    assert (outcome, found) == ("ok", {"status": 200, "json": None, "text": "hello"})
    (asked,) = api.asked
    assert asked["method"] == method.upper()
    assert json.loads(asked["body"]) == {"name": "Zoë", "lines": [{"n": 1, "price": 2.5}], "none": None}
    assert asked["headers"]["Content-Type"] == "application/json"


async def test_what_json_has_no_kind_for_goes_exactly(api: Api, session: ClientSession) -> None:
    body = {
        "price": Money(minor=1250, asset="EUR"),
        "coins": Money(minor=1, asset="BTC"),
        "rate": Decimal("0.10000000000000000001"),
        "large": Decimal("1E+20"),
        "day": date(2026, 12, 31),
        "moment": datetime(2026, 12, 31, 18, tzinfo=timezone(timedelta(hours=1))),
        "hold": timedelta(minutes=30),
        "blink": timedelta(milliseconds=1500),
        "count": 3,
        "missing": UNSET,
    }
    await invoke(ACTIONS["http.post"], world(session), {"url": f"{api.url}/plain", "json": body})
    (asked,) = api.asked
    assert json.loads(asked["body"], parse_float=Decimal) == {
        "price": {"amount": "12.50", "currency": "EUR"},
        "coins": {"amount": "0.00000001", "currency": "BTC"},
        "rate": Decimal("0.10000000000000000001"),
        "large": Decimal("1E+20"),
        "day": "2026-12-31",
        "moment": "2026-12-31T18:00:00+01:00",
        "hold": 1800,
        "blink": Decimal("1.5"),
        "count": 3,
        "missing": None,
    }


async def test_http_delete(api: Api, session: ClientSession) -> None:
    outcome, found = await invoke(ACTIONS["http.delete"], world(session), {"url": f"{api.url}/404"})
    assert (outcome, found, api.asked[0]["method"]) == ("not_found", {"status": 404}, "DELETE")


@pytest.mark.parametrize("status", [400, 401, 409, 422])
async def test_other_refusals(api: Api, session: ClientSession, status: int) -> None:
    outcome, found = await invoke(ACTIONS["http.get"], world(session), {"url": f"{api.url}/{status}"})
    assert (outcome, found) == ("refused", {"status": status, "reason": f"status {status} it is"})


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_passing_troubles_are_retried(api: Api, session: ClientSession, status: int) -> None:
    with pytest.raises(Retryable, match=str(status)):
        await invoke(ACTIONS["http.get"], world(session), {"url": f"{api.url}/{status}"})


async def test_nobody_there_is_unreachable(api: Api, session: ClientSession, unused_tcp_port: int) -> None:
    with pytest.raises(Unreachable) as caught:
        await invoke(ACTIONS["http.get"], world(session), {"url": f"http://127.0.0.1:{unused_tcp_port}/"})
    assert failure(caught.value).retry


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/json",
        "http://127.0.0.1@evil.example/json",
        "http://user:pass@127.0.0.1:{port}/json",
        "http://127.0.0.1.evil.example/",
        "http://evil.example\\@127.0.0.1:{port}/json",
        "ftp://127.0.0.1/json",
        "file:///etc/passwd",
        "/json",
        "http://[",
        "",
    ],
)
async def test_only_allowed_hosts_are_called(api: Api, session: ClientSession, url: str) -> None:
    with pytest.raises(Refusal):
        await invoke(ACTIONS["http.get"], world(session), {"url": url.format(port=api.port)})
    assert api.asked == []


async def test_no_host_is_allowed_unless_named(api: Api, session: ClientSession) -> None:
    for hosts in ((), (f"127.0.0.1:{api.port + 1}",)):
        with pytest.raises(Refusal, match="allowed_hosts"):
            await invoke(ACTIONS["http.get"], world(session, hosts), {"url": f"{api.url}/json"})
    outcome, _ = await invoke(
        ACTIONS["http.get"], world(session, (f"127.0.0.1:{api.port}",)), {"url": f"{api.url}/json"}
    )
    assert outcome == "ok"


async def test_redirects_stay_on_the_host(api: Api, session: ClientSession) -> None:
    outcome, _ = await invoke(ACTIONS["http.post"], world(session), {"url": f"{api.url}/moved", "json": {"a": 1}})
    assert (outcome, api.asked[-1]["method"], api.asked[-1]["body"]) == ("ok", "GET", "")
    api.asked.clear()
    both = world(session, ("127.0.0.1", "localhost"))
    with pytest.raises(Refusal, match="another host"):
        await invoke(ACTIONS["http.get"], both, {"url": f"{api.url}/away"})
    with pytest.raises(Refusal, match="redirects more"):
        await invoke(ACTIONS["http.get"], both, {"url": f"{api.url}/loop"})
    assert all(asked["headers"]["Host"].startswith("127.0.0.1") for asked in api.asked)


async def test_a_huge_answer_is_refused(api: Api, session: ClientSession) -> None:
    with pytest.raises(Refusal, match="1024 KB"):
        await invoke(ACTIONS["http.get"], world(session), {"url": f"{api.url}/big"})


async def test_a_header_is_one_line_and_a_secret_has_a_name(api: Api, session: ClientSession) -> None:
    with pytest.raises(Refusal, match="single line"):
        await invoke(ACTIONS["http.get"], world(session), {"url": f"{api.url}/json", "headers": {"X": "a\r\nEvil: 1"}})
    with pytest.raises(UnknownSecret):
        await invoke(
            ACTIONS["http.get"],
            world(session),
            {"url": f"{api.url}/json", "secret_headers": {"Authorization": "Bearer 123"}},
        )
    assert api.asked == []


async def test_an_answer_that_repeats_a_secret_does_not_bring_it_into_a_text(api: Api, session: ClientSession) -> None:
    secret = {"secret_headers": {"Authorization": "crm_token"}}
    for status, where in ((200, "text"), (200, "json"), (401, "reason")):
        url = f"{api.url}/echo?status={status}"
        _, result = await invoke(ACTIONS["http.get"], world(session), {"url": url, **secret})
        assert "got ***" in str(result[where])
        assert "s3cret" not in str(result)
    _, result = await invoke(ACTIONS["http.get"], world(session), {"url": f"{api.url}/word", **secret})
    assert result["reason"] == "***"
    assert api.asked[-1]["headers"]["Authorization"] == "Bearer s3cret"


def test_texts_are_templates_and_json_is_not() -> None:
    written = {parameter.name: parameter.written for parameter in ACTIONS["http.post"].parameters}
    assert {name for name, how in written.items() if how is Written.TEMPLATE} == {
        "url", "query", "headers", "secret_headers",
    }  # fmt: skip
    assert set(ACTIONS["http.get"].outcomes) == {"ok", "not_found", "refused"}
