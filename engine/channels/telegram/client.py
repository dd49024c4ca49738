"""The library's client as the line uses it: nothing of its dispatcher, random ids that repeat, a clean end."""

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

from pyrogram import Client, raw

CLOSING: Final = 5.0
"""Seconds for closing a client."""
_CACHED_MESSAGES: Final = 100

log = logging.getLogger("stepgram.telegram")
logging.getLogger(Client.__module__.partition(".")[0]).setLevel(logging.WARNING)  # below that it logs whole requests:
# the token, the key, what customers write

_key: ContextVar[str | None] = ContextVar("telegram send key", default=None)
_formatting: ContextVar[list[Any] | None] = ContextVar("telegram formatting", default=None)


@contextmanager
def sending(key: str) -> Iterator[None]:
    """Everything that is sent inside has a random id made of `key`. One send (or one album) per key."""
    before = _key.set(key)
    try:
        yield
    finally:
        _key.reset(before)


def random_id_of(key: str) -> int:
    """The random id of a send: the same for the same key, never 0."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little", signed=True) or 1


class DamagedSession(Exception):  # noqa: N818 - says what happened
    """What is in the session file is of no use."""


class LineClient(Client):
    """Hands everything received to `arrived`, every answer with a `pts` to `answered`, and a lost connection to
    `dropped`; none of them may wait."""

    def __init__(
        self,
        settings: dict[str, Any],
        *,
        patience: float,
        arrived: Callable[["LineClient", Any], None],
        answered: Callable[[Any], None],
        dropped: Callable[["LineClient"], None],
    ) -> None:
        """`patience`: seconds for the answer to one request."""
        super().__init__(**settings)
        self._patience = patience
        self._arrived = arrived
        self._answered = answered
        self._lost = dropped
        self._running: set[asyncio.Task[Any]] = set()
        self._given_up = False
        self.disconnect_handler = self._dropped
        cache = getattr(self, "message_cache", None)
        if cache is not None and hasattr(cache, "capacity"):
            cache.capacity = _CACHED_MESSAGES  # we look nothing up in it

    async def load_session(self) -> None:
        """As the library's; what it writes is nobody else's from the first moment on, whatever folder it is in.

        Raises DamagedSession, ConnectionError when no key could be agreed on, and what SQLite raises.
        """
        before = os.umask(0o077)
        try:
            await super().load_session()
        except TypeError as error:  # the process that made the file was killed between its tables and their rows
            raise DamagedSession("rows are missing") from error
        except KeyError as error:  # the other side hung up instead of answering
            raise ConnectionError("the key exchange came to nothing") from error
        finally:
            os.umask(before)

    async def connect(self) -> bool:
        """As the library's, with a line that hears."""
        authorized: bool = await super().connect()
        await self.hears()
        return authorized

    async def hears(self) -> None:
        """Wait until the session is started and reads its line. One that was dropped in the last moment of a start
        counts as started in the library, which then hears nothing more and does not notice."""
        while True:
            await self.session.is_started.wait()
            await asyncio.sleep(0)
            if not self.session.is_started.is_set():  # the library has noticed, and makes it anew itself
                continue
            reading = getattr(self.session, "recv_task", None)
            if reading is None or not reading.done():
                return
            log.info("the line was dropped while it was being made: it is made anew")
            await self.session.restart()

    async def handle_updates(self, updates: Any) -> None:
        """Instead of the library's dispatcher, which forgets and reorders. Nothing is awaited: order is kept."""
        if isinstance(updates, _UPDATES):
            self._arrived(self, updates)

    async def learn(self, updates: Any) -> None:
        """Remember who can be written to."""
        await self.fetch_peers(getattr(updates, "users", []))
        await self.fetch_peers(getattr(updates, "chats", []))

    async def edit_message_text(self, *args: Any, entities: list[Any] | None = None, **options: Any) -> Any:
        """As the library's. kurigram 2.2.26 forgets the entities here (of captions, too): `invoke` puts them back."""
        before = _formatting.set(entities)
        try:
            return await super().edit_message_text(*args, entities=entities, **options)
        finally:
            _formatting.reset(before)

    async def invoke(self, query: Any, *args: Any, **options: Any) -> Any:
        """As the library's, with the random id of `sending`. Raises ConnectionError once `give_up` was called."""
        if self._given_up:
            raise ConnectionError("this line was closed")
        _stamp(query, _key.get())
        if isinstance(query, raw.functions.messages.EditMessage) and not query.entities:
            query.entities = [await entity.write() for entity in _formatting.get() or ()] or None
        if len(args) < 2:
            options.setdefault("timeout", self._patience)
        result = await self._asked(super().invoke(query, *args, **options))
        if isinstance(result, _UPDATES) or hasattr(result, "pts"):
            self._answered(result)
        return result

    async def _asked(self, request: Coroutine[Any, Any, Any]) -> Any:
        running = asyncio.create_task(request)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            return await running
        except asyncio.CancelledError:
            asking = asyncio.current_task()
            if asking is None or asking.cancelling():
                raise
            raise ConnectionError("the line was closed before Telegram answered") from None

    def give_up(self) -> None:
        """No answer comes any more: the library would ask a closed session again and again for minutes."""
        self._given_up = True
        for running in list(self._running):
            running.cancel()

    async def _dropped(self, _: Any, session: Any = None) -> None:
        """Requests under way get no answer any more: they are asked again at once and not after their time is up."""
        session = session or self.session
        for waiting in list(getattr(session, "results", {}).values()):
            waiting.event.set()
        if session is self.session:
            self._lost(self)


_UPDATES: Final = (
    raw.types.Updates,
    raw.types.UpdatesCombined,
    raw.types.UpdatesTooLong,
    raw.types.UpdateShort,
    raw.types.UpdateShortMessage,
    raw.types.UpdateShortChatMessage,
    raw.types.UpdateShortSentMessage,
)


def _stamp(query: Any, key: str | None) -> None:
    if key is None:
        return
    if isinstance(query, raw.functions.messages.SendMessage | raw.functions.messages.SendMedia):
        query.random_id = random_id_of(key)
    elif isinstance(query, raw.functions.messages.SendMultiMedia):
        for number, item in enumerate(query.multi_media):
            item.random_id = random_id_of(f"{key}/{number}")


async def close(client: LineClient) -> None:
    """End it whatever state it is in, and let go of its session file: nobody may open that twice."""
    session = client.session
    try:
        async with asyncio.timeout(CLOSING):
            if client.is_initialized:
                await client.terminate()
            if client.is_connected:
                await client.disconnect()
    except Exception as error:
        log.debug("a client could not be closed cleanly: %s", error)
    client.give_up()
    if session is not None:
        for task in _tasks_of(session):
            task.cancel()
    with suppress(Exception):
        await client.storage.close()


def _tasks_of(session: Any) -> Iterator["asyncio.Task[Any]"]:
    """What still runs for a session: the library keeps no list, and would reconnect it for ever."""
    for task in asyncio.all_tasks():
        frame = getattr(task.get_coro(), "cr_frame", None)
        if frame is not None and frame.f_locals.get("self") is session:
            yield task
