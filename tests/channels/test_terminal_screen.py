"""Messages, their numbers and buttons, and how they are drawn."""

from engine.channels.terminal_screen import Message, NoButton, Screen, draw, notice, say
from engine.channels.terminal_text import PLAIN, Style
from engine.core.effects import Accepts, Notice, Press, Say, Show

PLA, PETG, BACK = (
    Press(text="PLA", code="o:pla"),
    Press(text="PETG", code="o:petg"),
    Press(text="⬅️ Back", code="n:back"),
)


def question(visit: int = 1, draw_number: int = 1, **more: object) -> Show:
    given = {"text": "Which <b>material</b>?", "rows": ((PLA, PETG), (BACK,)), **more}
    return Show(visit=visit, draw=draw_number, **given)  # type: ignore[arg-type]


def test_a_question_with_rows_of_numbered_buttons() -> None:
    message, replaced = Screen().put("abc", question())
    assert not replaced
    assert draw(message, PLAIN) == "#1 Which material?\n   [1] PLA  [2] PETG\n   [3] ⬅️ Back"


def test_colours_only_on_a_terminal() -> None:
    message, _ = Screen().put("abc", question())
    assert "\x1b[1mmaterial\x1b[0m" in draw(message, Style(ansi=True))
    assert "\x1b" not in draw(message, PLAIN)


def test_pictures_links_and_what_else_is_accepted() -> None:
    show = question(
        text="Pay\n\nnow",
        photo=("qr", "bitcoin:1?x=1"),
        rows=((Press(text="Open", url="https://e.org"),),),
        accepts=frozenset({Accepts.FILE, Accepts.CONTACT}),
    )
    message, _ = Screen().put("abc", show)
    assert draw(message, PLAIN).split("\n") == [
        "#1 [picture: QR of bitcoin:1?x=1]",
        "   Pay",
        "",
        "   now",
        "   [1] Open (https://e.org)",
        "   (/file PATH or /contact)",
    ]


def test_an_edit_keeps_the_number_and_brings_the_new_callback_data() -> None:
    screen = Screen()
    screen.put("abc", question(visit=1))
    screen.put("abc", question(visit=2))
    message, replaced = screen.put("abc", question(visit=1, draw_number=7, edit=True))
    assert replaced
    assert message.number == 1
    assert draw(message, PLAIN, replaced=True).startswith("#1 (updated) Which")
    assert message.callback(PLA) == "abc.1.7.o:pla"


def test_a_stay_drawn_in_the_message_of_an_earlier_one() -> None:
    screen = Screen()
    screen.put("abc", question(visit=1))
    screen.put("abc", question(visit=2))
    for visit in (4, 7):
        message, replaced = screen.put("abc", question(visit=visit, edit=True, over=1))
        assert (message.number, replaced) == (1, True)
        assert message.callback(PLA) == f"abc.{visit}.1.o:pla"


def test_an_edit_of_a_message_of_an_earlier_session_is_a_new_one() -> None:
    message, replaced = Screen().put("abc", question(edit=True))
    assert (message.number, replaced) == (1, False)


def test_old_buttons_are_pressed_as_they_were_drawn() -> None:
    screen = Screen()
    screen.put("abc", question(visit=1))
    screen.put("abc", question(visit=4, rows=((BACK,),)))
    found = screen.button(2, message=1)
    assert isinstance(found, tuple)
    assert found[0].callback(found[1]) == "abc.1.1.o:petg"


def test_buttons_that_do_not_exist() -> None:
    screen = Screen()
    assert screen.button(1) == NoButton(message="There is nothing to press: no message has buttons yet.")
    screen.put("abc", question(rows=()))
    screen.put("abc", question(visit=2))
    assert screen.button(1, message=1) == NoButton(message="Message 1 has no buttons.")
    assert screen.button(1, message=9) == NoButton(message="There is no message 9 on this screen yet.")
    assert screen.button(1, message=0) == NoButton(message="There is no message 0 on this screen yet.")
    refused = screen.button(4)
    assert isinstance(refused, NoButton)
    assert "buttons 1 to 3" in refused.message


def test_a_bare_number_presses_only_where_text_is_not_accepted() -> None:
    screen = Screen()
    assert not screen.buttons_only
    screen.put("abc", question())
    assert screen.buttons_only
    screen.put("abc", question(visit=2, accepts=frozenset({Accepts.TEXT})))
    assert not screen.buttons_only
    screen.put("abc", question(visit=3, rows=()))
    assert not screen.buttons_only


def test_the_desks_offers_are_not_the_conversation_of_the_screen() -> None:
    screen = Screen()
    screen.put("front", question())
    screen.put("other", question(visit=0, draw_number=0))
    assert screen.conversation == "front"
    assert screen.last is not None
    assert screen.last.callback(Press(text="Continue", code="resume")) == "other.0.0.resume"


def test_labels_stay_on_one_line_and_harmless() -> None:
    message = Message(number=1, conversation="c", show=question(rows=((Press(text="a\n\x1b[31mb", code="x"),),)))
    assert draw(message, PLAIN).endswith("[1] a [31mb")


def test_says_and_notices() -> None:
    assert say(Say(text="<i>two</i>\nlines"), PLAIN) == "·  two\n   lines"
    assert notice(Notice(text="Saved"), PLAIN) == "*  Saved"
    assert notice(Notice(text="Too old", alert=True), PLAIN) == "!  Too old"
    assert notice(Notice(), PLAIN) == ""
