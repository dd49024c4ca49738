"""Brings a file of translations up to its flows: adds what is missing, marks what is stale, notes what each text was
made from. Every other byte of the file stays, comments and all. Pure: text in, text out.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.core.model import Flow, Template
from engine.loading.documents import Document, Mapping_, Pair
from engine.loading.fingerprints import mark
from engine.loading.schema_check import check_document
from engine.loading.source import read_text
from engine.loading.translatable import texts_of
from engine.loading.translations import Entry, Locale, parse_locale, wanted

_BARE: Final = re.compile(r"[A-Za-z_][\w.\-]*")
_OTHER_BREAKS: Final = re.compile("[\r\x85\u2028\u2029]")
_TEXTS: Final = "texts"
_MARKS: Final = "made_from"
_ABOUT_MARKS: Final = "# Written by `stepgram texts --write`: which wording in the flow each text was made from."


class Unwritable(ValueError):  # noqa: N818 - says what is the matter
    """The file cannot be added to; the message is a sentence for whoever wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One file and what it is to be brought up to."""

    name: str
    """The file's path, for its findings."""
    source: str
    """The language that the flows are written in."""
    flows: Sequence[Flow]
    """The flows whose texts belong into this file, in order."""


def fresh(update: Update, *, heading: Sequence[str]) -> str:
    """A new file with every text to be translated. `heading`: lines on top."""
    return updated("\n".join([*heading, f"{_TEXTS}:"]) + "\n", update)


def updated(text: str, update: Update) -> str:
    """The file's text with all that is missing. Raises Unwritable."""
    ending = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    if _OTHER_BREAKS.search(plain):
        raise Unwritable(f"{update.name} has line breaks that nobody sees (U+0085, U+2028): please take them out.")
    marked = _Editor(_read(plain, update.name), update).edited()
    noted = _with_marks(_read(marked, update.name), update)
    _compare(plain, noted, update.name)
    return noted.replace("\n", ending)


def _read(text: str, name: str) -> Document:
    read = read_text(text, name)
    if read.document is None or read.findings or check_document(read.document, locale=True):
        raise Unwritable(f"{name} has errors: `stepgram check {name}` tells them.")
    return read.document


def _compare(before: str, after: str, name: str) -> None:
    """Every translation is still there, word for word: else the file is written in a way that is not understood."""
    old, new = parse_locale(_read(before, name)), parse_locale(_read(after, name))
    kept = {(entry.flow, entry.name): _said(entry) for entry in new.entries}
    if any(kept.get((entry.flow, entry.name)) != _said(entry) for entry in old.entries):
        raise Unwritable(f"{name} is written in a way that cannot be added to: put each text on a line of its own.")


def _said(entry: Entry) -> str | None:
    return None if entry.text is None else entry.text.source


# --- texts ----------------------------------------------------------------------------------------------------


