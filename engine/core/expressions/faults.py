"""What is wrong in an expression or a text, as a value with its exact place. Nothing here knows of files."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

KINDS: Final = frozenset(
    {
        "syntax", "forbidden", "unknown_name", "unknown_attribute", "unknown_filter", "unset_name", "type",
        "comparison", "too_long", "too_deep",
    }
)  # fmt: skip
"""Every kind a Fault can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One finding in one source: `offset` and `length` count characters of that source.

    `kind` is one of KINDS, `expected` says what would be right, `suggestion` is the nearest existing name.
    """

    offset: int
    length: int
    kind: str
    message: str
    expected: str | None = None
    suggestion: str | None = None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, or None."""
    names = sorted(set(known))
    exact = [known_name for known_name in names if known_name.lower() == name.lower()]
    return next(iter(exact or get_close_matches(name, names, n=1, cutoff=0.6)), None)
