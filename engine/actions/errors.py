"""What can go wrong between the engine and a plugin, and which of it is worth another try.

ActionError
├── Retryable          try again by the step's retry policy
│   └── Unreachable    nobody answered
├── Refusal            the other side said no for good: never repeated
│   └── UnknownSecret  bot.yaml names no such secret
├── BadArgument        the flow gave something the function cannot take
└── BadResult          the function gave back something it did not declare
PluginError            a plugin cannot be loaded
└── SignatureError     a decorated function is not one the engine can offer
"""

import asyncio
import os
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_NOT_PLUGINS: Final = (str(_ROOT / "engine"), str(_ROOT / "storage"), os.path.dirname(os.__file__), "<")
"""Files that are the engine's or Python's own."""


class ActionError(Exception):
    """The root of what an action or source ends with when it has no outcome."""


class Retryable(ActionError):  # noqa: N818 - says what happened
    """Worth another try: the other side is overloaded or broken for a moment (HTTP 5xx, 429)."""


class Unreachable(Retryable):
    """Nobody answered: no route, connection refused or lost, no name found."""


class Refusal(ActionError):  # noqa: N818 - says what happened
    """Trying again cannot help. The message is the reason and may be shown to the customer."""


class UnknownSecret(Refusal):
    """A secret that `secrets:` of bot.yaml does not name, or whose environment variable is empty."""


class BadArgument(ActionError):  # noqa: N818 - says what happened
    """The flow handed over a value of the wrong kind; the message names the argument."""


class BadResult(ActionError):  # noqa: N818 - says what happened
    """The function returned something that its annotations do not promise; the message says what."""


class PluginError(Exception):
    """A plugin cannot be loaded. The message names it and says why."""


class SignatureError(PluginError):
    """A function that the engine cannot offer. The message says where it stands and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How the engine sees an exception: `kind` and `reason` go into ActionFailed, `retry` says whether the
    retry policy applies. `reason` never holds the text of an unknown exception: it could carry a secret."""

    kind: str
    """`timeout` | `unreachable` | `error` | `refused`."""
    reason: str
    retry: bool


def failure(error: BaseException) -> Failure:
    """Sort an exception that came out of an action or a source. Never raises."""
    match error:
        case Refusal():
            return Failure(kind="refused", reason=words(error), retry=False)
        case BadArgument() | BadResult():
            return Failure(kind="error", reason=words(error), retry=False)
        case Unreachable():
            return Failure(kind="unreachable", reason=words(error), retry=True)
        case Retryable():
            return Failure(kind="error", reason=words(error), retry=True)
        case TimeoutError() | asyncio.TimeoutError():
            return Failure(kind="timeout", reason="no answer in time", retry=True)
        case _:
            return _foreign(error)


def words(error: BaseException) -> str:
    """What an exception says, on one line; its class when it says nothing or cannot say it."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    return said or type(error).__name__


def origin(error: BaseException) -> str:
    """`plugins/shop.py:12` where it was raised: the innermost line outside of installed packages, if there is one."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [place for place in frames if "site-packages" not in place[0] and not place[0].startswith(_NOT_PLUGINS)]
    return "{}:{}".format(*(own or frames)[-1]) if frames else "an unknown place"


def _foreign(error: BaseException) -> Failure:
    import aiohttp  # heavy, and only needed when something failed

    name = type(error).__name__
    if isinstance(error, aiohttp.ClientResponseError):
        final = error.status < 500 and not retryable(error.status)
        return Failure(kind="refused" if final else "error", reason=f"HTTP status {error.status}", retry=not final)
    if isinstance(error, aiohttp.ClientError | ConnectionError):
        return Failure(kind="unreachable", reason=f"no connection ({name})", retry=True)
    return Failure(kind="error", reason=f"unexpected {name}", retry=True)


def retryable(status: int) -> bool:
    """Whether an HTTP status speaks of a passing trouble: 429 and every 5xx."""
    return status == 429 or 500 <= status <= 599
