"""Signed signals, and webhooks of plugins, by HTTP as a way in of a running bot."""

from collections.abc import Mapping

from engine.app import App
from engine.core.values import Value
from engine.runtime.clock import SystemClock
from engine.runtime.hooks import Answer
from engine.runtime.sending import Sent
from engine.service.webhooks import Webhooks
from engine.settings import Settings


class Forwarding:
    """Implements `engine.service.webhooks.Taker`."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def signal(
        self, flow: str, key: str, name: str, payload: Mapping[str, Value], update: str | None = None
    ) -> Sent:
        return await self._app.runtime.signal(flow, key, name, payload, update)

    async def webhook(self, path: str, delivery: str, body: bytes) -> Answer:
        return await self._app.runtime.beside.webhook(path, delivery, body)


class WebhookListener:
    """Implements `engine.serving.Listener`. Signatures are checked by the machine's own time: a clock that is turned
    for a test must not make them old."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._webhooks: Webhooks | None = None

    def attach(self, app: App) -> None:
        found = self._settings
        self._webhooks = Webhooks(
            Forwarding(app),
            secrets=found.webhook_secrets,
            host=found.webhook_host,
            port=found.webhook_port,
            clock=SystemClock(),
            paths=tuple(app.catalog.webhooks),
        )

    async def open(self) -> str:
        assert self._webhooks is not None, "attached before it is opened"
        return f"for signed signals at {await self._webhooks.start()}"

    async def close(self) -> None:
        if self._webhooks is not None:
            await self._webhooks.stop()
