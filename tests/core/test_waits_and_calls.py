"""Steps that wait for signals or time, and flows that call others."""

from datetime import timedelta

from engine.core.conversation import Phase
from engine.core.effects import CancelTimers, Show, StartTimer
from engine.core.events import TimerFired
from tests.core.stepping import ASK, CATALOG, flow, started
from tests.core.walker import NOON, Walker

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
    walker = started(
        f"  q:\n{ASK}Q\n    timeout: 30s\n    transitions: {{timeout: slow}}\n  b:\n{ASK}B\n  slow:\n{ASK}S\n"
    )
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
    walker = started(
        f"  q:\n{ASK}Q\n    timeout: {{until: deadline}}\n    transitions: {{timeout: slow}}\n  slow:\n{ASK}S\n",
        "arguments: {deadline: 'time?'}\n",
    )
    assert len(walker.troubles) == 1
    other = Walker(
        flow(
            f"  q:\n{ASK}Q\n    timeout: {{until: deadline}}\n    transitions: {{timeout: slow}}\n  slow:\n{ASK}S\n",
            "arguments: {deadline: time}\n",
        )
    )
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
        (
            "flow: g\nsteps:\n"
            "  d:\n    do: shop.order\n    undo: {do: shop.cancel, with: {order: result.id}}\n"
            "  x:\n    end: completed\n"
        ),
    ]
    walker = Walker(texts, CATALOG).start().outcome("placed", id=1)
    assert walker.step == "e"
    walker.cancel()
    assert [invoke.arguments for invoke in walker.all_undone] == [{"order": 1}]
