"""Webhooks of plugins by HTTP: signed, typed, one transaction that remembers them, an answer for everything."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

import aiohttp
import pytest

from engine.actions import (
    BadArgument,
    Catalog,
    Money,
    PluginError,
    Refusal,
    Retryable,
    SettingsSignature,
    SignatureError,
    Unreachable,
    Webhook,
    WebhookContext,
    settings,
    webhook,
)
from engine.actions.discovery import discover
from engine.actions.wire import to_json
from engine.app import App, build
from engine.runtime.clock import ManualClock
from engine.runtime.hooks import known_as
from engine.runtime.identity import SeededIds
from engine.runtime.ports import Conflict, StoreFailed
from engine.service.signing import sign
from engine.service.webhooks import Webhooks
from engine.serving_webhooks import Forwarding
from engine.settings import Settings
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.runtime.harness import START, Screen

SECRET = "a" * 32
FLOW = """
flow: pay
entry: {commands: [pay]}
key: "'77'"
steps:
  wait:
    text: Waiting.
    wait: {settled: done}
  done: {text: "Paid {{ wait.amount }}.", end: completed}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    open: bool = True


@dataclass(frozen=True, kw_only=True)
class Line:
    sku: str
    pieces: int = 1


@dataclass(frozen=True, kw_only=True)
class Taken:
    order: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Unknown:
    __status__: ClassVar[int] = 404
    order: str


@dataclass(frozen=True, kw_only=True)
class Later:
    __status__: ClassVar[int] = 202


@webhook(path="/shop/paid")
async def paid(
    context: WebhookContext,
    *,
    order: str,
    amount: Money,
    way: Literal["card", "cash", "fail", "refuse", "again", "hang", "odd", "conflict", "away", "bad"] = "card",
    lines: list[Line] | None = None,
    share: Decimal = Decimal(1),
    at: datetime | None = None,
    day: date | None = None,
    span: timedelta = timedelta(0),
) -> Taken | Unknown | Later:
    """An order was paid."""
    await context.work.execute(
        "INSERT INTO print_orders (number, idempotency_key, chat, document, status, created_at)"
        " VALUES (?, ?, '', ?, ?, 0)",
        (context.delivery, context.delivery, json.dumps([line.sku for line in lines or []]), str(share)),
    )
    context.work.signal("pay", order, "settled", amount=str(amount.minor))
    match way:
        case "fail":
            raise ZeroDivisionError("swordfish")
        case "refuse":
            raise Refusal("closed today")
        case "again":
            raise Unreachable("swordfish")
        case "hang":
            await asyncio.sleep(60)
        case "odd":
            return object()  # type: ignore[return-value]
        case "conflict":
            raise Conflict("in the way")
        case "bad":
            raise BadArgument("not mine")
        case "cash":
            return Later()
        case _:
            pass
    if order == "0":
        return Unknown(order=order)
    assert context.configured(Desk).open
    return Taken(order=order, amount=amount)


CATALOG = Catalog(
    webhooks={"/shop/paid": paid.signature},
    settings={"desk": SettingsSignature(namespace="desk", kind=settings(Desk).kind)},
)


class Rig:
    def __init__(self, app: App, address: str, session: aiohttp.ClientSession, screen: Screen) -> None:
        self.app = app
        self.address = address.removesuffix("/signals")
        self.session = session
        self.screen = screen

    async def post(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        path: str = "/shop/paid",
        delivery: str = "d1",
        secret: str = SECRET,
        age: int = 0,
        method: str = "POST",
        signed: bytes | None = None,
        kind: str = "application/json",
    ) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        moment = int(START.timestamp()) - age
        headers = {
            "Content-Type": kind,
            "Stepgram-Signature": sign(secret, moment, path, raw if signed is None else signed),
            "Stepgram-Id": delivery,
        }
        async with self.session.request(method, self.address + path, data=raw, headers=headers) as answer:
            return answer.status, json.loads(await answer.text() or "{}")

    async def orders(self) -> list[str]:
        async with self.app.store.transaction() as transaction:
            rows = await transaction.query("SELECT number FROM print_orders ORDER BY number")
        return [str(row["number"]) for row in rows]


@pytest.fixture(params=["memory", "sqlite"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "pay.yaml").write_text(FLOW)
    screen = Screen()
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "a.sqlite3")
    app = build(
        Settings(flows=flows, files=tmp_path / "files"),
        channel=screen,
        store=store,
        clock=ManualClock(START),
        ids=SeededIds(1),
        catalog=CATALOG,
        environment={},
    )
    await app.start()
    hooks = Webhooks(
        Forwarding(app),
        secrets=[SECRET],
        host="127.0.0.1",
        port=0,
        clock=ManualClock(START),
        paths=tuple(app.catalog.webhooks),
    )
    address = await hooks.start()
    async with aiohttp.ClientSession() as session:
        yield Rig(app, address, session, screen)
    await hooks.stop()
    await app.stop()


GOOD = {"order": "77", "amount": "5.00 EUR"}


