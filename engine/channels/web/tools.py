"""What the browser chat needs of the workshop pane, as a Protocol: the chat works without it, too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from aiohttp import web

from engine.channels.web.tabs import Tab


class Tools(Protocol):
    """The workshop pane's side of the server."""

    async def command(self, tab: Tab, message: dict[str, object]) -> bool:
        """A message of the page that is none of the chat's, read from JSON but not checked. True: it was one of the
        pane's types (whatever became of it); False: nobody knows it."""
        ...

    def attach(self, tab: Tab) -> None:
        """The tab was welcomed; also after it has changed to another person. Must not wait and must not raise."""
        ...

    def detach(self, tab: Tab) -> None:
        """The tab is gone, or about to speak for another person. Called once for every `attach`."""
        ...

    def routes(self) -> Sequence[web.RouteDef]:
        """GET routes of the pane's own, such as diagrams and sources; behind the same guard as the page."""
        ...

    def clock(self) -> tuple[datetime, float]:
        """What time it is for the bot (aware, UTC), and by how many seconds that is turned forwards."""
        ...
