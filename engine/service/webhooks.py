"""Signed requests by HTTP become signals of the engine, or calls of plugins' webhooks. Knows no flow and no store; only
`Taker` is called."""

import asyncio
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import unquote

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from engine.core.values import Value
from engine.runtime.hooks import Answer
from engine.runtime.ports import Clock
from engine.runtime.sending import LARGEST_PAYLOAD, Sent, UnfitSignal, payload_of
from engine.service.signing import ID, SIGNATURE, is_signed, read_header, signed_text
from engine.settings import SettingsError

PREFIX: Final = "/signals"
MOST_AT_ONCE: Final = 256
"""Requests that are handled at once; one more is sent away for a moment."""
BODY_TIME: Final = 10.0
"""Seconds that a sender has for its body."""
LONGEST_ID: Final = 200
AGAIN: Final = {"Retry-After": "5"}
LINGERING: Final = 1.0
"""Seconds in which the rest of a request that was refused is still read. Stopping waits for it."""
PATIENCE: Final = 10.0
"""Seconds that requests have to end when the server stops."""

_THEIRS: Final = (HttpProcessingError, web.RequestPayloadError, ConnectionError)

log = logging.getLogger("stepgram.webhooks")


class CannotListen(SettingsError):  # noqa: N818 - says what happened
    """The address cannot be listened at; the message is one sentence that names the setting to change."""


class Taker(Protocol):
    """What takes signals: the engine."""

    async def signal(
        self, flow: str, key: str, name: str, payload: Mapping[str, Value], update: str | None = None
    ) -> Sent:
        """Durable when it returns; raises when it was not taken."""
        ...

    async def webhook(self, path: str, delivery: str, body: bytes) -> Answer:
        """A plugin's own: committed when it returns. What goes wrong is an answer, too."""
        ...


