"""Handles one envelope: load, route, play, one commit, then hand over what is to be done after it."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import TracebackType
from typing import Final

from engine.core.conversation import Conversation, Status
from engine.core.effects import Trace
from engine.core.events import ActionFinished, Event, TimerFired
from engine.core.records import replaced
from engine.runtime.chats import Chats, Loaded
from engine.runtime.committer import Committer
from engine.runtime.delivery import Deliveries
from engine.runtime.languages import heard
from engine.runtime.ledger import Ledger
from engine.runtime.outbox import compose
from engine.runtime.play import Circle, Play, Tools
from engine.runtime.ports import (
    AlreadySeen,
    Channel,
    Chat,
    Clock,
    Conflict,
    Envelope,
    Overtaken,
    Store,
    StoreFailed,
    Transaction,
)
from engine.runtime.routing import Addressed, Beside, Deliver, Start, named_conversation, route

PAUSES: Final = (0.1, 0.3, 1.0, 2.0, *(5.0,) * 5)
"""Seconds between the tries of an update while the store fails; then the customer is told to come back later."""
ATTEMPTS: Final = 8
"""How often an update is repeated when somebody else wrote its rows meanwhile."""
MOMENT: Final = timedelta(milliseconds=1)
"""The store keeps moments in whole milliseconds: two that are closer may be the same one."""
OUTDATED: Final = "outdated"

log = logging.getLogger("stepgram.executor")


class _Opener:
    """Opens the transaction when the first transactional action wants it; ends it with the `async with` block."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._block: AbstractAsyncContextManager[Transaction] | None = None
        self.opened: Transaction | None = None

    async def __call__(self) -> Transaction:
        if self.opened is None:
            block = self._store.transaction()
            self.opened = await block.__aenter__()
            self._block = block
        return self.opened

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._block is not None:
            await self._block.__aexit__(kind, error, traceback)


