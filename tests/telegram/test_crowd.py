"""Very many customers at once, a bot that was away for ten minutes, a line that breaks in the middle of traffic."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.backend import Backend
from tests.telegram.direct import DirectCustomer
from tests.telegram.parcels import FLOWS, NOTHING, Bot, Buyer, buyers, check_orders, check_told, project
from tests.telegram.receiving_rig import Rig
from tests.telegram.server import Account, Refusal, TelegramServer
from tests.telegram.server import messages as clock_of_messages

AWAY = 600
"""Seconds of virtual traffic while the bot is down."""
CROWD = 200

Direct = Callable[[str], DirectCustomer]


@pytest_asyncio.fixture
async def backend() -> AsyncIterator[Backend]:
    async with Backend() as running:
        yield running


@pytest.fixture
def parcels(bot: Account, child_environment: Mapping[str, str], tmp_path: Path, backend: Backend) -> Bot:
    """The bot, not started."""
    return Bot(folder=project(tmp_path / "shop", backend), account=bot, environment=child_environment)


async def _ends_well(parcels: Bot) -> None:
    await parcels.settles()
    assert await parcels.end() == 0
    assert parcels.kept() == NOTHING
    assert not parcels.complaints


async def _refused(pressing: "asyncio.Task[object]") -> None:
    with pytest.raises(Refusal, match="BOT_RESPONSE_TIMEOUT"):
        await pressing


async def _goes_on(buyer: Buyer) -> None:
    """The keyboard from before the end is of use still."""
    customer = buyer.customer
    await customer.presses(buyer.size)
    await customer.sees("What is inside?")
    await customer.says(buyer.inside)
    await customer.sees("Shall we?")
    await customer.presses("Order")
    await customer.sees("Your parcel is on its way")


async def test_ten_minutes_away(
    server: TelegramServer, parcels: Bot, backend: Backend, direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordering = buyers([direct(f"Buyer{number}") for number in range(50)], "away")
    back = time.time()
    now = [back - AWAY]
    monkeypatch.setattr(clock_of_messages, "seconds", lambda: int(now[0]))
    async with parcels:
        for each in ordering:
            await each.customer.says("/parcel")
            await each.customer.sees("What is your name?")
            if int(each.name.split()[1]) % 2:
                await each.customer.says(each.name)
                await each.customer.sees("Which size")
        await parcels.kill()
        server.callback_timeout = 0.2
        pressing = []
        for minute in range(10):  # everybody does something; nobody is answered
            now[0] = back - AWAY + minute * 60
            for number, each in enumerate(ordering, start=1):
                if number % 2:  # a choice is open: presses fail, and words are no answer to it
                    if minute % 5 == 0:
                        pressing.append(asyncio.ensure_future(each.customer.presses(each.size)))
                elif minute == number % 3:
                    await each.customer.says(each.name)
                elif minute == 4:
                    await each.customer.says("/letter")
                elif minute in (5, 6, 7):
                    await each.customer.says(f"{('Ann', 'one', 'two')[minute - 5]} {number}")
            await asyncio.gather(*map(_refused, pressing[-50:])) if minute % 5 == 0 else None
        now[0] = back
        server.callback_timeout = 15.0
        await parcels.start()
        await parcels.is_up()
        for number, each in enumerate(ordering, start=1):
            if number % 2 == 0:
                letter = f"Dear Ann {number}: one {number}, two {number}."
                await each.customer.sees(letter)
                told = [
                    "What is your name?",
                    f"Which size, {each.name}?",
                    "To whom?",
                    f"First line for Ann {number}?",
                    f"Second line after one {number}?",
                    letter,
                ]
                assert [text for text in each.customer.texts if text in told] == told
        async with asyncio.TaskGroup() as talks:
            for each in ordering[::2]:
                talks.create_task(_goes_on(each))
        check_told(ordering[::2])
        check_orders(backend, ordering[::2])
        await _ends_well(parcels)


async def _crowd(direct: Direct, label: str, size: int) -> list[Buyer]:
    ordering = buyers([direct(f"{label}{number}") for number in range(size)], label)
    async with asyncio.TaskGroup() as talks:
        for each in ordering:
            talks.create_task(each.buys())
    check_told(ordering)
    return ordering


def _figures(ordering: list[Buyer]) -> str:
    waits = sorted(wait for each in ordering for wait in each.waits)
    return f"median {statistics.median(waits):.2f} s, 99th percentile {waits[len(waits) * 99 // 100]:.2f} s"


async def test_two_hundred_at_once_and_nobody_waits_for_a_slow_one(
    server: TelegramServer, bot: Account, parcels: Bot, backend: Backend, direct: Direct
) -> None:
    server.callback_timeout = 60.0
    async with parcels:
        alone = await _crowd(direct, "alone", CROWD)
        flooded, (sender) = direct("Flooded"), direct("Sender")
        await sender.says("/drawing")
        await sender.sees("Your drawing?")
        flood = server.faults.flood("messages.SendMessage", 1, account=bot, peer=flooded.account, times=None)
        slow = server.faults.slow("upload.GetFile", 0.7, account=bot, times=None)
        await sender.sends_file(server.pattern(60 * 2**20), name="plan.stl")
        await flooded.says("/letter")
        together = await _crowd(direct, "together", CROWD)
        assert flooded.received == []  # both were in the middle of it all the time
        assert not sender.with_text("Kept")
        print(f"\n{CROWD} customers alone: {_figures(alone)}; beside two slow ones: {_figures(together)}")
        assert flood.hits > 1
        assert slow.hits > 1
        server.faults.clear()
        await flooded.sees("To whom?")
        await sender.sees("Kept plan.stl.")
        check_orders(backend, alone + together)
        await _ends_well(parcels)


async def test_lines_that_break_in_the_middle(
    server: TelegramServer, bot: Account, parcels: Bot, backend: Backend, direct: Direct
) -> None:
    server.callback_timeout = 2.0

    async def trouble() -> None:
        for number in range(8):
            await asyncio.sleep(0.4)
            if number in (2, 5):
                async with server.unreachable():
                    await asyncio.sleep(1.0)
            else:
                await server.drop_lines(bot)

    async with parcels:
        ordering = buyers([direct(f"Buyer{number}") for number in range(60)], "breaks")
        async with asyncio.TaskGroup() as talks:
            talks.create_task(trouble())
            for number, each in enumerate(ordering):
                talks.create_task(_after(number * 0.08, each))
        check_told(ordering)
        check_orders(backend, ordering)
        await _ends_well(parcels)


async def _after(seconds: float, buyer: Buyer) -> None:
    await asyncio.sleep(seconds)
    await buyer.buys()


@pytest.mark.parametrize("seconds", [0.2, 2.0])
async def test_a_silent_line_in_the_middle(
    server: TelegramServer, bot: Account, tmp_path: Path, direct: Direct, seconds: float
) -> None:
    """Pushes are lost without a sign. The watchdog finds out, by the account's state or because nothing answers."""
    rig = Rig(server, bot, tmp_path, flows={"bot": "bot: Parcels\nlanguages: [en]\n", "letter": FLOWS["letter"]})
    await rig.begin(online=False)
    rig.line.patience, rig.line._watch, rig.line._recheck = 1.0, 0.5, 0.2
    await rig.line.start(rig.receiver.received)
    writers = [direct(f"Writer{number}") for number in range(40)]
    for each in writers[:20]:
        await each.says("/letter")
    with server.silent():
        for each in writers:
            await each.says("/letter")
            await each.says("Ann")
        await asyncio.sleep(seconds)
    for number, each in enumerate(writers):
        await each.sees("First line for Ann?", timeout=15)
        if number >= 20:
            assert each.texts == ["To whom?", "First line for Ann?"]
    await rig.end()
