"""Which language a chat is spoken to in: what its channel says, until the customer has chosen one. Pure."""

from typing import Final

_CHOSEN: Final = "="
"""Before a language that the customer has chosen: what the channel says does not count any more."""


def chosen(language: str) -> str:
    """How a chat keeps a language that its customer has chosen; empty: none, the channel's counts again."""
    return f"{_CHOSEN}{language}" if language else ""


def heard(kept: str, said: str | None) -> str:
    """How a chat keeps its language after an update: `said` is the channel's, `kept` what it was."""
    return kept if kept.startswith(_CHOSEN) else said or kept


def spoken(kept: str) -> str:
    """The language itself, of what a chat keeps."""
    return kept.removeprefix(_CHOSEN)
