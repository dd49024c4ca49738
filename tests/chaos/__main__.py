"""`python -m tests.chaos`: thousands of seeded runs, one seed again, or every single kill point of a short order."""

import argparse
import json
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.broken import ENGINE, VARIANTS
from tests.chaos.plan import Plan, Sizes, aimed, drawn, drawn_in_shop, exactly, struck, whole
from tests.chaos.report import Report
from tests.chaos.runs import Result, Server, fast_folder, house
from tests.chaos.scripts import BY_NAME
from tests.chaos.shop_broken import AIMED, SHOP

EVERY = 5.0
"""Seconds between two lines of progress."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    given.script = given.script or ("sale" if given.shop else "short")
    folder = Path(tempfile.mkdtemp(prefix="stepgram-chaos-", dir=given.folder or fast_folder()))
    try:
        server = made(folder, given.database, given.workers, bounded=given.bounded, shop=given.shop)
        try:
            failed = _work(server, given)
        finally:
            server.close()
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def made(folder: Path, database: str, workers: int, *, bounded: bool, shop: bool = False) -> Server:
    """The fork server for one kind of database."""
    if database == "sqlite":
        return Server(folder, house(shop=shop))
    if (workers > 1 or bounded) and not shop:
        from tests.chaos.fleet import FleetServer

        return FleetServer(folder)
    from tests.chaos.postgres import PostgresServer

    return PostgresServer(folder, shop=shop)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="so many seeds")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes beside each other")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, default=1, help="on PostgreSQL: so many processes on one database")
    parser.add_argument("--replay", type=int, help="this seed again; below 0: the kill point of --script")
    parser.add_argument("--deaths", help="with --replay: the points at which its lives ended, separated by commas")
    parser.add_argument(
        "--times", type=int, default=1, help="with --replay: until it goes wrong, at most so many times"
    )
    parser.add_argument("--every", type=int, help="kill at every n-th point of --script, one run for each")
    parser.add_argument("--shop", action="store_true", help="the customers of the real shop instead")
    parser.add_argument("--script", choices=sorted(BY_NAME), help="unsaid: short, or sale in the shop")
    parser.add_argument("--inbox", action="store_true", help="with --every and a --replay below 0: Telegram's inbox")
    parser.add_argument("--bounded", action="store_true", help="a little of everything: what CI has time for")
    parser.add_argument("--broken", choices=(*VARIANTS, "all"), default="", help="a bot that is broken on purpose")
    parser.add_argument("--places", action="store_true", help="print where each life ended, as JSON")
    parser.add_argument("--folder", type=Path, help="where the databases are; memory, if there is such a place")
    parser.add_argument("--keep", action="store_true", help="keep the folders of runs that go wrong")
    return parser


def _work(server: Server, given: argparse.Namespace) -> bool:
    if given.bounded:
        return _bounded(server, given)
    if given.workers > 1:
        return _fleets(server, given)
    if given.broken == "all":
        caught = [_caught(server, name, given) for name in (SHOP if given.shop else ENGINE)]
        return not all(caught)
    plans = list(_plans(server, given))
    report = many(server, plans, given.jobs)
    _print(report, given)
    return bool(report.failed)


def _bounded(server: Server, given: argparse.Namespace) -> bool:
    """A little of everything that this database allows, for CI; each part says whether it went well."""
    parts: dict[str, dict[str, Any]]
    if given.shop:
        parts = {"seeds": {"runs": 8}, "every point": {"every": 400}, "broken": {"broken": "all", "runs": 60}}
        if given.database != "sqlite":
            parts = {"seeds": {"runs": 4}}
    elif given.database == "sqlite":
        parts = {
            "seeds": {"runs": 60},
            "every point": {"every": 60},
            "every point, inbox": {"every": 60, "inbox": True},
            "replay": {"replay": 46, "deaths": "300,200,400", "times": 3, "jobs": 1, "places": True},
            "broken": {"broken": "all", "runs": 400},
        }
    else:
        parts = {"seeds": {"runs": 10}, "fleets": {"runs": 2, "workers": 3}}
    failed = False
    for name, changes in parts.items():
        part = argparse.Namespace(**{**vars(given), "bounded": False, "workers": 1, **changes})
        wrong = _work(server, part)
        print(f"part {name}: {'WRONG' if wrong else 'right'}", flush=True)
        failed |= wrong
    return failed


def _fleets(server: Any, given: argparse.Namespace) -> bool:
    """One after the other: each has several processes."""
    from tests.chaos.fleet_work import drawn as drawn_fleet

    report = Report()
    began = time.monotonic()
    seeds = [given.replay] * given.times if given.replay is not None else range(given.seed, given.seed + given.runs)
    for seed in seeds:
        result = server.run_fleet(drawn_fleet(seed, given.workers))
        report.add(result)
        print(f"fleet {seed}: {result.kills} kills, {result.seconds:.1f} s {result.wrong or ''}", flush=True)
    report.seconds = time.monotonic() - began
    _print(report, given)
    return bool(report.failed)


def _caught(server: Server, name: str, given: argparse.Namespace) -> bool:
    """Whether the suite finds out that this bot is broken; a shop: only by a kill."""
    if given.shop:
        calm = server.run(whole(AIMED.get(name, "sale"), broken=name))
        if calm.wrong:
            print(f"{name}: is wrong without any kill: {calm.wrong[0][:200]}", flush=True)
            return False
    for number, plan in enumerate(_plans(server, argparse.Namespace(**{**vars(given), "broken": name})), start=1):
        result = server.run(plan)
        if result.wrong:
            print(f"{name}: caught by run {number}: {result.wrong[0][:200]}", flush=True)
            return True
    print(f"{name}: NOT caught", flush=True)
    return False


def _plans(server: Server, given: argparse.Namespace) -> Iterator[Plan]:
    sizes = server.sizes
    if given.replay is not None:
        yield from [one(given.replay, sizes, server, given)] * given.times
    elif given.shop and given.broken:
        script = AIMED.get(given.broken, "sale")
        for seed in range(given.seed, given.seed + given.runs):
            yield aimed(seed, script, sizes(script)[0], broken=given.broken)
    elif given.every is not None:
        for point in range(given.seed, sizes(given.script)[0] + 1, given.every):
            yield struck(given.script, point, inbox=given.inbox, broken=given.broken)
    else:
        for seed in range(given.seed, given.seed + given.runs):
            yield _draw(given)(seed, sizes, server=server.shared, broken=given.broken)


def _draw(given: argparse.Namespace) -> Callable[..., Plan]:
    return drawn_in_shop if given.shop else drawn


def one(seed: int, sizes: Sizes, server: Server, given: argparse.Namespace) -> Plan:
    if seed < 0:
        return struck(given.script, -seed, inbox=given.inbox, broken=given.broken)
    plan = _draw(given)(seed, sizes, server=server.shared, broken=given.broken)
    return exactly(plan, [int(point) for point in given.deaths.split(",")]) if given.deaths else plan


def many(server: Server, plans: Sequence[Plan], jobs: int, tell: Callable[[str], None] = print) -> Report:
    """Run them all, `jobs` at a time."""
    report = Report()
    for plan in plans:
        server.reference(plan.script)
    began = told = time.monotonic()
    for result in _results(server, plans, max(1, min(jobs, len(plans)))):
        report.add(result)
        if result.wrong:
            tell(f"WRONG: {'; '.join(result.wrong)}\n  replay: {result.command} --database {server.name}")
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            so_far = f"{report.runs} of {len(plans)} runs, {report.kills} kills, {told - began:.0f} s"
            tell(f"{so_far}, {len(report.failed)} wrong")
            sys.stdout.flush()
    report.seconds = time.monotonic() - began
    return report


def _results(server: Server, plans: Sequence[Plan], jobs: int) -> Iterator[Result]:
    """Each job is a fork that has everything; it writes results into a pipe."""
    if jobs == 1:
        yield from map(server.run, plans)
        return
    reading, writing = os.pipe()
    processes = []
    for job in range(jobs):
        process = os.fork()
        if process == 0:
            os.close(reading)
            _job(server.for_job(job), plans[job::jobs], writing)
        processes.append(process)
    os.close(writing)
    with os.fdopen(reading, "rb") as results:
        while True:
            try:
                yield pickle.load(results)
            except EOFError:
                break
    for process in processes:
        _, status = os.waitpid(process, 0)
        if status:
            raise SystemExit(f"a job ended with {os.waitstatus_to_exitcode(status)}")


def _job(server: Server, plans: Sequence[Plan], writing: int) -> None:
    code = 1
    try:
        for plan in plans:
            os.write(writing, pickle.dumps(_short(server.run(plan))))
        code = 0
    finally:
        os._exit(code)


def _short(result: Result) -> Result:
    """Small enough for one write into a pipe, which nothing of another job gets into."""
    result.wrong = [wrong[:600] for wrong in result.wrong[:2]]
    result.labels = [label[:40] for label in result.labels]
    return result


def _print(report: Report, given: argparse.Namespace) -> None:
    if given.places:
        print(json.dumps([result.labels for result in report.results]))
    print(f"{given.database}, {given.jobs} jobs, {report.seconds:.1f} s")
    print("\n".join(report.lines()))
    for result in report.failed[:20]:
        print(f"WRONG: {'; '.join(result.wrong)}\n  replay: {result.command} --database {given.database}")
        if given.keep:
            print(f"  folder: {result.folder}")


if __name__ == "__main__":
    sys.exit(main())
