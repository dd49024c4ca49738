"""Edit and return: from a summary to an answer and home again, asking only what depends on what has changed."""

import pytest

from tests.core.editor import ASK, CATALOG, edit, flow, started
from tests.core.walker import Walker

DELIVERY = f"""  name:
{ASK}Name?
  delivery:
    ask: choice
    text: How?
    keyboard: {{pickup: Pick up, shipping: Ship}}
    transitions: {{pickup: {{to: phone, set: {{fee: 0}}}}, shipping: {{to: address, set: {{fee: 5}}}}}}
  address:
{ASK}Address?
  slot:
    ask: choice
    text: When?
    keyboard: {{from: shop.slots, with: {{place: address}}, value: option.id, text: '{{{{ option.id }}}}'}}
  phone:
{ASK}Phone?
  tip:
    ask: integer
    text: Tip?
    validators: [{{range: {{min: '{{{{ fee }}}}'}}}}]
"""
SLOTS = [{"id": "mon"}, {"id": "tue"}]


def shipped() -> Walker:
    walker = started(DELIVERY, "name, delivery, address, slot, phone, tip", "data: {fee: 1}\n")
    walker.say("Ada").press("Ship").say("Main St").rows(SLOTS).press("mon").say("123").say("9")
    assert walker.step == "home"
    return walker


def test_an_answer_nothing_depends_on() -> None:
    walker = edit(shipped(), "name")
    assert walker.button("n:keep").text.endswith("Ada")
    before = walker.data
    walker.say("Bob")
    assert walker.step == "home"
    assert walker.data == {**before, "name": "Bob"}
    assert walker.frame.edit is None
    assert [past.step for past in walker.frame.trail] == ["name", "delivery", "address", "slot", "phone", "tip"]


def test_the_menu_says_what_was_answered() -> None:
    walker = shipped().press("Edit")
    assert walker.text == "What would you like to change?"
    assert walker.labels[0] == ["Name?: Ada"]
    assert walker.button("e:delivery").text == "How?: Ship"
    walker.press("n:stay")
    assert walker.text == "Home"


def test_what_a_changed_answer_feeds_is_asked_again() -> None:
    walker = edit(shipped(), "address").say("Side St")
    assert walker.step == "slot"
    assert walker.last_call().arguments == {"place": "Side St"}
    walker.rows(SLOTS)
    assert walker.button("• mon")
    walker.press("tue")
    assert walker.step == "home"
    assert walker.data["slot"] == {"id": "tue"}
    assert walker.data["phone"] == "123"


def test_the_same_answer_goes_straight_home() -> None:
    walker = edit(shipped(), "address").press("n:keep")
    assert walker.step == "home"
    assert walker.traces[-1] == ("address", "kept")
    assert walker.frame.edit is None


def test_opened_and_left_backwards_changes_nothing() -> None:
    walker = shipped()
    before, trail = walker.data, walker.frame.trail
    edit(walker, "address").back()
    assert walker.step == "home"
    assert walker.data == before
    assert walker.frame.trail == trail
    assert walker.frame.remembered == {}


def test_from_shipping_to_pickup_and_back() -> None:
    walker = edit(shipped(), "delivery").press("Pick up")
    assert walker.step == "tip"
    assert "address" not in walker.data
    assert "slot" not in walker.data
    assert walker.data["fee"] == 0
    walker.press("n:keep")
    assert walker.step == "home"
    edit(walker, "delivery").press("Ship")
    assert walker.step == "address"
    assert walker.button("n:keep").text.endswith("Main St")
    walker.press("n:keep").rows(SLOTS).press("mon")
    assert walker.step == "tip"
    walker.say("4")
    assert walker.step == "tip"
    walker.say("5")
    assert walker.step == "home"
    assert walker.data == {
        "fee": 5, "name": "Ada", "delivery": "shipping", "address": "Main St", "slot": SLOTS[0], "phone": "123",
        "tip": 5,
    }  # fmt: skip


def test_a_dependant_that_comes_out_the_same_stops_the_wave() -> None:
    steps = f"""  a:
{ASK}A
  b:
{ASK}B
    validators: [{{contains: '{{{{ a }}}}'}}]
  c:
{ASK}C
    validators: [{{contains: '{{{{ b }}}}'}}]
"""
    walker = started(steps, "a, b, c").say("1").say("12").say("123")
    edit(walker, "a").say("2").say("12")
    assert walker.step == "home"
    edit(walker, "a").say("3").say("31")
    assert walker.step == "c"
    walker.press("n:keep")
    assert walker.step == "c"
    walker.say("312")
    assert walker.step == "home"