class _Refused(Exception):  # noqa: N818 - becomes an answer
    def __init__(self, status: HTTPStatus, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Webhooks:
    """Listens for `POST /signals/FLOW/KEY/NAME`, and for the `paths` of plugins' webhooks. `secrets`: any of them may
    have signed; `port` 0: any free one."""

    def __init__(
        self,
        taker: Taker,
        *,
        secrets: Sequence[str],
        host: str,
        port: int,
        clock: Clock,
        paths: Sequence[str] = (),
    ) -> None:
        if not secrets:
            raise ValueError("webhooks need at least one secret")
        self._taker = taker
        self._secrets = tuple(secrets)
        self._host = host
        self._port = port
        self._clock = clock
        self._busy = 0
        self._runner: web.AppRunner | None = None
        self._app = web.Application(client_max_size=LARGEST_PAYLOAD)
        self._app.router.add_route("*", PREFIX + r"/{tail:[\s\S]*}", self._signal)
        for path in paths:
            self._app.router.add_route("*", path, self._webhook)

    async def start(self) -> str:
        """Listen; the address. Raises CannotListen."""
        runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=_logger(),
            handle_signals=False,
            shutdown_timeout=PATIENCE,
            lingering_time=LINGERING,
        )
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
            raise CannotListen(
                f"Signals by HTTP cannot be taken at {self._host}:{self._port} ({reason}): please set "
                "STEPGRAM_WEBHOOK_PORT to a free port, and STEPGRAM_WEBHOOK_HOST to an address of this machine."
            ) from error
        self._runner = runner
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{runner.addresses[0][1]}{PREFIX}"

    async def stop(self) -> None:
        """Take nothing more; what was being taken is answered."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    # --- one request ------------------------------------------------------------------------------------

    async def _signal(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._taken)

    async def _webhook(self, request: web.Request) -> web.Response:
        return await self._answered(request, self._called)

    async def _answered(
        self, request: web.Request, take: Callable[[web.Request], Awaitable[web.Response]]
    ) -> web.Response:
        """The answer to a request that may be any: what is refused is an answer, too."""
        if self._busy >= MOST_AT_ONCE:
            return _answer(HTTPStatus.TOO_MANY_REQUESTS, {"error": "Too many requests at once."}, AGAIN)
        self._busy += 1
        try:
            return await take(request)
        except _Refused as refused:
            if refused.status is HTTPStatus.UNAUTHORIZED:
                log.warning("a webhook was refused: %s", refused)
            return _answer(refused.status, {"error": str(refused)}, refused.headers)
        finally:
            self._busy -= 1

    async def _called(self, request: web.Request) -> web.Response:
        """A plugin's webhook."""
        body, delivery = await self._signed(request)
        _check_json(request)
        resource = request.match_info.route.resource
        assert resource is not None, "only a path of a plugin leads here"
        found = await self._taker.webhook(resource.canonical, delivery, body)
        again = AGAIN if found.status == HTTPStatus.SERVICE_UNAVAILABLE else None
        return _answer(found.status, found.body, again)

    async def _taken(self, request: web.Request) -> web.Response:
        """A signal."""
        body, update = await self._signed(request)
        _check_json(request)
        flow, key, name = _address(request)
        try:
            payload = payload_of(body)
            sent = await self._taker.signal(flow, key, name, payload, update)
        except UnfitSignal as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
        except Exception as error:
            log.warning("a signal could not be taken: %s", error)
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Not taken: please send it again.", AGAIN) from error
        if sent is Sent.UNKNOWN_FLOW:
            raise _Refused(HTTPStatus.NOT_FOUND, f"There is no flow “{flow}”.")
        if sent is Sent.UNKNOWN_SIGNAL:
            raise _Refused(HTTPStatus.NOT_FOUND, f"No step of “{flow}” waits for the signal “{name}”.")
        return _answer(HTTPStatus.OK, {"result": sent.value})

    async def _signed(self, request: web.Request) -> tuple[bytes, str]:
        """The body and the id of a request that one of the secrets has signed. The rest of an unsigned one is not
        looked at."""
        if request.method != "POST":
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Send it by POST.", {"Allow": "POST"})
        header = read_header(request.headers.get(SIGNATURE, ""), self._clock.now().timestamp())
        if isinstance(header, str):
            raise _Refused(HTTPStatus.UNAUTHORIZED, header)
        moment, signatures = header
        text = signed_text(moment, request.raw_path, body := await _body(request))
        if not is_signed(self._secrets, signatures, text):
            raise _Refused(HTTPStatus.UNAUTHORIZED, "The signature does not fit the path and the body.")
        sender = request.headers.get(ID, "").strip()
        if len(sender) > LONGEST_ID:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"The header {ID} has more than {LONGEST_ID} characters.")
        return body, sender or hashlib.sha256(text).hexdigest()


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIME):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {LARGEST_PAYLOAD} bytes are taken.") from error
    except (HttpProcessingError, web.RequestPayloadError) as error:  # such as gzip that is none
        raise _Refused(HTTPStatus.BAD_REQUEST, "The body cannot be read.", {"Connection": "close"}) from error
    except TimeoutError as error:
        raise _Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not come.", {"Connection": "close"}) from error


def _address(request: web.Request) -> tuple[str, str, str]:
    """Flow, key and name out of the path."""
    path, question, _ = request.raw_path.partition("?")
    parts = path.removeprefix(PREFIX + "/").split("/")
    try:
        flow, key, name = (unquote(part, errors="strict") for part in parts)
    except ValueError as error:  # not three, or no UTF-8
        raise _Refused(HTTPStatus.NOT_FOUND, f"The path must be {PREFIX}/FLOW/KEY/NAME.") from error
    if question or not (flow and key and name):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"The path must be {PREFIX}/FLOW/KEY/NAME, nothing behind it.")
    return flow, key, name


def _check_json(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")


def _answer(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(dict(body), status=status, headers=headers)


def _logger() -> logging.Logger:
    """For the requests. One that is no HTTP is the other side's trouble: it needs no traceback."""
    logger = log.getChild("requests")
    if not logger.filters:
        logger.addFilter(lambda entry: not (entry.exc_info and isinstance(entry.exc_info[1], _THEIRS)))
    return logger
