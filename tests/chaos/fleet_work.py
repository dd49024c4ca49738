"""A worker of a fleet, and what all of its processes share: plan, clock, channels. See `fleet`."""

import asyncio
import gc
import logging
import mmap
import os
import random
from collections.abc import MutableSequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine.runtime.dispatcher import Stopped
from engine.runtime.files import FileStore
from engine.runtime.identity import SeededIds
from engine.runtime.ports import Conflict, Elsewhere, Fenced, Outgoing
from engine.runtime.runtime import Runtime
from storage.errors import StoreError
from tests.chaos.channel import Direct, Phones, Signals
from tests.chaos.child import REFUSED, START, House
from tests.chaos.oracle import Reference
from tests.chaos.outside import Line, Outside
from tests.chaos.points import Loop, Points, replaced_in
from tests.chaos.runs import shared_count
from tests.chaos.script import SCRIPTS

BEAT = 0.1
SILENT_MS = 300
"""Instead of a second, and one and a half: a takeover takes half a second."""
POLL = 0.004
"""Real seconds between two looks at the world outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """`kills`: for each slot the points at which its lives end; the last one is not killed. `stops`: (slot, seconds
    after the start, seconds) in which a worker stands still without knowing."""

    seed: int
    script: str
    kills: tuple[tuple[int, ...], ...]
    stops: tuple[tuple[int, float, float], ...]
    doubles: float

    @property
    def workers(self) -> int:
        return len(self.kills)

    @property
    def command(self) -> str:
        return f"python -m tests.chaos --workers {self.workers} --replay {self.seed} --times 20"


def drawn(seed: int, workers: int) -> FleetPlan:
    chance = random.Random(f"fleet {seed} {workers}")
    kills = tuple(
        tuple(int(50 * 100 ** chance.random()) for _ in range(chance.choice((0, 1, 1, 2)))) for _ in range(workers)
    )
    stops = ((chance.randrange(workers), chance.uniform(0.1, 3), chance.uniform(0.2, 1.5)),)
    return FleetPlan(
        seed=seed,
        script=chance.choice(SCRIPTS).name,
        kills=kills,
        stops=stops if chance.random() < 0.4 else (),
        doubles=chance.choice((0.0, 0.2, 0.5)),
    )


class Shared:
    """The clock of all processes: seconds since the script's beginning."""

    def __init__(self) -> None:
        self._memory: MutableSequence[float] = memoryview(mmap.mmap(-1, 8)).cast("d")  # type: ignore[assignment]

    @property
    def seconds(self) -> float:
        return self._memory[0]

    def turn(self, seconds: float) -> None:
        self._memory[0] += seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self._memory[0])

    async def sleep(self, seconds: float) -> None:
        end = self.seconds + seconds
        while self.seconds < end:
            await asyncio.sleep(POLL)


class Home:
    """The channel of a slot: it has some of the chats."""

    def __init__(self, phones: Phones, slot: int, workers: int) -> None:
        self._phones, self._slot, self._workers = phones, slot, workers

    async def deliver(self, outgoing: Outgoing) -> None:
        if home(outgoing.chat, self._workers) != self._slot:
            raise Elsewhere
        await self._phones.deliver(outgoing)


def home(chat: str, workers: int) -> int:
    return int(chat.partition(":")[2]) % workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a run of a fleet lives."""

    folder: Path
    url: str
    house: House
    clock: Shared
    plan: FleetPlan
    reference: Reference

    @property
    def outside(self) -> Path:
        return self.folder / "outside.jsonl"


class Worker:
    """One life of one slot."""

    def __init__(self, site: Site, slot: int, life: int) -> None:
        from storage.postgres_store import PostgresStore

        self.site, self.slot, self.life = site, slot, life
        self.outside = Outside(site.outside)
        kills = site.plan.kills[slot]
        self.points = Points(kills[life] if life < len(kills) else None, self._last_words, shared_count(), most=None)
        bench = site.house.bench
        bench.outside, bench.point, bench.fault = self.outside, self.points, lambda *_: None
        ids = SeededIds(hash((site.plan.seed, slot, life)))
        self.store = PostgresStore(site.url, worker=f"w{slot}.{life}.{os.getpid()}")
        self.runtime = Runtime(
            library=site.house.library,
            catalog=site.house.catalog,
            wordings=site.house.wordings,
            store=self.store,
            channel=Home(Phones(self.outside, self.points), slot, site.plan.workers),
            clock=site.clock,
            ids=ids,
            files=FileStore(site.folder / "files", ids),
            environment={},
        )
        self.channel = Direct(self.outside, self.runtime, site.clock)
        self.signals = Signals(self.outside, self.runtime)

    def _last_words(self, count: int, label: str) -> None:
        self.outside.write("killed", life=self.life, point=count, label=f"{label[:60]}")

    async def serve(self) -> None:
        await self.store.open()
        await self.runtime.start()
        self.outside.write("up", life=self.life, open=0.0, up=0.0)
        begun: dict[str, asyncio.Task[None]] = {}
        while not self.outside.others["stop"]:
            self.outside.refresh()
            for key, line in list(self.outside.sent.items()):
                if self._wanted(line) and key not in begun:
                    begun[key] = asyncio.create_task(self._bring(line, begun))
            await asyncio.sleep(POLL)
        await asyncio.gather(*begun.values(), return_exceptions=True)
        await self.runtime.stop()
        await self.store.close()

    def _wanted(self, line: Line) -> bool:
        if line["update"] in self.outside.taken:
            return False
        return self.slot in line["slots"]

    async def _bring(self, line: Line, begun: dict[str, asyncio.Task[None]]) -> None:
        try:
            await (self.signals if "signal" in line else self.channel).bring(line)
        except (StoreError, Fenced, Conflict, Stopped):
            await asyncio.sleep(0.05)
            begun.pop(line["update"], None)


def work(site: Site, slot: int, life: int) -> int:
    gc.disable()
    logging.disable(logging.CRITICAL if not os.environ.get("CHAOS_LOG") else logging.NOTSET)
    hurried()
    worker = Worker(site, slot, life)
    loop = Loop(worker.points)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(worker.serve())
    except StoreError as error:
        worker.outside.write("refused", life=life, text=str(error))
        return REFUSED
    return 0


def hurried() -> None:
    """Takeovers in less than a second."""
    import engine.runtime.fleet
    import storage.postgres_leases

    replaced_in(engine.runtime.fleet, "BEAT", BEAT)
    replaced_in(storage.postgres_leases, "SILENT_MS", SILENT_MS)
