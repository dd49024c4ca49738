"""Another command at every step, and on exactly where the customer was."""

import pytest

from tests.backend import Backend
from tests.journeys.order import DOCUMENT, ORDER, QUESTIONS, Step, walk
from tests.journeys.shop import Customer, Shop

OFFER = "«3D print order» is waiting for you, exactly as you left it."
STEPS = pytest.mark.parametrize("step", ORDER, ids=lambda step: step.name)


async def as_it_was(anna: Customer, step: Step, text: str, labels: list[str]) -> None:
    """The question stands there again, with the same words and buttons."""
    assert anna.last.show.text == text
    assert anna.last.labels == labels
    assert await anna.step() == step.name


@STEPS
async def test_help_in_between(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    text, labels, before = anna.last.show.text, anna.last.labels, await anna.data()
    await anna.says("/help")
    anna.sees("Nord Print: what you can do here", OFFER)
    await anna.presses("▶️ Continue")
    await as_it_was(anna, step, text, labels)
    assert await anna.data() == before
    await walk(anna, start=step.name)
    assert backend.orders == [DOCUMENT]


@STEPS
async def test_another_flow_in_between_and_resume_typed(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    text, labels = anna.last.show.text, anna.last.labels
    await anna.says("/my_orders")
    anna.sees("You have no orders yet.")
    assert sorted(await anna.open_flows()) == ["my_orders", "print_order"]
    await anna.presses("✅ Done")
    anna.sees("/order starts a new order", OFFER)
    await anna.says("/resume")
    await as_it_was(anna, step, text, labels)
    await walk(anna, start=step.name)
    assert backend.orders == [DOCUMENT]


@STEPS
async def test_the_same_command_again_asks_what_is_meant(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    text, labels = anna.last.show.text, anna.last.labels
    await anna.says("/order")
    anna.sees("«3D print order» is open already.")
    await anna.presses("▶️ Continue")
    await as_it_was(anna, step, text, labels)
    await anna.says("/order")
    await anna.presses("🔁 Start again")
    anna.sees("Which service do you need?")
    assert await anna.data() == {}
    assert await anna.open_flows() == ["print_order"]
    await walk(anna, start="service")
    assert len(backend.orders) == 1
    order = backend.orders[0]
    assert [file["name"] for file in order["specifications"]["files_info"]] == ["cube.stl", "plate <1>.3mf"]


@STEPS
async def test_a_button_of_the_question_put_aside_brings_it_back(anna: Customer, step: Step) -> None:
    await walk(anna, until=step.name)
    button = anna.button("✖️ Cancel")
    await anna.says("/my_orders")
    await anna.taps(button)
    if step.name == "service":  # nothing has been entered yet: nothing to confirm
        anna.sees("«3D print order» is cancelled.")
        return
    anna.sees("Cancel for good?")
    await anna.presses("⬅️ No, go on")
    anna.sees(step.question)
    assert (await anna.shop.app.store.chat(anna.chat)).front == (await anna.conversation()).id  # type: ignore[union-attr]


@STEPS
async def test_a_restart_of_the_process_in_between(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    text, labels = anna.last.show.text, anna.last.labels
    await anna.says("/my_orders")
    await anna.shop.restart()
    assert sorted(await anna.open_flows()) == ["my_orders", "print_order"]
    await anna.says("/order")
    await anna.shop.restart()
    await anna.presses("▶️ Continue")
    await as_it_was(anna, step, text, labels)
    await walk(anna, start=step.name)
    assert backend.orders == [DOCUMENT]


async def test_half_filled_files_stay(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    await anna.sends("cube.stl")
    await anna.says("/help")
    await anna.presses("▶️ Continue")
    anna.sees("<b>Files: 1</b>", "✅ cube.stl")
    await anna.sends("plate <1>.3mf")
    anna.sees("<b>Files: 2</b>")
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert backend.orders == [DOCUMENT]


async def test_files_sent_to_another_flow_are_refused_and_not_lost_here(anna: Customer) -> None:
    await walk(anna, until="files")
    await anna.sends("cube.stl")
    await anna.says("/my_orders")
    await anna.sends("second.stl")
    anna.sees("Please choose one of the buttons.")
    await anna.says("/resume")
    await anna.presses("✅ Done")
    await anna.says("/order")
    await anna.presses("▶️ Continue")
    anna.sees("<b>Files: 1</b>")


async def test_a_file_that_gets_through_while_something_else_is_in_front(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    await backend.down()
    await anna.sends("cube.stl")
    anna.sees("⏳ cube.stl")
    await anna.says("/my_orders")
    await backend.up()
    await anna.shop.tries_again()
    await anna.presses("✅ Done")
    await anna.presses("▶️ Continue")
    anna.sees("<b>Files: 1</b>", "✅ cube.stl")


async def test_the_page_of_a_long_list_stays(shop: Shop, anna: Customer, backend: Backend) -> None:
    backend.services = [{**backend.services[0], "id": n, "name": f"Service {n:02}"} for n in range(1, 15)]
    await anna.says("/order")
    await anna.presses("›")
    assert anna.last.labels[:2] == ["Service 07 · from €5.00", "Service 08 · from €5.00"]
    labels = anna.last.labels
    await anna.says("/help")
    await shop.restart()
    await anna.presses("▶️ Continue")
    assert anna.last.labels == labels
    await anna.presses("›")
    await anna.presses("Service 14")
    assert (await anna.data())["service"]["id"] == 14


async def test_an_open_edit_menu_and_an_edit_under_way_stay(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await anna.presses("✏️ Change something")
    await anna.says("/help")
    await anna.presses("▶️ Continue")
    anna.sees("Please check your order")
    await anna.presses("✏️ Change something")
    await anna.presses("Name: ")
    await anna.says("/help")
    await anna.presses("▶️ Continue")
    anna.sees("What is your name?")
    await anna.says("Bob")
    anna.sees("Please check your order", "Bob")
    await anna.presses("✅ Order")
    assert backend.orders == [{**DOCUMENT, "customer_name": "Bob"}]


async def test_interrupted_at_every_step_in_one_go(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for step in QUESTIONS:
        await anna.says("/help")
        await anna.says("/my_orders")
        await anna.says("/start")
        await anna.says("/order")
        await anna.presses("▶️ Continue")
        anna.sees(step.question)
        await step.answered(anna)
    await anna.presses("✅ Order")
    assert backend.orders == [DOCUMENT]


async def test_the_menu_asks_once_about_an_order_that_is_open(anna: Customer) -> None:
    await anna.says("/order")
    await anna.says("/start")
    await anna.presses("🖨 Order a 3D print")
    anna.sees("is open already")
    anna.misses("is waiting for you")
    await anna.presses("▶️ Continue")
    anna.sees("Which service do you need?")
