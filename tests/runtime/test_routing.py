"""Which conversation an update belongs to: decisions over a situation, nothing else."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from engine.actions.discovery import builtin_catalog
from engine.core.conversation import Conversation, Frame, Phase, Visit
from engine.core.effects import Notice, Say, Show
from engine.core.events import ButtonPressed, ContactShared, Move, Navigated, Resumed, TextReceived
from engine.core.machine import compile_flows
from engine.core.types import DecimalType
from engine.loading.library import load_texts
from engine.runtime.desk import Desk
from engine.runtime.library import Library
from engine.runtime.links import BadPayloadError, argument_of
from engine.runtime.locales import wordings
from engine.runtime.ports import Chat
from engine.runtime.routing import (
    Begin,
    CallbackPressed,
    Cancel,
    Command,
    Deliver,
    Situation,
    Start,
    Tell,
    named_conversation,
    route,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
FLOW = """
flow: {name}
title: The {name}
entry: {{commands: [{name}]{link}}}
{more}
steps:
  ask_it:
    ask: text
    text: Well?
  bye:
    text: Bye.
    end: completed
"""
FLOWS = {
    "order": ("", ""),
    "resuming": ("", "second_start: resume"),
    "restarting": ("", "second_start: restart"),
    "parallel": ("", "second_start: parallel"),
    "staff": ("", "only: admin"),
    "ticket": (", deep_link: {name: tk, argument: number}", "arguments: {number: integer?}\nsecond_start: ask"),
}
TEXTS = {
    f"{name}.yaml": FLOW.format(name=name, link=link.replace("{{", "{"), more=more)
    for name, (link, more) in FLOWS.items()
}


@pytest.fixture(scope="module")
def library() -> Library:
    catalog = builtin_catalog()
    loaded = load_texts({**TEXTS, "bot.yaml": "bot: Test\nroles: {admin: ['7']}\n"}, catalog)
    assert loaded.report.errors == ()
    return Library.of(compile_flows(loaded.flows, loaded.bot, catalog), loaded.bot)


def conversation(name: str, flow: str = "order", phase: Phase = Phase.ASKING, visit: int = 3) -> Conversation:
    frame = Frame(flow=flow, version="1", visit=Visit(number=visit, step="ask_it", phase=phase))
    return Conversation(id=name, chat="t:1", flow=flow, frames=(frame,), started_at=AT, touched_at=AT)


def situation(library: Library, *open_: Conversation, front=None, aside=(), roles=frozenset(), elsewhere=None):
    desk = Desk(
        wording=wordings(["en"])["en"],
        title=lambda flow: f"The {flow}",
        startable=library.startable(frozenset(roles)),
    )
    return Situation(
        chat=Chat(id="t:1", front=front, aside=tuple(aside)),
        open={item.id: item for item in open_},
        library=library,
        roles=frozenset(roles),
        desk=desk,
        at=AT,
        elsewhere=elsewhere,
    )


def only(decisions):
    assert len(decisions) == 1, decisions
    return decisions[0]


TEXT = TextReceived(at=AT, text="hello")


# --- what goes to the front --------------------------------------------------------------------------------


def test_text_goes_to_the_front(library):
    now = situation(library, conversation("a"), conversation("b"), front="b", aside=["a"])
    assert route(now, TEXT) == (Deliver(conversation="b", event=TEXT),)
    contact = ContactShared(at=AT, phone="+48100200300")
    assert route(now, contact) == (Deliver(conversation="b", event=contact),)


def test_without_a_front_the_last_one_put_aside_is_offered(library):
    now = situation(library, conversation("a"), conversation("b"), aside=["b", "a"])
    told = only(route(now, TEXT))
    assert told.conversation == "a"
    assert isinstance(told.effect, Show)
    assert (told.effect.visit, told.effect.draw) == (0, 0)
    assert [press.code for press in told.effect.rows[0]] == ["resume", "cancel"]


def test_with_nothing_open_the_customer_reads_what_can_be_started(library):
    told = only(route(situation(library), TEXT))
    assert isinstance(told.effect, Say)
    assert "/order – The order" in told.effect.text
    assert "staff" not in told.effect.text
    assert "staff" in only(route(situation(library, roles={"admin"}), TEXT)).effect.text


def test_a_conversation_that_waits_for_signals_leaves_the_chat_free(library):
    waiting = conversation("a", phase=Phase.WAITING)
    assert isinstance(only(route(situation(library, waiting, front="a"), TEXT)).effect, Say)
    running = conversation("a", phase=Phase.RUNNING)
    assert route(situation(library, running, front="a"), TEXT) == (Deliver(conversation="a", event=TEXT),)


# --- commands ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", [Move.BACK, Move.SKIP, Move.RETRY, Move.CANCEL])
def test_navigation_commands_go_to_the_front(library, move):
    name = move.value
    now = situation(library, conversation("a"), front="a")
    assert route(now, Command(name=name)) == (Deliver(conversation="a", event=Navigated(at=AT, move=move)),)
    assert isinstance(only(route(situation(library), Command(name=name))), Tell)


def test_resume_takes_the_front_then_aside_then_a_waiting_one(library):
    resumed = Resumed(at=AT)
    a, b = conversation("a"), conversation("b", phase=Phase.WAITING)
    for now, name in (
        (situation(library, a, b, front="b", aside=["a"]), "b"),
        (situation(library, a, b, aside=["a"]), "a"),
        (situation(library, a, b), "b"),
    ):
        assert route(now, Command(name="resume")) == (Deliver(conversation=name, event=resumed, claim=True),)


def test_a_command_starts_its_flow_and_case_does_not_matter(library):
    assert route(situation(library), Command(name="Order")) == (Begin(flow="order"),)
    other = situation(library, conversation("a", "parallel"), front="a")
    assert route(other, Command(name="order")) == (Begin(flow="order"),)


def test_an_unknown_command_names_the_nearest_and_escapes_what_was_typed(library):
    told = only(route(situation(library), Command(name="ordr<b>"))).effect.text
    assert "/order" in told
    assert "ordr&lt;b&gt;" in told


def test_roles_keep_a_flow_closed(library):
    assert "not open to you" in only(route(situation(library), Command(name="staff"))).effect.text
    assert "not open to you" in only(route(situation(library), Start(flow="staff"))).effect.text
    assert route(situation(library, roles={"admin"}), Command(name="staff")) == (Begin(flow="staff"),)


@pytest.mark.parametrize("name", ["start", "help"])
def test_start_and_help_without_a_flow_of_their_own_show_the_menu(library, name):
    assert "/order" in only(route(situation(library), Command(name=name))).effect.text


# --- second start ------------------------------------------------------------------------------------------


def test_second_start(library):
    def started(flow):
        return route(situation(library, conversation("a", flow), front="a"), Command(name=flow))

    assert started("resuming") == (Deliver(conversation="a", event=Resumed(at=AT), claim=True),)
    assert started("restarting") == (Cancel(conversation="a", move=Move.REPLACE), Begin(flow="restarting"))
    assert started("parallel") == (Begin(flow="parallel"),)
    asked = only(started("order"))
    assert asked.conversation == "a"
    assert [press.code for press in asked.effect.rows[0]] == ["resume", "restart"]


# --- deep links --------------------------------------------------------------------------------------------


def test_deep_links_start_with_a_typed_argument(library):
    assert route(situation(library), Command(name="start", payload="tk_42")) == (
        Begin(flow="ticket", arguments={"number": 42}),
    )
    assert route(situation(library), Command(name="start", payload="tk")) == (Begin(flow="ticket"),)
    assert "not valid" in only(route(situation(library), Command(name="start", payload="tk_x"))).effect.text
    assert isinstance(only(route(situation(library), Command(name="start", payload="other"))), Tell)


@pytest.mark.parametrize("rest", ["--5", "-", "5-", "1_0", "٣", " 5", "1e9", "9" * 19, "9" * 5000])
def test_a_deep_link_with_no_whole_number_is_not_valid(library, rest):
    assert "not valid" in only(route(situation(library), Command(name="start", payload=f"tk_{rest}"))).effect.text


@pytest.mark.parametrize("text", ["1e999999", "1E-999999", "sNaN", "Infinity", "1_0", "٣", "--1", "1.", ".5", ""])
def test_a_deep_link_takes_plain_numbers_with_places_only(text):
    program = SimpleNamespace(flow=SimpleNamespace(arguments=(SimpleNamespace(name="n", type=DecimalType()),)))
    if text:
        with pytest.raises(BadPayloadError):
            argument_of(program, "n", text)
    else:
        assert argument_of(program, "n", text) == {}
    assert argument_of(program, "n", "-1.50") == {"n": Decimal("-1.50")}


def test_a_restart_from_a_deep_link_keeps_its_argument(library):
    now = situation(library, conversation("a", "ticket"), front="a")
    asked = only(route(now, Command(name="start", payload="tk_42")))
    code = asked.effect.rows[0][1].code
    pressed = route(now, CallbackPressed(data=f"a.0.0.{code}"))
    assert pressed[1:] == (Cancel(conversation="a"), Begin(flow="ticket", arguments={"number": 42}))


# --- presses -----------------------------------------------------------------------------------------------


def test_a_press_goes_to_the_conversation_that_drew_it(library):
    now = situation(library, conversation("a"), conversation("b"), front="b", aside=["a"])
    event = ButtonPressed(at=AT, visit=3, draw=2, code="o:x.y")
    assert route(now, CallbackPressed(data="a.3.2.o:x.y")) == (Deliver(conversation="a", event=event, claim=True),)


def test_an_old_button_does_not_bring_its_conversation_to_the_front(library):
    now = situation(library, conversation("a"), conversation("b"), front="b", aside=["a"])
    assert only(route(now, CallbackPressed(data="a.2.1.o:x"))).claim is False


@pytest.mark.parametrize(
    "data",
    ["", "a", "a.3.2", "a.x.2.o:1", "a.3.-1.o:1", "a.3.٣.o:1", "…", "a.3.1.", "a.0.0.boom", "b.3.1.o:x", "a" * 70],
)
def test_malformed_and_foreign_presses_change_nothing(library, data):
    told = only(route(situation(library, conversation("a"), front="a"), CallbackPressed(data=data)))
    assert isinstance(told.effect, Notice)
    assert told.effect.text


def test_presses_of_finished_and_foreign_conversations_are_told_apart(library):
    gone = conversation("z")
    press = CallbackPressed(data="z.3.1.o:x")
    assert named_conversation(press) == "z"
    assert "over" in only(route(situation(library, elsewhere=gone), press)).effect.text
    foreign = replace(gone, chat="t:2")
    assert "nothing" in only(route(situation(library, elsewhere=foreign), press)).effect.text


def test_the_desks_own_buttons(library):
    now = situation(library, conversation("a"), aside=["a"])
    assert route(now, CallbackPressed(data="a.0.0.resume"))[1:] == (
        Deliver(conversation="a", event=Resumed(at=AT), claim=True),
    )
    assert route(now, CallbackPressed(data="a.0.0.cancel"))[1:] == (Cancel(conversation="a"),)
    assert route(now, CallbackPressed(data="a.0.0.restart"))[1:] == (Cancel(conversation="a"), Begin(flow="order"))


def test_what_nobody_knows_is_answered_with_nothing(library):
    assert route(situation(library), object()) == ()
