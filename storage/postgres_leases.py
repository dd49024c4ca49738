"""The SQL by which workers share one PostgreSQL database: leases and letters. Texts only, no connection.

Locks, so that nobody waits for ever and nothing deadlocks: beats take turns by an advisory lock, and each runs inside
the server in one go, so that a client that stops in the middle holds nobody up. A beat steps over the leases on which
a commit is under way (it holds them FOR SHARE): a later beat takes them. Every clock is the database's.
"""

import hashlib
import re
from typing import Final

from engine.runtime.sharing import BUCKETS, LEASE
from storage.errors import StoreError

TURN: Final = 1937009522
"""The first number of our advisory locks; the second one is a bucket (letters), -1 (beats), or a `thing`."""
LEASE_MS: Final = round(LEASE * 1000)
GRACE_MS: Final = 2000
"""A worker whose own lease had run out frees nobody's for so long: it may be the database that was away, and then
the others are on their way back too."""
SILENT_MS: Final = 1500
"""A worker whose session has gone and that has not beaten for so long is dead: it was killed. One whose machine went
away keeps its session until the network gives up, and is dead when its lease has run out."""
PATIENCE_MS: Final = 2000
"""How long a beat waits for its turn, and how long each of its statements may take."""
_NOW: Final = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def _sql(text: str, **parts: object) -> str:
    """`text` with `<name>` replaced by what it stands for: names and numbers of our own, nothing from outside."""
    known = {"lease": LEASE_MS, "buckets": BUCKETS, "turn": TURN, "quiet": LEASE_MS - SILENT_MS}
    for name, part in (known | parts | {"now": _NOW}).items():
        text = text.replace(f"<{name}>", str(part))
    return text


def checked(worker: str) -> str:
    """The worker's name, fit to stand in a statement. Raises StoreError for another one."""
    if not _NAME.fullmatch(worker):
        raise StoreError("A worker's name has 1 to 64 characters of a-z, A-Z, 0-9 and . _ : -")
    return worker


def thing(name: str) -> int:
    """The number of something that only one process may do; beyond those of the buckets."""
    digest = hashlib.sha256(name.encode()).digest()
    return BUCKETS + int.from_bytes(digest[:8], "big") % (2**31 - BUCKETS)


def beat(worker: str, first: int | None) -> str:
    """The statements of one beat, to be sent as one simple query: PostgreSQL runs them as one transaction.

    `first`: when this start of the worker joined for the first time; None: it does now.
    """
    # not within its grace; a moment that is still to come is from before the database's clock was set back
    sure = "TRUE" if first is None else f"joined = {int(first)} OR joined NOT BETWEEN {_NOW} - {GRACE_MS} AND {_NOW}"
    return _sql(_BEAT, sure=sure, me=f"'{checked(worker)}'", patience=PATIENCE_MS)


