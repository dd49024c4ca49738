"""One flow file to make faults in: its text, its tree with places, and the small changes that faults are made of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from engine.core.model import Flow
from engine.diagnostics import Span
from engine.loading.documents import Document, Mapping_, Pair, Scalar_


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A file with one fault: the lines where a finding would be right, and the word that was meant."""

    kind: str
    file: str
    text: str
    lines: frozenset[int]
    meant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A clean file."""

    document: Document
    flow: Flow
    random: Random = field(compare=False)

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def root(self) -> Mapping_:
        root = self.document.root
        assert isinstance(root, Mapping_)
        return root

    def steps(self) -> Iterator[tuple[Pair, Mapping_]]:
        steps = self.root.get("steps")
        assert isinstance(steps, Mapping_)
        for pair in steps:
            assert isinstance(pair.value, Mapping_)
            yield pair, pair.value

    def block(self, name: str) -> tuple[int, int]:
        """First and last line of a step."""
        starts = [(pair.key.text, pair.key.span.line) for pair, _ in self.steps()]
        index = [step for step, _ in starts].index(name)
        first = starts[index][1]
        last = starts[index + 1][1] - 1 if index + 1 < len(starts) else len(self.lines)
        while not self.lines[last - 1].strip():
            last -= 1
        return first, last

    def put(self, kind: str, span: Span, new: str, *, lines: set[int] | None = None, meant: str | None = None) -> Fault:
        """Other words in place of those of `span`, which stands on one line."""
        changed = self.lines
        line = changed[span.line - 1]
        end = span.end_column - 1 if span.end_line == span.line else len(line)
        changed[span.line - 1] = line[: span.column - 1] + new + line[end:]
        return self.whole(kind, changed, lines or {span.line}, meant)

    def swap(self, kind: str, line: int, old: str, new: str, **more: object) -> Fault:
        """`new` for the first `old` of a line."""
        column = self.lines[line - 1].index(old) + 1
        span = Span(file=self.document.path, line=line, column=column, end_line=line, end_column=column + len(old))
        return self.put(kind, span, new, **more)  # type: ignore[arg-type]

    def insert(self, kind: str, after: int, *new: str, lines: set[int] | None = None) -> Fault:
        """New lines below line `after`."""
        changed = self.lines
        changed[after:after] = list(new)
        return self.whole(kind, changed, lines or set(range(after + 1, after + 1 + len(new))))

    def drop(self, kind: str, first: int, last: int, *, lines: set[int]) -> Fault:
        """Without the lines `first` to `last`."""
        changed = self.lines
        del changed[first - 1 : last]
        return self.whole(kind, changed, lines)

    def whole(self, kind: str, changed: list[str], lines: set[int], meant: str | None = None) -> Fault:
        return Fault(kind=kind, file=self.document.path, text="\n".join(changed), lines=frozenset(lines), meant=meant)

    def misspelt(self, word: str) -> str:
        """A slip of the finger in a word: two letters swapped, one doubled or left out."""
        at = self.random.randrange(len(word) - 1)
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        left_out = word[:at] + word[at + 1 :]
        doubled = word[: at + 1] + word[at] + word[at + 1 :]
        slips = [slip for slip in (swapped, left_out, doubled) if slip != word and slip[0].isalpha()]
        return self.random.choice(slips) if len(word) > 3 else doubled + word[-1]


def last_line(node: object) -> int:
    """The last line on which something of a node stands."""
    if isinstance(node, Scalar_):
        ends_at_start_of_line = node.block and node.span.end_column == 1
        return node.span.end_line - (1 if ends_at_start_of_line else 0)
    if isinstance(node, Mapping_):
        return max((last_line(pair.value) for pair in node.pairs), default=node.span.line)
    items = getattr(node, "items", ())
    return max((last_line(item) for item in items), default=node.span.line)  # type: ignore[attr-defined]
