"""One life of the bot's process: takes up what was left, lets the customers go on with their script, is killed.

Runs in a forked child; it never returns, and nothing in it survives but the database and the world outside.
"""

import asyncio
import gc
import logging
import os
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, MutableSequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import engine.runtime.dispatcher
from engine.actions.catalog import Catalog
from engine.core.wording import Wording
from engine.runtime.clock import ManualClock
from engine.runtime.files import FileStore
from engine.runtime.identity import SeededIds
from engine.runtime.library import Library
from engine.runtime.ports import Store
from engine.runtime.runtime import Runtime
from storage.errors import StoreError
from tests.chaos import broken
from tests.chaos.actions import FAULTS, Bench
from tests.chaos.channel import BOT, Direct, Kept, Phones, Signals, body_of, in_disorder
from tests.chaos.driver import Database
from tests.chaos.oracle import Reference, asks_again, difference, transcript
from tests.chaos.outside import Line, Outside
from tests.chaos.plan import Fault, Plan
from tests.chaos.plan import Life as OneLife
from tests.chaos.points import Loop, Points
from tests.chaos.scripts import BY_NAME
from tests.chaos.shop_life import left, one_by_one
from tests.chaos.shop_tables import shop_stands
from tests.chaos.shop_world import Hooks, happening
from tests.chaos.tables import standing, stocked

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PATIENCE = 1000.0
"""Seconds of the virtual clock in which everything must settle after each round: less than the timers' slack."""
REPEATS = 8
"""So often a customer does something again that they were asked to do again."""
REFUSED, WRONG, CRASHED = 75, 65, 70
"""Exit codes: the start was refused (the database is held, or fails); the outcome is wrong; an exception."""
PAUSES = (0.002,) * 9
"""Real seconds between the tries of an update while the store fails."""
HELD = 0.05
"""Real seconds that somebody else holds the database at most."""
PLUGIN_FAULTS = 3
"""Of the attempts of one action for one customer so many can go wrong."""


class Wrong(Exception):
    """What has happened must not happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that is made once, before the fork."""

    bench: Bench
    catalog: Catalog
    library: Library
    wordings: dict[str, Wording]
    shop: bool = False
    """The real shop is open, with its services, and looks at a chain."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run lives."""

    folder: Path
    store: Callable[[], Store]
    database: Path | None
    """The file, where there is one."""
    count: MutableSequence[int]
    """Points of the life that is lived there, in memory that outlives it."""
    holder: Callable[[str], None] | None = None

    @property
    def outside(self) -> Path:
        return self.folder / "outside.jsonl"


