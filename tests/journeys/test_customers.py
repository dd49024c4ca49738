"""Several customers, double taps, old and foreign buttons, time that passes, and cancelling."""

import asyncio

import pytest

from engine.core.events import TextReceived
from engine.runtime.routing import CallbackPressed
from tests.backend import Backend
from tests.journeys.order import DOCUMENT, ORDER, QUESTIONS, Step, walk, without_ids
from tests.journeys.shop import START, Customer, Shop

DAY = 24 * 3600.0
ANSWERED = "This question has been answered already."


# --- two at once ------------------------------------------------------------------------------------------


async def test_two_customers_take_turns(shop: Shop, backend: Backend) -> None:
    anna, bob = shop.customer("Anna"), shop.customer("Bob")
    await anna.says("/order")
    await bob.says("/order")
    for step in ORDER:
        for customer in (anna, bob):
            customer.sees(step.question)
            await step.answered(customer)
    anna.sees("NL-00001")
    bob.sees("NL-00002")
    assert [without_ids(order) for order in backend.orders] == [without_ids(DOCUMENT)] * 2
    ids = [file["id"] for order in backend.orders for file in order["specifications"]["files_info"]]
    assert sorted(ids) == ["f1", "f2", "f3", "f4"]


async def test_eight_customers_at_the_same_time(shop: Shop, backend: Backend) -> None:
    customers = [shop.customer(f"C{number}") for number in range(8)]
    await asyncio.gather(*(walk(customer) for customer in customers))
    assert len(backend.orders) == 8
    numbers = {customer.feed.everything[-1].text for customer in customers}
    assert len(numbers) == 8


async def test_the_orders_of_others_are_not_mine(shop: Shop) -> None:
    anna, bob = shop.customer("Anna"), shop.customer("Bob")
    await walk(anna)
    await bob.says("/my_orders")
    bob.sees("You have no orders yet.")


