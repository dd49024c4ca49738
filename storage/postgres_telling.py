"""What this process tells the others after it has written: chats with new messages, signals. Hints only.

Notices gather while one is on its way, so that commits wait for none of them.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from storage import postgres_notices as notices
from storage import postgres_rows
from storage import postgres_statements as statements
from storage.errors import StoreError
from storage.postgres_connection import Postgres

if TYPE_CHECKING:
    import asyncpg

_NOTIFY: Final = "SELECT pg_notify($1, piece) FROM unnest($2::text[]) AS piece"

log = logging.getLogger("stepgram.store")


class Telling:
    """Notices of one store. `begin` after it is open, `end` before it is closed."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._chats: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._latest = 0
        """The newest signal that was looked at."""
        self._own: set[int] = set()
        """Signals above it that this process wrote."""

    async def begin(self) -> None:
        self._latest = await self._postgres.run(_newest_signal)
        self._own.clear()

    async def end(self) -> None:
        """Everything is told, or cannot be."""
        while self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))

    def outbox(self, chats: Iterable[str]) -> None:
        """Messages were written for these chats."""
        self._chats.update(chats)
        if self._chats and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._tell_all(), name="telling")

    async def _tell_all(self) -> None:
        while self._chats:
            chats, self._chats = self._chats, set()
            await self._tell("outbox", chats)

    async def signalled(self, updates: Sequence[str]) -> None:
        """Signals with these update ids were written."""
        ids = [postgres_rows.text(postgres_rows.update_id(update)) for update in updates]
        try:
            found = await self._postgres.run(lambda line: line.fetch(statements.SIGNALS_OF, ids))
        except StoreError as error:
            log.warning("the others were not told of a signal: %s", error)
            return
        self._own.update(row[0] for row in found if row[0] > self._latest)
        await self._tell("signal", ())

    async def _tell(self, kind: str, values: Iterable[str]) -> None:
        pieces = notices.encode(kind, values)
        try:
            await self._postgres.run(lambda line: line.execute(_NOTIFY, notices.CHANNEL, pieces))
        except StoreError as error:
            log.warning("the other workers were not told: %s", error)

    async def others_signalled(self) -> bool:
        """Whether there are signals that came since this was asked last and that others wrote."""
        found = set(await self._postgres.run(self._new_signals))
        others = bool(found - self._own)
        self._latest = max(found, default=self._latest)
        self._own = {number for number in self._own if number > self._latest}
        return others

    async def _new_signals(self, line: "asyncpg.Connection") -> list[int]:
        return [row[0] for row in await line.fetch(statements.SIGNALS_SINCE, self._latest)]


async def _newest_signal(line: "asyncpg.Connection") -> int:
    return int(await line.fetchval(statements.NEWEST_SIGNAL) or 0)
