"""The workshop pane's commands on a real engine: what they do, and what they refuse."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from engine.channels.web.workshop import Saved
from engine.channels.web.workshop_clock import OFFSET, saved_offset
from engine.channels.web.workshop_journal import read_called
from engine.core.conversation import Status
from engine.core.events import TextReceived
from engine.core.model import Expression
from engine.core.values import money
from engine.diagnostics import NOWHERE
from engine.runtime.clock import ManualClock, TurnedClock
from engine.runtime.routing import Command
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.channels.web.workshop_room import ANNA, BEN, BUY, DAY, Room, Shop, of_type, received, room
from tests.runtime.flows import ORDER, PAY, SLOW

HOSTILE = ["", " ", "../x", "a/b", "a\\b", "<script>", "\x00", "x" * 10_000, "ü\ud800", None, 7, True, [], {}, 1.5]
ODD = [None, "", "x", "0", -1, 10**400, 1.5, True, [], {}, [1], {"a": 1}, float("inf")]


@pytest.fixture
async def on_disk(tmp_path) -> Room:
    store = SqliteStore(tmp_path / "chat.db")
    made = await room(tmp_path, {"buy": BUY}, store=store)
    yield made
    await made.close()


@pytest.fixture
async def here(tmp_path) -> Room:
    made = await room(tmp_path, {"buy": BUY, "slow": SLOW, "order": ORDER, "pay": PAY})
    yield made
    await made.workshop.settled()
    await made.close()


async def at_many(here: Room) -> str:
    await here.bot.command("buy")
    await here.bot.press("Vase")
    return await here.conversation()


async def waiting(here: Room) -> str:
    name = await at_many(here)
    await here.bot.types("2")
    return name


# --- the state -------------------------------------------------------------------------------------------


async def test_a_person_who_has_done_nothing_has_an_empty_state(here):
    state = await here.state()
    assert state == {"type": "state", "conversations": [], "shown": None, "rigs": [], "next": None}


async def test_the_state_says_where_the_conversation_stands(here):
    name = await waiting(here)
    state = await here.state()
    (line,) = state["conversations"]
    assert line == {
        "id": name, "flow": "buy", "title": "Buying", "status": "active", "outcome": None, "front": False,
    }  # fmt: skip
    shown = state["shown"]
    (frame,) = shown["frames"]
    assert (frame["step"], frame["phase"]) == ("hold", "waiting")
    assert frame["path"] == ["what", "many", "place", "hold"]
    assert frame["data"]["what"] == {"name": "Vase", "price": "5.00 EUR"}
    assert frame["data"]["place"] == {"number": "N-1", "total": "10.00 EUR", "ready": DAY.isoformat(), "weight": "1.5"}
    assert shown["signals"] == ["paid", "lost"]
    (timer,) = shown["timers"]
    assert timer["name"] == "timeout"
    moments = [datetime.fromisoformat(moment) for moment in (state["next"], timer["due"])]
    assert abs(moments[0] - moments[1]) < timedelta(milliseconds=2)
    assert shown["calls"] == []


async def test_the_state_offers_the_actions_of_the_flow_with_examples_that_fit(here):
    await at_many(here)
    state = await here.state()
    actions = {item["name"]: item for item in state["shown"]["actions"]}
    assert actions["shop.goods"]["source"] is True
    assert actions["shop.goods"]["steps"] == ["what"]
    place = actions["shop.place"]
    assert place["source"] is False
    assert place["steps"] == ["place"]
    for action in actions.values():
        for outcome in action["outcomes"]:
            messages = await here.says(
                type="rig", action=action["name"], kind="outcome", outcome=outcome["name"], value=outcome["example"]
            )
            assert not of_type(messages, "error")


async def test_an_expiry_is_a_timer_of_visit_nought(here):
    await at_many(here)
    state = await here.state()
    (timer,) = state["shown"]["timers"]
    assert (timer["visit"], timer["name"]) == (0, "expires")
    assert state["shown"]["expires"] == timer["due"]
    assert state["conversations"][0]["front"] is True
    assert state["shown"]["front"] is True


async def test_expressions_show_with_their_place_and_value(here):
    await at_many(here)
    await here.bot.types("500")
    state = await here.state()
    events = state["shown"]["evaluations"]
    assert events[0]["event"] == "wrote “500”"
    found = [item for item in events[0]["items"] if item["source"] == "answer > 100"]
    assert found
    assert found[0]["value"] == "true"
    assert found[0]["ok"] is True
    assert found[0]["kind"] == "expression"
    assert found[0]["file"].endswith("buy.yaml")
    assert "answer > 100" in BUY.splitlines()[found[0]["line"] - 1]
    words = [event["event"] for event in events]
    assert "pressed “Vase”" in words
    assert "shop.goods → rows" in words
    assert words[-1] == "started"


async def test_a_state_holds_a_thousand_evaluations_at_most(here):
    name = await at_many(here)
    for _ in range(20):
        conversation = await here.store.conversation(name)
        here.watcher.advancing(conversation, TextReceived(at=conversation.started_at, text="x"))
        for _ in range(200):
            here.watcher.evaluated(Expression(source="x", span=NOWHERE), 1)
    events = (await here.state())["shown"]["evaluations"]
    assert [len(event["items"]) for event in events] == [200] * 5 + [0] * 15


async def test_an_ended_conversation_is_still_shown_to_its_end(here):
    name = await waiting(here)
    await here.says(type="signal", conversation=name, name="paid", payload={"amount": 12.5})
    state = await here.state()
    (line,) = state["conversations"]
    assert (line["status"], line["outcome"], line["front"]) == ("finished", "completed", False)
    assert state["shown"]["frames"][0]["path"] == ["what", "many", "place", "hold", "done"]
    assert state["shown"]["timers"] == []
    assert state["shown"]["signals"] == []


async def test_what_ended_before_a_restart_or_in_one_go_is_shown_too(here):
    """From the journal, and from what was looked on at: neither needs an earlier state."""
    for _ in range(7):
        await here.bot.command("order")
        await here.bot.types("Anna")
        await here.bot.press("Red")
    ended = (await here.state())["conversations"]
    assert [line["status"] for line in ended] == ["finished"] * 5
    here.watcher._recent.clear()
    here.workshop._states._journalled.clear()
    assert (await here.state())["conversations"] == ended
    entries = await here.store.journal.entries("web:anna")
    oldest = next(entry.conversation for entry in entries if entry.conversation)
    assert oldest not in [line["id"] for line in ended]
    (state,) = of_type(await here.says(type="watch", conversation=oldest), "state")
    assert state["shown"]["id"] == oldest


async def test_what_is_watched_is_shown_and_null_goes_back_to_the_front(here):
    first = await at_many(here)
    await here.bot.command("order")
    second = await here.conversation()
    state = await here.state()
    assert state["shown"]["id"] == second
    (state,) = of_type(await here.says(type="watch", conversation=first), "state")
    assert state["shown"]["id"] == first
    (state,) = of_type(await here.says(type="watch", conversation=None), "state")
    assert state["shown"]["id"] == second


async def test_a_conversation_whose_flow_is_gone_is_still_shown(tmp_path, here):
    await at_many(here)
    (tmp_path / "flows" / "buy.yaml").unlink()
    await here.bot.app.reload()
    here.workshop.flows_changed()
    await here.workshop.settled()
    state = of_type(await received(here.tab), "state")
    state = state[-1] if state else await here.state()
    assert state["conversations"][0]["title"] == "buy"
    assert state["shown"]["frames"][0]["step"] == "many"
    assert state["shown"]["actions"] == []


async def test_two_tabs_of_one_person_watch_different_conversations(here):
    first = await at_many(here)
    await here.bot.command("order")
    second = await here.conversation()
    other = here.tab_of(ANNA)
    await here.state()
    await here.state(other)
    await here.says(other, type="watch", conversation=first)
    await received(here.tab)
    await here.bot.types("Anna")
    await here.workshop.settled()
    assert {item["shown"]["id"] for item in of_type(await received(here.tab), "state")} == {second}
    assert {item["shown"]["id"] for item in of_type(await received(other), "state")} <= {first}


async def test_a_closed_pane_is_sent_no_state_and_an_open_one_each_change_once(here):
    await at_many(here)
    await here.workshop.settled()
    assert of_type(await received(here.tab), "state") == []
    await here.state()
    await here.bot.types("500")
    await here.workshop.settled()
    states = of_type(await received(here.tab), "state")
    assert 1 <= len(states) <= 2
    here.workshop._panes.mark("web:anna")
    await here.workshop.settled()
    assert of_type(await received(here.tab), "state") == []
    await here.says(type="workshop", open=False)
    await here.bot.types("501")
    await here.workshop.settled()
    assert of_type(await received(here.tab), "state") == []


async def test_many_changes_at_once_make_few_states(here):
    await here.state()
    for number in range(40):
        here.rigs.clear("web:anna", "x")
        await here.bot.send(Command(name="buy" if number % 2 else "order"))
    await here.workshop.settled()
    assert len(of_type(await received(here.tab), "state")) < 40


async def test_a_tab_that_becomes_another_person_keeps_its_pane_open(here):
    await at_many(here)
    await here.state()
    here.workshop.detach(here.tab)
    here.tabs.remove(here.tab)
    here.tab.person = BEN
    here.tabs.add(here.tab)
    here.workshop.attach(here.tab)
    await here.workshop.settled()
    (state,) = of_type(await received(here.tab), "state")
    assert state["shown"] is None


# --- the clock --------------------------------------------------------------------------------------------


async def test_the_clock_is_turned_written_down_and_told_to_everybody(here):
    ben = here.tab_of(BEN)
    await waiting(here)
    messages = await here.says(type="clock", turn=1860)
    (clock,) = of_type(messages, "clock")
    assert clock["offset"] == 1860
    assert of_type(await received(ben), "clock") == [clock]
    assert (await here.entries("clock"))[0] == {"text": "31 minutes later", "seconds": 1860.0}
    assert [item["entry"]["text"] for item in of_type(messages, "entry")] == ["31 minutes later"]
    assert await saved_offset(here.store.journal) == timedelta(minutes=31)
    assert here.workshop.clock()[1] == 1860
    assert "Too late." in here.bot.screen.texts("web:anna")


async def test_until_the_next_timer_is_exactly_until_then(here):
    await waiting(here)
    due = await here.store.next_due()
    await here.says(type="clock", to="next")
    now, _ = here.workshop.clock()
    assert due < now < due + timedelta(seconds=5)
    assert "Too late." in here.bot.screen.texts("web:anna")


async def test_nothing_to_wait_for_is_said(here):
    assert "Nothing waits" in await here.refusal(type="clock", to="next")
    assert await here.entries("clock") == []


async def test_back_to_the_real_time(here):
    await here.says(type="clock", turn=7200)
    (clock,) = of_type(await here.says(type="clock", to="real"), "clock")
    assert clock["offset"] == 0
    assert await saved_offset(here.store.journal) == timedelta()
    assert (await here.entries("clock"))[-1]["to"] == "real"
    assert "already" in await here.refusal(type="clock", to="real")


@pytest.mark.parametrize("turn", [*[odd for odd in ODD if odd != 1.5], 0, 4e8, float("nan")])
async def test_other_turns_are_refused(here, turn):
    assert await here.refusal(type="clock", turn=turn)
    assert here.workshop.clock()[1] == 0


async def test_the_clock_is_never_more_than_ten_years_ahead(here):
    await here.says(type="clock", turn=9 * 365 * 86400)
    assert "ten years" in await here.refusal(type="clock", turn=2 * 365 * 86400)


@pytest.mark.parametrize("to", [None, "later", 7, [], {}])
async def test_the_clock_has_two_places_to_go_to(here, to):
    assert await here.refusal(type="clock", to=to)


async def test_turns_at_the_same_time_add_up(here):
    await asyncio.gather(*(here.workshop.command(here.tab, {"type": "clock", "turn": 60}) for _ in range(10)))
    await here.workshop.settled()
    assert here.workshop.clock()[1] == 600
    assert await saved_offset(here.store.journal) == timedelta(minutes=10)
    assert len(await here.entries("clock")) == 10


async def test_the_next_moment_is_one_to_come_though_something_is_due_already(here):
    """A slow call is due since it was started: the next timer is what comes after it."""
    await here.says(type="rig", action="shop.goods", kind="slow", seconds=500)
    starting = asyncio.create_task(here.bot.command("buy"))
    await asyncio.sleep(0.05)
    conversation = await here.store.conversation(await here.conversation())
    await here.workshop.command(here.tab, {"type": "clock", "to": "next"})
    assert here.workshop.clock()[0] > conversation.expires_at
    await asyncio.wait_for(starting, 40)


async def test_a_production_clock_is_not_turned(tmp_path):
    made = await room(tmp_path, {"order": ORDER}, clock=ManualClock(datetime(2026, 1, 5, tzinfo=UTC)))
    assert "cannot be turned" in await made.refusal(type="clock", turn=60)
    assert made.workshop.clock()[1] == 0
    await made.close()


async def test_the_offset_is_on_disk_before_the_clock_moves(here, monkeypatch):
    async def broken(name, value):
        raise OSError("disk full")

    monkeypatch.setattr(here.store.journal, "set_value", broken)
    assert "did not work" in await here.refusal(type="clock", turn=60)
    assert here.workshop.clock()[1] == 0


@pytest.mark.parametrize("text", [None, "nonsense", "-5", "1e99", "nan", ""])
async def test_a_saved_offset_without_sense_is_none(text):
    store = MemoryStore()
    await store.open()
    if text is not None:
        await store.journal.set_value(OFFSET, text)
    assert await saved_offset(store.journal) == timedelta()


# --- timers and signals ------------------------------------------------------------------------------------


async def test_a_timer_fires_at_once(here):
    name = await waiting(here)
    (timer,) = (await here.state())["shown"]["timers"]
    assert not of_type(await here.says(type="timer", conversation=name, visit=timer["visit"], name="timeout"), "error")
    assert "Too late." in here.bot.screen.texts("web:anna")
    (entry,) = await here.entries("timer")
    assert entry == {
        "text": "Timer timeout, at once", "conversation": name, "visit": timer["visit"], "name": "timeout",
    }  # fmt: skip


async def test_a_conversation_expires_at_once(here):
    name = await at_many(here)
    await here.says(type="timer", conversation=name, visit=0, name="expires")
    assert (await here.store.conversation(name)).outcome == "expired"


async def test_a_double_click_on_a_timer_fires_it_once(here):
    name = await waiting(here)
    (timer,) = (await here.state())["shown"]["timers"]
    message = {"type": "timer", "conversation": name, "visit": timer["visit"], "name": "timeout"}
    await asyncio.gather(*(here.workshop.command(here.tab, dict(message)) for _ in range(5)))
    await here.workshop.settled()
    await here.bot.app.run_due()
    assert here.bot.screen.texts("web:anna").count("Too late.") == 1


@pytest.mark.parametrize("odd", ODD)
async def test_an_unknown_timer_is_refused_with_what_there_is(here, odd):
    name = await waiting(here)
    text = await here.refusal(type="timer", conversation=name, visit=odd, name="timeout")
    assert "“timeout” of visit" in text
    assert await here.refusal(type="timer", conversation=name, visit=1, name=odd)
    assert await here.entries("timer") == []


async def test_a_signal_reaches_its_conversation_with_its_payload(here):
    name = await waiting(here)
    payload = {"amount": 12.5, "by": "card", "lines": [1, {"a": None}]}
    assert not of_type(await here.says(type="signal", conversation=name, name="paid", payload=payload), "error")
    over = await here.store.conversation(name)
    assert over.status is Status.FINISHED
    assert json.dumps((await here.entries("signal"))[0]["payload"]["by"]) == '"card"'
    assert "Thanks, N-1." in here.bot.screen.texts("web:anna")


async def test_a_signal_without_a_payload_is_fine(here):
    name = await waiting(here)
    assert not of_type(await here.says(type="signal", conversation=name, name="lost"), "error")


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_unknown_signal_is_refused_with_what_there_is(here, name):
    conversation = await waiting(here)
    text = await here.refusal(type="signal", conversation=conversation, name=name, payload={})
    assert "“paid”, “lost”" in text
    assert await here.entries("signal") == []


async def test_a_conversation_that_waits_for_nothing_takes_no_signal(here):
    name = await at_many(here)
    assert "waits for none" in await here.refusal(type="signal", conversation=name, name="paid")


def deep(levels: int) -> object:
    found: object = 1
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "payload",
    [7, "x", [1], True, {"a": deep(500)}, {"a": "\ud800"}, {"a": "x" * 400_000}, {"a": float("nan")}, {"a": 1e308}],
)
async def test_a_payload_that_cannot_be_kept_is_refused(here, payload):
    name = await waiting(here)
    assert await here.refusal(type="signal", conversation=name, name="paid", payload=payload)
    assert (await here.store.conversation(name)).status is Status.ACTIVE


# --- other people's conversations --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        {"type": "timer", "visit": 0, "name": "expires"},
        {"type": "signal", "name": "paid"},
        {"type": "watch"},
        {"type": "save_test", "name": "theirs"},
    ],
)
async def test_nobody_touches_the_conversation_of_somebody_else(here, message):
    name = await at_many(here)
    ben = here.tab_of(BEN)
    text = await here.refusal(ben, **message, conversation=name)
    assert text == "There is no such conversation in this chat."
    assert (await here.store.conversation(name)).status is Status.ACTIVE
    assert here.saver.asked == []


@pytest.mark.parametrize("odd", [odd for odd in HOSTILE if odd is not None])
@pytest.mark.parametrize("kind", ["timer", "signal", "watch", "save_test"])
async def test_hostile_names_of_conversations_are_refused(here, kind, odd):
    assert await here.refusal(type=kind, conversation=odd, name="paid", visit=0)


async def test_a_rig_is_for_ones_own_calls_only(here):
    ben = here.tab_of(BEN)
    await here.says(ben, type="rig", action="shop.goods", kind="fail", reason="closed", final=True)
    await here.bot.command("buy")
    assert any("What?" in text for text in here.bot.screen.texts("web:anna"))
    assert (await here.state(ben))["rigs"] == [
        {"action": "shop.goods", "kind": "fail", "detail": "fails for good: closed"}
    ]
    assert (await here.state())["rigs"] == []


# --- saving, findings, flows -------------------------------------------------------------------------------


async def test_a_conversation_is_saved_as_a_test_with_all_that_its_actions_gave(here):
    name = await waiting(here)
    (saved,) = of_type(await here.says(type="save_test", name="Two vases", conversation=name), "saved_test")
    assert saved == {
        "type": "saved_test", "ok": True, "path": "flows/tests/x.yaml", "passed": True, "text": "Saved.",
    }  # fmt: skip
    assert here.saver.asked == [("web:anna", name, "Two vases")]
    entries = [entry for entry in await here.store.journal.entries("web:anna") if entry.kind == "called"]
    goods, place = (read_called(entry.payload) for entry in entries)
    assert (goods["name"], goods["source"], goods["outcome"], goods["value"]["total"]) == (
        "shop.goods",
        True,
        "rows",
        2,
    )
    assert place["arguments"] == {"what": "Vase", "many": 2}
    assert place["outcome"] == "placed"
    assert place["value"]["total"] == money(10, "EUR")
    assert {entry.conversation for entry in entries} == {name}


async def order_of_kinds(room: Room) -> list[str]:
    await waiting(room)
    await room.workshop.flush()
    return [entry.kind for entry in await room.store.journal.entries("web:anna")]


async def test_what_actions_gave_stands_where_it_happened(here):
    assert await order_of_kinds(here) == ["called", "show", "show", "called", "show"]


async def test_what_actions_gave_stands_where_it_happened_on_disk_too(on_disk):
    assert await order_of_kinds(on_disk) == ["called", "show", "show", "called", "show"]


async def test_a_test_that_cannot_be_saved_is_said(here):
    here.saver.answer = RuntimeError("no disk")
    (saved,) = of_type(await here.says(type="save_test", name="x"), "saved_test")
    assert saved["ok"] is False
    assert "no disk" in saved["text"]
    here.saver.answer = Saved(ok=False, text="There is nothing to save yet.")
    (saved,) = of_type(await here.says(type="save_test", name="x"), "saved_test")
    assert saved["text"] == "There is nothing to save yet."


async def test_a_double_click_saves_one_after_the_other(here):
    running, most = 0, 0

    async def slow(**_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return Saved(ok=True)

    here.workshop._save_test = slow
    await asyncio.gather(*(here.workshop.command(here.tab, {"type": "save_test", "name": "x"}) for _ in range(4)))
    await here.workshop.settled()
    assert most == 1
    assert len(of_type(await received(here.tab), "saved_test")) == 4


@pytest.mark.parametrize("name", ["Full, then it works", "Order: two files!", "Ünal & Söhne (2)", "100 %", "7"])
async def test_a_test_is_called_what_a_person_calls_it(here, name):
    assert of_type(await here.says(type="save_test", name=name), "saved_test")
    assert here.saver.asked[0][2] == name


@pytest.mark.parametrize("name", [*HOSTILE, "..", ".", "-", "x\n", "CON:", "a" * 61])
async def test_hostile_names_of_tests_are_refused(here, name):
    if name == "x\n":  # what is around a name does not count
        assert of_type(await here.says(type="save_test", name=name), "saved_test")
        assert here.saver.asked[0][2] == "x"
        return
    assert await here.refusal(type="save_test", name=name)
    assert here.saver.asked == []


async def test_findings_are_broadcast_and_kept_for_panes_that_open_later(tmp_path, here):
    (tmp_path / "flows" / "slow.yaml").write_text(SLOW.replace("timeout: late}", "timeout: lte}"))
    loaded = await here.bot.app.reload()
    here.workshop.show_findings(loaded, False)
    (message,) = of_type(await received(here.tab), "findings")
    assert message["live"] is False
    assert message["errors"] >= 1
    finding = next(one for one in message["findings"] if one["severity"] == "error")
    assert "lte" in finding["source"]
    assert "late" in finding["help"]
    assert finding["file"].endswith("slow.yaml")
    ben = here.tab_of(BEN)
    assert of_type(await here.says(ben, type="workshop", open=True), "findings") == [message]


async def test_changed_flows_are_told(here):
    here.workshop.flows_changed()
    (message,) = of_type(await received(here.tab), "flows")
    assert {"name": "buy", "title": "Buying"}.items() <= next(f for f in message["flows"] if f["name"] == "buy").items()


# --- abuse -------------------------------------------------------------------------------------------------


async def test_only_the_panes_own_types_are_taken(here):
    for kind in ("text", "hello", "", None, 7, [], {}):
        assert await here.workshop.command(here.tab, {"type": kind}) is False
    assert await here.workshop.command(here.tab, {}) is False


@pytest.mark.parametrize("kind", ["clock", "timer", "signal", "rig", "watch", "workshop", "save_test"])
async def test_no_message_raises_whatever_is_in_it(here, kind):
    await waiting(here)
    fields = ["turn", "to", "conversation", "visit", "name", "payload", "action", "kind", "reason", "final", "seconds",
              "outcome", "value", "open"]  # fmt: skip
    for odd in [*ODD, *HOSTILE]:
        assert await here.workshop.command(here.tab, {"type": kind, **dict.fromkeys(fields, odd)}) is True
    await here.workshop.settled()


@pytest.mark.parametrize("odd", [None, 0, 1, "true", []])
async def test_a_pane_is_open_or_not(here, odd):
    assert await here.refusal(type="workshop", open=odd)


async def test_a_broken_store_is_a_sentence(here, monkeypatch):
    async def broken(chat):
        raise OSError("disk full")

    monkeypatch.setattr(here.bot.app.runtime, "chat", broken)
    assert "did not work" in await here.refusal(type="watch", conversation="abc")


async def test_outcomes_that_cannot_be_written_at_first_are_written_later(here, monkeypatch):
    real, tries = here.store.journal.append_all, []

    async def shaky(entries):
        tries.append(len(entries))
        if len(tries) == 1:
            raise OSError("busy")
        return await real(entries)

    monkeypatch.setattr(here.store.journal, "append_all", shaky)
    await here.bot.command("buy")
    await here.workshop.flush()
    assert tries[:2] == [1, 1]
    assert len(await here.entries("called")) == 1


async def test_the_workshop_stops_with_work_under_way(tmp_path):
    shop = Shop()
    made = await room(tmp_path, {"buy": BUY}, offers=shop.offers(), clock=TurnedClock())
    await made.says(type="rig", action="shop.goods", kind="slow", seconds=600)
    sending = asyncio.create_task(_buy(made))
    await asyncio.sleep(0.02)
    await made.workshop.command(made.tab, {"type": "clock", "turn": 5})
    await asyncio.wait_for(made.workshop.stop(), 40)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await made.bot.app.stop()


async def _buy(made: Room) -> None:
    await made.bot.command("buy")
