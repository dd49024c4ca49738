"""Moves that no author draws: old presses, back, cancel, resume; and what a conversation keeps and shows."""

from engine.core.effects import Invoke, Notice, Say, Show
from engine.core.events import ButtonPressed, Started
from tests.core.stepping import ASK, flow, started
from tests.core.walker import Walker

# --- buttons, moves, interruptions ------------------------------------------------------------------------------


def test_old_foreign_and_double_presses() -> None:
    walker = started(f"  a:\n    ask: choice\n    text: A\n    keyboard: {{x: X, y: Y}}\n  b:\n{ASK}B\n")
    first = walker.shown
    walker.press("X")
    for code in ("o:x", "o:y", "n:back", "n:cancel", "E:0", "zzz"):
        walker.press_code(code, first)
        assert walker.effects == (Notice(text="This question has been answered already."),)
    for code in (
        "",
        ":",
        "o",
        "o:x",
        "r:0",
        "t:go",
        "q:+",
        "q:ok",
        "f:1",
        "F:1",
        "x:ok",
        "e:a",
        "E:0",
        "E:²",
        "s:f",
        "p:0",
        "S",
        "n:",
        "n:zz",
        "n:stay!",
        "ü",
    ):
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
        "  m:\n    text: M\n    keyboard:\n"
        "      - [{text: Help, start: help}, {text: Staff, start: admin, only: staff}, {text: Go, trigger: go}]\n"
    )
    assert walker.press("Help").started_flows == ["help"]
    assert walker.press_code("s:admin").started_flows == []
    assert walker.press_code("s:other").started_flows == []
    assert walker.step == "m"


def test_a_button_under_the_last_message_starts_another_flow() -> None:
    walker = started("  a:\n    text: Bye\n    keyboard: [[{text: Again, start: f}]]\n    end: completed\n")
    assert walker.over
    assert walker.press("Again").started_flows == ["f"]
    assert walker.press_code("s:g").started_flows == []
    assert walker.press_code("n:back").notices == ["This conversation is over."]


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
    assert tuple(walker.visit.ticks) == ("a", "b")
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
        (
            f"  a:\n{ASK}A\n"
            f"  m:\n    text: Half\n"
            f"  b:\n    ask: yes_no\n    text: B\n    transitions: {{no: d}}\n"
            f"  c:\n{ASK}C\n"
            f"  d:\n{ASK}D\n"
        ),
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
    walker = started(
        f"  a:\n    photo: {{qr: '{{{{ customer.id }}}}'}}\n{ASK}A\n"
        f"  b:\n    photo: {{file: x.png}}\n{ASK}B\n"
        f"  c:\n    photo: customer.username\n{ASK}C\n"
    )
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
    walker = started(
        f"  a:\n{ASK}A\n    transitions: {{answered: {{to: d, text: On it.}}}}\n"
        f"  d:\n    do: shop.order\n"
        f"  b:\n{ASK}B\n"
    ).say("x")
    kinds = [type(effect) for effect in walker.effects if isinstance(effect, Say | Invoke | Show)]
    assert kinds == [Say, Invoke]