async def test_a_signed_request_is_one_transaction(rig: Rig) -> None:
    await rig.app.runtime.handle(_starts())
    assert await rig.post(GOOD) == (200, {"result": "taken", "order": "77", "amount": "5.00 EUR"})
    assert await rig.orders() == ["d1"]
    await rig.app.run_due()
    assert rig.screen.texts("terminal:anna") == ["Waiting.", "Paid 500."]


def _starts() -> Any:
    from engine.runtime.ports import Envelope
    from engine.runtime.routing import Command

    return Envelope(chat="terminal:anna", update="u1", what=Command(name="pay", payload=""))


async def test_a_repeated_one_is_known(rig: Rig) -> None:
    assert (await rig.post(GOOD))[0] == 200
    assert await rig.post({**GOOD, "order": "78"}) == (200, {"result": "duplicate"})
    assert (await rig.post(GOOD, delivery="d2"))[1]["result"] == "taken"
    assert await rig.orders() == ["d1", "d2"]


async def test_many_at_once_are_one(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.post(GOOD) for _ in range(10)))
    assert sorted(answer["result"] for _, answer in answers) == ["duplicate"] * 9 + ["taken"]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"secret": "b" * 32}, 401),
        ({"age": 301}, 401),
        ({"age": -301}, 401),
        ({"signed": b"{}"}, 401),
        ({"method": "GET"}, 405),
        ({"kind": "text/plain"}, 415),
        ({"delivery": "x" * 201}, 400),
    ],
)
async def test_what_is_refused_changes_nothing(rig: Rig, more: dict[str, Any], status: int) -> None:
    assert (await rig.post(GOOD, **more))[0] == status
    assert await rig.orders() == []
    assert (await rig.post(GOOD))[1]["result"] == "taken"


async def test_too_much_is_refused(rig: Rig) -> None:
    assert (await rig.post(b'{"order": "' + b"x" * 70_000 + b'"}'))[0] == 413


async def test_a_path_that_nobody_has_is_404(rig: Rig) -> None:
    moment = int(START.timestamp())
    headers = {"Stepgram-Signature": sign(SECRET, moment, "/shop/other", b"{}"), "Content-Type": "application/json"}
    async with rig.session.post(rig.address + "/shop/other", data=b"{}", headers=headers) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"amount": "5.00 EUR"}, "“order” is missing"),
        ({"order": 77, "amount": "5.00 EUR"}, "“order”"),
        ({"order": "77", "amount": "5 euros"}, "“amount”"),
        ({"order": "77", "amount": 5}, "“amount”"),
        ({"order": "77", "amount": "5.005 EUR"}, "“amount”"),
        ({**GOOD, "way": "barter"}, "“way”"),
        ({**GOOD, "lines": [{"sku": 1}]}, "“lines”[0].sku"),
        ({**GOOD, "lines": {}}, "“lines”"),
        ({**GOOD, "share": "a half"}, "“share”"),
        ({**GOOD, "at": "2026-11-20T12:00:00"}, "“at”"),
        ({**GOOD, "day": "2026-13-01"}, "“day”"),
        ({**GOOD, "span": 1e30}, "“span”"),
        ({**GOOD, "order": None}, "“order” is missing"),
        (b"[]", "JSON object"),
        (b"{", "no JSON"),
        (b'{"order": NaN}', "no number"),
        (b"[" * 30_000, "inside each other"),
        (b"\xff", "JSON"),
    ],
)
async def test_what_does_not_fit_is_told_and_not_remembered(rig: Rig, body: Any, said: str) -> None:
    status, answer = await rig.post(body)
    assert status == 400
    assert said in answer["error"]
    assert (await rig.post(GOOD))[1]["result"] == "taken"


async def test_every_kind_is_read_and_more_than_is_asked_is_left_alone(rig: Rig) -> None:
    status, answer = await rig.post(
        {
            "order": "77",
            "amount": {"amount": 5.5, "currency": "EUR"},
            "lines": [{"sku": "a", "colour": "red"}, {"sku": "b", "pieces": 3}],
            "share": 0.25,
            "at": "2026-11-20T12:00:00Z",
            "day": "2026-11-20",
            "span": 1.5,
            "extra": {"deep": [1]},
        }
    )
    assert (status, answer["amount"]) == (200, "5.50 EUR")
    async with rig.app.store.transaction() as transaction:
        (row,) = await transaction.query("SELECT document, status FROM print_orders")
    assert (row["document"], row["status"]) == ('["a", "b"]', "0.25")


async def test_the_outcome_says_the_status(rig: Rig) -> None:
    assert await rig.post({**GOOD, "way": "cash"}) == (202, {"result": "later"})
    assert await rig.orders() == ["d1"]


async def test_a_bad_status_undoes_everything_and_remembers_nothing(rig: Rig) -> None:
    body = {**GOOD, "order": "0"}
    assert await rig.post(body, delivery="d2") == (404, {"result": "unknown", "order": "0"})
    assert await rig.orders() == []
    assert (await rig.post(GOOD, delivery="d2"))[1]["result"] == "taken"


