"""A fork server: one process has everything imported and the flows compiled; each life of a run is a fork of it."""

import copy
import faulthandler
import gc
import mmap
import os
import select
import shutil
import signal
import sqlite3
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.app import _library
from engine.loading.library import load_texts
from engine.runtime.locales import wordings
from storage.memory import MemoryStore
from tests.chaos import child, oracle
from tests.chaos.actions import Bench, catalog
from tests.chaos.child import CRASHED, HELD, REFUSED, WRONG, House, Place
from tests.chaos.driver import bring_back
from tests.chaos.flows import FLOWS
from tests.chaos.oracle import Reference
from tests.chaos.outside import Outside
from tests.chaos.plan import Plan, whole
from tests.chaos.points import CIRCLE
from tests.chaos.scripts import BY_NAME
from tests.chaos.shop_flows import ENVIRONMENT
from tests.chaos.shop_flows import FLOWS as SHOP_FLOWS
from tests.chaos.shop_world import shop_catalog
from tests.chaos.tables import stocked

LONGEST = 15.0
"""Real seconds that one life may last: it hangs."""
STARTS = 20
"""So often a refused start is repeated."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What became of a run."""

    plan: Plan
    wrong: list[str] = field(default_factory=list)
    kills: int = 0
    """Lives that ended by SIGKILL."""
    deaths: list[int] = field(default_factory=list)
    """The number of the point at which each of them ended."""
    labels: list[str] = field(default_factory=list)
    """Where they ended, as far as they could say."""
    faults: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)
    """What went wrong after an apology that nobody could write down: see `oracle`."""
    refused: int = 0
    """Starts that were refused, with a sentence, and repeated."""
    repeats: int = 0
    """Messages that were delivered again under the same id."""
    opened: list[float] = field(default_factory=list)
    """Seconds from the start of each life after a kill until the database was open."""
    up: list[float] = field(default_factory=list)
    """… until everything that was left had been taken up."""
    seconds: float = 0.0
    points: int = 0
    folder: str = ""
    exact: str = ""
    """What replays this run, where the plan does not say it."""

    @property
    def command(self) -> str:
        """What replays exactly this run: the kills fall where they fell, also those from outside."""
        if self.exact:
            return self.exact
        if self.plan.seed < 0:
            return self.plan.command
        exact = self.plan.threads or any(fault.kind == "busy" for life in self.plan.lives for fault in life.faults)
        deaths = f" --deaths {','.join(map(str, self.deaths))}" if self.deaths else ""
        return f"{self.plan.command}{deaths}{' --times 50' if exact else ''}"


def house(*, shop: bool = False) -> House:
    """Everything that lives share. `shop`: the real shop, else the engine's own customers."""
    import aiohttp  # noqa: F401 - what a life would import when it first needs it
    import tortoise.backends.sqlite.client  # noqa: F401

    bench = Bench()
    offers = shop_catalog(bench) if shop else catalog(bench)
    environment = ENVIRONMENT if shop else {}
    loaded = load_texts(SHOP_FLOWS if shop else FLOWS, offers, environment=environment)
    assert loaded.report.ok, [
        f"{finding.span.file}:{finding.span.line} {finding.message}" for finding in loaded.report.findings
    ]
    return House(
        bench=bench,
        catalog=offers,
        library=_library(loaded, offers),
        wordings=dict(wordings(loaded.bot.languages)),
        shop=shop,
        environment=environment,
    )


def fast_folder() -> Path | None:
    """Memory, where there is such a place: a killed process loses nothing of what it has written either way."""
    place = Path("/dev/shm")
    return place if place.is_dir() and os.access(place, os.W_OK) else None


def shared_count() -> MutableSequence[int]:
    """A number that a child can leave behind."""
    return memoryview(mmap.mmap(-1, 8)).cast("Q")  # type: ignore[return-value]


