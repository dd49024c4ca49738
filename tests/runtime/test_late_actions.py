"""Actions that hang, fail or come too late: everybody else goes on, an effect is taken back once, nothing is silent."""

import asyncio
from dataclasses import dataclass

import pytest

from engine.actions import Context, Unreachable, action
from engine.core.conversation import Status
from engine.core.effects import Show
from engine.core.events import TextReceived
from engine.runtime.clock import ManualClock
from engine.runtime.ports import Envelope
from engine.runtime.routing import CallbackPressed, Command
from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.runtime.flows import HELP, ORDER
from tests.runtime.harness import START, Bot, Screen, assemble, offering

HOLDING = """
flow: holding
title: Holding
entry: {commands: [hold]}
expires: 10m
second_start: parallel
steps:
  what:
    ask: text
    text: What?
  hold:
    do: shop.hold
    with: {what: what}
    undo: {do: shop.release, with: {number: result.number}}
    transitions: {held: sure, failed: what}
  sure:
    ask: yes_no
    text: "Held {{ hold.number }}. Sure?"
  done:
    text: Done.
    end: completed
"""
SHORT = """
flow: short
title: Short
entry: {commands: [short]}
steps:
  write:
    do: shop.write
  done:
    text: "Written {{ write.number }}"
    end: completed
"""
INSERT = "INSERT INTO print_files (ref, idempotency_key, name, size, created_at) VALUES (?, ?, 'n', 1, 1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    pass


