"""Services: begun with the bot, on its clock, begun again when they fail; what they send is written with their work."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from engine.actions import (
    Catalog,
    Refusal,
    ServiceContext,
    ServiceSignature,
    SettingsSignature,
    SignatureError,
    service,
    settings,
)
from engine.app import build
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.identity import SeededIds
from engine.runtime.ports import StoreFailed
from engine.runtime.services import Services
from engine.settings import Settings
from storage.memory import MemoryStore
from tests.runtime.harness import START, Bot, Screen

FLOW = """
flow: waiting
entry: {commands: [go]}
key: chat.id
steps:
  on:
    text: Waiting.
    wait:
      told: said
      after: {time: 20m, to: late}
    keyboard: [[{text: Enough, trigger: enough}]]
    transitions: {enough: over}
  said:
    text: "Told at {{ now | time }}."
    transitions: {next: on}
  late:
    text: "Late at {{ now | time }}."
    transitions: {next: on}
  over:
    text: Over.
    end: completed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    every: timedelta = timedelta(seconds=1)


def catalog(**functions) -> Catalog:
    found = {
        f"test.{name}": ServiceSignature(name=f"test.{name}", doc="d", function=function)
        for name, function in functions.items()
    }
    return Catalog(services=found, settings={"pace": SettingsSignature(namespace="pace", kind=settings(Pace).kind)})


def bot_of(tmp_path, *, store=None, services=True, bot="", **functions) -> Bot:
    place = tmp_path / "flows"
    place.mkdir()
    (place / "waiting.yaml").write_text(FLOW, encoding="utf-8")
    if bot:
        (place / "bot.yaml").write_text(bot, encoding="utf-8")
    screen, clock = Screen(), ManualClock(START)
    app = build(
        Settings(flows=place, files=tmp_path / "files"),
        channel=screen,
        store=store or MemoryStore(),
        clock=clock,
        ids=SeededIds(1),
        catalog=catalog(**functions),
        environment={},
        services=services,
    )
    return Bot(app, screen, clock)


async def started(bot: Bot) -> Bot:
    await bot.app.start()
    return bot


async def settle(bot: Bot) -> None:
    await bot.app.run_due()


def told_at(*minutes: float):
    """A service that looks each second and tells the conversation once, when so many minutes have gone by."""

    async def watch(context: ServiceContext) -> None:
        begun, left = context.now(), list(minutes)
        while True:
            while left and context.now() - begun >= timedelta(minutes=left[0]):
                left.pop(0)
                async with context.begin() as work:
                    work.signal("waiting", "terminal:anna", "told")
            await context.sleep(1)

    return watch


async def test_what_a_service_sends_comes_before_the_clock_is_through(tmp_path):
    bot = await started(bot_of(tmp_path, watch=told_at(25)))
    await bot.command("go")
    await bot.app.turn(31 * 60)
    assert [text[:8] for text in bot.screen.texts(bot.chat)] == [
        "Waiting.",
        "Late at ",
        "Waiting.",
        "Told at ",
        "Waiting.",
    ]
    await bot.app.stop()


async def test_everything_on_the_way_happens_in_order_and_at_its_time(tmp_path):
    bot = await started(bot_of(tmp_path, watch=told_at(10, 45)))
    await bot.command("go")
    await bot.app.turn(60 * 60)
    assert bot.clock.now() == START + timedelta(hours=1)
    said = [text for text in bot.screen.texts(bot.chat) if " at " in text]
    assert [text.split()[0] for text in said] == ["Told", "Late", "Told"]
    first, late, second = (text.split(" at ")[1].rstrip(".") for text in said)
    assert late.startswith("12:3")  # twenty minutes after the first, which came at ten past at the earliest
    assert first.startswith("12:1")
    assert second.startswith("12:4")
    await bot.app.stop()


