"""How Telegram HTML looks in a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.terminal_text import Style, plain, plain_ansi, safe

COLOUR = Style(ansi=True)


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("Hello", "Hello"),
        ("<b>Please</b> check", "Please check"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("<code>LX-1</code>", "LX-1"),
        ('<a href="https://example.org">our shop</a>!', "our shop (https://example.org)!"),
        ('<a href="https://example.org">https://example.org</a>', "https://example.org"),
        ('<a href="mailto:a@b.c">a@b.c</a>', "a@b.c"),
        ("<tg-spoiler>42</tg-spoiler>", "42"),
        ("<b>open", "open"),
        ("no</b> tag", "no tag"),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_plain(html: str, shown: str) -> None:
    assert plain(html) == shown


def test_bold_is_ansi_only_where_asked() -> None:
    assert plain("<b>x</b> y", COLOUR) == "\x1b[1mx\x1b[0m y"
    assert "\x1b" not in plain("<b>x</b> y")


def test_an_outer_style_comes_back_after_an_inner_one() -> None:
    assert plain("<b>a<i>b</i>c</b>", COLOUR) == "\x1b[1ma\x1b[0m\x1b[1;3mb\x1b[0m\x1b[1mc\x1b[0m"


def test_a_bold_link_whose_words_are_the_address_is_not_doubled() -> None:
    assert plain_ansi(plain('<b><a href="https://e.org">https://e.org</a></b>', COLOUR)) == "https://e.org"


def test_nothing_a_customer_typed_controls_the_terminal() -> None:
    assert plain("\x1b[2Jgone\x07 \x9b31m &#27;[31m") == "[2Jgone 31m [31m"
    assert safe("evil\u202etxt.exe\r\n\tx") == "eviltxt.exe\n\tx"


@given(st.text())
def test_any_text_is_shown_without_control_characters(html: str) -> None:
    assert not set(plain(html)) & {"\x1b", "\r", "\x9b", "\x07"}
