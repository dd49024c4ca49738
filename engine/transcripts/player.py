"""Plays a transcript against the flows of a folder: a whole bot in memory, its clock turned by hand, compared step by
step. Nothing outside is touched but what an action itself does that the transcript does not name."""

import mimetypes
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar, assert_never

import msgspec

from engine.actions.catalog import Catalog
from engine.app import App, build
from engine.channels.web.inputs import command_of
from engine.core.conversation import Conversation, Phase
from engine.core.events import ContactShared, FileReceived, LocationShared, TextReceived
from engine.core.model import Wait
from engine.loading.transcripts import (
    Bot,
    Ends,
    Expectation,
    Fact,
    Fires,
    Holds,
    Input,
    Notices,
    Presses,
    PressesData,
    Says,
    Sends,
    SharesLocation,
    SharesPhone,
    Signals,
    Starts,
    Step,
    Transcript,
    Waits,
)
from engine.loading.transcripts_writing import given_lines
from engine.runtime.clock import ManualClock
from engine.runtime.identity import SeededIds
from engine.runtime.ports import Envelope
from engine.runtime.routing import CallbackPressed, Start
from engine.runtime.sending import Sent
from engine.settings import Settings
from engine.transcripts.answers import Answers
from engine.transcripts.comparing import look_up, notes, same, shows
from engine.transcripts.results import Different, Failed, Passed, Played, compared, marked
from engine.transcripts.screen import Screen
from engine.transcripts.watching import Watcher
from storage.memory import MemoryStore

MOST_TRIES: Final = 200
"""Attempts that are waited for until something has to happen."""
LARGEST_CONTENT: Final = 1024 * 1024
"""Bytes that a made-up file really has; a larger one only says that it is."""
_REFUSED: Final = {
    Sent.UNKNOWN_FLOW: "there is no flow “{flow}”",
    Sent.UNKNOWN_SIGNAL: "no step of “{flow}” waits for the signal “{name}”",
    Sent.LATE: "the conversation of “{flow}” with this key is over: the signal “{name}” is too late",
    Sent.DUPLICATE: "the signal “{name}” was sent before",
}
"""What a test reads when a signal by flow and key is not taken."""
_FAR: Final = timedelta(days=3660)
Arrived = TypeVar("Arrived", Bot, Notices)


async def play(
    transcript: Transcript,
    *,
    settings: Settings,
    catalog: Catalog,
    environment: Mapping[str, str] | None = None,
) -> Played:
    """Play it against the flows of `settings`; everything else of the settings is left alone.

    `environment` (None: an empty one) is what flows and actions see. Raises FlowsFaulty when the flows have errors.
    """
    try:
        async with staged(transcript, settings=settings, catalog=catalog, environment=environment) as stage:
            await stage.play()
    except Different as difference:
        return Failed(name=transcript.name, span=difference.span, message=difference.message, lines=difference.lines)
    return Passed(name=transcript.name)


@asynccontextmanager
async def staged(
    transcript: Transcript, *, settings: Settings, catalog: Catalog, environment: Mapping[str, str] | None = None
) -> "AsyncIterator[Stage]":
    """A bot in memory for this transcript, started; gone when the block is left. Raises FlowsFaulty."""
    with tempfile.TemporaryDirectory(prefix="stepgram-test-") as folder:
        own = msgspec.structs.replace(settings, files=Path(folder) / "files")
        stage = _staged(transcript, own, catalog, environment or {})
        await stage.app.start()
        try:
            yield stage
        finally:
            await stage.app.stop()


def _staged(transcript: Transcript, settings: Settings, catalog: Catalog, environment: Mapping[str, str]) -> "Stage":
    chat = f"web:{transcript.customer.id}"
    screen, clock, watcher = Screen(chat), ManualClock(transcript.start), Watcher()
    answers = Answers(transcript.actions)
    roles = frozenset(transcript.customer.roles)
    app = build(
        settings,
        channel=screen,
        store=MemoryStore(),
        clock=clock,
        ids=SeededIds(1),
        catalog=catalog,
        environment=environment,
        observer=watcher,
        stand_in=answers,
        granted=lambda _: roles,
        members=lambda role: (chat,) if role in roles else (),
    )
    return Stage(
        transcript=transcript, app=app, chat=chat, screen=screen, clock=clock, watcher=watcher, answers=answers
    )