# A beat that a crash of the server loses is not missed (synchronous_commit): whoever commits on the strength of it
# writes it to the disk too. A lease longer than a lease means that the database's clock was set back. `joined` is
# new when the lease had run out: so its worker knows that it had.
_BEAT: Final = """
SET LOCAL synchronous_commit = off;
SET LOCAL lock_timeout = <patience>;
SET LOCAL statement_timeout = <patience>;
SELECT pg_advisory_xact_lock(<turn>, -1);

INSERT INTO leases (bucket) SELECT generate_series(0, <buckets> - 1)
  WHERE (SELECT count(*) FROM leases) < <buckets> ON CONFLICT DO NOTHING;

UPDATE workers SET until = <now> + <lease> WHERE until > <now> + <lease>;
INSERT INTO workers AS mine (id, joined, until)
  SELECT <me>, now, now + <lease> FROM (SELECT <now> AS now) AS clock
  ON CONFLICT (id) DO UPDATE SET until = excluded.until,
    joined = CASE WHEN mine.until < excluded.joined THEN excluded.joined ELSE mine.joined END;
SELECT pg_notify('stepgram', '{"k":"workers"}') FROM workers WHERE id = <me> AND joined = until - <lease>;

DELETE FROM workers WHERE (SELECT <sure> FROM workers WHERE id = <me>) AND (until < <now>
  OR until < <now> + <quiet> AND NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = <turn> + 1 AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND objid::bigint = hashtext(workers.id)::bigint & 4294967295));
WITH orphans AS MATERIALIZED (
  SELECT bucket FROM leases
  WHERE worker IS NOT NULL AND NOT EXISTS (SELECT FROM workers WHERE workers.id = leases.worker)
  ORDER BY bucket FOR UPDATE SKIP LOCKED)
UPDATE leases SET worker = NULL FROM orphans WHERE leases.bucket = orphans.bucket;

WITH share AS (SELECT (<buckets> + count(*) - 1) / count(*) AS fair FROM workers WHERE until >= <now>),
free AS MATERIALIZED (
  SELECT bucket FROM leases WHERE worker IS NULL ORDER BY bucket
  LIMIT (SELECT greatest(0, fair - (SELECT count(*) FROM leases WHERE worker = <me>)) FROM share)
  FOR UPDATE SKIP LOCKED)
UPDATE leases SET worker = <me> FROM free WHERE leases.bucket = free.bucket
"""

STANDING: Final = _sql("""
SELECT (SELECT joined FROM workers WHERE id = $1) AS joined,
  ARRAY(SELECT bucket FROM leases WHERE worker = $1) AS buckets,
  (SELECT count(*) FROM workers WHERE until >= <now>) AS alive,
  (SELECT id FROM workers WHERE until >= <now> ORDER BY joined, id LIMIT 1) AS leader
""")
"""What a beat came to."""

GIVE_UP: Final = """
WITH held AS MATERIALIZED (
  SELECT bucket FROM leases WHERE worker = $1 AND bucket = ANY($2::int[]) ORDER BY bucket FOR UPDATE)
UPDATE leases SET worker = NULL FROM held WHERE leases.bucket = held.bucket
"""
"""Waits for this worker's own commits of these buckets."""

LEAVE: Final = """
WITH gone AS (DELETE FROM workers WHERE id = $1),
held AS MATERIALIZED (SELECT bucket FROM leases WHERE worker = $1 ORDER BY bucket FOR UPDATE SKIP LOCKED)
UPDATE leases SET worker = NULL FROM held WHERE leases.bucket = held.bucket
"""
"""What a commit of this worker still holds is freed by the next beat of another one."""

PRESENT: Final = f"SELECT pg_try_advisory_lock({TURN + 1}, hashtext($1))"
"""$1: a worker. Others see by this lock that its session is there."""
HOLD: Final = f"SELECT pg_try_advisory_lock({TURN}, $1)"
"""$1: a number by `thing`. As long as the session lives: it ends with the process, however that ends."""
HOLD_NOTHING: Final = "SELECT pg_advisory_unlock_all()"

POST: Final = _sql("""
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(<turn>, bucket) FROM unnest($1::int[]) AS bucket),
given AS (
  SELECT * FROM unnest($2::text[], $3::int[], $4::text[], $5::bytea[]) WITH ORDINALITY
  AS given (chat, bucket, update_id, payload, place))
INSERT INTO inbox (chat, bucket, update_id, payload, at)
SELECT chat, bucket, update_id, payload, <now> FROM given, (SELECT count(*) FROM turn) AS turns
WHERE NOT EXISTS (SELECT FROM seen_updates WHERE seen_updates.id = given.update_id)
ORDER BY place ON CONFLICT (update_id) DO NOTHING RETURNING bucket
""")
"""$1: all the buckets, rising. Letters of one bucket get their ids one post after the other, in the order in which they
are committed: a reader never sees a later one first."""

DROP: Final = "DELETE FROM inbox WHERE id = ANY($1::bigint[])"

LETTERS: Final = "SELECT id, chat, payload FROM inbox WHERE bucket = ANY($1::int[]) AND id > $2 ORDER BY id LIMIT $3"
