"""Signals by HTTP: who may send them, what is answered, and that nothing is answered before it is durable."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from engine.runtime.clock import ManualClock
from engine.runtime.sending import LARGEST_PAYLOAD, Sent
from engine.service.signing import sign
from engine.service.webhooks import CannotListen, Webhooks
from storage.errors import StoreError
from storage.memory import MemoryStore
from tests.runtime.flows import PAY
from tests.runtime.harness import assemble

SECRET, OTHER = "a" * 32, "b" * 40
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PATH = "/signals/pay/77/settled"


class Engine:
    """Takes signals as the test says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str, Mapping[str, Any], str | None]] = []
        self.sent: Sent | Exception = Sent.DELIVERED
        self.gate: asyncio.Event | None = None
        self.waiting = 0

    async def signal(
        self, flow: str, key: str, name: str, payload: Mapping[str, Any], update: str | None = None
    ) -> Sent:
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
        if isinstance(self.sent, Exception):
            raise self.sent
        self.taken.append((flow, key, name, payload, update))
        return self.sent


class Rig:
    def __init__(self, engine: Engine, clock: ManualClock, address: str, session: aiohttp.ClientSession) -> None:
        self.engine = engine
        self.clock = clock
        self.address = address.removesuffix("/signals")
        self.session = session

    async def post(
        self,
        body: bytes = b"{}",
        path: str = PATH,
        *,
        secret: str = SECRET,
        age: int = 0,
        headers: Mapping[str, str] | None = None,
        signature: str | None = None,
        method: str = "POST",
    ) -> tuple[int, dict[str, str]]:
        moment = int(self.clock.now().timestamp()) - age
        signed = sign(secret, moment, path, body) if signature is None else signature
        given = {"Content-Type": "application/json", "Stepgram-Signature": signed, **(headers or {})}
        url = URL(self.address + path, encoded=True)
        async with self.session.request(method, url, data=body, headers=given) as answer:
            return answer.status, json.loads(await answer.text() or "{}")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    engine, clock = Engine(), ManualClock(NOW)
    webhooks = Webhooks(engine, secrets=[OTHER, SECRET], host="127.0.0.1", port=0, clock=clock)
    address = await webhooks.start()
    async with aiohttp.ClientSession() as session:
        yield Rig(engine, clock, address, session)
    await webhooks.stop()
    await webhooks.stop()


async def test_a_signed_signal_is_taken_with_its_payload(rig: Rig) -> None:
    body = b'{"amount": 12.50, "paid": true, "tags": ["a"], "n": 123456789012345678901234567890, "none": null}'
    assert await rig.post(body, headers={"Stepgram-Id": "pay-1"}) == (200, {"result": "delivered"})
    ((flow, key, name, payload, update),) = rig.engine.taken
    assert (flow, key, name, update) == ("pay", "77", "settled", "pay-1")
    assert payload == {
        "amount": Decimal("12.50"), "paid": True, "tags": ["a"], "n": 123456789012345678901234567890, "none": None,
    }  # fmt: skip


@pytest.mark.parametrize("secret", [SECRET, OTHER])
async def test_any_of_the_secrets_will_do(rig: Rig, secret: str) -> None:
    assert (await rig.post(secret=secret))[0] == 200


@pytest.mark.parametrize("sent", [Sent.DELIVERED, Sent.KEPT, Sent.DUPLICATE, Sent.LATE])
async def test_what_became_of_it_is_answered(rig: Rig, sent: Sent) -> None:
    rig.engine.sent = sent
    assert await rig.post() == (200, {"result": sent.value})


@pytest.mark.parametrize("sent", [Sent.UNKNOWN_FLOW, Sent.UNKNOWN_SIGNAL])
async def test_what_no_flow_knows_is_404(rig: Rig, sent: Sent) -> None:
    rig.engine.sent = sent
    status, answer = await rig.post()
    assert status == 404
    assert "“" in answer["error"]


