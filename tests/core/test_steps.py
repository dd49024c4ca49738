"""What is no question: messages, actions, waits, calls, ends; the ways between steps; moves that no author draws."""

from datetime import timedelta

import pytest

from engine.core.conversation import Phase
from engine.core.effects import CancelTimers, Finish, Invoke, Notice, Say, Show, StartTimer
from engine.core.events import ButtonPressed, Started
from tests.core.walker import NOON, Walker, action, catalog_of, source, world_of

CATALOG = catalog_of(
    actions={"shop.order": action("item", "note", templates=["note"]), "shop.cancel": action("order")},
    sources={"shop.list": source()},
)


def flow(steps: str, head: str = "") -> str:
    return f"flow: f\n{head}steps:\n{steps}  the_end:\n    end: completed\n"


def started(steps: str, head: str = "", **world: object) -> Walker:
    return Walker(flow(steps, head), CATALOG, world=world_of(**world)).start()


ASK = "    ask: text\n    text: "

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
        "  menu:\n    text: Menu\n    keyboard: [[{text: Left, trigger: left}, {text: Site, url: 'https://x.y/{{ customer.id }}'}]]\n"
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
    walker = started(f"  q:\n    ask: integer\n    text: Q\n    transitions: {{answered: {{to: z, if: 10 / q > 1}}}}\n  b:\n{ASK}B\n  z:\n{ASK}Z\n")
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
    walker = started(f"  n:\n    ask: integer\n    text: N\n  d:\n    do: shop.order\n    with: {{item: 1 / n}}\n  b:\n{ASK}B\n").say("0")
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
    walker = started(ORDER, "title: Shop\nexpires: 1h\nexpired: Too late, {{ customer.name }}.\n").say("hat").outcome("placed", id=9)
    if how == "cancel":
        walker.press("Cancel")
        assert walker.text == "Cancel for good? What you have entered will be dropped."
        walker.press("No, go on")
        assert walker.text == "Order 9?"
        walker.press("Cancel").press("Yes, cancel")
        assert walker.said == ["«Shop» is cancelled. Nothing was kept."]
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
    walker = started(ORDER.replace("  check:\n", "  sure:\n    ask: yes_no\n    text: Sure?\n    final: true\n  check:\n"))
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


# --- waiting -------------------------------------------------------------------------------------------------

WAIT = f"""  start:
{ASK}Start
  pay:
    text: Pay {{{{ now | time }}}}
    refresh: 1m
    wait:
      payment.partial: more
      payment.settled: {{to: paid, text: 'Got {{{{ outcome.amount }}}}'}}
      after: {{time: 10m, to: late, text: Too late.}}
    keyboard: [[{{text: Never mind, trigger: stop}}]]
    transitions: {{stop: late}}
  more:
{ASK}More {{{{ pay.amount }}}}
  paid:
    text: Thanks
    end: completed
  late:
{ASK}Late
"""


def test_waiting_for_a_signal() -> None:
    walker = started(WAIT).say("x")
    assert walker.phase is Phase.WAITING
    assert "n:cancel" not in walker.codes
    assert walker.say("hello?").said[0].startswith("I will write to you here")
    assert walker.signal("order.shipped").traces == [("pay", "signal_ignored")]
    walker.signal("payment.settled", amount=5)
    assert walker.said == ["Got 5"]
    assert walker.over
    assert walker.data["pay"] == {"amount": 5}


def test_a_wait_is_redrawn_and_ends_in_time() -> None:
    walker = started(WAIT).say("x")
    first = walker.text
    walker.wait(61)
    assert walker.text != first
    assert walker.shown.edit
    walker.wait(600)
    assert walker.step == "late"
    assert "Too late." in walker.said
    assert walker.timers == {}


def test_a_wait_can_be_left_by_its_button_or_backwards() -> None:
    walker = started(WAIT).say("x")
    walker.press("Never mind")
    assert walker.step == "late"
    assert CancelTimers(visit=2) in walker.effects
    assert walker.back().step == "start"
    walker.say("y").press("Back")
    assert walker.step == "start"
    assert walker.timers == {}


