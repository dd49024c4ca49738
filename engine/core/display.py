"""An answer in a few words, as a button or a message shows it. Plain text, never markup."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.core.turn import Turn
from engine.core.values import Money, Value

LONGEST = 40
"""Characters: what a button shows on a phone."""


def display(turn: Turn, value: Value) -> str:
    """An answer in a few words for a button: plain text, at most 40 characters; empty when there is none."""
    formats = turn.formats
    match value:
        case None:
            return ""
        case bool():
            return turn.words("answer.yes" if value else "answer.no")
        case str():
            text = " ".join(value.split())
            return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        case int() | Decimal() | float():
            return formats.number(Decimal(str(value)) if isinstance(value, float) else value)
        case Money():
            return formats.money(value)
        case datetime():
            return formats.datetime(value)
        case date():
            return formats.date(value)
        case Mapping():
            name: Any = value.get("name") or value.get("title") or value.get("number")
            return display(turn, name) if isinstance(name, str) else "…"
        case tuple() | list():
            return (
                str(len(value))
                if any(isinstance(v, Mapping) for v in value)
                else display(turn, ", ".join(map(str, value)))
            )
        case _:
            return ""
