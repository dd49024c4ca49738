"""What the chaos customers do, round by round, an hour of the virtual clock apart. Pure values.

An input is a `/command`, a press of the newest button with a `[label]`, a signal from outside (`!flow key name
payload`), or else typed text.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HOUR = 3600.0
Rounds = tuple[tuple[str, ...], ...]


def in_rounds(*inputs: str | tuple[str, ...] | None) -> Rounds:
    """What happens in each round: nothing, one thing, or several."""
    return tuple(() if given is None else (given,) if isinstance(given, str) else given for given in inputs)


def _bought(name: str, ref: str, item: str = "[Mug]") -> Rounds:
    """A courier's conversation tells that it was packed and sent."""
    return in_rounds("/buy", item, name, ref, "[Take it]", "[Order]", "red", None, None, "good")


def _courier(ref: str) -> Rounds:
    return in_rounds(None, None, None, None, None, None, "/deliver", ref, "[Send it]")


def _cancelled(name: str, ref: str) -> Rounds:
    """Both the money and the mug go back, once."""
    return in_rounds("/buy", "[Mug]", name, ref, "[Take it]", "[Order]", "/cancel")


def _late(name: str, ref: str) -> Rounds:
    """Drawn again at 9, given up by the timer at 11."""
    return in_rounds("/buy", "[Lamp]", name, ref, "[Take it]", "[Order]", "red", *[None] * 5, "wait")


def _two_at_once(name: str, ref: str) -> Rounds:
    """Another conversation in between, some presses twice, a signal from outside."""
    return in_rounds(
        "/buy", ("[Mug]", "[Mug]"), "/talk", "hello", "/resume", name, ref, ("[Take it]", "[Take it]"),
        ("[Order]", "[Order]"), "blue", (f'!buy {ref} parcel.sent {{"code": "X-{ref}"}}',), "fine",
    )  # fmt: skip


def _early(name: str, ref: str) -> Rounds:
    """Signals long before anybody waits for them, in the end one that comes too late."""
    return in_rounds(
        (f'!buy {ref} parcel.packed {{"by": "Pat"}}', "/buy"),
        "[Mug]",
        name,
        ref,
        (f'!buy {ref} parcel.packed {{"by": "Tim"}}', "[Take it]"),
        (f'!buy {ref} parcel.sent {{"code": "Y-{ref}"}}',),
        "[Order]",
        "green",
        "well",
        (f'!buy {ref} parcel.packed {{"by": "Zoe"}}',),
    )  # fmt: skip


def _expired(name: str, ref: str) -> Rounds:
    """Left alone with a mug taken from the shelf: it goes back at 11."""
    return in_rounds("/buy", "[Mug]", name, ref, "[Take it]", *[None] * 7)


def _back(name: str, ref: str) -> Rounds:
    """Goes back over the shelf and takes it again."""
    return in_rounds("/buy", "[Lamp]", name, ref, "[Take it]", "/back", "[Take it]", "[Order]", "none", "[Give up]")


def _ringing() -> Rounds:
    """An effect as the first thing of a conversation, twice; and a question that times out at 7."""
    return in_rounds("/ring", "/ring", "/talk", None, None, None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Who does what."""

    name: str
    customers: Mapping[str, Rounds]
    """By chat."""
    tick: float = HOUR
    """Seconds between two rounds."""
    crowd: frozenset[str] = frozenset()
    """Chats that hear of everybody: in which order does not matter."""
    twins: tuple["Script", ...] = ()
    """Two things happen at once here. Either may be first: what comes of it must be as in this script, or as in one
    of these."""

    @property
    def rounds(self) -> int:
        return max(map(len, self.customers.values()))

    def inputs(self, chat: str, number: int) -> tuple[str, ...]:
        rounds = self.customers[chat]
        return rounds[number] if number < len(rounds) else ()

    @property
    def size(self) -> int:
        return sum(len(inputs) for rounds in self.customers.values() for inputs in rounds)


def _script(name: str, *stories: Rounds) -> Script:
    return Script(name=name, customers={f"telegram:{101 + n}": rounds for n, rounds in enumerate(stories)})


SCRIPTS = (
    _script("sold", _bought("Ann", "A-1"), _courier("A-1")),
    _script("cancelled", _cancelled("Bob", "B-1"), _ringing()),
    _script("late", _late("Cleo", "C-1"), _expired("Eve", "E-1")),
    _script("two at once", _two_at_once("Dan", "D-1"), _cancelled("Bob", "B-1")),
    _script("early", _early("Gus", "G-1"), _ringing()),
    _script("back", _back("Fay", "F-1"), _ringing(), _expired("Eve", "E-1")),
    _script(
        "all",
        _bought("Ann", "A-1"), _courier("A-1"), _cancelled("Bob", "B-1"), _late("Cleo", "C-1"),
        _two_at_once("Dan", "D-1"), _expired("Eve", "E-1"), _back("Fay", "F-1"), _ringing(),
        _early("Gus", "G-1"),
    ),
)  # fmt: skip
SHORT = _script("short", _cancelled("Ann", "A-1"))
"""One customer; for walking every single kill point."""
BY_NAME = {script.name: script for script in (*SCRIPTS, SHORT)}
STOCK = {"mug": 5, "lamp": 5}