def test_timers_of_a_left_stay_do_nothing() -> None:
    from engine.core.events import TimerFired

    walker = started(WAIT).say("x").press("Never mind")
    before = walker.conversation
    for name in ("timeout", "refresh", "expires"):
        walker.happens(TimerFired(at=walker.now, visit=2, name=name))
        assert walker.effects == ()
    assert walker.conversation == before


def test_resuming_a_wait() -> None:
    walker = started(WAIT).say("x").interrupted()
    assert isinstance(walker.effects[-1], Show)
    walker = started("  w:\n    wait: {a.b: e}\n  e:\n    end: completed\n").interrupted()
    assert walker.said[0].startswith("I will write to you here")


def test_a_question_with_a_time_limit() -> None:
    walker = started(f"  q:\n{ASK}Q\n    timeout: 30s\n    transitions: {{timeout: slow}}\n  b:\n{ASK}B\n  slow:\n{ASK}S\n")
    assert StartTimer(visit=1, name="timeout", due=NOON + timedelta(seconds=30)) in walker.effects
    walker.wait(31)
    assert walker.step == "slow"
    walker.back()
    assert walker.step == "q"
    assert "n:keep" not in walker.codes
    walker.say("in time")
    assert walker.step == "b"
    assert walker.wait(100).step == "b"


def test_a_time_limit_by_expression() -> None:
    walker = started(f"  q:\n{ASK}Q\n    timeout: {{until: deadline}}\n    transitions: {{timeout: slow}}\n  slow:\n{ASK}S\n", "arguments: {deadline: 'time?'}\n")
    assert len(walker.troubles) == 1
    other = Walker(flow(f"  q:\n{ASK}Q\n    timeout: {{until: deadline}}\n    transitions: {{timeout: slow}}\n  slow:\n{ASK}S\n", "arguments: {deadline: time}\n"))
    other.start(deadline=NOON + timedelta(seconds=5))
    assert other.wait(6).step == "slow"


def test_a_broken_list_is_not_drawn_by_its_refresh() -> None:
    walker = started("  q:\n    ask: choice\n    text: Q\n    refresh: 10s\n    keyboard: {from: shop.list}\n").fail()
    walker.wait(11)
    assert walker.phase is Phase.BROKEN
    assert not any(isinstance(effect, Show) for effect in walker.effects)
    assert walker.timers


# --- calls ---------------------------------------------------------------------------------------------------

ADDRESS = f"""flow: address
arguments: {{country: text}}
data: {{kind: '''home'''}}
steps:
  street:
{ASK}Street in {{{{ country }}}}?
  town:
{ASK}Town?
    optional: None
  ok:
    ask: yes_no
    text: "{{{{ street }}}}?"
    transitions: {{no: nowhere}}
  known:
    end: {{outcome: known, result: {{street: street, kind: kind}}}}
  nowhere:
    end: nowhere
"""
CALLER = f"""  name:
{ASK}Name?
  place:
    call: address
    with: {{country: "'PL'"}}
    save: where.to
    transitions: {{nowhere: pickup, cancelled: {{to: pickup, text: Never mind.}}}}
  confirm:
{ASK}To {{{{ where.to.street }}}}?
  pickup:
{ASK}Pick up?
"""


def called() -> Walker:
    return Walker([flow(CALLER), ADDRESS], CATALOG).start().say("Ada")


def test_a_called_flow_answers() -> None:
    walker = called()
    assert (walker.frame.flow, walker.text) == ("address", "Street in PL?")
    walker.say("Main St").skip().press("Yes")
    assert walker.text == "To Main St?"
    assert walker.data["where"]["to"]["street"] == "Main St"
    walker.say("ok").say("ok")
    assert walker.over


def test_a_called_flows_outcomes_lead_on() -> None:
    walker = called().say("Main St").say("Town").press("No")
    assert walker.text == "Pick up?"
    walker = called().say("Main St").cancel()
    assert walker.text == "Pick up?"
    assert walker.said == ["Never mind."]
    assert len(walker.conversation.frames) == 1