@pytest.mark.parametrize("again", ["home", "elsewhere"])
def test_options_that_depend_on_an_answer(again: str) -> None:
    steps = f"""  plan:
    ask: choice
    text: Plan
    keyboard: {{free: Free, paid: Paid}}
  extra:
    ask: choice
    text: Extra
    keyboard: {{none: None, gold: {{text: Gold, if: plan == 'paid'}}}}
  note:
{ASK}Note
"""
    walker = started(steps, "plan, extra, note").press("Paid").press("Gold").say("hi")
    edit(walker, "plan").press("Free")
    assert walker.step == "extra"
    assert walker.labels[0] == ["None"]
    assert walker.press_code("n:keep").step == "extra"
    walker.press("None")
    assert walker.step == "home"


def test_steps_with_conditions_come_and_go() -> None:
    steps = f"""  kind:
{ASK}Kind
  vat:
    if: kind == 'firm'
{ASK}VAT
  note:
{ASK}Note
"""
    walker = started(steps, "kind, vat, note").say("person").say("n")
    edit(walker, "kind").say("firm")
    assert walker.step == "vat"
    walker.say("PL1")
    assert walker.step == "home"
    edit(walker, "kind").say("person")
    assert walker.step == "home"
    assert "vat" not in walker.data
    edit(walker, "kind").say("firm")
    assert walker.button("n:keep").text.endswith("PL1")


def test_what_read_an_answer_that_is_gone_is_asked_again() -> None:
    steps = f"""  way:
    ask: yes_no
    text: Ship?
    transitions: {{no: slot}}
  address:
{ASK}Address
  slot:
    ask: choice
    text: Slot
    keyboard: {{from: shop.slots, with: {{place: address}}, value: option.id, text: '{{{{ option.id }}}}'}}
"""
    walker = started(steps, "way, address, slot").press("Yes").say("Main St").rows(SLOTS).press("mon")
    edit(walker, "way").press("No")
    assert walker.step == "slot"
    assert walker.last_call().arguments == {"place": None}


def test_set_is_evaluated_again() -> None:
    steps = f"""  a:
    ask: integer
    text: A
    transitions: {{answered: {{to: b, set: {{total: total + a}}}}}}
  b:
    ask: integer
    text: B
    transitions: {{answered: {{to: c, set: {{total: total + b}}}}}}
  c:
    ask: integer
    text: C
    validators: [{{range: {{max: '{{{{ total }}}}'}}}}]
  d:
{ASK}D
"""
    walker = started(steps, "a, b, c, d", "data: {total: 0}\n").say("1").say("2").say("3").say("d")
    edit(walker, "a").say("10")
    assert walker.step == "c"
    assert walker.data["total"] == 12
    walker.say("12")
    assert walker.step == "home"
    edit(walker, "d").say("other")
    assert walker.data["total"] == 12


DONE = f"""  item:
{ASK}Item
  colour:
{ASK}Colour
  gift:
    ask: yes_no
    text: Gift?
    transitions: {{no: note}}
  order:
    do: shop.order
    with: {{what: item}}
    undo: {{do: shop.cancel, with: {{order: result.id}}}}
  note:
{ASK}Note
"""


def ordered() -> Walker:
    return started(DONE, "item, colour, gift, note").say("hat").say("red").press("Yes").outcome("placed", id=1).say("n")


def test_an_effect_that_the_edit_does_not_touch_stays() -> None:
    walker = edit(ordered(), "colour").say("blue")
    assert walker.step == "home"
    assert walker.all_undone == []
    assert len(walker.invokes) == 1
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}]


def test_an_effect_that_the_edit_touches_is_undone_and_done_again() -> None:
    walker = edit(ordered(), "item").say("cap")
    assert walker.undone == ["shop.cancel"]
    assert walker.last_call().call.split(".")[1] in ("do", "undo")
    call = next(i for i in reversed(walker.invokes) if i.name == "shop.order")
    assert call.arguments == {"what": "cap"}
    walker.comes_back(call, "placed", id=2)
    assert walker.step == "home"
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}, {"order": 2}]


def test_an_effect_that_is_not_on_the_way_any_more_is_undone_once() -> None:
    walker = edit(ordered(), "gift").press("No")
    assert walker.step == "home"
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}]
    assert "order" not in walker.data
    walker.back().back().back()
    walker.cancel()
    assert len(walker.all_undone) == 1


def test_cancelling_in_the_middle_of_an_edit_undoes_everything_once() -> None:
    walker = started(
        DELIVERY.replace(
            "  phone:\n",
            "  order:\n    do: shop.order\n    undo: {do: shop.cancel, with: {order: result.id}}\n  phone:\n",
        ),
        "name, address",
        "data: {fee: 0}\n",
    )
    walker.say("Ada").press("Ship").say("Main St").rows(SLOTS).press("mon").outcome("placed", id=5).say("1").say("9")
    edit(walker, "address").say("Side St").rows(SLOTS)
    assert walker.step == "slot"
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 5}]


