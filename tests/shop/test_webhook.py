"""Payments told of by another system, over a real HTTP server: only what is signed, fresh and new changes anything."""

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.actions import Money, Voiced
from engine.actions.discovery import builtin_catalog
from engine.app import App, build
from engine.runtime.clock import ManualClock
from engine.runtime.identity import SeededIds
from engine.runtime.sending import LARGEST_PAYLOAD
from engine.service.signing import sign
from engine.service.webhooks import Webhooks
from engine.serving_webhooks import Forwarding
from engine.settings import Settings
from storage.shop import books, facts, stock
from storage.shop.moments import millis
from storage.shop.rules import rules
from storage.shop.settings import ShopSettings
from storage.shop.stock import Line
from storage.shop.transfers import Report, Tip, Transfer
from storage.sqlite_store import SqliteStore
from tests.runtime.harness import START, Screen
from tests.shop.till import COINS, PRICE, settings

PATH = "/cryptoprocessing/order_payment"
SECRET = "s" * 32
ORDER = "ORDER000000000000001"
ADDRESS = "bcrt1qtest"
TXID = "f" * 64
GOOD = {"order": ORDER, "asset": "BTC", "amount": str(COINS), "txid": TXID}
BOT = """
bot: shop
plugins:
  payments: {rates: {fixed: {BTC: 50000.00 EUR}, sources: []}, expires: 30m}
"""
FLOWS = {
    "checkout": "flow: checkout\nsteps:\n  only: {text: Hello., end: completed}\n",
    "order_news": "flow: order_news\nsteps:\n  only: {text: News., end: completed}\n",
    "team_news": "flow: team_news\nsteps:\n  only: {text: News., end: completed}\n",
}
TABLES = ("pay_invoices", "pay_ledger", "pay_refunds", "pay_cases", "shop_orders", "shop_products")


class Rig:
    def __init__(self, app: App, address: str, session: aiohttp.ClientSession, file: Path) -> None:
        self.app = app
        self.address = address.removesuffix("/signals")
        self.session = session
        self.file = file

    async def post(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        delivery: str = "d1",
        age: int = 0,
        header: str | None = None,
        signed: bytes | None = None,
    ) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        text = sign(SECRET, int(START.timestamp()) - age, PATH, raw if signed is None else signed)
        headers = {"Content-Type": "application/json", "Stepgram-Id": delivery}
        if header != "":
            headers["Stepgram-Signature"] = text if header is None else header
        async with self.session.post(self.address + PATH, data=raw, headers=headers) as answer:
            return answer.status, json.loads(await answer.text() or "{}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.file)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def everything(self) -> list[list[tuple[Any, ...]]]:
        return [self.rows(f"SELECT * FROM {table}") for table in TABLES]

    def status(self) -> str:
        return str(self.rows("SELECT status FROM pay_invoices")[0][0])


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "bot.yaml").write_text(BOT)
    for name, text in FLOWS.items():
        (flows / f"{name}.yaml").write_text(text)
    file = tmp_path / "shop.sqlite3"
    app = build(
        Settings(flows=flows, files=tmp_path / "files"),
        channel=Screen(),
        store=SqliteStore(file),
        clock=ManualClock(START),
        ids=SeededIds(1),
        catalog=builtin_catalog(),
        environment={},
    )
    await app.start()
    await _order(app)
    hooks = Webhooks(
        Forwarding(app), secrets=[SECRET], host="127.0.0.1", port=0, clock=ManualClock(START), paths=(PATH,)
    )
    address = await hooks.start()
    async with aiohttp.ClientSession() as session:
        yield Rig(app, address, session, file)
    await hooks.stop()
    await app.stop()


