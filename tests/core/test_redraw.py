"""`redraw: true`: a step that its own buttons lead back to changes its message; whatever stands between does not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.walker import Walker, action, catalog_of, source

CATALOG = catalog_of(actions={"shop.change": action("by"), "shop.undo": action()}, sources={"shop.list": source()})
FLOW = """flow: f
data: {n: 0}
steps:
  hello:
    ask: text
    text: Who are you?
  cart:
    text: "{{ hello }} has {{ n }}"
    redraw: true
    keyboard:
      - [{text: "➕", trigger: more}, {text: Say, trigger: say}, {text: Zero, trigger: zero}]
      - [{text: Talk, trigger: talk}, {text: Call, trigger: inner}, {text: Done, trigger: ok}]
    transitions:
      more: change
      zero: {to: cart, set: {n: 0}}
      say: {to: cart, text: Said.}
      talk: word
      inner: inside
      ok: the_end
  change:
    do: shop.change
    with: {by: n}
    transitions: {ok: {to: again, set: {n: n + 1}}, short: {to: cart, text: No more.}, failed: cart}
  again:
    do: shop.change
    with: {by: 0}
    transitions: {ok: cart, short: cart, failed: cart}
  word:
    ask: text
    text: A word?
    transitions: cart
  inside:
    call: inner
    transitions: {completed: cart}
  the_end:
    end: completed
"""
INNER = """flow: inner
steps:
  work:
    do: shop.change
    transitions: {ok: over, failed: over}
  over:
    end: completed
"""


def at_cart() -> Walker:
    return Walker([FLOW, INNER], CATALOG).start().say("Ada")


def more(walker: Walker) -> Walker:
    walker.press("➕")
    walker.comes_back(walker.last_call(), "ok")
    return walker.comes_back(walker.last_call(), "ok")


def test_it_changes_its_message_over_actions() -> None:
    walker = at_cart()
    first = walker.shown
    assert (first.edit, first.over) == (False, 0)
    for count in range(1, 4):
        more(walker)
        assert walker.text == f"Ada has {count}"
        assert (walker.shown.edit, walker.shown.over) == (True, first.visit)
        assert walker.shown.visit == walker.visit.number > first.visit


def test_at_once_when_no_action_stands_between() -> None:
    assert at_cart().press("Zero").shown.edit


def test_the_buttons_of_the_old_drawing_do_nothing() -> None:
    walker = at_cart()
    first = walker.shown
    more(walker)
    walker.press_code("t:more", first)
    assert walker.notices == ["One moment, I am still working on your last step."]
    assert walker.data["n"] == 1
    assert walker.step == "cart"


def test_who_presses_twice_is_told_to_wait() -> None:
    walker = at_cart()
    first = walker.shown
    walker.press("➕").press_code("t:more", first)
    assert walker.notices == ["One moment, I am still working on your last step."]
    assert len(walker.open) == 1


def test_something_said_makes_a_new_message() -> None:
    walker = at_cart().press("Say")
    assert (walker.shown.edit, walker.shown.over) == (False, 0)
    walker.press("➕")
    walker.comes_back(walker.last_call(), "short")
    assert walker.said == ["No more."]
    assert not walker.shown.edit


def test_something_typed_while_an_action_runs_makes_a_new_message() -> None:
    walker = at_cart().press("➕")
    assert walker.say("hurry").said  # “One moment …”
    walker.comes_back(walker.last_call(), "ok")
    walker.comes_back(walker.last_call(), "ok")
    assert not walker.shown.edit


def test_a_question_or_another_flow_between_makes_a_new_message() -> None:
    walker = at_cart().press("Talk").say("well")
    assert walker.step == "cart"
    assert not walker.shown.edit
    walker.press("Call")
    walker.comes_back(walker.last_call(), "ok")
    assert walker.step == "cart"
    assert not walker.shown.edit


def test_the_next_redraw_is_of_the_newest_message() -> None:
    walker = at_cart().press("Say")
    newest = walker.shown.visit
    assert more(walker).shown.over == newest


def test_back_leads_to_before_the_first_drawing_and_restores_what_was() -> None:
    walker = more(more(at_cart()))
    assert len(walker.conversation.top.trail) == 2
    walker.press("⬅️ Back")
    assert walker.step == "hello"
    assert walker.data == {"n": 0}
    assert walker.say("Bob").text == "Bob has 0"


def test_back_passes_over_rounds_with_messages_between() -> None:
    walker = more(at_cart().press("Say").press("Say"))
    assert walker.press("⬅️ Back").step == "hello"


def test_there_is_no_back_from_the_first_screen() -> None:
    text = FLOW.replace("  hello:\n    ask: text\n    text: Who are you?\n", "").replace("{{ hello }} has ", "")
    walker = Walker([text, INNER], CATALOG).start()
    assert "⬅️ Back" not in [label for row in more(walker).labels for label in row]


def test_an_undo_on_the_way_is_kept() -> None:
    text = FLOW.replace("    with: {by: n}\n", "    with: {by: n}\n    undo: shop.undo\n")
    walker = Walker([text, INNER], CATALOG).start().say("Ada")
    more(more(walker)).press("⬅️ Back")
    assert [call.name for call in walker.invokes if call.name == "shop.undo"] == ["shop.undo", "shop.undo"]


def test_a_failure_that_nothing_names_and_trying_again() -> None:
    text = FLOW.replace(", failed: cart}\n  again", "}\n  again")
    walker = Walker([text, INNER], CATALOG).start().say("Ada").press("➕").fail()
    assert not walker.shown.edit
    walker.press("🔁 Try again")
    walker.comes_back(walker.last_call(), "ok")
    walker.comes_back(walker.last_call(), "ok")
    assert (walker.text, walker.shown.edit) == ("Ada has 1", False)


def test_options_of_a_source_are_fetched_anew_and_drawn_in_place() -> None:
    text = """flow: f
