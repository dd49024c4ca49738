"""Messages, actions and the ways between steps: conditions, changes, failures, undo."""

from datetime import timedelta

import pytest

from engine.core.conversation import Phase
from engine.core.effects import Finish
from tests.core.stepping import ASK, started
from tests.core.walker import NOON

# --- messages and ways ---------------------------------------------------------------------------------------


def test_a_message_goes_on_and_has_no_buttons_of_its_own() -> None:
    walker = started(f"  a:\n{ASK}A\n  hello:\n    text: Hello {{{{ customer.name }}}}\n  b:\n{ASK}B\n")
    walker.say("x")
    hello, question = walker.shows[-2:]
    assert hello.text == "Hello Ada"
    assert hello.rows == ()
    assert question.text == "B"
    walker.back()
    assert walker.step == "a"


def test_a_menu_waits_for_a_press() -> None:
    walker = started(
        "  menu:\n    text: Menu\n    keyboard:\n"
        "      - [{text: Left, trigger: left}, {text: Site, url: 'https://x.y/{{ customer.id }}'}]\n"
        f"    transitions: {{left: l}}\n  r:\n{ASK}R\n  l:\n{ASK}L\n"
    )
    assert walker.button("Site").url == "https://x.y/7"
    assert walker.say("left?").said == ["Please choose one of the buttons."]
    assert walker.press("Left").step == "l"
    assert walker.back().step == "menu"


def test_ways_with_conditions_changes_and_texts() -> None:
    walker = started(
        f"""  q:
    ask: choice
    text: Q {{{{ score }}}}
    keyboard: {{right: Right, wrong: Wrong}}
    transitions:
      right: {{to: q, set: {{score: score + 1}}, text: 'Yes, {{{{ answer }}}}!', if: score < 2}}
      wrong:
        - {{to: lost, if: score == 0}}
        - {{to: q, text: 'Not <b>that</b>.'}}
  won:
{ASK}Won with {{{{ score }}}}
  lost:
{ASK}Lost
""",
        "data: {score: 0}\n",
    )
    assert walker.press("Right").said == ["Yes, right!"]
    assert walker.press("Wrong").said == ["Not <b>that</b>."]
    walker.press("Right")
    assert walker.data["score"] == 2
    walker.press("Right")
    assert walker.text == "Won with 2"
    assert walker.back().data["score"] == 2
    assert walker.back().data["score"] == 1
    assert walker.back().data == {"score": 1, "q": "right"}
    assert walker.back().data == {"score": 0}
    assert walker.press("Wrong").step == "lost"


def test_a_condition_that_cannot_be_evaluated_does_not_hold() -> None:
    walker = started(
        f"  q:\n    ask: integer\n    text: Q\n    transitions: {{answered: {{to: z, if: 10 / q > 1}}}}\n"
        f"  b:\n{ASK}B\n"
        f"  z:\n{ASK}Z\n"
    )
    walker.say("0")
    assert walker.step == "b"
    assert walker.troubles


def test_steps_passed_over_by_condition_and_role() -> None:
    steps = f"  q:\n{ASK}Q\n  secret:\n    only: staff\n{ASK}S\n  big:\n    if: q == 'big'\n{ASK}B\n  last:\n{ASK}L\n"
    assert started(steps).say("x").step == "last"
    assert started(steps).say("big").step == "big"
    staff = {"id": "1", "name": "Bo", "roles": ("staff",)}
    assert started(steps, customer=staff).say("x").step == "secret"
    assert started("  q:\n    if: 1 == 2\n    ask: text\n    text: Q\n").finish.outcome == "completed"


def test_loops_without_a_question_are_stopped() -> None:
    walker = started("  a:\n    text: A\n  b:\n    text: B\n    transitions: a\n")
    assert walker.troubles == ["f.a: more than 200 steps for one event"]
    assert walker.phase is Phase.BROKEN
    assert walker.press("Try again").phase is Phase.BROKEN
    assert walker.cancel().over


def test_flows_that_call_themselves_are_stopped() -> None:
    walker = started("  a:\n    call: f\n  b:\n    end: completed\n")
    assert walker.troubles == ["a: more than 8 flows inside each other"]
    assert walker.cancel().over


# --- actions -------------------------------------------------------------------------------------------------

ORDER = f"""  item:
{ASK}Item?
  order:
    do: shop.order
    with: {{item: item, note: 'For {{{{ customer.name }}}} <3'}}
    undo: {{do: shop.cancel, with: {{order: result.id}}}}
    retry: {{attempts: 2}}
    timeout: 5s
    transitions:
      refused: {{to: item, text: 'No: {{{{ outcome.reason }}}}'}}
      failed: {{to: item, text: 'Broken ({{{{ failure.kind }}}}): {{{{ failure.reason }}}}'}}
  check:
{ASK}Order {{{{ order.id }}}}?
  done:
    text: Bye
    end: sold
"""


