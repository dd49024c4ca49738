"""Every SQL statement of the hot path, in one place. The columns are those of `storage.models`."""

from typing import Final

BEGIN: Final = "BEGIN IMMEDIATE"
WRITE_NOTHING: Final = "DELETE FROM timers WHERE 0"
"""Changes nothing, and fails where nothing may be changed."""

ADD_SEEN: Final = "INSERT INTO seen_updates (id, at) VALUES (?, ?)"
NOTE_SEEN: Final = "INSERT OR IGNORE INTO seen_updates (id, at) VALUES (?, ?)"
IS_SEEN: Final = "SELECT 1 FROM seen_updates WHERE id = ?"
OLD_SEEN: Final = "DELETE FROM seen_updates WHERE id IN (SELECT id FROM seen_updates WHERE at < ? ORDER BY at LIMIT ?)"

_SIGNAL: Final = "update_id, flow, key, name, payload, at, chat, otherwise"
ADD_SIGNAL: Final = (
    f"INSERT INTO signals ({_SIGNAL}) SELECT ?, ?, ?, ?, ?, ?, ?, ?"  # noqa: S608 - names of our own
    " WHERE NOT EXISTS (SELECT 1 FROM seen_updates WHERE id = ?) ON CONFLICT (update_id) DO NOTHING"
)
SIGNALS: Final = f"SELECT id, {_SIGNAL} FROM signals WHERE flow = ? AND key = ? ORDER BY id LIMIT ?"  # noqa: S608
NEWS: Final = f"SELECT id, {_SIGNAL} FROM signals WHERE flow = ? AND key = ? AND otherwise <> '' ORDER BY id LIMIT ?"  # noqa: S608
_KNOWN: Final = "EXISTS (SELECT 1 FROM conversations AS c WHERE c.flow = s.flow AND c.key = s.key)"
_SOONER: Final = "SELECT 1 FROM signals AS f WHERE f.flow = s.flow AND f.key = s.key AND f.id < s.id"
DELIVERABLE_SIGNALS: Final = (
    "SELECT coalesce((SELECT chat FROM conversations AS c WHERE c.flow = s.flow AND c.key = s.key"  # noqa: S608
    " AND c.finished_at IS NULL ORDER BY c.started_at DESC, c.rowid DESC LIMIT 1), nullif(s.chat, ''),"
    " (SELECT chat FROM conversations AS c WHERE c.flow = s.flow AND c.key = s.key"
    " ORDER BY c.finished_at DESC, c.rowid DESC LIMIT 1)),"
    f" id, {_SIGNAL} FROM signals AS s"
    f" WHERE ({_KNOWN} AND NOT EXISTS ({_SOONER}))"
    f" OR (s.otherwise <> '' AND NOT {_KNOWN} AND NOT EXISTS ({_SOONER} AND f.otherwise <> ''))"
    " ORDER BY id LIMIT ?"
)
CHATS_OF: Final = (
    "WITH RECURSIVE next(id) AS (SELECT min(id) FROM chats UNION ALL SELECT (SELECT min(id) FROM chats WHERE id >"
    " CASE instr(next.id, ':') WHEN 0 THEN next.id ELSE substr(next.id, 1, instr(next.id, ':') - 1) || ';' END)"
    " FROM next WHERE next.id IS NOT NULL)"
    " SELECT DISTINCT chats.id FROM next CROSS JOIN json_each(?) AS customer CROSS JOIN chats"
    " ON chats.id = substr(next.id, 1, instr(next.id, ':')) || customer.value ORDER BY chats.id"
)
"""Of customers given as a JSON list: from one channel to the next in the index, never all rows. `;` comes after `:`; a
chat without a channel is its own customer."""
SIGNAL_SEEN: Final = (
    "INSERT INTO seen_updates (id, at) SELECT update_id, ? FROM signals WHERE id = ? ON CONFLICT (id) DO NOTHING"
)
SIGNAL_LATE: Final = (
    "INSERT INTO seen_updates (id, at) SELECT update_id, at FROM signals WHERE id = ? ON CONFLICT (id) DO NOTHING"
)
DROP_SIGNAL: Final = "DELETE FROM signals WHERE id = ?"
OLD_SIGNALS: Final = "DELETE FROM signals WHERE id IN (SELECT id FROM signals WHERE at < ? ORDER BY id LIMIT ?)"

