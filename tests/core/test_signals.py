"""Signals that come too early: kept, in order, bounded; and a conversation's key."""

from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import codec
from engine.core.conversation import Conversation, EarlySignal, Phase
from engine.core.early import MOST_BYTES, MOST_KEPT, awaited
from engine.core.events import SignalReceived
from engine.core.keys import LONGEST_KEY, short_key
from tests.core.stepping import ASK, CATALOG, flow, started
from tests.core.walker import NOON, Walker

ORDER = f"""  name:
{ASK}Name?
  paid:
    wait: {{settled: next, partial: paid, after: {{time: 2m, to: slow}}}}
  next:
{ASK}Paid {{{{ paid.amount }}}}. On?
  parcel:
    text: Sent yet?
    wait: {{sent: last}}
  last:
{ASK}Sent as {{{{ parcel.number }}}}. Good?
  done:
    end: completed
  slow:
{ASK}Slow?
"""


def kept(walker: Walker) -> list[str]:
    return [signal.name for signal in walker.conversation.early]


# --- kept and taken ------------------------------------------------------------------------------------------


def test_a_signal_that_comes_too_early_is_taken_when_somebody_waits() -> None:
    walker = started(ORDER)
    walker.signal("settled", amount=7)
    assert kept(walker) == ["settled"]
    assert walker.effects == walker.effects[:1]
    assert walker.traces == [("name", "signal_kept")]
    walker.say("Ada")
    assert walker.text == "Paid 7. On?"
    assert kept(walker) == []
    assert not walker.timers


def test_the_wait_says_what_it_has_to_say_before_it_goes_on() -> None:
    walker = started(ORDER).signal("sent", number="A1").say("Ada").signal("settled", amount=7)
    shown = len(walker.shows)
    walker.say("ok")
    assert [show.text for show in walker.shows[shown:]] == ["Sent yet?", "Sent as A1. Good?"]


def test_signals_of_one_name_are_taken_one_by_one_in_the_order_they_came() -> None:
    walker = started(
        f"""  a:
{ASK}A
  one:
    wait: {{tick: two}}
  two:
    wait: {{tick: three}}
  three:
    wait: {{tick: b, tock: b}}
  b:
{ASK}B
"""
    )
    for number in range(4):
        walker.signal("tick", n=number)
    walker.say("go")
    assert [walker.data[step]["n"] for step in ("one", "two", "three")] == [0, 1, 2]
    assert [signal.payload["n"] for signal in walker.conversation.early] == [3]


def test_the_oldest_of_several_names_goes_first() -> None:
    walker = started(ORDER)
    walker.signal("partial", amount=1).signal("settled", amount=2).signal("partial", amount=3).say("Ada")
    assert walker.text == "Paid 2. On?"
    assert kept(walker) == ["partial"]


def test_a_wait_in_a_circle_takes_one_each_time_and_the_walk_has_a_limit() -> None:
    loop = f"  a:\n{ASK}A\n  w:\n    wait: {{tick: w, stop: b}}\n  b:\n{ASK}B\n"
    walker = started(loop)
    for number in range(MOST_KEPT):
        walker.signal("tick", n=number)
    walker.say("go")
    assert (walker.step, walker.phase) == ("w", Phase.WAITING)
    assert walker.data["w"]["n"] == MOST_KEPT - 1
    assert kept(walker) == []
    walker.signal("stop")
    assert walker.step == "b"


def test_a_waiting_step_takes_what_comes_and_keeps_what_is_for_later() -> None:
    walker = started(ORDER).say("Ada")
    before = walker.visit
    walker.signal("sent", number="A1")
    assert walker.visit == before
    walker.signal("settled", amount=7).say("on")
    assert walker.text == "Sent as A1. Good?"


def test_what_no_step_could_ever_take_is_dropped() -> None:
    walker = started(ORDER).signal("unheard")
    assert kept(walker) == []
    assert walker.troubles == ["f: no step waits for the signal “unheard”"]
    assert walker.traces == [("name", "signal_ignored")]


def test_too_many_drop_the_oldest() -> None:
    walker = started(ORDER)
    for number in range(MOST_KEPT + 3):
        walker.signal("settled", amount=number)
    assert len(walker.conversation.early) == MOST_KEPT
    assert walker.conversation.early[0].payload["amount"] == 3
    assert walker.troubles == ["f: too many signals are kept, “settled” is dropped"]


