"""What a typed line means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.channels.terminal_input import (
    CommandTyped,
    ContactSent,
    FilesSent,
    Input,
    LocationSent,
    Nothing,
    Pressed,
    Quit,
    Typed,
    Waited,
    Wrong,
    goes_on,
    is_comment,
    join,
    parse,
    seconds_of,
)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Anna", Typed(text="Anna")),
        ("  ", Nothing()),
        ("", Nothing()),
        ("12", Typed(text="12")),
        ("#2", Pressed(button=2)),
        ("#3.2", Pressed(button=2, message=3)),
        ("/order", CommandTyped(name="order")),
        ("/start order_7", CommandTyped(name="start", payload="order_7")),
        ("/order@print_bot now", CommandTyped(name="order", payload="now")),
        ("//contact", CommandTyped(name="contact")),
        ("/file a.stl", FilesSent(paths=("a.stl",))),
        ('/file "my model.stl" b.stl', FilesSent(paths=("my model.stl", "b.stl"))),
        ("/photo x.jpg", FilesSent(paths=("x.jpg",), photo=True)),
        ("/contact", ContactSent()),
        ("/contact +48 100 200 300", ContactSent(phone="+48 100 200 300")),
        ("/location 52.23 21.01", LocationSent(latitude=52.23, longitude=21.01)),
        ("/location 52.23, -21", LocationSent(latitude=52.23, longitude=-21.0)),
        ("/wait 31m", Waited(seconds=1860.0)),
        ("/quit", Quit()),
        (r"\#2", Typed(text="#2")),
        (r"\/etc", Typed(text="/etc")),
        (r"\2", Typed(text="2")),
        (r"\n", Typed(text=r"\n")),
        ("a\nb", Typed(text="a\nb")),
    ],
)
def test_lines(text: str, meaning: Input) -> None:
    assert parse(text, buttons_only=False) == meaning


def test_a_bare_number_presses_where_no_text_is_wanted() -> None:
    assert parse("2", buttons_only=True) == Pressed(button=2)
    assert parse("2", buttons_only=False) == Typed(text="2")
    assert parse(r"\2", buttons_only=True) == Typed(text="2")
    assert parse("2 pieces", buttons_only=True) == Typed(text="2 pieces")
    assert parse("٣", buttons_only=True) == Typed(text="٣")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("#", "#2"),
        ("#two", "#2"),
        ("#1.2.3", "#2"),
        ("/", "\\/"),
        ("/öl", "\\/"),
        ("/file", "/file PATH"),
        ('/file "open', '/file "'),
        ("/location here", "/location 52.23 21.01"),
        ("/location 91 0", "-90"),
        ("/wait", "/wait 31m"),
        ("/wait 0s", "/wait 31m"),
        ("/wait soon", "/wait 31m"),
    ],
)
def test_wrong_usage_is_told_with_what_to_write(text: str, hint: str) -> None:
    given = parse(text, buttons_only=False)
    assert isinstance(given, Wrong)
    assert hint in given.message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1h30m", 5400), ("7d", 604800), ("", None), ("5", None), ("1m1h", None), ("9999d", None)],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_continued_lines() -> None:
    assert goes_on("one\\")
    assert not goes_on("one\\\\")
    assert not goes_on("one")
    assert join(["one\\", "two\\", "three"]) == "one\ntwo\nthree"
    assert join(["C:\\\\"]) == "C:\\"


def test_comments() -> None:
    assert is_comment("# straight through")
    assert is_comment("#")
    assert not is_comment("#2")
    assert not is_comment(" text # no comment")


@given(st.text(), st.booleans())
def test_any_line_means_something(text: str, buttons_only: bool) -> None:
    assert isinstance(parse(text, buttons_only=buttons_only), Input)
