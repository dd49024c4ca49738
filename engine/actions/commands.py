"""`cli_command(…)`: a command of `stepgram` that a plugin brings along. Never imports click: the plugin does."""

import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.actions.errors import SignatureError

if TYPE_CHECKING:
    from click import Command

    from engine.actions.context import Configured, Transaction

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOffer:
    """A command that a module offers: `stepgram {name} …`."""

    name: str
    summary: str
    """What `stepgram --help` says about it; empty: what the command itself says."""
    load: "Callable[[], Command]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """The world of a command that reads bot.yaml or the database: `engine.cli_beside.command_context()` makes it."""

    environment: Mapping[str, str]
    """With `.env` of the working directory behind it."""
    configured: "Configured"
    """The plugins' settings as bot.yaml has them."""
    begin: "Callable[[], AbstractAsyncContextManager[Transaction]]"
    """Opens a transaction on the bot's database; the bot may run meanwhile. Raises StoreError when there is none."""
    data: Path
    """As in Context."""


def cli_command(
    command: "Command | Callable[[], Command]", /, *, name: str | None = None, summary: str = ""
) -> CommandOffer:
    """Offer a click command or group as `stepgram {name}`, its own name unless given.

    In place of the command a function that returns it may stand, so that click is imported only when somebody types
    the command. `stepgram --help` lists it when `name` and `summary` are written here as plain texts: plugins are not
    loaded for that. Raises SignatureError for a name that nobody could type.
    """
    known = name or getattr(command, "name", None) or ""
    load: Any = command if inspect.isfunction(command) else (lambda: command)
    if not _NAME.fullmatch(known):
        raise SignatureError(f"“{known}” is no name for a command: small letters, digits and “-”, a letter first")
    return CommandOffer(name=known, summary=summary, load=load)
