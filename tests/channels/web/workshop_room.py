"""A real engine with the workshop beside it, and one person's tab to look at."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.actions import Context, Money, action, money, source
from engine.actions.catalog import Catalog
from engine.channels.web.rigs import Rigs
from engine.channels.web.tabs import Tab, Tabs, chat_of
from engine.channels.web.workshop import Saved, Workshop
from engine.channels.web.workshop_observer import Watcher
from engine.core.effects import Show
from engine.runtime.clock import TurnedClock
from engine.runtime.journal import Entry, Person
from engine.runtime.outbox import decode
from engine.runtime.ports import Clock, Outgoing, Store
from storage.memory import MemoryStore
from tests.runtime.harness import Bot, Screen, assemble, offering

BUY = """
flow: buy
title: Buying
entry: {commands: [buy]}
expires: 2h
steps:
  what:
    ask: choice
    text: What?
    keyboard:
      from: shop.goods
      text: "{{ option.name }}"
      value: option.name
  many:
    ask: integer
    text: "How many of {{ what.name }}?"
    transitions:
      answered:
        - {to: many, if: answer > 100}
        - to: place
  # The order itself.
  place:
    do: shop.place
    with: {what: what.name, many: many}
    retry: {attempts: 3, first: 10s, factor: 2}
    transitions:
      placed: hold
      rejected: {to: what, text: "No: {{ outcome.reason }}"}
      failed: {to: what, text: "Broken: {{ failure.kind }}"}
  hold:
    text: Waiting for the money.
    wait:
      paid: {to: done}
      lost: {to: done}
      after: {time: 30m, to: late}
  late:
    text: Too late.
    end: late
  done:
    text: "Thanks, {{ place.number }}."
    end: completed
"""
DAY = date(2026, 1, 9)
ANNA = Person(id="anna", name="Anna", seen_at=datetime(2026, 1, 5, tzinfo=UTC))
BEN = Person(id="ben", name="Ben", seen_at=datetime(2026, 1, 5, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    name: str
    price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    number: str
    total: Money
    ready: date
    weight: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    reason: str


class Shop:
    """Counts what reaches the real actions."""

    def __init__(self) -> None:
        self.placed: list[tuple[str, int]] = []
        self.asked = 0

    def offers(self, *, transactional: bool = False) -> Catalog:
        @action(transactional=transactional)
        async def place(context: Context, *, what: str, many: int) -> Placed | Rejected:
            """Place an order."""
            self.placed.append((what, many))
            return Placed(
                number=f"N-{len(self.placed)}", total=money(5 * many, "EUR"), ready=DAY, weight=Decimal("1.5")
            )

        @source(transactional=transactional)
        async def goods(context: Context) -> list[Good]:
            """What there is."""
            self.asked += 1
            return [Good(name="Vase", price=money(5, "EUR")), Good(name="Cup", price=money(3, "EUR"))]

        return offering("shop", place, goods)


class Written(Screen):
    """A screen that keeps what it shows in the journal, as the browser chat does."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def deliver(self, outgoing: Outgoing) -> None:
        await super().deliver(outgoing)
        await self._store.journal.append(
            Entry(
                chat=outgoing.chat,
                at=outgoing.created_at,
                kind=outgoing.kind,
                key=f"out:{outgoing.id}",
                conversation=outgoing.surface.partition(".")[0],
                payload=b"{}",
            )
        )


class Saver:
    """Stands for what writes transcripts: remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, str]] = []
        self.answer: Saved | Exception = Saved(ok=True, path="flows/tests/x.yaml", passed=True, text="Saved.")

    async def __call__(self, *, chat: str, conversation: str | None, name: str) -> Saved:
        self.asked.append((chat, conversation, name))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Room:
    """Everything together. `tab` is Anna's; her pane is open."""

    def __init__(self, bot: Bot, workshop: Workshop, tabs: Tabs, watcher: Watcher, rigs: Rigs, saver: Saver) -> None:
        self.bot = bot
        self.workshop = workshop
        self.tabs = tabs
        self.watcher = watcher
        self.rigs = rigs
        self.saver = saver
        self.drawn: list[str] = []
        self.tab = self.tab_of(ANNA)

    @property
    def store(self) -> Store:
        return self.bot.app.store

    def tab_of(self, person: Person) -> Tab:
        tab = Tab(person)
        self.tabs.add(tab)
        self.workshop.attach(tab)
        return tab

    async def close(self) -> None:
        await self.workshop.stop()
        await self.bot.app.stop()

    async def says(self, tab: Tab | None = None, **message: Any) -> list[dict[str, Any]]:
        """A message of the page; what came back to that tab."""
        assert await self.workshop.command(tab or self.tab, message) is True
        await self.workshop.settled()
        return await received(tab or self.tab)

    async def refusal(self, tab: Tab | None = None, **message: Any) -> str:
        """The sentence that a message was refused with."""
        (error,) = [item for item in await self.says(tab, **message) if item["type"] == "error"]
        return str(error["text"])

    async def state(self, tab: Tab | None = None) -> dict[str, Any]:
        """The state that a tab would be sent now."""
        messages = await self.says(tab, type="workshop", open=True)
        return [item for item in messages if item["type"] == "state"][-1]

    async def entries(self, kind: str, chat: str = "web:anna") -> list[dict[str, Any]]:
        entries = await self.store.journal.entries(chat)
        return [json.loads(entry.payload) for entry in entries if entry.kind == kind]

    async def conversation(self, chat: str = "web:anna") -> str:
        return (await self.bot.app.runtime.chat(chat)).open[-1].id


async def received(tab: Tab) -> list[dict[str, Any]]:
    """Everything that was sent to a tab since it was asked last."""
    found = []
    while True:
        task = asyncio.ensure_future(tab.frame())
        await asyncio.sleep(0)
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return found
        frame = task.result()
        assert frame is not None
        found.append(json.loads(frame))


def of_type(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in messages if item["type"] == kind]


async def room(
    folder: Path,
    flows: Mapping[str, str],
    *,
    offers: Catalog | None = None,
    clock: Clock | None = None,
    store: Store | None = None,
) -> Room:
    clock = clock or TurnedClock()
    offers = offers or Shop().offers()
    store = store or MemoryStore()
    watcher, rigs = Watcher(), Rigs(clock.sleep)
    bot = assemble(
        folder,
        dict(flows),
        offers=offers,
        store=store,
        screen=Written(store),
        clock=clock,  # type: ignore[arg-type]
        observer=watcher,
        stand_in=rigs,
    )
    bot.chat = chat_of(ANNA.id)
    tabs, saver = Tabs(), Saver()
    drawn: list[str] = []

    def draw(program: Any) -> str:
        drawn.append(program.name)
        return f"<svg>{program.name}</svg>"

    workshop = Workshop(
        tabs=tabs,
        runtime=bot.app.runtime,
        store=store,
        journal=store.journal,
        catalog=bot.app.catalog,
        clock=clock,
        loaded=lambda: bot.app.loaded,
        draw=draw,
        save_test=saver,
        watcher=watcher,
        rigs=rigs,
    )
    await bot.app.start()
    made = Room(bot, workshop, tabs, watcher, rigs, saver)
    made.drawn = drawn
    return made


def shown_labels(room: Room) -> list[str]:
    shows = [effect for row in room.bot.screen.rows if isinstance(effect := decode(row).effect, Show)]
    return [press.text for row in shows[-1].rows for press in row]
