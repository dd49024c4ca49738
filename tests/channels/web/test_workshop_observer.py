"""What the workshop remembers of events: bounded, in a product owner's words, and never an exception."""

from datetime import UTC, datetime

import pytest

from engine.channels.web.workshop_observer import CONVERSATIONS, EVENTS, ITEMS, Watcher, words_of
from engine.core.advance import Advanced
from engine.core.conversation import Conversation, Frame, Row, Visit
from engine.core.effects import Invoke, Press, Purpose, Show
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    ButtonPressed,
    ContactShared,
    FileReceived,
    LocationShared,
    Move,
    Navigated,
    PutAside,
    Resumed,
    SignalReceived,
    Started,
    TextReceived,
    TimerFired,
)
from engine.core.expressions import EvaluationError
from engine.core.model import Expression, Template
from engine.diagnostics import NOWHERE, Span
from engine.runtime.observing import Returned

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
SPAN = Span(file="flows/a.yaml", line=7, column=9, end_line=7, end_column=20)
PLACE = {"file": "flows/a.yaml", "line": 7}


def conversation(name: str = "abc", rows: tuple[Row, ...] = ()) -> Conversation:
    frame = Frame(flow="buy", version="1", visit=Visit(number=3, step="what", rows=rows))
    return Conversation(id=name, chat="web:anna", flow="buy", frames=(frame,), started_at=AT, touched_at=AT)


def press(code: str) -> ButtonPressed:
    return ButtonPressed(at=AT, visit=3, draw=1, code=code)


def text(words: str = "hi") -> TextReceived:
    return TextReceived(at=AT, text=words)


def newest(watcher: Watcher, name: str = "abc") -> str:
    return watcher.events(name)[0].event


def test_values_are_kept_with_their_place():
    watcher = Watcher()
    watcher.advancing(conversation(), text())
    watcher.evaluated(Expression(source="score > 3", span=SPAN), True)
    watcher.evaluated(Template(source="Hi {{ name }}", span=SPAN), "Hi Anna")
    watcher.evaluated(Expression(source="1 / 0", span=SPAN), EvaluationError("This divides by zero."))
    watcher.advanced(Advanced(conversation=conversation(), effects=()))
    (event,) = watcher.events("abc")
    assert event.message() == {
        "event": "wrote “hi”",
        "at": AT,
        "step": "what",
        "items": [
            {**PLACE, "source": "score > 3", "value": "true", "ok": True, "kind": "expression"},
            {**PLACE, "source": "Hi {{ name }}", "value": "Hi Anna", "ok": True, "kind": "text"},
            {**PLACE, "source": "1 / 0", "value": "This divides by zero.", "ok": False, "kind": "expression"},
        ],
    }


def test_what_is_evaluated_outside_of_an_event_is_nobodys():
    watcher = Watcher()
    watcher.evaluated(Expression(source="x", span=NOWHERE), 1)
    watcher.advancing(conversation(), text())
    watcher.advanced(Advanced(conversation=conversation(), effects=()))
    watcher.evaluated(Expression(source="x", span=NOWHERE), 1)
    assert watcher.events("abc")[0].items == []


def test_memory_is_bounded():
    watcher = Watcher()
    for number in range(CONVERSATIONS + 5):
        watcher.advancing(conversation(f"c{number}"), text())
    assert watcher.events("c0") == ()
    assert watcher.events(f"c{CONVERSATIONS + 4}")
    for number in range(EVENTS + 5):
        watcher.advancing(conversation(), text(str(number)))
        for _ in range(ITEMS + 50):
            watcher.evaluated(Expression(source="x" * 1000, span=SPAN), "y" * 10_000)
    assert len(watcher.events("abc")) == EVENTS
    assert newest(watcher) == f"wrote “{EVENTS + 4}”"
    items = watcher.events("abc")[0].message()["items"]
    assert len(items) == ITEMS
    assert max(len(str(part)) for item in items for part in item.values()) <= 300


def test_the_conversations_of_a_chat_are_known_the_last_one_first():
    watcher = Watcher()
    for name in [*(f"c{number}" for number in range(30)), "c15"]:
        watcher.advancing(conversation(name), text())
    assert watcher.recent("web:anna")[:3] == ("c15", "c29", "c28")
    assert len(watcher.recent("web:anna")) == 20
    assert watcher.recent("web:ben") == ()


