"""What goes wrong in one place stays there: damaged rows, crashes half way, flows taken away, clocks turned back."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from engine.actions import Context, action
from engine.core.conversation import Status
from engine.core.events import TextReceived
from engine.runtime.activity import Activity
from engine.runtime.dispatcher import Dispatcher, Stopped
from engine.runtime.ports import Chat, Commit, Envelope, TimerRow
from engine.runtime.routing import Command, Start
from engine.runtime.timers import LOOK, Timers
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import HELP, ORDER
from tests.runtime.harness import START, Bot, assemble, offering
from tests.runtime.test_calls import Shop, make
from tests.runtime.test_late_outcomes import HOLDING, Held, Released

# --- damaged rows -------------------------------------------------------------------------------------------


async def test_one_damaged_conversation_stops_nobody_else(tmp_path):
    file = tmp_path / "bot.sqlite3"
    bot = assemble(tmp_path, {"order": ORDER, "help": HELP}, store=SqliteStore(file))
    await bot.app.start()
    await bot.command("order")
    damaged = bot.button("Cancel").partition(".")[0]
    await bot.command("order", chat="terminal:berta")
    await bot.app.stop()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE conversations SET data = x'5b31' WHERE id = ?", (damaged,))
        connection.commit()
    again = assemble(tmp_path, {"order": ORDER, "help": HELP}, store=SqliteStore(file), seed=2)
    again.count = bot.count
    await again.app.start()
    await again.turn(25 * 3600)
    assert "Order" in again.screen.texts("terminal:berta")[-1], "the other customer's has expired"
    assert await again.command("help")
    assert again.last == "Here is help."
    assert await again.command("order")
    assert again.last == "Name?"
    await again.app.stop()


async def test_a_damaged_message_keeps_none_behind_it_waiting(tmp_path):
    file = tmp_path / "bot.sqlite3"
    bot = assemble(tmp_path, {"order": ORDER}, store=SqliteStore(file))
    bot.screen.down = True
    await bot.app.start()
    await bot.command("order")
    await bot.types("Anna")
    await bot.app.stop()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE outbox SET payload = x'7b' WHERE sequence = (SELECT min(sequence) FROM outbox)")
        connection.commit()
    again = assemble(tmp_path, {"order": ORDER}, store=SqliteStore(file))

    class Reading(type(again.screen)):
        async def deliver(self, outgoing):
            self.rows.append(outgoing)
            try:
                self.effects(outgoing.chat)
            except Exception:
                self.rows.pop()
                raise

    again.screen.__class__ = Reading
    await again.app.start()
    await again.app.run_due()
    assert again.screen.texts(again.chat) == ["Colour?"]
    assert not await again.app.store.undelivered()
    await again.app.stop()


# --- effects: none lost, none twice -------------------------------------------------------------------------


async def test_cancelled_while_an_action_runs_and_killed_then(tmp_path):
    """The action may have done its work before the process went down: it is asked again, and taken back once."""
    file = tmp_path / "bot.sqlite3"
    gate, entered, held, released = asyncio.Event(), asyncio.Event(), [], []

    @action()
    async def hold(context: Context, *, what: str) -> Held:
        """Hold something."""
        held.append(context.idempotency_key)
        entered.set()
        await gate.wait()
        return Held(number=f"H-{what}")

    @action()
    async def release(context: Context, *, number: str) -> Released:
        """Let it go."""
        released.append(number)
        return Released()

    offers = offering("shop", hold, release)
    bot = assemble(tmp_path, {"holding": HOLDING}, offers=offers, store=SqliteStore(file))
    await bot.app.start()
    await bot.command("hold")
    running = asyncio.create_task(bot.types("cube"))
    await entered.wait()
    await bot.app.handle(Envelope(chat=bot.chat, update="cancel", what=Command(name="cancel"), name="Anna"))
    await bot.app.stop()
    running.cancel()
    gate.set()
    for seed in (2, 3):
        again = assemble(tmp_path, {"holding": HOLDING}, offers=offers, store=SqliteStore(file), seed=seed)
        await again.app.start()
        await again.app.run_due()
        assert not await again.app.runtime.unfinished()
        await again.app.stop()
    assert released == ["H-cube"]
    assert len(held) == 2
    assert len(set(held)) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    text: str


@pytest.mark.parametrize("what", ["x" * 5_000_000, "\ud800"])
async def test_what_a_conversation_cannot_keep_is_a_failure_at_once(tmp_path, what):
    @action()
    async def place(context: Context, *, what: str) -> Got:
        """Give back too much."""
        return Got(text=answer)

    answer = what
    flow = """
