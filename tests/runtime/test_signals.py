"""Signals on their way: durable first, in order, once; kept, late, unknown, repeated; in circles and in crowds."""

import asyncio
import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.actions import Context, action
from engine.core.codec import dump_data
from engine.core.keys import short_key
from engine.runtime.clock import SystemClock
from engine.runtime.invoking import SIGNAL
from engine.runtime.ports import Chat, Commit, NewSignal, PendingCall, Store
from engine.runtime.sending import LARGEST_PAYLOAD, MOST_SIGNALS, Sent, UnfitSignal, update_of
from engine.runtime.signals import REST
from storage.errors import StoreError
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import PAY
from tests.runtime.harness import START, Bot, Screen, assemble, offering

TICKS = """
flow: ticks
entry: {commands: [ticks]}
key: name
steps:
  name:
    ask: text
    text: Name?
  first:
    wait: {tick: second}
  second:
    ask: text
    text: "First {{ first.n }}"
  third:
    wait: {tick: more, over: done}
  more:
    text: "Then {{ third.n }}"
    transitions: third
  done:
    text: Over.
    end: completed
"""


class Faulty(MemoryStore):
    """A store that fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self.commits = 0

    async def keep_signal(self, signal: NewSignal) -> bool:
        if "keep" in self.broken:
            raise StoreError("the disk is full")
        return await super().keep_signal(signal)

    async def commit(self, commits: Any) -> None:
        if "commit" in self.broken and any(commit.taken_signals for commit in commits):
            raise StoreError("the disk is full")
        self.commits += 1
        await super().commit(commits)


@pytest.fixture
async def bot(tmp_path: Path) -> Any:
    bot = assemble(tmp_path, {"pay": PAY, "ticks": TICKS}, store=Faulty())
    await bot.app.start()
    yield bot
    await bot.app.stop()


async def waiting(store: Store, flow: str, key: str) -> list[str]:
    return [row.name for row in await store.signals(flow, key, 10_000)]


# --- what becomes of a signal --------------------------------------------------------------------------------


async def test_delivered_repeated_late_and_unknown(bot: Bot) -> None:
    await bot.command("pay")
    await bot.types("77")
    assert await bot.app.signal("pay", "77", "settled", update="a") is Sent.DELIVERED
    assert bot.last == "How was it?"
    assert await bot.app.signal("pay", "77", "settled", update="a") is Sent.DUPLICATE
    await bot.types("fine")
    assert await bot.app.signal("pay", "77", "settled", update="b") is Sent.LATE
    assert await bot.app.signal("pay", "77", "settled", update="b") is Sent.DUPLICATE
    assert await bot.app.signal("nowhere", "77", "settled", update="c") is Sent.UNKNOWN_FLOW
    assert await bot.app.signal("pay", "77", "unheard", update="c") is Sent.UNKNOWN_SIGNAL
    assert await waiting(bot.app.store, "pay", "77") == []
    assert [sent.refused for sent in Sent] == [False] * 4 + [True] * 2


async def test_kept_until_there_is_a_conversation_and_then_taken_in_order(bot: Bot) -> None:
    for number in range(5):
        assert await bot.app.signal("ticks", "anna", "tick", {"n": number}, update=f"t{number}") is Sent.KEPT
    assert await bot.app.signal("ticks", "anna", "tick", {"n": 0}, update="t0") is Sent.DUPLICATE
    await bot.command("ticks")
    await bot.types("otto")
    assert await waiting(bot.app.store, "ticks", "anna") == ["tick"] * 5
    other = Bot(bot.app, bot.screen, bot.clock, chat="terminal:ben")
    await other.command("ticks", update="o1")
    await other.types("anna", update="o2")
    assert other.last == "First 0"
    await other.types("on", update="o3")
    assert bot.screen.texts(other.chat)[-4:] == ["Then 1", "Then 2", "Then 3", "Then 4"]
    assert await waiting(bot.app.store, "ticks", "anna") == []
    assert await bot.app.signal("ticks", "anna", "tick", {"n": 2}, update="t2") is Sent.DUPLICATE


async def test_a_key_that_is_too_long_is_the_same_for_flow_and_sender(bot: Bot) -> None:
    long = "x" * 300
    await bot.command("pay")
    await bot.types(long)
    (conversation,) = await bot.app.store.conversations(bot.chat)
    assert conversation.key == short_key(long)
    assert await bot.app.signal("pay", long, "settled") is Sent.DELIVERED


async def test_what_cannot_be_kept_is_refused(bot: Bot) -> None:
    wrong: list[dict[str, Any]] = [{"text": "x" * LARGEST_PAYLOAD}, {"x": object()}, {"x": "\ud800"}]
    for key, payload in (("", {}), *(("7", one) for one in wrong)):
        with pytest.raises(UnfitSignal):
            await bot.app.signal("pay", key, "settled", payload)
    for odd in ("", "x" * 5000, "a\0b", "\ud800"):
        assert await bot.app.signal("pay", f"k{len(odd)}", "settled", update=odd) is Sent.KEPT
    assert len(update_of("x" * 5000)) < 128
    assert update_of("a") != update_of("b")


async def test_two_senders_with_one_id_at_once_and_one_of_them_fails_to_write(bot: Bot) -> None:
    store = bot.app.store
    assert isinstance(store, Faulty)
    store.broken.add("keep")
    with pytest.raises(StoreError):
        await bot.app.signal("pay", "77", "settled", update="a")
    store.broken.clear()
    sent = await asyncio.gather(*(bot.app.signal("pay", "77", "settled", update="a") for _ in range(5)))
    assert sorted(sent) == [Sent.DUPLICATE] * 4 + [Sent.KEPT]
    assert await waiting(store, "pay", "77") == ["settled"]


async def test_one_that_fails_is_tried_again_and_never_overtaken(bot: Bot) -> None:
    store = bot.app.store
    assert isinstance(store, Faulty)
    await bot.command("ticks")
    await bot.types("anna")
    store.broken.add("commit")
    assert await bot.app.signal("ticks", "anna", "tick", {"n": 1}, update="a") is Sent.KEPT
    store.broken.clear()
    assert await bot.app.signal("ticks", "anna", "tick", {"n": 2}, update="b") is Sent.KEPT
    await bot.app.run_due()
    assert bot.last == "Name?"
    assert await bot.app.runtime.unfinished()
    await bot.turn(REST.total_seconds() + 1)
    assert bot.last == "First 1"
    await bot.types("on")
    assert bot.last == "Then 2"
    assert await waiting(store, "ticks", "anna") == []
    assert not await bot.app.runtime.unfinished()


async def test_a_conversation_that_ends_before_its_signal_comes_makes_it_late(bot: Bot) -> None:
    await bot.command("pay")
    await bot.types("77")
    store = bot.app.store
    assert isinstance(store, Faulty)
    store.broken.add("commit")
    assert await bot.app.signal("pay", "77", "settled", update="a") is Sent.KEPT
    store.broken.clear()
    await bot.press("Give up")
    await bot.turn(REST.total_seconds() + 1)
    assert await waiting(store, "pay", "77") == []
    assert bot.last == "Given up."
    assert await bot.app.signal("pay", "77", "settled", update="a") is Sent.DUPLICATE


async def test_a_damaged_one_holds_nobody_up(bot: Bot) -> None:
    bad = NewSignal(update="bad", flow="pay", key="77", name="settled", payload=b"{not json", at=START)
    await bot.app.store.keep_signal(bad)
    assert await bot.app.signal("pay", "77", "settled") is Sent.KEPT
    await bot.command("pay")
    await bot.types("77")
    assert bot.last == "How was it?"


# --- restart, other processes --------------------------------------------------------------------------------


async def test_rows_are_taken_up_at_the_start_before_timers_that_came_due_since(tmp_path: Path) -> None:
    timed = PAY.replace("settled: {to: rating}", "settled: {to: rating}\n      after: {time: 5m, to: over}")
    file = tmp_path / "bot.sqlite3"
    first = assemble(tmp_path, {"pay": timed}, store=SqliteStore(file))
    await first.app.start()
    await first.command("pay")
    await first.types("77")
    await first.app.stop()
    store = SqliteStore(file)
    await store.open()
    paid = NewSignal(update="x", flow="pay", key="77", name="settled", payload=b"{}", at=START + timedelta(minutes=1))
    await store.keep_signal(paid)
    await store.close()
    again = assemble(tmp_path, {"pay": timed}, store=SqliteStore(file), seed=2)
    again.count = first.count
    again.clock.advance(3600)
    await again.app.start()
    await again.app.run_due()
    assert again.last == "How was it?"
    await again.app.stop()


async def test_a_row_that_another_process_writes_is_found_while_idle(tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    bot = assemble(tmp_path, {"pay": PAY}, store=SqliteStore(file), clock=SystemClock())  # type: ignore[arg-type]
    await bot.app.start()
    await bot.command("pay")
    await bot.types("77")
    await asyncio.sleep(0.05)
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute(
            "INSERT INTO signals (update_id, flow, key, name, payload, at) VALUES ('x', 'pay', '77', 'settled', ?, 1)",
            (b"{}",),
        )
    other.close()
    async with asyncio.timeout(5):
        while bot.last != "How was it?":
            await asyncio.sleep(0.05)
    await bot.app.stop()


# --- from actions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    pass


class Sender:
    """An action that does what the test says."""

    def __init__(self, *, transactional: bool) -> None:
        self.sends: list[tuple[str, str, str, dict[str, Any]]] = []
        self.calls = 0

        @action(transactional=transactional)
        async def go(context: Context) -> Went:
            """Sends."""
            self.calls += 1
            for flow, key, name, payload in self.sends:
                context.signal(flow, key, name, **payload)
            return Went()

        self.catalog = offering("shop", go)


SENDING = """
flow: sending
entry: {commands: [send]}
key: "'sender'"
steps:
  go:
    do: shop.go
    transitions: {went: hold, failed: broken}
  hold:
    wait: {tick: done}
  done:
    text: "Came {{ hold.n }}"
    end: completed
  broken:
    text: Broken.
    end: broken
