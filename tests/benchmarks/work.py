"""The work that is measured: a print order of 13 customer events, walked through the real runtime.

Actions and sources answer at once in this process; the channel only notes that a message came.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from engine.actions import Context, File, action, source
from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.app import App, build
from engine.core.effects import Say, Show
from engine.core.events import FileReceived, TextReceived
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.observing import Observer, StandIn
from engine.runtime.outbox import callback_data, decode
from engine.runtime.ports import Channel, Envelope, Outgoing, Store
from engine.runtime.routing import CallbackPressed, Command
from engine.settings import Settings
from storage.memory import MemoryStore
from tests.runtime.harness import offering

PATIENCE = 120.0
"""Seconds after which a run that does not end is a failure."""
_COMMANDS = 99
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORDER = """
flow: print_order
title: 3D print order
entry: {commands: [order]}
expires: 24h
steps:
  service:
    ask: choice
    text: Which service do you need?
    keyboard: {from: shop.services, text: "{{ option.name }}", value: option.id}
  name:
    ask: text
    text: What is your name?
    validators: [length: {min: 2, max: 50}]
    save: contact.name
  email:
    ask: email
    text: Thanks, {{ contact.name }}. Where do we send the confirmation?
    save: contact.email
  phone:
    ask: phone
    text: Your phone number?
    optional: Skip
    save: contact.phone
  files:
    ask: files
    text: Send your models, one or several.
    accept: [.stl]
    count: {min: 1, max: 10}
    each: {do: shop.upload, with: {file: file}}
    done: That's all
  material:
    ask: choice
    text: Which material?
    keyboard: {columns: 2, options: {pla: PLA, petg: PETG, abs: ABS}}
    save: specs.material
  quality:
    ask: choice
    text: Which quality?
    keyboard: {draft: Draft, standard: Standard, high: High}
    save: specs.quality
  colour:
    ask: choice
    text: Which colour? These are in stock for {{ specs.material | upper }}.
    keyboard:
      from: shop.colours
      with: {material: specs.material}
      text: "{{ option.name }}"
      value: option.id
  delivery:
    ask: choice
    text: How do you want to get it?
    keyboard: {pickup: Pickup, shipping: Delivery}
    transitions: {pickup: confirm, shipping: address}
  address:
    ask: text
    text: The full address, please.
  confirm:
    ask: choice
    text: |
      <b>Please check your order</b>
      {{ contact.name }}, {{ contact.email }}{% if contact.phone %}, {{ contact.phone }}{% endif %}
      {{ service.name }}: {{ files | count }} {{ files | count | plural("file", "files") }}
      {{ specs.material | upper }}, {{ specs.quality }}, {{ colour.name }}
      {% if delivery == "shipping" and address %}Delivery to {{ address }}{% else %}Pickup{% endif %}
    keyboard:
      - [{text: Order, trigger: order}]
      - [{text: Change something, edit: [service, name, email, phone, files, material, quality, colour]}]
    transitions: {order: place}
  place:
    do: shop.place
    with: {service: service.id, material: specs.material, files: files}
    save: order
    transitions: {placed: done, failed: confirm}
  done:
    text: Thank you! Your order is <b>{{ order.number }}</b>.
    end: completed
"""
SCRIPT = (
    "/order", "[FDM", "A", "Anna Smith", "anna@example.com", "[Skip", "!cube.stl", "[That's all", "[PLA", "[Standard",
    "[Red", "[Pickup", "[Order",
)  # fmt: skip
"""`[` presses the button that begins so, `!` sends a file. The third input is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A service or a colour."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A file that was taken."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order that was taken."""

    number: str


@dataclass(slots=True)
class Shop:
    """Answers at once and remembers what was ordered, by idempotency key."""

    orders: dict[str, int] = field(default_factory=dict)

    def catalog(self) -> Catalog:
        """The shop's offers among the shipped ones."""

        @source()
        async def services(context: Context) -> list[Offer]:
            """What can be ordered."""
            return [Offer(id="fdm", name="FDM printing"), Offer(id="resin", name="Resin printing")]

        @source()
        async def colours(context: Context, *, material: str) -> list[Offer]:
            """What is in stock."""
            return [Offer(id="red", name="Red"), Offer(id="blue", name="Blue"), Offer(id="grey", name="Grey")]

        @action()
        async def upload(context: Context, *, file: File) -> Uploaded:
            """Take a file."""
            return Uploaded(id=file.ref)

        @action()
        async def place(context: Context, *, service: str, material: str, files: list[Uploaded]) -> Placed:
            """Take an order."""
            number = self.orders.setdefault(context.idempotency_key, len(self.orders) + 1)
            return Placed(number=f"P-{number}")

        mine = offering("shop", services, colours, upload, place)
        known = discover(entry_points=False)
        return replace(known, actions={**known.actions, **mine.actions}, sources={**known.sources, **mine.sources})


