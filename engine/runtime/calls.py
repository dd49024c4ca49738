"""Runs external actions and sources after their commit, tries again by policy, brings the outcome back as an event.

A call is a row until the commit that takes its outcome: killed anywhere, it runs again with the same key.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from engine.actions.context import Request
from engine.actions.errors import Failure
from engine.core.conversation import Conversation, Phase, Status
from engine.core.effects import Purpose
from engine.core.events import ActionFailed, ActionFinished, Event
from engine.core.values import Value
from engine.runtime.activity import Activity
from engine.runtime.chats import Loaded
from engine.runtime.dispatcher import Stopped
from engine.runtime.invoking import SIGNAL, arguments_of, pause_after, signature_of
from engine.runtime.play import Tools
from engine.runtime.ports import Clock, Envelope, PendingCall, Store
from engine.runtime.routing import Addressed
from engine.runtime.sending import Sent, UnfitSignal
from engine.runtime.sharing import bucket_of

PARALLEL: Final = 64
"""External calls at once."""
REMEMBERED: Final = 10_000
"""Finished calls that are known by name, so that a list read a moment earlier starts none of them again."""
REST: Final = timedelta(seconds=30)
"""Pause before a call whose outcome could not be handled is tried again; doubled every time, at most REST_MAX."""
REST_MAX: Final = timedelta(hours=1)
STUBBORN: Final = 3
"""So many times an outcome is brought back before the conversation gets a failure instead."""

log = logging.getLogger("stepgram.calls")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Came:
    """A call that came back with an outcome."""

    outcome: str
    value: Mapping[str, Value]
    requests: tuple[Request, ...]


class Calls:
    """Pending calls on their way. `tools` gives the bot as it is now; `post` brings an envelope into its chat's queue
    and says whether it was handled; `chat` loads how a chat stands; `wake` asks to be called again at a time; `signal`
    sends one that an older version had written down as a call."""

    def __init__(
        self,
        *,
        tools: Callable[[], Tools],
        store: Store,
        clock: Clock,
        activity: Activity,
        post: Callable[[Envelope], Awaitable[bool]],
        chat: Callable[[str], Awaitable[Loaded]],
        wake: Callable[[datetime], None],
        signal: Callable[[str, str, str, Mapping[str, Value], str], Awaitable[Sent]],
        parallel: int = PARALLEL,
    ) -> None:
        self._tools = tools
        self._store = store
        self._clock = clock
        self._activity = activity
        self._post = post
        self._chat = chat
        self._wake = wake
        self._signal = signal
        self._slots = asyncio.Semaphore(parallel)
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._chats_of: dict[Key, str] = {}
        self._done: OrderedDict[Key, None] = OrderedDict()
        self._unhandled: dict[Key, int] = {}
        self._resting: dict[Key, datetime] = {}
        """Calls that could not even be tried, such as when the store fails: until when they are left alone."""
        self._attempts: dict[Key, int] = {}
        """Attempts noted in the store: a list read a moment earlier has fewer, and starts none of them too early."""
        self._stopped = False

    @property
    def running(self) -> int:
        """Calls under way at this moment."""
        return len(self._running)

    @property
    def busy(self) -> Collection[str]:
        """Chats that a call is under way for."""
        return set(self._chats_of.values())

    @property
    def held(self) -> int:
        """Calls that are due and not to be started: under way, or left alone for a while."""
        return len(self._running) + len(self._resting)

    def launch(self, rows: Iterable[PendingCall]) -> None:
        """Start every row that is due, is not under way and has not come back."""
        now = self._clock.now()
        self._resting = {key: until for key, until in self._resting.items() if now < until <= now + REST}
        for row in rows:
            key = (row.conversation, row.call)
            if self._stopped or key in self._running or key in self._done or key in self._resting:
                continue
            if row.attempt < self._attempts.get(key, 0):
                continue
            if row.due > now:
                self._wake(row.due)
                continue
            self._activity.begin()
            self._chats_of[key] = row.chat
            self._running[key] = asyncio.create_task(self._run(row, key), name=f"call {row.name}")

    def cut(self, buckets: Collection[int]) -> None:
        """These chats are another worker's: it runs their calls again, with the same keys."""
        for key, chat in self._chats_of.items():
            if bucket_of(chat) in buckets:
                self._running[key].cancel()

    async def stop(self) -> None:
        """Cut what is under way: its rows stay, and the next start runs them again with the same keys."""
        self._stopped = True
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in self._running:  # cut before they had begun: nobody else says that they are over
            self._activity.end()
        self._running.clear()
        self._chats_of.clear()

    # --- one call ---------------------------------------------------------------------------------------

    async def _run(self, row: PendingCall, key: Key) -> None:
        try:
            async with self._slots:
                await self._once(row, key)
        except Stopped:
            log.info("call %s comes back after the next start", row.name)
        except Exception:
            log.exception("call %s of conversation %s could not be brought to an end", row.name, key[0])
            self._resting[key] = self._clock.now() + REST
            self._wake(self._resting[key])
        finally:
            self._running.pop(key, None)
            self._chats_of.pop(key, None)
            self._activity.end()

    async def _once(self, row: PendingCall, key: Key) -> None:
        if row.purpose == SIGNAL:
            await self._send_signal(row, key)
            return
        loaded = await self._chat(row.chat)
        if not (_wanted(row, loaded.open) or await self._wanted_now(row)):
            await self._settle(row, key, Addressed(conversation=row.conversation, call=key))
            return
        came = await self._attempt(row, loaded)
        attempt = row.attempt + 1
        if isinstance(came, Failure):
            pause = pause_after(row, attempt) if came.retry else None
            log.warning("%s failed (attempt %d): %s", row.name, attempt, came.kind)
            if pause is not None:
                await self._later(row, attempt, pause)
                return
            await self._settle(row, key, self._outcome(row, key, self._failed(row, came)))
            return
        event = ActionFinished(at=self._clock.now(), call=row.call, outcome=came.outcome, value=came.value)
        await self._settle(row, key, self._outcome(row, key, event, came.requests))

    async def _wanted_now(self, row: PendingCall) -> bool:
        """As the store has it: a row can be found there before the chat in memory has taken its commit in.

        Who cancels while an action runs wants it taken back; whether there is anything to take back, after a time-out
        or a restart, only the action itself can tell: it is called again, with the same key.
        """
        stored = await self._store.conversation(row.conversation)
        if stored is None or not _wanted(row, [stored]):
            return False
        return stored.status is Status.ACTIVE or _cancelled_while_running(row, stored)

    async def _attempt(self, row: PendingCall, loaded: Loaded) -> _Came | Failure:
        tools = self._tools()
        signature = signature_of(tools.catalog, row.purpose, row.name)
        if signature is None:
            return Failure(kind="error", reason=f"there is no {row.name}", retry=False)
        context = tools.contexts.build(
            chat=loaded.chat,
            conversation=row.conversation,
            others=loaded.open,
            call=row.call,
            attempt=row.attempt + 1,
            at=self._clock.now(),
        )
        came = await tools.attempts(signature, context, row.call, arguments_of(row), row.timeout)
        if isinstance(came, Failure):
            return came
        outcome, value = came
        return _Came(outcome=outcome, value=value, requests=tuple(context.requests))

    async def _send_signal(self, row: PendingCall, key: Key) -> None:
        """A signal as older versions wrote it down: it goes the way of all others now."""
        wish = arguments_of(row)
        payload = wish["payload"]
        try:
            sent = await self._signal(
                row.name,
                str(wish["key"]),
                str(wish["name"]),
                payload if isinstance(payload, dict) else {},
                f"{row.conversation}/{row.call}",
            )
            log.info("a signal of an older version for %s: %s", row.name, sent)
        except UnfitSignal as error:
            log.error("a signal of an older version for %s is dropped: %s", row.name, error)
        await self._settle(row, key, Addressed(conversation=row.conversation, call=key))

    # --- what becomes of it -----------------------------------------------------------------------------

    def _failed(self, row: PendingCall, failure: Failure) -> ActionFailed:
        return ActionFailed(at=self._clock.now(), call=row.call, kind=failure.kind, reason=failure.reason[:300])

    def _outcome(self, row: PendingCall, key: Key, event: Event, requests: tuple[Request, ...] = ()) -> Addressed:
        return Addressed(conversation=row.conversation, event=event, call=key, requests=requests)

    async def _settle(self, row: PendingCall, key: Key, what: Addressed) -> None:
        """Bring the outcome back. One that cannot be handled again and again becomes a failure, then rests."""
        tries = self._unhandled.get(key, 0)
        if tries >= STUBBORN and isinstance(what.event, ActionFinished):
            trouble = Failure(kind="error", reason="the outcome could not be used", retry=False)
            what = self._outcome(row, key, self._failed(row, trouble))
        if await self._post(Envelope(chat=row.chat, update=None, what=what)):
            self._unhandled.pop(key, None)
            self._attempts.pop(key, None)
            self._done[key] = None
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
            return
        self._unhandled[key] = tries + 1
        await self._later(row, row.attempt, min(REST * 2**tries, REST_MAX))

    async def _later(self, row: PendingCall, attempt: int, pause: timedelta) -> None:
        due = self._clock.now() + pause
        await self._store.attempted(row.conversation, row.call, attempt, due)
        self._attempts[row.conversation, row.call] = attempt
        self._wake(due)


def _cancelled_while_running(row: PendingCall, over: Conversation) -> bool:
    return row.purpose == Purpose.DO and over.outcome == "cancelled" and over.top.visit.phase is Phase.RUNNING


def _wanted(row: PendingCall, conversations: Iterable[Conversation]) -> bool:
    """Whether the conversation still stands where it asked for this; an undo is always wanted."""
    if row.purpose == Purpose.UNDO:
        return True
    visit = row.call.partition(".")[0].partition(":")[0]
    return any(
        conversation.id == row.conversation and any(str(frame.visit.number) == visit for frame in conversation.frames)
        for conversation in conversations
    )
