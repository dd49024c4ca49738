"""A bot that takes orders for parcels, as `stepgram run` in a process of its own, and customers who order.

For tests of crashes and crowds: what each customer has to see at the end is known, and what the backend has to get.
"""

import asyncio
import random
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pyrogram import raw

from tests.backend import Backend
from tests.cli.terminal import surroundings
from tests.telegram.direct import DirectCustomer
from tests.telegram.server import API_HASH, API_ID, Account, Refusal, TelegramServer

BOT_YAML = """
bot: Parcels
languages: [en]
allowed_hosts: [127.0.0.1]
retry:
  patient: {{attempts: 8, first: 1s, factor: 1, longest: 1s}}
settings:
  api: {api}
"""
PARCEL = """
flow: parcel
title: A parcel
entry: {commands: [parcel]}
steps:
  name: {ask: text, text: "What is your name?"}
  size:
    ask: choice
    text: "Which size, {{ name }}?"
    keyboard: {small: Small, large: Large}
  inside: {ask: text, text: "What is inside?"}
  confirm:
    ask: choice
    text: "{{ name }}: {{ size }}, {{ inside }}. Shall we?"
    keyboard: [[{text: Order, trigger: order}]]
    transitions: {order: place}
  place:
    do: http.post
    with:
      url: "{{ settings.api }}/orders"
      json: {name: name, size: size, inside: inside}
    save: order
    retry: patient
    transitions: {ok: first, not_found: lost, refused: lost, failed: lost}
  first: {text: "Thank you, {{ name }}.", transitions: placed}
  placed: {text: "Your parcel is on its way, {{ name }}.", end: completed}
  lost: {text: "It did not work.", end: failed}
"""
LETTER = """
flow: letter
title: A letter
entry: {commands: [letter]}
steps:
  to: {ask: text, text: "To whom?"}
  one: {ask: text, text: "First line for {{ to }}?"}
  two: {ask: text, text: "Second line after {{ one }}?"}
  sent: {text: "Dear {{ to }}: {{ one }}, {{ two }}.", end: completed}
"""
DRAWING = """
flow: drawing
title: A drawing
entry: {commands: [drawing]}
steps:
  sheet: {ask: file, text: "Your drawing?", max_size: 500 MB}
  kept: {text: "Kept {{ sheet.name }}.", end: completed}
"""
FLOWS: Mapping[str, str] = {"parcel": PARCEL, "letter": LETTER, "drawing": DRAWING}
SIZES = ("Small", "Large")
TOO_LATE = ("This question has been answered already.", "This conversation is over.")
"""Notices to a press that came when its button was of no use any more. A press that cannot wait for its notice is
answered with nothing, and the notice comes as a message then."""
PATIENCE = 60.0
"""Seconds that a customer waits for an answer."""


def expected(name: str, size: str, inside: str) -> list[str]:
    """Everything the bot says during one order, in order."""
    return [
        "What is your name?",
        f"Which size, {name}?",
        "What is inside?",
        f"{name}: {size.lower()}, {inside}. Shall we?",
        f"Thank you, {name}.",
        f"Your parcel is on its way, {name}.",
    ]


