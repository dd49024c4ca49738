"""The bot killed with SIGKILL again and again while customers order: nothing lost, nothing twice, all in order."""

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.backend import Backend
from tests.telegram.direct import DirectCustomer
from tests.telegram.parcels import (
    NOTHING,
    Bot,
    Buyer,
    buyers,
    check_orders,
    check_told,
    project,
    sent_again,
    told_late,
)
from tests.telegram.server import Account, TelegramServer

LONG = bool(os.environ.get("STEPGRAM_LONG"))
KILLS = 50 if LONG else 10
CUSTOMERS = 100 if LONG else 40
STARTING = 0.3
"""Part of the kills that fall into the start, in its first second; the others come while the bot talks."""
TALKING = 1.0
"""Seconds that it talks at most before such a kill."""

Direct = Callable[[str], DirectCustomer]


async def _buys(buyer: Buyer, after: float) -> None:
    await asyncio.sleep(after)
    await buyer.buys()


async def _moment(telegram: Bot, chance: random.Random) -> None:
    if chance.random() < STARTING:
        await asyncio.sleep(chance.random())
        return
    await telegram.is_up()
    await asyncio.sleep(chance.random() * TALKING)


async def test_killed_again_and_again(
    server: TelegramServer, bot: Account, direct: Direct, child_environment: Mapping[str, str], tmp_path: Path
) -> None:
    server.callback_timeout = 1.0
    chance = random.Random("kills")
    ordering = buyers([direct(f"Buyer{number}") for number in range(CUSTOMERS)], "crash")
    coming, busy = iter(ordering), list[int]()
    async with Backend(slow=0.2) as backend:
        telegram = Bot(folder=project(tmp_path / "shop", backend), account=bot, environment=child_environment)
        began = time.monotonic()
        async with telegram:
            async with asyncio.TaskGroup() as talks:
                for kill in range(KILLS):
                    for _ in range(CUSTOMERS * kill // KILLS, CUSTOMERS * (kill + 1) // KILLS):
                        talks.create_task(_buys(next(coming), chance.random() ** 2))
                    await _moment(telegram, chance)
                    busy.append(sum(len(each.customer.messages) > 0 and not each.done for each in ordering))
                    await telegram.kill()
                    await telegram.start()
            took = time.monotonic() - began
            await telegram.is_up()
            await telegram.settles()
            assert await telegram.end() == 0
        print(
            f"\n{KILLS} kills in {took:.1f} s, {CUSTOMERS} customers, open conversations at each kill: {busy}; "
            f"{sent_again(server, bot)} of {server.count('messages.SendMessage', bot)} sends were repeated "
            f"ones, {len(backend.requests) - CUSTOMERS} of {len(backend.requests)} calls to the backend; "
            f"{told_late(ordering)} notices came as messages"
        )
        check_orders(backend, ordering)
    check_told(ordering)
    assert sum(map(bool, busy)) >= KILLS // 2
    assert telegram.kept() == NOTHING
    assert not telegram.complaints