class _Editor:
    """Inserts lines and indents others; line numbers are those of the file as it was."""

    def __init__(self, document: Document, update: Update) -> None:
        self._update = update
        self._lines = document.text.removesuffix("\n").split("\n")
        self._locale = parse_locale(document)
        assert isinstance(document.root, Mapping_), "the reader lets only a mapping be a document"
        self._root = document.root
        self._after: dict[int, list[str]] = {}
        """Line → what is written below it."""
        self._instead: dict[int, list[str]] = {}
        """Line → what stands there instead."""

    def edited(self) -> str:
        flows = self._flows()
        # Flows that the file has not come last: they stand below all the others.
        for flow in sorted(self._update.flows, key=lambda flow: flow.name not in flows):
            pair = flows.get(flow.name)
            if pair is None or not isinstance(pair.value, Mapping_):
                self._whole_flow(flow, pair)
            else:
                self._entries(flow, pair.value)
        return "\n".join(self._written()) + "\n"

    def _written(self) -> Iterator[str]:
        for number, line in enumerate(self._lines, start=1):
            yield from self._instead.get(number, [line])
            yield from self._after.get(number, [])

    def _flows(self) -> Mapping[str, Pair]:
        texts = self._root.get(_TEXTS)
        if not isinstance(texts, Mapping_):
            return {}
        self._refuse_braces(texts)
        return {pair.key.text: pair for pair in texts}

    def _refuse_braces(self, node: Mapping_) -> None:
        if self._lines[node.span.line - 1][node.span.column - 1 : node.span.column] == "{":
            raise Unwritable(
                f"{self._update.name}:{node.span.line}: between {{ and }} nothing can be added. Put each text on a "
                f"line of its own."
            )

    def _whole_flow(self, flow: Flow, pair: Pair | None) -> None:
        texts = self._root.pair(_TEXTS)
        assert texts is not None, "the schema demands it"
        needed = wanted(flow)
        if not needed:
            return
        if pair is not None:
            indent, line, head = pair.key.span.column + 1, pair.key.span.line, []
        else:
            indent, line = texts.key.span.column + 3, self._end(texts)
            head = [f"{' ' * (indent - 2)}{flow.name}:"]
        self._add(line, [*head, *(line for name, text in needed.items() for line in self._asked(name, text, indent))])

    def _entries(self, flow: Flow, node: Mapping_) -> None:
        self._refuse_braces(node)
        indent = node.pairs[0].key.span.column - 1
        entries, sources = self._locale.of(flow.name), texts_of(flow)
        needed = wanted(flow)
        line = node.pairs[0].key.span.line - len(self._comment_above(node.pairs[0].key.span.line)) - 1
        for name, text in sources.items():
            pair = node.pair(name)
            if pair is not None:
                line = self._end(pair)
                if entries[name].text is not None and entries[name].is_old(text):
                    self._stale(pair, entries[name], text)
            elif name in needed:
                self._add(line, self._asked(name, text, indent))

    def _add(self, line: int, lines: Sequence[str]) -> None:
        self._after.setdefault(line, []).extend(lines)

    def _asked(self, name: str, text: Template, indent: int) -> list[str]:
        pad = " " * indent
        key = name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
        return [*self._comment(text, indent), f"{pad}{key}:"]

    def _comment(self, text: Template, indent: int) -> list[str]:
        return [f"{' ' * indent}{self._mark} {line}".rstrip() for line in text.source.split("\n")]

    @property
    def _mark(self) -> str:
        return f"# {self._update.source}:"

    def _comment_above(self, line: int) -> list[int]:
        """The lines above one that say what its source was."""
        found = []
        while line > 1 and self._lines[line - 2].lstrip().startswith(self._mark):
            line -= 1
            found.append(line)
        return found

    def _stale(self, pair: Pair, entry: Entry, source: Template) -> None:
        """The source stands above as a comment, and the translation below the word `stale`."""
        first, indent = pair.key.span.line, pair.key.span.column - 1
        for line in self._comment_above(first):
            self._instead[line] = []
        lines = self._comment(source, indent)
        if entry.stale:
            self._instead[first] = [*lines, self._lines[first - 1]]
            return
        head = self._lines[first - 1]
        colon = head.index(":", pair.key.span.end_column - 1)
        self._instead[first] = [*lines, head[: colon + 1], f"{' ' * (indent + 2)}stale:{head[colon + 1 :]}"]
        for line in range(first + 1, self._end(pair) + 1):
            self._instead[line] = [f"  {self._lines[line - 1]}".rstrip()]

    def _end(self, pair: Pair) -> int:
        """The last line of a key and its value: what follows is not indented further than the key."""
        indent, last = pair.key.span.column - 1, pair.key.span.line
        for number in range(pair.key.span.line + 1, len(self._lines) + 1):
            line = self._lines[number - 1]
            if not line.strip():
                continue
            if len(line) - len(line.lstrip(" ")) <= indent:
                break
            last = number
        return last


# --- marks ----------------------------------------------------------------------------------------------------


def _with_marks(document: Document, update: Update) -> str:
    """The file with a new section `made_from`: a mark for every text that is as the source is now."""
    lines = _without_marks(document)
    locale = parse_locale(document)
    sources = {flow.name: texts_of(flow) for flow in update.flows}
    section: list[str] = []
    for flow in dict.fromkeys(entry.flow for entry in locale.entries):
        marks = [
            f"    {name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)}: {noted}"
            for name, noted in _marks(locale, flow, sources.get(flow))
        ]
        section += [f"  {flow}:", *marks] if marks else []
    if not section:
        return "\n".join(lines) + "\n"
    return "\n".join([*lines, "", _ABOUT_MARKS, f"{_MARKS}:", *section]) + "\n"


def _marks(locale: Locale, flow: str, sources: Mapping[str, Template] | None) -> Iterator[tuple[str, str]]:
    for name, entry in locale.of(flow).items():
        if entry.text is None or entry.stale:
            continue
        if sources is None:  # of a flow whose texts stand elsewhere: as it was
            if entry.made_from is not None:
                yield name, entry.made_from
        elif name in sources:
            yield name, mark(sources[name].source, entry.text.source)


def _without_marks(document: Document) -> list[str]:
    lines = document.text.removesuffix("\n").split("\n")
    assert isinstance(document.root, Mapping_), "the reader lets only a mapping be a document"
    pair = document.root.pair(_MARKS)
    if pair is None:
        return _trimmed(lines)
    first = pair.key.span.line - 1
    last = first
    while last + 1 < len(lines) and (not lines[last + 1].strip() or lines[last + 1].startswith((" ", "\t"))):
        last += 1
    above = first
    while above > 0 and lines[above - 1] == _ABOUT_MARKS:
        above -= 1
    return _trimmed([*_trimmed(lines[:above]), *lines[last + 1 :]])


def _trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
