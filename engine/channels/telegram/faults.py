"""Telegram's errors by name and number, the same on every version of the library. Decides nothing."""

import functools
import re
from collections.abc import Callable
from typing import Any, Final

from pyrogram.errors import RPCError

_UNKNOWN: Final = re.compile(r"\[(\d+) ([A-Z0-9_]+)")
_FLOOD: Final = 420


def name_of(error: BaseException) -> str:
    """`USER_IS_BLOCKED`, `FLOOD_WAIT_X`; of what is no error of Telegram's, its class."""
    if not isinstance(error, RPCError):
        return type(error).__name__
    match = _UNKNOWN.match(str(error.value))
    return match[2] if match else str(error.ID or error.NAME or type(error).__name__)


def code_of(error: BaseException) -> int | None:
    """400, 403, 420, 500; None: no error of Telegram's."""
    if not isinstance(error, RPCError):
        return None
    match = _UNKNOWN.match(str(error.value))
    return int(match[1]) if match else error.CODE


def seconds_of(error: BaseException) -> int | None:
    """How long Telegram asks to wait; None: it does not."""
    if code_of(error) != _FLOOD or not isinstance(error, RPCError):
        return None
    return error.value if isinstance(error.value, int) else 1


def _without_file(init: Callable[..., None]) -> Callable[..., None]:
    """The library appends every error that is new to it to `unknown_errors.txt` in whatever folder the process runs in,
    and fails with another error where it may not write. Ours are logged like all others."""

    @functools.wraps(init)
    def quiet(self: RPCError, value: Any = None, rpc_name: str | None = None, *_: bool, **__: bool) -> None:
        init(self, value=value, rpc_name=rpc_name)

    return quiet


if not hasattr(RPCError.__init__, "__wrapped__"):
    RPCError.__init__ = _without_file(RPCError.__init__)