@dataclass(kw_only=True)
class Stage:
    """One transcript being played."""

    transcript: Transcript
    app: App
    chat: str
    screen: Screen
    clock: ManualClock
    watcher: Watcher
    answers: Answers
    count: int = 0

    async def play(self) -> None:
        """All steps. Raises Different."""
        self._known_roles()
        for step in self.transcript.steps:
            if isinstance(step, Expectation):
                await self._expect(step)
            else:
                self._nothing_left(step, "before this step the bot also says")
                await self.do(step)
        await self.settle()
        last = self.transcript.steps[-1] if self.transcript.steps else self.transcript
        self._nothing_left(last, "after the last step the bot also says")

    def _known_roles(self) -> None:
        """A misspelled role would play another conversation than the one that is meant."""
        known = self.app.library.bot.roles
        for role in self.transcript.customer.roles:
            if role not in known:
                there = ", ".join(f"“{one}”" for one in known) or "none"
                raise Different(self.transcript.span, f"bot.yaml has no role “{role}”: there is {there}")

    def _nothing_left(self, step: Step | Transcript, message: str) -> None:
        left: list[Step] = [*self.screen.bot, *self.screen.notices]
        if left:
            raise Different(step.span, f"{message}:", marked("+", left))

    async def _run(self) -> None:
        """Everything that is due now; a call with other arguments than expected ends the play."""
        await self.app.run_due()
        if self.answers.wrong is not None:
            name, given, found = self.answers.wrong
            real = replace(given, given=found)
            raise Different(given.span, f"“{name}” is called with something else:", given_lines(given, real))

    # --- what the customer and the world do -----------------------------------------------------------------

    async def do(self, step: Input) -> None:
        """A step of the customer or of the world, and all that follows from it at once. Raises Different."""
        self.screen.waiting = isinstance(step, Waits)
        await self._do(step)
        await self._run()

    async def _do(self, step: Input) -> None:  # noqa: C901 - one case per kind of step, nothing else
        now = self.clock.now()
        match step:
            case Says(text=text):
                await self._handle(step, command_of(text) or TextReceived(at=now, text=text))
            case Presses():
                await self._handle(step, CallbackPressed(data=self._button(step)))
            case PressesData(data=data):
                await self._handle(step, CallbackPressed(data=data))
            case Sends():
                await self._send(step)
            case SharesPhone(phone=phone, own=own):
                await self._handle(step, ContactShared(at=now, phone=phone, own=own))
            case SharesLocation(latitude=latitude, longitude=longitude):
                point = LocationShared(at=now, latitude=float(latitude), longitude=float(longitude))
                await self._handle(step, point)
            case Starts(flow=flow, arguments=arguments):
                await self._handle(step, Start(flow=flow, arguments=arguments))
            case Waits(seconds=seconds):
                await self.app.turn(float(seconds))
            case Signals():
                await self._signal(step)
            case Fires():
                await self._fire(step)
            case never:
                assert_never(never)

    async def _handle(self, step: Step, what: object) -> None:
        self.count += 1
        customer = self.transcript.customer
        envelope = Envelope(
            chat=self.chat,
            update=f"{self.chat}:{self.count}",
            what=what,
            name=customer.name,
            language=customer.language,
        )
        if not await self.app.handle(envelope):
            raise Different(step.span, "the bot could not take this: something inside went wrong")

    def _button(self, step: Presses) -> str:
        found = self.screen.phone.button(step.button, step.message, step.number, part=step.part)
        if found is not None:
            return found
        labels = ", ".join(f"“{label}”" for label in self.screen.phone.labels) or "none"
        which = "" if (step.message, step.number) == (1, 1) else " (that many times)"
        raise Different(step.span, f"there is no button “{step.button}”{which}; those of the newest message: {labels}")

    async def _send(self, step: Sends) -> None:
        stored = await self.app.files.put(_zeros(min(step.size, LARGEST_CONTENT)))
        guessed = "image/jpeg" if step.photo else mimetypes.guess_type(step.name)[0]
        record = {
            "name": step.name,
            "size": step.size,
            "mime": step.mime or guessed or "application/octet-stream",
            "ref": stored.ref,
            "kind": "photo" if step.photo else "document",
        }
        await self._handle(step, FileReceived(at=self.clock.now(), file=record))

    async def _signal(self, step: Signals) -> None:
        if step.flow is not None and step.key is not None:
            sent = await self.app.signal(step.flow, step.key, step.name, step.payload)
            if sent not in (Sent.DELIVERED, Sent.KEPT):
                raise Different(step.span, _REFUSED[sent].format(flow=step.flow, name=step.name))
            return
        target = await self._waiting(step.name)
        if target is None or not await self.app.runtime.tell(target.id, step.name, step.payload):
            raise Different(step.span, f"no conversation takes the signal “{step.name}”")

    async def _waiting(self, signal: str) -> Conversation | None:
        """The one that waits for this signal: in front, else the newest; else any that waits; else the one in front."""
        open_ones = await self._open()
        for conversation in open_ones:
            frame = conversation.top
            body = self.app.library.programs[frame.flow].nodes[frame.visit.step].body
            if isinstance(body, Wait) and signal in [name for name, _ in body.signals]:
                return conversation
        waiting = [one for one in open_ones if one.top.visit.phase is Phase.WAITING]
        return next(iter([*waiting, *open_ones]), None)

    async def _open(self) -> list[Conversation]:
        """The open conversations: the one in front, then the newest."""
        chat = await self.app.store.chat(self.chat)
        found = list(reversed(await self.app.store.conversations(self.chat)))
        return sorted(found, key=lambda one: chat is None or one.id != chat.front)

    async def _fire(self, step: Fires) -> None:
        for conversation in await self._open():
            if step.name == "expires":
                visits = [0] if conversation.expires_at is not None else []
            else:
                rows = await self.app.store.timers(conversation.id)
                visits = [row.visit for row in rows if row.name == step.name]
            if visits and await self.app.runtime.fire(conversation.id, visits[0], step.name):
                return
        raise Different(step.span, f"no timer “{step.name}” is pending")

    # --- what is expected -----------------------------------------------------------------------------------

    async def _expect(self, step: Expectation) -> None:
        match step:
            case Bot():
                given = await self._next(step, self.screen.bot)
                if not shows(step, given):
                    raise Different(step.span, "the bot says something else:", compared(step, _like(step, given)))
            case Notices():
                noted = await self._next(step, self.screen.notices)
                if not notes(step, noted):
                    raise Different(step.span, "the answer to the press is another one:", compared(step, noted))
            case Ends():
                await self._ended(step)
            case Holds():
                await self.settle()
                self._holds(step, await self._subject(step))
            case never:
                assert_never(never)

    async def _next(self, step: Step, queue: "deque[Arrived]") -> Arrived:
        """The next one that has come; calls that are to be tried again are waited for until one comes."""
        for _ in range(MOST_TRIES):
            if queue or not await self.next_try():
                break
        if queue:
            return queue.popleft()
        also: list[Step] = [*self.screen.bot, *self.screen.notices]
        lines = [*marked("-", [step]), *marked("+", also)]
        raise Different(step.span, "this does not come" + (await self._standing() if not also else "") + ":", lines)

    async def _standing(self) -> str:
        open_ones = await self._open()
        if not open_ones:
            return ", and no conversation is open"
        top = open_ones[0].top
        return f"; the conversation is at the step “{top.visit.step}” of “{top.flow}”"

    async def next_try(self) -> bool:
        """Turn the clock to the next attempt of a call; timers that are due by then fire too. False: none waits."""
        calls = await self.app.store.due_calls(self.clock.now() + _FAR, 1000)
        if not calls:
            return False
        pause = (min(call.due for call in calls) - self.clock.now()).total_seconds()
        await self.app.turn(max(pause, 0.001))
        await self._run()
        return True

    async def settle(self) -> None:
        """Wait for every call that is to be tried again."""
        for _ in range(MOST_TRIES):
            if not await self.next_try():
                return

    async def _ended(self, step: Ends) -> None:
        if not self._finished(step):
            await self.settle()
        found = self._finished(step)
        if not found:
            ended = [f"+ ends: {{flow: {one.flow}, outcome: {one.outcome}}}" for one in self.watcher.ended]
            state = "" if ended else await self._standing()
            raise Different(step.span, f"no conversation has ended so{state}:", [*marked("-", [step]), *ended])
        del self.watcher.ended[: self.watcher.ended.index(found[0]) + 1]

    def _finished(self, step: Ends) -> list[Conversation]:
        return [
            one for one in self.watcher.ended if one.outcome == step.outcome and step.flow in (None, one.flow)
        ]  # fmt: skip

    async def _subject(self, step: Step) -> Conversation:
        """The conversation in front, else the one touched last."""
        chat = await self.app.store.chat(self.chat)
        known = self.watcher.conversations
        front = known.get(chat.front) if chat is not None and chat.front is not None else None
        subject = front or next(reversed(known.values()), None)
        if subject is None:
            raise Different(step.span, "no conversation has begun yet")
        return subject

    def _holds(self, step: Holds, subject: Conversation) -> None:
        places = [frame.data for frame in reversed(subject.frames)]
        found = tuple(Fact(path=fact.path, value=look_up(places, fact.path), span=fact.span) for fact in step.facts)
        wrong = [fact for fact, real in zip(step.facts, found, strict=True) if not same(fact.value, real.value)]
        if wrong:
            raise Different(wrong[0].span, "the data is something else:", compared(step, replace(step, facts=found)))


def _like(wanted: Bot, given: Bot) -> Bot:
    """A message without what the transcript leaves unsaid: in a difference that would only be in the way."""
    if wanted.buttons is None:
        given = replace(given, buttons=None)
    elif not any(button.url for row in wanted.buttons for button in row):
        rows = given.buttons or ()
        given = replace(given, buttons=tuple(tuple(replace(button, url=None) for button in row) for row in rows))
    return given if wanted.picture is not None else replace(given, picture=None)


async def _zeros(size: int) -> AsyncIterator[bytes]:
    yield bytes(size)