async def test_odd_keys_come_through_whole(rig: Rig) -> None:
    await rig.post(path="/signals/pay/a%2Fb%20%C5%BC%252F/settled")
    assert rig.engine.taken[0][1] == "a/b ż%2F"


async def test_a_key_may_have_a_line_break(rig: Rig) -> None:
    assert (await rig.post(path="/signals/pay/a%0Ab/settled"))[0] == 200
    assert rig.engine.taken[0][1] == "a\nb"


async def test_a_body_that_is_not_packed_as_it_says_is_refused(rig: Rig) -> None:
    status, answer = await rig.post(headers={"Content-Encoding": "gzip"})
    assert (status, "cannot be read" in answer["error"]) == (400, True)
    assert rig.engine.taken == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/signals/pay/77", 404),
        ("/signals/pay/77/settled/more", 404),
        ("/signals/pay/%FF/settled", 404),
        ("/signals//77/settled", 400),
        ("/signals/pay//settled", 400),
        ("/signals/pay/77/", 400),
        ("/signals/pay/77/settled?x=1", 400),
        ("/signals/", 404),
        ("/other/pay/77/settled", 404),
        ("/", 404),
    ],
)
async def test_another_path_is_told_so(rig: Rig, path: str, status: int) -> None:
    url = URL(rig.address + path, encoded=True)
    signed = sign(SECRET, int(NOW.timestamp()), path, b"{}")
    headers = {"Content-Type": "application/json", "Stepgram-Signature": signed}
    async with rig.session.post(url, data=b"{}", headers=headers) as answer:
        assert answer.status == status
    assert rig.engine.taken == []


@pytest.mark.parametrize(
    "signature",
    ["", "t=1", "v1=00", f"t={int(NOW.timestamp())},v1={'0' * 64}", sign("c" * 32, int(NOW.timestamp()), PATH, b"{}"),
     sign(SECRET, int(NOW.timestamp()), PATH + "x", b"{}"), sign(SECRET, int(NOW.timestamp()), PATH, b"{ }")],
)  # fmt: skip
async def test_unsigned_or_wrongly_signed_is_401_and_nothing_is_taken(rig: Rig, signature: str) -> None:
    status, answer = await rig.post(signature=signature)
    assert status == 401
    assert SECRET not in str(answer)
    assert rig.engine.taken == []


@pytest.mark.parametrize("age", [301, -301, 10**9])
async def test_an_old_signature_is_401(rig: Rig, age: int) -> None:
    assert (await rig.post(age=age))[0] == 401
    assert (await rig.post(age=300))[0] == 200
    assert (await rig.post(age=-300))[0] == 200


async def test_a_repeated_delivery_has_the_same_id_and_another_one_has_not(rig: Rig) -> None:
    for age in (0, 0, 1):
        await rig.post(age=age)
    await rig.post(b'{"a": 1}')
    first, again, later, other = [update for *_, update in rig.engine.taken]
    assert first == again
    assert len({first, later, other}) == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"text"', b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}',
     b'{"a": 1' + b"0" * 5000 + b"}", b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"],
)  # fmt: skip
async def test_what_is_no_json_object_is_400(rig: Rig, body: bytes) -> None:
    assert (await rig.post(body))[0] == 400
    assert rig.engine.taken == []


async def test_the_size_has_a_bound(rig: Rig) -> None:
    fits = b'{"a": "' + b"x" * (LARGEST_PAYLOAD - 9) + b'"}'
    assert len(fits) == LARGEST_PAYLOAD
    assert (await rig.post(fits))[0] == 200
    assert (await rig.post(fits + b" "))[0] == 413
    assert (await rig.post(b"x" * 5_000_000))[0] == 413


async def test_another_type_or_method_is_told_so(rig: Rig) -> None:
    assert (await rig.post(headers={"Content-Type": "text/plain"}))[0] == 415
    assert (await rig.post(headers={"Content-Type": "application/json; charset=utf-8"}))[0] == 200
    assert (await rig.post(method="PUT"))[0] == 405
    assert (await rig.post(headers={"Stepgram-Id": "x" * 201}))[0] == 400