def test_the_same_event_once_more_takes_the_first_ones_place():
    watcher, event = Watcher(), text()
    watcher.advancing(conversation(), event)
    watcher.evaluated(Expression(source="x", span=SPAN), 1)
    watcher.advancing(conversation(), event)
    assert len(watcher.events("abc")) == 1
    assert watcher.events("abc")[0].items == []


def test_buttons_are_called_what_they_were_drawn_as():
    watcher = Watcher()
    show = Show(visit=3, draw=1, text="?", rows=((Press(text="A red one", code="o:red"), Press(text="x", url="y")),))
    watcher.advanced(Advanced(conversation=conversation(), effects=(show,)))
    watcher.advancing(conversation(), press("o:red"))
    assert newest(watcher) == "pressed “A red one”"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("r:0", "Vase"),
        ("r:9", "9"),
        ("r:99999", "99999"),
        ("o:red", "red"),
        ("t:order", "order"),
        ("n:back", "Back"),
        ("S", "S"),
        ("", ""),
        ("o:" + "x" * 500, "x" * 59 + "…"),
    ],
)
def test_buttons_after_a_restart(code, words):
    watcher = Watcher()
    watcher.advancing(conversation(rows=(Row(key="v", label="Vase", value=None),)), press(code))
    assert newest(watcher) == f"pressed “{words}”"


def test_outcomes_are_told_with_the_name_of_their_action():
    watcher = Watcher()
    invoke = Invoke(call="3.do.1", purpose=Purpose.DO, name="shop.place")
    watcher.advanced(Advanced(conversation=conversation(), effects=(invoke,)))
    watcher.advancing(conversation(), ActionFinished(at=AT, call="3.do.1", outcome="placed", value={}))
    assert newest(watcher) == "shop.place → placed"
    watcher.advancing(conversation(), ActionFailed(at=AT, call="3.do.1", kind="error", reason="no\nwood"))
    assert newest(watcher) == "shop.place failed: no\nwood"
    watcher.returned(
        Returned(at=AT, chat="web:anna", conversation="abc", call="4.do.1", name="shop.pay", source=False, arguments={},
                 value={})
    )  # fmt: skip
    watcher.advancing(conversation(), ActionFinished(at=AT, call="4.do.1", outcome="paid", value={}))
    assert newest(watcher) == "shop.pay → paid"
    watcher.advancing(conversation(), ActionFinished(at=AT, call="9", outcome="paid", value={}))
    assert newest(watcher) == "a call → paid"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Started(at=AT), "started"),
        (PutAside(at=AT), "was put aside"),
        (Resumed(at=AT), "came back to it"),
        (text("x" * 100), f"wrote “{'x' * 59}…”"),
        (ContactShared(at=AT, phone="+4930901820"), "shared the phone number +4930901820"),
        (LocationShared(at=AT, latitude=1, longitude=2), "shared a location"),
        *[
            (Navigated(at=AT, move=move), words)
            for move, words in zip(
                Move, ["went back", "skipped the question", "cancelled", "tried again", "began it anew"], strict=True
            )
        ],
        (SignalReceived(at=AT, name="order.paid"), "signal order.paid"),
        (TimerFired(at=AT, visit=1, name="timeout"), "timer timeout"),
        (TimerFired(at=AT, visit=0, name="expires"), "expired"),
        (
            FileReceived(at=AT, file={"name": "a.stl", "size": 2048, "mime": "m", "ref": "r", "kind": "document"}),
            "sent the file a.stl (2.0 KB)",
        ),
        (FileReceived(at=AT, file={"kind": "photo"}), "sent the photo "),
    ],
)
def test_events_in_words(event, words):
    assert words_of(event) == words


def test_a_listener_that_fails_keeps_nobody_else_from_listening():
    watcher, heard = Watcher(), []

    def broken(_):
        raise RuntimeError("no")

    watcher.on_committed += [broken, heard.append]
    watcher.committed("web:anna")
    assert heard == ["web:anna"]


def test_nothing_that_is_handed_in_makes_it_raise():
    watcher = Watcher()
    rubbish = object()
    watcher.advancing(rubbish, rubbish)
    watcher.evaluated(rubbish, rubbish)
    watcher.advancing(conversation(), text())
    watcher.evaluated(Expression(source="x", span=SPAN), rubbish)
    watcher.advanced(rubbish)
    watcher.returned(rubbish)
    watcher.committed(rubbish)
    assert len(watcher.events("abc")) == 1
