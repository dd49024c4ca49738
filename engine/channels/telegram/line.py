"""The line to Telegram: one logged-in client of the library, watched, replaced when it is dead, closed cleanly.

It hands on what comes in as it came; it knows nothing of chats, of messages, of what the bot does with them.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Final

from pyrogram import Client, __version__, enums, raw
from pyrogram.errors import RPCError

from engine.channels.telegram.client import CLOSING, DamagedSession, LineClient, close, sending
from engine.channels.telegram.faults import code_of, name_of, seconds_of
from engine.runtime.ports import Clock
from engine.settings import SettingsError

WATCH: Final = 60.0
"""Seconds between two looks at whether the line is alive."""
RECHECK: Final = 10.0
"""Seconds until the next look after one that failed."""
PATIENCE: Final = 15.0
"""Seconds for the answer to one request; the library repeats it then, with the same random id."""
LOGIN: Final = 30.0
"""Seconds for logging in with the saved session, and without it after that."""
STRIKES: Final = 3
"""Failed looks in a row after which the client is replaced."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two attempts to log in: doubled from one."""
TRANSMISSIONS: Final = 8
"""Files that go up (and that come down) at the same time."""
_UNAUTHORIZED: Final = 401
_BAD_REQUEST: Final = range(400, 420)
_IN_USE: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED: Final = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""Of SQLite's codes for the session file: somebody else writes it; it is none, or has other tables."""

Received = Callable[[Any], Awaitable[None]]
"""Takes one raw object of the union `Updates` as Telegram sent it."""

log = logging.getLogger("stepgram.telegram")


class CannotLogIn(SettingsError):  # noqa: N818 - says what happened
    """Telegram refuses these credentials, or the session file cannot be used; the message says which in one
    sentence."""


