"""The print shop, with a real REST backend and with the embedded database."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from engine.actions import Money, Page, Refusal, Retryable, Unreachable, failure, invoke
from engine.actions.discovery import builtin_catalog
from engine.actions.testing import MOMENT, Database, context
from engine.runtime.ports import Store
from plugins.print3d import ledger
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.backend import Backend
from tests.plugins.conftest import World

CATALOG = builtin_catalog()
ACTIONS, SOURCES = CATALOG.actions, CATALOG.sources
FILE = {"name": 'Würfel "1".stl', "size": 300_000, "mime": "model/stl", "ref": "r1", "kind": "document"}
CONTENT = bytes(range(256)) * 1172
UPLOADED = {"id": "f1", "name": "a.stl", "size": 3}
ORDER: dict[str, Any] = {
    "contact": {"name": "Anna", "email": "anna@example.com"},
    "service": 1,
    "specs": {"material": "pla", "quality": "standard", "infill": "30"},
    "files": (UPLOADED,),
}
SENT = {
    "customer_name": "Anna",
    "customer_email": "anna@example.com",
    "customer_phone": None,
    "service_id": 1,
    "source": "TELEGRAM",
    "specifications": {"material": "pla", "quality": "standard", "infill": "30", "files_info": [UPLOADED]},
    "delivery_needed": "false",
    "delivery_details": None,
}


async def test_print3d_services(local: World, remote: World, backend: Backend) -> None:
    _, own = await invoke(SOURCES["print3d.services"], local(), {})
    assert own["rows"][0]["price"] == Money(minor=500, asset="EUR")  # type: ignore[index]
    _, theirs = await invoke(SOURCES["print3d.services"], remote(), {})
    assert theirs["rows"][1] == {  # type: ignore[index]
        "id": 2, "name": "Resin printing", "description": "Fine details", "price": Money(minor=1250, asset="EUR"),
    }  # fmt: skip
    backend.services = [{"name": "no id"}]
    with pytest.raises(Refusal, match="cannot be read"):
        await invoke(SOURCES["print3d.services"], remote(), {})


async def test_print3d_materials(local: World) -> None:
    _, found = await invoke(SOURCES["print3d.materials"], local(), {})
    assert [row["id"] for row in found["rows"]] == ["pla", "petg", "abs", "tpu"]  # type: ignore[attr-defined]


async def test_print3d_colours(local: World) -> None:
    async def colours(**arguments: Any) -> list[str]:
        _, found = await invoke(SOURCES["print3d.colours"], local(), arguments)
        return [row["id"] for row in found["rows"]]  # type: ignore[attr-defined]

    assert await colours(material="abs") == ["black", "white"]
    assert await colours(material="wood") == []
    assert len(await colours()) == 7


async def test_print3d_upload(local: World, remote: World, backend: Backend) -> None:
    outcome, stored = await invoke(ACTIONS["print3d.upload"], local(files={"r1": CONTENT}), {"file": FILE})
    again = await invoke(ACTIONS["print3d.upload"], local(attempt=2, files={"r1": CONTENT}), {"file": FILE})
    assert (outcome, stored) == again == ("uploaded", {"id": "1", "name": FILE["name"], "size": FILE["size"]})

    world = remote(files={"r1": CONTENT})
    outcome, stored = await invoke(ACTIONS["print3d.upload"], world, {"file": FILE})
    assert (outcome, stored) == ("uploaded", {"id": "f1", "name": FILE["name"], "size": FILE["size"]})
    (received,) = backend.uploads
    assert (received.name, received.sha256) == (FILE["name"], hashlib.sha256(CONTENT).hexdigest())
    assert received.key == world.idempotency_key


async def test_print3d_create_order(remote: World, backend: Backend) -> None:
    outcome, made = await invoke(ACTIONS["print3d.create_order"], remote(), ORDER)
    assert (outcome, made) == ("created", {"number": "NL-00001", "id": "1"})
    assert backend.orders == [SENT]

    whole = {
        **ORDER,
        "contact": {**ORDER["contact"], "phone": "+48100200300"},
        "specs": {**ORDER["specs"], "colour": "red"},
        "address": "Long Street 1",
    }
    await invoke(ACTIONS["print3d.create_order"], remote(idempotency_key="b"), whole)
    sent = backend.orders[1]
    assert (sent["customer_phone"], sent["delivery_needed"]) == ("+48100200300", "true")
    assert (sent["delivery_details"], sent["specifications"]["colour"]) == ("Long Street 1", "red")
    await invoke(ACTIONS["print3d.create_order"], remote(idempotency_key="c"), {**whole, "colour": "blue"})
    assert backend.orders[2]["specifications"]["colour"] == "blue"
    _, mine = await invoke(SOURCES["print3d.my_orders"], remote(), {})
    assert {row["summary"].rsplit(", ")[-1] for row in mine["rows"]} == {"30 %", "red", "blue"}  # type: ignore[attr-defined]


async def test_a_refused_order_says_why(remote: World, backend: Backend) -> None:
    backend.refuse = "We are closed"
    outcome, told = await invoke(ACTIONS["print3d.create_order"], remote(), ORDER)
    assert (outcome, told) == ("rejected", {"reason": "We are closed"})
    assert backend.orders == []


async def test_every_trouble_is_one_to_retry_and_the_order_is_made_once(remote: World, backend: Backend) -> None:
    async def place() -> tuple[str, Any]:
        return await invoke(ACTIONS["print3d.create_order"], remote(), ORDER)

    backend.errors = 1
    with pytest.raises(Retryable, match="500"):
        await place()
    await backend.down()
    with pytest.raises(Unreachable):
        await place()
    await backend.up()
    backend.drop = 1
    with pytest.raises(Unreachable):
        await place()
    assert len(backend.orders) == 1

    assert await place() == ("created", {"number": "NL-00001", "id": "1"})
    assert await place() == ("created", {"number": "NL-00001", "id": "1"})
    assert backend.orders == [SENT]


async def test_a_slow_backend_is_a_timeout(database: Database, backend: Backend) -> None:
    backend.slow = 2
    async with ClientSession(timeout=ClientTimeout(total=0.1)) as session:
        world = context(database=database, http=session, environment={"API_BASE_URL": backend.url})
        with pytest.raises(TimeoutError) as caught:
            await invoke(ACTIONS["print3d.create_order"], world, ORDER)
    assert failure(caught.value).kind == "timeout"


async def test_an_order_in_the_embedded_database(local: World, database: Database) -> None:
    _, made = await invoke(ACTIONS["print3d.create_order"], local(), ORDER)
    again = await invoke(ACTIONS["print3d.create_order"], local(attempt=2, now=MOMENT + timedelta(days=1)), ORDER)
    assert again == ("created", made)
    assert re.fullmatch(r"P-261120-[0-9A-HJKMNP-TV-Z]{4}", str(made["number"]))
    (row,) = await database.query("SELECT * FROM print_orders")
    assert json.loads(str(row["document"])) == SENT
    assert (row["chat"], row["status"], row["created_at"]) == ("test:1", "new", int(MOMENT.timestamp() * 1000))


async def test_a_taken_number_gives_the_next(local: World, database: Database) -> None:
    taken = ledger.number(MOMENT, local().idempotency_key)
    await database.execute(
        "INSERT INTO print_orders (number, idempotency_key, chat, document, status, created_at) "
        "VALUES (?, 'other', 'c', '{}', 'new', 0)",
        (taken,),
    )
    _, made = await invoke(ACTIONS["print3d.create_order"], local(), ORDER)
    assert made["number"] == ledger.number(MOMENT, local().idempotency_key, 1) != taken


async def test_print3d_my_orders(local: World, remote: World) -> None:
    for day in range(3):
        world = local(idempotency_key=f"k{day}", now=MOMENT + timedelta(days=day))
        await invoke(ACTIONS["print3d.create_order"], world, ORDER)
    await invoke(ACTIONS["print3d.create_order"], local(idempotency_key="x", chat="test:2"), ORDER)

    _, found = await invoke(SOURCES["print3d.my_orders"], local(), {}, Page(limit=2))
    assert found["total"] == 3
    rows: Any = found["rows"]
    first, second = rows
    assert (first["created_at"], first["files"]) == (MOMENT + timedelta(days=2), 1)
    assert first["summary"] == "a.stl · PLA, standard, 30 %"
    assert second["created_at"] == MOMENT + timedelta(days=1)
    _, matching = await invoke(SOURCES["print3d.my_orders"], local(), {}, Page(search="P-261121"))
    assert matching["total"] == 1

    await invoke(ACTIONS["print3d.create_order"], remote(chat="test:3", idempotency_key="r"), ORDER)
    _, theirs = await invoke(SOURCES["print3d.my_orders"], remote(chat="test:3"), {})
    assert [row["number"] for row in theirs["rows"]] == ["NL-00001"]  # type: ignore[attr-defined]


async def test_the_arguments_of_the_shipped_flow_fit() -> None:
    parameters = {parameter.name: parameter for parameter in ACTIONS["print3d.create_order"].parameters}
    assert [name for name, parameter in parameters.items() if not parameter.required] == ["colour", "address"]
    assert set(ACTIONS["print3d.create_order"].outcomes) == {"created", "rejected"}
    assert Decimal(ACTIONS["print3d.upload"].timeout) >= 60


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
async def test_the_shop_in_the_real_stores(kind: str, tmp_path: Path) -> None:
    store: Store = SqliteStore(tmp_path / "shop.sqlite3") if kind == "sqlite" else MemoryStore()
    await store.open()
    try:
        world = replace(context(files={"r1": CONTENT}), database=store.transaction)
        first = await invoke(ACTIONS["print3d.create_order"], world, ORDER)
        assert await invoke(ACTIONS["print3d.create_order"], world, ORDER) == first
        assert (await invoke(ACTIONS["print3d.upload"], world, {"file": FILE}))[1]["id"] == "1"
        _, found = await invoke(SOURCES["print3d.my_orders"], world, {})
        assert found["total"] == 1
    finally:
        await store.close()