flow: big
title: Big
entry: {commands: [big]}
steps:
  name:
    ask: text
    text: Name?
  place:
    do: shop.place
    with: {what: name}
    transitions: {got: done, failed: {to: name, text: "Broken: {{ failure.kind }}"}}
  done:
    text: Done.
    end: completed
"""
    bot = assemble(tmp_path, {"big": flow}, offers=offering("shop", place), store=SqliteStore(tmp_path / "b.sqlite3"))
    await bot.app.start()
    await bot.command("big")
    await bot.types("Anna")
    assert bot.screen.texts(bot.chat) == ["Name?", "Broken: error", "Name?"]
    await bot.app.stop()


# --- flows that were edited ---------------------------------------------------------------------------------

CALLER = """
flow: caller
title: Caller
entry: {commands: [go]}
steps:
  first:
    ask: text
    text: First?
  inner:
    call: part
  last:
    ask: text
    text: Last?
  done:
    text: Done.
    end: completed
"""
PART = """
flow: part
title: Part
steps:
  inside:
    ask: text
    text: Inside?
  over:
    end: completed
"""


async def test_the_called_flow_that_is_over_has_gone(tmp_path):
    file = tmp_path / "bot.sqlite3"
    bot = assemble(tmp_path, {"caller": CALLER, "part": PART}, store=SqliteStore(file))
    await bot.app.start()
    await bot.command("go")
    await bot.types("1")
    await bot.types("2")
    assert bot.last == "Last?"
    await bot.app.stop()
    (tmp_path / "flows" / "part.yaml").unlink()
    other = {"caller": CALLER.replace("call: part", "call: other"), "other": PART.replace("flow: part", "flow: other")}
    again = assemble(tmp_path, other, store=SqliteStore(file), screen=bot.screen)
    again.count = bot.count
    await again.app.start()
    assert await again.command("back")
    assert again.last == "First?"
    assert await again.command("cancel")
    chat = await again.app.store.chat(again.chat)
    assert chat is not None
    assert chat.front is None
    await again.app.stop()


async def test_an_effect_is_undone_though_its_step_has_gone(tmp_path):
    released = []

    @action()
    async def hold(context: Context, *, what: str) -> Held:
        """Hold something."""
        return Held(number=f"H-{what}")

    @action()
    async def release(context: Context, *, number: str) -> Released:
        """Let it go."""
        released.append(number)
        return Released()

    asking = HOLDING.replace("  done:", "  sure:\n    ask: text\n    text: Sure?\n  done:")
    edited = asking.replace("  hold:\n", "  keep:\n").replace("hold.number", "keep.number")
    file, offers = tmp_path / "bot.sqlite3", offering("shop", hold, release)
    bot = assemble(tmp_path, {"holding": asking}, offers=offers, store=SqliteStore(file))
    await bot.app.start()
    await bot.command("hold")
    await bot.types("cube")
    assert bot.last == "Sure?"
    await bot.app.stop()
    again = assemble(tmp_path, {"holding": edited}, offers=offers, store=SqliteStore(file), seed=2)
    again.count = bot.count
    await again.app.start()
    await again.command("cancel")
    assert released == ["H-cube"]
    await again.app.stop()


# --- time ---------------------------------------------------------------------------------------------------


class Turned:
    """A clock that is set by hand, also backwards; sleeping is noted."""

    def __init__(self) -> None:
        self.time = START
        self.slept: list[float] = []
        self.then: list[datetime] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self.then:
            await asyncio.Event().wait()
        self.time = self.then.pop(0)


class Nothing:
    held = 0

    def launch(self, rows) -> None:
        assert not rows

    async def flush(self) -> None:
        pass

    async def look(self) -> None:
        pass

    async def outside(self) -> bool:
        return False

    def forget(self, before: datetime) -> None:
        pass


def timers(store, clock, post) -> Timers:
    async def discard(refs) -> None:
        assert refs == ()

    nothing = Nothing()
    return Timers(
        store=store,
        clock=clock,
        calls=nothing,
        deliveries=nothing,
        signals=nothing,
        post=post,
        retention={},
        discard=discard,
    )


async def test_a_clock_turned_back_does_not_send_the_timers_to_sleep():
    store, clock = MemoryStore(), Turned()
    await store.open()

    async def post(envelope: Envelope) -> bool:
        raise AssertionError("nothing is due")

    clock.then = [START - timedelta(days=1)]
    loop = asyncio.create_task(timers(store, clock, post).run())
    await asyncio.sleep(0.02)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert len(clock.slept) == 2
    assert max(clock.slept) <= 60


async def test_timers_that_fail_hide_no_others():
    store, clock, fired = MemoryStore(), Turned(), []
    await store.open()
    for number in range(LOOK + 1):
        chat = f"t:{number}"
        row = TimerRow(conversation=f"c{number}", chat=chat, visit=1, name="timeout", due=START + timedelta(0, number))
        await store.commit([Commit(chat=Chat(id=chat, revision=1), new_chat=True, timers=(row,), at=START)])
    clock.time = START + timedelta(hours=1)

    async def post(envelope: Envelope) -> bool:
        fired.append(envelope.chat)
        return False

    looking = timers(store, clock, post)
    await looking.look()
    assert len(fired) == len(set(fired)) == LOOK + 1
    clock.time -= timedelta(minutes=30)
    await looking.look()
    assert len(fired) == 2 * (LOOK + 1), "what rests is not forgotten when the clock is turned back"


# --- stopping -----------------------------------------------------------------------------------------------


async def test_stopping_does_not_wait_for_what_hangs_and_what_stands_behind_it():
    handled = []

    async def handle(envelope: Envelope) -> None:
        handled.append(envelope.what)
        await asyncio.Event().wait()

    async def failed(envelope: Envelope) -> None:
        raise AssertionError("being cut is no failure")

    activity = Activity()
    dispatcher = Dispatcher(handle, failed, activity, lane=2, parallel=2)
    posts = [
        asyncio.create_task(dispatcher.post(Envelope(chat=chat, update=None, what=n)))
        for n in range(4)
        for chat in "abc"
    ]
    await asyncio.sleep(0.01)
    await asyncio.wait_for(dispatcher.stop(0.05), 2)
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert all(isinstance(result, Stopped) for result in results)
    assert handled == [0, 0]
    assert activity.count == 0
    assert dispatcher._lanes == {}


async def test_what_was_cut_has_changed_nothing(tmp_path):
    shop = Shop()
    shop.gate = asyncio.Event()
    file = tmp_path / "bot.sqlite3"
    bot: Bot = make(tmp_path, shop, transactional=True, timeout=30, store=SqliteStore(file))
    await bot.app.start()
    await bot.command("call")
    typed = Envelope(chat=bot.chat, update="x", what=TextReceived(at=START, text="cube"))
    post = asyncio.create_task(bot.app.handle(typed))
    while not shop.calls:
        await asyncio.sleep(0.001)
    await bot.app.runtime._dispatcher.stop(0.01)
    await bot.app.stop()
    assert isinstance((await asyncio.gather(post, return_exceptions=True))[0], Stopped)
    shop.gate = None
    again = make(tmp_path, shop, transactional=True, store=SqliteStore(file), screen=bot.screen)
    await again.app.start()
    assert await again.app.handle(typed)
    await again.app.run_due()
    assert again.last == "Placed N-cube"
    await again.app.stop()


# --- outcomes of a flow that has gone -----------------------------------------------------------------------


async def test_an_outcome_for_a_cancelled_conversation_of_a_flow_that_has_gone_is_dropped(tmp_path):
    file, gate, entered, held = tmp_path / "bot.sqlite3", asyncio.Event(), asyncio.Event(), []

    @action()
    async def hold(context: Context, *, what: str) -> Held:
        """Hold something."""
        held.append(context.idempotency_key)
        entered.set()
        await gate.wait()
        return Held(number=f"H-{what}")

    @action()
    async def release(context: Context, *, number: str) -> Released:
        """Let it go."""
        raise AssertionError("nobody knows any more what there is to undo")

    offers = offering("shop", hold, release)
    bot = assemble(tmp_path, {"holding": HOLDING}, offers=offers, store=SqliteStore(file))
    await bot.app.start()
    await bot.app.handle(Envelope(chat=bot.chat, update="1", what=Start(flow="holding")))
    await bot.app.handle(Envelope(chat=bot.chat, update="2", what=TextReceived(at=START, text="cube")))
    await entered.wait()
    await bot.app.handle(Envelope(chat=bot.chat, update="3", what=Command(name="cancel")))
    await bot.app.stop()
    (tmp_path / "flows" / "holding.yaml").unlink()
    gate.set()
    again = assemble(tmp_path, {"order": ORDER}, offers=offers, store=SqliteStore(file), screen=bot.screen)
    await again.app.start()
    await again.app.run_due()
    assert not await again.app.runtime.unfinished()
    over = await again.app.store.conversation(held[0].partition("/")[0])
    assert over is not None
    assert over.status is Status.FINISHED
    await again.app.stop()