async def test_a_store_that_is_away_is_503_and_says_when_to_come_again(rig: Rig) -> None:
    rig.engine.sent = StoreError("The database is full, secret things.")
    path = URL(rig.address + PATH)
    headers = {
        "Content-Type": "application/json",
        "Stepgram-Signature": sign(SECRET, int(NOW.timestamp()), PATH, b"{}"),
    }
    async with rig.session.post(path, data=b"{}", headers=headers) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert "secret" not in await answer.text()
    rig.engine.sent = Sent.DELIVERED
    assert (await rig.post())[0] == 200


async def test_it_answers_after_the_signal_is_durable_and_never_before(rig: Rig) -> None:
    rig.engine.gate = asyncio.Event()
    asking = asyncio.create_task(rig.post())
    await asyncio.wait({asking}, timeout=0.2)
    assert not asking.done()
    rig.engine.gate.set()
    assert (await asking)[0] == 200


async def test_too_many_at_once_are_sent_away_for_a_moment(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.webhooks.MOST_AT_ONCE", 2)
    rig.engine.gate = asyncio.Event()
    asking = [asyncio.create_task(rig.post()) for _ in range(2)]
    async with asyncio.timeout(5):
        while rig.engine.waiting < 2:
            await asyncio.sleep(0.01)
    assert (await rig.post())[0] == 429
    rig.engine.gate.set()
    assert [status for status, _ in await asyncio.gather(*asking)] == [200, 200]
    assert (await rig.post())[0] == 200


async def test_a_body_that_does_not_come_is_not_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.webhooks.BODY_TIME", 0.1)
    url = URL(rig.address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    signature = sign(SECRET, int(NOW.timestamp()), PATH, b"{}")
    writer.write(
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
        f"Stepgram-Signature: {signature}\r\n\r\n{{".encode()
    )
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_what_is_no_http_at_all_ends_nothing(rig: Rig) -> None:
    url = URL(rig.address)
    for rubbish in (b"\0\1\2\r\n\r\n", b"GET\r\n\r\n", b"POST /signals/\xff HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(rubbish)
        writer.write_eof()
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
    assert (await rig.post())[0] == 200


async def test_a_port_that_is_taken_is_told_with_the_setting(rig: Rig) -> None:
    port = URL(rig.address).port or 0
    webhooks = Webhooks(rig.engine, secrets=[SECRET], host="127.0.0.1", port=port, clock=rig.clock)
    with pytest.raises(CannotListen, match="STEPGRAM_WEBHOOK_PORT"):
        await webhooks.start()
    with pytest.raises(ValueError, match="secret"):
        Webhooks(rig.engine, secrets=[], host="127.0.0.1", port=0, clock=rig.clock)


async def test_through_the_engine_and_back_by_a_repeated_delivery(tmp_path: Path) -> None:
    bot = assemble(tmp_path, {"pay": PAY}, store=MemoryStore())
    await bot.app.start()
    webhooks = Webhooks(bot.app.runtime, secrets=[SECRET], host="127.0.0.1", port=0, clock=bot.clock)
    address = await webhooks.start()
    async with aiohttp.ClientSession() as session:
        rig = Rig(Engine(), bot.clock, address, session)
        assert await rig.post(path="/signals/pay/88/settled") == (200, {"result": "kept"})
        await bot.command("pay")
        await bot.types("77")
        assert await rig.post() == (200, {"result": "delivered"})
        assert bot.last == "How was it?"
        assert await rig.post() == (200, {"result": "duplicate"})
        await bot.types("fine")
        assert await rig.post(b'{"again": 1}') == (200, {"result": "late"})
        assert (await rig.post(path="/signals/pay/77/other"))[0] == 404
        bot.clock.advance(timedelta(minutes=6).total_seconds())
        assert (await rig.post(age=360))[0] == 401
    await webhooks.stop()
    await bot.app.stop()