def test_back_out_of_a_called_flow_and_into_a_finished_one() -> None:
    walker = called().say("Main St").say("Krk").press("Yes")
    walker.back()
    assert walker.frame.flow == "address"
    assert walker.step == "ok"
    walker.back()
    assert walker.button("n:keep").text.endswith("Krk")
    walker.back().back()
    assert (walker.frame.flow, walker.step) == ("f", "name")
    walker.press("n:keep")
    assert walker.button("n:keep").text.endswith("Main St")
    walker.press("n:keep").press("n:keep").press("n:keep")
    assert walker.text == "To Main St?"


def test_a_call_cannot_be_cancelled_while_its_action_runs() -> None:
    texts = [
        flow("  c:\n    call: g\n    transitions: {cancelled: e}\n  e:\n    ask: text\n    text: E\n"),
        "flow: g\nsteps:\n  d:\n    do: shop.order\n    undo: shop.cancel\n  q:\n    ask: text\n    text: Q\n",
    ]
    walker = Walker(texts, CATALOG).start()
    assert walker.cancel().said == ["One moment, I am still working on your last step."]
    walker.outcome("placed", id=1)
    walker.cancel()
    assert walker.undone == ["shop.cancel"]
    assert walker.step == "e"


def test_cancelling_a_flow_undoes_what_its_calls_did() -> None:
    texts = [
        flow(f"  c:\n    call: g\n  e:\n{ASK}E\n"),
        "flow: g\nsteps:\n  d:\n    do: shop.order\n    undo: {do: shop.cancel, with: {order: result.id}}\n  x:\n    end: completed\n",
    ]
    walker = Walker(texts, CATALOG).start().outcome("placed", id=1)
    assert walker.step == "e"
    walker.cancel()
    assert [invoke.arguments for invoke in walker.all_undone] == [{"order": 1}]


# --- buttons, moves, interruptions ------------------------------------------------------------------------------


def test_old_foreign_and_double_presses() -> None:
    walker = started(f"  a:\n    ask: choice\n    text: A\n    keyboard: {{x: X, y: Y}}\n  b:\n{ASK}B\n")
    first = walker.shown
    walker.press("X")
    for code in ("o:x", "o:y", "n:back", "n:cancel", "E:0", "zzz"):
        walker.press_code(code, first)
        assert walker.effects == (Notice(text="This question has been answered already."),)
    for code in ("", ":", "o", "o:x", "r:0", "t:go", "q:+", "q:ok", "f:1", "F:1", "x:ok", "e:a", "E:0", "E:²", "s:f", "p:0", "S", "n:", "n:zz", "n:stay!", "ü"):
        walker.press_code(code)
        assert walker.step == "b"
        assert walker.visit.number == 2
    walker.happens(ButtonPressed(at=walker.now, visit=99, draw=1, code="o:x"))
    assert walker.notices
    walker.say("b")
    walker.press_code("o:x", first)
    assert walker.notices == ["This conversation is over."]
    assert walker.say("more").effects == ()


def test_cancel_asks_first_only_when_there_is_something_to_lose() -> None:
    walker = started(f"  a:\n{ASK}A\n").press("Cancel")
    assert walker.over


def test_no_back_no_cancel_when_the_author_says_so() -> None:
    walker = started(f"  a:\n{ASK}A\n  b:\n{ASK}B\n", "back: false\ncancel: false\n").say("x")
    assert walker.codes == []


def test_a_button_that_starts_another_flow() -> None:
    walker = started(
        "  m:\n    text: M\n    keyboard: [[{text: Help, start: help}, {text: Staff, start: admin, only: staff}, {text: Go, trigger: go}]]\n"
    )
    assert walker.press("Help").started_flows == ["help"]
    assert walker.press_code("s:admin").started_flows == []
    assert walker.press_code("s:other").started_flows == []
    assert walker.step == "m"


