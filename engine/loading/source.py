"""Reads YAML into a Document, or says what is wrong with the file as YAML; the only importer of ruamel.

Never raises for what stands in a file, and never takes long: size, depth and number of values are limited.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from engine.diagnostics import Diagnostic, Severity, Span
from engine.loading.documents import (
    Document,
    Mapping_,
    Node,
    Pair,
    Plain,
    Scalar_,
    Sequence_,
    Style,
    split_lines,
)

MAX_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 40
MAX_NODES: Final = 20_000
MAX_DUPLICATES: Final = 50
"""More duplicate keys than this are one mistake, said often enough."""

_STYLES: Final = {
    None: Style.PLAIN,
    "": Style.PLAIN,
    "'": Style.SINGLE,
    '"': Style.DOUBLE,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}
_WORDS: Final[dict[str, Plain]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,40}")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]{1,32}")
_OCTAL: Final = re.compile(r"0o[0-7]{1,32}")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """`document` is None when the file cannot be read as YAML at all; duplicate keys leave one.

    `content` is what stands in the file, as far as it was looked at.
    """

    document: Document | None
    findings: tuple[Diagnostic, ...] = ()
    content: bytes = b""


def read_file(path: Path) -> Read:
    """The file at `path`; its size is looked at before its content."""
    name = str(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # reading a pipe would wait for ever
            return _refused("F0110", name, "This is not a file that can be read.", "a file with a flow")
        if about.st_size > MAX_BYTES:
            return _refused("F0106", name, "This file is too large for a flow.", f"at most {MAX_BYTES // 1024} KB")
        content = path.read_bytes()
    except OSError as trouble:
        return _refused("F0110", name, f"This file cannot be read: {trouble.strerror or trouble}.", None)
    return replace(read_bytes(content, name), content=content)


def read_bytes(content: bytes, name: str) -> Read:
    """A document from the bytes of a file; `name` is what the findings call it."""
    if len(content) > MAX_BYTES:
        return _refused("F0106", name, "This file is too large for a flow.", f"at most {MAX_BYTES // 1024} KB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as trouble:
        before = content[: trouble.start].decode("utf-8", "replace")
        return _refused("F0104", name, "This file is not UTF-8 text.", "a file saved as UTF-8", at=_end_of(before))
    return read_text(text, name)


def read_text(text: str, name: str) -> Read:
    """A document from text; `name` is what the findings call it."""
    if control := _CONTROL.search(text):
        message = f"Here is a character that no text has (U+{ord(control[0]):04X})."
        return _refused("F0104", name, message, "plain text", at=_end_of(text[: control.start()]))
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _refused("F0106", name, "This file is too large for a flow.", f"at most {MAX_BYTES // 1024} KB")
    builder = _Builder(name, text)
    try:
        root = builder.document(YAML(typ="safe", pure=True).parse(text))
    except _Stop as stop:
        return Read(document=None, findings=(*builder.findings, stop.finding))
    except YAMLError as trouble:
        return Read(document=None, findings=(*builder.findings, _syntax(trouble, name, split_lines(text))))
    except Exception as trouble:
        return _refused("F0101", name, f"This cannot be read as YAML ({type(trouble).__name__}).", None)
    return Read(document=Document(path=name, text=text, root=root), findings=tuple(builder.findings))


class _Stop(Exception):  # noqa: N818 - a way out of the recursion, never seen outside
    def __init__(self, finding: Diagnostic) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Builder:
    """Turns the reader's events into nodes, counting them."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = split_lines(text)
        self.findings: list[Diagnostic] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.count = 0

    def document(self, events: Iterator[Any]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise self.stop("F0107", self.span(event), "This file holds several documents.",
                                    "one flow per file, no second `---`")  # fmt: skip
                root = self.node(next(events), events, 0)
        if root is None:
            raise self.stop("F0109", self.at(1, 1), "This file is empty.", "a flow, or the bot's settings")
        if not isinstance(root, Mapping_):
            raise self.stop("F0109", root.span, "A file holds keys and values.", "`flow: name` and its steps")
        return root

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self.alias(event)
        self.admit(event, depth)
        before = self.count
        self.count += 1
        built: Node
        if isinstance(event, ScalarEvent):
            built = self.scalar(event)
        elif isinstance(event, SequenceStartEvent):
            built = self.sequence(event, events, depth)
        else:
            built = self.mapping(event, events, depth)
        if event.anchor:
            self.anchors[event.anchor] = (built, self.count - before)
        return built

    def admit(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.stop("F0105", self.span(event), "This is nested too deeply.", f"at most {MAX_DEPTH} levels")
        if self.count >= MAX_NODES:
            raise self.stop("F0106", self.span(event), "This file holds too many values.",
                            f"at most {MAX_NODES:,} values, references counted in full")  # fmt: skip
        if event.tag is not None and str(event.tag) != "!":
            raise self.stop("F0108", self.span(event), f"Tags such as {event.tag} have no meaning here.",
                            "the value without its tag")  # fmt: skip

    def alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            raise self.stop("F0101", self.span(event), f"There is no finished value “&{event.anchor}” above.",
                            "a value marked with & before its * is used")  # fmt: skip
        found, size = self.anchors[event.anchor]
        self.count += size
        if self.count > MAX_NODES:
            raise self.stop("F0106", self.span(event), "This file holds too many values.",
                            f"at most {MAX_NODES:,} values, references counted in full")  # fmt: skip
        return found

    def scalar(self, event: Any) -> Scalar_:
        style = _STYLES[event.style]
        text: str = event.value
        value = resolve(text) if style is Style.PLAIN else text
        span = self.span(event)
        indent = self.indent(text, span.line) if style in (Style.LITERAL, Style.FOLDED) else 0
        return Scalar_(text=text, value=value, style=style, span=span, indent=indent)

    def indent(self, text: str, line: int) -> int:
        """Of a block scalar whose header stands on `line`: the raw line's indentation that is not content."""
        first = next((part for part in text.split("\n") if part.strip()), "")
        raw = next((part for part in self.lines[line:] if part.strip()), "")
        return max(0, _leading(raw) - _leading(first))

    def sequence(self, event: Any, events: Iterator[Any], depth: int) -> Sequence_:
        items: list[Node] = []
        for following in events:
            if isinstance(following, SequenceEndEvent):
                return Sequence_(items=tuple(items), span=self.whole(event, following, items))
            items.append(self.node(following, events, depth + 1))
        raise self.stop("F0101", self.span(event), "This list has no end.", "a closing bracket")

    def mapping(self, event: Any, events: Iterator[Any], depth: int) -> Mapping_:
        pairs: dict[str, Pair] = {}
        last: list[Node] = []
        for following in events:
            if isinstance(following, MappingEndEvent):
                return Mapping_(pairs=tuple(pairs.values()), span=self.whole(event, following, last))
            key = self.key(following, events, depth)
            value = self.node(next(events), events, depth + 1)
            last = [value]
            if key.text in pairs and len(self.findings) < MAX_DUPLICATES:
                first = pairs[key.text].key.span.line
                self.findings.append(
                    _finding(
                        "F0102",
                        key.span,
                        f"“{key.text}” stands twice here.",
                        f"one of the two (the first is on line {first})",
                    )
                )
            elif key.text not in pairs:
                pairs[key.text] = Pair(key=key, value=value)
        raise self.stop("F0101", self.span(event), "These keys have no end.", "a closing brace")

    def key(self, event: Any, events: Iterator[Any], depth: int) -> Scalar_:
        if self.opens_value(event):
            raise self.stop("F0108", self.span(event), "A text cannot start with {{ unless it stands in quotes.",
                            'quotes around the whole text: "{{ name }}"')  # fmt: skip
        if not isinstance(event, ScalarEvent | AliasEvent):
            raise self.stop("F0108", self.span(event), "A key is one word, not a list or a mapping.",
                            "quotes around a key that starts with [ or {")  # fmt: skip
        key = self.node(event, events, depth + 1)
        if not isinstance(key, Scalar_):
            raise self.stop("F0108", self.span(event), "A key is one word, not a list or a mapping.", None)
        return key

    def opens_value(self, event: Any) -> bool:
        """Whether this is the second brace of a `{{` that was meant as a text."""
        if not isinstance(event, MappingStartEvent) or not event.flow_style:
            return False
        mark = event.start_mark
        line: str = self.lines[mark.line]
        column: int = mark.column
        return line[max(0, column - 1) : column + 1] == "{{"

    def whole(self, start: Any, end: Any, children: list[Node]) -> Span:
        """A block collection ends with its last child: the reader's mark is where the next thing begins."""
        first = self.span(start)
        if start.flow_style or not children:
            return first if end.end_mark.line > start.start_mark.line else self.between(start, end)
        last = children[-1].span
        if (last.end_line, last.end_column) < (first.line, first.column):
            return first
        return Span(
            file=self.name,
            line=first.line,
            column=first.column,
            end_line=last.end_line,
            end_column=last.end_column,
        )

    def span(self, event: Any) -> Span:
        return self.between(event, event)

    def between(self, start: Any, end: Any) -> Span:
        begin, stop = start.start_mark, end.end_mark
        return Span(
            file=self.name,
            line=begin.line + 1,
            column=begin.column + 1,
            end_line=stop.line + 1,
            end_column=stop.column + 1,
        )

    def at(self, line: int, column: int) -> Span:
        return Span(file=self.name, line=line, column=column, end_line=line, end_column=column + 1)

    def stop(self, code: str, span: Span, message: str, expected: str | None) -> _Stop:
        return _Stop(_finding(code, span, message, expected))


def resolve(text: str) -> Plain:
    """What a plain scalar means in YAML 1.2's core schema. Infinity and not-a-number stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    return Decimal(text) if _FLOAT.fullmatch(text) else text


def _leading(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _end_of(text: str) -> tuple[int, int]:
    lines = split_lines(text)
    return len(lines), len(lines[-1]) + 1


def _finding(code: str, span: Span, message: str, expected: str | None) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, span=span, message=message, expected=expected)


def _refused(code: str, name: str, message: str, expected: str | None, *, at: tuple[int, int] = (1, 1)) -> Read:
    line, column = at
    span = Span(file=name, line=line, column=column, end_line=line, end_column=column + 1)
    return Read(document=None, findings=(_finding(code, span, message, expected),))


def _syntax(trouble: YAMLError, name: str, lines: tuple[str, ...]) -> Diagnostic:
    mark = trouble.problem_mark or trouble.context_mark if isinstance(trouble, MarkedYAMLError) else None
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if line > len(lines) or (line > 1 and column == 1 and not "".join(lines[line - 1 :]).strip()):
        line, column = _last_text(lines[:line])
    span = Span(file=name, line=line, column=column, end_line=line, end_column=column + 1)
    if lines[line - 1][column - 1 : column] == "\t" or "\t" in _indentation(lines[line - 1]):
        return _finding("F0103", span, "Here is a tab. YAML is indented with spaces.", "spaces")
    problem = str(getattr(trouble, "problem", None) or "").strip() or "something is not closed"
    context = str(getattr(trouble, "context", None) or "").strip()
    message, expected = _explained(problem, context)
    return _finding("F0101", span, message, expected)


def _last_text(lines: tuple[str, ...]) -> tuple[int, int]:
    """The end of the last line with something on it."""
    for number in range(len(lines), 0, -1):
        if lines[number - 1].strip():
            return number, len(lines[number - 1])
    return 1, 1


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


_EXPLANATIONS: Final = (
    ("mapping values are not allowed", "Here is a “: ” too many, or this line stands too far to the right.",
     "quotes around a text that has “: ” in it; keys of one level under each other"),
    ("could not find expected ':'", "A key without its colon.", "`key: value`"),
    ("expected <block end>", "This line does not belong to what is above it.",
     "the same indentation as its neighbours"),
    ("expected ',' or", "A bracket or brace is not closed.",
     "`,`, the closing bracket, or quotes around a value with brackets in it"),
    ("found unexpected end of stream", "A quote is not closed.", "the closing quote"),
    ("cannot start any token", "A text cannot start with this character.", "quotes around the text"),
    ("expected escape sequence", "After a backslash between double quotes, only certain letters can stand.",
     "single quotes, or two backslashes"),
    ("found unknown escape", "After a backslash between double quotes, only certain letters can stand.",
     "single quotes, or two backslashes"),
    ("did not find expected node content", "A value is missing here.", "a value"),
)  # fmt: skip


def _explained(problem: str, context: str) -> tuple[str, str | None]:
    for sign, message, expected in _EXPLANATIONS:
        if sign in problem:
            return message, expected
    return f"This is not YAML: {problem}{f' ({context})' if context else ''}.", None
