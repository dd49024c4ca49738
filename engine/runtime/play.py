"""Plays one update through: decisions to events, events through the core, effects into the ledger.

Transactional actions run right here; everything else waits for the commit. Writes nothing itself.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from engine.actions.catalog import LONGEST_TRANSACTIONAL, ActionSignature, Catalog, SourceSignature
from engine.actions.context import CancelConversation, Request, SendSignal, Speak, StartFlow, TellChat, TellRole
from engine.actions.errors import Failure
from engine.core.advance import Advanced, advance, begin
from engine.core.codec import NotStorableError
from engine.core.conversation import Conversation
from engine.core.effects import (
    CancelTimers,
    Finish,
    Invoke,
    Notice,
    Say,
    Show,
    StartTimer,
    Trace,
    Trouble,
)
from engine.core.effects import StartFlow as StartFlowEffect
from engine.core.events import (
    ActionFailed,
    ActionFinished,
    Event,
    Move,
    Navigated,
    PutAside,
    Started,
)
from engine.core.records import replaced
from engine.core.world import World
from engine.runtime.attempts import Attempts
from engine.runtime.context import Contexts
from engine.runtime.identity import IdSource
from engine.runtime.invoking import arguments_with_page, pending_call, signature_of
from engine.runtime.languages import chosen
from engine.runtime.ledger import ROWS_PER_COMMIT, Ledger
from engine.runtime.library import Library
from engine.runtime.observing import Observer
from engine.runtime.ports import Transaction
from engine.runtime.routing import (
    Begin,
    Beside,
    Cancel,
    Decision,
    Deliver,
    Situation,
    Start,
    Tell,
    holds_front,
    start,
)
from engine.runtime.sending import MOST_SIGNALS, UnfitSignal
from engine.runtime.surroundings import Surroundings
from engine.runtime.telling import Unfit, fitting
from engine.runtime.wishes import Members, members_of, roles_in, rows_of_one
from engine.runtime.work import Lease

Noted = Show | Say | Notice | StartTimer | CancelTimers | StartFlowEffect | Trace | Trouble | Finish
"""Every effect but an `Invoke`: done as soon as it is noted."""
MOST_STEPS: Final = 50
"""Events that one update may set off; more is a circle."""
MOST_MESSAGES: Final = ROWS_PER_COMMIT // 2
"""Messages that one update may set off: the outbox numbers them within the commit."""

log = logging.getLogger("stepgram.play")


class Circle(Exception):  # noqa: N818 - says what happened
    """One update set off more events than any flow needs: its flows and actions go round in a circle."""


class _Undone(Exception):  # noqa: N818 - leaves a savepoint, never seen outside
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every play needs and none changes."""

    library: Library
    catalog: Catalog
    surroundings: Surroundings
    contexts: Contexts
    attempts: Attempts
    ids: IdSource
    observer: Observer | None = None
    members: Callable[[str], Iterable[str]] | None = None
    """The chats that were given a role beside those of bot.yaml's customers."""


