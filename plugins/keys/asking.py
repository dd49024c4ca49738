"""How a seed comes into a command: typed unseen, or by a pipe; never by an argument, which others on the machine see.

Never printed, never logged, never in an error.
"""

import sys
from typing import Final

import click

from storage.shop.keys import bip39
from storage.shop.keys.errors import KeyTrouble

_LONGEST: Final = 4096


def seed(*, password: bool) -> bytes:
    """The 64 bytes of the seed whose phrase is typed or piped in. `password`: ask for the phrase's own password, too.

    Raises click.UsageError.
    """
    phrase = _line("Seed phrase (it is not shown)")
    try:
        if _is_hex(phrase):
            return bytes.fromhex(phrase)
        return bip39.seed_of(phrase, _line("Password of the phrase (it is not shown)") if password else "")
    except KeyTrouble as trouble:
        raise click.UsageError(f"This is no seed: {trouble}.") from None


def _is_hex(text: str) -> bool:
    return len(text) == 128 and all(letter in "0123456789abcdefABCDEF" for letter in text)


def _line(question: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(question, hide_input=True, err=True)).strip()
    return sys.stdin.readline(_LONGEST).strip()