class Arrivals:
    """A channel that counts what arrives in each chat and lets somebody wait for it."""

    def __init__(self, keep: bool = False) -> None:
        self.rows: list[Outgoing] = []
        self.surfaces: dict[str, str] = {}
        self.total = 0
        self._keep = keep
        self._counts: dict[str, int] = {}
        self._waiting: dict[str, tuple[int, asyncio.Future[None]]] = {}

    async def deliver(self, outgoing: Outgoing) -> None:
        chat = outgoing.chat
        self.total += 1
        count = self._counts[chat] = self._counts.get(chat, 0) + 1
        if outgoing.surface:
            self.surfaces[chat] = outgoing.surface
        if self._keep:
            self.rows.append(outgoing)
        waiting = self._waiting.get(chat)
        if waiting is not None and count >= waiting[0]:
            del self._waiting[chat]
            waiting[1].set_result(None)

    async def wait(self, chat: str, count: int) -> None:
        """Return when so many messages have arrived in the chat since its beginning."""
        if self._counts.get(chat, 0) < count:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[chat] = (count, future)
            await future

    def forget(self, chat: str) -> None:
        """The chat is done with."""
        self._counts.pop(chat, None)
        self.surfaces.pop(chat, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of the script as it goes over the wire, and how many messages the chat has seen after it."""

    make: Callable[[str], object]
    """From the newest message's surface."""
    arrived: int


def folder_of(place: Path, more: int = 0) -> Path:
    """A folder with the order flow and so many others."""
    flows = place / f"flows{more}"
    flows.mkdir(parents=True, exist_ok=True)
    (flows / "print_order.yaml").write_text(ORDER, encoding="utf-8")
    for number in range(more):
        (flows / f"other{number}.yaml").write_text(other(number), encoding="utf-8")
    return flows


def other(number: int) -> str:
    """A small flow beside the measured one. Telegram takes no more than 100 commands: the rest is in the menu."""
    entry = f"commands: [other{number}]" if number < _COMMANDS else f"menu: Other {number}"
    return (
        f"flow: other{number}\ntitle: Other\nentry: {{{entry}}}\nsteps:\n"
        "  name:\n    ask: text\n    text: Name?\n"
        "  colour:\n    ask: choice\n    text: 'Colour, {{ name }}?'\n    keyboard: {red: Red, blue: Blue}\n"
        "  done:\n    text: 'Bye {{ name }}'\n    end: completed\n"
    )


def app_of(
    place: Path,
    store: Store,
    channel: Channel,
    catalog: Catalog,
    *,
    flows: int = 0,
    real: bool = True,
    observer: Observer | None = None,
    stand_in: StandIn | None = None,
) -> App:
    """The bot as it is shipped, on this store and channel; `real`: on the machine's clock."""
    return build(
        Settings(flows=folder_of(place, flows), files=place / "files"),
        channel=channel,
        store=store,
        clock=SystemClock() if real else ManualClock(NOON),
        catalog=catalog,
        environment={},
        observer=observer,
        stand_in=stand_in,
    )


async def learn(place: Path) -> Sequence[Input]:
    """Walk the script once by the labels on the buttons; afterwards no walk needs to read a message."""
    shop, channel = Shop(), Arrivals(keep=True)
    app = app_of(place, MemoryStore(), channel, shop.catalog(), real=False)
    inputs: list[Input] = []
    await app.start()
    for number, text in enumerate(SCRIPT):
        make = _input(text, channel.rows)
        what = make(channel.surfaces.get("bench:0", ""))
        assert await app.handle(Envelope(chat="bench:0", update=f"l{number}", what=what, name="Anna"))
        await app.run_due()
        inputs.append(Input(make=make, arrived=len(channel.rows)))
    await app.stop()
    last = decode(channel.rows[-1]).effect
    assert isinstance(last, Show | Say)
    assert "P-1" in last.text, last.text
    return inputs


def _input(text: str, rows: Sequence[Outgoing]) -> Callable[[str], object]:
    if text[0] == "/":
        return lambda _: Command(name=text[1:])
    if text[0] == "!":
        file = {"name": text[1:], "size": 1234, "mime": "model/stl", "ref": "abc", "kind": "document"}
        return lambda _: FileReceived(at=NOON, file=file)
    if text[0] != "[":
        return lambda _: TextReceived(at=NOON, text=text)
    draw, code = _button(text[1:], rows)
    return lambda surface: CallbackPressed(data=callback_data(surface, draw, code))


def _button(label: str, rows: Sequence[Outgoing]) -> tuple[int, str]:
    shown = next(effect for row in reversed(rows) if isinstance(effect := decode(row).effect, Show))
    for press in (press for line in shown.rows for press in line):
        if label in press.text:
            return shown.draw, press.code
    raise AssertionError(f"no button {label!r} under {shown.text!r}")


@dataclass(slots=True, kw_only=True)
class Bench:
    """A running bot and what is needed to send orders through it."""

    app: App
    channel: Arrivals
    inputs: Sequence[Input]
    shop: Shop
    customers: int = 0
    prefix: str = ""
    """What the customers' names begin with: others than those of another run on the same store."""

    async def order(self, waits: list[float], until: int | None = None) -> str:
        """One new customer's whole order, or its first `until` inputs; every wait for the answer is noted in
        seconds. The chat's id."""
        self.customers += 1
        chat = f"bench:{self.prefix}{self.customers}"
        for number, given in enumerate(self.inputs[:until]):
            begun = time.perf_counter()
            what = given.make(self.channel.surfaces.get(chat, ""))
            await self.app.handle(Envelope(chat=chat, update=f"{chat}.{number}", what=what, name="Anna"))
            await self.channel.wait(chat, given.arrived)
            waits.append(time.perf_counter() - begun)
        self.channel.forget(chat)
        return chat

    async def run(self, orders: int, in_flight: int = 1, until: int | None = None) -> "Run":
        """So many orders, at most `in_flight` at once."""
        waits: list[float] = []
        left = iter(range(orders))

        async def customer() -> None:
            for _ in left:
                await self.order(waits, until)

        begun, cpu = time.perf_counter(), time.process_time()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(customer() for _ in range(min(in_flight, orders))))
        return Run(seconds=time.perf_counter() - begun, cpu=time.process_time() - cpu, waits=waits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What it took: seconds in all, and for each event from the input to the last of its answers."""

    seconds: float
    waits: Sequence[float]
    cpu: float = 0.0
    """Seconds of processor time of the whole process: what a busy machine does not change."""
    events: int = 0
    """Customer events, where they are not as many as the waits."""

    @property
    def micros(self) -> float:
        """Microseconds per customer event."""
        return self.seconds * 1e6 / (self.events or len(self.waits))

    def percentile(self, part: float) -> float:
        """The wait in milliseconds that this part of all waits does not exceed."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(len(self.waits) * part))] * 1e3


@asynccontextmanager
async def bench(
    place: Path, store: Store, *, flows: int = 0, observer: Observer | None = None, stand_in: StandIn | None = None
) -> AsyncIterator[Bench]:
    """A bot at work on `store`, stopped at the end."""
    shop, channel = Shop(), Arrivals()
    inputs = await learn(place)
    app = app_of(place, store, channel, shop.catalog(), flows=flows, observer=observer, stand_in=stand_in)
    await app.start()
    try:
        yield Bench(app=app, channel=channel, inputs=inputs, shop=shop)
    finally:
        await app.stop()
