"""What plugins' commands find the bot by: its settings, its database, its folder. Reads bot.yaml; starts nothing."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine.actions.catalog import Catalog
from engine.actions.commands import CommandContext
from engine.actions.context import Transaction
from engine.actions.discovery import discover
from engine.app import FlowsFaulty
from engine.cli_settings import environment, flows_of, settings
from engine.loading.library import load
from engine.settings import Settings

Chosen = TypeVar("Chosen")


class _Configured:
    def __init__(self, catalog: Catalog, plugins: Mapping[str, object]) -> None:
        self._catalog = catalog
        self._plugins = plugins

    def __call__(self, kind: type[Chosen], /) -> Chosen:
        given = self._plugins.get(self._catalog.namespace_of(kind))
        return given if isinstance(given, kind) else kind()


def command_context(*, flows: Path | None = None, database: Path | None = None) -> CommandContext:
    """The bot that the environment names, or that the options do. Raises SettingsError, and FlowsFaulty for a bot.yaml
    with errors."""
    found = settings(flows=flows, database=database)
    known = environment()
    catalog = discover([found.plugins])
    bot = flows_of(found) / "bot.yaml"
    loaded = load(bot if bot.exists() else flows_of(found), catalog, environment=known)
    if not loaded.report.ok:
        raise FlowsFaulty("bot.yaml has errors.", loaded.report)
    return CommandContext(
        environment=known,
        configured=_Configured(catalog, loaded.bot.plugins),
        begin=_beginning(found),
        data=found.kept,
    )


def _beginning(found: Settings) -> Callable[[], AbstractAsyncContextManager[Transaction]]:
    from storage import outside_work

    if found.database_url is not None:
        return partial(outside_work.on_server, found.database_url)
    return partial(outside_work.on_file, found.database)
