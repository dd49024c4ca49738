"""One request to Telegram on behalf of one chat: waits that it demands are waited, errors become three kinds."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pyrogram.errors import RPCError

from engine.channels.telegram.faults import code_of, name_of, seconds_of
from engine.runtime.ports import Clock

T = TypeVar("T")

GONE: Final = frozenset(
    {
        "USER_IS_BLOCKED",
        "INPUT_USER_DEACTIVATED",
        "USER_DEACTIVATED",
        "USER_DEACTIVATED_BAN",
        "PEER_ID_INVALID",
        "USER_ID_INVALID",
        "USER_IS_BOT",
    }
)
"""What Telegram says of a customer who cannot be written to."""
_FORBIDDEN: Final = 403
_UNAUTHORIZED: Final = 401
_REFUSED: Final = range(400, 420)

log = logging.getLogger("stepgram.telegram")


class Gone(Exception):  # noqa: N818 - says what happened
    """The customer has blocked the bot or has no account any more; the message is Telegram's word for it."""


class Refused(Exception):  # noqa: N818 - says what happened
    """Telegram will never take this request as it is; the message is its word for why."""


class Strange(Exception):  # noqa: N818 - says what happened
    """The library itself stumbled, over what it was given or over Telegram's answer; the cause says over what."""


class Asker:
    """Makes requests. `ask` may take as long as Telegram wishes: nobody else may wait for the same chat's turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def ask(self, chat: str, request: Callable[[], Awaitable[T]]) -> T:
        """What the request brings. FLOOD_WAIT is waited for and the request repeated, as often as it takes.

        Raises Gone, Refused, Strange, and what another attempt may mend: no network, errors of Telegram's own.
        """
        while True:
            try:
                return await request()
            except Exception as error:
                seconds = seconds_of(error)
                if seconds is None:
                    raise _named(error) from error
            log.warning("Telegram asks to wait %d seconds before it takes more for %s", seconds, chat)
            await self._clock.sleep(seconds)


def _named(error: Exception) -> Exception:
    if not isinstance(error, RPCError | OSError | sqlite3.Error):
        return Strange(f"{type(error).__name__}: {error}")
    name, code = name_of(error), code_of(error)
    if name in GONE or code == _FORBIDDEN:
        return Gone(name)
    if code in _REFUSED and code != _UNAUTHORIZED:
        return Refused(name)
    return error
