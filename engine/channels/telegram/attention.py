"""“typing…” at the customer's while their file is being fetched: somebody is at work on it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from pyrogram import enums

from engine.channels.telegram.faults import name_of

PAUSE: Final = 0.5
"""Real seconds that a file may take before anything is shown."""
AGAIN: Final = 4.5
"""Real seconds after which it is told again: Telegram takes it down after five."""

log = logging.getLogger("stepgram.telegram")


@asynccontextmanager
async def attentive(client: Callable[[], Any], user: int) -> AsyncIterator[None]:
    """Shown to this customer as long as the block takes. Raises nothing of its own and does not slow the block down."""
    task = asyncio.create_task(_show(client, user), name=f"attention {user}")
    try:
        yield
    finally:
        task.cancel()


async def _show(client: Callable[[], Any], user: int) -> None:
    await asyncio.sleep(PAUSE)
    while True:
        try:
            await client().send_chat_action(chat_id=user, action=enums.ChatAction.TYPING)
        except Exception as error:  # an indicator is worth no second attempt
            log.debug("%d is not shown that a file is being fetched: %s", user, name_of(error))
        await asyncio.sleep(AGAIN)
