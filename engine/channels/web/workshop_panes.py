"""Which tabs have the pane open, and the state they are sent: soon after a change, never twice the same."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

import msgspec

from engine.channels.web.tabs import Tab

PAUSE: Final = 0.05
"""Seconds between two states of one chat."""
PATIENCE: Final = 0.015
"""Seconds before a state is built: the bot's reply goes first, and what follows at once is in it."""

log = logging.getLogger("stepgram.workshop")
_encoder = msgspec.json.Encoder()

States = Callable[[str, Iterable[str | None]], Awaitable[Mapping[str | None, dict[str, object]]]]
"""A chat and the conversations that somebody watches → the message for each."""


@dataclass(slots=True, kw_only=True)
class Pane:
    """One tab's pane."""

    open: bool = False
    watch: str | None = None
    last: bytes = b""
    """The state that it was sent last."""


class Panes:
    """All panes. `mark` says that something about a chat has changed, and never waits."""

    def __init__(self, states: States, pause: float = PAUSE) -> None:
        self._states = states
        self._pause = pause
        self._panes: dict[Tab, Pane] = {}
        self._opened: WeakSet[Tab] = WeakSet()
        """Tabs whose pane is open, kept while they change to another person."""
        self._dirty: set[str] = set()
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._stopped = False

    def attach(self, tab: Tab) -> None:
        """The tab takes part from now on."""
        self._panes[tab] = Pane(open=tab in self._opened)
        self.mark(tab.chat)

    def detach(self, tab: Tab) -> None:
        """The tab is gone, or becomes another person's."""
        self._panes.pop(tab, None)

    def show(self, tab: Tab, *, is_open: bool) -> None:
        """The pane was opened or closed."""
        if is_open:
            self._opened.add(tab)
        else:
            self._opened.discard(tab)
        pane = self._panes.setdefault(tab, Pane())
        pane.open, pane.last = is_open, b""
        self.mark(tab.chat)

    def watch(self, tab: Tab, conversation: str | None) -> None:
        """The pane is to show this conversation; None: the one in front, else the newest."""
        pane = self._panes.setdefault(tab, Pane())
        pane.watch, pane.last = conversation, b""
        self.mark(tab.chat)

    def watched(self, tab: Tab) -> str | None:
        """The conversation that the pane was told to show."""
        pane = self._panes.get(tab)
        return None if pane is None else pane.watch

    def open(self) -> tuple[Tab, ...]:
        """Tabs with an open pane."""
        return tuple(tab for tab, pane in self._panes.items() if pane.open)

    def mark_all(self) -> None:
        """Something has changed for every chat."""
        for chat in {tab.chat for tab in self.open()}:
            self.mark(chat)

    def mark(self, chat: str) -> None:
        """Something about this chat has changed: its panes are sent the state, when it differs."""
        if self._stopped or not self._of(chat):
            return
        self._dirty.add(chat)
        if chat not in self._sending:
            self._sending[chat] = asyncio.get_running_loop().create_task(self._keep_sending(chat), name="pane")

    async def settled(self) -> None:
        """Return when nothing is left to be sent."""
        while self._sending:
            await asyncio.wait(set(self._sending.values()))

    async def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- sending ----------------------------------------------------------------------------------------

    def _of(self, chat: str) -> list[tuple[Tab, Pane]]:
        return [(tab, pane) for tab, pane in self._panes.items() if pane.open and tab.chat == chat]

    async def _keep_sending(self, chat: str) -> None:
        try:
            await asyncio.sleep(min(PATIENCE, self._pause))
            while chat in self._dirty:
                self._dirty.discard(chat)
                try:
                    await self._send(chat)
                except Exception:
                    log.exception("the state of a chat could not be shown")
                await asyncio.sleep(self._pause)
        finally:
            self._sending.pop(chat, None)

    async def _send(self, chat: str) -> None:
        panes = self._of(chat)
        if not panes:
            return
        states = await self._states(chat, {pane.watch for _, pane in panes})
        frames = {watch: _encoder.encode(state) for watch, state in states.items()}
        for tab, pane in self._of(chat):
            frame = frames.get(pane.watch)
            if frame is None:
                self._dirty.add(chat)  # it turned to another conversation meanwhile
            elif frame != pane.last:
                pane.last = frame
                tab.push(frame.decode())