steps:
  list:
    ask: choice
    text: List
    redraw: true
    keyboard: {from: shop.list, text: "{{ option.name }}", value: option.id, page: 1}
    transitions: {answered: list}
  the_end:
    end: completed
"""
    rows = [{"id": 1, "name": "Tea"}, {"id": 2, "name": "Bun"}]
    walker = Walker(text, CATALOG).start().rows(rows)
    first = walker.shown.visit
    walker.press("Tea").rows(rows)
    assert (walker.shown.edit, walker.shown.over) == (True, first)
    walker.press("›").rows(rows)
    assert (walker.shown.edit, walker.shown.over) == (True, first)
    walker.press("Bun").fail()
    assert (walker.shown.edit, walker.shown.over) == (False, 0)
    broken = walker.shown.visit
    walker.press("🔁 Try again").rows(rows)
    assert (walker.shown.edit, walker.shown.over, walker.shown.visit) == (True, 0, broken)


PRESSES = st.lists(st.sampled_from(["➕", "Say", "Zero", "Talk", "Call", "back", "type"]), max_size=14)


@settings(max_examples=60, deadline=None)
@given(PRESSES)
def test_whatever_is_pressed_an_edit_is_always_of_a_message_that_was_sent(presses: list[str]) -> None:
    walker = at_cart()
    sent = {show.visit for show in walker.shows}
    for what in presses:
        walker.shows = walker.shows[-1:]
        if walker.step == "hello":
            walker.say("Ada")
        elif what == "type" or walker.step == "word":
            walker.say("well")
        elif what == "back":
            walker.press("⬅️ Back")
        else:
            walker.press(what)
        while walker.phase.value == "running":
            walker.comes_back(walker.last_call(), "ok")
        for show in walker.shows[1:]:
            place = show.over or show.visit
            assert place in sent if show.edit else place not in sent
            sent.add(place)
        assert len(walker.conversation.top.trail) <= 3 + 3 * len(presses)
