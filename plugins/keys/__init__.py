"""The command `stepgram keys`: accounts, pools of addresses, the opt-in hot mode. Offers nothing to flows."""

from typing import TYPE_CHECKING

from engine.actions import cli_command

if TYPE_CHECKING:
    from click import Command


def _load() -> "Command":
    from plugins.keys.commands import keys

    return keys


keys_command = cli_command(
    _load, name="keys", summary="Make and show the keys that payments in cryptocurrency come to."
)
