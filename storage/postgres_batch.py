"""The writes of one or many commits as few statements for PostgreSQL, made ready before a connection is touched.

Commits of one chat come after one another; all others go together. Preparing is pure. No transaction is opened here
but by `write`, for a batch that needs more than one statement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from engine.core.conversation import Status
from engine.runtime.ports import Commit, NewSignal
from engine.runtime.sharing import bucket_of
from storage import postgres_rows, rows
from storage import postgres_statements as statements
from storage.batch import Refused
from storage.errors import StoreError
from storage.postgres_errors import sqlstate
from storage.rows import Line

if TYPE_CHECKING:
    import asyncpg

Lines = dict[str, list[Line]]
_NO_TEXT: Final = ("22021", "22P05")
"""SQLSTATE of a text with NUL."""
_LATER: Final = ("timers", "calls")
"""What may be set again in the commit that takes it away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement with its columns, one after the other."""

    sql: str
    columns: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What to send, in this order; more than one statement need a transaction."""

    statements: Sequence[Statement]
    commits: Sequence[Commit]
    worker: str
    """Whose the chats must be; empty: nobody asks."""
    repeated: bool
    """Something that must be there is named twice: the batch is refused unseen."""


@dataclass(slots=True, kw_only=True)
class _Wave:
    """Commits of different chats: they go into one statement."""

    lines: Lines = field(default_factory=dict)
    after: Lines = field(default_factory=dict)
    """What has to come in a second statement."""
    touched: set[str] = field(default_factory=set)

    def add(self, part: str, lines: Iterable[Line]) -> None:
        self.lines.setdefault(part, []).extend(lines)


def prepare(commits: Sequence[Commit], *, marker: Line | None = None, worker: str = "") -> Batch:
    """Encode everything that `commits` write, and one row more in `seen_updates` (`marker`: id, at).

    `worker`: all chats must be leased to it. Raises NotStorable for a value that is not of the language.
    """
    waves: list[_Wave] = [_Wave()]
    for commit in commits:
        _fill(_wave_for(waves, commit), commit)
    first = waves[0]
    if worker:
        buckets = sorted({bucket_of(commit.chat.id) for commit in commits})
        first.add("leases", [(bucket, worker) for bucket in buckets])
    if marker is not None:
        first.add("seen", [marker])
    made = [statement for wave in waves for statement in _statements(wave)]
    return Batch(statements=made, commits=commits, worker=worker, repeated=any(map(_repeats, waves)))


def sending(signals: Sequence[NewSignal]) -> Batch:
    """Signals by themselves, for a transaction that is open; texts are made such as the database takes."""
    wave = _Wave(after={"signals": list(map(postgres_rows.signal_line, signals))})
    return cleaned(Batch(statements=tuple(_statements(wave)), commits=(), worker="", repeated=False))


def _wave_for(waves: list[_Wave], commit: Commit) -> _Wave:
    """The wave after the last one that touches what this commit touches."""
    touched = {commit.chat.id}
    touched.update(conversation.id for conversation in commit.conversations)
    touched.update(timer.conversation for timer in commit.timers)
    touched.update(call.conversation for call in commit.pending)
    for keys in (commit.cancelled_timers, commit.fired_timers, commit.finished_calls):
        touched.update(str(key[0]) for key in keys)
    place = len(waves)
    while place and waves[place - 1].touched.isdisjoint(touched):
        place -= 1
    if place == len(waves):
        waves.append(_Wave())
    waves[place].touched |= touched
    return waves[place]


def _fill(wave: _Wave, commit: Commit) -> None:
    at = rows.past_ms(commit.at)
    wave.add("seen", ((postgres_rows.update_id(update), at) for update in commit.seen))
    line = rows.chat_line(commit.chat)
    if commit.new_chat:
        wave.add("new_chats", [line])
    else:
        wave.add("chats", [(*line, commit.chat.revision - 1)])
    over = _conversations(wave, commit, at)
    wave.add("visits", map(rows.visit_line, commit.visits))
    wave.add("outbox", map(rows.outgoing_line, commit.outbox))
    wave.add("delivered", ((key,) for key in commit.delivered))
    _timers(wave, commit, over)
    _calls(wave, commit)
    wave.add("taken", ((number, at) for number in commit.taken_signals))
    wave.add("letters", ((number,) for number in commit.letters))
    if commit.signals:
        wave.after.setdefault("signals", []).extend(map(postgres_rows.signal_line, commit.signals))