class Hands(ManualClock):
    """Turned by the script; and it can jump without time passing."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


class Life:
    """One process, from its start to its end."""

    def __init__(
        self, house: House, place: Place, plan: Plan, number: int, reference: Reference | None, *, calm: bool
    ) -> None:
        self.house, self.place, self.plan, self.number, self.reference = house, place, plan, number, reference
        self.born = time.perf_counter()
        self.life = OneLife() if calm else plan.life(number)
        self.script = BY_NAME[plan.script]
        self.chance = random.Random(f"{plan.seed} {number}")
        self.outside = Outside(place.outside)
        self.points = Points(self.life.kill, self._last_words, place.count)
        self.clock = Hands(START + timedelta(seconds=self.outside.clock))
        self.phones = Phones(self.outside, self.points)
        self.running: dict[int, Fault] = {}
        self.weather = threading.RLock()
        self.troubled = any(life.faults for life in plan.lives) or plan.plugins > 0
        self.database = (
            Database(place.database, self.points, threads=plan.threads, holder=place.holder)
            if place.database is not None
            else None
        )
        self.tasks: set[asyncio.Task[Any]] = set()

    def _last_words(self, count: int, label: str) -> None:
        self.outside.write("killed", life=self.number, point=count, label=ADDRESS.sub("", label)[:160])

    # --- the bot ----------------------------------------------------------------------------------------

    def _made(self) -> None:
        bench = self.house.bench
        bench.outside, bench.point, bench.fault = self.outside, self.points, self._plugin_fault
        ids = SeededIds(hash((self.plan.seed, self.number)))
        self.store = self.place.store()
        self.runtime = Runtime(
            library=self.house.library,
            catalog=self.house.catalog,
            wordings=self.house.wordings,
            store=self.store,
            channel=self.phones,
            clock=self.clock,
            ids=ids,
            files=FileStore(self.place.folder / "files", ids),
            environment=self.house.environment,
            data=self.place.folder / "data",
        )
        # Faults end after so many points; a bot that sleeps while the store fails would come to none.
        self.runtime._executor._pauses = PAUSES
        engine.runtime.dispatcher.AGAIN = PAUSES[-1]  # type: ignore[misc]
        self.signals = Signals(self.outside, self.runtime)
        self.hooks = Hooks(self.outside, self.runtime)

    async def live(self) -> None:
        self._made()
        for number, fault in enumerate(self.life.faults):
            self._set(number, fault)
        await self.store.open()
        opened = time.perf_counter()
        if self.plan.fresh and not self.house.shop:
            await stocked(self.store)
        self.channel: Direct | Kept = (
            Kept(self.outside, self.runtime, self.clock, self.store)
            if self.plan.inbox
            else Direct(self.outside, self.runtime, self.clock)
        )
        await self.runtime.start(self._taken_up)
        self.outside.write("up", life=self.number, open=opened - self.born, up=time.perf_counter() - self.born)
        await self._settle()
        while self.outside.round < self.script.rounds:
            await self._round(self.outside.round)
        await self._over()

    async def _taken_up(self) -> None:
        """What the channel had kept, and what comes again."""
        await self.channel.begin()
        signals = [line for line in self.outside.unacknowledged() if "body" not in line]
        lines = [line for line in self.channel.again() if "body" in line]
        if self.plan.disorder:
            lines = in_disorder(lines, self.chance)
        await asyncio.gather(*(self._brought(line) for line in (*lines, *signals)))

    async def _over(self) -> None:
        """Nothing is left to do: the end, and how everything stands."""
        await self._gathered()
        self.points.quiet()
        self._mend()
        if self.place.holder is not None:
            await asyncio.sleep(HELD)
        await self.channel.end()
        await self.runtime.stop()
        end = await (shop_stands if self.house.shop else standing)(self.store)
        await self.store.close()
        self.outside.write("end", points=self.points.count, seconds=time.perf_counter() - self.born, **end)

    # --- the customers ----------------------------------------------------------------------------------

    async def _round(self, number: int) -> None:
        self._turn(max(0.0, number * self.script.tick - self.outside.clock))
        await self._settle()
        chats = list(self.script.customers)
        self.chance.shuffle(chats)
        await asyncio.gather(*(self._does(chat, number) for chat in chats))
        await self._gathered()
        await self._settle()
        for _ in range(REPEATS):
            if not self._wrong(number):
                break
            asked = [chat for chat in chats if self._asked(chat, number)]
            if not asked:
                break
            await asyncio.gather(*(self._again(chat, number) for chat in asked))
            await self._settle()
        if wrong := self._wrong(number):
            raise Wrong(f"after round {number}: {'; '.join(wrong.values())}")
        self._mend()
        self.outside.write("round", number=number + 1)

    async def _does(self, chat: str, number: int) -> None:
        """What of this round they have not done yet; they do not wait for answers in between."""
        inputs = self.script.inputs(chat, number)
        if {"~", "^"} & {*inputs}:
            await one_by_one(self, chat, number, inputs)
            return
        done = [line for line in self.outside.sent.values() if line["chat"] == chat and line["round"] == number]
        fresh = [self._sent(chat, number, given) for given in inputs[len(done) :]]
        await asyncio.gather(*(self._bring(line) for line in fresh))

    async def _again(self, chat: str, number: int) -> None:
        """They were asked to do it again."""
        for given in self.script.inputs(chat, number)[-1:]:
            await self._bring(self._sent(chat, number, given))

    def _sent(self, chat: str, number: int, given: str) -> Line:
        count = len(self.outside.sent) + 1
        what: dict[str, Any]
        if given.startswith("!"):
            update, what = f"signal:{count}", {"signal": given[1:]}
        elif given.startswith("$"):
            update, what = f"world:{count}", happening(self.outside, chat, given)
        else:
            body = body_of(self.outside, chat, given)
            user = chat.partition(":")[2]
            update = f"telegram:{BOT}:cb:{count}" if "press" in body else f"telegram:{BOT}:{user}:{count}"
            what = {"body": body}
        self.outside.write("sent", update=update, chat=chat, number=count, round=number, **what)
        self.points("sent")
        return self.outside.sent[update]

    async def _bring(self, line: Line) -> None:
        """The channel brings it: sometimes again at once, sometimes something old with it."""
        if self.chance.random() < self.plan.doubles:
            old = self.chance.choice([*self.outside.sent.values()])
            self.tasks.add(asyncio.create_task(self._brought(self.chance.choice((line, old)))))
        await self._brought(line)

    async def _brought(self, line: Line) -> None:
        with suppress(StoreError):  # the other side keeps what was not taken, and brings it again
            if "chain" in line:  # it has come to pass, whether anybody looks or not
                self.outside.write("taken", update=line["update"])
            elif "hook" in line:
                await self.hooks.bring(line)
            else:
                await (self.signals if "signal" in line else self.channel).bring(line)

    async def _gathered(self) -> None:
        tasks, self.tasks = self.tasks, set()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    # --- what comes of it -------------------------------------------------------------------------------

    def _wrong(self, number: int) -> dict[str, str]:
        """Customers who do not see what they would see without any fault."""
        if self.outside.wrong:
            return {"": "; ".join(self.outside.wrong)}
        if self.reference is None:
            return {}
        found = self._differs(self.reference, number)
        return found if all(self._differs(twin, number) for twin in self.reference.twins) else {}

    def _differs(self, reference: Reference, number: int) -> dict[str, str]:
        found = {}
        for chat in self.script.customers:
            expected = reference.expected(chat, number, notices=not self.troubled)
            got = reference.seen(chat, self.outside.told[chat], notices=not self.troubled)
            if expected != got:
                found[chat] = f"{chat}: {difference(expected, got)}"
        return found

    def _asked(self, chat: str, number: int) -> bool:
        told = [line for line in self.outside.told[chat] if line["round"] == number]
        if not asks_again(told) or self.reference is None:
            return False
        expected = self.reference.expected(chat, number, notices=not self.troubled)
        got = transcript(self.outside.told[chat], notices=not self.troubled)
        return len(got) < len(expected) and got == expected[: len(got)]

    async def _settle(self) -> None:
        """Until nothing happens by itself any more: what is tried again later gets its time."""
        spent = 0.0
        while not await self._settled():
            if spent > 10:
                self._mend()
            step = 2.0 if spent < 60 else 31.0
            spent += step
            if spent > PATIENCE:
                raise Wrong(f"it does not settle: {await self._left()}")
            self._turn(step)

    async def _settled(self) -> bool:
        try:
            await self.runtime.run_due()
            lost = self.outside.unacknowledged()
            if lost:
                await asyncio.gather(*(self._brought(line) for line in lost))
                await self.runtime.run_due()
            return not (await self._left())
        except StoreError:
            return False

    async def _left(self) -> list[str]:
        """What is not over."""
        found = []
        if await self.runtime.unfinished():
            found.append("calls or messages")
        now = self.clock.now()
        found += [f"timer {row.name}" for row in await self.store.due_timers(now)]
        found += [f"end of {item.id}" for item in await self.store.due_expirations(now)]
        if lost := self.outside.unacknowledged():
            found.append(f"{len(lost)} updates")
        if self.house.shop:
            found += await left(self)
        return found

    def _turn(self, seconds: float) -> None:
        if seconds > 0:
            self.outside.write("clock", at=self.outside.clock + seconds)
            self.clock.advance(seconds)

    # --- faults -----------------------------------------------------------------------------------------

    def _set(self, number: int, fault: Fault) -> None:
        self.points.at(fault.at, lambda: self._begin(number, fault))
        self.points.at(fault.at + fault.lasts, lambda: self._end(number))

    def _begin(self, number: int, fault: Fault) -> None:
        """Maybe in the driver's thread."""
        with self.weather:
            self._breaks(number, fault)

    def _end(self, number: int) -> None:
        with self.weather:
            self._mended(number)

    def _breaks(self, number: int, fault: Fault) -> None:
        self.running[number] = fault
        self.outside.write("fault", fault=fault.kind, life=self.number, point=self.points.count)
        match fault.kind:
            case "phones":
                self.phones.down = True
            case "clock":
                self.clock.offset = timedelta(seconds=fault.amount)
            case kind if self.database is not None:
                self.database.begin(kind)
            case "gone" if self.place.holder is not None:
                self.place.holder("gone")
            case "busy" if self.place.holder is not None:
                self.place.holder("hold")

    def _mended(self, number: int) -> None:
        fault = self.running.pop(number, None)
        if fault is None:
            return
        match fault.kind:
            case "phones":
                self.phones.down = False
            case "clock":
                self.clock.offset = timedelta()
            case kind if self.database is not None:
                self.database.end(kind)
            case "busy" if self.place.holder is not None:
                self.place.holder("free")

    def _mend(self) -> None:
        """Somebody has seen to it."""
        for number in list(self.running):
            self._end(number)

    def _plugin_fault(self, name: str, key: str) -> str | None:
        chat = key_chat(self.outside, name, key)
        count = sum(number for (other, _), number in self.outside.asked.items() if other == name)
        if self.plan.plugins == 0 or self.outside.asked[name, key] > PLUGIN_FAULTS or count > 4 * PLUGIN_FAULTS:
            return None
        chance = random.Random(f"{self.plan.seed} {name} {chat} {count}")
        if chance.random() >= self.plan.plugins:
            return None
        fault = chance.choice(FAULTS)
        if name in ("ring", "refund") and fault.startswith("rubbish"):
            return None  # not tried again, by contract: nobody could do it again
        self.outside.write("fault", fault=f"plugin {fault}", life=self.number, point=self.points.count)
        return fault


