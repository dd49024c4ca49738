"""The running engine: queues, executor, deliveries, calls and timers wired together. Loads and reads no files."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from engine.actions.catalog import Catalog
from engine.core.conversation import Status
from engine.core.events import SignalReceived, TimerFired
from engine.core.values import Value
from engine.core.wording import Wording
from engine.runtime.activity import Activity
from engine.runtime.attempts import Attempts
from engine.runtime.beside import Beside
from engine.runtime.calls import Calls
from engine.runtime.chats import Chats, Loaded
from engine.runtime.committer import Committer
from engine.runtime.context import Contexts, Sessions
from engine.runtime.delivery import Deliveries
from engine.runtime.dispatcher import Dispatcher
from engine.runtime.executor import Executor
from engine.runtime.files import FileStore
from engine.runtime.fleet import Fleet
from engine.runtime.identity import IdSource
from engine.runtime.keeping import fleeting_of, retention_of
from engine.runtime.ledger import Ledger
from engine.runtime.library import Library
from engine.runtime.observing import Observer, StandIn
from engine.runtime.own_hands import OwnHands
from engine.runtime.play import Tools
from engine.runtime.ports import Channel, Chat, Clock, Envelope, Fenced, Store
from engine.runtime.routing import Addressed
from engine.runtime.sending import Sent
from engine.runtime.sharing import bucket_of
from engine.runtime.signals import Signals
from engine.runtime.surroundings import Granted, Members, Surroundings
from engine.runtime.timers import Timers

STOP_PATIENCE: Final = 5.0
"""Seconds that deliveries have to finish when the process stops; what is left goes out after the next start."""

_FAR: Final = datetime(9000, 1, 1, tzinfo=UTC)

log = logging.getLogger("stepgram.runtime")


class Runtime:
    """One bot at work on one store, speaking through one channel."""

    def __init__(
        self,
        *,
        library: Library,
        catalog: Catalog,
        wordings: Mapping[str, Wording],
        store: Store,
        channel: Channel,
        clock: Clock,
        ids: IdSource,
        files: FileStore,
        environment: Mapping[str, str],
        observer: Observer | None = None,
        stand_in: StandIn | None = None,
        granted: Granted | None = None,
        members: Members | None = None,
        committed: Callable[[str], None] | None = None,
        data: Path = Path("data/kept"),
        services: bool = True,
    ) -> None:
        """`observer` looks on, `stand_in` may answer for actions, `granted` gives roles beside those of bot.yaml, and
        `members` the chats that have one so: all for the workshop and for tests, none in production. `committed` hears
        after each commit whose chat it was. `data`: the folder where plugins keep small files. `services`: whether
        plugins' services run here."""
        self._store = store
        self._clock = clock
        self._catalog = catalog
        self._files = files
        self._ids = ids
        self._environment = environment
        self._observer = observer
        self._granted = granted
        self._members = members
        self._told = committed
        self.activity = Activity()
        self._sessions = Sessions()
        self.beside = Beside(
            catalog=catalog,
            store=store,
            clock=clock,
            ids=ids,
            activity=self.activity,
            library=lambda: self.library,
            contexts=lambda: self._executor.tools.contexts,
            sent=lambda rows: self._signals.sent(rows),  # noqa: PLW0108 - they are made later
            members=members,
            http=self._sessions.get,
            environment=environment,
            data=data,
            runs=services,
        )
        self._attempts = Attempts(clock=clock, observer=observer, stand_in=stand_in)
        self._committer = Committer(store)
        sharing = store.sharing
        self._deliveries = Deliveries(
            channel=channel,
            store=store,
            clock=clock,
            activity=self.activity,
            unwritten=self._wake,
            shared=sharing is not None,
        )
        self._executor = Executor(
            tools=self._tools(library, wordings),
            store=store,
            chats=Chats(store),
            committer=self._committer,
            deliveries=self._deliveries,
            channel=channel,
            clock=clock,
            committed=self._committed,
        )
        self._dispatcher = Dispatcher(self._handle, self._failed, self.activity)
        self._signals = self._make_signals()
        self._calls = self._make_calls()
        self._timers = Timers(
            store=store,
            clock=clock,
            calls=self._calls,
            deliveries=self._deliveries,
            signals=self._signals,
            post=self._dispatcher.post,
            retention=retention_of(library),
            discard=files.discard,
            cleans=lambda: self._fleet is None or self._fleet.leader,
        )
        self._fleeting = fleeting_of(self._timers.retention)
        self._loop: asyncio.Task[None] | None = None
        hands = OwnHands(
            store=store,
            clock=clock,
            dispatcher=self._dispatcher,
            calls=self._calls,
            executor=self._executor,
            deliveries=self._deliveries,
            signals=self._signals,
            timers=self._timers,
            told=committed,
        )
        self._fleet = None if sharing is None else Fleet(sharing=sharing, hands=hands, clock=clock, ids=ids)

    def _tools(self, library: Library, wordings: Mapping[str, Wording]) -> Tools:
        surroundings = Surroundings(library, wordings, self._granted)
        contexts = Contexts(
            library=library,
            surroundings=surroundings,
            store=self._store,
            files=self._files,
            http=self._sessions.get,
            environment=self._environment,
            works=self.beside.works,
            catalog=self._catalog,
            data=self.beside.data,
        )
        return Tools(
            library=library,
            catalog=self._catalog,
            surroundings=surroundings,
            contexts=contexts,
            attempts=self._attempts,
            ids=self._ids,
            observer=self._observer,
            members=self._members,
        )

    def _make_calls(self) -> Calls:
        return Calls(
            tools=lambda: self._executor.tools,
            store=self._store,
            clock=self._clock,
            activity=self.activity,
            post=self._dispatcher.post,
            chat=self._executor.chat,
            wake=self._wake,
            signal=self._signals.send,
        )

    def _make_signals(self) -> Signals:
        return Signals(
            store=self._store,
            clock=self._clock,
            ids=self._ids,
            activity=self.activity,
            library=lambda: self.library,
            post=self._dispatcher.post,
            over=self.handle,
            mine=self._mine,
            wake=self._wake,
        )

    # --- what is live -----------------------------------------------------------------------------------

    @property
    def library(self) -> Library:
        """The flows that are live."""
        return self._executor.tools.library

    def use(self, library: Library, wordings: Mapping[str, Wording]) -> None:
        """Other flows from now on, all at once: an update that is being handled ends with the old ones, every later
        one finds its conversations on the new ones (`Library.adopt`)."""
        self._executor.tools = self._tools(library, wordings)
        # Conversations of a flow that went away still go when their time is over.
        self._timers.retention = {**self._timers.retention, **retention_of(library)}
        self._fleeting = fleeting_of(self._timers.retention)
        log.info("%d flows are live", len(library.programs))

    def commands(self, chat: Chat) -> tuple[tuple[str, str], ...]:
        """(command, title as HTML) of everything that this customer may start, in their language; what the bot is for
        (flows with a `menu:` entry) comes first."""
        surroundings, now = self._executor.tools.surroundings, self._clock.now()
        world, menus = surroundings.world(chat), self.library.menus
        startable = sorted(surroundings.startable(surroundings.roles(chat)), key=lambda entry: entry[0] not in menus)
        return tuple((command, surroundings.menu_text(flow, world, now)) for flow, command in startable)

    def words(self, chat: Chat, key: str, **values: object) -> str:
        """A text of the engine's own in the customer's language."""
        return self._executor.tools.surroundings.world(chat).wording.say(key, **values)

    async def chat(self, chat: str) -> Loaded:
        """How a chat stands: its customer and their open conversations."""
        return await self._executor.chat(chat)

    # --- life -------------------------------------------------------------------------------------------

    async def start(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Take up everything that was left: undelivered messages, pending calls, timers that came due.

        `first` hands over what a channel had kept: what customers did in time goes before timers that came due since.
        """
        if self._fleet is not None:
            await self._fleet.start()
        self._deliveries.add(await self._store.undelivered())
        await self.beside.start()
        if first is not None:
            await first()
        self._loop = asyncio.create_task(self._timers.run(), name="timers")

    async def stop(self) -> None:
        """Take nothing more, finish what is at hand, leave the rest to the next start."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self.beside.stop()
        if self._fleet is not None:
            await self._fleet.drain()
        await self._signals.stop()
        await self._calls.stop()
        await self._dispatcher.stop()
        try:
            await asyncio.wait_for(self.activity.quiet(), STOP_PATIENCE)
        except TimeoutError:
            log.warning("stopping with work under way: it goes on after the next start")
        await self._deliveries.stop()
        await self._committer.close()
        if self._fleet is not None:
            await self._fleet.leave()
        await self._sessions.close()

    # --- work -------------------------------------------------------------------------------------------

    async def handle(self, envelope: Envelope) -> bool:
        """One update; returns when it is committed. False when it could not be handled (the customer was told).

        One for a chat that another worker has is handed over: then it returns when that is written down.
        """
        if self._fleet is not None:
            return await self._fleet.handle(envelope)
        return await self._dispatcher.post(envelope)

    async def _handle(self, envelope: Envelope) -> None:
        """What the dispatcher does with one envelope."""
        if self._fleet is not None and self._fleet.passes(envelope):
            await self._fleet.fenced(envelope)
            return
        try:
            fresh = await self._executor.handle(envelope)
        except Fenced:
            if self._fleet is None:
                raise
            await self._fleet.fenced(envelope)
            return
        if not fresh and envelope.letter is not None and self._fleet is not None:
            await self._fleet.done(envelope.letter)

    async def _failed(self, envelope: Envelope) -> None:
        if not await self._executor.apologise(envelope) and self._fleet is not None:
            self._fleet.failed(envelope.chat)

    def _mine(self, chat: str) -> bool:
        return self._fleet is None or bucket_of(chat) in self._fleet.buckets

    async def signal(
        self, flow: str, key: str, name: str, payload: Mapping[str, Value], update: str | None = None
    ) -> Sent:
        """A signal for the newest open conversation of a flow with that key: durable when this returns. Raises
        UnfitSignal, and what the store raises: then it was not taken. `update`: its id, to know a repeated one by."""
        return await self._signals.send(flow, key, name, payload, update)

    async def tell(self, conversation: str, name: str, payload: Mapping[str, Value], update: str | None = None) -> bool:
        """A signal for this very conversation. False when it is over, never was, or is another worker's."""
        target = await self._store.conversation(conversation)
        if target is None or target.status is Status.FINISHED or not self._mine(target.chat):
            return False
        event = SignalReceived(at=self._clock.now(), name=name, payload=payload)
        what = Addressed(conversation=target.id, event=event)
        return await self._dispatcher.post(Envelope(chat=target.chat, update=update, what=what))

    async def fire(self, conversation: str, visit: int, name: str) -> bool:
        """A timer that is waiting, now instead of when it is due; visit 0 and `expires`: the conversation's own end.

        False when there is no such timer any more, it is another worker's, or the customer did something at that very
        moment.
        """
        target = await self._store.conversation(conversation)
        if target is None or target.status is Status.FINISHED or not self._mine(target.chat):
            return False
        timer = (conversation, visit, name)
        expiry = visit == 0 and name == "expires" and target.expires_at is not None
        waiting = [(row.conversation, row.visit, row.name) for row in await self._store.timers(conversation)]
        if not expiry and timer not in waiting:
            return False
        at = max(self._clock.now(), target.expires_at) if expiry and target.expires_at else self._clock.now()
        event = TimerFired(at=at, visit=visit, name=name)
        what = Addressed(conversation=conversation, event=event, timer=None if expiry else timer)
        handled = await self._dispatcher.post(Envelope(chat=target.chat, update=None, what=what))
        if not expiry:
            return handled
        ended = await self._store.conversation(conversation)
        return ended is None or ended.status is Status.FINISHED

    def reachable(self) -> None:
        """The channel stands again after an outage: messages that wait for their next attempt have it now."""
        self._deliveries.again()

    async def run_due(self) -> None:
        """Handle everything due now and what follows from it; what waits for a later time is left waiting."""
        while True:
            # Whoever slept until now on a clock that was just turned gets to run first.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            before = self.activity.total
            await self._timers.look()
            await self.activity.quiet()
            if self.activity.total == before:
                return

    async def unfinished(self) -> bool:
        """Whether anything is under way or will be tried again: a call, a message, a piece of work."""
        if self.activity.count or self._calls.running or self._deliveries.waiting or self._signals.waiting:
            return True
        return await self.pending_calls()

    async def pending_calls(self) -> bool:
        """Whether a call waits for its next attempt, however late that is."""
        return bool(await self._store.due_calls(_FAR, limit=1))

    async def settled(self, patience: float) -> bool:
        """Wait until nothing is under way or to be tried again, at most `patience` seconds of the clock.

        For a real clock; one turned by hand stands still meanwhile. True when everything settled.
        """
        end = self._clock.now().timestamp() + patience
        while True:
            await self.run_due()
            if not await self.unfinished():
                return True
            left = end - self._clock.now().timestamp()
            if left <= 0:
                return False
            await self._clock.sleep(min(0.1, left))

    def _committed(self, ledger: Ledger) -> None:
        if self._told is not None:
            self._told(ledger.chat.id)
        if ledger.pending:
            self._calls.launch(ledger.pending)
        self._signals.committed(ledger)
        earliest = ledger.earliest
        if earliest is not None:
            self._timers.wake(earliest)
        fleeting = self._fleeting
        if fleeting and any(item.status is Status.FINISHED and item.flow in fleeting for item in ledger.changed):
            self._timers.clean_soon()
            self._timers.wake(self._clock.now())

    def _wake(self, at: datetime | None = None) -> None:
        self._timers.wake(at or self._clock.now() + timedelta(seconds=1))