def _conversations(wave: _Wave, commit: Commit, at: int) -> set[str]:
    over: set[str] = set()
    for conversation in commit.conversations:
        finished = conversation.status is Status.FINISHED
        key = postgres_rows.conversation_key(conversation)
        if conversation.revision == 1:
            line = list(rows.conversation_line(conversation, at))
            line[4] = key
            wave.add("new_conversations", [(*line, commit.chat.revision)])
        elif finished:
            change = list(rows.finishing_change(conversation, at))
            change[3] = key
            wave.add("finished", [tuple(change)])
        else:
            change = list(rows.active_change(conversation))
            change[4] = key
            wave.add("active", [tuple(change)])
        if finished:
            over.add(conversation.id)
    return over


def _timers(wave: _Wave, commit: Commit, over: set[str]) -> None:
    gone: list[Line] = list(commit.fired_timers)
    gone += [(conversation, visit, None) for conversation, visit in commit.cancelled_timers]
    gone += [(conversation, None, None) for conversation in over]
    wave.add("timers_gone", gone)
    # the last word on a timer counts, and a finished conversation has none
    wanted = {(t.conversation, t.visit, t.name): t for t in commit.timers if t.conversation not in over}
    going = {(conversation, visit) for conversation, visit, _ in gone}
    for (conversation, visit, _), timer in wanted.items():
        again = (conversation, visit) in going
        (wave.after if again else wave.lines).setdefault("timers", []).append(rows.timer_line(timer))


def _calls(wave: _Wave, commit: Commit) -> None:
    wave.add("calls_gone", commit.finished_calls)
    wanted = {(call.conversation, call.call): call for call in commit.pending}
    for key, call in wanted.items():
        again = key in commit.finished_calls
        (wave.after if again else wave.lines).setdefault("calls", []).append(rows.call_line(call))


def _statements(wave: _Wave) -> Iterable[Statement]:
    for lines in (wave.lines, wave.after):
        if any(lines.values()):
            yield _statement(lines)
    if sent := wave.after.get("signals"):
        yield _statement({"signals_seen": [(line[0],) for line in sent]})


def _statement(lines: Lines) -> Statement:
    if lines.get("taken"):
        lines.setdefault("seen", [])
    names = tuple(name for name in statements.PARTS if lines.get(name) or (name == "seen" and lines.get("taken")))
    columns: list[Sequence[Any]] = []
    for name in names:
        if lines[name]:
            columns.extend(zip(*lines[name], strict=True))
        else:
            columns.extend(() for _ in statements.PARTS[name].types)
    return Statement(sql=statements.composed(names), columns=columns)


def _repeats(wave: _Wave) -> bool:
    """Within one wave: what two waves name is found by the statements themselves."""
    strict = (
        [line for line in wave.lines.get("timers_gone", ()) if line[2] is not None],
        wave.lines.get("calls_gone", ()),
        [line[0] for line in wave.lines.get("taken", ())],
        wave.lines.get("letters", ()),
    )
    return any(len(set(lines)) != len(lines) for lines in strict)


async def write(connection: "asyncpg.Connection", batch: Batch, *, begun: bool = False) -> None:
    """Run the batch, in a transaction of its own or in the one that has `begun`. Raises Refused or the driver's error:
    then nothing is written, or the caller has to undo it."""
    if batch.repeated:
        raise Refused
    alone = begun or len(batch.statements) == 1
    if not alone:
        await connection.execute("BEGIN")
    for statement in batch.statements:
        await _run(connection, statement)
    if not alone:
        await connection.execute("COMMIT")


async def _run(connection: "asyncpg.Connection", statement: Statement) -> None:
    try:
        await connection.execute(statement.sql, *statement.columns)
    except Exception as error:
        if sqlstate(error) == statements.REFUSED:
            raise Refused from error
        raise


def needs_cleaning(error: Exception) -> bool:
    """Whether the database refused a text: `cleaned` makes it one that it takes."""
    return sqlstate(error) in _NO_TEXT or isinstance(error.__cause__, UnicodeEncodeError)


def cleaned(batch: Batch) -> Batch:
    """The same with every text fit to be stored. Raises StoreError for one that cannot be."""
    fit = [Statement(sql=one.sql, columns=postgres_rows.clean(one.columns)) for one in batch.statements]
    return Batch(statements=fit, commits=batch.commits, worker=batch.worker, repeated=batch.repeated)


def impossible(batch: Batch) -> StoreError:
    """For a refusal for which no reason is found any more."""
    return StoreError(f"A row changed while {len(batch.commits)} commits were written. Load it again and repeat.")