ADDRESS = re.compile(r" (object )?at 0x[0-9a-f]+")


def key_chat(outside: Outside, name: str, key: str) -> str:
    """A key begins with the conversation."""
    return name + key.partition("/")[2]


def _tell_tasks(loop: asyncio.AbstractEventLoop, life: Life) -> None:
    """It hangs: where is everybody?"""
    print("point", life.points.count, "under way:", list(life.running.values()), file=sys.stderr)
    for task in asyncio.all_tasks(loop):
        task.print_stack(limit=8, file=sys.stderr)
    sys.stderr.flush()


def main(
    house: House,
    place: Place,
    plan: Plan,
    number: int,
    reference: Reference | None,
    *,
    calm: bool = False,
    warm: bool = False,
) -> int:
    """Live. The exit code. `calm`: this start was refused before; it is repeated without kill and faults.
    `warm`: only to have everything made that is made when it is first used."""
    if not warm:
        gc.disable()
    logging.disable(logging.CRITICAL if not os.environ.get("CHAOS_LOG") else logging.NOTSET)
    if plan.broken:
        broken.VARIANTS[plan.broken]()
    life = Life(house, place, plan, number, reference, calm=calm)
    loop = Loop(life.points)
    asyncio.set_event_loop(loop)
    loop.add_signal_handler(signal.SIGUSR1, _tell_tasks, loop, life)
    try:
        loop.run_until_complete(life.live())
    except Wrong as wrong:
        life.outside.write("wrong", life=number, text=str(wrong))
        return WRONG
    except StoreError as error:
        life.outside.write("refused", life=number, text=str(error))
        return REFUSED
    return 0