def project(folder: Path, backend: Backend) -> Path:
    """A folder of flows whose orders go to this backend."""
    place = folder / "flows"
    place.mkdir(parents=True)
    (place / "bot.yaml").write_text(BOT_YAML.format(api=backend.url), encoding="utf-8")
    for name, text in FLOWS.items():
        (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@dataclass(slots=True, kw_only=True)
class Bot:
    """`stepgram run`; the same files and session after every end. `async with Bot(…) as bot` starts it."""

    folder: Path
    account: Account
    environment: Mapping[str, str]
    process: asyncio.subprocess.Process | None = None
    output: list[str] = field(default_factory=list)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        await self.start()
        await self.is_up()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process is not None and self.process.returncode is None:
            await self.kill()

    async def start(self) -> None:
        """Begin; `up` is set when it says that it is there."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", "run",
            cwd=self.folder,
            env=surroundings(**{
                "PYTHONUNBUFFERED": "1",
                "TELEGRAM_API_ID": str(API_ID), "TELEGRAM_API_HASH": API_HASH, "TELEGRAM_BOT_TOKEN": self.account.token,
                "STEPGRAM_LOG_LEVEL": "WARNING",
                **self.environment,
            }),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := (await process.stdout.readline()).decode():
            self.output.append(line.rstrip("\n"))
            if "https://t.me/" in line:
                self.up.set()

    async def is_up(self, seconds: float = 100) -> None:
        try:
            await asyncio.wait_for(self.up.wait(), seconds)
        except TimeoutError:
            raise AssertionError("the bot does not come up: " + "\n".join(self.output)) from None

    async def settles(self, seconds: float = 60) -> None:
        """Until nothing waits in its database."""
        async with asyncio.timeout(seconds):
            while self.kept() != NOTHING:
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """As a power cut does."""
        assert self.process is not None
        self.process.kill()
        await self._gone()

    async def end(self) -> int:
        """Politely; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return await self._gone()

    async def _gone(self) -> int:
        assert self.process is not None
        assert self._reading is not None
        async with asyncio.timeout(60):
            code = await self.process.wait()
            await self._reading
        self.up.clear()
        return code

    def kept(self) -> "Kept":
        return kept(self.folder / "data" / "stepgram.sqlite3")

    @property
    def complaints(self) -> list[str]:
        """Lines of its log that tell of its own mistakes."""
        return [line for line in self.output if re.search(r"Traceback|left out|handed over|damaged|be written", line)]


@dataclass(slots=True, kw_only=True)
class Kept:
    """What waits in the database."""

    unhandled: int
    undelivered: int
    calls: int


def kept(database: Path) -> Kept:
    with closing(sqlite3.connect(database)) as connection:
        (unhandled,) = connection.execute("SELECT count(*) FROM journal WHERE handled = 0").fetchone()
        (undelivered,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
        (calls,) = connection.execute("SELECT count(*) FROM pending_calls").fetchone()
    return Kept(unhandled=unhandled, undelivered=undelivered, calls=calls)


NOTHING = Kept(unhandled=0, undelivered=0, calls=0)


@dataclass(slots=True, kw_only=True)
class Buyer:
    """A customer who orders one parcel. Everything they do depends on `chance` alone."""

    customer: DirectCustomer
    name: str
    size: str
    inside: str
    chance: random.Random
    waits: list[float] = field(default_factory=list)
    """Seconds from each deed to what the bot said to it."""
    done: bool = False

    @property
    def expected(self) -> list[str]:
        return expected(self.name, self.size, self.inside)

    async def buys(self) -> None:
        """From /parcel to the last word. Some write their name before they are asked, some tap twice."""
        says, chance = self.customer.says, self.chance
        if chance.random() < 0.2:
            await self._step(f"Which size, {self.name}?", lambda: says("/parcel"), lambda: says(self.name))
        else:
            await self._step("What is your name?", lambda: says("/parcel"))
            await self._step(f"Which size, {self.name}?", lambda: says(self.name))
        await self._pressed(self.size, "What is inside?")
        await self._step("Shall we?", lambda: says(self.inside))
        await self._pressed("Order", "Your parcel is on its way", fingers=chance.choice((1, 2)))
        self.done = True

    async def _step(self, answer: str, *deeds: Callable[[], Awaitable[Any]]) -> None:
        begun = time.monotonic()
        for deed in deeds:
            await deed()
        await self.customer.sees(answer, timeout=PATIENCE)
        self.waits.append(time.monotonic() - begun)

    async def _pressed(self, label: str, answer: str, *, fingers: int = 1) -> None:
        begun = time.monotonic()
        pressing = asyncio.gather(*(self._presses(label, answer) for _ in range(fingers)))
        await self.customer.sees(answer, timeout=PATIENCE)
        self.waits.append(time.monotonic() - begun)
        await pressing

    async def _presses(self, label: str, answer: str) -> None:
        """Again after every press that the bot did not answer, until its next message is there."""
        while self.customer.with_text(answer) is None:
            with suppress(Refusal):
                await self.customer.presses(label, timeout=PATIENCE)


def buyers(customers: Iterable[DirectCustomer], seed: str) -> list[Buyer]:
    """One order for each of them."""
    return [
        Buyer(
            customer=customer,
            name=f"Person {number}",
            size=SIZES[number % 2],
            inside=f"thing {number}",
            chance=random.Random(f"{seed} {number}"),
        )
        for number, customer in enumerate(customers, start=1)
    ]


def check_orders(backend: Backend, ordered: Sequence[Buyer]) -> None:
    """Each has one order at the backend."""
    wanted = [{"name": each.name, "size": each.size.lower(), "inside": each.inside} for each in ordered]
    assert sorted(backend.orders, key=str) == sorted(wanted, key=str)
    assert len(backend.keys) == len(wanted)


def check_told(ordered: Sequence[Buyer]) -> None:
    """Each has got every message of the bot once, in order."""
    told = {each.name: [text for text in each.customer.texts if text not in TOO_LATE] for each in ordered}
    wrong = [(told[each.name], each.expected) for each in ordered if told[each.name] != each.expected]
    assert not wrong, f"{len(wrong)} of {len(ordered)} were told something else, such as {wrong[0]}"


def told_late(ordered: Sequence[Buyer]) -> int:
    """How many notices to repeated presses came as messages."""
    return sum(text in TOO_LATE for each in ordered for text in each.customer.texts)


def sent_again(server: TelegramServer, account: Account) -> int:
    """How many sends of the bot were repeated ones that Telegram knew already."""
    sends = Counter(
        (call.peer, call.query.random_id)
        for call in server.calls
        if call.account is account and isinstance(call.query, raw.functions.messages.SendMessage)
    )
    return sum(sends.values()) - len(sends)