class Line:
    """Telegram as one object: log in with `start`, speak through `client`, hang up with `stop`.

    What comes in goes to `received` of `start`, one object after the other in the order of arrival: the next one waits
    until the call has returned. A raised exception is logged, the line goes on. What the requests themselves
    bring back (the `pts` of a message that was sent) goes to `results`: with it nobody takes it for a gap.
    Requests raise the library's FloodWait at once, however short: whoever asks waits for itself.
    """

    def __init__(
        self,
        *,
        api_id: int,
        api_hash: str,
        token: str,
        folder: Path,
        clock: Clock,
        session_string: str | None = None,
        watch: float = WATCH,
        recheck: float = RECHECK,
        patience: float = PATIENCE,
        login: float = LOGIN,
    ) -> None:
        """`folder` keeps the session file, which is as secret as the token. `session_string`: for tests, no file."""
        self._api_id = api_id
        self._api_hash = api_hash
        self._token = token
        self._folder = folder
        self._clock = clock
        self._session_string = session_string
        self._watch = watch
        self._recheck = recheck
        self.patience = patience
        self._login = login
        self.connected: list[Callable[[], Awaitable[None]]] = []
        """Awaited in this order after the start and after every reconnect: something may have been missed."""
        self.results: list[Callable[[Any], None]] = []
        """Called with every answer to a request that is an `Updates` object or has `pts`, before the asker gets it."""
        self._client: LineClient | None = None
        self._received: Received | None = None
        self._arrived: asyncio.Queue[tuple[LineClient, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reconnecting: asyncio.Task[None] | None = None
        self._stopping = False
        self._changed = asyncio.Event()
        """A client is there, or never will be."""

    async def ready(self) -> None:
        """Wait until there is a client. Raises ConnectionError when the line hangs up meanwhile."""
        while self._client is None:
            if self._stopping:
                raise ConnectionError("the line to Telegram is closed")
            self._changed.clear()
            await self._changed.wait()

    @property
    def client(self) -> Client:
        """The library's client. Another one after the line was dead: do not keep it. Raises ConnectionError
        while there is none."""
        if self._client is None:
            raise ConnectionError("there is no line to Telegram at the moment")
        return self._client

    @property
    def bot_id(self) -> int:
        """The bot's own id: the number that its token begins with."""
        me = self._client.me if self._client else None
        return int(self._token.partition(":")[0]) if me is None else int(me.id)

    @property
    def username(self) -> str:
        """Without the @; empty before the start."""
        me = self._client.me if self._client else None
        return (me.username if me else None) or ""

    def sending(self, key: str) -> AbstractContextManager[None]:
        """Everything that is sent inside has a random id made of `key`: sent again under the same key, Telegram gives
        back the earlier message. One send (or one album) per key."""
        return sending(key)

    # --- life -------------------------------------------------------------------------------------------

    async def start(self, received: Received) -> None:
        """Log in; return when the line stands and `connected` was told. Without a network it is tried until there is
        one. Raises CannotLogIn, nothing left running."""
        self._received = received
        self._stopping = False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._spawn(self._pump(), "telegram updates")
        try:
            await self._log_in()
            await self._tell_connected()
        except BaseException:
            await self.stop()
            raise
        self._spawn(self._watchdog(), "telegram watchdog")

    async def stop(self) -> None:
        """Hang up. What came in before is handed on, for at most some seconds; what is left comes again."""
        self._stopping = True
        self._changed.set()
        await self._handed_on()
        client, self._client = self._client, None
        if client is not None:
            await close(client)
        await self._handed_on()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handed_on(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.join(), CLOSING)

    async def replace(self) -> None:
        """Give the client up and log in with a new one. Raises CannotLogIn."""
        old, self._client = self._client, None
        if old is not None:
            await close(old)
        await self._log_in()
        await self._tell_connected()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- logging in -------------------------------------------------------------------------------------

    @property
    def _session_file(self) -> Path:
        return self._folder / f"{self._name}.session"

    @property
    def _name(self) -> str:
        """Each kind of library has a file of its own: they write it differently."""
        return f"bot{self._token.partition(':')[0]}-{__version__.rpartition('.')[0]}"

    async def _log_in(self) -> None:
        pause, forgotten, unusable, anew = 1.0, False, False, False
        while True:
            client = self._new_client()
            self._put_aside(anew)
            try:
                async with asyncio.timeout(self._login):
                    await client.start()
            except BaseException as error:
                await close(client)
                self._put_back(anew)
                if _void(error):
                    if forgotten or self._session_string is not None:
                        raise CannotLogIn(self._refusal(error)) from error
                    forgotten = True
                    log.warning("the saved session is of no use any more (%s): logging in anew", name_of(error))
                    self._session_file.unlink(missing_ok=True)
                    continue
                if isinstance(error, sqlite3.Error):
                    if unusable:  # twice: it is no process that is just ending, no backup that is being made
                        raise CannotLogIn(self._refusal(error)) from error
                    unusable = True
                # Of a key that Telegram has forgotten the library learns nothing and tries for ever.
                anew = isinstance(error, TimeoutError) and not anew and self._session_file.exists()
                pause = await self._rest(error, pause)
                continue
            self._client = client
            self._changed.set()
            if self._session_file.exists():
                self._session_file.chmod(0o600)
            self._aside.unlink(missing_ok=True)
            return

    @property
    def _aside(self) -> Path:
        return self._session_file.with_suffix(".aside")

    def _put_aside(self, anew: bool) -> None:
        if anew:
            self._session_file.replace(self._aside)

    def _put_back(self, anew: bool) -> None:
        """It was not the session's fault: nobody else gets in either."""
        if anew:
            self._session_file.with_name(f"{self._session_file.name}-journal").unlink(missing_ok=True)
            self._aside.replace(self._session_file)

    async def _rest(self, error: BaseException, pause: float) -> float:
        """Wait before the next attempt; how long to wait after that one. Raises what no waiting mends."""
        seconds = seconds_of(error)
        if seconds is None and code_of(error) in _BAD_REQUEST:
            raise CannotLogIn(self._refusal(error)) from error
        if seconds is None and not isinstance(error, OSError | RPCError | sqlite3.Error):
            raise error
        log.warning("no line to Telegram (%s): trying again in %d seconds", name_of(error), seconds or pause)
        await self._clock.sleep(seconds or pause)
        return min(pause * 2, LONGEST_PAUSE)

    def _refusal(self, error: BaseException) -> str:
        name = name_of(error)
        if _sqlite_code(error) in _IN_USE:
            return (
                f"Another process uses the Telegram session in {self._folder}: end that one, or give this bot a folder "
                "of its own with STEPGRAM_SESSION."
            )
        if isinstance(error, sqlite3.Error | DamagedSession):
            return (
                f"The Telegram session in {self._folder} cannot be written or read ({error}): please see to that "
                "folder and its disk, or name another folder with STEPGRAM_SESSION."
            )
        if name.startswith("ACCESS_TOKEN"):
            return "Telegram does not know this bot token: please copy it again from @BotFather."
        if name.startswith("API_ID"):
            return "Telegram does not know this api id and api hash: please copy them again from my.telegram.org."
        return f"Telegram refuses to let the bot in: {name}."

    def _new_client(self) -> LineClient:
        return LineClient(
            self._settings(),
            patience=self.patience,
            arrived=self._take,
            answered=self._answered,
            dropped=self._dropped,
        )

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "name": self._name,
            "api_id": self._api_id,
            "api_hash": self._api_hash,
            "bot_token": self._token,
            "workdir": str(self._folder),
            "parse_mode": enums.ParseMode.DISABLED,
            "sleep_threshold": 0,
            "workers": 1,
            "max_concurrent_transmissions": TRANSMISSIONS,
        }
        if self._session_string is not None:
            settings["session_string"] = self._session_string
        return settings

    # --- what comes in ----------------------------------------------------------------------------------

    def _take(self, client: LineClient, updates: Any) -> None:
        self._arrived.put_nowait((client, updates))

    def _answered(self, result: Any) -> None:
        for take in self.results:
            take(result)

    async def _pump(self) -> None:
        """One at a time: the library starts a task for each, and their order must not be left to chance."""
        while True:
            client, updates = await self._arrived.get()
            try:
                with suppress(Exception):  # whoever is not known is looked up when they are written to
                    await client.learn(updates)
                if self._received is not None:
                    await self._received(updates)
            except Exception:
                log.exception("something received from Telegram could not be taken in: it comes again by catching up")
            finally:
                self._arrived.task_done()

    # --- staying alive ----------------------------------------------------------------------------------

    def _dropped(self, client: LineClient) -> None:
        """The library has lost this client's connection and is making a new one."""
        if self._stopping or client is not self._client:
            return
        if self._reconnecting is None or self._reconnecting.done():
            self._reconnecting = self._spawn(self._reconnected(client), "telegram reconnect")

    async def _reconnected(self, client: LineClient) -> None:
        log.info("the line to Telegram was dropped: reconnecting")
        await client.hears()
        if client is self._client:
            log.info("the line to Telegram stands again")
            await self._tell_connected()

    async def _tell_connected(self) -> None:
        for tell in self.connected:
            try:
                await tell()
            except Exception:
                log.exception("catching up after connecting did not work")

    async def _watchdog(self) -> None:
        strikes = 0
        while True:
            await self._clock.sleep(self._recheck if strikes else self._watch)
            if await self._alive():
                strikes = 0
                continue
            strikes += 1
            if strikes < STRIKES:
                continue
            log.warning("the line to Telegram has been dead for %d looks: a new one is made", strikes)
            try:
                await self.replace()
            except Exception as error:
                log.error("there is no line to Telegram: %s", error)
            else:
                strikes = 0

    async def _alive(self) -> bool:
        client = self._client
        if client is None:
            return False
        try:
            ask = client.invoke(raw.functions.updates.GetState(), retries=1, timeout=self.patience)
            await asyncio.wait_for(ask, self.patience)
        except Exception as error:
            log.info("Telegram does not answer (%s)", name_of(error))
            return seconds_of(error) is not None  # a flood wait is an answer
        return True


def _sqlite_code(error: BaseException) -> int | None:
    """SQLite's primary result code; None: it is no error of SQLite's, or one of Python's own about it."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _void(error: BaseException) -> bool:
    """Whether the saved session is worth nothing: logging in anew helps. One that cannot be read right now is not."""
    return isinstance(error, DamagedSession) or _sqlite_code(error) in _DAMAGED or code_of(error) == _UNAUTHORIZED