async def test_one_that_sleeps_long_is_woken_at_its_very_time(tmp_path):
    woken = []

    async def watch(context: ServiceContext) -> None:
        while True:
            await context.sleep(300)
            woken.append((context.now() - START).total_seconds())

    bot = await started(bot_of(tmp_path, watch=watch))
    await bot.app.turn(1000)
    assert woken == [300, 600, 900]
    await bot.app.stop()


async def test_a_long_way_has_few_steps(tmp_path):
    rounds = 0

    async def watch(context: ServiceContext) -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await context.sleep(0)

    bot = await started(bot_of(tmp_path, watch=watch))
    await bot.app.turn(30 * 86400)
    assert 100 < rounds < 1200
    await bot.app.stop()


async def test_one_that_fails_is_begun_again_later_and_later(tmp_path, caplog):
    begun = []

    async def watch(context: ServiceContext) -> None:
        begun.append((context.now() - START).total_seconds())
        raise ValueError("swordfish")

    bot = await started(bot_of(tmp_path, watch=watch))
    for _ in range(260):
        bot.clock.advance(1)
        await settle(bot)
    assert begun == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert "test.watch" in caplog.text
    assert "swordfish" not in "".join(record.getMessage() for record in caplog.records)
    await bot.app.stop()


async def test_one_that_went_well_for_a_while_begins_again_quickly(tmp_path):
    begun = []

    async def watch(context: ServiceContext) -> None:
        begun.append((context.now() - START).total_seconds())
        await context.sleep(61 if len(begun) % 2 == 0 else 0.1)
        raise Refusal("no")

    bot = await started(bot_of(tmp_path, watch=watch))
    await bot.app.turn(200)
    assert len(begun) >= 5
    await bot.app.stop()


async def test_one_that_returns_is_done(tmp_path):
    rounds = []

    async def once(context: ServiceContext) -> None:
        rounds.append(context.name)

    bot = await started(bot_of(tmp_path, once=once))
    await bot.app.turn(600)
    assert rounds == ["test.once"]
    await bot.app.stop()


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError()])
async def test_one_that_would_end_the_process_does_not(tmp_path, error):
    begun = []

    async def watch(context: ServiceContext) -> None:
        begun.append(1)
        raise error

    bot = await started(bot_of(tmp_path, watch=watch))
    await bot.app.turn(2)
    assert len(begun) == 2
    await bot.app.stop()


async def test_what_was_undone_is_not_sent(tmp_path):
    async def watch(context: ServiceContext) -> None:
        with suppress(ZeroDivisionError):
            async with context.begin() as work:
                work.signal("waiting", "terminal:anna", "told")
                raise ZeroDivisionError
        await context.sleep(3600)

    bot = await started(bot_of(tmp_path, watch=watch))
    await bot.command("go")
    await bot.app.turn(60)
    assert bot.screen.texts(bot.chat) == ["Waiting."]
    await bot.app.stop()


async def test_a_transaction_is_worthless_when_its_block_is_over(tmp_path):
    kept = []

    async def watch(context: ServiceContext) -> None:
        async with context.begin() as work:
            kept.append(work)

    bot = await started(bot_of(tmp_path, watch=watch))
    with pytest.raises(RuntimeError, match="over"):
        await kept[0].query("SELECT 1")
    await bot.app.stop()


class Failing(MemoryStore):
    fails = 2

    def transaction(self):
        if self.fails:
            self.fails -= 1
            raise StoreFailed("the disk is full")
        return super().transaction()


async def test_a_store_that_fails_is_raised_in_the_service(tmp_path):
    done = []

    async def watch(context: ServiceContext) -> None:
        async with context.begin() as work:
            await work.query("SELECT 1")
        done.append((context.now() - START).total_seconds())

    bot = await started(bot_of(tmp_path, store=Failing(), watch=watch))
    await bot.app.turn(10)
    assert done == [3]
    await bot.app.stop()