class Shop:
    """What is held, by whom it was released, and what the next calls do."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.released: list[tuple[str, str]] = []
        self.tries = 0
        self.fails = 0
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()

    @property
    def offers(self):
        @action()
        async def hold(context: Context, *, what: str) -> Held:
            """Hold something."""
            self.held.append(context.idempotency_key)
            self.entered.set()
            if self.gate is not None:
                await self.gate.wait()
            return Held(number=f"H-{what}")

        @action()
        async def release(context: Context, *, number: str) -> Released:
            """Let it go."""
            self.tries += 1
            self.entered.set()
            if self.gate is not None:
                await self.gate.wait()
            if self.fails > 0:
                self.fails -= 1
                raise Unreachable("away")
            self.released.append((number, context.idempotency_key))
            return Released()

        return offering("shop", hold, release)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def bot(tmp_path, shop):
    bot = assemble(tmp_path, {"holding": HOLDING, "help": HELP, "order": ORDER}, offers=shop.offers)
    await bot.app.start()
    yield bot
    await bot.app.stop()


async def held(bot: Bot, what: str = "cube") -> None:
    await bot.command("hold")
    await bot.types(what)
    assert bot.last == f"Held H-{what}. Sure?"


# --- undo exactly once -----------------------------------------------------------------------------------------


async def test_back_takes_it_back_once_and_the_next_try_is_another_one(bot, shop):
    await held(bot)
    await bot.command("back")
    assert [number for number, _ in shop.released] == ["H-cube"]
    assert bot.last == "What?"
    await bot.types("ball")
    await bot.command("cancel")
    await bot.turn(3600)
    assert [number for number, _ in shop.released] == ["H-cube", "H-ball"]
    assert len({key for _, key in shop.released}) == 2
    assert len(set(shop.held)) == 2


async def test_an_end_in_time_takes_nothing_back(bot, shop):
    await held(bot)
    await bot.press("Yes")
    assert bot.last == "Done."
    await bot.turn(3600)
    assert shop.released == []


async def test_what_expires_is_taken_back_once_whatever_comes_at_that_moment(bot, shop):
    await held(bot)
    cancel = bot.button("Cancel")
    bot.clock.advance(601)
    at_once = [
        bot.app.handle(Envelope(chat=bot.chat, update="a", what=CallbackPressed(data=cancel))),
        bot.app.run_due(),
        bot.app.handle(Envelope(chat=bot.chat, update="b", what=Command(name="cancel"))),
        bot.app.handle(Envelope(chat=bot.chat, update="c", what=Command(name="back"))),
        bot.app.run_due(),
    ]
    await asyncio.gather(*at_once)
    await bot.turn(3600)
    assert [number for number, _ in shop.released] == ["H-cube"]
    assert await bot.app.store.conversations(bot.chat) in ([], ())


async def test_an_undo_that_fails_is_tried_again_with_one_key(bot, shop):
    shop.fails = 3
    await held(bot)
    await bot.command("cancel")
    for _ in range(12):
        await bot.turn(60)
    assert shop.tries == 4
    assert [number for number, _ in shop.released] == ["H-cube"]


async def test_an_undo_that_is_cut_by_a_restart_runs_again_with_the_same_key(tmp_path, shop):
    clock, screen = ManualClock(START), Screen()

    def life(seed: int) -> Bot:
        store = SqliteStore(tmp_path / "bot.sqlite3")
        flows = {"holding": HOLDING}
        return assemble(tmp_path, flows, offers=shop.offers, store=store, clock=clock, screen=screen, seed=seed)

    bot = life(1)
    await bot.app.start()
    await held(bot)
    shop.gate = asyncio.Event()
    shop.entered.clear()
    await bot.app.handle(Envelope(chat=bot.chat, update="cut", what=Command(name="cancel")))
    await asyncio.wait_for(shop.entered.wait(), 5)
    await bot.app.stop()
    assert (shop.tries, shop.released) == (1, [])
    shop.gate.set()
    for seed in (2, 3):
        bot = life(seed)
        await bot.app.start()
        await bot.turn(3600)
        await bot.app.stop()
    assert shop.tries == 2
    assert [number for number, _ in shop.released] == ["H-cube"]


async def test_cancelled_and_expired_while_it_runs(bot, shop):
    """Waiting for an action is not idling; who cancels then gets it taken back when it has come."""
    shop.gate = asyncio.Event()
    await bot.command("hold")
    await bot.app.handle(Envelope(chat=bot.chat, update="w", what=TextReceived(at=bot.clock.now(), text="cube")))
    await asyncio.wait_for(shop.entered.wait(), 5)
    name = (await bot.app.store.conversations(bot.chat))[0].id
    for update in ("x", "y"):
        await bot.app.handle(Envelope(chat=bot.chat, update=update, what=Command(name="cancel")))
    shop.gate.set()
    await bot.turn(3600)
    stored = await bot.app.store.conversation(name)
    assert stored is not None
    assert (stored.status, stored.outcome) == (Status.FINISHED, "cancelled")
    assert [number for number, _ in shop.released] == ["H-cube"]


# --- transactional ---------------------------------------------------------------------------------------------


class Writer:
    """A transactional action that writes a row, and then does what the test says."""

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout = timeout
        self.hangs = False
        self.entered = asyncio.Event()
        self.number = 0

    @property
    def offers(self):
        @action(transactional=True, timeout=self.timeout)
        async def write(context: Context) -> Held:
            """Write a row."""
            self.number += 1
            assert context.transaction is not None
            await context.transaction.execute(INSERT, (f"r{self.number}", context.idempotency_key))
            self.entered.set()
            if self.hangs:
                await asyncio.Event().wait()
            return Held(number=str(self.number))

        return offering("shop", write)


async def rows_of(bot: Bot) -> int:
    async with bot.app.store.transaction() as transaction:
        return len(await transaction.query("SELECT ref FROM print_files"))


def store_of(kind: str, folder):
    return MemoryStore() if kind == "memory" else SqliteStore(folder / "bot.sqlite3")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_transactional_action_that_hangs_lets_the_others_on_and_offers_to_try_again(tmp_path, kind):
    writer = Writer(timeout=0.1)
    writer.hangs = True
    bot = assemble(tmp_path, {"short": SHORT, "order": ORDER}, offers=writer.offers, store=store_of(kind, tmp_path))
    await bot.app.start()
    other = Bot(bot.app, bot.screen, bot.clock, chat="terminal:otto")
    hanging = asyncio.create_task(bot.command("short"))
    await asyncio.wait_for(writer.entered.wait(), 5)
    assert await asyncio.wait_for(other.command("order", update="o1"), 5)
    assert other.last == "Name?"
    await asyncio.wait_for(hanging, 5)
    shown = bot.screen.effects(bot.chat)[-1]
    assert isinstance(shown, Show)
    assert any("Try again" in press.text for line in shown.rows for press in line), "never silence"
    assert await rows_of(bot) == 0
    writer.hangs = False
    await bot.command("retry")
    assert bot.last == "Written 2"
    assert await rows_of(bot) == 1
    await bot.app.stop()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_when_the_commit_fails_what_the_action_wrote_is_gone(tmp_path, kind, monkeypatch):
    writer = Writer()
    bot = assemble(tmp_path, {"short": SHORT}, offers=writer.offers, store=store_of(kind, tmp_path))
    await bot.app.start()
    whole = bot.app.store.transaction
    broken = True

    class Torn:
        """The transaction of the store, whose commit fails after the action has run."""

        def __init__(self) -> None:
            self.block = whole()

        async def __aenter__(self):
            transaction = await self.block.__aenter__()
            if broken:

                async def refuse(_commit):
                    raise OSError("no space left")

                monkeypatch.setattr(transaction, "apply", refuse, raising=False)
            return transaction

        async def __aexit__(self, *error):
            return await self.block.__aexit__(*error)

    monkeypatch.setattr(bot.app.store, "transaction", Torn)
    assert not await bot.command("short", update="same")
    broken = False
    assert writer.number == 1
    assert await rows_of(bot) == 0
    assert await bot.app.store.conversations(bot.chat) in ([], ())
    assert await bot.command("short", update="later")
    assert bot.last == "Written 2"
    assert await rows_of(bot) == 1
    await bot.app.stop()


async def test_a_flow_cannot_give_a_transactional_action_more_than_it_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.runtime.play.LONGEST_TRANSACTIONAL", 0.1)
    writer = Writer()
    writer.hangs = True
    flow = SHORT.replace("do: shop.write", "do: shop.write\n    timeout: 1h")
    bot = assemble(tmp_path, {"short": flow}, offers=writer.offers)
    await bot.app.start()
    await asyncio.wait_for(bot.command("short"), 5)
    assert await rows_of(bot) == 0
    await bot.app.stop()
