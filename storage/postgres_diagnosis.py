"""Why PostgreSQL refused a batch: looked up after it was undone, then played through commit by commit.

Asks only for the rows that the batch speaks of. Changes nothing.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.core.conversation import Status
from engine.runtime.ports import AlreadySeen, Commit, Fenced, Overtaken
from engine.runtime.sharing import bucket_of
from storage import postgres_statements as statements
from storage.batch import already_handled, already_seen, chat_overtaken, conversation_overtaken
from storage.postgres_batch import Batch
from storage.postgres_rows import text, update_id

if TYPE_CHECKING:
    import asyncpg

Found = AlreadySeen | Overtaken | Fenced


async def diagnose(connection: "asyncpg.Connection", batch: Batch) -> Found | None:
    """The first update or row that stands against the batch. None when nothing does."""
    if batch.worker and await _is_anothers(connection, batch):
        return Fenced("the chats of this commit are another worker's by now")
    known = _Known()
    await known.load(connection, batch)
    for commit in batch.commits:
        found = known.refuses(commit)
        if found is not None:
            return found
    return None


async def _is_anothers(connection: "asyncpg.Connection", batch: Batch) -> bool:
    buckets = sorted({bucket_of(commit.chat.id) for commit in batch.commits})
    return int(await connection.fetchval(statements.LEASES_AT, buckets, batch.worker)) != len(buckets)


class _Known:
    """What is in the tables, as the commits of the batch change it one after the other."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.chats: dict[str, int] = {}
        self.conversations: dict[str, int] = {}
        self.timers: set[tuple[str, int, str]] = set()
        self.calls: set[tuple[str, str]] = set()
        self.signals: set[int] = set()
        self.letters: set[int] = set()

    async def load(self, connection: "asyncpg.Connection", batch: Batch) -> None:
        commits = batch.commits
        updates = [_id(update) for commit in commits for update in commit.seen]
        opened = [one.id for commit in commits for one in commit.conversations]
        touched = [row[0] for commit in commits for row in (*commit.fired_timers, *commit.finished_calls)]
        taken = [number for commit in commits for number in commit.taken_signals]
        letters = [number for commit in commits for number in commit.letters]
        chats = [text(commit.chat.id) for commit in commits]
        self.seen = {row[0] for row in await _fetch(connection, statements.SEEN_OF, updates)}
        self.chats = {row[0]: row[1] for row in await _fetch(connection, statements.CHATS_OF, chats)}
        self.conversations = {row[0]: row[1] for row in await _fetch(connection, statements.CONVERSATIONS_OF, opened)}
        self.timers = {tuple(row) for row in await _fetch(connection, statements.TIMERS_AT, touched)}
        self.calls = {tuple(row) for row in await _fetch(connection, statements.CALLS_AT, touched)}
        self.signals = {row[0] for row in await _fetch(connection, statements.SIGNALS_AT, taken)}
        self.letters = {row[0] for row in await _fetch(connection, statements.LETTERS_AT, letters)}

    def refuses(self, commit: Commit) -> Found | None:
        """What stands against this commit; None: it is taken in."""
        for update in commit.seen:
            if _id(update) in self.seen:
                return already_seen(update)
            self.seen.add(_id(update))
        chat = commit.chat
        if self.chats.get(text(chat.id)) != (None if commit.new_chat else chat.revision - 1):
            return chat_overtaken(chat.id)
        self.chats[text(chat.id)] = chat.revision
        for one in commit.conversations:
            if self.conversations.get(one.id) != (one.revision - 1 or None):
                return conversation_overtaken(one.id)
            self.conversations[one.id] = one.revision
        return self._handled(commit)

    def _handled(self, commit: Commit) -> AlreadySeen | None:
        found = _take("timer", self.timers, commit.fired_timers)
        if found is not None:
            return found
        left = set(commit.cancelled_timers)
        self.timers = {timer for timer in self.timers if timer[:2] not in left}
        self.timers |= {(timer.conversation, timer.visit, timer.name) for timer in commit.timers}
        over = {one.id for one in commit.conversations if one.status is Status.FINISHED}
        self.timers = {timer for timer in self.timers if timer[0] not in over}
        found = _take("call", self.calls, commit.finished_calls)
        self.calls |= {(call.conversation, call.call) for call in commit.pending}
        return (
            found
            or _take("signal", self.signals, commit.taken_signals)
            or _take("letter", self.letters, commit.letters)
        )


def _take(called: str, there: set[Any], wanted: Iterable[Any]) -> AlreadySeen | None:
    for key in wanted:
        if key not in there:
            return already_handled(called, key if isinstance(key, tuple) else (key,))
        there.remove(key)
    return None


def _id(update: str) -> str:
    return text(update_id(update))


async def _fetch(connection: "asyncpg.Connection", sql: str, keys: list[Any]) -> list[Any]:
    return list(await connection.fetch(sql, keys)) if keys else []