def test_resuming_is_exact() -> None:
    walker = started(
        "  q:\n    ask: choices\n    text: Q\n    keyboard: {options: {a: A, b: B, c: C}, page: 1, search: true}\n"
        "  n:\n    ask: quantity\n    text: N\n"
    )
    walker.press("A").press("›")
    rows = walker.shown.rows
    old = walker.shown
    walker.interrupted()
    assert walker.shown.rows == rows
    assert not walker.shown.edit
    assert walker.visit.ticks == ("a",)
    assert walker.visit.page == 1
    assert walker.press_code("o:b", old).visit.ticks == ("a", "b")
    walker.press("x:ok").press("➕").press("➕").interrupted()
    assert walker.labels[0][1] == "3"
    walker.back()
    assert walker.visit.ticks == ("a", "b")
    walker.press("x:ok")
    assert walker.labels[0][1] == "3"
    assert walker.press("q:ok").over


def test_resuming_closes_a_menu() -> None:
    walker = started(f"  a:\n{ASK}A\n  b:\n{ASK}B\n").say("x").press("Cancel").interrupted()
    assert walker.text == "B"
    walker.press("Cancel").say("an answer all the same")
    assert walker.over


def test_back_offers_what_was_answered_and_forward_restores_it() -> None:
    walker = started("".join(f"  q{n}:\n{ASK}Q{n}\n    save: r.q{n}\n" for n in range(5)))
    for n in range(4):
        walker.say(f"a{n}")
    before = walker.data
    for _ in range(4):
        walker.back()
    assert walker.data == {}
    assert walker.back().said == ["There is no way back from here."]
    for _ in range(4):
        walker.press("n:keep")
    assert walker.data == before
    assert walker.step == "q4"
    assert "n:keep" not in walker.codes


def test_progress_counts_questions() -> None:
    walker = started(
        f"  a:\n{ASK}A\n  m:\n    text: Half\n  b:\n    ask: yes_no\n    text: B\n    transitions: {{no: d}}\n  c:\n{ASK}C\n  d:\n{ASK}D\n",
        "progress: true\n",
    )
    assert walker.text.startswith("Step 1 of 4")
    walker.say("x")
    assert walker.shows[-2].text == "Half"
    assert walker.text.startswith("Step 2 of 4")
    walker.press("No")
    assert walker.text.startswith("Step 3 of 3")
    assert walker.back().text.startswith("Step 2 of 4")


def test_pictures() -> None:
    walker = started(f"  a:\n    photo: {{qr: '{{{{ customer.id }}}}'}}\n{ASK}A\n  b:\n    photo: {{file: x.png}}\n{ASK}B\n  c:\n    photo: customer.username\n{ASK}C\n")
    assert walker.shown.photo == ("qr", "7")
    walker.say("x")
    assert walker.shown.photo == ("path", "x.png")
    walker.say("x")
    assert walker.shown.photo is None


def test_very_long_inputs_change_nothing() -> None:
    walker = started("  a:\n    ask: choice\n    text: A\n    keyboard: {options: {x: X, y: Y}, search: true}\n")
    walker.say("z" * 100_000)
    assert len(walker.visit.search) == 100
    walker.say("x" * 5000).press("S")
    walker.send("n" * 5000, 10**12)
    assert all(len(text) < 500 for text in walker.said)
    assert walker.step == "a"


def test_the_key_of_a_conversation_follows_its_data() -> None:
    walker = started(f"  a:\n{ASK}A\n  b:\n{ASK}B\n", "key: a\n")
    assert walker.conversation.key is None
    assert walker.say("K-1").conversation.key == "K-1"


def test_a_flow_is_started_with_its_arguments() -> None:
    walker = Walker(flow(f"  a:\n{ASK}'{{{{ item }}}} {{{{ n }}}}'\n", "arguments: {item: text}\ndata: {n: 3}\n"))
    walker.start(item="<hat>", unknown="x")
    assert walker.text == "&lt;hat&gt; 3"
    assert walker.data == {"item": "<hat>", "n": 3}
    assert isinstance(walker.happens(Started(at=walker.now)).conversation.next_visit, int)


def test_effects_come_in_the_order_of_what_happens() -> None:
    walker = started(f"  a:\n{ASK}A\n    transitions: {{answered: {{to: d, text: On it.}}}}\n  d:\n    do: shop.order\n  b:\n{ASK}B\n").say("x")
    kinds = [type(effect) for effect in walker.effects if isinstance(effect, Say | Invoke | Show)]
    assert kinds == [Say, Invoke]
