"""Telegram as a door: the line, what goes out, what comes in, the commands menu. Needs the extra `telegram`."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from engine.app import App
from engine.loading.library import Loaded
from engine.runtime.files import FileStore
from engine.runtime.identity import IdSource
from engine.runtime.ports import Clock, Store
from engine.settings import Settings, SettingsError

QUIET: Final = 2.0
"""Seconds that answers which are under way have to go out when the bot stops."""
PATIENCE: Final = 5.0
"""Seconds that updates at hand have to end when the bot stops; the rest is handled after the next start."""
NETWORK: Final = 6.0
"""Seconds that a start waits for the line, before everything else goes on without it."""

log = logging.getLogger("stepgram.telegram")


class TelegramDoor:
    """Implements `engine.serving.Door`."""

    name = "telegram"

    def __init__(self, settings: Settings, *, store: Store, clock: Clock, ids: IdSource) -> None:
        """Raises SettingsError when a setting or the library is missing."""
        api_id, api_hash, token = settings.telegram_credentials()
        try:
            from engine.channels.telegram.keeping import Keeping
            from engine.channels.telegram.line import Line
            from engine.channels.telegram.menu import Menu
            from engine.channels.telegram.outgoing import TelegramChannel
        except ImportError as error:
            raise SettingsError(
                f"Telegram needs a package that is not installed ({error.name}): pip install '.[telegram]'."
            ) from error
        self._store = store
        self._clock = clock
        self._line = Line(api_id=api_id, api_hash=api_hash, token=token, folder=settings.session, clock=clock)
        self._keeping = Keeping(store.journal)
        self.channel: TelegramChannel = TelegramChannel(
            line=self._line,
            journal=store.journal,
            files=FileStore(settings.files, ids),
            flows=settings.flows,
            clock=clock,
            keeping=self._keeping,
        )
        self._menu = Menu(line=self._line, journal=store.journal, clock=clock)
        self._connecting: asyncio.Task[None] | None = None

    def attach(self, app: App) -> None:
        from engine.channels.telegram.indicator import Typing
        from engine.channels.telegram.progress import Progress
        from engine.channels.telegram.receiving import Receiver

        self._app = app
        self.channel.bot = app.runtime
        self._typing = Typing(self._line, app.runtime.chat)
        self._progress = Progress(lambda: self._line.client)
        self._receiver = Receiver(
            line=self._line,
            engine=app.runtime,
            journal=self._store.journal,
            seen=self._store.seen,
            files=app.files,
            clock=self._clock,
            channel=self.channel,
            progress=self._progress,
            keeping=self._keeping,
        )

    def committed(self, chat: str) -> None:
        """An event of this chat was committed: the customer may have to wait now, or not any more."""
        self._typing.committed(chat)

    async def prepare(self) -> None:
        """Nothing: the line is opened when the engine runs."""

    async def take_up(self) -> None:
        """What was received before the last end, then what was written to the bot while it was away: both before any
        timer that came due meanwhile. Raises CannotLogIn. Without a network it goes on alone after a while."""
        self._line.connected.append(self._reachable)  # before the rest: it does not wait
        await self._receiver.start()
        self._line.connected.append(self._publish)
        self._connecting = asyncio.create_task(self._line.start(self._receiver.received), name="telegram")
        done, _ = await asyncio.wait({self._connecting}, timeout=NETWORK)
        if done:
            self._connecting.result()
        else:
            log.warning("there is no line to Telegram yet: the bot goes on trying")
            self._connecting.add_done_callback(self._told)

    async def open(self) -> str:
        return self._place or "Telegram (as soon as it answers)"

    @property
    def _place(self) -> str:
        """Empty while there is no line."""
        name = self._line.username
        return f"https://t.me/{name}" if name else ""

    def _told(self, connecting: "asyncio.Task[None]") -> None:
        """The line came up, or never will: then the log says why."""
        if connecting.cancelled():
            return
        if connecting.exception() is not None:
            log.error("Telegram cannot be used: %s", connecting.exception())
        else:  # as loud as the warning that it takes back
            log.warning("there is a line to Telegram now: %s", self._place)

    async def close(self) -> None:
        if self._connecting is None:
            return
        connecting, self._connecting = self._connecting, None
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await self._receiver.stop(PATIENCE)
        with suppress(TimeoutError):  # answers that are committed go out now rather than after the next start
            await asyncio.wait_for(self._app.runtime.activity.quiet(), QUIET)
        await self._typing.stop()
        await self._progress.stop()
        await self._line.stop()

    async def reloaded(self, loaded: Loaded, live: bool) -> None:
        if live:
            await self._publish()

    async def _reachable(self) -> None:
        """After an outage nobody waits for the next attempt, which may be a minute away."""
        self._app.runtime.reachable()

    async def _publish(self) -> None:
        """The commands menus, as far as they have changed; what fails is tried again at the next connection."""
        try:
            await self._menu.publish(self._app.runtime)
        except Exception as error:
            log.warning("the commands menu could not be published: %s", type(error).__name__)
