"""`stepgram migrate`: brings the database to the schema of this version. The work is the store's."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from engine.cli_settings import migration_command, settings
from engine.settings import Settings
from storage import file

BEHIND = 1
"""Exit code of `--check` when there is something to migrate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOptions:
    """The options of `stepgram migrate`, as click parsed them."""

    database: Path | None = None
    check: bool = False


def migrate_database(options: MigrateOptions) -> int:
    """Migrate, or with `check` only tell; the exit code. Raises what `engine.cli_errors` knows."""
    found = settings(database=options.database)
    if options.check:
        return _tell(found)
    if found.database_url is not None:
        before, now = asyncio.run(_migrate_server(found.database_url))
    else:
        before, now = asyncio.run(_migrate_file(found.database))
    if before == now:
        click.echo(f"Nothing to do: {found.place} has schema {now}, the newest.")
    elif before == 0:
        click.echo(f"There was no database: an empty one with schema {now} is made, {found.place}.")
    else:
        click.echo(f"Done: {found.place} has schema {now}, before it had {before}.{_kept(found, now)}")
    return 0


def _kept(found: Settings, now: int) -> str:
    if found.database_url is not None:
        return ""
    return f" The file as it was is {file.backup_of(found.database, now)}: delete it when all is well."


def _tell(found: Settings) -> int:
    before, now = asyncio.run(_schema(found))
    if before == 0:
        click.echo(f"There is no database yet: the next start makes one with schema {now}, {found.place}.")
        return 0
    if before == now:
        click.echo(f"{_capital(found.place)} has schema {now}, the newest.")
        return 0
    command = migration_command("" if found.database_url is not None else str(found.database))
    click.echo(f"{_capital(found.place)} has schema {before}, this version works with {now}: type `{command}`.")
    return BEHIND


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text


async def _schema(found: Settings) -> tuple[int, int]:
    if found.database_url is None:
        return file.versions(found.database)
    from storage import postgres_file

    return await postgres_file.schema_of(found.database_url), file.latest()


async def _migrate_server(url: str) -> tuple[int, int]:
    from storage import postgres_file

    return await postgres_file.migrate(url)


async def _migrate_file(database: Path) -> tuple[int, int]:
    with file.held(database):
        return await file.migrate(database)
