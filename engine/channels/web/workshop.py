"""The workshop pane's side of the server: what its buttons do. Everything of the page is checked here first.

Only conversations of the tab's own chat are touched; what cannot be done is said in a sentence, never raised.
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Final, Protocol, TypeGuard

import msgspec
from aiohttp import web

from engine.actions.catalog import Catalog
from engine.actions.errors import words
from engine.channels.web.rigs import Rigs, read_rig, signature_of
from engine.channels.web.sources import Draw, Pages
from engine.channels.web.tabs import Message, Tab, Tabs
from engine.channels.web.workshop_clock import Turning
from engine.channels.web.workshop_findings import findings_message
from engine.channels.web.workshop_journal import Notes, stored
from engine.channels.web.workshop_observer import Watcher
from engine.channels.web.workshop_panes import Panes
from engine.channels.web.workshop_state import Chats, StateBuilder, title_of
from engine.channels.web.workshop_values import Unfit, given_payload, readable
from engine.core.conversation import Conversation
from engine.core.records import record
from engine.core.values import Value
from engine.loading.library import Loaded
from engine.runtime.journal import Journal
from engine.runtime.ports import Clock, Store

_NAME: Final = re.compile(r"[^\W_](?:[\w .,:;!?'’\"“”„()&+%€–-]{0,58}[\w.!?'’\"“”)%€])?")
"""Of a saved test: what a person calls it; never a path."""
_SHOWN_NAMES: Final = 12

log = logging.getLogger("stepgram.workshop")
Act = Callable[[Tab, Mapping[str, object]], Awaitable[None]]


@record
class Saved:
    """What became of a conversation that was to be saved as a test."""

    ok: bool
    path: str = ""
    passed: bool = False
    text: str = ""
    """One sentence for the person."""


class SaveTest(Protocol):
    """Writes a conversation of a chat (None: the newest) as a transcript and runs it."""

    async def __call__(self, *, chat: str, conversation: str | None, name: str) -> Saved: ...


class Engine(Chats, Protocol):
    """What the workshop needs of the running engine (`engine.runtime.runtime.Runtime`)."""

    async def fire(self, conversation: str, visit: int, name: str) -> bool: ...
    async def tell(self, conversation: str, name: str, payload: Mapping[str, Value]) -> bool: ...
    async def run_due(self) -> None: ...


def _random_key() -> str:
    return secrets.token_hex(8)


class Workshop:
    """Implements `engine.channels.web.tools.Tools`.

    `watcher` and `rigs` are the Observer and the StandIn that the runtime was built with; `loaded` gives the flows
    that are live.
    """

    def __init__(
        self,
        *,
        tabs: Tabs,
        runtime: Engine,
        store: Store,
        journal: Journal,
        catalog: Catalog,
        clock: Clock,
        loaded: Callable[[], Loaded],
        draw: Draw,
        save_test: SaveTest,
        watcher: Watcher,
        rigs: Rigs,
        key: Callable[[], str] = _random_key,
        turn: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """`turn`: turns the clock with everything that comes due on the way; None: the clock alone."""
        self._tabs = tabs
        self._runtime = runtime
        self._catalog = catalog
        self._save_test = save_test
        self._rigs = rigs
        self._notes = Notes(journal=journal, tabs=tabs, key=key)
        self._turning = Turning(clock=clock, store=store, journal=journal, notes=self._notes, turn=turn)
        self._states = StateBuilder(
            runtime=runtime, store=store, journal=journal, catalog=catalog, watcher=watcher, rigs=rigs
        )
        self._panes = Panes(self._states.state)
        self._pages = Pages(programs=lambda: runtime.library.programs, loaded=loaded, draw=draw)
        self._findings: Message | None = None
        self._saving = asyncio.Lock()
        self._acts: set[asyncio.Task[None]] = set()
        watcher.programs = lambda: runtime.library.programs
        watcher.on_returned.append(self._notes.called)
        watcher.on_committed.append(self._panes.mark)

    # --- as Tools ---------------------------------------------------------------------------------------

    async def command(self, tab: Tab, message: dict[str, object]) -> bool:
        """One of the pane's messages. True: it was one, whatever became of it."""
        act = self._act(message.get("type"))
        if act is None:
            return False
        await _tried(tab, act(tab, message))
        return True

    def attach(self, tab: Tab) -> None:
        """The tab was welcomed, or has become another person's."""
        self._panes.attach(tab)

    def detach(self, tab: Tab) -> None:
        """The tab is gone, or about to become another person's."""
        self._panes.detach(tab)

    def routes(self) -> Sequence[web.RouteDef]:
        """Diagrams and sources."""
        return self._pages.routes()

    def clock(self) -> tuple[datetime, float]:
        """What time it is for the bot (aware, UTC), and by how many seconds that is turned forwards."""
        return self._turning.state()

    # --- for whoever runs the bot -----------------------------------------------------------------------

    def show_findings(self, loaded: Loaded, live: bool) -> None:
        """What `check` says of flows that were just read; `live`: they are in use now."""
        self._findings = findings_message(loaded, live=live, at=self._turning.state()[0])
        self._send_all(self._findings)

    def flows_changed(self) -> None:
        """Other flows are live: pages fetch diagrams and sources again."""
        offered = self._runtime.library.offered()
        flows = [{"name": name, "title": title_of(it, name), "version": it.version} for name, it in offered]
        self._send_all({"type": "flows", "flows": flows})
        self._panes.mark_all()

    async def flush(self) -> None:
        """Return when everything that actions gave until now stands in the journal."""
        await self._notes.flush()

    async def settled(self) -> None:
        """Return when everything that was asked for is done and shown."""
        while self._acts:
            await asyncio.wait(set(self._acts))
        await self._notes.flush()
        await self._panes.settled()

    async def stop(self) -> None:
        """Write what is to be written; show nothing more."""
        for task in self._acts:
            task.cancel()
        await asyncio.gather(*self._acts, return_exceptions=True)
        await self._notes.flush()
        await self._panes.stop()

    # --- commands ---------------------------------------------------------------------------------------

    def _act(self, kind: object) -> Act | None:
        """What a type of message sets off; None: it is not the pane's."""
        known: Mapping[str, Act] = {
            "clock": self._clock_command,
            "timer": self._timer,
            "signal": self._signal,
            "rig": self._rig,
            "save_test": self._save,
            "workshop": self._open,
            "watch": self._watch,
        }
        return known.get(kind) if isinstance(kind, str) else None

    async def _clock_command(self, tab: Tab, message: Mapping[str, object]) -> None:
        match message:
            case {"to": "next"}:
                await self._turning.turn_to_next(tab.chat)
            case {"to": "real"}:
                await self._turning.reset(tab.chat)
            case {"turn": seconds}:
                await self._turning.turn(tab.chat, seconds)
            case _:
                raise Unfit("The clock is turned by a number of seconds, to “next” or to “real”.")
        now, offset = self._turning.state()
        self._send_all({"type": "clock", "now": now, "offset": offset})
        self._do(tab, self._run_due())

    async def _run_due(self) -> None:
        await self._runtime.run_due()
        self._panes.mark_all()

    async def _timer(self, tab: Tab, message: Mapping[str, object]) -> None:
        conversation = await self._own(tab, message.get("conversation"))
        visit, name = message.get("visit"), message.get("name")
        waiting = await self._states.timers(conversation)
        if not _is_whole(visit) or (visit, name) not in [(number, known) for number, known, _ in waiting]:
            there = ", ".join(f"“{known}” of visit {number}" for number, known, _ in waiting[:_SHOWN_NAMES])
            raise Unfit(f"No such timer waits in this conversation: there is {there or 'none'}.")
        assert isinstance(name, str)
        text = "Expired at once" if name == "expires" else f"Timer {name}, at once"
        await self._note(tab, "timer", text, conversation, {"visit": visit, "name": name})
        self._do(tab, self._fire(conversation.id, visit, name))

    async def _fire(self, conversation: str, visit: int, name: str) -> None:
        if not await self._runtime.fire(conversation, visit, name):
            raise Unfit(f"The timer “{name}” is not there any more, or could not be handled.")

    async def _signal(self, tab: Tab, message: Mapping[str, object]) -> None:
        conversation = await self._own(tab, message.get("conversation"))
        name, known = message.get("name"), self._states.signals(conversation)
        if name not in known or not isinstance(name, str):
            there = ", ".join(f"“{signal}”" for signal in known[:_SHOWN_NAMES])
            raise Unfit(f"The conversation does not wait for such a signal: it waits for {there or 'none'}.")
        payload = given_payload(message.get("payload") or {}, "The payload")
        await self._note(tab, "signal", f"Signal {name}", conversation, {"name": name, "payload": stored(payload)})
        self._do(tab, self._tell(conversation.id, name, payload))

    async def _tell(self, conversation: str, name: str, payload: Mapping[str, Value]) -> None:
        if not await self._runtime.tell(conversation, name, payload):
            raise Unfit(f"The signal “{name}” could not be handled: the conversation is over.")

    async def _rig(self, tab: Tab, message: Mapping[str, object]) -> None:
        name = message.get("action")
        signature = signature_of(self._catalog, name) if isinstance(name, str) else None
        if signature is None:
            raise Unfit(self._no_action(name))
        if message.get("kind") == "clear":
            if self._rigs.clear(tab.chat, signature.name):
                await self._note(tab, "rig", f"{signature.name} is itself again", None, {"action": signature.name})
        else:
            rig = read_rig(message, signature)
            more = {"action": signature.name, "detail": rig.words()}
            await self._note(tab, "rig", f"The next call of {signature.name} {rig.words()}", None, more)
            self._rigs.put(tab.chat, signature.name, rig)
        self._panes.mark(tab.chat)

    def _no_action(self, name: object) -> str:
        known = sorted({*self._catalog.actions, *self._catalog.sources})
        near = get_close_matches(name[:80], known, n=_SHOWN_NAMES, cutoff=0.4) if isinstance(name, str) else []
        there = ", ".join(near or known[:_SHOWN_NAMES]) or "none at all"
        return f"There is no action or source “{readable(name, 60)}”: there is {there}."

    async def _save(self, tab: Tab, message: Mapping[str, object]) -> None:
        name, wanted = message.get("name"), message.get("conversation")
        if not isinstance(name, str) or not _NAME.fullmatch(name.strip()):
            raise Unfit("A test needs a name: at most 60 characters, a letter or a digit first, no / and no \\ in it.")
        conversation = None if wanted is None else (await self._own(tab, wanted)).id
        self._do(tab, self._saved(tab, conversation, name.strip()))

    async def _saved(self, tab: Tab, conversation: str | None, name: str) -> None:
        await self._notes.flush()
        try:
            async with self._saving:  # a double click must not write one file twice at a time
                saved = await self._save_test(chat=tab.chat, conversation=conversation, name=name)
        except Exception as error:
            log.exception("a conversation could not be saved as a test")
            saved = Saved(ok=False, text=f"The test could not be saved: {readable(words(error), 200)}")
        answer = {"ok": saved.ok, "path": saved.path, "passed": saved.passed, "text": saved.text}
        await tab.send({"type": "saved_test", **answer})

    async def _open(self, tab: Tab, message: Mapping[str, object]) -> None:
        is_open = message.get("open")
        if not isinstance(is_open, bool):
            raise Unfit("The pane is open (true) or not (false).")
        self._panes.show(tab, is_open=is_open)
        if is_open and self._findings is not None:
            await tab.send(self._findings)

    async def _watch(self, tab: Tab, message: Mapping[str, object]) -> None:
        wanted = message.get("conversation")
        self._panes.watch(tab, None if wanted is None else (await self._own(tab, wanted)).id)

    # --- inside -----------------------------------------------------------------------------------------

    async def _own(self, tab: Tab, wanted: object) -> Conversation:
        """A conversation of the tab's own chat. Raises Unfit."""
        found = await self._states.find(tab.chat, wanted)
        if found is None:
            raise Unfit("There is no such conversation in this chat.")
        return found

    async def _note(
        self, tab: Tab, kind: str, text: str, conversation: Conversation | None, more: Mapping[str, object]
    ) -> None:
        name = "" if conversation is None else conversation.id
        at = self._turning.state()[0]
        await self._notes.note(
            tab.chat, kind, text, at=at, conversation=name, more={"conversation": name, **more} if name else more
        )

    def _do(self, tab: Tab, act: Coroutine[object, object, None]) -> None:
        """Start what may take a while: the page goes on meanwhile, and is told when it did not work."""
        task = asyncio.create_task(self._acting(tab, act), name="workshop act")
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)
        task.add_done_callback(lambda _: act.close())  # one that was cut before it began

    async def _acting(self, tab: Tab, act: Coroutine[object, object, None]) -> None:
        await _tried(tab, act)
        self._panes.mark(tab.chat)

    def _send_all(self, message: Message) -> None:
        """To every tab, without waiting."""
        frame = msgspec.json.encode(message).decode()
        for tab in self._tabs:
            tab.push(frame)


def _is_whole(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool)


async def _tried(tab: Tab, act: Awaitable[None]) -> None:
    """Wait for it; what keeps it from being done is said to the tab."""
    try:
        await act
    except Unfit as unfit:
        await _say(tab, str(unfit))
    except Exception:
        log.exception("the workshop could not do what the page asked for")
        await _say(tab, "This did not work; the log says why.")


async def _say(tab: Tab, text: str) -> None:
    await tab.send({"type": "error", "text": text})
