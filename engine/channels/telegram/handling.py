"""Brings one kept update to the engine: its file is fetched first, and whoever's file is lost is told."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec

from engine.channels.telegram.attention import attentive
from engine.channels.telegram.downloads import LARGEST, Downloads, Lost, Progress, is_wanted
from engine.channels.telegram.reading import Body, Incoming, Sent, encoded, event_of, record_of
from engine.core.effects import Say
from engine.core.filing import shortened
from engine.core.records import replaced
from engine.runtime.chats import Loaded
from engine.runtime.dispatcher import Stopped
from engine.runtime.files import FileStore, Stored
from engine.runtime.journal import Entry, Journal
from engine.runtime.library import Library
from engine.runtime.outbox import compose
from engine.runtime.ports import Chat, Clock, Elsewhere, Envelope, Outgoing

TELLING: Final = (1.0, 5.0, 30.0)
"""Seconds between the attempts to tell a customer that their file is lost."""

log = logging.getLogger("stepgram.telegram")


class Engine(Protocol):
    """The running engine; `engine.runtime.runtime.Runtime` is one."""

    @property
    def library(self) -> Library:
        """The flows that are live now."""
        ...

    async def handle(self, envelope: Envelope) -> bool:
        """Take one update; return when it has been committed. False: it could not be, and the customer was told."""
        ...

    async def chat(self, chat: str) -> Loaded:
        """How a chat stands."""
        ...

    def words(self, chat: Chat, key: str, **values: object) -> str:
        """A text of the engine's own in the customer's language."""
        ...


class Delivers(Protocol):
    """Whoever brings a message to a customer."""

    async def deliver(self, outgoing: Outgoing) -> None: ...


class Named(Protocol):
    """The line: its client as it is now, and the bot's own username."""

    @property
    def client(self) -> Any: ...

    @property
    def username(self) -> str: ...

    @property
    def bot_id(self) -> int: ...


class Handling:
    """One update at a time per chat: whoever calls sees to that."""

    def __init__(
        self,
        *,
        line: Named,
        engine: Engine,
        journal: Journal,
        seen: Callable[[str], Awaitable[bool]],
        files: FileStore,
        clock: Clock,
        channel: Delivers,
        progress: Progress | None = None,
    ) -> None:
        self._line = line
        self._engine = engine
        self._journal = journal
        self._seen = seen
        self._files = files
        self._clock = clock
        self._channel = channel
        self.downloads = Downloads(client=lambda: line.client, files=files, clock=clock, progress=progress)

    async def handle(self, entry: Entry, incoming: Incoming) -> bool:
        """True: it is settled. False: it has to wait for the next start. Raises nothing."""
        try:
            body = await self._fetched(entry, incoming)
            if body is not None:
                await self._engine.handle(self._envelope(entry, incoming, body))
        except Stopped:
            log.info("an update of %s is handled after the next start", entry.chat)
        except Exception:
            log.exception("an update of %s could not be handed over: it waits for the next start", entry.chat)
        else:
            return True
        return False

    def _envelope(self, entry: Entry, incoming: Incoming, body: Body) -> Envelope:
        return Envelope(
            chat=entry.chat,
            update=entry.key,
            what=event_of(body, self._clock.now(), self._line.username),
            name=incoming.name,
            username=incoming.username,
            language=incoming.language,
        )

    # --- files ------------------------------------------------------------------------------------------

    async def _fetched(self, entry: Entry, incoming: Incoming) -> Body | None:
        """What is to be handed over, its file kept; None: nothing, it is settled."""
        sent = incoming.body
        if not isinstance(sent, Sent) or sent.ref:
            return sent
        if await self._seen(entry.key):
            return None
        loaded = await self._engine.chat(entry.chat)
        if not is_wanted(loaded, self._engine.library, sent):
            return sent
        name = shortened(sent.name)
        if sent.size > LARGEST:
            await self._tell(entry, loaded, "files.too_big", name=name, max=f"{LARGEST // 1024**2} MB")
            return None
        try:
            if entry.key != incoming.key(self._line.bot_id):
                raise Lost("it was sent to another bot")  # whose files, and numbers of messages, this one cannot use
            async with attentive(lambda: self._line.client, incoming.user):
                stored = await self.downloads.fetch(entry.chat, incoming.user, incoming.message, sent)
        except (Lost, OSError) as error:
            log.warning("a file of %s is lost: %s", entry.chat, error)
            await self._tell(entry, loaded, "files.lost", name=name)
            return None
        return await self._kept(entry, incoming, sent, stored)

    async def _kept(self, entry: Entry, incoming: Incoming, sent: Sent, stored: Stored) -> Sent:
        """The inbox knows where the file is: after a crash it is not fetched again. A journal line outlives that:
        by it the file is deleted some day when no conversation took it (`engine.serving.forget_old`)."""
        whole = msgspec.structs.replace(sent, ref=stored.ref, size=stored.size)
        trail = Entry(
            chat=entry.chat,
            at=entry.at,
            kind="file",
            key=f"{entry.key}/file/{stored.ref}",
            payload=msgspec.json.encode(record_of(whole)),
        )
        try:
            await self._journal.append(trail)
            await self._journal.amend(entry.id, encoded(msgspec.structs.replace(incoming, body=whole)))
        except BaseException:
            await self._files.remove(stored.ref)
            raise
        return whole

    async def _tell(self, entry: Entry, loaded: Loaded, key: str, **values: object) -> None:
        """A message outside of every conversation. One that cannot be brought in some minutes is left out."""
        text = self._engine.words(loaded.chat, key, **values)
        message = compose(Say(text=text), chat=entry.chat, sequence=0, conversation=None, at=entry.at)
        message = replaced(message, id=f"{entry.key}/{key}")
        for pause in (*TELLING, None):
            try:
                await self._channel.deliver(message)
            except Elsewhere:
                return
            except Exception as error:
                log.warning("%s could not be told that a file is lost: %s", entry.chat, error)
                if pause is not None:
                    await self._clock.sleep(pause)
            else:
                return