async def _order(app: App) -> None:
    amount, total, now = Money(minor=COINS, asset="BTC"), Money(minor=PRICE, asset="EUR"), millis(START)
    async with app.store.transaction() as transaction:
        work = Voiced(transaction, [])
        await work.execute(
            "INSERT INTO shop_products (sku, name, description, price, currency, stock, reserved, position, active, "
            "origin, digital) VALUES ('A', 'Apple', '', ?, 'EUR', 5, 0, 0, 1, 'test', 0)",
            (PRICE,),
        )
        await work.execute(
            "INSERT INTO shop_orders (id, number, customer, chat, status, total, currency, pay_with, key, created_at, "
            "reason, tracking, extra, version) VALUES (?, 'S-1', 'telegram:7', 'telegram:7', "
            "'created', ?, 'EUR', '', 'k', ?, '', '', '{}', 1)",
            (ORDER, PRICE, now),
        )
        await work.execute(
            "INSERT INTO shop_order_lines (order_id, product_id, sku, name, price, quantity, sold) "
            "VALUES (?, 1, 'A', 'Apple', ?, 1, 0)",
            (ORDER, PRICE),
        )
        await stock.reserve(work, ORDER, [Line(product=1, quantity=1)], START)
        assert await books.insert(
            work,
            order=ORDER, customer="telegram:7", chat="telegram:7", address=ADDRESS, path="m", amount=amount,
            total=total, rate="50000", now=now, expires_at=now + 1_800_000, monitor_until=now + 86_400_000,
            rules=rules(settings(), amount=amount, total=total, practice=False),
        )  # fmt: skip


async def test_seen_then_confirmed(rig: Rig) -> None:
    assert await rig.post(GOOD) == (200, {"result": "recorded", "order": ORDER, "status": "processing"})
    known = {"result": "known", "order": ORDER, "status": "processing"}
    assert await rig.post(GOOD, delivery="d2") == (200, known)
    deep = {**GOOD, "confirmations": 1}
    settled = {"result": "recorded", "order": ORDER, "status": "settled"}
    assert await rig.post(deep, delivery="d3") == (200, settled)
    assert rig.rows("SELECT status FROM shop_orders") == [("paid",)]
    assert rig.rows("SELECT stock, reserved FROM shop_products") == [(4, 0)]
    await rig.post(deep, delivery="d4")
    assert rig.rows("SELECT count(*) FROM pay_refunds") == [(0,)]


async def test_an_amount_is_minor_units_or_coins(rig: Rig) -> None:
    for number, amount in enumerate(["0.00000100", "0.000001", "100"]):
        body = {"address": ADDRESS, "asset": "BTC", "amount": amount, "txid": f"{number}" * 64}
        assert (await rig.post(body, delivery=f"d{number}"))[1]["status"] == "new"
    assert rig.rows("SELECT received FROM pay_invoices") == [("300",)]


SENSELESS: list[tuple[Mapping[str, Any], int]] = [
    ({"amount": "-1"}, 422),
    ({"amount": "0"}, 422),
    ({"amount": "1e3"}, 422),
    ({"amount": "0.000000001"}, 422),
    ({"amount": "9" * 60}, 422),
    ({"amount": 20000}, 400),
    ({"txid": ""}, 422),
    ({"txid": "x" * 129}, 422),
    ({"txid": "a b c d e"}, 422),
    ({"position": "x" * 65}, 422),
    ({"confirmations": -1}, 422),
    ({"height": 2**60}, 422),
    ({"asset": "btc"}, 422),
    ({"order": "ORDER000000000000002"}, 404),
    ({"order": None}, 404),
    ({"order": None, "address": "elsewhere"}, 404),
]


async def test_what_makes_no_sense_changes_nothing(rig: Rig) -> None:
    before = rig.everything()
    for change, status in SENSELESS:
        assert (await rig.post({**GOOD, **change}))[0] == status, change
    assert rig.everything() == before
    assert (await rig.post(GOOD))[1]["result"] == "recorded"  # the delivery was not used up


