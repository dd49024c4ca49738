"""Messages to a customer over the loopback server: shown well, edited in place, each exactly once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from engine.channels.telegram.asking import Strange
from engine.core.effects import Notice, Press, Say, Show
from engine.runtime.ports import Elsewhere
from tests.telegram.delivering import Bench, bench, show


@pytest_asyncio.fixture
async def out(tmp_path: Path, bot) -> AsyncIterator[Bench]:
    async with bench(tmp_path, bot) as made:
        yield made


async def test_a_question_with_buttons_is_shown(out, customer):
    anna = await customer("Anna")
    rows = (
        (Press(text="Yes", code="k:yes"), Press(text="Site", url="https://example.org")),
        (Press(text="Back", code="b"),),
    )
    await out.post(anna.chat).sends(show("<b>Which?</b>", rows=rows))
    seen = await anna.sees("Which?")
    assert seen.html == "<b>Which?</b>"
    assert [[(b.text, b.data, b.url) for b in row] for row in seen.rows] == [
        [("Yes", "abc.1.1.k:yes", None), ("Site", None, "https://example.org")],
        [("Back", "abc.1.1.b", None)],
    ]


async def test_what_a_customer_typed_comes_back_as_typed(out, customer):
    anna = await customer("Anna")
    await out.post(anna.chat).sends(Say(text="You wrote “<i>&amp;lt; **x** __y__ &lt;b&gt;</i>” 😀 <code>a*b</code>"))
    seen = await anna.sees("You wrote")
    assert seen.text == "You wrote “&lt; **x** __y__ <b>” 😀 a*b"
    assert "<code>a*b</code>" in seen.html


async def test_the_same_row_twice_is_one_message(out, customer, server):
    anna = await customer("Anna")
    row = await out.post(anna.chat).sends(show("Once"))
    await out.channel.deliver(row)
    await out.restarted().deliver(row)
    await anna.sees_count("Once", 1)
    await anna.sees_none("nothing else")
    assert len(server.box(anna.account)) == 1


@pytest.mark.parametrize("how", ["lose_answer", "drop_line"])
async def test_a_lost_answer_makes_no_second_message(out, customer, server, how):
    anna = await customer("Anna")
    getattr(server.faults, how)("messages.SendMessage")
    await out.post(anna.chat).sends(show("Once"))
    await anna.sees_count("Once", 1)
    assert len(server.box(anna.account)) == 1


async def test_a_crash_between_sending_and_writing_down(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    row, append_all = post.row(show("Once")), out.journal.append_all

    async def broken(entries):
        raise OSError("the process ends here")

    out.journal.append_all = broken
    with pytest.raises(OSError, match="ends here"):
        await out.channel.deliver(row)
    out.journal.append_all = append_all
    again = out.restarted()
    await again.deliver(row)
    await again.deliver(post.row(show("Changed", draw=2, edit=True)))
    await anna.sees("Changed")
    assert [message.text for message in anna.received] == ["Changed"]


async def test_redrawn_in_place_also_after_a_restart(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Page 1"))
    first = await anna.sees("Page 1")
    await post.sends(show("Page 2", draw=2, edit=True))
    assert (await anna.sees("Page 2")).id == first.id
    post.channel = out.restarted()
    await post.sends(show("Page 3", draw=3, edit=True))
    seen = await anna.sees("Page 3")
    assert seen.id == first.id
    assert seen.rows[0][0].data == "abc.1.3.k:yes"
    assert len(anna.received) == 1


async def test_an_edit_that_changes_nothing_is_done(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Same"))
    row = post.row(show("Same", edit=True))
    await out.channel.deliver(row)
    assert server.count("messages.EditMessage", account=out.bot) == 1
    assert [message.message for message in server.box(anna.account)] == ["Same"]


async def test_a_message_that_is_gone_is_sent_anew(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Page 1"))
    first = await anna.sees("Page 1")
    await anna.deletes(first.id)
    await post.sends(show("Page 2", draw=2, edit=True))
    second = await anna.sees("Page 2")
    assert second.id > first.id
    await post.sends(show("Page 3", draw=3, edit=True))
    assert (await anna.sees("Page 3")).id == second.id


async def test_an_edit_of_something_never_sent_is_a_message(out, customer):
    anna = await customer("Anna")
    await out.post(anna.chat).sends(show("New", edit=True))
    await anna.sees("New")


async def test_a_text_that_is_too_long_comes_in_pieces(out, customer):
    anna = await customer("Anna")
    sentence = "A line of some fifty letters, to fill what there is.\n"
    row = out.post(anna.chat).row(show("Long"))
    raw = msgspec.json.decode(row.payload)  # the outbox cuts at Telegram's limit, the channel need not rely on it
    raw["effect"]["text"] = f"<b>{sentence * 200}</b>"
    await out.channel.deliver(replace(row, payload=msgspec.json.encode(raw)))
    await anna.until(lambda: len(anna.received) == 3 or None, "three pieces")
    texts = [message.text for message in anna.received]
    assert all(len(text) <= 4096 for text in texts)
    assert "\n".join(texts).count("A line of some fifty") == 200
    assert [bool(message.rows) for message in anna.received] == [False, False, True]


async def test_another_channels_chat_is_elsewhere(out):
    with pytest.raises(Elsewhere):
        await out.post("web:anna").sends(Say(text="hello"))


async def test_a_chat_that_is_no_number_is_left_out(out, server):
    await out.post("telegram:nobody").sends(Say(text="hello"))
    await out.post("telegram:-100").sends(Say(text="hello"))
    assert server.count("messages.SendMessage") == 0


async def test_what_telegram_refuses_goes_plainly(out, customer, server):
    anna = await customer("Anna")
    server.faults.fail("messages.SendMessage", 400, "ENTITY_BOUNDS_INVALID")
    await out.post(anna.chat).sends(show("<b>Bold</b>"))
    seen = await anna.sees("Bold")
    assert seen.html == "Bold"
    assert seen.labels == ["Yes", "No"]


async def test_what_telegram_always_refuses_holds_up_nothing(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    fault = server.faults.fail("messages.SendMessage", 400, "MESSAGE_TOO_LONG", times=None)
    await post.sends(show("Never"))
    assert fault.hits == 3
    server.faults.remove(fault)
    await post.sends(Say(text="After"))
    await anna.sees("After")
    assert anna.with_text("Never") is None


async def test_buttons_that_are_refused_cost_nobody_the_text(out, customer, server):
    anna = await customer("Anna")
    server.faults.fail("messages.SendMessage", 400, "REPLY_MARKUP_TOO_LONG", times=2)
    await out.post(anna.chat).sends(show("Text"))
    assert (await anna.sees("Text")).labels == []


async def test_what_the_library_stumbles_over_holds_up_nothing(out, customer, monkeypatch, caplog):
    anna = await customer("Anna")
    post = out.post(anna.chat)

    async def stumbles(**_: object) -> None:
        raise KeyError("an answer of a kind that came later")

    monkeypatch.setattr(out.line.client, "send_message", stumbles)
    row = post.row(show("Never"))
    for _ in range(2):
        with pytest.raises(Strange):
            await out.channel.deliver(row)
    await out.channel.deliver(row)
    assert "is left out" in caplog.text
    monkeypatch.undo()
    await post.sends(Say(text="After"))
    await anna.sees("After")


# --- presses --------------------------------------------------------------------------------------------


async def pressed(out: Bench, anna, label: str):
    """The press, and the id of its update as receiving gives it."""
    queries: list[int] = []

    async def received(updates) -> None:
        queries.extend(u.query_id for u in getattr(updates, "updates", []) if hasattr(u, "query_id"))

    out.line._received = received
    press = asyncio.create_task(anna.presses(label))
    async with asyncio.timeout(5):
        while not queries:
            await asyncio.sleep(0.01)
    return press, queries[0]


async def test_a_notice_answers_the_press(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Which?"))
    press, query = await pressed(out, anna, "Yes")
    row = await post.sends(Notice(text="x" * 300, alert=True), reply=f"telegram:{out.bot.id}:cb:{query}")
    answer = await press
    assert answer.alert
    assert len(answer.text) == 200
    await out.channel.deliver(row)
    await out.restarted().deliver(row)  # Telegram has forgotten the press
    await anna.settles()
    assert anna.texts == ["Which?"]


async def test_acknowledged_once_and_the_late_notice_is_a_message(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Which?"))
    press, query = await pressed(out, anna, "Yes")
    await out.channel.acknowledge(query)
    assert (await press).text == ""
    await out.channel.acknowledge(query)
    assert server.count("messages.SetBotCallbackAnswer") == 1
    await post.sends(Notice(text="It is done"), reply=f"telegram:{out.bot.id}:cb:{query}")
    await anna.sees("It is done")
    await post.sends(Notice(), reply=f"telegram:{out.bot.id}:cb:{query}")
    await anna.settles()
    assert len(anna.received) == 2


async def test_a_notice_without_a_press_is_a_message(out, customer):
    anna = await customer("Anna")
    await out.post(anna.chat).sends(Notice(text="1 < 2"), reply=f"telegram:{out.bot.id}:{anna.id}:7")
    assert (await anna.sees("1 < 2")).text == "1 < 2"


async def test_the_press_is_answered_while_a_slow_message_is_on_its_way(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Which?"))
    press, query = await pressed(out, anna, "Yes")
    server.faults.late("messages.SendMessage", 1.0)
    slow = asyncio.create_task(post.sends(Say(text="Slow")))
    await out.channel.acknowledge(query)
    async with asyncio.timeout(0.8):
        await press
    await slow
    await anna.sees("Slow")


async def test_the_press_is_answered_as_soon_as_its_message_goes_out(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await post.sends(show("Which?"))
    press, query = await pressed(out, anna, "Yes")
    server.faults.late("messages.SendMessage", 1.0)
    reply = f"telegram:{out.bot.id}:cb:{query}"
    slow = asyncio.create_task(post.sends(show("And now?", visit=2), reply=reply))
    async with asyncio.timeout(0.8):
        assert (await press).text == ""
    await slow
    await post.sends(Say(text="More"), reply=reply)
    await out.channel.acknowledge(query)
    assert server.count("messages.SetBotCallbackAnswer") == 1


# --- trouble --------------------------------------------------------------------------------------------


async def test_a_short_flood_wait_is_waited_for(out, customer, server):
    anna = await customer("Anna")
    server.faults.flood("messages.SendMessage", 1)
    await out.post(anna.chat).sends(Say(text="Patience"))
    await anna.sees_count("Patience", 1)


async def test_a_long_flood_wait_holds_up_its_own_chat_only(out, customer, server):
    anna, bob = await customer("Anna"), await customer("Bob")
    fault = server.faults.flood("messages.SendMessage", 3600, peer=anna.account)
    waiting = asyncio.create_task(out.post(anna.chat).sends(Say(text="For Anna")))
    async with asyncio.timeout(3):
        await out.post(bob.chat).sends(Say(text="For Bob"))
        await bob.sees("For Bob")
        while not fault.hits:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert not waiting.done()
    out.clock.turn(3601)
    await asyncio.wait_for(waiting, 5)
    await anna.sees_count("For Anna", 1)


@pytest.mark.parametrize(
    ("code", "name"),
    [(400, "USER_IS_BLOCKED"), (403, "USER_IS_BLOCKED"), (400, "INPUT_USER_DEACTIVATED"), (400, "PEER_ID_INVALID")],
)
async def test_a_customer_who_cannot_be_written_to_is_dropped(out, customer, server, code, name, caplog):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    server.faults.fail("messages.SendMessage", code, name)
    caplog.set_level("INFO", "stepgram.telegram")
    await post.sends(Say(text="one"))
    await post.sends(Say(text="two"))
    assert server.count("messages.SendMessage") == 1
    assert len([line for line in caplog.messages if "cannot be written to" in line]) == 1
    out.channel.heard(anna.chat)
    await post.sends(Say(text="three"))
    await anna.sees("three")


async def test_blocked_and_back(out, customer):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    await anna.blocks()
    await post.sends(show("one"))
    await anna.unblocks()
    await post.sends(Say(text="two"), reply=f"telegram:{out.bot.id}:{anna.id}:9")
    await anna.sees("two")


async def test_errors_of_the_server_are_tried_again(out, customer, server):
    anna = await customer("Anna")
    server.faults.fail("messages.SendMessage", 500, "INTERNAL", times=2)
    await out.post(anna.chat).sends(Say(text="After all"))
    await anna.sees_count("After all", 1)


async def test_no_network_for_a_while(out, customer, server):
    anna = await customer("Anna")
    post = out.post(anna.chat)
    row = post.row(Say(text="Later"))
    async with server.unreachable():
        sending = asyncio.create_task(deliver_as_the_runtime_does(out, row))
        await asyncio.sleep(2)
        assert not sending.done()
    await asyncio.wait_for(sending, 20)
    await anna.sees_count("Later", 1, timeout=20)


async def deliver_as_the_runtime_does(out: Bench, row) -> None:
    while True:
        try:
            return await out.channel.deliver(row)
        except OSError:
            await asyncio.sleep(0.1)


async def test_a_slow_chat_delays_no_other(out, customer, server):
    anna, bob = await customer("Anna"), await customer("Bob")
    server.faults.late("messages.SendMessage", 2, peer=anna.account)
    slow = asyncio.create_task(out.post(anna.chat).sends(Say(text="Slow")))
    async with asyncio.timeout(1.5):
        await out.post(bob.chat).sends(Say(text="Quick"))
        await bob.sees("Quick")
    assert not slow.done()
    await slow
    await anna.sees_count("Slow", 1)


async def test_apologies_have_keys_of_their_own(out, customer):
    anna = await customer("Anna")
    row = replace(out.post(anna.chat).row(Say(text="Sorry")), id=f"{anna.chat}#0", sequence=0)
    await out.channel.deliver(row)
    await out.channel.deliver(replace(row, created_at=row.created_at + timedelta(seconds=1)))
    await anna.sees_count("Sorry", 2)


async def test_a_text_without_anything_to_see(out, customer):
    anna = await customer("Anna")
    await out.channel.deliver(out.post(anna.chat).row(Show(visit=1, draw=1, text="<b> </b>\n")))
    await anna.sees("…")
