"""What goes into the outbox comes out the same."""

from datetime import UTC, datetime

import msgspec
import pytest

from engine.core.effects import Accepts, Notice, Press, Say, Show
from engine.core.fitting import LONGEST_TEXT
from engine.runtime.outbox import UnknownKind, compose, decode
from engine.runtime.ports import Outgoing

AT = datetime(2026, 1, 1, tzinfo=UTC)
SHOW = Show(
    visit=3,
    draw=2,
    text="<b>Hello</b> “ü” 🖨",
    rows=((Press(text="A", code="o:a"), Press(text="Site", url="https://example.com")),),
    photo=("qr", "bitcoin:x"),
    accepts=frozenset({Accepts.TEXT, Accepts.CONTACT}),
    edit=True,
)


@pytest.mark.parametrize(
    "effect", [SHOW, Show(visit=0, draw=0, text="x"), Say(text="Hi"), Notice(text="No", alert=True)]
)
def test_effects_survive_the_outbox(effect):
    row = compose(effect, chat="t:1", sequence=7, conversation="abc", at=AT, reply_to="u1")
    read = decode(row)
    assert read.effect == effect
    assert read.reply_to == "u1"
    assert row.id == "t:1#7"


def test_only_what_can_be_edited_has_a_surface():
    assert compose(SHOW, chat="c", sequence=1, conversation="abc", at=AT).surface == "abc.3"
    assert compose(Say(text="x"), chat="c", sequence=1, conversation="abc", at=AT).surface == ""


def test_a_row_of_another_version_is_an_error_of_its_own():
    row = Outgoing(id="1", chat="c", sequence=1, kind="video", payload=b"{}", surface="", created_at=AT)
    with pytest.raises(UnknownKind, match="video"):
        decode(row)
    with pytest.raises(msgspec.DecodeError):
        decode(Outgoing(id="1", chat="c", sequence=1, kind="say", payload=b"{", surface="", created_at=AT))


def test_a_message_that_grew_too_long_goes_out_cut():
    row = compose(Say(text="<b>" + "x" * 20_000 + "</b>"), chat="c", sequence=1, conversation=None, at=AT)
    assert decode(row).effect == Say(text="<b>" + "x" * (LONGEST_TEXT - 1) + "…</b>")