# --- taps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [step for step in ORDER if step.way == "presses"], ids=lambda step: step.name)
async def test_a_double_tap_answers_once(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    data = anna.button(step.answer[0])
    await asyncio.gather(*(anna.hurries(CallbackPressed(data=data)) for _ in range(3)))
    await anna.shop.app.run_due()
    assert sum(effect.text == ANSWERED for effect in anna.feed.everything) >= (2 if step.name != "confirm" else 0)
    if step.name != "confirm":
        following = ORDER[ORDER.index(step) + 1]
        assert await anna.step() == following.name
        await walk_on(anna, following)
    assert backend.orders == [DOCUMENT]


async def walk_on(anna: Customer, step: Step) -> None:
    for one in ORDER[ORDER.index(step) :]:
        await one.answered(anna)


async def test_the_same_update_twice_counts_once(anna: Customer) -> None:
    await walk(anna, until="name")
    event = TextReceived(at=START, text="Anna")
    await anna.hurries(event, update="once")
    await anna.hurries(event, update="once")
    await anna.shop.app.run_due()
    assert await anna.step() == "email"


async def test_old_buttons_do_nothing_and_say_why(anna: Customer, backend: Backend) -> None:
    old: list[str] = []
    await anna.says("/order")
    for step in ORDER:
        old += [anna.button(label) for label in anna.last.labels]
        await step.answered(anna)
        if step.name == "confirm":
            break
        before = await anna.conversation()
        for data in old:
            await anna.taps(data)
            anna.sees(ANSWERED)
        assert (await anna.conversation()).frames == before.frames
    for data in old:
        await anna.taps(data)
        anna.sees("This conversation is over.")
    assert backend.orders == [DOCUMENT]


async def test_a_button_of_another_customer_does_nothing(shop: Shop) -> None:
    anna, eve = shop.customer("Anna"), shop.customer("Eve")
    await walk(anna, until="confirm")
    before = await anna.conversation()
    for label in anna.last.labels:
        await eve.taps(anna.button(label))
        eve.sees("This button does nothing here.")
        eve.misses("zoe@example.com")
    await walk(eve, until="material")
    for label in anna.last.labels:
        await eve.taps(anna.button(label))
        eve.sees("This button does nothing here.")
    assert await anna.conversation() == before


async def test_made_up_buttons(anna: Customer) -> None:
    await walk(anna, until="material")
    visit = (await anna.conversation()).top.visit
    name = (await anna.conversation()).id
    stay = f"{name}.{visit.number}.{visit.draw}"
    before = await anna.data()
    for data in (
        "", "x", "....", f"{name}", f"{name}.0.0.nothing", f"{name}.0.0.", f"{name}.-1.0.o:pla", f"{name}.99.1.o:pla",
        f"{stay}.o:gold", f"{stay}.t:order", f"{stay}.e:name", f"{stay}.E:0", f"{stay}.r:0", f"{stay}.p:7",
        f"{stay}.q:+", f"{stay}.f:1", f"{stay}.x:ok", f"{stay}.n:skip", f"{stay}.n:keep", f"{stay}.s:print_order",
        f"{stay}.s:start", f"{stay}.n:retry", f"{stay}.é", "a" * 500, f"{name}.{10**30}.1.o:pla",
    ):  # fmt: skip
        await anna.taps(data)
        assert await anna.step() == "material", data
        assert await anna.data() == before, data
        assert await anna.open_flows() == ["print_order"], data


# --- nothing fits -----------------------------------------------------------------------------------------


async def test_without_an_order_everything_is_answered(anna: Customer) -> None:
    for what in ("Hello", "/back", "/skip", "/resume"):
        await anna.says(what)
        anna.sees("Nothing is open at the moment.", "/order – 3D print order")
    await anna.sends("cube.stl")
    anna.sees("Nothing is open at the moment.")
    await anna.says("/cancel")
    anna.sees("There is nothing open to cancel.")


# --- time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ORDER, ids=lambda step: step.name)
async def test_a_day_later_the_order_is_closed(anna: Customer, step: Step) -> None:
    await walk(anna, until=step.name)
    cancel = anna.button("✖️ Cancel")
    await anna.shop.waits(DAY - 1)
    assert await anna.open_flows() == ["print_order"]
    anna.sees(step.question)
    await anna.shop.waits(2)
    assert anna.feed.everything[-1].text.startswith("Your 3D print order was open for a day and has been closed.")
    assert await anna.open_flows() == []
    await anna.taps(cancel)
    anna.sees("This conversation is over.")
    await anna.says("/order")
    anna.sees("Which service do you need?")
    assert await anna.data() == {}


async def test_every_answer_starts_the_day_anew(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for step in ORDER:
        await anna.shop.waits(DAY - 60)
        await step.answered(anna)
    assert backend.orders == [DOCUMENT]


async def test_closed_while_the_bot_was_off(anna: Customer) -> None:
    await walk(anna, until="files")
    await anna.shop.app.stop()
    anna.shop.clock.advance(2 * DAY)
    anna.shop.app = anna.shop.built()
    await anna.shop.app.start()
    await anna.shop.app.run_due()
    assert "has been closed" in anna.feed.everything[-1].text
    assert await anna.open_flows() == []


async def test_closed_in_the_background_too(anna: Customer) -> None:
    await walk(anna, until="files")
    await anna.says("/start")
    await anna.shop.waits(DAY + 1)
    assert sum("has been closed" in effect.text for effect in anna.feed.everything) == 1
    assert "print_order" not in await anna.open_flows()


async def test_an_order_being_placed_is_not_closed(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="confirm")
    backend.errors = 1
    await anna.presses("✅ Order")
    await anna.shop.waits(2 * DAY)
    await anna.shop.tries_again()
    assert "NL-00001" in anna.feed.everything[-1].text
    assert backend.orders == [DOCUMENT]


async def test_finished_orders_are_kept_for_their_time_and_then_deleted(anna: Customer) -> None:
    await walk(anna, until="files")
    conversation = (await anna.conversation()).id
    await walk(anna, start="files")
    store = anna.shop.app.store
    assert await store.history(conversation)
    await anna.shop.waits(30 * DAY - 3600)
    assert await store.conversation(conversation) is not None
    await anna.shop.waits(2 * 3600)
    assert await store.conversation(conversation) is None
    assert list(await store.history(conversation)) == []
    await anna.says("/my_orders")
    anna.sees("Your orders, the newest first.")
    assert anna.has("NL-00001")


async def test_answers_of_an_expired_order_are_gone_after_its_retention(anna: Customer) -> None:
    await walk(anna, until="address")
    conversation = (await anna.conversation()).id
    await anna.shop.waits(DAY + 1)
    await anna.shop.waits(31 * DAY)
    assert await anna.shop.app.store.conversation(conversation) is None


# --- cancelling -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ORDER[1:], ids=lambda step: step.name)
async def test_cancel_asks_first(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    await anna.presses("✖️ Cancel")
    anna.sees("Cancel for good? What you have entered will be dropped.")
    await anna.presses("⬅️ No, go on")
    anna.sees(step.question)
    await anna.presses("✖️ Cancel")
    await anna.presses("✖️ Yes, cancel")
    anna.sees("«3D print order» is cancelled.")
    assert await anna.open_flows() == []
    assert backend.orders == []


async def test_an_answer_typed_over_the_question_whether_to_cancel(anna: Customer) -> None:
    await walk(anna, until="name")
    await anna.presses("✖️ Cancel")
    await anna.says("Anna")
    anna.sees("Where do we send")


@pytest.mark.parametrize("step", QUESTIONS, ids=lambda step: step.name)
async def test_the_flow_cancel_drops_it_or_not(anna: Customer, backend: Backend, step: Step) -> None:
    await walk(anna, until=step.name)
    await anna.says("/cancel")
    anna.sees("What would you like to cancel?")
    await anna.presses("⬅️ Nothing")
    anna.sees("All right, nothing is cancelled.", "is waiting for you")
    await anna.presses("▶️ Continue")
    anna.sees(step.question)
    await anna.says("/cancel")
    await anna.presses("✖️ 3D print order")
    anna.sees("«3D print order» is cancelled.")
    assert await anna.open_flows() == []
    assert backend.orders == []


async def test_the_offer_can_drop_it(anna: Customer) -> None:
    await walk(anna, until="email")
    await anna.says("/help")
    await anna.presses("✖️ Drop it")
    anna.sees("«3D print order» is cancelled.")
    assert await anna.open_flows() == []


async def test_resume_redraws_and_the_older_drawing_still_works(anna: Customer) -> None:
    await walk(anna, until="material")
    older = anna.button("PETG")
    await anna.says("/resume")
    anna.sees("Which material?")
    await anna.taps(older)
    anna.sees("Which quality?")