async def test_case_10_a_replay_has_no_effect(rig: Rig) -> None:
    await rig.post({**GOOD, "confirmations": 3})
    before = rig.everything()
    for _ in range(5):
        assert await rig.post({**GOOD, "confirmations": 3}) == (200, {"result": "duplicate"})
    assert (await rig.post(GOOD, age=301, delivery="d2"))[0] == 401
    assert (await rig.post(GOOD, age=-301, delivery="d2"))[0] == 401
    assert rig.everything() == before


async def test_case_11_unsigned_or_altered(rig: Rig) -> None:
    before = rig.everything()
    assert (await rig.post(GOOD, header=""))[0] == 401
    assert (await rig.post(GOOD, header=f"t={int(START.timestamp())},v1={'0' * 64}"))[0] == 401
    raw = json.dumps(GOOD).encode()
    for at in range(0, len(raw), 7):
        altered = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert (await rig.post(altered, signed=raw))[0] == 401
    assert (await rig.post(b" " * (LARGEST_PAYLOAD + 1)))[0] == 413
    assert rig.everything() == before
    assert rig.status() == "new"


async def test_case_12_before_our_own_commit(rig: Rig) -> None:
    early = {**GOOD, "order": "ORDER000000000000009"}
    for _ in range(3):
        assert await rig.post(early, delivery="early") == (404, {"result": "unknown_invoice"})
    assert (await rig.post(GOOD, delivery="early"))[1]["result"] == "recorded"  # sent again, it is taken


async def test_a_thousand_mutations_change_nothing(rig: Rig) -> None:
    before, chance = rig.everything(), random.Random(6)
    raw = json.dumps(GOOD).encode()
    moment = int(START.timestamp())
    good = sign(SECRET, moment, PATH, raw)

    async def one(number: int) -> int:
        body, header = raw, good
        match number % 5:
            case 0:
                body = _mutated(raw, chance)
            case 1:
                header = _mutated(good.encode(), chance).decode("latin-1")
            case 2:
                header = sign("x" * 32, moment, PATH, raw)
            case 3:
                header = sign(SECRET, moment - chance.randint(301, 10**6), PATH, raw)
            case _:
                header = sign(SECRET, moment, "/signals/checkout/1/paid", raw)
        header = "".join(letter for letter in header if letter.isprintable()) or "-"
        if (body, header.lower().strip()) == (raw, good):
            return 401  # only its letters' case was changed
        return (await rig.post(body, header=header.encode("ascii", "replace").decode(), delivery=str(number)))[0]

    for start in range(0, 1000, 100):
        answers = await asyncio.gather(*(one(number) for number in range(start, start + 100)))
        assert set(answers) == {401}
    assert rig.everything() == before


def _mutated(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    match chance.randrange(3):
        case 0:
            return raw[:at] + raw[at + 1 :]
        case 1:
            return raw[:at] + bytes([chance.randrange(33, 126)]) + raw[at:]
        case _:
            return raw[:at] + bytes([raw[at] ^ (1 << chance.randrange(7))]) + raw[at + 1 :]


async def test_a_node_and_a_webhook_tell_of_the_same_payment(rig: Rig) -> None:
    """The webhook did not know which output it was; the node does: the same money counts once."""
    await rig.post(GOOD)
    seen = Transfer(asset="BTC", address=ADDRESS, txid=TXID, position="1", amount=COINS, height=11, block="b")
    tip = Tip(asset="BTC", height=12, block="c", at=START)
    async with rig.app.store.transaction() as transaction:
        work = Voiced(transaction, [])
        report = Report(asset="BTC", tip=tip, transfers=(seen,), complete=(ADDRESS,))
        await facts.observe(work, report, now=START + timedelta(seconds=1), payments=settings(), shop=ShopSettings())
    assert rig.rows("SELECT status, received, flags FROM pay_invoices") == [("settled", str(COINS), "")]
    assert (await rig.post(GOOD, delivery="d9"))[1]["result"] == "known"
    assert rig.rows("SELECT count(*) FROM pay_refunds") == [(0,)]
