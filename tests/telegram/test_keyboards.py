"""Buttons as the library has them: colours where it knows them, data and links as Telegram takes them."""

import pytest
from pyrogram import enums

from engine.channels.telegram import keyboards
from engine.core.effects import Press


def row(*presses: Press):
    return keyboards.inline([presses], "abcdefghij.1", 1).inline_keyboard[0]


@pytest.mark.parametrize(
    ("code", "style"),
    [("x:ok", "PRIMARY"), ("q:ok", "PRIMARY"), ("resume", "PRIMARY"), ("n:cancel!", "DANGER"), ("cancel", "DANGER")],
)
def test_what_leads_on_or_drops_everything_stands_out_where_the_library_can(code: str, style: str) -> None:
    (button,) = row(Press(text="Yes", code=code))
    assert button.callback_data == f"abcdefghij.1.1.{code}"
    if hasattr(enums, "ButtonStyle"):
        assert button.style is enums.ButtonStyle[style]
    else:
        assert not hasattr(button, "style")


def test_other_buttons_are_plain() -> None:
    for button in row(Press(text="A", code="o:a"), Press(text="Back", code="n:back"), Press(text="Go", code="t:go")):
        assert getattr(button, "style", None) in (None, getattr(getattr(enums, "ButtonStyle", None), "DEFAULT", None))


def test_what_telegram_would_refuse_is_left_out() -> None:
    kept = row(
        Press(text="long", code="o:" + "x" * 64), Press(text="", code="o:a"), Press(text="L", url="javascript:alert(1)")
    )
    assert [(button.text, button.callback_data) for button in kept] == [("…", "abcdefghij.1.1.o:a")]
    assert keyboards.inline([[Press(text="L", url="https://example.com")]], "s.1", 1, links=False) is None
