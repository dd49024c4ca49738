"""Telegram HTML as lines of a terminal: bold where the terminal can, links as `text (url)`, no control codes.

Pure. What customers and files put into a text must never reach the terminal as a control sequence.
"""

import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

_CODES: Final = {
    "b": "1", "strong": "1", "i": "3", "em": "3", "u": "4", "ins": "4", "s": "9", "strike": "9", "del": "9",
    "code": "36", "pre": "36", "a": "4",
}  # fmt: skip
_RESET: Final = "\x1b[0m"
_DIRECTIONS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How much the output can: `ansi` True only for a real terminal that wants colours."""

    ansi: bool = False

    def paint(self, text: str, code: str) -> str:
        """`text` in an ANSI style (`1` bold, `2` dim, …), or as it is."""
        return f"\x1b[{code}m{text}{_RESET}" if self.ansi and text else text

    def bold(self, text: str) -> str:
        return self.paint(text, "1")

    def dim(self, text: str) -> str:
        return self.paint(text, "2")


PLAIN: Final = Style()


def safe(text: str) -> str:
    """`text` without control characters (newline and tab stay) and without direction overrides."""
    return "".join(
        char for char in text if char in "\n\t" or (unicodedata.category(char) != "Cc" and char not in _DIRECTIONS)
    )


def plain(html: str, style: Style = PLAIN) -> str:
    """Telegram HTML as text for a terminal. Unknown tags vanish, their content stays."""
    reader = _Reader(style)
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects text; keeps the open tags so that a style comes back after a nested one ends."""

    def __init__(self, style: Style) -> None:
        super().__init__(convert_charrefs=True)
        self._style = style
        self._pieces: list[str] = []
        self._open: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._pieces)))
        elif tag == "br":
            self._pieces.append("\n")
            return
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open and self._open.pop() != tag:
            pass
        if tag == "a" and self._links:
            url, start = self._links.pop()
            self._close_link(safe(url), start)

    def _close_link(self, url: str, start: int) -> None:
        """Write the address behind the words, unless the words are the address."""
        words = plain_ansi("".join(self._pieces[start:]))
        if url and words not in (url, url.removeprefix("tel:"), url.removeprefix("mailto:")):
            self._pieces.append(f" ({url})")

    def handle_data(self, data: str) -> None:
        codes = ";".join(dict.fromkeys(_CODES[tag] for tag in self._open if tag in _CODES))
        text = safe(data)
        self._pieces.append(self._style.paint(text, codes) if codes else text)

    def text(self) -> str:
        return "".join(self._pieces)


def plain_ansi(text: str) -> str:
    """`text` without the ANSI styles that `Style` put in."""
    shown, rest = "", text
    while (start := rest.find("\x1b[")) >= 0:
        end = rest.find("m", start)
        if end < 0:
            break
        shown, rest = shown + rest[:start], rest[end + 1 :]
    return shown + rest
