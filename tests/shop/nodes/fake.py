"""A node that a test writes, behind real HTTP: for what no honest node does."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from plugins.chains.jsonrpc import Endpoint

WHAT = "the BTC node (BTC_NODE)"
SECRET = "hunter2hunter2"


class Refuses(Exception):
    """The node's own error: code and message."""


class Fake:
    """Answers by `methods`; `raw` (status, headers, body) instead of everything. `asked`: each batch's methods."""

    def __init__(self) -> None:
        self.methods: dict[str, Callable[..., Any]] = {}
        self.raw: tuple[int, dict[str, str], bytes] | None = None
        self.changed: Callable[[list[dict[str, Any]]], Any] | None = None
        """What becomes of the answers at the end."""
        self.asked: list[list[str]] = []
        self.headers: dict[str, str] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.headers = dict(request.headers)
        if self.raw is not None:
            status, headers, body = self.raw
            return web.Response(status=status, headers=headers, body=body)
        calls = await request.json()
        self.asked.append([call["method"] for call in calls])
        answers: Any = [self._answer(call) for call in calls]
        return web.json_response(self.changed(answers) if self.changed else answers)

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method = self.methods.get(call["method"])
        try:
            if method is None:
                raise Refuses(-32601, "Method not found")
            return {"id": call["id"], "result": method(*call["params"]), "error": None}
        except Refuses as trouble:
            code, message = trouble.args
            return {"id": call["id"], "result": None, "error": {"code": code, "message": message}}


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Fake, Callable[..., Endpoint]]]:
    """A fake node, and what makes an endpoint that talks to it."""
    fake = Fake()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/{rest:.*}", fake.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    fake.url = f"http://shop:{SECRET}@127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session:
            yield fake, lambda **more: Endpoint(session, fake.url, what=WHAT, **more)
    finally:
        await runner.cleanup()
