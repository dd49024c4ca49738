"""Durable engines beside each other, in one run: `python -m tests.benchmarks.durable [--short] [--rounds N]`.

The same 13-event work for all, every event on the disk before it counts: our engine on SQLite and PostgreSQL, stdlib
sqlite3 with our engine's very writes, Tortoise's model layer (its database work alone), aiogram with a SQLite file.
They take turns; the figures are medians of several rounds. Then a bot is killed under load and the next one started.
Compare within one run. What is not installed is left out, and the report says what to type.
"""

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks import recovery
from tests.benchmarks.contenders import (
    AIOGRAM,
    MEMORY,
    MODELS,
    OURS,
    SERVER,
    STDLIB,
    Contender,
    Contest,
    contest,
    new_database,
)
from tests.benchmarks.figures import Figure, Size, table
from tests.benchmarks.recovery import Recovered
from tests.benchmarks.store_floor import IN_FLIGHT, Level

LEVELS: Final[tuple[Level, ...]] = ("FULL", "NORMAL")
HEAD: Final = (
    f"{'who, where':44} {'in flight':>9} {'events/s':>9} {'µs':>8} {'CPU µs':>8} {'p50 ms':>8} {'p99 ms':>8}"
    f" {'/ ours':>8}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A whole run: the contest, and how soon a killed bot was back, for each database."""

    contest: Contest
    comebacks: dict[str, tuple[Recovered, Recovered]]
    """After a kill under load, and with nothing to take up."""
    where: str
    """The database that the goals are about."""


async def run(
    place: Path,
    *,
    orders: int,
    rounds: int,
    load: float | None = 2.0,
    levels: Sequence[Level] = LEVELS,
    server: bool = True,
) -> Outcome:
    """Everybody in turns, a warm-up round first. `load`: seconds of load before the kill; None: nobody is killed."""
    comebacks = {}
    async with contest(place, orders, levels, server=server) as taking:
        await taking.round(counts=False)
        for _ in range(rounds):
            await taking.round()
        if load is not None:
            comebacks["SQLite FULL"] = await _comeback([str(place / "killed.db"), str(place / "calm.db")], place, load)
        if load is not None and taking.server is not None:
            addresses = [await new_database(taking), await new_database(taking)]
            comebacks[SERVER] = await _comeback(addresses, place, load)
    return Outcome(contest=taking, comebacks=comebacks, where=f"SQLite {levels[0]}")


async def _comeback(addresses: Sequence[str], place: Path, load: float) -> tuple[Recovered, Recovered]:
    killed, calm = addresses
    after = await asyncio.to_thread(recovery.measure, killed, place / "recovery", load)
    await asyncio.to_thread(recovery.measure, calm, place / "recovery", 0)  # makes the tables
    return after, await asyncio.to_thread(recovery.measure, calm, place / "recovery", 0)


# --- what is said of it ---------------------------------------------------------------------------------------


def _line(taking: Contest, item: Contender) -> str:
    ours = taking.find(OURS, item.where, item.in_flight)
    beside = f"{item.micros / ours.micros:7.2f}×" if ours is not None and item.name != OURS else ""
    return (
        f"{item.name + ', ' + item.where:44} {item.in_flight:9} {1e6 / item.micros:9,.0f} {item.micros:8.1f}"
        f" {item.cpu:8.1f} {item.late(0.5):8.2f} {item.late(0.99):8.2f} {beside:>8}"
    )


def report(outcome: Outcome) -> str:
    """The tables, the goals, and who was left out."""
    taking = outcome.contest
    ordered = sorted(taking.contenders, key=lambda item: (item.where, item.in_flight, item.micros))
    lines = [HEAD, "-" * len(HEAD), *(_line(taking, item) for item in ordered), ""]
    lines += [f"left out: {reason}" for reason in taking.left_out]
    return "\n".join([*lines, table(figures_of(outcome))])


def figures_of(outcome: Outcome) -> list[Figure]:
    """The figures that have goals, and the recovery."""
    taking, where = outcome.contest, outcome.where
    found = [
        _rate(taking, where, 10_000),
        _rate(taking, SERVER, 8_000),
        _slower(taking, AIOGRAM, where, IN_FLIGHT, 10),
        _slower(taking, AIOGRAM, where, 1, None),
        _slower(taking, MODELS, where, IN_FLIGHT, None),
        _slower(taking, MODELS, SERVER, IN_FLIGHT, 4),
        _floor(taking, where, 1, 2.5),
        _floor(taking, where, IN_FLIGHT, None),
        _tail(taking, where, 10),
        _tail(taking, SERVER, None),
        _memory(taking),
    ]
    return [figure for figure in found if figure is not None] + _comebacks(outcome)


def _rate(taking: Contest, where: str, goal: float) -> Figure | None:
    ours = taking.find(OURS, where, IN_FLIGHT)
    if ours is None:
        return None
    name = f"{where}, {IN_FLIGHT} in flight: events per second"
    return Figure(name=name, value=1e6 / ours.micros, unit="1/s", goal=goal, absolute=True, least=True)


def _slower(taking: Contest, name: str, where: str, in_flight: int, goal: float | None) -> Figure | None:
    """How many times longer a peer takes."""
    ours, peer = taking.find(OURS, where, in_flight), taking.find(name, where, in_flight)
    if ours is None or peer is None:
        return None
    return Figure(
        name=f"{where}, {in_flight} in flight: {name} / ours", value=peer.micros, floor=ours.micros, goal=goal,
        least=True,
    )  # fmt: skip


def _floor(taking: Contest, where: str, in_flight: int, goal: float | None) -> Figure | None:
    ours, floor = taking.find(OURS, where, in_flight), taking.find(STDLIB, where, in_flight)
    if ours is None or floor is None:
        return None
    return Figure(
        name=f"{where}, {in_flight} in flight / {STDLIB}", value=ours.micros, floor=floor.micros, goal=goal
    )  # fmt: skip


def _tail(taking: Contest, where: str, goal: float | None) -> Figure | None:
    ours = taking.find(OURS, where, IN_FLIGHT)
    if ours is None:
        return None
    name = f"{where}, {IN_FLIGHT} in flight: 99th percentile"
    return Figure(name=name, value=ours.late(0.99), unit="ms", goal=goal, absolute=True)


def _memory(taking: Contest) -> Figure | None:
    ours = taking.find(OURS, MEMORY, IN_FLIGHT)
    return None if ours is None else Figure(name=f"in memory, {IN_FLIGHT} in flight", value=ours.micros)


def _comebacks(outcome: Outcome) -> list[Figure]:
    found = []
    for where, (after, calm) in outcome.comebacks.items():
        for what, value, floor in (
            ("first answer", after.answered, calm.answered),
            ("all settled", after.settled, calm.settled),
        ):
            name = f"killed under load, {where}: {what} / calm start"
            found.append(Figure(name=name, value=value, unit="ms", floor=floor))
    return found


async def figures(place: Path, size: Size) -> list[Figure]:
    """For the big report."""
    return figures_of(await run(place, orders=size.orders, rounds=size.rounds))


def main(show: Callable[[str], object] = print) -> None:
    parser = argparse.ArgumentParser(description="Durable engines beside each other.")
    parser.add_argument("--short", action="store_true", help="two small rounds, a minute")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    orders, rounds = (16, 2) if given.short else (40, given.rounds)
    with tempfile.TemporaryDirectory(prefix="stepgram-bench") as folder:
        show(report(asyncio.run(run(Path(folder), orders=orders, rounds=rounds))))


if __name__ == "__main__":
    main()