def test_a_failing_effect_in_an_edit_is_kept_apart() -> None:
    walker = edit(ordered(), "item").say("cap")
    call = next(i for i in reversed(walker.invokes) if i.name == "shop.order")
    walker.fail(invoke=call)
    assert walker.step == "order"
    walker.back()
    assert walker.step == "gift"
    walker.press("No")
    assert walker.step == "home"
    walker.cancel()
    assert [undo.arguments for undo in walker.all_undone] == [{"order": 1}]


def test_back_in_the_middle_of_an_edit_and_forth_again() -> None:
    walker = edit(shipped(), "address").say("Side St").rows(SLOTS)
    assert walker.step == "slot"
    walker.back()
    assert walker.step == "address"
    assert walker.button("n:keep").text.endswith("Side St")
    walker.press("n:keep").rows(SLOTS).press("mon")
    assert walker.step == "home"
    assert [past.step for past in walker.frame.trail] == ["name", "delivery", "address", "slot", "phone", "tip"]
    assert walker.data["address"] == "Side St"


def test_back_beyond_the_edited_step() -> None:
    walker = edit(shipped(), "address").say("Side St").rows(SLOTS).back().back()
    assert walker.step == "delivery"
    walker.press("Pick up")
    assert walker.step == "tip"
    walker.press("n:keep")
    assert walker.step == "home"
    assert "address" not in walker.data


def test_editing_twice_in_a_row() -> None:
    walker = edit(edit(shipped(), "name").say("Bob"), "phone").say("456")
    assert walker.step == "home"
    assert (walker.data["name"], walker.data["phone"]) == ("Bob", "456")
    walker.back()
    assert walker.step == "tip"
    for step in ("phone", "slot", "address", "delivery", "name"):
        walker.back()
        if walker.step == "slot":
            walker.rows(SLOTS)
        assert walker.step == step
    assert walker.data == {"fee": 1}


def test_a_button_or_a_skip_at_the_edited_question() -> None:
    steps = f"  a:\n{ASK}A\n    optional: Skip\n    keyboard: [[{{text: None, trigger: none}}]]\n  b:\n{ASK}B\n"
    walker = started(steps, "a, b").say("1").say("2")
    edit(walker, "a").press("None")
    assert walker.step == "home"
    assert walker.data == {"b": "2"}
    assert [past.step for past in walker.frame.trail] == ["a", "b"]
    edit(walker, "a").say("5")
    assert walker.data == {"a": "5", "b": "2"}
    edit(walker, "a").skip()
    assert walker.data == {"b": "2"}
    assert walker.step == "home"


def test_a_time_out_at_the_edited_question() -> None:
    steps = f"  a:\n{ASK}A\n    timeout: 1m\n    transitions: {{timeout: b}}\n  b:\n{ASK}B\n"
    walker = edit(started(steps, "a, b").say("1").say("2"), "a").wait(61)
    assert walker.step == "home"
    assert [past.step for past in walker.frame.trail] == ["a", "b"]


def test_an_action_that_was_refused_does_not_confuse_the_way_home() -> None:
    steps = f"  a:\n{ASK}A\n  b:\n{ASK}B\n"
    text = (
        flow(steps, "a, b")
        .replace("go: the_end", "go: order")
        .replace(
            "  the_end:\n",
            "  order:\n    do: shop.order\n    with: {what: a}\n    transitions: {refused: home}\n  the_end:\n",
        )
    )
    walker = Walker(text, CATALOG).start().say("1").say("2").press("Go").outcome("refused")
    assert walker.step == "home"
    edit(walker, "a").say("3")
    assert walker.step == "home"
    assert [past.step for past in walker.frame.trail] == ["a", "b"]
    walker.press("Go").outcome("placed")
    assert walker.over


def test_what_cannot_be_edited() -> None:
    walker = shipped()
    assert walker.press_code("e:home").notices == ["This choice is not open any more."]
    assert walker.press_code("e:nowhere").notices == ["This choice is not open any more."]
    assert walker.press_code("E:7").notices == ["This choice is not open any more."]
    walker.back()
    assert walker.press_code("e:name").step == "tip"


def test_an_edit_button_for_staff_only() -> None:
    text = flow(f"  a:\n{ASK}A\n", "a").replace("text: Edit, ", "text: Edit, only: staff, ")
    walker = Walker(text, CATALOG).start().say("1")
    assert walker.press_code("E:0").notices == ["This choice is not open any more."]
    assert walker.press_code("e:a").notices == ["This choice is not open any more."]
