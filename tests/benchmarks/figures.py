"""A measured figure beside its floor and its goal, and how many of them look in a table. Measures nothing."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report. `floor` was measured in the same run; `goal` is for the ratio to it, or, with
    `absolute`, for the figure itself. `least`: the goal is to be reached from above."""

    name: str
    value: float
    unit: str = "µs"
    floor: float | None = None
    goal: float | None = None
    absolute: bool = False
    least: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times the floor."""
        return self.value / self.floor if self.floor else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        measured = self.value if self.absolute else self.ratio
        if self.goal is None or measured is None:
            return None
        return measured >= self.goal if self.least else measured <= self.goal

    def line(self) -> str:
        """The figure as a line of the table."""
        sign = "≥" if self.least else "≤"
        unit = f" {self.unit}" if self.absolute else " ×"
        goal = "" if self.goal is None else f"{sign} {self.goal:g}{unit}"
        verdict = {None: "", True: "yes", False: "NO"}[self.reached]
        floor = "" if self.floor is None else f"{self.floor:.1f}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return f"{self.name:58} {self.value:10.1f} {self.unit:9} {floor:>10} {ratio:>7}  {goal:16} {verdict}".rstrip()


HEAD = f"{'name':58} {'figure':>10} {'unit':9} {'floor':>10} {'ratio':>7}  {'goal':16} reached"


def table(figures: Iterable[Figure]) -> str:
    """The report."""
    return "\n".join([HEAD, "-" * len(HEAD), *(figure.line() for figure in figures)])


def middle(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)


def interleaved(rounds: int, measures: Sequence[Callable[[], float]]) -> list[float]:
    """Medians of functions that measure themselves, called in turns, so that a slow moment hits all of them."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for values, measure in zip(taken, measures, strict=True):
            values.append(measure())
    return [middle(values) for values in taken]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done."""

    rounds: int
    orders: int
    """Orders of 13 events per round."""
    flows: tuple[int, ...]
    """Flows loaded besides the measured one."""
    stored: tuple[int, ...]
    """Conversations in the store, ascending."""
    timers: tuple[int, ...]
    """Pending timers in the store, ascending."""
    idle: int
    """Conversations left idle to weigh them."""
    before: int
    """Conversations that fill the runtime's caches before those are weighed that it has forgotten."""
    checked: int
    """Flows that are loaded and checked together."""


TINY = Size(rounds=1, orders=2, flows=(0, 3), stored=(10, 30), timers=(0, 20), idle=20, before=5, checked=3)
NORMAL = Size(
    rounds=5,
    orders=40,
    flows=(0, 99),
    stored=(1_000, 10_000),
    timers=(0, 10_000),
    idle=1_000,
    before=4_300,
    checked=100,
)
LONG = Size(
    rounds=9,
    orders=80,
    flows=(0, 99, 999),
    stored=(1_000, 100_000, 1_000_000),
    timers=(0, 10_000, 100_000),
    idle=1_000,
    before=4_300,
    checked=100,
)