async def test_the_start_waits_for_the_first_round(tmp_path):
    ready = []

    async def fill(context: ServiceContext) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        ready.append(context.now())
        await context.sleep(1)

    bot = await started(bot_of(tmp_path, fill=fill))
    assert ready == [START]
    await bot.app.stop()


async def test_hands_without_doors_run_none(tmp_path):
    begun = []

    async def watch(context: ServiceContext) -> None:
        begun.append(1)

    bot = await started(bot_of(tmp_path, services=False, watch=watch))
    await bot.app.turn(5)
    assert begun == []
    await bot.app.stop()


async def test_settings_are_those_of_now(tmp_path):
    paces = []

    async def watch(context: ServiceContext) -> None:
        while True:
            paces.append(context.configured(Pace).every)
            await context.sleep(10)

    bot = await started(bot_of(tmp_path, bot="bot: a\nplugins: {pace: {every: 5s}}\n", watch=watch))
    (tmp_path / "flows" / "bot.yaml").write_text("bot: a\nplugins: {pace: {every: 7s}}\n")
    assert (await bot.app.reload()).report.ok
    await bot.app.turn(10)
    assert paces == [timedelta(seconds=5), timedelta(seconds=7)]
    await bot.app.stop()


async def test_several_loops_of_one_service_are_waited_for(tmp_path):
    ends = []

    async def watch(context: ServiceContext) -> None:
        async def loop(pause: float) -> None:
            while True:
                await context.sleep(pause)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                ends.append((pause, (context.now() - START).total_seconds()))

        async with asyncio.TaskGroup() as group:
            for pause in (70, 100):
                group.create_task(loop(pause))

    bot = await started(bot_of(tmp_path, watch=watch))
    await bot.app.turn(210)
    assert ends == [(70, 70), (100, 100), (70, 140), (100, 200), (70, 210)]
    await bot.app.stop()
    assert bot.app.runtime.activity.count == 0


async def test_one_that_does_not_let_itself_be_stopped_is_left(monkeypatch, caplog):
    from engine.runtime import services as module
    from engine.runtime.activity import Activity

    monkeypatch.setattr(module, "STOPPING", 0.05)
    ended = asyncio.Event()

    async def stubborn(context: ServiceContext) -> None:
        while not ended.is_set():
            with suppress(asyncio.CancelledError):
                await ended.wait()

    found = {"a": ServiceSignature(name="a", doc="d", function=stubborn)}
    monkeypatch.setattr(module, "FIRST_ROUND", 0.05)
    running = Services(found, make=lambda name, sleep: None, clock=SystemClock(), activity=Activity())
    await running.start()
    await running.stop()
    assert "does not let itself be stopped" in caplog.text
    ended.set()
    await asyncio.sleep(0)


# --- what cannot be a service -----------------------------------------------------------------------------


async def fine(context: ServiceContext) -> None:
    """Goes on."""


def plain(context: ServiceContext) -> None:
    """Is no coroutine."""


async def demanding(context: ServiceContext, *, more: int) -> None:
    """Wants more."""


async def giving(context: ServiceContext) -> int:
    """Returns something."""
    return 1


async def silent(context: ServiceContext) -> None: ...


async def other(context: int) -> None:
    """Takes something else."""


def test_a_service_keeps_its_name_and_words():
    assert service()(fine).signature == ServiceSignature(name="fine", doc="Goes on.", function=fine)
    assert service(name="watch")(fine).signature.name == "watch"


@pytest.mark.parametrize(
    ("function", "said"),
    [(plain, "async def"), (demanding, "one thing"), (giving, "-> None"), (silent, "docstring"), (other, "one thing")],
)
def test_what_cannot_be_a_service_is_refused(function, said):
    with pytest.raises(SignatureError, match=said):
        service()(function)


def test_the_parentheses_are_needed():
    with pytest.raises(SignatureError, match="parentheses"):
        service(fine)
    with pytest.raises(SignatureError, match="no name"):
        service(name="Big One")(fine)