class Play:
    """One update's play. `transaction` opens the transaction that the commit will be part of, once."""

    def __init__(
        self, tools: Tools, ledger: Ledger, world: World, transaction: Callable[[], Awaitable[Transaction]]
    ) -> None:
        self._tools = tools
        self._ledger = ledger
        self._world = world
        self._transaction = transaction
        self._work: deque[Decision | Start | Beside] = deque()
        self._steps = 0
        self._asked = False
        """The desk has asked something: a second offer would only confuse."""

    @property
    def library(self) -> Library:
        """The flows that this update is played with."""
        return self._tools.library

    async def run(self, decisions: Iterable[Decision | Start | Beside]) -> None:
        """Carry everything out, and what follows from it. Raises Circle, and what the store raises."""
        self._work.extendleft(reversed(list(decisions)))
        while self._work:
            decision = self._work.popleft()
            match decision:
                case Tell(effect=effect, conversation=conversation):
                    self._asked = self._asked or isinstance(effect, Show)
                    self._ledger.tell(effect, conversation)
                case Deliver():
                    await self._deliver(decision)
                case Cancel(conversation=conversation, move=move):
                    await self._cancel(conversation, move)
                case Begin():
                    await self._begin(decision)
                case Beside():
                    await self._beside(decision)
                case Start(flow=flow, arguments=arguments):
                    self._work.extendleft(reversed(start(self.situation(), flow, arguments)))
                case _:
                    assert_never(decision)
        self._ledger.settle()
        self._offer_waiting()

    async def late(self, conversation: Conversation, event: Event) -> None:
        """Something reaches a conversation that is over: the core says what has to be put right (an `undo`)."""
        self._ledger.revisit(conversation)
        advanced = self._advance(conversation, event)
        self._ledger.put(advanced.conversation)
        for effect in advanced.effects:
            if isinstance(effect, Invoke):
                await self._invoke(advanced.conversation, effect)
            else:
                self._note(advanced.conversation, effect)

    def situation(self, elsewhere: Conversation | None = None) -> Situation:
        """How things stand now, for routing."""
        ledger, surroundings = self._ledger, self._tools.surroundings
        return Situation(
            chat=ledger.chat,
            open=ledger.open,
            library=self._tools.library,
            roles=surroundings.roles(ledger.chat),
            desk=surroundings.desk(ledger.chat, self._world, ledger.at),
            at=ledger.at,
            elsewhere=elsewhere,
        )

    async def request(self, requests: Sequence[Request], conversation: str, call: str) -> None:
        """Note what an action asked for; it is done after what is at hand. Raises what the store raises."""
        members: Members = {}
        if roles := roles_in(requests):
            chats_of = (await self._transaction()).chats_of
            members = await members_of(roles, library=self.library, chats_of=chats_of, granted=self._tools.members)
        for number, wish in enumerate(requests, start=1):
            match wish:
                case StartFlow(flow=flow, arguments=arguments):
                    self._work.append(Start(flow=flow, arguments=arguments))
                case CancelConversation(conversation=other):
                    self._work.append(Cancel(conversation=other))
                case Speak(language=language):
                    self._speak(language)
                case SendSignal() | TellChat() | TellRole():
                    self._send(wish, members, f"{conversation}/{call}/{number}")
                case _:
                    assert_never(wish)

    def _speak(self, language: str) -> None:
        """At once: what is said next is said in it already."""
        if language and language not in self.library.bot.languages:
            log.warning("the bot does not speak %s: bot.yaml lists its languages", language[:16])
            return
        self._ledger.chat = replaced(self._ledger.chat, language=chosen(language))
        self._world = self._tools.surroundings.world(self._ledger.chat)

    # --- decisions --------------------------------------------------------------------------------------

    async def _deliver(self, decision: Deliver) -> None:
        name = decision.conversation
        if decision.claim and self._ledger.chat.front != name:
            await self._claim(name)
        await self._feed(name, decision.event)
        if decision.claim and self._ledger.chat.front != name:
            await self._claim(name)

    async def _claim(self, name: str) -> None:
        """The customer turned to this conversation: it comes to the front, unless it leaves the chat free."""
        conversation = self._ledger.open.get(name)
        if conversation is not None and holds_front(conversation):
            await self._front(name)

    async def _front(self, name: str) -> None:
        displaced = self._ledger.bring_to_front(name)
        if displaced is not None and holds_front(self._ledger.open[displaced]):
            await self._feed(displaced, PutAside(at=self._ledger.at))

    async def _begin(self, decision: Begin) -> None:
        ledger = self._ledger
        program = self._tools.library.programs[decision.flow]
        name = self._tools.ids.conversation()
        ledger.put(begin(program, id=name, chat=ledger.chat.id, at=ledger.at))
        await self._front(name)
        await self._feed(name, Started(at=ledger.at, arguments=decision.arguments))

    async def _cancel(self, name: str, move: Move) -> None:
        """Cancel it out of all the flows it has called, until it is over or says that it cannot be cancelled now."""
        depth = None
        while (conversation := self._ledger.open.get(name)) is not None and len(conversation.frames) != depth:
            depth = len(conversation.frames)
            await self._feed(name, Navigated(at=self._ledger.at, move=move))

    async def _beside(self, told: Beside) -> None:
        """Begin it behind the one in front, which is not told: it takes the front only where there is none."""
        ledger = self._ledger
        if not told.flow:
            return
        arguments = fitting(self.library, told.flow, told.arguments)
        if isinstance(arguments, Unfit):  # the flows were edited while it was on its way
            log.error("%s is not told %s: %s", ledger.chat.id, told.flow, arguments.reason)
            return
        name = self._tools.ids.conversation()
        ledger.put(begin(self.library.programs[told.flow], id=name, chat=ledger.chat.id, at=ledger.at))
        await self._feed(name, Started(at=ledger.at, arguments=arguments))

    def _send(self, wish: SendSignal | TellChat | TellRole, members: Members, update: str) -> None:
        """It is written down with this commit and delivered after it, also to a conversation of the same chat."""
        ledger = self._ledger
        try:
            rows = rows_of_one(wish, library=self.library, members=members, update=update, at=ledger.at)
        except UnfitSignal as error:
            log.error("what an action sent to %s is dropped: %s", wish.flow, error)
            return
        if len(ledger.signals) + len(rows) > MOST_SIGNALS:
            raise Circle(f"more than {MOST_SIGNALS} signals from one update, the last to {wish.flow}")
        for row in rows:
            ledger.send(row)

    def _offer_waiting(self) -> None:
        """The front has become free and somebody waits behind it."""
        if self._asked or not self._ledger.front_ended or self._ledger.chat.front is not None:
            return
        situation = self.situation()
        if situation.offered is not None:
            offer = situation.desk.waiting(self._ledger.open[situation.offered].flow)
            self._ledger.tell(offer, situation.offered)

    # --- events and effects -----------------------------------------------------------------------------

    async def _feed(self, name: str, event: Event) -> None:
        events = deque([event])
        while events:
            conversation = self._ledger.open.get(name)
            if conversation is None:
                return
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise Circle(f"more than {MOST_STEPS} events from one update, the last in {conversation.flow}")
            advanced = self._advance(conversation, events.popleft())
            self._ledger.put(advanced.conversation)
            for effect in advanced.effects:
                if not isinstance(effect, Invoke):
                    self._note(advanced.conversation, effect)
                    continue
                came_back = await self._invoke(advanced.conversation, effect)
                if came_back is not None:
                    events.append(came_back)

    def _advance(self, conversation: Conversation, event: Event) -> Advanced:
        observer = self._tools.observer
        if observer is None:
            return advance(self._tools.library.programs, conversation, event, self._world)
        observer.advancing(conversation, event)
        advanced = advance(self._tools.library.programs, conversation, event, self._world)
        observer.advanced(advanced)
        return advanced

    def _note(self, conversation: Conversation, effect: Noted) -> None:
        name, ledger = conversation.id, self._ledger
        match effect:
            case Trace():  # first: every event has one
                ledger.trace(name, effect)
            case Show() | Say() | Notice():
                if len(ledger.outbox) >= MOST_MESSAGES:
                    raise Circle(f"more than {MOST_MESSAGES} messages from one update, the last in {conversation.flow}")
                ledger.tell(effect, name)
            case StartTimer():
                ledger.start_timer(name, effect)
            case CancelTimers():
                ledger.cancel_timers(name, effect)
            case StartFlowEffect(flow=flow, arguments=arguments):
                self._work.append(Start(flow=flow, arguments=arguments))
            case Trouble(text=text):
                log.warning("conversation %s: %s", name, text)
            case Finish(outcome=outcome):
                log.info("conversation %s of %s is over: %s", name, conversation.flow, outcome)
            case _:
                assert_never(effect)

    async def _invoke(self, conversation: Conversation, effect: Invoke) -> Event | None:
        signature = signature_of(self._tools.catalog, effect.purpose, effect.name)
        if signature is None:
            return self._failed(effect, Failure(kind="error", reason=f"there is no {effect.name}", retry=False))
        if signature.transactional:
            return await self._inline(conversation, effect, signature)
        try:
            call = pending_call(
                effect,
                conversation=conversation.id,
                chat=self._ledger.chat.id,
                bot=self._tools.library.bot,
                at=self._ledger.at,
            )
        except NotStorableError as error:
            return self._failed(effect, Failure(kind="error", reason=str(error), retry=False))
        self._ledger.await_call(call)
        return None

    async def _inline(
        self, conversation: Conversation, effect: Invoke, signature: ActionSignature | SourceSignature
    ) -> Event:
        """Run a transactional action under a savepoint: what a failed one wrote is gone. It holds up everybody who
        writes, so a flow cannot give it longer than such actions have at most."""
        timeout = None if effect.timeout is None else min(effect.timeout, LONGEST_TRANSACTIONAL)
        transaction = await self._transaction()
        lease = Lease(transaction)
        context = self._tools.contexts.build(
            chat=self._ledger.chat,
            conversation=conversation.id,
            others=self._ledger.open.values(),
            call=effect.call,
            attempt=1,
            at=self._ledger.at,
            lease=lease,
        )
        try:
            async with transaction.savepoint():
                try:
                    came = await self._tools.attempts(
                        signature, context, effect.call, arguments_with_page(effect), timeout
                    )
                finally:
                    lease.end()
                if lease.trouble is not None:
                    raise lease.trouble
                if isinstance(came, Failure):
                    raise _Undone(came)
        except _Undone as undone:
            return self._failed(effect, undone.failure)
        outcome, value = came
        await self.request(context.requests, conversation.id, effect.call)
        return ActionFinished(at=self._ledger.at, call=effect.call, outcome=outcome, value=value)

    def _failed(self, effect: Invoke, failure: Failure) -> ActionFailed:
        log.warning("%s failed: %s", effect.name, failure.kind)
        return ActionFailed(at=self._ledger.at, call=effect.call, kind=failure.kind, reason=failure.reason[:300])
