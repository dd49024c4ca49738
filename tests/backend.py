"""A real print-shop backend on 127.0.0.1 for tests: it records, honours Idempotency-Key, and can misbehave."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

SERVICES = [
    {"id": 1, "name": "FDM printing", "description": "Strong parts", "price": "5.00", "currency": "EUR"},
    {"id": 2, "name": "Resin printing", "description": "Fine details", "price": "12.50", "currency": "EUR"},
]


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file as it arrived."""

    id: str
    name: str
    size: int
    sha256: str
    key: str


@dataclass(slots=True, kw_only=True)
class Backend:
    """`async with Backend() as backend:`, then `backend.url` is the API_BASE_URL.

    Faults may be set at any time: `errors` (so many next answers are 500), `slow` (seconds before every
    answer), `refuse` (POST /orders answers 422 with this reason), `drop` (so many next POSTs are stored, then
    the connection is cut without an answer). `await down()` closes the port, `await up()` opens it again.
    """

    services: list[dict[str, Any]] = field(default_factory=lambda: [dict(item) for item in SERVICES])
    uploads: list[Upload] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    """The JSON of each order that was created, in order."""
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Idempotency-Key → the answer that was given to it."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, Idempotency-Key) of every request, repeated ones included."""
    errors: int = 0
    slow: float = 0.0
    refuse: str | None = None
    drop: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> "Backend":
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """Open the port, the same one as before."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/services", self._services)
        app.router.add_post("/files", self._files)
        app.router.add_post("/orders", self._orders)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        """Close the port: connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _services(self, request: web.Request) -> web.StreamResponse:
        return await self._fault(request) or web.json_response(self.services)

    async def _files(self, request: web.Request) -> web.StreamResponse:
        name, content = "", b""
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                name, content = part.filename or "", bytes(await part.read())
        if fault := await self._fault(request):
            return fault
        key = request.headers.get("Idempotency-Key", "")
        if key not in self.keys:
            upload = Upload(
                id=f"f{len(self.uploads) + 1}",
                name=name,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                key=key,
            )
            self.uploads.append(upload)
            self.keys[key or f"none-{upload.id}"] = {"id": upload.id, "name": name, "size": len(content)}
            return self._stored(request, self.keys[key or f"none-{upload.id}"])
        return self._stored(request, self.keys[key])

    async def _orders(self, request: web.Request) -> web.StreamResponse:
        order = await request.json()
        if fault := await self._fault(request):
            return fault
        if self.refuse is not None:
            return web.json_response({"detail": self.refuse}, status=422)
        key = request.headers.get("Idempotency-Key", "")
        if key and key in self.keys:
            return self._stored(request, self.keys[key])
        self.orders.append(order)
        answer = {"id": len(self.orders), "order_number": f"NL-{len(self.orders):05d}"}
        self.keys[key or f"none-order-{answer['id']}"] = answer
        return self._stored(request, answer)

    async def _fault(self, request: web.Request) -> web.StreamResponse | None:
        key = request.headers.get("Idempotency-Key", "")
        self.requests.append((request.method, request.path, key))
        if self.slow:
            await asyncio.sleep(self.slow)
        if self.errors > 0:
            self.errors -= 1
            return web.json_response({"detail": "broken"}, status=500)
        return None

    def _stored(self, request: web.Request, answer: dict[str, Any]) -> web.StreamResponse:
        """Answer, or cut the connection though all is stored."""
        if self.drop > 0:
            self.drop -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer, status=201)
