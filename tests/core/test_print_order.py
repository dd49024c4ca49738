"""The first flow of the language's description as a chat: straight, back from everywhere, interrupted everywhere."""

from collections.abc import Callable

import pytest

from engine.core.conversation import Phase
from engine.core.effects import Accepts
from engine.core.values import Money
from tests.core.walker import Walker, action, catalog_of, example, source

CATALOG = catalog_of(
    actions={
        "print3d.upload": action("file"),
        "print3d.create_order": action("contact", "service", "specs", "files", "address"),
    },
    sources={"print3d.services": source()},
)
SERVICES = [
    {"id": "fdm", "name": "FDM", "price": Money(minor=500, asset="EUR")},
    {"id": "sla", "name": "SLA <fine>", "price": Money(minor=1250, asset="EUR")},
]


def _service(walker: Walker) -> None:
    walker.press("SLA")


def _files(walker: Walker) -> None:
    walker.send("Dragon.STL", 40_000).outcome("uploaded", id="f1", name="Dragon.STL").press("That's all")


CHAT: dict[str, Callable[[Walker], object]] = {
    "service": _service,
    "name": lambda walker: walker.say("Ada O’Neil"),
    "email": lambda walker: walker.say("ada@example.org"),
    "phone": lambda walker: walker.contact("48100200300"),
    "files": _files,
    "material": lambda walker: walker.press("PETG"),
    "quality": lambda walker: walker.say("high"),
    "infill": lambda walker: walker.press("30 %"),
    "delivery": lambda walker: walker.press("Delivery"),
    "address": lambda walker: walker.say("1 Main Street, Kraków"),
    "confirm": lambda walker: walker.press("✅ Order"),
}
"""Step by step what the customer does."""
STEPS = list(CHAT)


def at(step: str) -> Walker:
    """A walker who has answered everything before `step`."""
    walker = Walker(example("print_order.yaml"), CATALOG).start().rows(SERVICES)
    for name in STEPS[: STEPS.index(step)]:
        assert walker.step == name
        CHAT[name](walker)
    assert walker.step == step
    return walker


def settle(walker: Walker) -> None:
    if walker.phase is Phase.FETCHING:
        walker.rows(SERVICES)


def finish(walker: Walker) -> None:
    """From wherever, to the end, answering what is asked."""
    for _ in range(20):
        if walker.step == "place":
            break
        settle(walker)
        CHAT[walker.step](walker)
    call = walker.last_call()
    assert call.arguments == {
        "contact": {"name": "Ada O’Neil", "email": "ada@example.org", "phone": "+48100200300"},
        "service": "sla",
        "specs": {"material": "petg", "quality": "high", "infill": "30"},
        "files": ({"id": "f1", "name": "Dragon.STL"},),
        "address": "1 Main Street, Kraków",
    }
    walker.outcome("created", number="A-1")
    assert walker.text == "Thank you! Your order is <b>A-1</b>."
    assert walker.over
    assert walker.conversation.outcome == "completed"


def test_straight_through() -> None:
    finish(at("service"))


def test_the_summary_says_everything() -> None:
    walker = at("confirm")
    assert "Ada O’Neil, ada@example.org, +48100200300" in walker.text
    assert "SLA &lt;fine&gt;: 1 file(s), PETG, 30 %" in walker.text
    assert walker.text.startswith("Step 11 of 11 ▓▓▓▓▓▓▓▓▓")


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_looks_like(step: str) -> None:
    walker = at(step)
    number = STEPS.index(step) + 1
    assert walker.text.startswith(f"Step {number} of 11 ")
    assert ("n:back" in walker.codes) is (step != "service")
    assert "n:cancel" in walker.codes
    assert (Accepts.TEXT in walker.shown.accepts) is (step in ("name", "email", "phone", "address"))


@pytest.mark.parametrize("step", STEPS[1:])
def test_back_from_every_step_and_on(step: str) -> None:
    walker = at(step)
    before = walker.data
    walker.back()
    settle(walker)
    assert walker.step == STEPS[STEPS.index(step) - 1]
    if walker.step == "files":
        walker.press("That's all")
    else:
        CHAT[walker.step](walker)
    assert walker.step == step
    assert walker.data == before
    finish(walker)


@pytest.mark.parametrize("step", STEPS[1:])
def test_all_the_way_back_and_forth_again(step: str) -> None:
    walker = at(step)
    before = walker.data
    while walker.step != "service":
        walker.back()
    settle(walker)
    assert walker.data == {}
    while walker.step != step:
        offered = [code for code in walker.codes if code == "n:keep"]
        ticked = [press.code for row in walker.shown.rows for press in row if press.text.startswith("• ")]
        walker.press_code((offered or ticked or ["x:ok"])[0])
    assert walker.data == before
    finish(walker)


@pytest.mark.parametrize("step", STEPS)
def test_interrupted_at_every_step(step: str) -> None:
    walker = at(step)
    text, rows, old = walker.text, walker.shown.rows, walker.shown
    walker.interrupted()
    assert (walker.text, walker.shown.rows) == (text, rows)
    assert walker.shown.draw > old.draw
    if step not in ("service", "files"):
        walker.press_code("n:cancel", old).press("n:stay")
    finish(walker)


def test_interrupted_while_the_list_or_the_order_is_on_its_way() -> None:
    walker = Walker(example("print_order.yaml"), CATALOG).start().interrupted()
    assert walker.said == ["One moment, I am still working on your last step."]
    walker.rows(SERVICES)
    finish(walker)
    walker = at("confirm").press("✅ Order").interrupted()
    assert walker.phase is Phase.RUNNING
    finish(walker)


@pytest.mark.parametrize("step", [name for name in STEPS if name not in ("address", "confirm")])
def test_every_answer_can_be_changed_from_the_summary(step: str) -> None:
    walker = at("confirm")
    before = walker.data
    walker.press("✏️ Change something").press(f"e:{step}")
    settle(walker)
    assert walker.step == step
    if step == "files":
        walker.press("That's all")
    else:
        CHAT[step](walker)
    assert walker.step == "confirm"
    assert walker.data == before
    finish(walker)


def test_the_shop_refuses_and_does_not_answer() -> None:
    walker = at("confirm").press("✅ Order").outcome("rejected", reason="too <big>")
    assert walker.said == ["The shop refused the order: too &lt;big&gt;"]
    walker.press("✅ Order").fail("timeout", "10 s")
    assert walker.said == ["The shop does not answer. Nothing is lost; please try again in a few minutes."]
    first, second = (invoke for invoke in walker.invokes if invoke.name == "print3d.create_order")
    assert first.retry is not None
    assert first.retry.attempts == 5
    assert second.call != first.call
    finish(walker)


def test_a_day_of_silence_ends_it() -> None:
    walker = at("material").wait(24 * 3600 + 1)
    assert walker.conversation.outcome == "expired"
    assert walker.said == [
        "«3D print order» was open for too long and has been closed. You can start again at any time."
    ]


@pytest.mark.parametrize("name", ["A", "R2D2", "x" * 51, "<b>Bob</b>", "a{{ 1 }}"])
def test_names_that_the_flow_refuses(name: str) -> None:
    walker = at("name").say(name)
    assert len(walker.said) == 1
    assert walker.step == "name"