class Server:
    """Runs plans on SQLite. `reference` of a script is made when it is first needed."""

    name = "sqlite"
    shared = False
    """Whether the database is a server: faults of a file cannot be tried then."""

    def __init__(self, folder: Path, made: House | None = None) -> None:
        self.folder = folder
        self.house = made or house()
        self._references: dict[str, Reference] = {}
        self._template = folder / "template.sqlite3"
        self._count = shared_count()
        self._warm_up()
        gc.collect()
        gc.freeze()
        self._fork(self._make_template, "template")

    def _warm_up(self) -> None:
        """What is made when it is first used is made before the forks."""
        place = self.folder / "warm"
        place.mkdir()
        with suppress(Exception):
            child.main(
                self.house,
                Place(folder=place, store=MemoryStore, database=None, count=self._count),
                replace(whole("sale" if self.house.shop else "all"), fresh=True),
                0,
                None,
                warm=True,
            )
        shutil.rmtree(place)

    def for_job(self, job: int) -> "Server":
        """The same for a job of its own, beside others."""
        made = copy.copy(self)
        made._count = shared_count()
        return made

    def close(self) -> None:
        """Nothing runs any more."""

    # --- what is needed ---------------------------------------------------------------------------------

    def _make_template(self) -> int:
        import asyncio

        from storage.sqlite_store import SqliteStore

        async def make() -> None:
            store = SqliteStore(self._template)
            await store.open()
            if not self.house.shop:
                await stocked(store)
            await store.close()

        asyncio.run(make())
        return 0

    def reference(self, script: str) -> Reference:
        """The run of a script without faults."""
        if script not in self._references:
            result, outside = self._run(whole(script), None)
            if result.wrong:
                raise AssertionError(f"{script} goes wrong without any fault: {result.wrong}")
            end = outside.others["end"][-1]
            played = BY_NAME[script]
            self._references[script] = Reference.of(
                script,
                outside,
                end.pop("points"),
                end.pop("seconds"),
                crowd=played.crowd,
                twins=tuple(self.reference(twin.name) for twin in played.twins),
            )
        return self._references[script]

    def sizes(self, script: str) -> tuple[int, float]:
        """Of a script."""
        reference = self.reference(script)
        return reference.points, reference.seconds

    # --- one run ----------------------------------------------------------------------------------------

    def run(self, plan: Plan) -> Result:
        """One run to its end, judged."""
        result, _ = self._run(plan, self.reference(plan.script))
        return result

    def _run(self, plan: Plan, reference: Reference | None) -> tuple[Result, Outside]:
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        began = time.perf_counter()
        result = Result(plan=plan)
        with self._place(folder, plan) as place:
            self._lives(place, plan, reference, result)
        outside = Outside(place.outside)
        if reference is not None and not result.wrong:
            notices = not (any(life.faults for life in plan.lives) or plan.plugins)
            result.wrong = oracle.faults_of(reference, outside, notices=notices)
        if result.wrong and outside.excused and not plan.broken:
            result.wrong, result.excused = [], result.wrong
        _summed(result, outside)
        outside.close()
        result.seconds = time.perf_counter() - began
        if result.wrong:
            result.folder = str(folder)
        else:
            shutil.rmtree(folder)
        return result, outside

    def _lives(self, place: Place, plan: Plan, reference: Reference | None, result: Result) -> None:
        number = starts = 0
        while True:
            blow = plan.life(number).blow
            self._count[0] = 0
            code = self._fork(
                partial(child.main, self.house, place, plan, number, reference, calm=starts > 0),
                str(place.folder / "log"),
                None if starts else blow,
            )
            if place.database is not None:
                bring_back(place.database)
            match code:
                case 0:
                    return
                case _ if code == -signal.SIGKILL:
                    result.kills += 1
                    result.deaths.append(max(1, self._count[0]))
                    number, starts = number + 1, 0
                case _ if code == REFUSED and starts < STARTS:
                    starts += 1
                    time.sleep(0.01)
                case _:
                    result.wrong = [_why(code, place)]
                    return

    @contextmanager
    def _place(self, folder: Path, plan: Plan) -> Iterator[Place]:
        database = folder / "shop.sqlite3"
        if not plan.fresh:
            shutil.copyfile(self._template, database)

        def store() -> Any:
            from storage.sqlite_store import SqliteStore

            return SqliteStore(database, synchronous="NORMAL", busy_ms=2)

        held = any(fault.kind == "busy" for life in plan.lives for fault in life.faults)
        with _holder(database) if held else _nobody() as holder:
            yield Place(folder=folder, store=store, database=database, holder=holder, count=self._count)

    def _fork(self, work: Callable[[], int], log: str, blow: float | None = None) -> int:
        """Run it in a child; its exit code, negative for a signal. Killed after `blow` seconds, or when it hangs."""
        process = os.fork()
        if process == 0:
            _child(work, log)
        return _awaited(process, blow)


