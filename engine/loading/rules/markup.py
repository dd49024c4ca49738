"""Telegram's HTML: which tags and attributes it takes, and how they must be closed. Knows nothing of flows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

TAGS = frozenset(
    {
        "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "tg-spoiler", "span", "a", "code", "pre",
        "blockquote", "tg-emoji",
    }
)  # fmt: skip
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)((?:\s+[^<>]*)?)\s*>")
_ATTRIBUTE = re.compile(r'\s+([\w-]+)(?:\s*=\s*("[^"]*"|\'[^\']*\'|[^\s"\'>]+))?')
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupFault:
    """What Telegram would refuse: `offset` and `length` count characters of the text."""

    offset: int
    length: int
    message: str
    expected: str
    name: str = ""
    """A tag that does not exist, for suggestions."""


def faults(text: str) -> Iterator[MarkupFault]:
    """Everything in the text that Telegram's HTML does not allow."""
    open_tags: list[tuple[str, int, int]] = []
    at = 0
    while at < len(text):
        letter = text[at]
        match = _TAG.match(text, at) if letter == "<" and not _BREAK.match(text, at) else None
        if match is not None:
            yield from _tag(match, open_tags)
            at = match.end()
            continue
        if letter == "<" and (line := _BREAK.match(text, at)):
            yield MarkupFault(
                offset=at,
                length=line.end() - at,
                message=f"Telegram does not know “{line[0]}”.",
                expected="a new line: write the text as a block, `text: |`",
            )
            at = line.end()
            continue
        if letter == "<":
            yield MarkupFault(
                offset=at, length=1, message="A “<” that starts no tag.", expected="`&lt;` for the sign itself"
            )
        elif letter == "&" and not _ENTITY.match(text, at):
            yield MarkupFault(offset=at, length=1, message="A bare “&”.", expected="`&amp;` for the sign itself")
        at += 1
    for name, offset, length in open_tags:
        yield MarkupFault(
            offset=offset, length=length, message=f"“<{name}>” is never closed.", expected=f"`</{name}>` after it"
        )


def _tag(match: re.Match[str], open_tags: list[tuple[str, int, int]]) -> Iterator[MarkupFault]:
    closing, name, attributes = match.group(1), match.group(2).lower(), match.group(3)
    offset, length = match.start(), match.end() - match.start()
    if name not in TAGS:
        yield MarkupFault(
            offset=offset,
            length=length,
            message=f"Telegram does not know the tag “<{name}>”.",
            expected="b, i, u, s, a, code, pre, blockquote or tg-spoiler",
            name=name,
        )
    elif not closing:
        yield from _attributes(name, attributes, offset, length)
        open_tags.append((name, offset, length))
    elif not open_tags or name not in {known for known, _, _ in open_tags}:
        yield MarkupFault(
            offset=offset, length=length, message=f"“</{name}>” closes nothing.", expected=f"`<{name}>` before it"
        )
    elif open_tags[-1][0] != name:
        inner = open_tags[-1][0]
        yield MarkupFault(
            offset=offset,
            length=length,
            message=f"“</{name}>” stands inside “<{inner}>”.",
            expected=f"`</{inner}>` first",
        )
        while open_tags.pop()[0] != name:
            pass
    else:
        open_tags.pop()


_REQUIRED = {"span": ("class", "tg-spoiler"), "tg-emoji": ("emoji-id", None), "a": ("href", None)}
_ALLOWED = {
    "span": {"class"},
    "tg-emoji": {"emoji-id"},
    "a": {"href"},
    "blockquote": {"expandable"},
    "code": {"class"},
    "pre": {"language"},
}


def _attributes(name: str, written: str, offset: int, length: int) -> Iterator[MarkupFault]:
    given = {match.group(1).lower(): (match.group(2) or "").strip("\"'") for match in _ATTRIBUTE.finditer(written)}
    unread = _ATTRIBUTE.sub("", written).strip()
    strange = sorted(set(given) - _ALLOWED.get(name, set()))
    if unread or strange:
        shown = strange[0] if strange else unread
        yield MarkupFault(
            offset=offset,
            length=length,
            message=f"“<{name}>” cannot have “{shown}”.",
            expected=f"`<{name}>`" if name not in _ALLOWED else f'`<{name} {min(_ALLOWED[name])}="…">`',
        )
    if name in _REQUIRED:
        key, fixed = _REQUIRED[name]
        if key not in given or (fixed is not None and given[key] != fixed):
            example = fixed or ("https://…" if name == "a" else "5368324170671202286")
            yield MarkupFault(
                offset=offset,
                length=length,
                message=f"“<{name}>” needs `{key}`.",
                expected=f'`<{name} {key}="{example}">`',
            )


def visible(text: str) -> str:
    """What the customer reads of it: tags gone, entities as their signs."""
    return unescape(_TAG.sub("", text))
