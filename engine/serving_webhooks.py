"""Signed signals by HTTP as a way in of a running bot."""

from engine.app import App
from engine.runtime.clock import SystemClock
from engine.service.webhooks import Webhooks
from engine.settings import Settings


class WebhookListener:
    """Implements `engine.serving.Listener`. Signatures are checked by the machine's own time: a clock that is turned
    for a test must not make them old."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._webhooks: Webhooks | None = None

    def attach(self, app: App) -> None:
        found = self._settings
        self._webhooks = Webhooks(
            app.runtime,
            secrets=found.webhook_secrets,
            host=found.webhook_host,
            port=found.webhook_port,
            clock=SystemClock(),
        )

    async def open(self) -> str:
        assert self._webhooks is not None, "attached before it is opened"
        return f"for signed signals at {await self._webhooks.start()}"

    async def close(self) -> None:
        if self._webhooks is not None:
            await self._webhooks.stop()
