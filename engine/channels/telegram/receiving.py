"""Everything that comes in from Telegram, exactly once and in order: marks, inbox, one queue per chat, the engine.

An update is committed before it is handled. What was missed is fetched at the start, after every reconnect, when a
number is missing, and every quarter of an hour.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, Protocol

from pyrogram import raw

from engine.channels.telegram.difference import missed, present
from engine.channels.telegram.downloads import Progress
from engine.channels.telegram.faults import name_of, seconds_of
from engine.channels.telegram.handling import Engine, Handling
from engine.channels.telegram.inbox import Inbox, state_name
from engine.channels.telegram.keeping import Keeping
from engine.channels.telegram.lanes import Lanes
from engine.channels.telegram.marks import Marks, Order, numbers_of, read, written
from engine.channels.telegram.presses import Presses
from engine.channels.telegram.reading import Incoming, Pressed, foreign_chat, foreign_press, incoming_of
from engine.runtime.files import FileStore
from engine.runtime.journal import Entry, Journal
from engine.runtime.ports import Clock, Outgoing

T = raw.types

GAP: Final = 0.5
"""Seconds that a missing update has to arrive by itself before it is fetched."""
EVERY: Final = 900.0
"""Seconds between two looks at whether anything was missed without a sign."""
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 60.0
"""Seconds until what was missed is asked for again, when that failed; doubled each time."""
MANY: Final = 10_000
"""Updates that may wait for being handled; while there are more, no more of what was missed is fetched."""
BREATH: Final = 0.1
"""Seconds between two looks at how many there are."""
KNOWN_GROUPS: Final = 1000

log = logging.getLogger("stepgram.telegram")

Arrived = tuple[Any, Mapping[int, Any]] | None
"""A raw update and the users that came with it; None: only a number."""


class Connection(Protocol):
    """The line, as far as receiving needs it."""

    connected: list[Callable[[], Awaitable[None]]]
    results: list[Callable[[Any], None]]

    @property
    def client(self) -> Any: ...

    @property
    def bot_id(self) -> int: ...

    @property
    def username(self) -> str: ...


class Answers(Protocol):
    """The Telegram channel, as far as receiving needs it."""

    async def deliver(self, outgoing: Outgoing) -> None: ...

    async def acknowledge(self, query_id: int) -> None:
        """Answer a press with nothing, unless it was answered."""
        ...

    def heard(self, chat: str) -> None:
        """The customer of this chat has done something: they can be written to."""
        ...


class Receiver:
    """Give `received` to the line's `start`, after `start` of this one."""

    def __init__(
        self,
        *,
        line: Connection,
        engine: Engine,
        journal: Journal,
        seen: Callable[[str], Awaitable[bool]],
        files: FileStore,
        clock: Clock,
        channel: Answers,
        progress: Progress | None = None,
        keeping: Keeping | None = None,
        gap: float = GAP,
        every: float = EVERY,
    ) -> None:
        """`seen`: whether the engine has handled an update, by its key. `progress` hears of each piece of a file.
        `keeping`: the one that the channel writes with."""
        self._line = line
        self._journal = journal
        self._clock = clock
        self._channel = channel
        self._gap_seconds = gap
        self._every = every
        self._handling = Handling(
            line=line,
            engine=engine,
            journal=journal,
            seen=seen,
            files=files,
            clock=clock,
            channel=channel,
            progress=progress,
        )
        self._presses = Presses(channel.acknowledge)
        self._lanes: Lanes[tuple[Entry, Incoming]] = Lanes(self._handle)
        self._inbox = Inbox(journal=journal, keeping=keeping or Keeping(journal), clock=clock, hand=self._hand)
        self._order: Order[Arrived] = Order()
        self._marks = Marks(pts=0)
        self._catching = asyncio.Lock()
        self._asked = False
        self._gap: asyncio.Task[None] | None = None
        self._retry: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE
        self._tasks: set[asyncio.Task[None]] = set()
        self._groups: set[str] = set()
        self._left: dict[int, bool] = {}
        """Presses from before the start: they may still be spinning; whether each has been handled by now."""
        self._stopped = False

    @property
    def waiting(self) -> int:
        """Updates that were kept and are not handled yet."""
        return self._lanes.waiting

    async def start(self) -> None:
        """Hand over what the last process did not handle, then listen. Before the line's `start`."""
        left = await self._inbox.begin()
        self._left = {item.body.query: False for item in left if isinstance(item.body, Pressed)}
        for item in left:
            self._channel.heard(item.chat)  # what comes now still is asked for
        if left:
            log.info("%d updates were left from before the start", len(left))
        self._line.connected.append(self.catch_up)
        self._line.results.append(self.noted)
        self._spawn(self._now_and_then(), "telegram catching up")

    async def stop(self, patience: float = 5.0) -> None:
        """Take nothing more, wait so many seconds for what is being handled; the rest is handled after the next
        start. Before the line's `stop`."""
        self._stopped = True
        if self.catch_up in self._line.connected:
            self._line.connected.remove(self.catch_up)
            self._line.results.remove(self.noted)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lanes.stop(patience)
        await self._presses.stop()
        await self._inbox.stop()

    # --- what arrives -----------------------------------------------------------------------------------

    async def received(self, updates: Any) -> None:
        """Take one raw `Updates` object. Returns when it is in order, not when it is handled."""
        if self._stopped:
            return
        if isinstance(updates, T.UpdatesTooLong | T.UpdateShortMessage):
            self._ask()  # a short message does not say who wrote: it is fetched whole
            return
        users = {user.id: user for user in getattr(updates, "users", ())}
        ready: list[Arrived] = []
        for update in _updates_of(updates):
            ready += self._placed(update, users)
        self._take_in(ready)

    def noted(self, answer: Any) -> None:
        """What one of our own calls gave back: its numbers are no gap. The account's state (the line looks at it now
        and then) tells whether something was lost without a sign."""
        if self._stopped:
            return
        if isinstance(answer, T.updates.State):
            if self._gap is None and self._order.pts is not None and answer.pts > self._order.pts:
                self._gap = self._spawn(self._close_gap(answer.pts), "telegram gap")
            return
        ready: list[Arrived] = []
        for update in _updates_of(answer):
            numbers = numbers_of(update)
            if numbers is not None:
                ready += self._order.place(*numbers, None)
        self._take_in(ready)

    def _placed(self, update: Any, users: Mapping[int, Any]) -> list[Arrived]:
        numbers = numbers_of(update)
        return [(update, users)] if numbers is None else self._order.place(*numbers, (update, users))

    def _take_in(self, ready: Iterable[Arrived]) -> None:
        """These are next in order: into the inbox with them."""
        if self._order.holding and self._order.pts is not None and self._gap is None:
            self._gap = self._spawn(self._close_gap(), "telegram gap")
        incoming = self._read(ready)
        if self._order.pts is not None and self._order.pts > self._marks.pts:
            self._marks = Marks(pts=self._order.pts, qts=self._marks.qts, date=self._marks.date)
            self._inbox.put(self._line.bot_id, incoming, self._marks)
        elif incoming:
            self._inbox.put(self._line.bot_id, incoming, None)

    def _read(self, arrived: Iterable[Arrived]) -> list[Incoming]:
        found: list[Incoming] = []
        for item in arrived:
            if item is None:
                continue
            update, users = item
            try:
                incoming = incoming_of(update, users)
            except Exception:
                log.exception("an update of the kind %s could not be read: it is left out", type(update).__name__)
                continue
            if incoming is None:
                self._leave_out(update)
                continue
            self._channel.heard(incoming.chat)
            if isinstance(incoming.body, Pressed):
                self._presses.arrived(incoming.body.query)
            found.append(incoming)
        return found

    def _leave_out(self, update: Any) -> None:
        """Nothing for us. Buttons stop spinning all the same, and of a group there is one line in the log."""
        query = foreign_press(update)
        if query is not None:
            self._presses.close(query)
        chat = foreign_chat(update)
        if chat is not None and chat not in self._groups and len(self._groups) < KNOWN_GROUPS:
            self._groups.add(chat)
            log.info("messages in %s are not answered: this bot speaks with each customer alone", chat)

    # --- what was missed --------------------------------------------------------------------------------

    async def catch_up(self) -> None:
        """Fetch everything since the last mark and keep it. A failure is logged and repeated later."""
        if self._asked or self._stopped:
            return
        self._asked = True
        while self._left:
            query, handled = self._left.popitem()
            (self._presses.close if handled else self._presses.arrived)(query)
        async with self._catching:
            self._asked = False
            try:
                await self._fetch()
            except Exception as error:
                log.warning("what was missed cannot be fetched now (%s): it is tried again", name_of(error))
                if self._retry is None:
                    self._retry = self._spawn(self._again(seconds_of(error) or 0), "telegram catching up again")
            else:
                self._pause = FIRST_PAUSE

    async def _fetch(self) -> None:
        bot, invoke = self._line.bot_id, self._line.client.invoke
        if self._order.pts is None:
            kept = read(await self._journal.value(state_name(bot)))
            self._marks = kept or await present(invoke)
            if kept is None:  # a bot that never ran here: it has missed nothing
                await self._journal.set_value(state_name(bot), written(self._marks))
                self._take_in(self._order.jump(self._marks.pts))
                return
        async for piece in missed(invoke, self._marks):
            incoming = self._read([(update, piece.users) for update in piece.updates])
            await self._inbox.put(bot, incoming, piece.marks, anew=piece.anew)
            self._marks = piece.marks
            self._take_in((self._order.reset if piece.anew else self._order.jump)(piece.marks.pts))
            while self._lanes.waiting > MANY and not self._stopped:
                await self._clock.sleep(BREATH)

    def _ask(self) -> None:
        self._spawn(self.catch_up(), "telegram catching up")

    async def _close_gap(self, least: int = 0) -> None:
        try:
            await self._clock.sleep(self._gap_seconds)
            if self._order.holding or (self._order.pts is not None and self._order.pts < least):
                log.info("an update is missing: it is fetched")
                await self.catch_up()
        finally:
            self._gap = None

    async def _again(self, least: float) -> None:
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        await self._clock.sleep(max(pause, least))
        self._retry = None
        await self.catch_up()

    async def _now_and_then(self) -> None:
        while True:
            await self._clock.sleep(self._every)
            await self.catch_up()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- what is handled --------------------------------------------------------------------------------

    def _hand(self, entry: Entry, incoming: Incoming) -> None:
        self._lanes.add(entry.chat, (entry, incoming))

    async def _handle(self, item: tuple[Entry, Incoming]) -> None:
        entry, incoming = item
        if await self._handling.handle(entry, incoming):
            self._inbox.settle(entry.id)
        if isinstance(incoming.body, Pressed):
            if incoming.body.query in self._left:
                self._left[incoming.body.query] = True
            self._presses.handled(incoming.body.query)


def _updates_of(updates: Any) -> Iterable[Any]:
    """The single updates of a raw object; of an answer to a call, whatever has numbers."""
    match updates:
        case T.Updates(updates=several) | T.UpdatesCombined(updates=several):
            return list(several)
        case T.UpdateShort(update=update):
            return [update]
        case _:
            return [updates]
