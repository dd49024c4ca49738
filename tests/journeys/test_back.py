"""Back from every question to the very first, and forward again with what had been answered."""

import html
import itertools

import pytest

from tests.backend import Backend
from tests.journeys.order import DOCUMENT, ORDER, QUESTIONS, Step, walk, without_ids
from tests.journeys.shop import Customer


async def keeps(anna: Customer, step: Step) -> None:
    """Take the answer that is offered again: the kept text, the marked option, the files that are still there."""
    match step.way:
        case "sends":
            for name in step.answer:
                assert html.escape(name) in anna.last.show.text
            await anna.presses("That's all")
        case "says":
            await anna.presses("✔️ Keep: ")
        case _:
            await anna.presses(f"• {step.answer[0]}")


async def back_to_the_first(anna: Customer, step: Step, *, typed: bool = False) -> list[str]:
    """The questions that were seen on the way."""
    seen = []
    for before in reversed(ORDER[: ORDER.index(step)]):
        await (anna.says("/back") if typed else anna.presses("⬅️ Back"))
        anna.sees(before.question)
        seen.append(await anna.step())
    assert not anna.has("⬅️ Back")
    return seen


@pytest.mark.parametrize("step", ORDER[1:], ids=lambda step: step.name)
async def test_back_to_the_first_and_forward_with_what_was_kept(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    before = await anna.data()
    seen = await back_to_the_first(anna, step)
    assert seen == [one.name for one in reversed(ORDER[: ORDER.index(step)])]
    assert await anna.data() == {}
    for one in ORDER[: ORDER.index(step)]:
        anna.sees(one.question)
        await keeps(anna, one)
    assert await anna.data() == before
    await walk(anna, start=step.name)
    assert backend.orders == [DOCUMENT]
    assert len(backend.uploads) == 2, "what had been sent is not sent again"


async def test_three_times_to_and_fro(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    for typed in (False, True, False):
        await back_to_the_first(anna, ORDER[-1], typed=typed)
        for one in QUESTIONS:
            await keeps(anna, one)
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_back_once_at_every_step(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for earlier, step in itertools.pairwise(ORDER):
        await earlier.answered(anna)
        await anna.presses("⬅️ Back")
        await keeps(anna, earlier)
        anna.sees(step.question)
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_other_answers_on_the_way_forward(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await back_to_the_first(anna, ORDER[-1])
    await anna.presses("Resin")
    await anna.says("Bob Dylan")
    await anna.says("bob@example.com")
    await anna.presses("Skip")
    await anna.presses("❌ cube.stl")
    await anna.sends("third.obj", 500)
    await anna.presses("That's all")
    await anna.presses("ABS")
    await anna.presses("High")
    await anna.presses("100 %")
    assert [label for label in anna.last.labels if label in ("Black", "White")] == ["Black", "White"]
    await anna.presses("White")
    await anna.presses("Pickup")
    anna.sees("Bob Dylan, bob@example.com\n", "Resin printing: 2 files", "ABS, high, 100 %, White", "Pickup")
    await anna.presses("✅ Order")
    order = without_ids(backend.orders[0])
    assert order == {
        "customer_name": "Bob Dylan",
        "customer_email": "bob@example.com",
        "customer_phone": None,
        "service_id": 2,
        "source": "TELEGRAM",
        "specifications": {
            "material": "abs",
            "quality": "high",
            "infill": "100",
            "colour": "white",
            "files_info": [{"name": "plate <1>.3mf", "size": 3000}, {"name": "third.obj", "size": 500}],
        },
        "delivery_needed": "false",
        "delivery_details": None,
    }


async def test_a_colour_that_the_new_material_has_not_cannot_be_kept(anna: Customer) -> None:
    await walk(anna, until="delivery")
    for _ in range(4):
        await anna.presses("⬅️ Back")
    await anna.presses("TPU")
    await anna.presses("• Standard")
    await anna.presses("• 30 %")
    anna.sees("These are in stock for TPU.")
    assert not anna.has("Blue")


async def test_half_filled_files_wait_while_the_customer_goes_back(anna: Customer) -> None:
    await walk(anna, until="files")
    await anna.sends("cube.stl")
    await anna.presses("⬅️ Back")
    await anna.presses("✔️ Keep: ")
    anna.sees("<b>Files: 1</b>", "cube.stl")
    await anna.sends("second.stl")
    anna.sees("<b>Files: 2</b>")
