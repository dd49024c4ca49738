"""Keeps what goes out to a customer within Telegram's limits: lengths are cut with “…”, the HTML stays whole. Pure.

The checker warns of what an author wrote; this is for what was filled in.
"""

import re
from html import unescape
from typing import Final

from engine.core.effects import Notice, Press, Say, Show
from engine.core.records import replaced

LONGEST_TEXT: Final = 4 * 4096
"""Four of Telegram's messages: its channel splits what is longer than one, and sends a long text behind its picture."""
LONGEST_LABEL: Final = 64
LONGEST_NOTICE: Final = 200
MOST_BUTTONS: Final = 100
"""Telegram's limits; texts in characters that are seen, so without tags and with `&amp;` as one."""
_OPTIONS: Final = ("o:", "r:", "b:", "f:", "F:")
"""Codes of buttons that may be left out when there are too many; the others lead on or out."""
_PIECE: Final = re.compile(r"<[^>]*>|&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);|[^<&]+|[<&]")
_TAG: Final = re.compile(r"<[^>]*>")

Rows = tuple[tuple[Press, ...], ...]


def fitted(effect: Show | Say | Notice) -> Show | Say | Notice:
    """The effect as Telegram takes it; itself when nothing is too long."""
    match effect:
        case Show():
            text = cut_html(effect.text, LONGEST_TEXT)
            rows = _fitted_rows(effect.rows)
            if text is effect.text and rows is effect.rows:
                return effect
            return replaced(effect, text=text, rows=rows)
        case Say():
            text = cut_html(effect.text, LONGEST_TEXT)
            return effect if text is effect.text else replaced(effect, text=text)
        case Notice():
            text = cut(effect.text, LONGEST_NOTICE)
            return effect if text is effect.text else replaced(effect, text=text)


def cut(text: str, most: int) -> str:
    """Plain text of at most `most` characters, the last one “…” when something is missing."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def cut_html(html: str, most: int) -> str:
    """HTML of which at most `most` characters are seen. What is cut ends in “…”, open tags are closed; what shows
    nothing at all becomes “…”, since Telegram refuses an empty message."""
    if html.startswith("<") and not unescape(_TAG.sub("", html)).strip():
        return "…"
    if len(html) <= most or len(unescape(_TAG.sub("", html))) <= most:
        return html
    room = most - 1
    kept: list[str] = []
    opened: list[str] = []
    for piece in _PIECE.findall(html):
        if len(piece) > 1 and piece[0] == "<":
            _note_tag(opened, piece)
            kept.append(piece)
            continue
        size = 1 if piece[0] == "&" else len(piece)
        if size > room:
            kept.append(piece[:room].rstrip() if piece[0] != "&" else "")
            break
        kept.append(piece)
        room -= size
    return "".join([*kept, "…", *(f"</{name}>" for name in reversed(opened))])


def _note_tag(opened: list[str], tag: str) -> None:
    if tag.startswith("</"):
        if opened:
            opened.pop()
        return
    opened.append(tag[1:-1].split(None, 1)[0].lower())


def _fitted_rows(rows: Rows) -> Rows:
    count = sum(map(len, rows))
    if count > MOST_BUTTONS:
        rows = _fewer(rows, count - MOST_BUTTONS)
    elif all([len(press.text) <= LONGEST_LABEL for row in rows for press in row]):  # noqa: C419 - twice as quick
        return rows
    return tuple(tuple(_fitted_press(press) for press in row) for row in rows)


def _fitted_press(press: Press) -> Press:
    text = cut(press.text, LONGEST_LABEL)
    return press if text is press.text else replaced(press, text=text)


def _fewer(rows: Rows, surplus: int) -> Rows:
    """The rows without the last `surplus` options; if there are not so many, without the last buttons of all."""
    kept: list[tuple[Press, ...]] = []
    for row in reversed(rows):
        left = []
        for press in reversed(row):
            if surplus and press.code.startswith(_OPTIONS):
                surplus -= 1
            else:
                left.append(press)
        if left:
            kept.append(tuple(reversed(left)))
    flat = tuple(reversed(kept))
    return flat if not surplus else _fewest(flat)


def _fewest(rows: Rows) -> Rows:
    """The first buttons, and the last row, where the way back is."""
    *before, last = rows
    room = MOST_BUTTONS - len(last)
    kept = []
    for row in before:
        kept.append(row[:room])
        room -= len(kept[-1])
    return (*(row for row in kept if row), last)
