"""Every section changed from the summary; only what hangs on it is asked again."""

from typing import Any

import pytest

from tests.backend import Backend
from tests.journeys.order import DOCUMENT, ORDER, QUESTIONS, Step, walk, without_ids
from tests.journeys.shop import Customer

SUMMARY = "Please check your order"


def changed(**fields: Any) -> dict[str, Any]:
    return {**DOCUMENT, **fields}


def specified(**fields: Any) -> dict[str, Any]:
    return changed(specifications={**DOCUMENT["specifications"], **fields})


async def edits(anna: Customer, label: str) -> None:
    await anna.presses("✏️ Change something")
    anna.sees("What would you like to change?")
    await anna.presses(f"{label}: ")


EDITS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "service": ("Service", "presses", "Resin", changed(service_id=2)),
    "name": ("Name", "says", "Bob", changed(customer_name="Bob")),
    "email": ("E-mail", "says", "bob@example.com", changed(customer_email="bob@example.com")),
    "phone": ("Phone", "says", "+44 20 7946 0018", changed(customer_phone="+442079460018")),
    "quality": ("Quality", "presses", "High", specified(quality="high")),
    "infill": ("Infill", "presses", "50 %", specified(infill="50")),
    "colour": ("Colour", "presses", "Black", specified(colour="black")),
    "address": ("Address", "says", "Rynek 1, 50-996 Wrocław", changed(delivery_details="Rynek 1, 50-996 Wrocław")),
}


@pytest.mark.parametrize("step", list(EDITS))
async def test_a_section_changed_comes_straight_back_to_the_summary(
    anna: Customer, backend: Backend, step: str
) -> None:
    label, way, answer, wanted = EDITS[step]
    await walk(anna, until="confirm")
    await edits(anna, label)
    assert await anna.step() == step
    await getattr(anna, way)(answer)
    anna.sees(SUMMARY)
    await anna.presses("✅ Order")
    assert backend.orders == [wanted]


async def test_a_new_material_asks_the_colour_again_and_nothing_else(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Material")
    await anna.presses("ABS")
    anna.sees("Which colour? These are in stock for ABS.")
    anna.misses(SUMMARY)
    assert not anna.has("Blue")
    await anna.presses("White")
    anna.sees(SUMMARY, "ABS, standard, 30 %, White", "Am Hafen 1")
    await anna.presses("✅ Order")
    assert backend.orders == [specified(material="abs", colour="white")]


async def test_the_same_colour_can_be_kept_where_the_new_material_has_it(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Material")
    await anna.presses("PLA")
    await anna.presses("• Blue")
    anna.sees(SUMMARY, "PLA, standard, 30 %, Blue")
    await anna.presses("✅ Order")
    assert backend.orders == [specified(material="pla")]


async def test_shipping_to_pickup_drops_the_address(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Delivery")
    await anna.presses("Pickup")
    anna.sees(SUMMARY, "🚚 Pickup")
    await anna.presses("✏️ Change something")
    assert not anna.has("Address")
    await anna.presses("⬅️ Back")
    await anna.presses("✅ Order")
    assert backend.orders == [changed(delivery_needed="false", delivery_details=None)]


async def test_pickup_to_shipping_asks_the_address(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="delivery")
    await anna.presses("Pickup")
    await edits(anna, "Delivery")
    await anna.presses("Delivery")
    anna.sees("The full address, please.")
    await anna.says("Am Hafen 1, 20457 Hamburg")
    anna.sees(SUMMARY, "🚚 Delivery to Am Hafen 1")
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_there_and_back_again_offers_the_old_address(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Delivery")
    await anna.presses("Pickup")
    await edits(anna, "Delivery")
    await anna.presses("Delivery")
    await anna.presses("✔️ Keep: Am Hafen 1")
    anna.sees(SUMMARY, "🚚 Delivery to Am Hafen 1")
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_files_one_removed_and_one_added(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Files")
    anna.sees("<b>Files: 2</b>", "cube.stl", "plate &lt;1&gt;.3mf")
    await anna.presses("❌ cube.stl")
    await anna.sends("ring.obj", 700)
    await anna.presses("That's all")
    anna.sees(SUMMARY, "FDM printing: 2 files")
    await anna.presses("✅ Order")
    files = backend.orders[0]["specifications"]["files_info"]
    assert [(file["name"], file["size"]) for file in files] == [("plate <1>.3mf", 3000), ("ring.obj", 700)]
    assert [file["id"] for file in files] == ["f2", "f3"]


async def test_a_phone_number_is_dropped_and_given_again(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Phone")
    await anna.presses("Skip")
    anna.sees("👤 Zoë O'Neill, zoe@example.com\n")
    await anna.presses("✏️ Change something")
    await anna.presses("Phone")
    await anna.says("+4930901820")
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


@pytest.mark.parametrize("step", QUESTIONS, ids=lambda step: step.name)
async def test_an_edit_and_back_changes_nothing(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until="confirm")
    before = await anna.data()
    summary = anna.last.show.text
    await anna.presses("✏️ Change something")
    await anna.taps(_edit_button(anna, step.name))
    anna.sees(step.question)
    await anna.presses("⬅️ Back")
    anna.sees(summary)
    assert await anna.data() == before
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_a_file_removed_in_an_edit_that_is_given_up_is_back(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Files")
    await anna.presses("❌ cube.stl")
    await anna.presses("⬅️ Back")
    anna.sees("FDM printing: 2 files")
    await edits(anna, "Files")
    anna.sees("<b>Files: 2</b>")
    await anna.presses("That's all")
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_everything_edited_one_after_the_other_and_back_again(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    for label, way, answer, _ in EDITS.values():
        await edits(anna, label)
        await getattr(anna, way)(answer)
        anna.sees(SUMMARY)
    for step in ORDER:
        if step.name in EDITS:
            await edits(anna, EDITS[step.name][0])
            await step.answered(anna)
            anna.sees(SUMMARY)
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_an_edit_refused_then_answered(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Name")
    await anna.says("7")
    anna.misses(SUMMARY)
    assert await anna.step() == "name"
    await anna.says("Zoë O'Neill")
    anna.sees(SUMMARY)
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_back_through_the_flow_after_an_edit(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await edits(anna, "Material")
    await anna.presses("PLA")
    await anna.presses("Red")
    for step in reversed(QUESTIONS):
        await anna.presses("⬅️ Back")
        assert await anna.step() == step.name
    await walk(anna, start="service", until="files")
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert without_ids(backend.orders[0]) == without_ids(DOCUMENT)


def _edit_button(anna: Customer, step: str) -> str:
    codes = [press for row in anna.last.show.rows for press in row if press.code == f"e:{step}"]
    return anna.button(codes[0].text)
