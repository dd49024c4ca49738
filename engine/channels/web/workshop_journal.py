"""What the workshop writes into a chat's journal: what was done to the bot, and what its actions gave. In order."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from engine.channels.web.entries import for_page
from engine.channels.web.tabs import CHANNEL, Tabs
from engine.core.codec import dump_data, load_data
from engine.core.values import Value
from engine.runtime.journal import Entry, Journal
from engine.runtime.observing import Returned

ATTEMPTS: Final = 3
LARGEST: Final = 1024 * 1024
"""Bytes of a `called` entry; one with a larger value is kept without it."""

log = logging.getLogger("stepgram.workshop")


def stored(value: Value) -> object:
    """A value as plain JSON that `engine.core.codec.load_data` reads back. Raises NotStorableError."""
    return msgspec.json.decode(dump_data(value))


class Notes:
    """Writes entries. `key` makes one that was never used before."""

    def __init__(self, *, journal: Journal, tabs: Tabs, key: Callable[[], str]) -> None:
        self._journal = journal
        self._tabs = tabs
        self._key = key
        self._waiting: list[Entry] = []
        self._writer: asyncio.Task[None] | None = None

    async def note(
        self,
        chat: str,
        kind: str,
        text: str,
        *,
        at: datetime,
        conversation: str = "",
        more: Mapping[str, object] | None = None,
    ) -> Entry:
        """Write down what is about to be done, and show it in the chat. Raises what the journal raises."""
        await self.flush()
        payload = msgspec.json.encode({"text": text, **(more or {})})
        entry = Entry(
            chat=chat, at=at, kind=kind, key=f"{kind}:{self._key()}", conversation=conversation, payload=payload
        )
        written, _ = await self._journal.append(entry)
        shown = for_page(written, lambda _: "")
        if shown is not None:
            await self._tabs.broadcast(chat, {"type": "entry", "entry": shown})
        return written

    def called(self, returned: Returned) -> None:
        """An action of a chat of ours came back: written soon, after everything that came before. Never waits."""
        if not returned.chat.startswith(CHANNEL):
            return
        self._waiting.append(
            Entry(
                chat=returned.chat,
                at=returned.at,
                kind="called",
                key=f"called:{self._key()}",
                conversation=returned.conversation,
                payload=_payload(returned),
            )
        )
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="workshop journal")

    async def flush(self) -> None:
        """Return when everything that came back until now is written, or given up."""
        while self._writer is not None:
            await asyncio.wait({self._writer})

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._written(batch)
        finally:
            self._writer = None

    async def _written(self, batch: list[Entry]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._journal.append_all(batch)
            except Exception:
                log.exception("what actions gave could not be written (attempt %d)", attempt)
                await asyncio.sleep(0.05 * attempt)
            else:
                return


def _payload(returned: Returned) -> bytes:
    head: dict[str, Value] = {
        "name": returned.name,
        "source": returned.source,
        "arguments": dict(returned.arguments),
        "outcome": returned.outcome,
        "value": dict(returned.value),
        "call": returned.call,
        "asked": returned.asked,
        "conversation": returned.conversation,
    }
    try:
        payload = dump_data(head)
    except (ValueError, TypeError, RecursionError):  # the engine refuses such a value, too: there is nothing to tell
        payload = b""
    if 0 < len(payload) <= LARGEST:
        return payload
    return dump_data({**head, "arguments": {}, "value": {}, "cut": True})


def read_called(payload: bytes) -> Mapping[str, Value]:
    """The payload of a `called` entry, its values as they were."""
    read = load_data(payload)
    assert isinstance(read, dict)
    return read
