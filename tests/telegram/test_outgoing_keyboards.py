"""The keyboards for a telephone number and a place: they come with their question and go with it."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from engine.channels.telegram.keyboards import inline
from engine.core.effects import Accepts, Press, Say
from engine.runtime.chats import Loaded
from engine.runtime.ports import Chat
from tests.telegram.delivering import Bench, bench, show


@pytest_asyncio.fixture
async def out(tmp_path: Path, bot) -> AsyncIterator[Bench]:
    async with bench(tmp_path, bot) as made:
        yield made


def keys(anna) -> list[tuple[str, str]]:
    return [(key.text, key.asks) for row in anna.keyboard or [] for key in row]


async def test_comes_with_its_question_and_goes_with_the_next(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Your number?", accepts=(Accepts.CONTACT, Accepts.TEXT)))
    question = await anna.sees("Your number?")
    assert question.labels == ["Yes", "No"], "the question keeps its own buttons"
    await anna.sees("👇")
    assert keys(anna) == [("📱 My number", "contact")]
    await post.sends(show("Next", visit=2))
    await anna.sees("Next")
    await anna.until(lambda: anna.keyboard is None or None, "the keyboard is gone")
    await anna.settles()
    assert anna.texts == ["Your number?", "Next"]


async def test_a_place_and_both(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Where?", accepts=(Accepts.LOCATION,)))
    await anna.until(lambda: keys(anna) == [("📍 My place", "location")] or None, "a key for the place")
    await post.sends(show("Who and where?", visit=2, accepts=(Accepts.LOCATION, Accepts.CONTACT)))
    await anna.until(lambda: len(keys(anna)) == 2 or None, "both keys")
    await anna.settles()
    assert anna.texts == ["Where?", "Who and where?", "👇"], "one keyboard at a time"


async def test_a_tapped_key_shares(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Your number?", accepts=(Accepts.CONTACT,)))
    await anna.taps("My number")
    await post.sends(show("Thanks", visit=2))
    await anna.sees("Thanks")
    await anna.settles()
    assert anna.texts == ["Your number?", "Thanks"]


async def test_a_redrawn_question_keeps_it(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Your number?", accepts=(Accepts.CONTACT,)))
    await post.sends(show("Your number, please?", draw=2, edit=True, accepts=(Accepts.CONTACT,)))
    await anna.sees("please")
    assert server.count("messages.SendMessage", account=out.bot) == 2
    assert keys(anna)


async def test_known_after_a_restart_and_never_twice(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    row = await post.sends(show("Your number?", accepts=(Accepts.CONTACT,)))
    post.channel = out.restarted()
    await post.channel.deliver(row)
    assert len(server.box(anna.account)) == 2
    leaving = await post.sends(show("Next", visit=2))
    await anna.until(lambda: anna.keyboard is None or None, "the keyboard is gone")
    before = server.count("messages.SendMessage", account=out.bot)
    await out.restarted().deliver(leaving)
    assert server.count("messages.SendMessage", account=out.bot) == before + 1, "only the known message is asked for"
    await anna.refreshes()
    assert sorted(anna.texts) == ["Next", "Your number?"]


async def test_a_crash_before_it_is_written_down(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    row = post.row(show("Your number?", accepts=(Accepts.CONTACT,)))
    append, appended = out.journal.append, []

    async def fails(entry):
        appended.append(entry.kind)
        raise OSError("the process ends here")

    out.journal.append = fails  # the question itself goes with others; the keyboard is written alone
    with pytest.raises(OSError, match="ends here"):
        await out.channel.deliver(row)
    assert appended == ["keyboard"]
    out.journal.append = append
    await out.restarted().deliver(row)
    assert len(server.box(anna.account)) == 2


async def test_a_refusal_leaves_it_and_the_end_takes_it(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Your number?", accepts=(Accepts.CONTACT,)))
    standing = Loaded(chat=Chat(id=anna.chat, front="abc"), new=False, open=(conversation("abc", 1),))
    out.engine.open[anna.chat] = standing
    await post.sends(Say(text="That is not your number."))
    await anna.sees("not your number")
    assert keys(anna), "the question still stands"
    out.engine.open[anna.chat] = Loaded(chat=Chat(id=anna.chat), new=False, open=())
    await post.sends(Say(text="Goodbye"))
    await anna.until(lambda: anna.keyboard is None or None, "the keyboard is gone")


def conversation(name: str, visit: int):
    return SimpleNamespace(id=name, top=SimpleNamespace(visit=SimpleNamespace(number=visit, over=None)))


def test_buttons_that_telegram_would_refuse_are_left_out():
    rows = (
        (Press(text="ok", code="k"), Press(text="bad link", url="ftp://x"), Press(text="long", code="k" * 70)),
        (Press(text="link", url="https://x.org"),),
    )
    all_of_them, without = inline(rows, "abc.1", 2), inline(rows, "abc.1", 2, links=False)
    assert all_of_them is not None
    assert [[button.text for button in row] for row in all_of_them.inline_keyboard] == [["ok"], ["link"]]
    assert without is not None
    assert [[button.text for button in row] for row in without.inline_keyboard] == [["ok"]]
    assert inline((), "abc.1", 2) is None
