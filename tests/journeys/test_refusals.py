"""Every question refused in every way, said kindly, then answered: the same order as without."""

from collections.abc import Awaitable, Callable

import pytest

from tests.backend import Backend
from tests.journeys.order import DOCUMENT, ORDER, QUESTIONS, Step, walk
from tests.journeys.shop import Customer

Attempt = tuple[Callable[[Customer], Awaitable[None]], str]


def says(text: str, answer: str) -> Attempt:
    return (lambda anna: anna.says(text)), answer


def sends(name: str, answer: str, *, content: int = 3000, claimed: int = 0, photo: bool = False) -> Attempt:
    return (lambda anna: anna.sends(name, content, claimed=claimed, photo=photo)), answer


def contact(answer: str, *, phone: str = "+4930901820", own: bool = True) -> Attempt:
    return (lambda anna: anna.shares_contact(phone, own=own)), answer


def location(answer: str) -> Attempt:
    return (lambda anna: anna.shares_location()), answer


BUTTON = "Please choose one of the buttons."
TEXT = "Please type your answer as text."
PHONE = "Please type your telephone number or share your contact."
FILE = "Please send a file."
ONLY_BUTTONS = (says("nonsense", BUTTON), sends("a.stl", BUTTON), contact(BUTTON), location(BUTTON))
LETTERS = "Letters, spaces, hyphens and apostrophes only, please."
ADDRESS = "Please type the whole address"
EMAIL = "This is no e-mail address."
NUMBER = "This is no telephone number."

REFUSED: dict[str, tuple[Attempt, ...]] = {
    "service": ONLY_BUTTONS,
    "name": (
        says("A", "2"),
        says("A" * 51, "50"),
        says("Anna2", LETTERS),
        says("<b>Anna</b>", LETTERS),
        says("   ", "Please type your answer."),
        says("A" * 4097, "This is too long."),
        sends("a.stl", TEXT),
        contact(TEXT),
        location(TEXT),
    ),
    "email": (
        says("zoe", EMAIL),
        says("zoe@example", EMAIL),
        says("zoe @example.com", EMAIL),
        says("zoe@example.com, bob@example.com", EMAIL),
        says("@example.com", EMAIL),
        sends("a.stl", TEXT),
        contact(TEXT),
        location(TEXT),
    ),
    "phone": (
        says("call me", NUMBER),
        says("12", NUMBER),
        says("+49 30 901820 901820 901820", NUMBER),
        contact("Please share your own number, or type it.", own=False),
        sends("a.stl", PHONE),
        location(PHONE),
    ),
    "files": (
        says("later", FILE),
        contact(FILE),
        location(FILE),
        sends("cube.step", "“cube.step” has a format that does not work here. These do: .stl, .obj, .3mf"),
        sends("stl", "has a format that does not work here"),
        sends("<i>.exe", "“&lt;i&gt;.exe” has a format"),
        sends("photo.jpg", "has a format", photo=True),
        sends("empty.stl", "“empty.stl” is empty.", content=0),
        sends("huge.stl", "“huge.stl” is too big.", claimed=50 * 1024 * 1024 + 1),
    ),
    "material": ONLY_BUTTONS,
    "quality": ONLY_BUTTONS,
    "infill": (*ONLY_BUTTONS, says("31", BUTTON)),
    "colour": (*ONLY_BUTTONS, says("Red", BUTTON)),
    "delivery": ONLY_BUTTONS,
    "address": (
        says("Hamburg", ADDRESS),
        says("A" * 501, ADDRESS),
        sends("a.stl", TEXT),
        contact(TEXT),
        location(TEXT),
    ),
    "confirm": (*ONLY_BUTTONS, says("yes", BUTTON)),
}  # fmt: skip


def test_no_question_is_left_out() -> None:
    assert list(REFUSED) == [step.name for step in ORDER]


async def test_everything_refused_then_answered_is_the_same_order(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for step in ORDER:
        anna.sees(step.question)
        before = await anna.conversation()
        for attempt, answer in REFUSED[step.name]:
            await attempt(anna)
            anna.sees(answer)
            after = await anna.conversation()
            assert after.top.visit.step == step.name
            assert after.top.data == before.top.data
        await step.answered(anna)
    anna.sees("NL-00001")
    assert backend.orders == [DOCUMENT]
    assert len(backend.uploads) == 2


async def test_commands_that_do_not_fit_change_nothing(anna: Customer, backend: Backend) -> None:
    await anna.says("/order")
    for step in ORDER:
        if step.name != "phone":
            await anna.says("/skip")
            anna.sees("This question cannot be skipped. Please answer it.")
        await anna.says("/retry")
        anna.sees("There is nothing to try again.")
        await anna.says("/oder")
        anna.sees("I do not know the command /oder.", "Did you mean /order?")
        if step.name == "service":
            await anna.says("/back")
            anna.sees("There is no way back from here.")
        await step.answered(anna)
    assert backend.orders == [DOCUMENT]


async def test_not_without_a_file_and_not_with_eleven(anna: Customer, backend: Backend) -> None:
    await walk(anna, until="files")
    assert not anna.has("That's all")
    for number in range(1, 11):
        await anna.sends(f"part{number}.stl")
    anna.sees("<b>Files: 10</b>")
    await anna.sends("part11.stl")
    anna.sees("That is enough: 10 files at most.")
    await anna.presses("❌ part3.stl")
    await anna.sends("part11.stl")
    anna.sees("<b>Files: 10</b>", "part11.stl")
    await anna.presses("That's all")
    await walk(anna, start="material")
    names = [file["name"] for file in backend.orders[0]["specifications"]["files_info"]]
    assert names == [f"part{number}.stl" for number in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)]
    assert len(backend.uploads) == 11


async def test_all_files_removed_again_needs_another(anna: Customer) -> None:
    await walk(anna, until="files")
    await anna.sends("cube.stl")
    done = anna.button("That's all")
    await anna.presses("❌ cube.stl")
    assert not anna.has("That's all")
    await anna.taps(done)
    anna.sees("Please send at least 1.")
    assert await anna.step() == "files"


@pytest.mark.parametrize("step", QUESTIONS, ids=lambda step: step.name)
async def test_odd_texts_never_break_a_question(anna: Customer, step: Step) -> None:
    await walk(anna, until=step.name)
    for text in (
        "\0",
        "\u202e",
        "🙂" * 2000,
        "{{ 1/0 }}",
        "&amp;<",
        "'; DROP TABLE conversations; --",
        "-" * 4096,
        "\n\n",
    ):
        await anna.says(text)
        assert anna.news
        if await anna.step() != step.name:  # an address may be nearly anything
            await anna.says("/back")
