"""An action's next call fails, is slow or gives a chosen outcome, once; what cannot be chosen is said at once."""

import asyncio

import pytest

from engine.channels.web.rigs import MOST, Fail, Rigs
from engine.runtime.clock import TurnedClock
from tests.channels.web.workshop_room import BUY, Room, Shop, of_type, room

PLACED = {
    "number": "X-9",
    "total": {"amount": "12.50", "asset": "EUR"},
    "ready": "2026-02-03",
    "weight": "0.25",
}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def here(tmp_path, shop) -> Room:
    made = await room(tmp_path, {"buy": BUY}, offers=shop.offers())
    yield made
    await made.close()


async def order(here: Room) -> None:
    await here.bot.command("buy")
    await here.bot.press("Vase")
    await here.bot.types("2")


async def rig(here: Room, **message) -> list[dict]:
    return await here.says(**{"type": "rig", "action": "shop.place", **message})


async def test_a_call_fails_once_and_is_tried_again(here, shop):
    await rig(here, kind="fail", reason="the backend is down")
    await order(here)
    assert shop.placed == []
    state = await here.state()
    assert state["rigs"] == []
    (call,) = state["shown"]["calls"]
    assert (call["name"], call["attempt"]) == ("shop.place", 1)
    await here.says(type="clock", to="next")
    assert shop.placed == [("Vase", 2)]
    assert "Waiting for the money." in here.bot.screen.texts("web:anna")


async def test_a_call_fails_for_good(here, shop):
    await rig(here, kind="fail", reason="closed", final=True)
    await order(here)
    assert shop.placed == []
    assert "Broken: refused" in here.bot.screen.texts("web:anna")
    await here.workshop.flush()
    failed = [item for item in await here.entries("called") if not item["outcome"]]
    assert failed[0]["value"]["reason"] == "closed"
    events = (await here.state())["shown"]["evaluations"]
    assert any(event["event"] == "shop.place failed: closed" for event in events)


async def test_an_outcome_is_given_without_the_action(here, shop):
    await rig(here, kind="outcome", outcome="placed", value=PLACED)
    (line,) = (await here.state())["rigs"]
    assert line["action"] == "shop.place"
    assert line["kind"] == "outcome"
    assert "X-9" in line["detail"]
    assert "12.50 EUR" in line["detail"]
    await order(here)
    assert shop.placed == []
    place = (await here.state())["shown"]["frames"][0]["data"]["place"]
    assert place == {"number": "X-9", "total": "12.50 EUR", "ready": "2026-02-03", "weight": "0.25"}


async def test_a_rig_is_used_once(here, shop):
    await rig(here, kind="outcome", outcome="rejected", value={"reason": "no wood"})
    await order(here)
    assert "No: no wood" in here.bot.screen.texts("web:anna")
    await here.bot.press("Vase")
    await here.bot.types("3")
    assert shop.placed == [("Vase", 3)]


async def test_a_source_can_be_given_rows(here, shop):
    rows = [{"name": "Bowl", "price": {"amount": 7, "asset": "EUR"}}]
    await rig(here, action="shop.goods", kind="outcome", outcome="rows", value={"rows": rows})
    await here.bot.command("buy")
    assert shop.asked == 0
    await here.bot.press("Bowl")
    await rig(here, action="shop.goods", kind="outcome", value=[])
    assert (await here.state())["rigs"][0]["detail"] == "gives 0 rows"


async def test_a_slow_call_runs_after_its_time_and_the_clock_may_bring_it(here, shop):
    await rig(here, kind="slow", seconds=20)
    await here.bot.command("buy")
    await here.bot.press("Vase")
    typing = asyncio.create_task(here.bot.types("2"))
    await asyncio.sleep(0.05)
    assert shop.placed == []
    await here.says(type="clock", turn=21)
    await asyncio.wait_for(typing, 40)
    assert shop.placed == [("Vase", 2)]


async def test_a_transactional_action_can_be_rigged_too(tmp_path, shop):
    flow = BUY.replace("    retry: {attempts: 3, first: 10s, factor: 2}\n", "")
    made = await room(tmp_path, {"buy": flow}, offers=shop.offers(transactional=True))
    await rig(made, kind="outcome", outcome="placed", value=PLACED)
    await order(made)
    assert shop.placed == []
    assert "Waiting for the money." in made.bot.screen.texts("web:anna")
    await made.close()


