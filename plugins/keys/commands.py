"""The group `stepgram keys`. Its commands are in `offline`, where the seed is, and `online`, where the bot is."""

import click

from plugins.keys import offline, online


@click.group()
def keys() -> None:
    """Make and show the keys that payments in cryptocurrency come to.

    `new`, `public` and `pool` belong on a machine without a network, where the seed is. The bot needs public keys only.
    """


for command in (
    offline.new, offline.public, offline.make_pool, online.import_pool, online.show, online.encrypt, online.reveal,
):  # fmt: skip
    keys.add_command(command)
