"""A connection to an Electrum server: many requests at once over one line, and what the server tells unasked.

Nothing here knows what the methods mean. A line that broke is not mended: a new one is made.
"""

import asyncio
import contextlib
import hashlib
import json
import ssl
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from engine.core.records import record
from plugins.chains.driver import NodeError, WrongNodeError
from plugins.chains.jsonrpc import Answer, Call, Fault

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of one line. The largest transaction has 8 MB in hexadecimal."""
SECONDS: Final = 30.0
_NAMED: Final = 160


@record
class Address:
    """Where a server is: `tcp://127.0.0.1:50001`, or `ssl://host:50002`, with `?fingerprint=` of its certificate
    (SHA-256, hexadecimal) where nobody has signed that."""

    host: str
    port: int
    tls: bool
    fingerprint: str = ""


def address(url: str, what: str) -> Address:
    """Reads a server's address. Raises WrongNodeError when it is none."""
    try:
        found = urlsplit(url.strip())
        host, port = found.hostname, found.port
    except ValueError:
        host, port, found = None, None, urlsplit("")
    if found.scheme not in ("tcp", "ssl") or not host or not port:
        raise WrongNodeError(f"{what} has no address like tcp://127.0.0.1:50001 or ssl://127.0.0.1:50002")
    mark = parse_qs(found.query).get("fingerprint", [""])[0].replace(":", "").lower()
    return Address(host=host, port=port, tls=found.scheme == "ssl", fingerprint=mark)


class Line:
    """One open connection. `told` is called with method and params of what the server says unasked."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        what: str,
        told: Callable[[str, Sequence[Any]], None],
    ) -> None:
        self.what = what
        self.bursts = 0
        """How often something was asked."""
        self._reader = reader
        self._writer = writer
        self._told = told
        self._numbers = count(1)
        self._open: dict[int, asyncio.Future[Answer]] = {}
        self._fault: NodeError | None = None
        self._listening = asyncio.create_task(self._listen())

    @property
    def broken(self) -> bool:
        """Whether it is of no use any more."""
        return self._fault is not None

    async def ask(self, calls: Sequence[Call], *, seconds: float = SECONDS) -> list[Answer]:
        """All calls at once, without waiting in between; for each its result or a Fault. Raises NodeError."""
        if self._fault is not None:
            raise self._fault
        self.bursts += 1
        waiting: list[asyncio.Future[Answer]] = []
        for call in calls:
            number = next(self._numbers)
            waiting.append(asyncio.get_running_loop().create_future())
            self._open[number] = waiting[-1]
            text = {"jsonrpc": "2.0", "id": number, "method": call.method, "params": list(call.params)}
            self._writer.write(json.dumps(text).encode() + b"\n")
        try:
            async with asyncio.timeout(seconds):
                await self._writer.drain()
                return [await one for one in waiting]
        except TimeoutError:
            self._break(NodeError(f"{self.what} did not answer within {seconds:g} s"))
        except OSError as trouble:
            self._break(NodeError(f"{self.what} hung up ({type(trouble).__name__})"))
        finally:
            for one in waiting:
                one.cancel()
        assert self._fault is not None
        raise self._fault

    async def close(self) -> None:
        """Hang up."""
        self._break(NodeError(f"{self.what} was left"))
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        with contextlib.suppress(OSError, ssl.SSLError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        try:
            while text := await self._reader.readline():
                self._heard(text)
            self._break(NodeError(f"{self.what} hung up"))
        except NodeError as fault:
            self._break(fault)
        except OSError as trouble:
            self._break(NodeError(f"{self.what} hung up ({type(trouble).__name__})"))
        except ValueError:  # also what readline raises for a line without end
            self._break(WrongNodeError(f"{self.what} answers, but not as an Electrum server: check its address"))

    def _heard(self, text: bytes) -> None:
        said = json.loads(text)
        if not isinstance(said, dict):
            raise ValueError
        if isinstance(said.get("method"), str):
            params = said.get("params")
            self._told(said["method"], params if isinstance(params, list) else [])
            return
        waiting = self._open.pop(said["id"], None) if isinstance(said.get("id"), int) else None
        if waiting is None or waiting.done():
            return
        error = said.get("error")
        if error is None:
            waiting.set_result(said.get("result"))
            return
        message = error.get("message", "") if isinstance(error, dict) else error
        waiting.set_result(Fault(code=0, message=" ".join(str(message)[:_NAMED].split())))

    def _break(self, fault: NodeError) -> None:
        if self._fault is None:
            self._fault = fault
        for one in self._open.values():
            if not one.done():
                one.set_exception(self._fault)
                one.exception()  # whoever asked may have gone
        self._open.clear()
        self._writer.close()


async def dial(where: Address, *, what: str, told: Callable[[str, Sequence[Any]], None]) -> Line:
    """A new connection. Raises NodeError."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(
                where.host, where.port, ssl=_tls(where) if where.tls else None, limit=LARGEST
            )
    except TimeoutError:
        raise NodeError(f"{what} did not answer within {SECONDS:g} s") from None
    except ssl.SSLError:
        raise WrongNodeError(
            f"{what} shows a certificate that nobody has signed: add ?fingerprint= with its SHA-256 to the address"
        ) from None
    except OSError as trouble:
        raise NodeError(f"{what} cannot be reached ({type(trouble).__name__})") from None
    if where.fingerprint and not _shown(writer, where.fingerprint):
        writer.close()
        raise WrongNodeError(f"{what} shows another certificate than the one in its address")
    return Line(reader, writer, what=what, told=told)


def _tls(where: Address) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if where.fingerprint:  # the certificate itself is compared
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _shown(writer: asyncio.StreamWriter, fingerprint: str) -> bool:
    tls = writer.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True) if tls is not None else None
    return shown is not None and hashlib.sha256(shown).hexdigest() == fingerprint
