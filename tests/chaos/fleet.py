"""Several worker processes on one PostgreSQL database, killed and stopped while customers go on. Needs a server.

Each chat's channel belongs to one worker slot, as a Telegram line does; updates come there, now and then to another
one as well. A driver, which nobody kills, plays the customers, turns the clock that all share, and judges.
"""

import asyncio
import os
import select
import signal
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos import oracle
from tests.chaos.child import REFUSED, WRONG
from tests.chaos.fleet_driver import drive
from tests.chaos.fleet_work import FleetPlan, Shared, Site, work
from tests.chaos.outside import Outside
from tests.chaos.plan import Plan
from tests.chaos.postgres import PostgresServer
from tests.chaos.runs import Result, _child, _summed
from tests.chaos.tables import standing

LONGEST = 90.0
"""Real seconds that a run may last."""


class FleetServer(PostgresServer):
    """Runs fleets."""

    def run_fleet(self, plan: FleetPlan) -> Result:
        reference = self.reference(plan.script)
        self._emptied()
        folder = Path(tempfile.mkdtemp(prefix="fleet-", dir=self.folder))
        site = Site(folder=folder, url=self._url, house=self.house, clock=Shared(), plan=plan, reference=reference)
        began = time.perf_counter()
        result = Result(plan=Plan(seed=plan.seed, script=plan.script))
        with suppress(FileNotFoundError):
            _Fleet(site, result).run()
        outside = Outside(site.outside)
        if not result.wrong:
            self._fork(partial(_judge, site), str(folder / "log"))
            outside.refresh()
            result.wrong = oracle.faults_of(reference, outside, notices=False)
        _summed(result, outside)
        outside.close()
        result.faults += ["stopped" for _ in plan.stops]
        result.exact = plan.command
        result.seconds = time.perf_counter() - began
        return result


def _judge(site: Site) -> int:
    from storage.postgres_store import PostgresStore

    async def look() -> dict[str, Any]:
        store = PostgresStore(site.url)
        await store.open()
        found = await standing(store)
        await store.close()
        return found

    outside = Outside(site.outside)
    outside.write("end", points=0, seconds=0.0, **asyncio.run(look()))
    return 0


class _Fleet:
    """The processes of one run."""

    def __init__(self, site: Site, result: Result) -> None:
        self.site, self.result = site, result
        self.lives = [0] * site.plan.workers
        self.running: dict[int, tuple[int, int]] = {}
        """pidfd → (pid, slot); slot -1 is the driver."""
        self.refused = 0
        self.over = False

    def run(self) -> None:
        began = time.monotonic()
        for slot in range(self.site.plan.workers):
            self._start(slot)
        self._start(-1)
        pending = sorted((at, slot, lasts) for slot, at, lasts in self.site.plan.stops)
        stopped: list[tuple[float, int]] = []
        try:
            while self.running:
                now = time.monotonic() - began
                if now > LONGEST:
                    self.result.wrong.append("it hangs")
                    return
                while pending and pending[0][0] <= now:
                    _, slot, lasts = pending.pop(0)
                    stopped.append((now + lasts, self._signal(slot, signal.SIGSTOP)))
                for until, process in [item for item in stopped if item[0] <= now]:
                    stopped.remove((until, process))
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGCONT)
                ready, _, _ = select.select(list(self.running), [], [], 0.02)
                for handle in ready:
                    self._ended(handle)
                if self.result.wrong:
                    return
        finally:
            self._end_all()

    def _signal(self, slot: int, number: signal.Signals) -> int:
        process = next(process for process, other in self.running.values() if other == slot)
        os.kill(process, number)
        return process

    def _start(self, slot: int) -> None:
        work_of = partial(drive, self.site) if slot < 0 else partial(work, self.site, slot, self.lives[slot])
        process = os.fork()
        if process == 0:
            _child(work_of, str(self.site.folder / f"log{slot}"))
        self.running[os.pidfd_open(process)] = process, slot

    def _ended(self, handle: int) -> None:
        process, slot = self.running.pop(handle)
        os.close(handle)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        if slot < 0:
            self.over = True
            if code != 0:
                self.result.wrong.append(self._why(code, slot))
        elif code == -signal.SIGKILL:
            self.result.kills += 1
            self.result.deaths.append(slot)
            self.lives[slot] += 1
            self._start(slot)
        elif code == REFUSED and self.refused < 50:
            self.refused += 1
            time.sleep(0.02)
            self._start(slot)
        elif code != 0:
            self.result.wrong.append(self._why(code, slot))

    def _why(self, code: int, slot: int) -> str:
        outside = Outside(self.site.outside)
        try:
            if code == WRONG and outside.others["wrong"]:
                return str(outside.others["wrong"][-1]["text"])
        finally:
            outside.close()
        log = self.site.folder / f"log{slot}"
        return f"slot {slot} ended with {code}: {log.read_text()[-1500:] if log.exists() else ''}"

    def _end_all(self) -> None:
        for handle, (process, _) in self.running.items():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(handle)
        self.running.clear()