async def test_clearing_takes_a_rig_away(here, shop):
    await rig(here, kind="fail", reason="x", final=True)
    assert not of_type(await rig(here, kind="clear"), "error")
    assert (await here.state())["rigs"] == []
    await rig(here, kind="clear")
    await order(here)
    assert shop.placed == [("Vase", 2)]
    assert [item["text"] for item in await here.entries("rig")] == [
        "The next call of shop.place fails for good: x",
        "shop.place is itself again",
    ]


async def test_a_later_rig_replaces_an_earlier_one(here):
    await rig(here, kind="fail", reason="x")
    await rig(here, kind="slow", seconds=2)
    (line,) = (await here.state())["rigs"]
    assert line == {"action": "shop.place", "kind": "slow", "detail": "takes 2 seconds"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({**PLACED, "total": "12.50 EUR"}, "placed.total must be money"),
        ({**PLACED, "total": {"amount": "12.505", "asset": "EUR"}}, "placed.total"),
        ({**PLACED, "total": {"amount": "12.50", "asset": "<b>"}}, "placed.total must be money"),
        ({**PLACED, "total": {"amount": "1e5", "asset": "EUR"}}, "placed.total.amount must be a number"),
        ({**PLACED, "total": {"amount": "NaN", "asset": "EUR"}}, "placed.total.amount must be a number"),
        ({**PLACED, "ready": "tomorrow"}, "placed.ready must be a date such as"),
        ({**PLACED, "ready": 7}, "placed.ready"),
        ({**PLACED, "weight": "heavy"}, "placed.weight must be a number"),
        ({**PLACED, "weight": True}, "placed.weight must be a number"),
        ({**PLACED, "number": 9}, "placed.number must be text"),
        ({**PLACED, "number": "\ud800"}, "cannot be kept"),
        ({**PLACED, "nubmer": "1"}, "placed has no field “nubmer”: there is “number”"),
        ({"number": "1"}, "placed.total is missing: it must be money"),
        ([], "placed must be an object with “number”"),
        ("x", "placed must be an object"),
    ],
)
async def test_a_wrong_value_is_told_at_once(here, value, said):
    text = await here.refusal(type="rig", action="shop.place", kind="outcome", outcome="placed", value=value)
    assert said in text
    assert (await here.state())["rigs"] == []
    assert await here.entries("rig") == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"action": "shop.plaec", "kind": "slow"}, "there is shop.place"),
        ({"action": "<script>", "kind": "slow"}, "There is no action or source"),
        ({"action": ["shop.place"], "kind": "slow"}, "There is no action or source"),
        ({"action": None, "kind": "clear"}, "There is no action or source"),
        ({"kind": "outcome", "outcome": "plaecd"}, "there is “placed”, “rejected”"),
        ({"kind": "outcome", "outcome": ["placed"]}, "there is “placed”, “rejected”"),
        ({"kind": "explode"}, "or to give an “outcome”, not “explode”"),
        ({"kind": None}, "made to “fail”"),
        ({"kind": "slow"}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": 601}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": 0}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": -1}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": "5"}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": True}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": float("nan")}, "0.1 to 600 seconds"),
        ({"kind": "slow", "seconds": 10**400}, "0.1 to 600 seconds"),
        ({"kind": "fail", "reason": "x" * 301}, "at most 300 characters"),
        ({"kind": "fail", "reason": ["x"]}, "at most 300 characters"),
        ({"kind": "fail", "reason": "\ud800"}, "character"),
        ({"kind": "fail", "reason": "x", "final": "yes"}, "true or false"),
        ({"action": "shop.goods", "kind": "outcome", "outcome": "placed", "value": []}, "its only outcome is “rows”"),
        ({"action": "shop.goods", "kind": "outcome", "value": {"rows": {}}}, "rows must be a list"),
        ({"action": "shop.goods", "kind": "outcome", "value": [{"name": "x"}]}, "rows[0].price is missing"),
    ],
)
async def test_what_cannot_be_rigged_is_told(here, message, said):
    assert said in await here.refusal(**{"type": "rig", "action": "shop.place", **message})
    assert (await here.state())["rigs"] == []


async def test_a_reason_is_on_one_line_and_has_words(here):
    await rig(here, kind="fail", reason="a\n b\tc")
    assert (await here.state())["rigs"][0]["detail"] == "fails once: a b c"
    await rig(here, kind="fail", reason="")
    assert (await here.state())["rigs"][0]["detail"] == "fails once: made to fail in the workshop"


def test_rigs_are_bounded():
    rigs = Rigs(TurnedClock().sleep)
    for number in range(MOST + 10):
        rigs.put(f"web:{number}", "shop.place", Fail(reason="x", final=False))
    assert not rigs.of("web:0")
    assert rigs.of(f"web:{MOST + 9}")
