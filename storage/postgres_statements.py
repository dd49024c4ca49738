"""Every SQL statement of the PostgreSQL store, in one place. The columns are those of `storage.models`.

A batch of commits is one statement where it can be: each kind of row is one part of it, given as columns (arrays), and
a part that must change as many rows as it was given is counted; a wrong count makes the whole statement fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

REFUSED: Final = "22012"
"""What a wrong count raises: a division by zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of row of a batch. In `sql`, `<rows>` is the table of the columns given, `<1>` … a single column."""

    types: tuple[str, ...]
    sql: str
    names: str = ""
    """Of the columns, where `sql` speaks of them: the table is called `r`."""
    counted: str = ""
    """An expression of rows that there must be as many of as were given: `<part>` is this part."""
    given: str = "cardinality(<1>)"


_COUNT: Final = "(SELECT count(*) FROM <part>)"
_TEXT: Final = "text"
_INT: Final = "bigint"
_BYTES: Final = "bytea"

PARTS: Final[dict[str, Part]] = {
    "leases": Part(
        types=("int", _TEXT),
        sql="SELECT bucket FROM leases WHERE bucket = ANY(<1>) AND worker = (<2>)[1] ORDER BY bucket FOR SHARE",
        counted=_COUNT,
    ),
    "taken": Part(
        types=(_INT, _INT),
        names="id, at",
        sql="DELETE FROM signals USING <rows> WHERE signals.id = r.id RETURNING signals.update_id, r.at",
        counted=_COUNT,
    ),
    "seen": Part(
        types=(_TEXT, _INT),
        sql="INSERT INTO seen_updates (id, at) SELECT * FROM <rows>",
    ),
    "new_chats": Part(
        types=(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _INT, _TEXT),
        sql="INSERT INTO chats (front, aside, name, username, language, revision, id) SELECT * FROM <rows>",
    ),
    "new_conversations": Part(
        types=(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _INT, _INT, _INT, _INT, _INT, _BYTES, _INT),
        sql=(
            "INSERT INTO conversations (id, chat, flow, status, key, revision, started_at, touched_at, expires_at,"
            " finished_at, data, began) SELECT * FROM <rows>"
        ),
    ),
    "chats": Part(
        types=(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _INT, _TEXT, _INT),
        names="front, aside, name, username, language, revision, id, before",
        sql=(
            "UPDATE chats SET front = r.front, aside = r.aside, name = r.name, username = r.username,"
            " language = r.language, revision = r.revision FROM <rows>"
            " WHERE chats.id = r.id AND chats.revision = r.before RETURNING 1"
        ),
        counted=_COUNT,
    ),
    "active": Part(
        types=(_BYTES, _INT, _INT, _INT, _TEXT, _TEXT, _INT),
        names="data, revision, touched_at, expires_at, key, id, before",
        sql=(
            "UPDATE conversations SET data = r.data, revision = r.revision, touched_at = r.touched_at,"
            " expires_at = r.expires_at, key = r.key FROM <rows>"
            " WHERE conversations.id = r.id AND conversations.revision = r.before RETURNING 1"
        ),
        counted=_COUNT,
    ),
    "finished": Part(
        types=(_BYTES, _INT, _INT, _TEXT, _INT, _TEXT, _INT),
        names="data, revision, touched_at, key, finished_at, id, before",
        sql=(
            "UPDATE conversations SET data = r.data, revision = r.revision, touched_at = r.touched_at,"
            " expires_at = NULL, key = r.key, status = 'finished',"
            " finished_at = coalesce(conversations.finished_at, r.finished_at) FROM <rows>"
            " WHERE conversations.id = r.id AND conversations.revision = r.before RETURNING 1"
        ),
        counted=_COUNT,
    ),
    "visits": Part(
        types=(_TEXT, _INT, "int", _TEXT, _TEXT, _TEXT),
        sql="INSERT INTO visits (conversation, at, visit, step, kind, detail) SELECT * FROM <rows>",
    ),
    "outbox": Part(
        types=(_TEXT, _TEXT, _INT, _TEXT, _BYTES, _TEXT, _INT),
        sql="INSERT INTO outbox (id, chat, sequence, kind, payload, surface, created_at) SELECT * FROM <rows>",
    ),
    "delivered": Part(types=(_TEXT,), sql="DELETE FROM outbox WHERE id = ANY(<1>)"),
    # a name: this one must be there; no name: all of the visit; no visit: all of the conversation
    "timers_gone": Part(
        types=(_TEXT, "int", _TEXT),
        names="conversation, visit, name",
        sql=(
            "DELETE FROM timers USING <rows> WHERE timers.conversation = r.conversation"
            " AND (r.visit IS NULL OR timers.visit = r.visit) AND (r.name IS NULL OR timers.name = r.name)"
            " RETURNING timers.conversation, timers.visit, timers.name"
        ),
        counted="(SELECT count(*) FROM <part> JOIN <rows> USING (conversation, visit, name))",
        given="cardinality(array_remove(<3>, NULL))",
    ),
    "timers": Part(
        types=(_TEXT, _TEXT, "int", _TEXT, _INT),
        sql=(
            "INSERT INTO timers (conversation, chat, visit, name, due) SELECT * FROM <rows>"
            " ON CONFLICT (conversation, visit, name) DO UPDATE SET chat = excluded.chat, due = excluded.due"
        ),
    ),
    "calls_gone": Part(
        types=(_TEXT, _TEXT),
        names="conversation, call",
        sql=(
            "DELETE FROM pending_calls USING <rows>"
            " WHERE pending_calls.conversation = r.conversation AND pending_calls.call = r.call RETURNING 1"
        ),
        counted=_COUNT,
    ),
    "calls": Part(
        types=(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _BYTES, _BYTES, "float8", "int", _INT),
        sql=(
            "INSERT INTO pending_calls"
            " (conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due) SELECT * FROM <rows>"
            " ON CONFLICT (conversation, call) DO UPDATE SET"
            " chat = excluded.chat, purpose = excluded.purpose, name = excluded.name, arguments = excluded.arguments,"
            " retry = excluded.retry, timeout = excluded.timeout, attempt = excluded.attempt, due = excluded.due"
        ),
    ),
    "letters": Part(types=(_INT,), sql="DELETE FROM inbox WHERE id = ANY(<1>) RETURNING 1", counted=_COUNT),
    "signals": Part(
        types=(_TEXT, _TEXT, _TEXT, _TEXT, _BYTES, _INT, _TEXT, _TEXT),
        names="update_id, flow, key, name, payload, at, chat, otherwise",
        sql=(
            "INSERT INTO signals (update_id, flow, key, name, payload, at, chat, otherwise)"
            " SELECT update_id, flow, key, name, payload, at, chat, otherwise FROM <rows>"
            " WHERE NOT EXISTS (SELECT FROM seen_updates WHERE seen_updates.id = r.update_id)"
            " ON CONFLICT (update_id) DO NOTHING"
        ),
    ),
    "signals_seen": Part(
        types=(_TEXT,),
        sql=(
            "DELETE FROM signals WHERE update_id = ANY(<1>)"
            " AND EXISTS (SELECT FROM seen_updates WHERE seen_updates.id = signals.update_id)"
        ),
    ),
}
"""`signals_seen` in a statement of its own after `signals`: a signal that another worker's commit, unseen by the
first one, has taken meanwhile."""

_TAKEN_ARE_SEEN: Final = (
    " UNION ALL SELECT update_id, at FROM p_taken WHERE update_id <> ALL(<1>)"
    " AND NOT EXISTS (SELECT FROM seen_updates WHERE seen_updates.id = p_taken.update_id)"
)


@lru_cache(maxsize=512)
def composed(names: tuple[str, ...]) -> str:
    """One statement of these parts; its parameters are their columns, in this order. Each is called `p_…` in it: a
    part may not have the name of the table that another one changes."""
    texts, checks = [], []
    first = 1
    for name in names:
        part = PARTS[name]
        sql = part.sql
        if name == "seen" and "taken" in names:
            sql += _TAKEN_ARE_SEEN
        texts.append(f"p_{name} AS ({_filled(sql, part, name, first)})")
        if part.counted:
            counted, given = (_filled(text, part, name, first) for text in (part.counted, part.given))
            checks.append(f"{counted} = {given}")
        first += len(part.types)
    check = " AND ".join(checks) or "true"
    return f"WITH {', '.join(texts)} SELECT 1 / (CASE WHEN {check} THEN 1 ELSE 0 END)"


def _filled(text: str, part: Part, name: str, first: int) -> str:
    columns = [f"${first + place}::{kind}[]" for place, kind in enumerate(part.types)]
    table = f"unnest({', '.join(columns)}) AS r" + (f" ({part.names})" if part.names else "")
    for place, column in enumerate(columns, 1):
        text = text.replace(f"<{place}>", column)
    return text.replace("<rows>", table).replace("<part>", f"p_{name}")


def columns_of(names: Sequence[str]) -> int:
    """How many parameters `composed` has."""
    return sum(len(PARTS[name].types) for name in names)


# -- the outcome of a commit whose answer was lost

_MARKED_FOR_MS: Final = 86_400_000
_KEPT_FOR_MS: Final = 7 * 86_400_000
_MARKED: Final = f"(floor(extract(epoch FROM now()) * 500)::bigint * 2 - {_KEPT_FOR_MS - _MARKED_FOR_MS})"
"""Even: whoever did the work wrote it. Odd: whoever asked for it afterwards. It is forgotten after a day."""
MARK: Final = f"INSERT INTO seen_updates (id, at) VALUES ('<marker>', {_MARKED})"  # noqa: S608
"""For the end of a transaction, together with COMMIT; the marker is hexadecimal."""
SETTLE: Final = f"INSERT INTO seen_updates (id, at) VALUES ($1, {_MARKED} + 1) ON CONFLICT (id) DO NOTHING"  # noqa: S608
"""Waits for whoever is writing the same marker; afterwards it is there in any case, theirs or this one."""
SETTLED: Final = "SELECT at % 2 = 0 FROM seen_updates WHERE id = $1"

# -- why a batch was refused

SEEN_OF: Final = "SELECT id FROM seen_updates WHERE id = ANY($1::text[])"
CHATS_OF: Final = "SELECT id, revision FROM chats WHERE id = ANY($1::text[])"
CONVERSATIONS_OF: Final = "SELECT id, revision FROM conversations WHERE id = ANY($1::text[])"
TIMERS_AT: Final = "SELECT conversation, visit, name FROM timers WHERE conversation = ANY($1::text[])"
CALLS_AT: Final = "SELECT conversation, call FROM pending_calls WHERE conversation = ANY($1::text[])"
SIGNALS_AT: Final = "SELECT id FROM signals WHERE id = ANY($1::bigint[])"
LETTERS_AT: Final = "SELECT id FROM inbox WHERE id = ANY($1::bigint[])"
LEASES_AT: Final = "SELECT count(*) FROM leases WHERE bucket = ANY($1::int[]) AND worker = $2"

# -- questions

NOTE_SEEN: Final = "INSERT INTO seen_updates (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING 1"
IS_SEEN: Final = "SELECT 1 FROM seen_updates WHERE id = $1"
CHAT: Final = "SELECT front, aside, name, username, language, revision, id FROM chats WHERE id = $1"
CONVERSATION: Final = "SELECT id, data FROM conversations WHERE id = $1"
OPEN_OF_CHAT: Final = (
    "SELECT id, data FROM conversations WHERE chat = $1 AND finished_at IS NULL ORDER BY started_at, began, id"
)
_NEWEST: Final = "started_at DESC, began DESC, id DESC LIMIT 1"
OPEN_BY_KEY: Final = (
    f"SELECT id, data FROM conversations WHERE flow = $1 AND key = $2 AND finished_at IS NULL ORDER BY {_NEWEST}"  # noqa: S608
)
ENDED_BY_KEY: Final = (
    "SELECT id, data FROM conversations WHERE flow = $1 AND key = $2 AND finished_at IS NOT NULL"  # noqa: S608
    f" ORDER BY finished_at DESC, {_NEWEST}"
)
EXPIRED: Final = "SELECT id, data FROM conversations WHERE expires_at <= $1<mine> ORDER BY expires_at LIMIT $2"
HISTORY: Final = "SELECT conversation, at, visit, step, kind, detail FROM visits WHERE conversation = $1 ORDER BY id"

_OUTGOING: Final = "SELECT id, chat, sequence, kind, payload, surface, created_at FROM outbox"
UNDELIVERED: Final = _OUTGOING + " ORDER BY chat, sequence"
UNDELIVERED_TO: Final = _OUTGOING + " WHERE chat = ANY($1::text[]) ORDER BY chat, sequence"
DELIVERED: Final = "DELETE FROM outbox WHERE id = ANY($1::text[])"

_TIMER: Final = "SELECT conversation, chat, visit, name, due FROM timers"
TIMERS_OF: Final = _TIMER + " WHERE conversation = $1 ORDER BY due, id"
DUE_TIMERS: Final = _TIMER + " WHERE due <= $1<mine> ORDER BY due, id LIMIT $2"

_CALL: Final = (
    "SELECT conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due FROM pending_calls"
)
CALLS_OF: Final = _CALL + " WHERE conversation = $1 ORDER BY due, id"
DUE_CALLS: Final = _CALL + " WHERE due <= $1<mine> ORDER BY due, id LIMIT $2"
ATTEMPTED: Final = "UPDATE pending_calls SET attempt = $1, due = $2 WHERE conversation = $3 AND call = $4"

NEXT_DUE: Final = (
    "SELECT least((SELECT due FROM timers WHERE due IS NOT NULL<mine> ORDER BY due LIMIT 1),"
    " (SELECT due FROM pending_calls WHERE due IS NOT NULL<mine> ORDER BY due LIMIT 1),"
    " (SELECT expires_at FROM conversations WHERE expires_at IS NOT NULL<mine> ORDER BY expires_at LIMIT 1))"
)

_SIGNAL: Final = "id, update_id, flow, key, name, payload, at, chat, otherwise"
SIGNALS: Final = f"SELECT {_SIGNAL} FROM signals WHERE flow = $1 AND key = $2 ORDER BY id LIMIT $3"  # noqa: S608
NEWS: Final = f"SELECT {_SIGNAL} FROM signals WHERE flow = $1 AND key = $2 AND otherwise <> '' ORDER BY id LIMIT $3"  # noqa: S608
_AHEAD: Final = "SELECT FROM signals AS f WHERE f.flow = s.flow AND f.key = s.key AND f.id < s.id"
DELIVERABLE_SIGNALS: Final = (
    "SELECT chat, id, update_id, flow, key, name, payload, at, beside, otherwise FROM (SELECT"  # noqa: S608
    " coalesce(CASE WHEN owner.finished_at IS NULL THEN owner.chat END, nullif(s.chat, ''), owner.chat) AS chat,"
    " s.id, s.update_id, s.flow, s.key, s.name, s.payload, s.at, s.chat AS beside, s.otherwise"
    " FROM signals AS s LEFT JOIN LATERAL"
    " (SELECT chat, finished_at FROM conversations AS c WHERE c.flow = s.flow AND c.key = s.key"
    f" ORDER BY c.finished_at IS NULL DESC, c.finished_at DESC, {_NEWEST}) AS owner ON true"
    f" WHERE (owner.chat IS NOT NULL AND NOT EXISTS ({_AHEAD})) OR (owner.chat IS NULL AND s.otherwise <> ''"
    f" AND NOT EXISTS ({_AHEAD} AND f.otherwise <> ''))) AS found"
    " WHERE true<mine> ORDER BY id LIMIT $1"
)
CUSTOMERS_CHATS: Final = "SELECT id FROM chats WHERE substr(id, strpos(id, ':') + 1) = ANY($1::text[]) ORDER BY id"
"""Of customers. A chat without a channel is its own customer."""
NEWEST_SIGNAL: Final = "SELECT max(id) FROM signals"
SIGNALS_SINCE: Final = "SELECT id FROM signals WHERE id > $1 ORDER BY id LIMIT 1000"
SIGNALS_OF: Final = "SELECT id FROM signals WHERE update_id = ANY($1::text[])"
SIGNAL_TAKEN: Final = (
    "DELETE FROM signals WHERE update_id = $1"
    " AND EXISTS (SELECT FROM seen_updates WHERE seen_updates.id = signals.update_id)"
)
KEEP_SIGNAL: Final = (
    "INSERT INTO signals (update_id, flow, key, name, payload, at, chat, otherwise)"
    " SELECT $1::text, $2, $3, $4, $5, $6, $7, $8"
    " WHERE NOT EXISTS (SELECT FROM seen_updates WHERE id = $1::text) ON CONFLICT (update_id) DO NOTHING RETURNING id"
)
LATE_SIGNAL: Final = (
    "WITH late AS (DELETE FROM signals WHERE id = $1 RETURNING update_id, at)"
    " INSERT INTO seen_updates (id, at) SELECT update_id, at FROM late ON CONFLICT (id) DO NOTHING"
)

# -- cleaning, in pieces

FORGOTTEN: Final = (
    "WITH old AS MATERIALIZED (SELECT id FROM conversations WHERE flow = $1 AND finished_at <= $2 AND NOT EXISTS"
    " (SELECT FROM pending_calls WHERE pending_calls.conversation = conversations.id) LIMIT $3"
    " FOR UPDATE SKIP LOCKED),"
    " old_visits AS (DELETE FROM visits USING old WHERE visits.conversation = old.id),"
    " old_timers AS (DELETE FROM timers USING old WHERE timers.conversation = old.id)"
    " DELETE FROM conversations USING old WHERE conversations.id = old.id RETURNING conversations.data"
)


def _oldest(table: str, column: str) -> str:
    return (
        f"DELETE FROM {table} WHERE id = ANY(ARRAY(SELECT id FROM {table} WHERE {column} < $1"  # noqa: S608
        f" ORDER BY {column} LIMIT $2 FOR UPDATE SKIP LOCKED))"
    )


OLD_SEEN: Final = _oldest("seen_updates", "at")
OLD_SIGNALS: Final = _oldest("signals", "at")
OLD_OUTBOX: Final = _oldest("outbox", "created_at")

NAMING: Final[tuple[tuple[str, str | int], ...]] = tuple(
    (f"SELECT id, {column} FROM {table} WHERE id > $1 ORDER BY id LIMIT $2", before_all)  # noqa: S608 - our own names
    for table, column, before_all in (
        ("conversations", "data", ""),
        ("pending_calls", "arguments", 0),
        ("outbox", "payload", ""),
        ("signals", "payload", 0),
        ("inbox", "payload", 0),
    )
)
"""Everything that may name a received file, piece by piece, and the id before the first one."""


@lru_cache(maxsize=32)
def of_buckets(sql: str, parameter: int) -> str:
    """For a worker: only what belongs to chats of its buckets, the parameter with this number."""
    mine = f" AND ('x' || substr(md5(chat), 1, 2))::bit(8)::int = ANY(${parameter}::int[])"
    return sql.replace("<mine>", mine)


@lru_cache(maxsize=32)
def of_all(sql: str) -> str:
    """For whoever shares the database with nobody."""
    return sql.replace("<mine>", "")
