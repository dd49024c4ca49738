"""Who may open the page: Host, Origin and token are checked here, and every answer gets its headers. No routes."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from engine.core.records import record

POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob: https: http:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
SEALED: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""For files of customers: whatever they are, nothing in them runs."""
COOKIE_SECONDS: Final = 30 * 86400
HEALTH: Final = "/health"
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)


@record
class Guard:
    """Who is let in. With a token any host name is good: nobody else's page knows the token."""

    hosts: frozenset[str] = frozenset()
    """Names in lower case, without a port; IPv6 in brackets. Empty with a token: every name."""
    token: str | None = None

    def knows(self, host: str) -> bool:
        """Whether a Host header names us: a page of another name that resolves to us (DNS rebinding) does not."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        return match[1].lower() in self.hosts or (not self.hosts and self.token is not None)

    def opens(self, token: str) -> bool:
        """Whether this is the token; takes as long for a near one as for any other."""
        return self.token is not None and _same(token, self.token)

    def admits(self, request: web.Request) -> bool:
        """Whether the request carries the cookie that the token was exchanged for."""
        if self.token is None:
            return True
        given = request.cookies.get(cookie_name(request), "")
        return _same(given, self.seal())

    def seal(self) -> str:
        """What the cookie holds: made of the token, but not the token."""
        return hmac.new((self.token or "").encode(), b"stepgram page", hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    """Whether two texts are the same; also for what a header can bring that is no Unicode."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), right.encode(errors="surrogatepass"))


def guard_for(host: str, token: str | None, listed: Collection[str] = ()) -> Guard:
    """The guard of a server that listens at `host`; `listed` are further names it is known by."""
    if not is_loopback(host):
        return Guard(hosts=frozenset(name.lower() for name in listed), token=token)
    own = {"localhost", "127.0.0.1", "[::1]", bracketed(host).lower()}
    return Guard(hosts=frozenset(own | {name.lower() for name in listed}), token=token)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    """The host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def cookie_name(request: web.Request) -> str:
    """Cookies know no ports: two bots on one machine need two names."""
    port = request.host.rpartition(":")[2]
    return f"stepgram_{port}" if port.isascii() and port.isdigit() else "stepgram"


def middleware(guard: Guard) -> Middleware:
    """Lets nobody else in. `/?token=…` is exchanged for a cookie."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not guard.knows(request.headers.get("Host", "")):
            return _no(403, "This page is not known under that name. Please open it at the address the bot printed.")
        if request.path != HEALTH:
            if request.path == "/" and guard.opens(request.query.get("token", "")):
                return _admitted(request, guard)
            if not guard.admits(request):
                return _no(401, "Please open the page at the address that the bot printed: it has a token in it.")
        if (request.method not in ("GET", "HEAD") or request.path == "/ws") and not same_origin(request):
            return _no(403, "Only the page itself may do this.")
        return await handler(request)

    return check


def same_origin(request: web.Request) -> bool:
    """Whether the request comes from our own page: its Origin names the host that it was sent to."""
    origin = request.headers.get("Origin", "")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == request.host.lower()


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer has, errors too. `Cache-Control` and the policy stay where a handler has set them."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Server"] = "stepgram"


def _admitted(request: web.Request, guard: Guard) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/"})
    response.set_cookie(
        cookie_name(request), guard.seal(), max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="Strict"
    )
    return response


def _no(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)
