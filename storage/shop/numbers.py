"""Ids and numbers of orders. Neither tells how many orders there are, and neither can be guessed."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that looks like a digit."""
LONG: Final = 20
_SHORT: Final = 4

Draw = Callable[[int], int]
"""A whole number from 0 up to, not including, the given one."""


def order_id(draw: Draw = secrets.randbelow) -> str:
    """20 characters with 100 bits of chance: whoever has it may read the order's news."""
    return "".join(ALPHABET[draw(32)] for _ in range(LONG))


def number(prefix: str, now: datetime, draw: Draw = secrets.randbelow) -> str:
    """`S-261121-7F3K`, for people: a day's order is one in a million of its kind. Draw again when it is taken."""
    return f"{prefix}-{now:%y%m%d}-" + "".join(ALPHABET[draw(32)] for _ in range(_SHORT))
