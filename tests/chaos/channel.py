"""The channel of the chaos customers: brings updates (again and again), carries messages out, can be down.

As Telegram does it: what was not acknowledged comes again after a restart; a message's id makes a repeat harmless.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from engine.channels.telegram.inbox import Inbox, state_name
from engine.channels.telegram.keeping import Keeping
from engine.channels.telegram.marks import Marks, read
from engine.channels.telegram.reading import Incoming, Pressed, Words, event_of
from engine.core.effects import Show
from engine.runtime.journal import Entry
from engine.runtime.outbox import callback_data, decode
from engine.runtime.ports import Clock, Envelope, Outgoing, Store
from engine.runtime.runtime import Runtime
from tests.chaos.outside import Line, Outside

BOT = 7


class Phones:
    """The customers' screens."""

    def __init__(self, outside: Outside, point: Callable[[str], None]) -> None:
        self._outside = outside
        self._point = point
        self.down = False

    async def deliver(self, outgoing: Outgoing) -> None:
        self._point("before delivery")
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionError("no network")
        read = decode(outgoing)
        effect = read.effect
        rows = effect.rows if isinstance(effect, Show) else ()
        self._outside.write(
            "told",
            id=outgoing.id,
            chat=outgoing.chat,
            sequence=outgoing.sequence,
            what=outgoing.kind,
            text=effect.text,
            edit=isinstance(effect, Show) and effect.edit,
            surface=outgoing.surface,
            draw=effect.draw if isinstance(effect, Show) else 0,
            buttons=[[press.text, press.code] for row in rows for press in row],
            reply_to=read.reply_to,
            round=self._outside.round,
        )
        self._point("after delivery")
        await asyncio.sleep(0)


def body_of(outside: Outside, chat: str, given: str) -> dict[str, Any]:
    """What the customer does, once and for all: a press names the button that they see now."""
    if given.startswith("["):
        return {"press": _button(outside, chat, given[1:-1])}
    return {"text": given}


def _button(outside: Outside, chat: str, label: str) -> str:
    for told in reversed(outside.told[chat]):
        for text, code in told["buttons"]:
            if label in text:
                return callback_data(told["surface"], told["draw"], code)
    return f"nothing.1.1.{label}"  # they press what is not there: the run differs, and says where


def _incoming(line: Line) -> Incoming:
    body = line["body"]
    number = line["number"]
    user = int(line["chat"].partition(":")[2])
    if "press" in body:
        return Incoming(user=user, body=Pressed(data=body["press"], query=number), name="Someone")
    return Incoming(user=user, body=Words(text=body["text"]), message=number, name="Someone")


class Impatient:
    """The script's clock, on which the channel's own pauses after a failed write are short and real."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.003))


class Direct:
    """Updates go straight to the engine, which acknowledges what it has committed."""

    def __init__(self, outside: Outside, runtime: Runtime, clock: Clock) -> None:
        self._outside = outside
        self._runtime = runtime
        self._clock = clock

    async def begin(self) -> None:
        """Nothing is kept here."""

    async def end(self) -> None:
        """Nothing is kept here."""

    async def bring(self, line: Line) -> bool:
        """One update; returns when it has been handled. False: the customer was told that it could not be."""
        good = await self._runtime.handle(envelope_of(line, self._clock))
        self._outside.write("taken", update=line["update"], good=good)
        return good

    def again(self) -> list[Line]:
        """What the other side sends after a start."""
        return self._outside.unacknowledged()


def envelope_of(line: Line, clock: Clock) -> Envelope:
    """The update as the engine gets it."""
    incoming = _incoming(line)
    event = event_of(incoming.body, clock.now(), "chaos_bot")
    return Envelope(chat=line["chat"], update=incoming.key(BOT), what=event, name=incoming.name)


class Kept:
    """Updates go through Telegram's durable inbox. Acknowledged is what is committed there; how far that is, is noted
    a moment later, so that after a kill much comes again."""

    def __init__(self, outside: Outside, runtime: Runtime, clock: Clock, store: Store) -> None:
        self._outside = outside
        self._runtime = runtime
        self._clock = clock
        self._journal = store.journal
        self._inbox = Inbox(
            journal=store.journal, keeping=Keeping(store.journal), clock=Impatient(clock), hand=self._hand
        )
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._queues: dict[str, list[tuple[Entry, Incoming]]] = {}
        self._marks: Marks | None = None

    async def begin(self) -> None:
        """Hand over what the last process did not handle."""
        self._marks = read(await self._journal.value(state_name(BOT)))
        await self._inbox.begin()
        await self._handled()

    async def end(self) -> None:
        await self._inbox.stop()

    async def bring(self, line: Line) -> bool:
        number = line["number"]
        self._outside.write("brought", update=line["update"])
        await self._inbox.put(BOT, [_incoming(line)], Marks(pts=number))
        self._outside.write("taken", update=line["update"])
        await self._handled()
        return True

    def again(self) -> list[Line]:
        """Everything behind the mark that was noted, as Telegram gives it; what was acknowledged is among it."""
        reached = self._marks.pts if self._marks is not None else 0
        lost = {line["update"] for line in self._outside.unacknowledged()}
        return [
            line
            for key, line in self._outside.sent.items()
            if "body" in line and (line["number"] > reached or key in lost)
        ]

    def _hand(self, entry: Entry, incoming: Incoming) -> None:
        self._queues.setdefault(entry.chat, []).append((entry, incoming))
        lane = self._lanes.get(entry.chat)
        if lane is None or lane.done():
            self._lanes[entry.chat] = asyncio.create_task(self._drain(entry.chat), name=f"inbox {entry.chat}")

    async def _drain(self, chat: str) -> None:
        queue = self._queues[chat]
        while queue:
            entry, incoming = queue.pop(0)
            event = event_of(incoming.body, self._clock.now(), "chaos_bot")
            await self._runtime.handle(Envelope(chat=chat, update=entry.key, what=event, name=incoming.name))
            self._inbox.settle(entry.id)

    async def _handled(self) -> None:
        while busy := [lane for lane in self._lanes.values() if not lane.done()]:
            await asyncio.wait(busy)
        for lane in self._lanes.values():
            lane.result()


class Signals:
    """Somebody outside tells the bot something, until it is taken."""

    def __init__(self, outside: Outside, runtime: Runtime) -> None:
        self._outside = outside
        self._runtime = runtime

    async def bring(self, line: Line) -> bool:
        flow, key, name, payload = line["signal"].split(" ", 3)
        sent = await self._runtime.signal(flow, key, name, json.loads(payload), line["update"])
        if sent.refused:
            self._outside.wrong.append(f"a signal was refused: {line['signal']}")
        self._outside.write("taken", update=line["update"])
        return True


Bringing = Callable[[Line], Awaitable[bool]]


def in_disorder(lines: list[Line], chance: random.Random) -> list[Line]:
    """Another order of the chats; each chat's own order stays."""
    chats = [line["chat"] for line in lines]
    chance.shuffle(chats)
    queues: dict[str, list[Line]] = {}
    for line in lines:
        queues.setdefault(line["chat"], []).append(line)
    return [queues[chat].pop(0) for chat in chats]
