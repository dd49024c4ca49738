"""What a life in the shop waits for besides, and how a reference is played in which one thing comes before another."""

import asyncio
from typing import TYPE_CHECKING

from engine.runtime.ports import NewSignal
from tests.chaos.shop_tables import looked, unjudged
from tests.chaos.shop_world import happened

if TYPE_CHECKING:
    from tests.chaos.child import Life

SOON = 6.0
"""Seconds in which an invoice is judged again whose chain is about to be looked at: it is waited for."""


async def left(life: "Life") -> list[str]:
    """What is not over."""
    found = await unjudged(life.store, int((life.clock.now().timestamp() + SOON) * 1000))
    if not await _seen(life):
        found.append("the chain was not looked at")
    return found


async def _seen(life: "Life") -> bool:
    """Whether the watcher knows all that came to pass on the chain."""
    return await looked(life.store) == str(len(happened(life.outside)))


async def one_by_one(life: "Life", chat: str, number: int, inputs: tuple[str, ...]) -> None:
    """Only without any fault: at each ~ everything before it has been noticed, at each ^ only the shop has."""
    signals = life.runtime._signals
    tell, held = signals.sent, list[NewSignal]()
    for given in inputs:
        if given == "~":
            await asyncio.sleep(0)
            await life._settle()
        elif given == "^":
            setattr(signals, "sent", held.extend)  # noqa: B010 - mypy knows it as a method
            life._turn(3.0)
            while not await _seen(life):
                await asyncio.sleep(0)
        else:
            await life._bring(life._sent(chat, number, given))
    setattr(signals, "sent", tell)  # noqa: B010
    tell(held)