@pytest.mark.parametrize(
    ("way", "status", "said"),
    [
        ("fail", 503, "send it again"),
        ("again", 503, "send it again"),
        ("refuse", 422, "closed today"),
        ("odd", 500, "Not taken"),
        ("conflict", 503, "send it again"),
        ("bad", 500, "Not taken"),
    ],
)
async def test_what_fails_is_undone_and_tells_no_secret(rig: Rig, way: str, status: int, said: str, caplog) -> None:
    code, answer = await rig.post({**GOOD, "way": way})
    assert code == status
    assert said in answer["error"]
    assert "swordfish" not in str(answer)
    assert await rig.orders() == []
    assert (await rig.post(GOOD))[1]["result"] == "taken"


async def test_one_that_takes_too_long_is_cut(tmp_path: Path) -> None:
    quick = webhook(path="/slow", timeout=0.05)(paid.signature.function)
    store = MemoryStore()
    app = _app(tmp_path, store, Catalog(webhooks={"/slow": quick.signature}))
    await app.start()
    answer = await app.runtime.beside.webhook("/slow", "d", json.dumps({**GOOD, "way": "hang"}).encode())
    assert answer.status == 503
    assert not await store.seen(known_as("/slow", "d"))
    await app.stop()


class Away(MemoryStore):
    def transaction(self) -> Any:
        raise StoreFailed("the disk is full")


async def test_while_the_store_is_away_the_sender_is_to_come_again(tmp_path: Path) -> None:
    app = _app(tmp_path, Away(), CATALOG)
    await app.start()
    answer = await app.runtime.beside.webhook("/shop/paid", "d", json.dumps(GOOD).encode())
    assert answer.status == 503
    await app.stop()


def _app(tmp_path: Path, store: Any, catalog: Catalog) -> App:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "pay.yaml").write_text(FLOW)
    return build(
        Settings(flows=flows, files=tmp_path / "files"),
        channel=Screen(),
        store=store,
        clock=ManualClock(START),
        ids=SeededIds(1),
        catalog=catalog,
        environment={},
    )


def test_long_ids_are_known_by_their_digest() -> None:
    assert known_as("/a", "1") == "webhook:/a:1"
    assert len(known_as("/" + "a" * 190, "x" * 200)) == 72
    assert known_as("/a", "x" * 200) != known_as("/a", "x" * 199 + "y")


def test_values_as_json() -> None:
    assert to_json(
        {
            "a": Decimal("0.00000001"),
            "b": datetime(2026, 1, 1, tzinfo=UTC),
            "c": timedelta(minutes=1),
            "d": (Money(minor=1, asset="BTC"), None, True, 3, "x"),
        }
    ) == {"a": "0.00000001", "b": "2026-01-01T00:00:00+00:00", "c": 60.0, "d": ["0.00000001 BTC", None, True, 3, "x"]}


# --- what cannot be a webhook -----------------------------------------------------------------------------


async def fine(context: WebhookContext, *, order: str) -> Taken:
    """Takes it."""
    raise Retryable(order)


async def silent(context: WebhookContext) -> Taken:
    raise Retryable("x")


async def elsewhere(context: int) -> Taken:
    """Another context."""
    raise Retryable("x")


@dataclass(frozen=True)
class Duplicate:
    a: int


@dataclass(frozen=True)
class Odd:
    __status__: ClassVar[int] = 99


@dataclass(frozen=True)
class Telling:
    result: str


async def repeats(context: WebhookContext) -> Duplicate:
    """Answers with the engine's own word."""
    raise Retryable("x")


async def odd(context: WebhookContext) -> Odd:
    """Has a status that is none."""
    raise Retryable("x")


async def telling(context: WebhookContext) -> Telling:
    """Has a field that the answer has already."""
    raise Retryable("x")


@pytest.mark.parametrize(
    ("function", "path", "said"),
    [
        (fine, "paid", "no path"),
        (fine, "/paid/", "no path"),
        (fine, "/a b", "no path"),
        (fine, "/{x}", "no path"),
        (fine, "/" + "a" * 300, "no path"),
        (fine, "/signals/pay", "engine's own"),
        (silent, "/a", "docstring"),
        (elsewhere, "/a", "WebhookContext"),
        (repeats, "/a", "duplicate"),
        (odd, "/a", "200 to 599"),
        (telling, "/a", "result"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused(function: Any, path: str, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        webhook(path=path)(function)


def test_the_path_is_needed() -> None:
    with pytest.raises(SignatureError, match="path"):
        webhook(fine)
    assert isinstance(webhook(path="/a")(fine), Webhook)


def test_two_of_one_path_stop_the_start(tmp_path: Path) -> None:
    text = (
        "from dataclasses import dataclass\nfrom engine.actions import WebhookContext, webhook\n\n"
        "@dataclass(frozen=True)\nclass Done:\n    pass\n\n@webhook(path='/same')\n"
        "async def take(context: WebhookContext) -> Done:\n    '''Takes.'''\n    return Done()\n"
    )
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(PluginError, match="the path “/same” is offered twice"):
        discover([tmp_path], entry_points=False)