class Executor:
    """Turns envelopes into commits. Never two at a time for one chat: the dispatcher sees to that.

    `committed` is called with the ledger after each commit: it starts calls, timers and deliveries.
    """

    def __init__(
        self,
        *,
        tools: Tools,
        store: Store,
        chats: Chats,
        committer: Committer,
        deliveries: Deliveries,
        channel: Channel,
        clock: Clock,
        committed: Callable[[Ledger], None],
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        """`pauses`: seconds between the tries while the store fails."""
        self.tools = tools
        """The bot as it is now; another one may take its place between two updates."""
        self._store = store
        self._chats = chats
        self._committer = committer
        self._deliveries = deliveries
        self._channel = channel
        self._clock = clock
        self._committed = committed
        self._pauses = pauses
        self._told: dict[str, dict[str, None]] = {}
        """By chat: updates that failed and could not be written down. Their customers were told to do it again, so they
        must not be handled some day: the chat's next commit takes them along as seen."""

    async def handle(self, envelope: Envelope) -> bool:
        """One update, exactly once. False: it was handled before. Raises what keeps it from being handled; then nothing
        has changed.

        Raises Fenced when the chat is another worker's by now.
        """
        if envelope.update in self._told.get(envelope.chat, ()):
            return False
        for pause in self._pauses:
            try:
                return await self._handle(envelope)
            except StoreFailed as error:
                log.warning("chat %s waits for the store: %s", envelope.chat, error)
                await asyncio.sleep(pause)  # a store that comes back in time is worth more than an apology
            except Circle as error:
                if not isinstance(envelope.what, Beside):
                    raise
                log.error("chat %s is not told %s, which never ends: %s", envelope.chat, envelope.what.flow, error)
                envelope = replaced(envelope, what=Beside(flow="", signal=envelope.what.signal))
        return await self._handle(envelope)

    async def _handle(self, envelope: Envelope) -> bool:
        for attempt in range(ATTEMPTS):
            try:
                await self._once(envelope)
            except AlreadySeen as error:
                if error.update in (told := self._told.get(envelope.chat, {})):
                    del told[error.update]  # it was written down after all
                    continue
                log.info("update %s was handled before", envelope.update)
                return False
            except Overtaken:
                self._chats.drop(envelope.chat)
                continue
            except Conflict:
                await asyncio.sleep(0.01 * 2**attempt)  # the other one goes on; it is through soon
                continue
            return True
        raise Overtaken(f"chat {envelope.chat}: others were in the way {ATTEMPTS} times in a row")

    async def apologise(self, envelope: Envelope) -> bool:
        """Tell the customer that their update could not be handled; it does not come again. False: not even that could
        be written down, and nothing was said, since its letter is still there."""
        if isinstance(envelope.what, Addressed | Beside):
            return True
        tools = self.tools
        self._chats.drop(envelope.chat)
        ledger = self._ledger(envelope, Loaded(chat=Chat(id=envelope.chat), new=True, open=()))
        try:
            loaded = await self._chats.load(envelope.chat, tools.library)
            ledger = self._ledger(envelope, loaded)
            ledger.tell(self._play(ledger, tools).situation().desk.trouble(), None)
            await self._committer.submit(ledger.commit(envelope.update, self._told.get(envelope.chat, ())))
        except AlreadySeen:
            return True
        except Exception as error:
            if envelope.letter is not None:
                log.warning("letter %d is tried again: nothing could be written down: %s", envelope.letter, error)
                return False
            log.exception("the apology to chat %s could not be written down", envelope.chat)
            await self._apologise_directly(ledger, envelope.update)
            return True
        self._after(ledger, tools)
        return True

    async def _apologise_directly(self, ledger: Ledger, update: str | None) -> None:
        """Not through the outbox. A channel knows a repeated message by its id: each apology has one of its own.
        Raises what the channel raises: then nobody was told, and the update is not to be dropped."""
        trouble = self._play(ledger, self.tools).situation().desk.trouble()
        message = compose(
            trouble, chat=ledger.chat.id, sequence=0, conversation=None, at=ledger.at, reply_to=ledger.reply_to
        )
        unique = update or f"{ledger.chat.id}#{ledger.at.timestamp()}"
        await self._channel.deliver(replaced(message, id=f"{unique}/trouble"))
        if update is not None:
            self._told.setdefault(ledger.chat.id, {})[update] = None

    def forget(self, buckets: Collection[int]) -> None:
        """These chats are another worker's: what is known of them grows old."""
        self._chats.forget(buckets)

    async def chat(self, chat: str) -> Loaded:
        """How a chat stands: for calls that ask whether they are still wanted."""
        return await self._chats.load(chat, self.tools.library)

    # --- one attempt ------------------------------------------------------------------------------------

    async def _once(self, envelope: Envelope) -> None:
        tools = self.tools  # the same from the first to the last line, whatever is edited meanwhile
        loaded = await self._chats.load(envelope.chat, tools.library)
        ledger = self._ledger(envelope, loaded)
        ledger.delivered = self._deliveries.take_delivered(envelope.chat)
        try:
            opener = _Opener(self._store)
            async with opener:
                play = Play(tools, ledger, tools.surroundings.world(ledger.chat), opener)
                await self._play_through(play, ledger, envelope, loaded.outdated)
                commit = ledger.commit(envelope.update, self._told.get(envelope.chat, ()))
                if opener.opened is not None:
                    await opener.opened.apply(commit)
            if opener.opened is None:
                await self._committer.submit(commit)
        except BaseException:
            # The commit may or may not have happened: the store knows.
            self._chats.drop(envelope.chat)
            self._deliveries.give_back(envelope.chat, ledger.delivered)
            raise
        self._after(ledger, tools)

    def _after(self, ledger: Ledger, tools: Tools) -> None:
        self._told.pop(ledger.chat.id, None)
        self._chats.keep(ledger.chat, ledger.open.values(), tools.library)
        self._deliveries.add(ledger.outbox, fresh=True)
        self._committed(ledger)
        if tools.observer is not None:
            tools.observer.committed(ledger.chat.id)

    def _ledger(self, envelope: Envelope, loaded: Loaded) -> Ledger:
        ledger = Ledger(
            chat=self._with_profile(loaded, envelope),
            new=loaded.new,
            conversations=(*loaded.open, *loaded.outdated),
            at=self._clock.now(),
            reply_to=envelope.update,
        )
        if envelope.letter is not None:
            ledger.letters = (envelope.letter,)
        if ledger.chat.front is not None and ledger.chat.front not in ledger.open:
            ledger.chat = replaced(ledger.chat, front=None)
        return ledger

    def _with_profile(self, loaded: Loaded, envelope: Envelope) -> Chat:
        if loaded.new and isinstance(envelope.what, Beside):  # nobody has told yet which language they speak
            return replaced(loaded.chat, language=self.tools.library.bot.languages[0])
        return _with_profile(loaded.chat, envelope)

    def _play(self, ledger: Ledger, tools: Tools) -> Play:
        async def refused() -> Transaction:
            raise RuntimeError("an apology runs no action")

        return Play(tools, ledger, tools.surroundings.world(ledger.chat), refused)

    async def _play_through(
        self, play: Play, ledger: Ledger, envelope: Envelope, outdated: Iterable[Conversation]
    ) -> None:
        for conversation in outdated:
            self._end_outdated(play, ledger, conversation)
        match envelope.what:
            case Addressed() as addressed:
                await self._play_addressed(play, ledger, addressed)
            case Beside() as beside:
                ledger.taken_signals = () if beside.signal is None else (beside.signal,)
                await play.run([beside])
            case Start(flow=flow, arguments=arguments):
                await play.run([Start(flow=flow, arguments={**arguments, **envelope.arguments})])
            case what:
                elsewhere = await self._elsewhere(ledger, what)
                await play.run(route(play.situation(elsewhere), what))

    async def _play_addressed(self, play: Play, ledger: Ledger, addressed: Addressed) -> None:
        if addressed.timer is not None:
            ledger.fired = (addressed.timer,)
        if addressed.call is not None:
            ledger.finished_calls = (addressed.call,)
        if addressed.signal is not None and addressed.conversation in ledger.open:
            ledger.taken_signals = (addressed.signal,)  # else it stays, and another one gets it, or nobody
        call = addressed.call[1] if addressed.call else ""
        await play.request(addressed.requests, addressed.conversation, call)
        if addressed.event is None or _renewed(addressed.event, ledger.open.get(addressed.conversation)):
            await play.run([])
            return
        if isinstance(addressed.event, ActionFinished) and addressed.conversation not in ledger.open:
            over = await self._store.conversation(addressed.conversation)
            known = over and play.library.adopt(over)
            if known is not None and known.status is Status.FINISHED:
                await play.late(known, addressed.event)
        await play.run([Deliver(conversation=addressed.conversation, event=addressed.event)])

    async def _elsewhere(self, ledger: Ledger, what: object) -> Conversation | None:
        name = named_conversation(what)
        if name is None or name in ledger.open:
            return None
        return await self._store.conversation(name)

    def _end_outdated(self, play: Play, ledger: Ledger, conversation: Conversation) -> None:
        """Its flow was edited and the step it stands at has gone: it ends, and the customer hears of it."""
        log.warning("conversation %s of %s stands at a step that has gone", conversation.id, conversation.flow)
        top = conversation.top.visit
        ledger.put(replaced(conversation, status=Status.FINISHED, outcome=OUTDATED, expires_at=None))
        ledger.trace(conversation.id, Trace(visit=top.number, step=top.step, kind="finished", detail=OUTDATED))
        commands = dict(play.situation().desk.startable)
        ledger.tell(play.situation().desk.outdated(conversation.flow, commands.get(conversation.flow)), None)


def _renewed(event: Event, conversation: Conversation | None) -> bool:
    """Whether the customer did something just before their conversation was to end: then its time is not over."""
    if not isinstance(event, TimerFired) or (event.visit, event.name) != (0, "expires") or conversation is None:
        return False
    expires = conversation.expires_at
    return expires is None or expires - event.at > MOMENT


def _with_profile(chat: Chat, envelope: Envelope) -> Chat:
    """What the channel says about the customer now; an event from inside says nothing."""
    if isinstance(envelope.what, Addressed | Beside):
        return chat
    name = envelope.name or chat.name
    username = envelope.username or chat.username
    language = heard(chat.language, envelope.language)
    if (name, username, language) == (chat.name, chat.username, chat.language):
        return chat
    return replaced(chat, name=name, username=username, language=language)
