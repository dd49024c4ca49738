"""Flows are swapped while fifty customers are in the middle of them: no update fails, no conversation is lost."""

import asyncio
import logging
from dataclasses import dataclass

from engine.actions import Context, action
from engine.core.events import TextReceived
from engine.runtime.clock import TurnedClock
from engine.runtime.ports import Envelope
from engine.runtime.routing import Command
from storage.sqlite_store import SqliteStore
from tests.runtime.harness import Screen, assemble, offering

CHATS, SWAPS, ROUNDS = 50, 100, 6

MAIN = """
flow: main
title: Main
entry: {commands: [go]}
expires: 24h
retention: 1d
steps:
  name: {ask: text, text: "Name? (%(version)s)", timeout: 6h, transitions: {answered: work, timeout: late}}
  work:
    do: shop.place
    with: {what: name}
    transitions: {failed: late}
  again:
    do: shop.place
    with: {what: name}
    transitions: {failed: late}
%(more)s
  inner: {call: child, transitions: {completed: nap}}
  nap: {text: "Wait.", wait: {never: {to: done}}, timeout: 1m, transitions: {timeout: done}}
  late: {text: Late., end: late}
  done: {text: "Done {{ name }}, {{ work.number }}", end: completed}
"""
CHILD = """
flow: child
title: Child
steps:
  size: {ask: text, text: "Size? (%(version)s)"}
%(more)s
  end: {end: completed}
"""
PASSED = '  note: {text: "Noted."}'
"""A step that nobody stands at: it may come and go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    number: str


def versions() -> list[dict[str, str]]:
    return [
        {"main": MAIN % {"version": "one", "more": ""}, "child": CHILD % {"version": "one", "more": ""}},
        {"main": MAIN % {"version": "two", "more": PASSED}, "child": CHILD % {"version": "two", "more": PASSED}},
    ]


class Customer:
    def __init__(self, app, screen, number):
        self.app, self.screen, self.chat = app, screen, f"web:c{number}"
        self.sent, self.good = 0, []

    async def sends(self, what):
        self.sent += 1
        self.good.append(await self.app.handle(Envelope(chat=self.chat, update=f"{self.chat}:{self.sent}", what=what)))

    async def sees(self, text, before):
        while not any(text in said for said in self.screen.texts(self.chat)[before:]):
            await asyncio.sleep(0.005)

    async def plays(self, clock):
        for _ in range(ROUNDS):
            before = len(self.screen.rows_of(self.chat))
            await self.sends(Command(name="go", payload=""))
            await self.sees("Name?", before)
            await self.sends(TextReceived(at=clock.now(), text="Anna"))
            await self.sees("Size?", before)
            await self.sends(TextReceived(at=clock.now(), text="L"))
            await self.sees("Done Anna", before)


class Rows(Screen):
    def rows_of(self, chat):
        return [row for row in self.rows if row.chat == chat]


async def test_swapped_a_hundred_times_under_fifty_customers(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    calls = set()

    @action()
    async def place(context: Context, *, what: str) -> Placed:
        """Place something, slowly."""
        calls.add(context.idempotency_key)
        await asyncio.sleep(0.003)
        return Placed(number=f"N-{what}")

    clock, screen = TurnedClock(), Rows()
    store = SqliteStore(tmp_path / "bot.sqlite3", synchronous="NORMAL")
    first, second = versions()
    bot = assemble(tmp_path, second, offers=offering("shop", place), store=store, screen=screen, clock=clock)
    libraries = [bot.app.library]
    for name, text in first.items():
        (tmp_path / "flows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert (await bot.app.reload()).report.ok
    libraries.append(bot.app.library)
    assert libraries[0].programs["main"].version != libraries[1].programs["main"].version
    await bot.app.start()
    customers = [Customer(bot.app, screen, number) for number in range(CHATS)]
    swapping = asyncio.create_task(swap(bot.app.runtime, libraries, bot.app.spoken, clock))
    try:
        async with asyncio.timeout(60):
            playing = asyncio.gather(*(customer.plays(clock) for customer in customers))
            await swapping
            while not playing.done():
                clock.turn(61)
                await asyncio.sleep(0.02)
            await playing
    finally:
        swapping.cancel()
        await bot.app.stop()
    assert all(all(customer.good) for customer in customers)
    assert [entry.getMessage() for entry in caplog.records] == []
    for customer in customers:
        said = screen.texts(customer.chat)
        assert sum("Done Anna, N-Anna" in text for text in said) == ROUNDS
        assert sum("Name?" in text for text in said) == ROUNDS
    await check_store(tmp_path, customers)


async def swap(runtime, libraries, spoken, clock):
    for number in range(SWAPS):
        runtime.use(libraries[number % 2], spoken)
        if number % 10 == 0:
            clock.turn(61)
        await asyncio.sleep(0.01)


async def check_store(folder, customers):
    """Every conversation came to its end, as the database has it."""
    store = SqliteStore(folder / "bot.sqlite3")
    await store.open()
    try:
        for customer in customers:
            assert await store.conversations(customer.chat) == ()
        assert await store.due_calls(TurnedClock().now().replace(year=9000), 10) == ()
        assert await store.undelivered() == ()
    finally:
        await store.close()
