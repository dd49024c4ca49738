"""Telegram's HTML as plain text with entities, cut into messages where one is not enough. Pure; no library.

The library's own reading decodes `&amp;lt;` twice and knows fewer tags: what a customer typed must come back as typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Final

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
LONGEST_NOTICE: Final = 200
"""Telegram's limits in characters that are seen."""
_EMPTY: Final = "…"
_KINDS: Final[Mapping[str, str]] = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
_LANGUAGE: Final = "language-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A formatted stretch; offset and length in UTF-16 units, as Telegram counts."""

    kind: str
    offset: int
    length: int
    url: str = ""
    language: str = ""
    emoji: int = 0
    """Id of a custom emoji."""
    expandable: bool = False

    @property
    def end(self) -> int:
        """Where the stretch is over."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message's text and its formatting. Never empty, no space around it."""

    text: str
    entities: tuple[Entity, ...] = ()


def render(html: str) -> Rendered:
    """The HTML as Telegram takes it; what shows nothing becomes “…”, since an empty message is refused."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return _trimmed(reader.text, tuple(reader.entities))


def plain(html: str, most: int) -> str:
    """The text alone, at most so many characters; the last one is “…” when something is missing."""
    text = _read(html).strip()
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def split(rendered: Rendered, most: int) -> tuple[Rendered, ...]:
    """Messages of at most `most` characters each: broken between paragraphs, else lines, sentences, words."""
    if len(rendered.text) <= most:
        return (rendered,)
    pieces, text, entities = [], rendered.text, rendered.entities
    while len(text) > most:
        at = _break(text, most)
        unit = _units(text[:at])
        pieces.append(_trimmed(text[:at], _between(entities, 0, unit)))
        text, entities = text[at:], _between(entities, unit, _units(text))
    pieces.append(_trimmed(text, entities))
    return tuple(pieces)


def _break(text: str, most: int) -> int:
    """Where to break: behind the last good mark in the second half of what fits."""
    for mark in ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " "):
        at = text.rfind(mark, most // 2, most)
        if at >= 0:
            return at + len(mark)
    return most


def _between(entities: tuple[Entity, ...], start: int, end: int) -> tuple[Entity, ...]:
    """The parts of the entities between two offsets, counted from the first of them."""
    found = []
    for entity in entities:
        first, last = max(entity.offset, start), min(entity.end, end)
        if first < last:
            found.append(replace(entity, offset=first - start, length=last - first))
    return tuple(found)


def _trimmed(text: str, entities: tuple[Entity, ...]) -> Rendered:
    stripped = text.strip()
    if not stripped:
        return Rendered(text=_EMPTY)
    start = _units(text[: len(text) - len(text.lstrip())])
    return Rendered(text=stripped, entities=_between(entities, start, start + _units(stripped)))


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


def _read(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text


class _Reader(HTMLParser):
    """Tags that Telegram does not know are left out, their text stays."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[Entity] = []
        self._units = 0
        self._open: list[tuple[str, Entity]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        entity = self._entity(tag, {name: value or "" for name, value in attrs})
        if tag == "code" and entity is not None and entity.language:
            self._language(entity.language)
        if entity is not None:
            self._open.append((tag, entity))

    def handle_data(self, data: str) -> None:
        self.text += data
        self._units += _units(data)

    def handle_endtag(self, tag: str) -> None:
        for number in range(len(self._open) - 1, -1, -1):
            if self._open[number][0] == tag:
                _, entity = self._open.pop(number)
                self._keep(entity)
                return

    def close(self) -> None:
        super().close()
        for _, entity in self._open:  # never closed: up to the end
            self._keep(entity)
        self._open.clear()
        self.entities.sort(key=lambda entity: (entity.offset, -entity.length))

    def _entity(self, tag: str, given: Mapping[str, str]) -> Entity | None:
        kind = _KINDS.get(tag)
        if tag == "span":
            kind = "spoiler" if given.get("class") == "tg-spoiler" else "nothing"
        if kind is None:
            return None
        language = given.get("class", "")
        emoji = given.get("emoji-id", "")
        return Entity(
            kind=kind,
            offset=self._units,
            length=0,
            url=given.get("href", ""),
            language=language.removeprefix(_LANGUAGE) if language.startswith(_LANGUAGE) else "",
            emoji=int(emoji) if emoji.isascii() and emoji.isdigit() else 0,
            expandable="expandable" in given,
        )

    def _language(self, language: str) -> None:
        """`<pre><code class="language-x">` is one stretch whose language is that of the code."""
        if self._open and self._open[-1][0] == "pre" and self._open[-1][1].offset == self._units:
            self._open[-1] = ("pre", replace(self._open[-1][1], language=language))

    def _keep(self, entity: Entity) -> None:
        length = self._units - entity.offset
        missing = (entity.kind == "text_link" and not entity.url) or (
            entity.kind == "custom_emoji" and not entity.emoji
        )
        inside = entity.kind == "code" and any(tag == "pre" for tag, _ in self._open)
        if length and not missing and not inside and entity.kind != "nothing":
            self.entities.append(replace(entity, length=length))