"""
CIRCLE = """
flow: circle
entry: {commands: [circle]}
key: "'round'"
data: {n: 0}
steps:
  hold:
    wait: {tick: {to: go, set: {n: n + 1}}, stop: done}
  go:
    do: shop.go
    transitions: {went: hold, failed: done}
  done:
    text: "Rounds {{ n }}"
    end: completed
"""


@pytest.mark.parametrize("transactional", [True, False])
async def test_an_action_signals_its_own_conversation_and_one_of_another_chat(
    tmp_path: Path, *, transactional: bool
) -> None:
    sender = Sender(transactional=transactional)
    bot = assemble(tmp_path, {"sending": SENDING, "pay": PAY}, offers=sender.catalog)
    await bot.app.start()
    other = Bot(bot.app, bot.screen, bot.clock, chat="terminal:ben")
    await other.command("pay", update="o1")
    await other.types("88", update="o2")
    sender.sends = [
        ("pay", "88", "settled", {}),
        ("sending", "sender", "tick", {"n": 3}),
        ("pay", "nobody", "settled", {}),
        ("pay", "88", "unheard", {}),
        ("nowhere", "88", "settled", {}),
    ]
    await bot.command("send")
    assert other.last == "How was it?"
    assert bot.last == "Came 3"
    assert await waiting(bot.app.store, "pay", "nobody") == ["settled"]
    assert not await bot.app.store.due_calls(bot.clock.now() + timedelta(days=999))
    await bot.app.stop()


@pytest.mark.parametrize("transactional", [True, False])
async def test_a_circle_of_signals_is_slowed_down_and_nobody_else_waits(tmp_path: Path, *, transactional: bool) -> None:
    sender = Sender(transactional=transactional)
    sender.sends = [("circle", "round", "tick", {})]
    store = Faulty()
    bot = assemble(tmp_path, {"circle": CIRCLE, "pay": PAY}, offers=sender.catalog, store=store)
    await bot.app.start()
    await bot.command("circle")
    assert await bot.app.signal("circle", "round", "tick") is Sent.DELIVERED
    await bot.app.run_due()
    rounds = sender.calls
    assert 50 < rounds < 150
    await bot.turn(1)
    assert rounds < sender.calls <= rounds + 2
    assert await bot.app.signal("circle", "round", "stop", update="stop") in (Sent.KEPT, Sent.DELIVERED)
    await bot.turn(2)
    await bot.turn(2)
    assert bot.last.startswith("Rounds ")
    await bot.app.stop()


@pytest.mark.parametrize("transactional", [True, False])
async def test_far_too_many_signals_of_one_action_are_a_failure_and_some_are_not(
    tmp_path: Path, *, transactional: bool
) -> None:
    sender = Sender(transactional=transactional)
    sender.sends = [("pay", f"k{number}", "settled", {}) for number in range(MOST_SIGNALS)]
    bot = assemble(tmp_path, {"sending": SENDING, "pay": PAY}, offers=sender.catalog)
    await bot.app.start()
    await bot.command("send")
    assert await waiting(bot.app.store, "pay", f"k{MOST_SIGNALS - 1}") == ["settled"]
    sender.sends = [("pay", f"m{number}", "settled", {}) for number in range(10_000)]
    other = Bot(bot.app, bot.screen, bot.clock, chat="terminal:ben")
    await other.command("send", update="o1")
    for _ in range(6):
        await bot.turn(4000)
    assert await waiting(bot.app.store, "pay", "m1") == []
    assert other.last.startswith("Broken")
    await bot.app.stop()


@pytest.mark.parametrize("wrong", [("pay", "", "settled", {}), ("pay", "1", "settled", {"x": "y" * LARGEST_PAYLOAD})])
async def test_an_action_that_sends_what_cannot_be_kept_fails(tmp_path: Path, wrong: Any) -> None:
    sender = Sender(transactional=False)
    sender.sends = [wrong]
    bot = assemble(tmp_path, {"sending": SENDING, "pay": PAY}, offers=sender.catalog)
    await bot.app.start()
    await bot.command("send")
    assert bot.last.startswith("Broken")
    await bot.app.stop()


async def test_a_crowd_of_signals_for_one_conversation_comes_in_order(tmp_path: Path) -> None:
    bot = assemble(tmp_path, {"ticks": TICKS})
    await bot.app.start()
    for number in range(1000):
        row = NewSignal(
            update=f"c{number}", flow="ticks", key="anna", name="tick", payload=dump_data({"n": number}), at=START
        )
        await bot.app.store.keep_signal(row)
    await bot.command("ticks")
    await bot.types("anna")
    await bot.app.run_due()
    assert bot.last == "First 0"
    (conversation,) = await bot.app.store.conversations(bot.chat)
    assert [signal.payload["n"] for signal in conversation.early] == list(range(950, 1000))
    assert await waiting(bot.app.store, "ticks", "anna") == []
    await bot.app.stop()


async def test_a_signal_that_an_older_version_wrote_down_as_a_call_still_arrives(bot: Bot) -> None:
    await bot.command("pay")
    await bot.types("77")
    wish = {"key": "77", "name": "settled", "payload": {"amount": 2}}
    old = PendingCall(
        conversation="c0",
        chat="terminal:old",
        call="1.do.signal.1",
        purpose=SIGNAL,
        name="pay",
        arguments=dump_data(wish),
        retry=json.dumps({"attempts": 12, "first": 2}).encode(),
        timeout=None,
        attempt=0,
        due=START,
    )
    await bot.app.store.commit(
        [Commit(chat=Chat(id="terminal:old", revision=1), new_chat=True, pending=(old,), at=START)]
    )
    await bot.app.run_due()
    assert bot.last == "How was it?"
    assert await bot.app.store.calls("c0") == ()


async def test_a_signal_for_this_very_conversation_needs_no_key(bot: Bot) -> None:
    await bot.command("pay")
    await bot.types("77")
    (conversation,) = await bot.app.store.conversations(bot.chat)
    assert await bot.app.runtime.tell(conversation.id, "settled", {"amount": 2})
    (conversation,) = await bot.app.store.conversations(bot.chat)
    assert conversation.top.data["hold"] == {"amount": 2}
    assert not await bot.app.runtime.tell("nobody", "settled", {})


async def test_nothing_is_delivered_once_it_stops(tmp_path: Path) -> None:
    screen, store = Screen(), MemoryStore()
    bot = assemble(tmp_path, {"pay": PAY}, store=store, screen=screen)
    await bot.app.start()
    await bot.command("pay")
    await bot.types("77")
    await bot.app.runtime._signals.stop()
    assert await bot.app.signal("pay", "77", "settled") is Sent.KEPT
    assert await waiting(store, "pay", "77") == ["settled"]
    await bot.app.stop()
