"""What many runs come to, and how it is printed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.runs import Result


@dataclass(slots=True, kw_only=True)
class Report:
    """The sum of many runs."""

    runs: int = 0
    kills: int = 0
    points: int = 0
    refused: int = 0
    repeats: int = 0
    places: Counter[str] = field(default_factory=Counter)
    """Where the kills fell."""
    faults: Counter[str] = field(default_factory=Counter)
    scripts: Counter[str] = field(default_factory=Counter)
    opened: list[float] = field(default_factory=list)
    up: list[float] = field(default_factory=list)
    excused: int = 0
    seconds: float = 0.0
    failed: list[Result] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.runs += 1
        self.results.append(result)
        self.kills += result.kills
        self.points += result.points
        self.refused += result.refused
        self.repeats += result.repeats
        self.excused += bool(result.excused)
        self.places.update(place_of(label) for label in result.labels)
        self.places["anywhere, from outside"] += result.kills - len(result.labels)
        self.faults.update(result.faults)
        self.scripts[result.plan.script] += 1
        self.opened += result.opened
        self.up += result.up
        self.seconds += result.seconds
        if result.wrong:
            self.failed.append(result)

    def lines(self) -> list[str]:
        """For people."""
        found = [
            f"{self.runs} runs, {self.kills} kills, {sum(self.faults.values())} faults beside them; "
            f"{self.refused} refused starts, {self.repeats} messages delivered again under the same id",
            f"  killed at: {counted(self.places)}",
            f"  faults: {counted(self.faults)}",
            f"  scripts: {counted(self.scripts)}",
        ]
        if self.up:
            found.append(
                f"  after a kill, from the start of the process (everything imported): database open "
                f"{quantiles(self.opened)}, all that was left taken up {quantiles(self.up)}"
            )
        found.append(f"  {len(self.failed)} of {self.runs} runs went wrong, {self.excused} are excused (see oracle.py)")
        return found


def place_of(label: str) -> str:
    """A kill's place, in a word."""
    if label.startswith("<"):
        return "a step of the event loop"
    word = label.split(maxsplit=1)[0]
    if word.isupper():
        return f"SQL {word}"
    return label if len(label) < 30 else word


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counter.most_common() if number) or "none"


def quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "-"
    median, high = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"median {1000 * median:.1f} ms, p99 {1000 * high:.1f} ms, most {1000 * ordered[-1]:.1f} ms"
