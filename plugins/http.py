"""HTTP calls without Python: `http.get`, `http.post`, `http.put`, `http.delete`.

Only hosts that bot.yaml allows are called, redirects included; secrets go in by name and never into a text.
"""

import json as json_module
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from engine.actions import Context, Refusal, Retryable, Template, Unreachable, action, retryable
from engine.core.values import Money, Unset, major

if TYPE_CHECKING:
    from aiohttp import ClientResponse

LONGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read; a longer one is refused."""
LONGEST_REASON = 200
"""Characters of an answer that become the reason of a refusal."""
SHORTEST_SECRET = 6
"""Characters from which a secret is taken out of answers; a shorter one would blot out common words."""
MOST_REDIRECTS = 5
_encoder = msgspec.json.Encoder(decimal_format="number")
"""Decimals go as JSON numbers with every digit, which the standard library cannot write."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ok:
    """The server answered with a status from 200 to 299."""

    status: int
    json: Any
    """The parsed answer, or nothing when it is no JSON."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """The server knows nothing there: status 404 or 410."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server said no for good: any other status from 300 to 499."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request, before its secrets are put in."""

    method: str
    url: str
    query: Mapping[str, Any] | None
    json: Any
    headers: Mapping[str, str]
    secret_headers: Mapping[str, str]
    timeout: int | None


@action()
async def get(
    context: Context,
    *,
    url: Template,
    query: dict[str, Template] | None = None,
    headers: dict[str, Template] | None = None,
    secret_headers: dict[str, Template] | None = None,
    timeout: int | None = None,  # noqa: ASYNC109 - an argument of YAML, handed on to the client
) -> Ok | NotFound | Refused:
    """Read from an HTTP API.

    Args:
        url: The address; its host must be in `allowed_hosts` of bot.yaml.
        query: Names and texts that go behind the `?`.
        headers: Header names and texts.
        secret_headers: Header names and names of secrets from bot.yaml.
        timeout: Seconds to wait for the answer.
    """
    call = _call(
        "GET",
        url,
        query=query,
        headers=headers,
        secret_headers=secret_headers,
        timeout=timeout,
    )
    return await _send(context, call)


@action()
async def post(
    context: Context,
    *,
    url: Template,
    json: Any = None,
    query: dict[str, Template] | None = None,
    headers: dict[str, Template] | None = None,
    secret_headers: dict[str, Template] | None = None,
    timeout: int | None = None,  # noqa: ASYNC109 - an argument of YAML, handed on to the client
) -> Ok | NotFound | Refused:
    """Send something new to an HTTP API.

    Args:
        url: The address; its host must be in `allowed_hosts` of bot.yaml.
        json: The body; every text in it is an expression. Money goes as {"amount": "12.50", "currency": "EUR"}, a
            date or time as ISO 8601, a duration in seconds.
        query: Names and texts that go behind the `?`.
        headers: Header names and texts.
        secret_headers: Header names and names of secrets from bot.yaml.
        timeout: Seconds to wait for the answer.
    """
    call = _call(
        "POST",
        url,
        query=query,
        json=json,
        headers=headers,
        secret_headers=secret_headers,
        timeout=timeout,
    )
    return await _send(context, call)


@action()
async def put(
    context: Context,
    *,
    url: Template,
    json: Any = None,
    query: dict[str, Template] | None = None,
    headers: dict[str, Template] | None = None,
    secret_headers: dict[str, Template] | None = None,
    timeout: int | None = None,  # noqa: ASYNC109 - an argument of YAML, handed on to the client
) -> Ok | NotFound | Refused:
    """Replace something at an HTTP API.

    Args:
        url: The address; its host must be in `allowed_hosts` of bot.yaml.
        json: The body; every text in it is an expression. Money goes as {"amount": "12.50", "currency": "EUR"}, a
            date or time as ISO 8601, a duration in seconds.
        query: Names and texts that go behind the `?`.
        headers: Header names and texts.
        secret_headers: Header names and names of secrets from bot.yaml.
        timeout: Seconds to wait for the answer.
    """
    call = _call(
        "PUT",
        url,
        query=query,
        json=json,
        headers=headers,
        secret_headers=secret_headers,
        timeout=timeout,
    )
    return await _send(context, call)


@action()
async def delete(
    context: Context,
    *,
    url: Template,
    query: dict[str, Template] | None = None,
    headers: dict[str, Template] | None = None,
    secret_headers: dict[str, Template] | None = None,
    timeout: int | None = None,  # noqa: ASYNC109 - an argument of YAML, handed on to the client
) -> Ok | NotFound | Refused:
    """Delete something at an HTTP API.

    Args:
        url: The address; its host must be in `allowed_hosts` of bot.yaml.
        query: Names and texts that go behind the `?`.
        headers: Header names and texts.
        secret_headers: Header names and names of secrets from bot.yaml.
        timeout: Seconds to wait for the answer.
    """
    call = _call(
        "DELETE",
        url,
        query=query,
        headers=headers,
        secret_headers=secret_headers,
        timeout=timeout,
    )
    return await _send(context, call)


def _call(
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None,
    json: Any = None,
    headers: Mapping[str, str] | None,
    secret_headers: Mapping[str, str] | None,
    timeout: int | None,
) -> _Call:
    return _Call(
        method=method,
        url=url.strip(),
        query=query,
        json=json,
        headers=headers or {},
        secret_headers=secret_headers or {},
        timeout=timeout,
    )


async def _send(context: Context, call: _Call) -> Ok | NotFound | Refused:
    """Follow redirects by hand: each must stay on the host that was called."""
    import aiohttp

    host = _allowed(call.url, context.allowed_hosts)
    secrets = _clean({name: context.secret(secret) for name, secret in call.secret_headers.items()})
    headers = {**_clean(call.headers), "Idempotency-Key": context.idempotency_key, **secrets}
    options: dict[str, Any] = {"headers": headers, "allow_redirects": False}
    if call.timeout is not None:
        options["timeout"] = aiohttp.ClientTimeout(total=call.timeout)
    if call.json is not None:
        options["data"] = _encode(call.json)
        headers.setdefault("Content-Type", "application/json")
    query = {name: str(value) for name, value in (call.query or {}).items()}
    method, url = call.method, call.url
    try:
        for _ in range(MOST_REDIRECTS + 1):
            async with context.http().request(method, url, params=query, **options) as response:
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    return await _outcome(response, secrets.values())
                url, query = _redirected(response, host), {}
                if response.status == 303:
                    method = "GET"
                    options.pop("data", None)
    except TimeoutError:
        raise
    except (aiohttp.InvalidURL, ValueError) as error:
        raise Refusal(f"the address at {host} is not a valid one") from error
    except aiohttp.ClientError as error:
        raise Unreachable(f"{host} does not answer ({type(error).__name__})") from error
    raise Refusal(f"{host} redirects more than {MOST_REDIRECTS} times")


def _redirected(response: "ClientResponse", host: str) -> str:
    """Where a redirect leads. Raises Refusal when that is another place: secrets and data stay where they are."""
    from yarl import URL

    target = response.url.join(URL(response.headers["Location"]))
    if (target.scheme, target.host, target.port) != (response.url.scheme, response.url.host, response.url.port):
        raise Refusal(f"{host} redirects to another host, which is not followed")
    return str(target)


def _allowed(url: str, hosts: tuple[str, ...]) -> str:
    """The host of an address that may be called; `api.example.com:8443` in bot.yaml allows that port only."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise Refusal("the address is not a valid one") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Refusal("the address must start with http:// or https:// and a host")
    if parts.username is not None or "\\" in url:
        raise Refusal("the address must hold no user name; use secret_headers for credentials")
    known = {name.lower() for name in hosts}
    if host not in known and f"{host}:{port}" not in known:
        raise Refusal(f"{host} may not be called: add it to allowed_hosts in bot.yaml")
    return host


