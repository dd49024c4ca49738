"""The pieces that a transcript's parser is made of: keys of a mapping, texts, numbers, facts; each says what is wrong.

None is the answer for what cannot be read; a finding has been made then.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from engine.core.values import Value
from engine.diagnostics import Span
from engine.loading.documents import Mapping_, Node, Pair, Scalar_, Sequence_, plain
from engine.loading.findings import Findings, listed, nearest
from engine.loading.transcripts import Fact
from engine.loading.transcripts_values import Unfit, duration, free

Result = TypeVar("Result")
LONGEST_WAIT: Final = timedelta(days=3660)


class Fields:
    """The keys of one mapping, taken one by one; `done` complains of what nobody took."""

    def __init__(self, node: Mapping_, found: Findings, span: Span | None = None) -> None:
        self.node = node
        self.found = found
        self.span = span or node.span
        self._taken: list[str] = []

    def take(self, name: str, read: "Callable[[Node, Findings], Result | None]") -> Result | None:
        """The value of a key, read; None when it is not there or is wrong."""
        self._taken.append(name)
        pair = self.node.pair(name)
        if pair is None or missing(pair, self.found):
            return None
        return read(pair.value, self.found)

    def need(self, name: str, read: "Callable[[Node, Findings], Result | None]", expected: str) -> Result | None:
        """The same for a key that has to be there."""
        if self.node.get(name) is None:
            self.found.error("F0202", self.span, f"Here “{name}:” is missing.", expected=expected)
        return self.take(name, read)

    def has(self, name: str) -> bool:
        """Whether the key is there."""
        return self.node.get(name) is not None

    def done(self, *also: str) -> None:
        """Everything has been taken: keys that are left are unknown ones."""
        known = [*self._taken, *also]
        for pair in self.node:
            if pair.key.text not in known:
                unknown(pair.key, known, self.found)


def missing(pair: Pair, found: Findings) -> bool:
    """Whether nothing stands behind a key; a finding has been made then."""
    value = pair.value
    if not isinstance(value, Scalar_) or value.value is not None or value.text:
        return False
    found.error("F0203", pair.key.span, f"Nothing stands behind “{pair.key.text}:”.", expected="a value")
    return True


def unknown(key: Scalar_, known: Iterable[str], found: Findings) -> None:
    """A key that has no meaning."""
    names = list(known)
    found.error("F0201", key.span, f"The key “{key.text}” has no meaning here.", expected=listed(names),
                suggestion=nearest(key.text, names))  # fmt: skip


def wrong(node: Node, found: Findings, message: str, expected: str, code: str = "F0203") -> None:
    """A value that cannot stand here."""
    found.error(code, node.span, message, expected=expected)


# --- one value --------------------------------------------------------------------------------------------------


def text(node: Node, found: Findings) -> str | None:
    """A text; numbers and words of YAML count as they are written."""
    if isinstance(node, Scalar_) and (node.text or node.value is not None):
        return node.text
    wrong(node, found, "Here a text is needed.", "a text; one with “: ” in it stands in quotes")
    return None


def word(node: Node, found: Findings) -> str | None:
    """A text on one line that is not empty."""
    said = text(node, found)
    if said is not None and (not said.strip() or "\n" in said):
        wrong(node, found, "Here a name on one line is needed.", "a name", "F0207")
        return None
    return said


def flag(node: Node, found: Findings) -> bool | None:
    """`true` or `false`."""
    if isinstance(node, Scalar_) and isinstance(node.value, bool):
        return node.value
    wrong(node, found, "Here stands true or false.", "true or false")
    return None


def count(least: int, most: int) -> "Callable[[Node, Findings], int | None]":
    """A whole number in a range."""

    def read(node: Node, found: Findings) -> int | None:
        value = node.value if isinstance(node, Scalar_) else None
        if isinstance(value, bool) or not isinstance(value, int):
            wrong(node, found, "Here a whole number is needed.", f"a number from {least} to {most:,}")
            return None
        if not least <= value <= most:
            wrong(node, found, f"{value} is out of range.", f"a number from {least} to {most:,}", "F0207")
            return None
        return value

    return read


def one_of(names: Sequence[str]) -> "Callable[[Node, Findings], str | None]":
    """One of several words."""

    def read(node: Node, found: Findings) -> str | None:
        said = text(node, found)
        if said is None or said in names:
            return said
        found.error("F0204", node.span, f"“{said}” cannot stand here.", expected=listed(names),
                    suggestion=nearest(said, names))  # fmt: skip
        return None

    return read


def degrees(limit: int) -> "Callable[[Node, Findings], Decimal | None]":
    """A latitude (90) or longitude (180)."""

    def read(node: Node, found: Findings) -> Decimal | None:
        value = node.value if isinstance(node, Scalar_) else None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not -limit <= value <= limit:
            wrong(node, found, "This is no place on earth.", f"a number of degrees from -{limit} to {limit}", "F0207")
            return None
        return Decimal(value)

    return read


def pause(node: Node, found: Findings) -> Decimal | None:
    """A length of time, in seconds."""
    said = text(node, found)
    if said is None:
        return None
    known = duration(said) if isinstance(node, Scalar_) and isinstance(node.value, str) else None
    if known is None:
        wrong(node, found, f"“{said}” is no length of time.", "30s, 31m, 24h, 7d, 1h30m or 2.5s", "F0205")
        return None
    if not timedelta(0) < known <= LONGEST_WAIT:
        wrong(node, found, "A wait is longer than nothing and at most ten years.", "30s, 31m, 24h, 7d", "F0207")
        return None
    return Decimal(known // timedelta(microseconds=1)) / 1_000_000


def value(node: Node, found: Findings) -> tuple[Value] | None:
    """Any value, in a tuple of its own: it may be None."""
    try:
        return (free(plain(node)),)
    except Unfit as trouble:
        found.error("F0954", node.span, f"This cannot be read: {trouble}.", expected="a plain value")
        return None


def record(node: Node, found: Findings) -> dict[str, Any] | None:
    """Keys and values of any kind."""
    if not isinstance(node, Mapping_):
        wrong(node, found, "Here keys and values are needed.", "{key: value}")
        return None
    read = value(node, found)
    return None if read is None else dict(read[0])  # type: ignore[call-overload]  # a mapping is read as one


def facts(node: Node, found: Findings) -> tuple[Fact, ...] | None:
    """`{contact.name: Anna}`: paths and what stands there."""
    if not isinstance(node, Mapping_):
        wrong(node, found, "Here names and their values are needed.", "{contact.name: Anna}")
        return None
    read = [(pair, value(pair.value, found)) for pair in node]
    return tuple(Fact(path=pair.key.text, value=each[0], span=pair.key.span) for pair, each in read if each is not None)


def words(node: Node, found: Findings) -> tuple[str, ...] | None:
    """One text or a list of texts."""
    items = node.items if isinstance(node, Sequence_) else (node,)
    read = [text(item, found) for item in items]
    return tuple(item for item in read if item is not None) or None
