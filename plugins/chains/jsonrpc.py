"""JSON-RPC over HTTP: several calls in one request, with a time limit, a size limit and a suspicious reader.

Credentials of the address go into a header and nowhere else. Nothing here knows what the calls mean.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from engine.core.records import record
from plugins.chains.driver import NodeError, WrongNodeError

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one answer. A thousand invoices with a payment each are below one megabyte."""
SECONDS: Final = 30.0
_PIECE: Final = 256 * 1024
_NAMED: Final = 160
"""Letters of a node's own error text that are repeated."""


@record
class Call:
    """One method with its arguments."""

    method: str
    params: Sequence[object] = ()


@record
class Fault:
    """The node's own refusal of one call."""

    code: int
    message: str


Answer = Any
"""The result of one call as JSON gives it (numbers with a point are Decimal), or a Fault."""


class Endpoint:
    """One address of a node. `what` names it in sentences, such as `the LTC node (LTC_NODE)`."""

    def __init__(self, session: "ClientSession", url: str, *, what: str, seconds: float = SECONDS) -> None:
        """Raises WrongNodeError when the address is none."""
        self.what = what
        self.requests = 0
        """HTTP requests so far."""
        self._session = session
        self._seconds = seconds
        self._address, self._headers = _parts(url, what)
        self._secrets = _secrets(url)

    def __repr__(self) -> str:
        return f"Endpoint({self.what})"

    async def batch(self, calls: Sequence[Call], *, path: str = "") -> list[Answer]:
        """All calls in one request; for each its result or a Fault, in their order. Raises NodeError."""
        body = [
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": list(call.params)}
            for number, call in enumerate(calls)
        ]
        found = await self._post(json.dumps(body).encode(), path)
        if isinstance(found, dict) and (fault := self._fault(found)):
            raise NodeError(f"{self.what} refused the request: {fault.message}")
        if not isinstance(found, list):
            raise WrongNodeError(f"{self.what} answers, but not as a node: check its address")
        return self._sorted(found, len(calls))

    def _sorted(self, found: list[Any], wanted: int) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for one in found:
            number = one.get("id") if isinstance(one, dict) else None
            if not isinstance(number, int) or isinstance(number, bool) or number in answers:
                raise NodeError(f"{self.what} answered a request twice, or one that was not made")
            fault = self._fault(one)
            answers[number] = one.get("result") if fault is None else fault
        if sorted(answers) != list(range(wanted)):
            raise NodeError(f"{self.what} left a part of the request without answer")
        return [answers[number] for number in range(wanted)]

    def _fault(self, answer: Mapping[str, Any]) -> Fault | None:
        error = answer.get("error")
        if error is None and "result" in answer:
            return None
        if not isinstance(error, dict):
            return Fault(code=0, message="it gave neither a result nor an error")
        code = error.get("code")
        message = " ".join(str(error.get("message", ""))[:_NAMED].split())
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return Fault(code=code if isinstance(code, int) else 0, message=message)

    async def _post(self, body: bytes, path: str) -> Any:
        import aiohttp

        self.requests += 1
        limit = aiohttp.ClientTimeout(total=self._seconds)
        try:
            async with self._session.post(
                self._address + path, data=body, headers=self._headers, timeout=limit, allow_redirects=False
            ) as response:
                text = await self._read(response)
                return self._parsed(response.status, text)
        except TimeoutError:
            raise NodeError(f"{self.what} did not answer within {self._seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as trouble:
            # the chain of causes names the address with its password
            raise NodeError(f"{self.what} cannot be reached ({type(trouble).__name__})") from None
        except ValueError:
            raise WrongNodeError(f"{self.what} has an address that cannot be used") from None

    async def _read(self, response: "ClientResponse") -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in response.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > LARGEST:
                raise NodeError(f"{self.what} sent more than {LARGEST // 1024 // 1024} MB in one answer")
            pieces.append(piece)
        return b"".join(pieces)

    def _parsed(self, status: int, text: bytes) -> Any:
        if status in (401, 403):
            raise WrongNodeError(f"{self.what} refused the credentials: check user, password and what it allows")
        if status == 429:
            raise NodeError(f"{self.what} is asked too often: set a longer `every:`, or use a node of your own")
        if 300 <= status < 400:
            raise WrongNodeError(f"{self.what} sends elsewhere (status {status}): give the final address")
        try:
            return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError):
            if status >= 500:
                raise NodeError(f"{self.what} is not well (status {status})") from None
            raise WrongNodeError(
                f"{self.what} answers, but not with JSON (status {status}): check its address"
            ) from None


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _secrets(url: str) -> tuple[str, ...]:
    """What of an address may be secret: password, and keys in its path or query. A node may repeat them."""
    found = urlsplit(url.strip())
    parts = [found.password or "", *found.path.split("/"), *found.query.replace("&", "=").split("=")]
    return tuple(part for part in parts if len(part) >= 6)


def _parts(url: str, what: str) -> tuple[str, dict[str, str]]:
    """The address without credentials, and the headers with them."""
    try:
        found = urlsplit(url.strip())
        host, port = found.hostname, found.port
    except ValueError:
        host, port, found = None, None, urlsplit("")
    if found.scheme not in ("http", "https") or not host:
        raise WrongNodeError(f"{what} has no address like http://user:password@127.0.0.1:8332")
    headers = {"content-type": "application/json"}
    if found.username is not None:
        login = f"{unquote(found.username)}:{unquote(found.password or '')}"
        headers["authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    where = f"[{host}]" if ":" in host else host
    if port is not None:
        where = f"{where}:{port}"
    return urlunsplit((found.scheme, where, found.path.rstrip("/"), found.query, "")), headers


def whole(value: object, *, least: int = 0, most: int = 2**63 - 1) -> int | None:
    """The value when it is a whole number in these bounds; else None."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    return None


def quantity(value: object) -> int | None:
    """Ethereum's hexadecimal quantity (`0x1f`) as a number; else None."""
    if not isinstance(value, str) or not value.startswith("0x") or not 3 <= len(value) <= 66:
        return None
    try:
        return int(value[2:], 16) if "_" not in value else None
    except ValueError:
        return None


def digest(value: object) -> str | None:
    """32 bytes in hexadecimal, as Bitcoin writes hashes; else None."""
    if not isinstance(value, str) or len(value) != 64:
        return None
    return value if all(letter in "0123456789abcdef" for letter in value) else None