def _clean(headers: Mapping[str, str]) -> dict[str, str]:
    for name, text in headers.items():
        if any(letter in f"{name}{text}" for letter in "\r\n\0"):
            raise Refusal(f"the header {name!r} must be a single line")
    return dict(headers)


def _encode(body: Any) -> bytes:
    """The body as JSON; numbers with places keep every digit."""
    return _encoder.encode(_sent(body))


def _sent(value: Any) -> Any:
    """What JSON has no kind for: amounts with their currency, days and times as ISO 8601, seconds."""
    match value:
        case None | str() | int() | float() | Decimal():
            return value
        case Mapping():
            return {str(name): _sent(item) for name, item in value.items()}
        case list() | tuple():
            return [_sent(item) for item in value]
        case Money():
            return {"amount": f"{major(value):f}", "currency": value.asset}
        case date():
            return value.isoformat()
        case timedelta():
            seconds = value.total_seconds()
            return int(seconds) if seconds == int(seconds) else seconds
        case Unset():
            return None
        case _:
            raise Refusal(f"a {type(value).__name__} cannot be sent as JSON")


async def _outcome(response: "ClientResponse", secrets: Iterable[str]) -> Ok | NotFound | Refused:
    status = response.status
    if retryable(status):
        raise Retryable(f"{response.url.host} answered with status {status}")
    if status in (404, 410):
        return NotFound(status=status)
    text = _without(await _text(response), secrets)
    if not 200 <= status < 300:
        return Refused(status=status, reason=_reason(text) or f"status {status}")
    return Ok(status=status, json=_parsed(text), text=text)


def _without(text: str, secrets: Iterable[str]) -> str:
    """An answer that repeats what it was sent must not carry a secret into a chat, with or without its `Bearer`."""
    for secret in secrets:
        for part in (secret, secret.split(" ")[-1]):
            if len(part) >= SHORTEST_SECRET:
                for form in (part, json_module.dumps(part)[1:-1]):
                    text = text.replace(form, "***")
    return text


async def _text(response: "ClientResponse") -> str:
    content = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        content += piece
        if len(content) > LONGEST_ANSWER:
            raise Refusal(f"{response.url.host} answered with more than {LONGEST_ANSWER // 1024} KB")
    try:
        return content.decode(response.charset or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _parsed(text: str) -> Any:
    try:
        return json_module.loads(text, parse_float=Decimal, parse_constant=str) if text.strip() else None
    except (ValueError, RecursionError):
        return None


def _reason(text: str) -> str:
    """What the server says in `reason`, `detail`, `message` or `error`; otherwise the beginning of its text."""
    parsed = _parsed(text)
    if isinstance(parsed, dict):
        for name in ("reason", "detail", "message", "error"):
            if isinstance(parsed.get(name), str):
                return str(parsed[name])[:LONGEST_REASON]
        return ""
    return " ".join(text.split())[:LONGEST_REASON]
