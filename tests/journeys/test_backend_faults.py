"""The backend away, slow, broken, refusing, or cutting the line: one order in the end, and the customer always told."""

import asyncio

import pytest

from engine.runtime.routing import CallbackPressed
from tests.backend import Backend
from tests.journeys.order import DOCUMENT, walk, without_ids
from tests.journeys.shop import Customer, Shop

SILENT = "The shop does not answer. Nothing is lost"
SUMMARY = "Please check your order"
THANKS = "Thank you! Your order is <b>NL-00001</b>."
ATTEMPTS = 5
"""Of the policy `patient` in bot.yaml."""


def order_attempts(backend: Backend) -> int:
    return sum(path == "/orders" for _, path, _ in backend.requests)


# --- placing the order ------------------------------------------------------------------------------------


async def test_the_port_is_closed_and_opens_in_time(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await backend.down()
    await anna.presses("✅ Order")
    await anna.shop.waits(2)
    assert backend.orders == []
    await backend.up()
    await anna.shop.tries_again()
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


async def test_the_port_stays_closed_then_opens(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    await backend.down()
    await anna.presses("✅ Order")
    await anna.shop.tries_again()
    anna.sees(SILENT, SUMMARY)
    anna.misses("Thank you")
    await backend.up()
    await anna.presses("✅ Order")
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


@pytest.mark.parametrize("times", [1, 2, ATTEMPTS - 1])
async def test_500_a_few_times(anna: Customer, backend: Backend, times: int) -> None:
    await walk(anna, until="confirm")
    backend.errors = times
    await anna.presses("✅ Order")
    await anna.shop.tries_again()
    anna.sees(THANKS)
    anna.misses(SILENT)
    assert backend.orders == [DOCUMENT]
    assert order_attempts(backend) == times + 1


async def test_500_every_time_then_the_customer_tries_again(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.errors = 2 * ATTEMPTS
    for _ in range(2):
        await anna.presses("✅ Order")
        await anna.shop.tries_again()
        anna.sees(SILENT, SUMMARY)
    await anna.presses("✅ Order")
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


async def test_refused_with_a_reason_corrected_and_taken(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.refuse = "we <do> not ship to Hamburg & Bremen"
    await anna.presses("✅ Order")
    anna.sees("The shop refused the order: we &lt;do&gt; not ship to Hamburg &amp; Bremen", SUMMARY)
    backend.refuse = None
    await anna.presses("✏️ Change something")
    await anna.presses("Delivery: ")
    await anna.presses("Pickup")
    await anna.presses("✅ Order")
    anna.sees(THANKS)
    assert backend.orders == [{**DOCUMENT, "delivery_needed": "false", "delivery_details": None}]


async def test_refused_and_the_same_sent_again(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.refuse = "closed on Mondays"
    await anna.presses("✅ Order")
    backend.refuse = None
    await anna.presses("✅ Order")
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


@pytest.mark.parametrize("times", [1, 3])
async def test_stored_but_the_answer_is_lost(anna: Customer, backend: Backend, times: int) -> None:
    await walk(anna, until="confirm")
    backend.drop = times
    await anna.presses("✅ Order")
    await anna.shop.tries_again()
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


async def test_stored_every_answer_lost_and_the_customer_presses_again(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.drop = ATTEMPTS
    await anna.presses("✅ Order")
    await anna.shop.tries_again()
    anna.sees(SILENT, SUMMARY)
    assert len(backend.orders) == 1
    await anna.presses("✅ Order")
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT], "the same order, so the same key: not a second one"


async def test_the_same_after_a_restart_back_and_forth_and_an_edit_given_up(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.drop = ATTEMPTS
    await anna.presses("✅ Order")
    await anna.shop.tries_again()
    await anna.shop.restart()
    await anna.presses("⬅️ Back")  # to the question before the summary, not to the summary of the first try
    await anna.presses("✔️ Keep: ")
    await anna.presses("✏️ Change something")
    await anna.presses("Name: ")
    await anna.presses("⬅️ Back")
    await anna.presses("✅ Order")
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


async def test_a_lost_answer_then_a_changed_order_arrives_changed(anna: Customer, backend: Backend) -> None:
    """The shop has the first one already; what the customer then orders is something else and must arrive."""
    await walk(anna, until="confirm")
    backend.drop = ATTEMPTS
    await anna.presses("✅ Order")
    await anna.shop.tries_again()
    await anna.presses("✏️ Change something")
    await anna.presses("Infill: ")
    await anna.presses("100 %")
    await anna.presses("✅ Order")
    anna.sees("Thank you!")
    assert backend.orders[-1]["specifications"]["infill"] == "100"


async def test_slower_than_the_time_limit_then_quick(hasty: Shop, backend: Backend) -> None:
    anna = hasty.customer()
    await walk(anna, until="confirm")
    backend.slow = 2.0
    await anna.presses("✅ Order")
    anna.misses("Thank you")
    backend.slow = 0
    await hasty.tries_again()
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


async def test_slow_but_within_the_time_limit_and_an_impatient_customer(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.slow = 0.3
    order, back = anna.button("✅ Order"), anna.button("⬅️ Back")
    await anna.hurries(CallbackPressed(data=order))
    for data in (order, order, back):
        await anna.hurries(CallbackPressed(data=data))
    await anna.says("Hello? Anybody there?")
    everything = "\n".join(effect.text for effect in anna.feed.everything)
    assert "This question has been answered already." in everything
    assert "I am still working on your last step." in everything
    assert THANKS in everything
    assert backend.orders == [DOCUMENT]
    assert order_attempts(backend) == 1


async def test_a_restart_in_the_middle_of_the_call(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.slow = 0.3
    await anna.hurries(CallbackPressed(data=anna.button("✅ Order")))
    await asyncio.sleep(0.1)
    await anna.shop.restart()
    await anna.shop.tries_again()
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


async def test_a_restart_while_the_call_waits_for_its_next_attempt(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.errors = 2
    await anna.presses("✅ Order")
    await anna.shop.restart()
    await anna.shop.tries_again()
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]
    assert order_attempts(backend) == 3


async def test_another_flow_while_the_order_is_being_placed(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.errors = 1
    await anna.presses("✅ Order")
    await anna.says("/my_orders")
    anna.sees("You have no orders yet.")
    await anna.shop.tries_again()
    anna.sees(THANKS)
    assert backend.orders == [DOCUMENT]


# --- the services -----------------------------------------------------------------------------------------


async def test_the_services_cannot_be_fetched_then_can(anna: Customer, backend: Backend) -> None:
    await backend.down()
    await anna.says("/order")
    await anna.shop.tries_again()
    anna.sees("The list could not be fetched. Nothing is lost.")
    await anna.says("FDM printing")
    anna.sees("The last step did not work yet.")
    await backend.up()
    await anna.presses("🔁 Try again")
    await walk(anna, start="service")
    assert backend.orders == [DOCUMENT]


async def test_the_services_come_at_the_third_attempt(anna: Customer, backend: Backend) -> None:
    backend.errors = 2
    await anna.says("/order")
    await anna.shop.tries_again()
    await walk(anna, start="service")
    assert backend.orders == [DOCUMENT]


async def test_no_service_at_all(anna: Customer, backend: Backend) -> None:
    backend.services = []
    await anna.says("/order")
    anna.sees("There is no service open for orders at the moment.")
    await anna.presses("✖️ Cancel")
    assert await anna.open_flows() == []


# --- the files --------------------------------------------------------------------------------------------


async def test_an_upload_that_gets_through_at_the_second_attempt(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    backend.errors = 1
    await anna.sends("cube.stl")
    anna.sees("⏳ cube.stl")
    await anna.presses("That's all")
    anna.sees("A file is still on its way.")
    await anna.shop.tries_again()
    assert "✅ cube.stl" in anna.last.show.text
    await anna.sends("plate <1>.3mf")
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert backend.orders == [DOCUMENT]


async def test_uploads_that_fail_are_tried_again_or_removed(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    await backend.down()
    await anna.sends("cube.stl")
    await anna.sends("bad.stl")
    await anna.shop.tries_again()
    assert "⚠️ cube.stl" in anna.last.show.text
    assert "⚠️ bad.stl" in anna.last.show.text
    await anna.presses("That's all")
    anna.sees("A file did not get through. Please try it again or remove it.")
    await backend.up()
    await anna.presses("🔁 cube.stl")
    assert "✅ cube.stl" in anna.last.show.text
    await anna.presses("❌ bad.stl")
    await anna.sends("plate <1>.3mf")
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert without_ids(backend.orders[0]) == without_ids(DOCUMENT)
    assert [file.name for file in backend.uploads] == ["cube.stl", "plate <1>.3mf"]


async def test_an_upload_whose_answer_is_lost_is_stored_once(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    backend.drop = 2
    await anna.sends("cube.stl")
    await anna.shop.tries_again()
    assert "⚠️ cube.stl" in anna.last.show.text
    await anna.presses("🔁 cube.stl")
    assert "✅ cube.stl" in anna.last.show.text
    await anna.sends("plate <1>.3mf")
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert [file.name for file in backend.uploads] == ["cube.stl", "plate <1>.3mf"]
    assert backend.orders == [DOCUMENT]


async def test_a_file_removed_while_it_is_on_its_way(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    backend.errors = 1
    await anna.sends("cube.stl")
    await anna.presses("❌ cube.stl")
    await anna.sends("other.stl")
    await anna.shop.tries_again()
    assert "cube.stl" not in anna.last.show.text
    assert "✅ other.stl" in anna.last.show.text
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert [file["name"] for file in backend.orders[0]["specifications"]["files_info"]] == ["other.stl"]


async def test_a_slow_upload_is_given_up_and_tried_again(hasty: Shop, backend: Backend) -> None:
    anna = hasty.customer()
    await walk(anna, until="files")
    backend.slow = 2.0
    await anna.sends("cube.stl")
    await hasty.tries_again()
    assert "⚠️ cube.stl" in anna.last.show.text
    backend.slow = 0
    await anna.presses("🔁 cube.stl")
    await anna.sends("plate <1>.3mf")
    await anna.presses("That's all")
    await walk(anna, start="material")
    assert without_ids(backend.orders[0]) == without_ids(DOCUMENT)


async def test_the_customers_phone_is_out_of_reach(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    order = anna.button("✅ Order")
    anna.shop.phones.down = True
    await anna.taps(order)
    assert backend.orders == [DOCUMENT]
    await anna.shop.restart()
    anna.shop.phones.down = False
    await anna.shop.waits(120)
    anna.sees(THANKS)
    assert sum(THANKS in effect.text for effect in anna.feed.everything) == 1
