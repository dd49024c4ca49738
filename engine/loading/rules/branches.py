"""A text with every place filled by one letter, once per way through its `if`s: what Telegram may get to see.

Works on the written text alone; whether its expressions are right is said elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = re.compile(r"\{\{.*?\}\}|\{%-?\s*(\w+).*?%\}|\{#.*?#\}", re.DOTALL)
FILLER = "x"
"""What stands for a filled-in value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One way through a text: what would be shown, and the offset in the source of each character."""

    text: str
    offsets: tuple[int, ...]

    def offset(self, index: int) -> int:
        """The offset in the source of the character at `index`, or of the last one."""
        if not self.offsets:
            return 0
        return self.offsets[min(index, len(self.offsets) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    start: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fork:
    """An `if` (or a `for`, whose body counts once): each branch a list of parts; the last one may be empty."""

    branches: tuple[tuple["_Part", ...], ...]


_Part = _Plain | _Filled | _Fork


def ways_through(source: str) -> tuple[Shown, ...]:
    """All ways that differ: the first branch of every `if`, the second of every `if`, and so on."""
    parts, _ = _parts(list(_tokens(source)), 0)
    if not any(isinstance(part, _Fork) for part in parts):
        return (_shown(parts, 0),)
    return tuple(dict.fromkeys(_shown(parts, way) for way in range(_widest(parts))))


def _tokens(source: str) -> Iterator[tuple[str, int, str]]:
    end = 0
    for match in _TAG.finditer(source):
        if match.start() > end:
            yield "text", end, source[end : match.start()]
        if match.group().startswith("{{"):
            yield "filled", match.start(), ""
        elif match.group().startswith("{%"):
            yield match.group(1) or "", match.start(), ""
        end = match.end()
    if end < len(source):
        yield "text", end, source[end:]


def _parts(tokens: list[tuple[str, int, str]], at: int) -> tuple[tuple[_Part, ...], int]:
    found: list[_Part] = []
    while at < len(tokens):
        word, start, text = tokens[at]
        if word in {"elif", "else", "endif", "endfor"}:
            break
        if word == "text":
            found.append(_Plain(start=start, text=text))
        elif word == "filled":
            found.append(_Filled(start=start))
        elif word in {"if", "for"}:
            fork, at = _fork(tokens, at)
            found.append(fork)
        at += 1
    return tuple(found), at


def _fork(tokens: list[tuple[str, int, str]], at: int) -> tuple[_Fork, int]:
    branches: list[tuple[_Part, ...]] = []
    last = ""
    while at < len(tokens) and tokens[at][0] not in {"endif", "endfor"}:
        last = tokens[at][0]
        inside, at = _parts(tokens, at + 1)
        branches.append(inside)
    return _Fork(branches=tuple(branches if last == "else" else [*branches, ()])), at


def _widest(parts: tuple[_Part, ...]) -> int:
    forks = [part for part in parts if isinstance(part, _Fork)]
    return max((max(len(fork.branches), *map(_widest, fork.branches)) for fork in forks), default=1)


def _shown(parts: tuple[_Part, ...], way: int) -> Shown:
    letters: list[str] = []
    offsets: list[int] = []
    for text, start, filled in _walk(parts, way):
        letters.append(text)
        offsets.extend([start] if filled else range(start, start + len(text)))
    return Shown(text="".join(letters), offsets=tuple(offsets))


def _walk(parts: tuple[_Part, ...], way: int) -> Iterator[tuple[str, int, bool]]:
    for part in parts:
        match part:
            case _Plain(start=start, text=text):
                yield text, start, False
            case _Filled(start=start):
                yield FILLER, start, True
            case _Fork(branches=branches):
                yield from _walk(branches[min(way, len(branches) - 1)], way)
