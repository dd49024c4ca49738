"""Transactions with a voice, for whatever works beside the conversations: what is sent is written in them as rows.

Knows no plugin and no conversation.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from engine.actions.context import Request, Voiced, Work
from engine.runtime.identity import IdSource
from engine.runtime.library import Library
from engine.runtime.ports import Clock, Conflict, NewSignal, Store, StoreFailed, Transaction
from engine.runtime.wishes import members_of, roles_in, rows_of


class Lease:
    """A transaction lent to one call: worthless once the call is over, even for a task it left behind."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction: Transaction | None = transaction
        self.trouble: Conflict | StoreFailed | None = None
        """Another transaction was in the way, or the store failed: whatever the action makes of that, all of it is to
        be done again."""

    async def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        try:
            return await self._lent().execute(sql, parameters)
        except (Conflict, StoreFailed) as trouble:
            self.trouble = trouble
            raise

    async def query(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Mapping[str, object]]:
        """Rows of one SELECT or RETURNING."""
        try:
            return await self._lent().query(sql, parameters)
        except (Conflict, StoreFailed) as trouble:
            self.trouble = trouble
            raise

    def end(self) -> None:
        """The call is over."""
        self._transaction = None

    def _lent(self) -> Transaction:
        if self._transaction is None:
            raise RuntimeError("the action is over: its transaction cannot be used any more")
        return self._transaction


class Works:
    """Opens them on one store. `library`: the flows that are live. `sent` hears, after the commit, of the rows that
    are to be brought on their way. `granted`: the chats that were given a role beside those of bot.yaml."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: IdSource,
        library: Callable[[], Library],
        sent: Callable[[Sequence[NewSignal]], None],
        granted: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._library = library
        self._sent = sent
        self._granted = granted
        self.sent = 0
        """Transactions that sent something, so far."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:
        """One transaction: committed at the end with all that it sends, undone as a whole when the block raises.

        Raises what the store raises, and UnfitSignal for what cannot be sent. When the store said no inside and the
        block made nothing of it, its trouble is raised at the end: half of a work is never kept.
        """
        async with self.opened() as (_, work):
            yield work

    @asynccontextmanager
    async def opened(self, update: str | None = None) -> AsyncIterator[tuple[Transaction, Voiced]]:
        """The same, and the store's own transaction beside it. `update`: the name of this work; the same work done
        again under it sends nothing twice."""
        requests: list[Request] = []
        rows: tuple[NewSignal, ...] = ()
        async with self._store.transaction() as transaction:
            lease = Lease(transaction)
            try:
                yield transaction, Voiced(lease, requests)
            finally:
                lease.end()
            if lease.trouble is not None:
                raise lease.trouble
            if requests:
                rows = await self._rows(transaction, requests, update)
                await transaction.send(rows)
        if rows:
            self.sent += 1
            self._sent(rows)

    async def _rows(
        self, transaction: Transaction, requests: Sequence[Request], update: str | None
    ) -> tuple[NewSignal, ...]:
        library = self._library()
        members = await members_of(
            roles_in(requests), library=library, chats_of=transaction.chats_of, granted=self._granted
        )
        name = update or f"work:{self._ids.file()}"
        return rows_of(requests, library=library, members=members, update=name, at=self._clock.now())