def test_big_ones_drop_older_ones_too() -> None:
    walker = started(ORDER)
    for number in range(10):
        walker.signal("settled", amount=number, text="x" * (MOST_BYTES // 4))
    assert 1 <= len(walker.conversation.early) <= 4
    walker.signal("settled", text="x" * (2 * MOST_BYTES))
    assert len(walker.conversation.early) == 1


def test_what_nobody_took_is_told_at_the_end() -> None:
    walker = started(ORDER).signal("sent", number="A1").cancel()
    assert walker.over
    assert walker.troubles == ["f: the signal “sent” came, and no step has waited for it"]
    assert kept(walker) == []


def test_a_kept_signal_does_not_keep_an_idle_conversation_alive() -> None:
    walker = Walker(f"flow: f\nexpires: 1h\nsteps:\n  a:\n{ASK}A\n  w:\n    wait: {{go: z}}\n  z:\n{ASK}Z\n").start()
    walker.wait(1800)
    walker.signal("go").signal("nothing")
    walker.wait(1801)
    assert walker.over


# --- back, edit, calls ---------------------------------------------------------------------------------------


def test_going_back_keeps_what_is_kept_and_uses_up_what_was_taken() -> None:
    walker = started(ORDER).signal("settled", amount=7).signal("sent", number="A1").say("Ada")
    assert walker.text == "Paid 7. On?"
    walker.back()
    assert (walker.step, kept(walker)) == ("name", ["sent"])
    walker.press("n:keep")
    assert (walker.step, walker.phase) == ("paid", Phase.WAITING)
    walker.signal("settled", amount=8).say("on")
    assert walker.text == "Sent as A1. Good?"


EDITED = f"""  size:
    ask: choice
    text: Size?
    keyboard: {{s: S, m: M}}
  ok:
    wait: {{checked: colour}}
  colour:
{ASK}Colour?
  home:
    text: 'Home {{{{ size }}}} {{{{ ok.by }}}}'
    keyboard: [[{{text: Go, trigger: go}}, {{text: Edit, edit: [size, colour]}}]]
    transitions: {{go: paid}}
  paid:
    wait: {{settled: end}}
  end:
{ASK}Paid {{{{ paid.amount }}}} {{{{ ok.by }}}}
"""


def test_an_edit_keeps_what_was_taken_and_what_is_kept() -> None:
    walker = started(EDITED).press("S").signal("checked", by="Bo").say("red").signal("settled", amount=7)
    walker.press("Edit").press("Size").press("M")
    assert walker.text == "Home m Bo"
    assert kept(walker) == ["settled"]
    walker.press("Go")
    assert walker.text == "Paid 7 Bo"


CALLS = [
    flow(
        f"  a:\n{ASK}A\n  c:\n    call: g\n    transitions: {{cancelled: z}}\n"
        f"  w:\n    wait: {{outer: z}}\n  z:\n{ASK}Z\n"
    ),
    f"flow: g\nsteps:\n  q:\n{ASK}Q\n  i:\n    wait: {{inner: r}}\n  r:\n{ASK}R\n  e:\n    end: completed\n",
]


def test_signals_for_a_called_flow_and_for_the_calling_one_are_kept_across_both() -> None:
    walker = Walker(CALLS, CATALOG).start()
    walker.signal("outer", n=1).signal("inner", n=2).say("a")
    assert (walker.frame.flow, kept(walker)) == ("g", ["outer", "inner"])
    walker.say("q")
    assert (walker.step, walker.data["i"]["n"], kept(walker)) == ("r", 2, ["outer"])
    walker.say("r")
    assert (walker.step, walker.data["w"]["n"], kept(walker)) == ("z", 1, [])


def test_a_cancelled_call_leaves_the_kept_ones() -> None:
    walker = Walker(CALLS, CATALOG).start().say("a").signal("outer", n=1).cancel()
    assert (walker.step, kept(walker)) == ("z", ["outer"])


def test_the_signals_of_a_flow_and_of_all_it_calls() -> None:
    flows = {name: program.flow for name, program in Walker(CALLS, CATALOG).programs.items()}
    assert awaited(flows.__getitem__, ["f"]) == {"outer", "inner"}
    assert awaited(flows.__getitem__, ["g"]) == {"inner"}
    assert awaited(flows.__getitem__, ["gone"]) == set()


# --- any order -----------------------------------------------------------------------------------------------

STEP = st.sampled_from(["ask", "wait", "same", "either", "call"])
INNER = (
    f"flow: inner\nsteps:\n  q:\n{ASK}Q\n  i:\n    wait: {{inner: over}}\n"
    "  over:\n    end: {outcome: done, result: {n: i.n}}\n"
)


def _flow(kinds: list[str]) -> tuple[str, list[str]]:
    """The text, and the names of the signals that bring it to its end, in time."""
    lines, names = "", []
    for index, kind in enumerate(kinds):
        match kind:
            case "ask":
                lines += f"  s{index}:\n{ASK}S{index}\n"
            case "call":
                lines += f"  s{index}:\n    call: inner\n"
                names.append("inner")
            case _:
                heard = {"wait": [f"w{index}"], "same": ["same"], "either": [f"x{index}", f"y{index}"]}[kind]
                following = f"s{index + 1}" if index + 1 < len(kinds) else "home"
                waited = ", ".join(f"{name}: {following}" for name in heard)
                lines += f"  s{index}:\n    text: Wait {index}\n    wait: {{{waited}}}\n    refresh: 1h\n"
                names.append(heard[-1])
    return lines + f"  home:\n{ASK}Home\n", names


def _step(walker: Walker) -> None:
    walker.say(f"answer {walker.visit.number}")


def _at_home(walker: Walker) -> bool:
    return walker.step == "home"


@settings(max_examples=60, deadline=None)
@given(kinds=st.lists(STEP, min_size=1, max_size=8), data=st.data())
def test_any_order_of_signals_and_answers_ends_as_if_all_had_come_in_time(kinds: list[str], data: Any) -> None:
    text, names = _flow(kinds)
    order = data.draw(st.permutations(range(len(names))))
    sent = [(names[index], number) for number, index in enumerate(order)]

    in_time, early = (Walker([flow(text), INNER], CATALOG).start() for _ in range(2))
    left = list(sent)
    while not _at_home(in_time):
        if in_time.phase is Phase.WAITING:
            wanted = awaited_now(in_time)
            name, number = next(one for one in left if one[0] in wanted)
            left.remove((name, number))
            in_time.signal(name, n=number)
        else:
            _step(in_time)
    assert left == []

    left = list(sent)
    while left or not _at_home(early):
        if left and (early.phase is Phase.WAITING or _at_home(early) or data.draw(st.booleans())):
            name, number = left.pop(0)
            early.signal(name, n=number)
        else:
            _step(early)
    assert early.conversation == in_time.conversation
    assert early.timers == in_time.timers
    assert [show.text for show in early.shows] == [show.text for show in in_time.shows]


def awaited_now(walker: Walker) -> set[str]:
    return {name for name, _ in walker.programs[walker.frame.flow].nodes[walker.step].body.signals}  # type: ignore[union-attr]


@settings(max_examples=40, deadline=None)
@given(events=st.lists(st.sampled_from(["settled", "partial", "sent", "other", "say", "back", "late"]), max_size=40))
def test_no_signal_is_taken_twice_and_none_goes_silently(events: list[str]) -> None:
    walker = started(ORDER)
    sent, taken, gone = 0, 0, 0
    for event in events:
        if walker.over:
            break
        match event:
            case "say":
                walker.say("x")
            case "back":
                walker.back()
            case "late":
                walker.wait(121)
            case name:
                sent += 1
                walker.signal(name, amount=1, number=1)
        taken += sum(1 for _, kind in walker.traces if kind in ("settled", "partial", "sent"))
        gone += len(walker.troubles)
        assert sent == taken + gone + len(walker.conversation.early)


# --- in the store --------------------------------------------------------------------------------------------


def test_a_conversation_that_was_stored_before_there_were_early_signals() -> None:
    walker = started(ORDER)
    plain = codec.dump(walker.conversation)
    assert len(msgspec.json.decode(plain)) == 12
    assert codec.load(plain).early == ()
    signals = (EarlySignal(name="a", payload={"n": 2**70, "x": (1, None)}), EarlySignal(name="b"))
    full: Conversation = replace(walker.conversation, early=signals)
    assert codec.load(codec.dump(full)) == full


# --- keys ----------------------------------------------------------------------------------------------------


def test_a_key_that_is_too_long_or_odd_is_known_by_its_digest() -> None:
    assert short_key("order 7") == "order 7"
    assert short_key("ż" * LONGEST_KEY) == "ż" * LONGEST_KEY
    for odd in ("x" * (LONGEST_KEY + 1), "a\0b", "a\ud800b"):
        short = short_key(odd)
        assert short.startswith("sha256:")
        assert len(short) < LONGEST_KEY
        assert short_key(short) == short
    assert short_key("a\0b") != short_key("a\0c")


def test_a_key_comes_late_changes_and_is_never_empty() -> None:
    steps = f"  number:\n{ASK}N\n    optional: Skip\n  again:\n{ASK}A\n    save: number\n  z:\n{ASK}Z\n"
    walker = started(steps, head="key: number\n")
    assert walker.conversation.key is None
    walker.say("A-1")
    assert walker.conversation.key == "A-1"
    walker.say("y" * 300)
    assert walker.conversation.key == short_key("y" * 300)


def test_a_signal_to_a_conversation_that_is_over_does_nothing() -> None:
    walker = started(ORDER).cancel()
    over = walker.conversation
    walker.happens(SignalReceived(at=NOON, name="settled", payload={}))
    assert walker.effects == ()
    assert walker.conversation.early == over.early == ()
