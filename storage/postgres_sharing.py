"""Several worker processes on one PostgreSQL database: who has which bucket of chats, and letters between them.

What a worker does with its buckets is not known here. The SQL, and what it locks, is in `storage.postgres_leases`.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from engine.runtime.sharing import BUCKETS, Heard, Letter, NewLetter, Standing, bucket_of
from storage import journal_rows, postgres_leases, postgres_rows
from storage import postgres_notices as notices
from storage.errors import StoreError
from storage.postgres_connection import Postgres
from storage.postgres_line import Line

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger("stepgram.store")

_NOTIFY: Final = "SELECT pg_notify($1, piece) FROM unnest($2::text[]) AS piece"


class PostgresSharing:
    """A worker's hold on its share of the database.

    Beats and notices go over a connection of its own, letters over the pool. `leave` or `close` ends that connection.
    """

    def __init__(self, connection: Postgres, *, worker: str) -> None:
        """`worker`: its name, another one for every start. Raises StoreError for a name of odd characters."""
        self._worker = postgres_leases.checked(worker)
        self._postgres = connection
        self._line = Line(connection, self._worker)
        self._first: int | None = None
        """When it joined for the first time, in the database's milliseconds."""
        self._joined: int | None = None
        """When it joined last: new after its lease had run out."""

    @property
    def worker(self) -> str:
        return self._worker

    async def beat(self) -> Standing:
        """As the port says. Takes a few milliseconds, 3 seconds at most; a failed one may be repeated at once."""
        return await self._line.use(self._beat)

    async def _beat(self, connection: "asyncpg.Connection") -> Standing:
        await connection.execute(postgres_leases.beat(self._worker, self._first))
        line: Any = await connection.fetchrow(postgres_leases.STANDING, self._worker)
        joined = line["joined"] or 0
        lost = self._joined is not None and joined != self._joined
        self._first = joined if self._first is None else self._first
        self._joined = joined
        workers = max(line["alive"], 1)
        return Standing(
            buckets=frozenset(line["buckets"]),
            fair=-(-BUCKETS // workers),
            workers=workers,
            leader=line["leader"] == self._worker,
            lost=lost,
        )

    async def give_up(self, buckets: Collection[int]) -> None:
        """As the port says; those of another worker are left alone. Waits for this worker's own commits of them."""
        asked = sorted(set(buckets))
        if asked:
            await self._postgres.run(lambda line: line.execute(postgres_leases.GIVE_UP, self._worker, asked))
            await self.tell("workers")

    async def leave(self) -> None:
        """As the port says. Ends the listening too; a later beat joins anew."""
        try:
            # one try: when the database is away, the leases run out by themselves
            await self._postgres.run(lambda line: line.execute(postgres_leases.LEAVE, self._worker), repeat=False)
            await self.tell("workers")
        finally:
            self._first = self._joined = None
            await self.close()

    async def close(self) -> None:
        """End the connection of its own; the leases run out by themselves. Does nothing when it is closed already."""
        await self._line.close()

    async def post(self, letters: Sequence[NewLetter]) -> None:
        """As the port says. Raises StoreError, also for texts that no database takes; then none is written."""
        for letter in letters:
            journal_rows.storable(letter.chat)
        if not letters:
            return
        buckets = [bucket_of(letter.chat) for letter in letters]
        columns = (
            [letter.chat for letter in letters],
            buckets,
            [postgres_rows.text(postgres_rows.update_id(letter.update)) for letter in letters],
            [letter.payload for letter in letters],
        )
        turns = sorted(set(buckets))
        rows = await self._postgres.run(lambda line: line.fetch(postgres_leases.POST, turns, *columns))
        if rows:
            await self.tell("inbox", map(str, sorted({row["bucket"] for row in rows})))

    async def letters(self, buckets: Collection[int], after: int = 0, limit: int = 500) -> Sequence[Letter]:
        asked = (list(buckets), journal_rows.within(after), journal_rows.within(max(limit, 0)))
        rows = await self._postgres.run(lambda line: line.fetch(postgres_leases.LETTERS, *asked))
        return tuple(Letter(id=row["id"], chat=row["chat"], payload=row["payload"]) for row in rows)

    async def drop(self, letters: Collection[int]) -> None:
        asked = [letter for letter in letters if journal_rows.within(letter) == letter]
        if asked:
            await self._postgres.run(lambda line: line.execute(postgres_leases.DROP, asked))

    async def hold(self, name: str) -> bool:
        """As the port says: until `leave` or `close`. A process that was killed holds nothing any more, at once; one
        that is stopped goes on holding. Where the connection was lost it is taken again with the next one."""
        journal_rows.storable(name)
        return await self._line.hold(postgres_leases.thing(name))

    def listen(self, heard: Heard) -> None:
        """As the port says, and `workers` when one joined, left or gave something up: beat soon. Whenever the
        connection is made, the first time too, `heard` is called for everything: `inbox` with all buckets, and
        `outbox`, `signal` and `workers` without values."""
        self._line.listen(heard)

    async def tell(self, kind: str, values: Iterable[str] = ()) -> None:
        """Notify all workers, this one included: a hint, so a failure is only logged. In a transaction of its own:
        one that notifies makes every other such one wait until it is on the disk."""
        pieces = notices.encode(kind, values)
        try:
            await self._postgres.run(lambda line: line.execute(_NOTIFY, notices.CHANNEL, pieces), repeat=False)
        except StoreError as error:
            log.warning("the other workers were not told: %s", error)
