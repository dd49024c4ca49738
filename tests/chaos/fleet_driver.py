"""The driver of a fleet: plays the customers, turns the clock that all share, and judges. Nobody kills it."""

import asyncio
import random
import time
from typing import Any

from tests.chaos.channel import BOT, body_of
from tests.chaos.child import WRONG, Wrong
from tests.chaos.fleet_work import POLL, Site, home
from tests.chaos.oracle import difference, transcript
from tests.chaos.outside import Outside
from tests.chaos.script import BY_NAME, HOUR

PATIENCE = 1000.0
"""Seconds of the shared clock in which everything must settle."""
LEFT = """
SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM pending_calls) AS calls,
    (SELECT count(*) FROM inbox) AS letters, (SELECT count(*) FROM timers WHERE due <= $1) AS timers,
    (SELECT count(*) FROM conversations WHERE finished_at IS NULL AND expires_at <= $1) AS ends,
    (SELECT count(*) FROM signals AS s WHERE EXISTS
        (SELECT 1 FROM conversations AS c WHERE c.flow = s.flow AND c.key = s.key)) AS signals
"""


class Driver:
    """Plays the customers, round by round."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.outside = Outside(site.outside)
        self.script = BY_NAME[site.plan.script]
        self.chance = random.Random(f"driver {site.plan.seed}")

    async def drive(self) -> None:
        import asyncpg

        self.line: Any = await asyncpg.connect(self.site.url)
        for number in range(self.script.rounds):
            self.site.clock.turn(max(0.0, number * HOUR - self.site.clock.seconds))
            await self._settle()
            chats = list(self.script.customers)
            self.chance.shuffle(chats)
            for chat in chats:
                for given in self.script.inputs(chat, number):
                    self._send(chat, number, given)
            await self._settle()
            if wrong := self._wrong(number):
                raise Wrong(f"after round {number}: {'; '.join(wrong)}")
            self.outside.write("round", number=number + 1)
        await self.line.close()
        self.outside.write("stop")

    def _send(self, chat: str, number: int, given: str) -> None:
        count = len(self.outside.sent) + 1
        workers = self.site.plan.workers
        slots = [home(chat, workers)]
        if self.chance.random() < self.site.plan.doubles:
            slots.append(self.chance.randrange(workers))
        what: dict[str, Any]
        if given.startswith("!"):
            update, what = f"signal:{count}", {"signal": given[1:]}
        else:
            body = body_of(self.outside, chat, given)
            user = chat.partition(":")[2]
            update = f"telegram:{BOT}:cb:{count}" if "press" in body else f"telegram:{BOT}:{user}:{count}"
            what = {"body": body}
        self.outside.write("sent", update=update, chat=chat, number=count, round=number, slots=slots, **what)

    async def _settle(self) -> None:
        began, spent, quiet = time.monotonic(), 0.0, 0
        while quiet < 2:
            await asyncio.sleep(POLL)
            self.outside.refresh()
            left = await self._left()
            if not left:
                quiet += 1
                continue
            quiet = 0
            if time.monotonic() - began > 0.08:
                began = time.monotonic()
                step = 2.0 if spent < 200 else 10.0
                spent += step
                self.site.clock.turn(step)
            if spent > PATIENCE:
                raise Wrong(f"it does not settle: {left}")

    async def _left(self) -> dict[str, int]:
        now = round(self.site.clock.now().timestamp() * 1000)
        found = {name: number for name, number in dict(await self.line.fetchrow(LEFT, now)).items() if number}
        if lost := self.outside.unacknowledged():
            found["updates"] = len(lost)
        return found

    def _wrong(self, number: int) -> list[str]:
        found = list(self.outside.wrong)
        for chat in self.script.customers:
            expected = self.site.reference.expected(chat, number, notices=False)
            got = transcript(self.outside.told[chat], notices=False)
            if expected != got:
                found.append(f"{chat}: {difference(expected, got)}")
        return found


def drive(site: Site) -> int:
    driver = Driver(site)
    try:
        asyncio.run(driver.drive())
    except Wrong as wrong:
        driver.outside.write("wrong", text=str(wrong))
        return WRONG
    return 0