def _child(work: Callable[[], int], log: str) -> None:
    code = CRASHED
    with open(log, "a") as file:
        faulthandler.enable(file)
        os.dup2(file.fileno(), 2)
        try:
            code = work()
        except BaseException:
            traceback.print_exc(file=file)
        finally:
            file.flush()
            os._exit(code)


def _awaited(process: int, blow: float | None) -> int:
    handle = os.pidfd_open(process)
    try:
        for patience in (blow, LONGEST) if blow is not None else (LONGEST,):
            ready, _, _ = select.select([handle], [], [], patience)
            if ready:
                break
            if patience == LONGEST:
                os.kill(process, signal.SIGUSR1)
                select.select([handle], [], [], 1.0)
            os.kill(process, signal.SIGABRT if patience == LONGEST else signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(status)


def _why(code: int, place: Place) -> str:
    outside = Outside(place.outside)
    try:
        if code == WRONG and outside.others["wrong"]:
            return str(outside.others["wrong"][-1]["text"])
        if code == CIRCLE:
            return str(outside.others["killed"][-1]["label"])
        if code == REFUSED:
            return f"it does not start: {outside.others['refused'][-1]['text']}"
        if code == -signal.SIGABRT:
            return f"it hangs: {(place.folder / 'log').read_text()[-3000:]}"
    finally:
        outside.close()
    log = place.folder / "log"
    said = log.read_text() if log.exists() else ""
    return f"exit code {code}: {said[-2000:]}"


def _summed(result: Result, outside: Outside) -> None:
    others = outside.others
    result.labels = [line["label"] for line in others["killed"]]
    result.faults = [line["fault"] for line in others["fault"]]
    result.refused = len(others["refused"])
    result.repeats = outside.repeats
    after = [line for line in others["up"] if line["life"] > 0]
    result.opened = [line["open"] for line in after]
    result.up = [line["up"] for line in after]
    if others["end"]:
        result.points = others["end"][-1].get("points", 0)


@contextmanager
def _nobody() -> Iterator[None]:
    yield None


@contextmanager
def _holder(database: Path) -> Iterator[Callable[[str], None]]:
    """Another real process that can hold the database, as a browser of databases does."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(writing)
        with suppress(BaseException):
            _hold(database, reading)
        os._exit(0)
    os.close(reading)
    try:
        yield lambda word: _tell(writing, word)
    finally:
        os.close(writing)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _tell(writing: int, word: str) -> None:
    os.write(writing, word[:1].encode())
    if word == "hold":
        time.sleep(0.003)


def _hold(database: Path, reading: int) -> None:
    place = f"file:{database}?mode=rw"
    while os.read(reading, 1):
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(place, timeout=0.02, isolation_level=None, uri=True)) as held,
        ):
            held.execute("BEGIN IMMEDIATE")
            if select.select([reading], [], [], HELD)[0]:
                os.read(reading, 1)
            held.execute("ROLLBACK")