def test_an_action_runs_and_its_outcome_leads_on() -> None:
    walker = started(ORDER).say("<hat>")
    call = walker.last_call()
    assert (call.name, call.arguments) == ("shop.order", {"item": "<hat>", "note": "For Ada <3"})
    assert call.timeout == 5
    assert call.retry is not None
    assert walker.phase is Phase.RUNNING
    assert walker.say("faster").said == ["One moment, I am still working on your last step."]
    assert walker.back().said == ["One moment, I am still working on your last step."]
    assert walker.interrupted().said == ["One moment, I am still working on your last step."]
    walker.outcome("placed", id=9)
    assert walker.text == "Order 9?"
    walker.comes_back(call, "placed", id=10)
    assert walker.effects == ()
    walker.say("yes")
    assert walker.finish == Finish(outcome="sold")
    assert walker.conversation.outcome == "sold"


def test_refusals_and_failures_speak_and_lead_back() -> None:
    walker = started(ORDER).say("hat").outcome("refused", reason="<sold out>")
    assert walker.said == ["No: &lt;sold out&gt;"]
    walker.say("cap").fail("timeout", "5 s")
    assert walker.said == ["Broken (timeout): 5 s"]
    assert walker.step == "item"


def test_the_same_work_keeps_its_key_until_it_succeeds() -> None:
    walker = started(ORDER)

    def key() -> str:
        return walker.last_call().call.partition(".")[2]

    walker.say("hat")
    first = key()
    walker.fail().say("hat")
    assert key() == first
    walker.fail().say("cap")
    assert key() != first
    walker.outcome("placed", id=1)


def test_an_action_without_a_way_for_failure_is_tried_again() -> None:
    walker = started(f"  a:\n{ASK}A\n  d:\n    do: shop.order\n  b:\n{ASK}B\n").say("x").fail(reason="secret")
    assert walker.text == "Something went wrong on our side. Nothing is lost. Please try again in a moment."
    assert walker.say("?").said == ["The last step did not work yet. Nothing is lost. Please try again."]
    assert walker.retry().phase is Phase.RUNNING
    walker.fail().press("Try again").outcome("placed")
    assert walker.step == "b"
    assert walker.retry().said == ["There is nothing to try again."]
    walker.back()
    assert walker.step == "a"


def test_back_out_of_a_broken_action() -> None:
    walker = started(f"  a:\n{ASK}A\n  d:\n    do: shop.order\n  b:\n{ASK}B\n").say("x").fail()
    assert walker.press("Back").step == "a"
    assert walker.undone == []


def test_an_argument_that_cannot_be_evaluated_is_a_failure() -> None:
    walker = started(
        f"  n:\n    ask: integer\n    text: N\n  d:\n    do: shop.order\n    with: {{item: 1 / n}}\n  b:\n{ASK}B\n"
    ).say("0")
    assert walker.phase is Phase.BROKEN
    assert walker.invokes == []
    assert walker.troubles


def test_undo_runs_once_when_gone_back_over() -> None:
    walker = started(ORDER).say("hat").outcome("placed", id=9).back()
    assert walker.undone == ["shop.cancel"]
    assert walker.all_undone[0].arguments == {"order": 9}
    assert walker.data == {}
    walker.cancel()
    assert walker.undone == []


@pytest.mark.parametrize("how", ["cancel", "expiry"])
def test_undo_runs_when_the_conversation_is_given_up(how: str) -> None:
    walker = (
        started(ORDER, "title: Shop\nexpires: 1h\nexpired: Too late, {{ customer.name }}.\n")
        .say("hat")
        .outcome("placed", id=9)
    )
    if how == "cancel":
        walker.press("Cancel")
        assert walker.text == "Cancel for good? What you have entered will be dropped."
        walker.press("No, go on")
        assert walker.text == "Order 9?"
        walker.press("Cancel").press("Yes, cancel")
        assert walker.said == ["«Shop» is cancelled. You can start again at any time."]
        assert walker.conversation.outcome == "cancelled"
    else:
        walker.wait(3599)
        assert not walker.over
        walker.wait(2)
        assert walker.said == ["Too late, Ada."]
        assert walker.conversation.outcome == "expired"
    assert walker.undone == ["shop.cancel"]


def test_an_outcome_after_the_end_is_undone_once() -> None:
    walker = started(ORDER).say("hat")
    call = walker.last_call()
    walker.cancel()
    assert walker.undone == []
    walker.comes_back(call, "placed", id=4)
    assert walker.all_undone[0].arguments == {"order": 4}
    walker.comes_back(call, "placed", id=4)
    assert walker.undone == []


def test_a_failed_undo_is_reported() -> None:
    walker = started(ORDER).say("hat").outcome("placed", id=9).back()
    walker.fail(invoke=walker.all_undone[0])
    assert len(walker.troubles) == 1
    assert walker.step == "item"


def test_final_closes_the_way_back_and_the_undo() -> None:
    walker = started(
        ORDER.replace("  check:\n", "  sure:\n    ask: yes_no\n    text: Sure?\n    final: true\n  check:\n")
    )
    walker.say("hat").outcome("placed", id=9).press("Yes")
    assert "n:back" not in walker.codes
    assert walker.back().said == ["There is no way back from here."]
    walker.cancel()
    assert walker.undone == []


def test_nothing_runs_out_while_an_action_or_a_wait_is_open() -> None:
    walker = started(ORDER, "expires: 1h\n").say("hat")
    assert walker.conversation.expires_at is None
    walker.outcome("placed", id=1)
    assert walker.conversation.expires_at == NOON + timedelta(hours=1)
