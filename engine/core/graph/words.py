"""Texts of a flow as short plain lines for a diagram, and how wide they are without any font. Pure."""

import re
import unicodedata
from datetime import timedelta
from html import unescape
from typing import Final

_COMMENT: Final = re.compile(r"\{#.*?#\}", re.DOTALL)
_BLOCK: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
_VALUE: Final = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")
_JOINER: Final = "\u200d"
"""Makes one emoji of several."""
_UNSEEN: Final = frozenset({"Cc", "Cs", "Co", "Cf"})
_LONGEST: Final = 400
"""Characters of a text that are looked at: a first line is never longer on a diagram."""

_NARROW: Final = frozenset("iljtfrI.,:;!|'’()[]{}·/ -")
_WIDE: Final = frozenset("mwMWЖШЩЮМФЫжшщюмфы@%…—&")
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def clean(text: str) -> str:
    """One line without control characters, direction marks and what no file may hold."""
    line = " ".join(text.split())
    return "".join(char for char in line if char == _JOINER or _printable(char))


def _printable(char: str) -> bool:
    return unicodedata.category(char) not in _UNSEEN and char not in "\ufffe\uffff"


def first_line(source: str) -> str:
    """The first line of a text that says something, without Telegram's tags; `{{ value }}` becomes `‹value›`."""
    text = _BLOCK.sub("", _COMMENT.sub("", source[: 4 * _LONGEST]))
    text = _VALUE.sub(lambda found: f"‹{found[1].partition('|')[0].strip()}›", text)
    for line in text.splitlines():
        plain = clean(unescape(_TAG.sub("", line)))
        if plain:
            return plain[:_LONGEST]
    return ""


def duration(time: timedelta) -> str:
    """As in a flow: `30m`, `1h30m`."""
    left = int(time.total_seconds())
    parts = []
    for size, unit in _UNITS:
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts) or "0s"


def width(text: str, size: float) -> float:
    """About how many pixels a line of sans-serif text of that font size takes; rather too many than too few."""
    return sum(_em(char) for char in text) * size


def _em(char: str) -> float:
    if char in _NARROW:
        return 0.36
    if char in _WIDE:
        return 0.93
    if unicodedata.combining(char) or char in "\u200d\ufe0f":
        return 0.0
    if unicodedata.east_asian_width(char) in "WF" or unicodedata.category(char) == "So":
        return 1.3
    return 0.7 if char.isupper() else 0.6


def fitted(text: str, size: float, room: float) -> str:
    """As much of a line as fits into `room` pixels, with … where something is cut off."""
    if width(text, size) <= room:
        return text
    left = room - width("…", size)
    for index, char in enumerate(text):
        left -= _em(char) * size
        if left < 0:
            return f"{text[:index].rstrip()}…"
    return text
