"""Straight through: from /order to an order number, at the backend and in the embedded database."""

import json
from pathlib import Path

from engine.actions.catalog import Catalog
from tests.backend import Backend
from tests.journeys.order import DOCUMENT, ORDER, walk
from tests.journeys.shop import Customer, Shop


async def test_to_an_order_number_that_the_backend_has_stored(anna: Customer, backend: Backend) -> None:
    await walk(anna)
    anna.sees("Thank you! Your order is <b>NL-00001</b>.", "/my_orders")
    assert backend.orders == [DOCUMENT]
    assert [(file.name, file.size) for file in backend.uploads] == [("cube.stl", 3000), ("plate <1>.3mf", 3000)]
    assert await anna.open_flows() == []


async def test_every_request_carries_a_key_of_its_own(anna: Customer, backend: Backend) -> None:
    await walk(anna)
    writes = [(path, key) for method, path, key in backend.requests if method == "POST"]
    assert [path for path, _ in writes] == ["/files", "/files", "/orders"]
    assert len({key for _, key in writes}) == 3


async def test_progress_and_summary(anna: Customer) -> None:
    await walk(anna, until="confirm")
    text = anna.last.show.text
    assert "👤 Zoë O'Neill, zoe@example.com, +49 30 901820" in text
    assert "🧩 FDM printing: 2 files" in text
    assert "🧪 PETG, standard, 30 %, Blue" in text
    assert "🚚 Delivery to Am Hafen 1, 20457 Hamburg" in text
    steps = [one.text.split()[1] for one in anna.feed.everything if one.text.startswith("Step ")]
    assert steps == sorted(steps, key=int)


async def test_pickup_without_a_phone_and_with_the_files_that_were_kept(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="phone")
    await anna.presses("Skip")
    await walk(anna, start="files", until="delivery")
    await anna.presses("Pickup")
    anna.sees("👤 Zoë O'Neill, zoe@example.com\n", "🚚 Pickup")
    await anna.presses("✅ Order")
    anna.sees("NL-00001")
    wanted = {**DOCUMENT, "customer_phone": None, "delivery_needed": "false", "delivery_details": None}
    assert backend.orders == [wanted]


async def test_a_shared_contact_is_the_phone_number(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="phone")
    await anna.shares_contact("4930901820")
    await walk(anna, start="files")
    assert backend.orders == [DOCUMENT]


async def test_typed_labels_choose_as_well(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for step in ORDER:
        if step.way == "presses" and step.name != "confirm":
            label = anna.last.button(step.answer[0])
            assert label is not None
            await anna.says(label.text.upper())
        else:
            await step.answered(anna)
    assert backend.orders == [DOCUMENT]


async def test_what_a_customer_types_is_shown_as_typed(anna: Customer, backend: Backend) -> None:
    address = 'Rue <b>"A & B"</b> {{ 7*7 }} {% raw %} 3, 75001 Paris'
    await walk(anna, until="address")
    await anna.says(address)
    anna.sees("Rue &lt;b&gt;", "A &amp; B", "{{ 7*7 }} {% raw %}")
    anna.misses("49 {%")
    await anna.presses("✅ Order")
    assert backend.orders[0]["delivery_details"] == address


async def test_a_second_order_of_the_same_customer_is_an_order_of_its_own(anna: Customer, backend: Backend) -> None:
    await walk(anna)
    await walk(anna)
    anna.sees("NL-00002")
    assert len(backend.orders) == 2
    assert [file.name for file in backend.uploads] == ["cube.stl", "plate <1>.3mf"] * 2


async def test_from_the_menu_and_its_orders_listed_afterwards(anna: Customer) -> None:
    await anna.says("/start")
    anna.sees("Hello Anna! This is <b>Nord Print</b>.")
    await anna.presses("Order a 3D print")
    await walk(anna, start="service")
    await anna.says("/my_orders")
    anna.sees("Your orders, the newest first.")
    await anna.presses("NL-00001")
    anna.sees("<b>Order NL-00001</b>", "cube.stl, plate &lt;1&gt;.3mf · PETG, standard, 30 %, blue")


async def test_without_a_backend_the_embedded_database_is_the_shop(tmp_path: Path, catalog: Catalog) -> None:
    async with Shop(tmp_path, catalog) as shop:
        anna = shop.customer()
        await walk(anna)
        anna.sees("Thank you! Your order is <b>P-260302-")
        async with shop.app.store.transaction() as transaction:
            orders = await transaction.query("SELECT number, document FROM print_orders")
            files = await transaction.query("SELECT id, name, size FROM print_files ORDER BY id")
        assert len(orders) == 1
        assert f"<b>{orders[0]['number']}</b>" in "\n".join(anna.news)
        assert [(file["name"], file["size"]) for file in files] == [("cube.stl", 3000), ("plate <1>.3mf", 3000)]
        document = json.loads(str(orders[0]["document"]))
        ids = [str(file["id"]) for file in files]
        assert [file["id"] for file in document["specifications"]["files_info"]] == ids
        for file, known in zip(document["specifications"]["files_info"], ("f1", "f2"), strict=True):
            file["id"] = known
        assert document == DOCUMENT


async def test_the_order_goes_on_after_a_restart_between_all_steps(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for step in ORDER:
        await step.answered(anna)
        await anna.shop.restart()
    assert backend.orders == [DOCUMENT]
    assert "NL-00001" in anna.feed.everything[-1].text
