"""The page's web server: wires routes, guard and sockets, starts and stops them. No flow and no chat is known here."""

import asyncio
import errno
import logging
import os
import weakref
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from engine.channels.web.assets import Assets, packaged
from engine.channels.web.bot import Bot
from engine.channels.web.feed import Feed
from engine.channels.web.indicator import Typing
from engine.channels.web.inputs import Inputs
from engine.channels.web.lobby import Lobby
from engine.channels.web.people import People
from engine.channels.web.pictures import Pictures
from engine.channels.web.security import HEALTH, Guard, add_headers, bracketed, guard_for, is_loopback, middleware
from engine.channels.web.socket import GOING, HEARTBEAT, LARGEST, Session
from engine.channels.web.tools import Tools
from engine.channels.web.uploads import Uploads
from engine.runtime.files import FileStore
from engine.runtime.identity import IdSource
from engine.runtime.ports import Clock
from engine.settings import SettingsError

MOST_TABS: Final = 1000
PATIENCE: Final = 2.0
"""Seconds that sockets and requests have to end when the server stops."""
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what to open for these

_THEIRS: Final = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
_TAKEN: Final = (errno.EADDRINUSE, errno.EACCES)

log = logging.getLogger("stepgram.web")


class CannotListen(SettingsError):  # noqa: N818 - says what happened
    """The address cannot be listened at; the message is one sentence that names the setting to change."""


class WebServer:
    """Serves the page. The engine must run before `start`, and be stopped after `stop`."""

    def __init__(
        self,
        *,
        bot: Bot,
        feed: Feed,
        people: People,
        files: FileStore,
        flows: Path,
        clock: Clock,
        ids: IdSource,
        host: str,
        ports: Sequence[int],
        token: str | None = None,
        hosts: Collection[str] = (),
        max_file: int,
        version: str,
        tools: Tools | None = None,
    ) -> None:
        """`ports`: the first of them that nobody listens at is taken; 0: any that is free. `max_file` in bytes.
        `hosts`: more names that this machine is called by.
        `flows`: the folder that the flows' pictures stand in. `tools` None: the page has no workshop pane.

        Elsewhere than on loopback a token is needed: without one, one is made of `ids`.
        """
        self._host = host
        self._ports = ports
        self.token = token or (None if is_loopback(host) else ids.file())
        """What the page's address has to have; None: it is open to everybody on this machine."""
        self._people = people
        self._typing = Typing(feed.tabs, bot.chat)
        self._inputs = Inputs(engine=bot, feed=feed, people=people, clock=clock, typing=self._typing)
        self.lobby = Lobby(
            bot=bot, feed=feed, people=people, inputs=self._inputs, typing=self._typing, clock=clock, tools=tools,
            largest=max_file, version=version,
        )  # fmt: skip
        self._pictures = Pictures(journal=feed.journal, files=files, flows=flows)
        self._uploads = Uploads(files=files, feed=feed, people=people, inputs=self._inputs, largest=max_file)
        self._app = self._application(guard_for(host, self.token, hosts), Assets(packaged()), tools)
        self._runner: web.AppRunner | None = None
        self._taken_up = False
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def _application(self, guard: Guard, assets: Assets, tools: Tools | None) -> web.Application:
        app = web.Application(middlewares=[middleware(guard)], client_max_size=64 * 1024)
        app.on_response_prepare.append(add_headers)
        app.add_routes(
            [
                web.get("/", assets.page),
                web.get("/assets/{name}", assets.asset),
                web.get("/ws", self._socket, allow_head=False),
                web.post("/upload", self._uploads.upload),
                web.get("/picture/{entry:[0-9]{1,15}}", self._pictures.picture),
                web.get("/file/{entry:[0-9]{1,15}}", self._pictures.file),
                web.get(HEALTH, _health),
            ]
        )
        if tools is not None:
            app.add_routes(tools.routes())
        return app

    async def start(self) -> str:
        """Listen, and take up what was left, if that was not done; the address to open. Raises CannotListen."""
        runner = web.AppRunner(
            self._app, access_log=None, logger=_logger(), handle_signals=False, shutdown_timeout=PATIENCE
        )
        await runner.setup()
        await self.take_up()
        for port in self._ports:
            site = web.TCPSite(runner, self._host, port)
            try:
                await site.start()
                break
            except OSError as error:
                await site.stop()
                if error.errno not in _TAKEN or port == self._ports[-1]:
                    await runner.cleanup()
                    raise CannotListen(self._why(error, port)) from error
        self._runner = runner
        return self._address(runner.addresses[0][1])

    async def take_up(self) -> None:
        """Hand over the inputs that were kept and not handled, before any new one; nobody waits for them. Once."""
        if self._taken_up:
            return
        self._taken_up = True
        await self._people.load()
        left = await self._inputs.take_up()
        if left:
            log.info("%d inputs of the page were left and are handled now", left)

    async def stop(self) -> None:
        """Close the sockets, take nothing more, wait a moment for what is being handled."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for site in list(runner.sites):
            await site.stop()
        closing = [asyncio.create_task(socket.close(code=GOING)) for socket in self._sockets]
        if closing:
            _, late = await asyncio.wait(closing, timeout=PATIENCE)
            for task in late:
                task.cancel()
        await self._inputs.stop(PATIENCE)
        await self._typing.stop()
        await self.lobby.stop()
        await runner.cleanup()

    def committed(self, chat: str) -> None:
        """An event of this chat was committed: the typing indicator may change. For the engine's observer."""
        self._typing.look(chat)

    async def reloaded(self) -> None:
        """The flows were loaded again: the commands menus of all tabs are brought up to date."""
        await self.lobby.commands_changed()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if len(self._sockets) >= MOST_TABS:
            return web.Response(status=503, text="Too many tabs are open: please close some.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST, compress=False)
        if not socket.can_prepare(request):
            return web.Response(status=426, text="This address is for the page's own connection.")
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await Session(socket, self.lobby).run()
        finally:
            self._sockets.discard(socket)
        return socket

    def _address(self, port: int) -> str:
        host = bracketed(_ANYWHERE.get(self._host, self._host))
        return f"http://{host}:{port}/" + (f"?token={self.token}" if self.token else "")

    def _why(self, error: OSError, port: int) -> str:
        place = f"{bracketed(self._host)}:{port}"
        if isinstance(error, PermissionError) or error.errno in _TAKEN:
            return (
                f"The browser chat cannot listen at {place} ({_reason(error)}): please set STEPGRAM_WEB_PORT to "
                "another port, or to 0 for any that is free."
            )
        return f"The browser chat cannot listen at {place} ({_reason(error)}): please check STEPGRAM_WEB_HOST."


def _logger() -> logging.Logger:
    """For the requests. One that is no HTTP is the other side's trouble: it needs no traceback."""
    logger = log.getChild("requests")
    if not logger.filters:
        logger.addFilter(lambda entry: not (entry.exc_info and isinstance(entry.exc_info[1], _THEIRS)))
    return logger


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is taken"
    return (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)).lower()


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="ok")