DROP_LETTER: Final = "DELETE FROM inbox WHERE id = ?"

ADD_CHAT: Final = (
    "INSERT INTO chats (front, aside, name, username, language, revision, id) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
CHANGE_CHAT: Final = (
    "UPDATE chats SET front = ?, aside = ?, name = ?, username = ?, language = ?, revision = ?"
    " WHERE id = ? AND revision = ?"
)
CHAT: Final = "SELECT front, aside, name, username, language, revision, id FROM chats WHERE id = ?"
CHAT_REVISION: Final = "SELECT revision FROM chats WHERE id = ?"

ADD_CONVERSATION: Final = (
    "INSERT INTO conversations (id, chat, flow, status, key, revision, started_at, touched_at, expires_at,"
    " finished_at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CHANGE_ACTIVE: Final = (
    "UPDATE conversations SET data = ?, revision = ?, touched_at = ?, expires_at = ?, key = ?"
    " WHERE id = ? AND revision = ?"
)
CHANGE_FINISHED: Final = (
    "UPDATE conversations SET data = ?, revision = ?, touched_at = ?, expires_at = NULL, key = ?,"
    " status = 'finished', finished_at = coalesce(finished_at, ?) WHERE id = ? AND revision = ?"
)
CONVERSATION_REVISION: Final = "SELECT revision FROM conversations WHERE id = ?"
CONVERSATION: Final = "SELECT id, data FROM conversations WHERE id = ?"
OPEN_OF_CHAT: Final = (
    "SELECT id, data FROM conversations WHERE chat = ? AND finished_at IS NULL ORDER BY started_at, rowid"
)
OPEN_BY_KEY: Final = (
    "SELECT id, data FROM conversations WHERE flow = ? AND key = ? AND finished_at IS NULL"
    " ORDER BY started_at DESC, rowid DESC LIMIT 1"
)
ENDED_BY_KEY: Final = (
    "SELECT id, data FROM conversations WHERE flow = ? AND key = ? AND finished_at IS NOT NULL"
    " ORDER BY finished_at DESC, rowid DESC LIMIT 1"
)
EXPIRED: Final = "SELECT id, data FROM conversations WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"
FORGOTTEN: Final = (
    "SELECT id, data FROM conversations WHERE flow = ? AND finished_at <= ?"
    " AND NOT EXISTS (SELECT 1 FROM pending_calls WHERE pending_calls.conversation = conversations.id) LIMIT ?"
)
FLOWS: Final = (
    "WITH RECURSIVE next(flow) AS (SELECT min(flow) FROM conversations UNION ALL"
    " SELECT (SELECT min(flow) FROM conversations WHERE flow > next.flow) FROM next WHERE next.flow IS NOT NULL)"
    " SELECT flow FROM next WHERE flow IS NOT NULL"
)
"""The flows of all conversations, from one to the next in the index: never all rows."""
DELETE_CONVERSATION: Final = "DELETE FROM conversations WHERE id = ?"

ADD_VISIT: Final = "INSERT INTO visits (conversation, at, visit, step, kind, detail) VALUES (?, ?, ?, ?, ?, ?)"
HISTORY: Final = "SELECT conversation, at, visit, step, kind, detail FROM visits WHERE conversation = ? ORDER BY id"
DELETE_VISITS: Final = "DELETE FROM visits WHERE conversation = ?"

ADD_OUTGOING: Final = (
    "INSERT INTO outbox (id, chat, sequence, kind, payload, surface, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
DELIVERED: Final = "DELETE FROM outbox WHERE id = ?"
UNDELIVERED: Final = "SELECT id, chat, sequence, kind, payload, surface, created_at FROM outbox ORDER BY chat, sequence"
OLD_OUTGOING: Final = "SELECT id FROM outbox WHERE created_at < ?"
UNDELIVERED_TO: Final = (
    "SELECT id, chat, sequence, kind, payload, surface, created_at FROM outbox"
    " WHERE chat IN (SELECT value FROM json_each(?)) ORDER BY chat, sequence"
)
"""For chats given as a JSON list."""
DATA_VERSION: Final = "PRAGMA data_version"
"""On one connection: changes when another one has written."""

SET_TIMER: Final = (
    "INSERT INTO timers (conversation, chat, visit, name, due) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (conversation, visit, name) DO UPDATE SET chat = excluded.chat, due = excluded.due"
)
CANCEL_TIMERS: Final = "DELETE FROM timers WHERE conversation = ? AND visit = ?"
TIMER_FIRED: Final = "DELETE FROM timers WHERE conversation = ? AND visit = ? AND name = ?"
DELETE_TIMERS: Final = "DELETE FROM timers WHERE conversation = ?"
TIMERS_OF: Final = "SELECT conversation, chat, visit, name, due FROM timers WHERE conversation = ? ORDER BY due, id"
DUE_TIMERS: Final = "SELECT conversation, chat, visit, name, due FROM timers WHERE due <= ? ORDER BY due, id LIMIT ?"

SET_CALL: Final = (
    "INSERT INTO pending_calls (conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, call) DO UPDATE SET"
    " chat = excluded.chat, purpose = excluded.purpose, name = excluded.name, arguments = excluded.arguments,"
    " retry = excluded.retry, timeout = excluded.timeout, attempt = excluded.attempt, due = excluded.due"
)
CALL_FINISHED: Final = "DELETE FROM pending_calls WHERE conversation = ? AND call = ?"
ATTEMPTED: Final = "UPDATE pending_calls SET attempt = ?, due = ? WHERE conversation = ? AND call = ?"
CALLS_OF: Final = (
    "SELECT conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due FROM pending_calls"
    " WHERE conversation = ? ORDER BY due, id"
)
DUE_CALLS: Final = (
    "SELECT conversation, chat, call, purpose, name, arguments, retry, timeout, attempt, due FROM pending_calls"
    " WHERE due <= ? ORDER BY due, id LIMIT ?"
)

NEXT_DUE: Final = (
    "SELECT min(due) FROM (SELECT min(due) AS due FROM timers UNION ALL SELECT min(due) FROM pending_calls"
    " UNION ALL SELECT min(expires_at) FROM conversations)"
)

NAMING: Final = tuple(
    f"SELECT rowid, {column} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - names of our own
    for table, column in (
        ("conversations", "data"),
        ("pending_calls", "arguments"),
        ("outbox", "payload"),
        ("signals", "payload"),
        ("inbox", "payload"),
    )
)
"""Everything that may name a received file, piece by piece."""

_ENTRY: Final = "SELECT id, chat, at, kind, key, conversation, surface, payload, revision, handled FROM journal"
ADD_ENTRY: Final = (
    "INSERT INTO journal (chat, at, kind, key, conversation, surface, payload, revision, handled)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
)
CHANGE_ENTRY: Final = "UPDATE journal SET payload = ?, at = ?, revision = ? WHERE id = ?"
ENTRY_HANDLED: Final = "UPDATE journal SET handled = 1 WHERE id = ? AND handled = 0"
ENTRY: Final = _ENTRY + " WHERE id = ?"
ENTRY_OF_KEY: Final = _ENTRY + " WHERE key = ?"
ENTRY_OF_SURFACE: Final = _ENTRY + " WHERE chat = ? AND surface = ? ORDER BY id DESC LIMIT 1"
ENTRIES: Final = _ENTRY + " WHERE chat = ? AND id < ? ORDER BY id DESC LIMIT ?"
DROP_ENTRY: Final = "DELETE FROM journal WHERE id = ?"
UNHANDLED: Final = _ENTRY + " INDEXED BY journal_handled WHERE handled = 0 ORDER BY id"
OLD_OF_KIND: Final = _ENTRY + " WHERE kind = ? AND handled = 1 AND at < ? ORDER BY id"
OLD_ENTRIES: Final = (
    "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE handled = 1 AND at < ? ORDER BY at LIMIT ?)"
)

PEOPLE: Final = "SELECT id, name, language, roles, phone, seen_at FROM people ORDER BY seen_at DESC, id"
KEEP_PERSON: Final = (
    "INSERT INTO people (id, name, language, roles, phone, seen_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
    " DO UPDATE SET name = excluded.name, language = excluded.language, roles = excluded.roles,"
    " phone = excluded.phone, seen_at = excluded.seen_at"
)

PAGE_VALUE: Final = "SELECT value FROM page_values WHERE name = ?"
SET_PAGE_VALUE: Final = (
    "INSERT INTO page_values (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
