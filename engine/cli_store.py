"""`stepgram store`: how the database is, in sentences or as JSON. Reads only; the bot may run."""

import asyncio
import json
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import click

from engine.cli_settings import settings
from engine.runtime.file_copies import unnamed_files
from engine.settings import Settings
from storage import health
from storage.backup import named_files
from storage.health import Health

UNWELL = 1
"""Exit code when the database is damaged."""
YOUNG: Final = timedelta(days=2)
"""Files that came in so lately may be on their way into the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """The options of `stepgram store`, as click parsed them."""

    database: Path | None = None
    as_json: bool = False
    unnamed_files: Literal["tell", "delete"] | None = None


def tell_store(options: StoreOptions) -> int:
    """Tell how the store is; the exit code. Raises what `engine.cli_errors` knows."""
    found = settings(database=options.database)
    now = datetime.now(UTC)
    if options.unnamed_files is not None:
        return _files(found, now, delete=options.unnamed_files == "delete")
    if found.database_url is None:
        seen = health.of_file(found.database)
    else:
        from storage import postgres_copy

        seen = asyncio.run(postgres_copy.health(found.database_url))
    if options.as_json:
        click.echo(json.dumps({"place": found.place, **asdict(seen)}, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(sentences(found.place, seen, now)))
    return UNWELL if seen.damage else 0


def _files(found: Settings, now: datetime, *, delete: bool) -> int:
    names = _named(found)
    left = unnamed_files(found.files, names, now - YOUNG)
    size = sum(file.stat().st_size for file in left) / 2**20
    what = f"{len(left)} files of {size:.1f} MiB in {found.files} that nothing in {found.place} names"
    if not delete:
        click.echo(f"{what}. If no other database uses this folder: stepgram store --unnamed-files delete")
        return 0
    for file in left:
        file.unlink(missing_ok=True)
    click.echo(f"Deleted: {what}.")
    return 0


def _named(found: Settings) -> set[str]:
    if found.database_url is None:
        health.of_file(found.database)
        return named_files(found.database)[0]
    from storage import postgres_copy

    with tempfile.TemporaryDirectory(prefix="stepgram-") as folder:
        copy = Path(folder) / "copy.sqlite3"
        left_out = asyncio.run(postgres_copy.dump(found.database_url, copy))
        if left_out:
            click.echo(f"Not looked into, since they are not Stepgram's: the tables {', '.join(left_out)}.", err=True)
        return named_files(copy)[0]


def sentences(place: str, seen: Health, now: datetime) -> list[str]:
    """What a person is told."""
    name = place[:1].upper() + place[1:] if place.startswith("the ") else place
    lines = [f"{name}: {_size(seen)}, schema {seen.schema}."]
    width = max((len(table) for table in seen.rows), default=0)
    lines += [f"  {table:{width}}  {rows}" for table, rows in sorted(seen.rows.items()) if rows]
    if not any(seen.rows.values()):
        lines.append("  nothing in it yet")
    lines.append(_waiting("Messages that wait to be delivered", seen.rows.get("outbox", 0), seen.oldest_message, now))
    lines.append(_waiting("Signals that wait for a conversation", seen.rows.get("signals", 0), seen.oldest_signal, now))
    if seen.failing:
        lines.append("Calls of actions that fail again and again:")
        lines += [f"  {call.name}: {call.calls} waiting, tried up to {call.attempts} times" for call in seen.failing]
    else:
        lines.append("Calls of actions that fail again and again: none.")
    damaged = f"The database is damaged: {seen.damage}. Stop the bot and restore a backup."
    return [*lines, damaged if seen.damage else seen.checked]


def _size(seen: Health) -> str:
    mib = f"{seen.size / 2**20:.1f} MiB"
    return f"{mib}, of which {seen.free / 2**20:.1f} MiB are free" if seen.free >= 2**20 else mib


def _waiting(what: str, count: int, oldest: int | None, now: datetime) -> str:
    if not count or oldest is None:
        return f"{what}: none."
    seconds = max(0.0, now.timestamp() - oldest / 1000)
    return f"{what}: {count}, the oldest for {_since(seconds)}."


def _since(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} seconds"
