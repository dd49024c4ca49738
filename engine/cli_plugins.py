"""Commands that plugins bring along: looked for only when nothing built in has the name that was typed, or for the
list of `stepgram --help`."""

import ast
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.actions.catalog import CommandSignature


class PluginGroup(click.Group):
    """The `stepgram` command. What is built in comes first: no plugin can take its place."""

    _found: "Mapping[str, CommandSignature] | None" = None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Built in, else a plugin's. Raises PluginError when a plugin cannot be loaded."""
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None:
            return built_in
        offered = self._offered().get(cmd_name)
        return None if offered is None else offered.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of `--help`, which answers at once: plugins are read for it, and not loaded."""
        super().format_commands(ctx, formatter)
        rows = sorted((name, said) for name, said in _written().items() if name not in self.commands)
        if rows:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)

    def _offered(self) -> "Mapping[str, CommandSignature]":
        if self._found is None:
            from engine.actions.discovery import discover
            from engine.cli_settings import settings

            self._found = discover([settings().plugins]).commands
        return self._found


def _written() -> dict[str, str]:
    """Name and summary of each `cli_command(…, name="…", summary="…")` that stands in a module of the shipped plugins
    or of the product's own folder."""
    found: dict[str, str] = {}
    own = Path(os.environ.get("STEPGRAM_PLUGINS") or "plugins")
    for folder in dict.fromkeys((Path(__file__).resolve().parent.parent / "plugins", own.resolve())):
        for path in (*folder.glob("[!_]*.py"), *folder.glob("[!_]*/__init__.py")):
            with suppress(OSError, SyntaxError, ValueError):
                text = path.read_text(encoding="utf-8")
                if "cli_command(" in text:
                    found.update(_calls(ast.parse(text)))
    return found


def _calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="cli_command"), keywords=keywords):
                said = {item.arg: item.value.value for item in keywords if isinstance(item.value, ast.Constant)}
                if said.get("name"):
                    yield str(said["name"]), str(said.get("summary", ""))
            case _:
                pass
