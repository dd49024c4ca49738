"""`stepgram backup` and `stepgram restore`: the database and the received files into a folder, and back again."""

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from engine.cli_settings import settings
from engine.runtime.file_copies import copy_files, refs_of
from engine.settings import Settings
from storage import backup, restore
from storage.backup import DATABASE, FILES, Manifest
from storage.file import latest


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOptions:
    """The options of `stepgram backup`, as click parsed them."""

    folder: Path
    database: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """The options of `stepgram restore`, as click parsed them."""

    folder: Path
    database: Path | None = None
    replace: bool = False


def back_up(options: BackupOptions, version: str) -> int:
    """Make a backup; the exit code. Raises what `engine.cli_errors` knows."""
    found = settings(database=options.database)
    with backup.new_folder(options.folder) as folder:
        file = folder / DATABASE
        left_out = _snapshot(found, file)
        rows = backup.finish(file)
        names, sure = backup.named_files(file)
        brought = copy_files(names, found.files, folder / FILES)
        manifest = Manifest(
            version=version,
            schema=latest(),
            taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source="sqlite" if found.database_url is None else "postgresql",
            sha256=backup.digest(file),
            rows=rows,
            files=len(brought),
            missing_files=len(sure - brought),
            left_out=left_out,
        )
        backup.write_manifest(folder, manifest)
    click.echo(f"The backup is {options.folder}: {_contents(manifest)}.")
    if manifest.missing_files:
        click.echo(f"{manifest.missing_files} files that the database names are not in {found.files} any more.")
    if left_out:
        click.echo(f"Not in it, since they are not Stepgram's: the tables {', '.join(left_out)}. Use pg_dump for them.")
    click.echo(f"Back again with: stepgram restore {shlex.quote(str(options.folder))}")
    return 0


def _contents(manifest: Manifest) -> str:
    rows: Mapping[str, int] = manifest.rows
    talks, chats = rows.get("conversations", 0), rows.get("chats", 0)
    return f"{talks} conversations of {chats} chats, {manifest.files} received files"


def _snapshot(found: Settings, file: Path) -> tuple[str, ...]:
    if found.database_url is None:
        backup.snapshot(found.database, file)
        return ()
    from storage import postgres_copy

    return asyncio.run(postgres_copy.dump(found.database_url, file))


def restore_backup(options: RestoreOptions) -> int:
    """Bring a backup back; the exit code. Raises what `engine.cli_errors` knows."""
    found = settings(database=options.database)
    manifest = backup.read_backup(options.folder)
    told = asyncio.run(_restore(found, options))
    click.echo(f"Restored into {found.place}: {_contents(manifest)}, as it was at {manifest.taken_at}.")
    for line in told:
        click.echo(line)
    letters = manifest.rows.get("inbox", 0)
    if letters and found.database_url is None:
        click.echo(
            f"{letters} messages of customers were on their way between workers: a SQLite database has none, so they"
            " are not answered. Customers may write again."
        )
    return 0


async def _restore(found: Settings, options: RestoreOptions) -> list[str]:
    """What there is to tell."""

    def files() -> None:
        folder = options.folder / FILES
        copy_files(refs_of(folder), folder, found.files)

    now = datetime.now(UTC)
    if found.database_url is None:
        kept = await restore.restore_file(options.folder, found.database, at=now, replace=options.replace, before=files)
        return [] if kept is None else [f"What was there before is the file {kept}: delete it when all is well."]
    from storage import postgres_copy

    done = await postgres_copy.load(
        options.folder / DATABASE, found.database_url, at=now, replace=options.replace, before=files
    )
    told = []
    if done.kept:
        told.append(f"What was there before is in the schema {done.kept}: drop it when all is well.")
    if done.left_out:
        told.append(f"Not restored, since they are not Stepgram's: the tables {', '.join(done.left_out)}.")
    return told
