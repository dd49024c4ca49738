"""`stepgram texts`: how far the translations are, and files brought up to their flows. What to write is decided in
`engine.loading.translations_writing`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from engine.actions.discovery import discover
from engine.cli_settings import coloured, environment, flows_of, settings
from engine.core.expressions.formats import locale_of
from engine.core.model import Flow
from engine.loading.library import Loaded, load
from engine.loading.rendering import render
from engine.loading.translations import FOLDER, Locale, wanted
from engine.loading.translations_state import FlowState, states
from engine.loading.translations_writing import Unwritable, Update, fresh, updated
from engine.settings import SettingsError

UNFINISHED: Final = 1
USAGE: Final = 2
_SCHEMA: Final = "flows.schema.json"
_WIDEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsOptions:
    """What the command line said."""

    write: tuple[str, ...]
    """Languages whose files are brought up to the flows."""
    flows: Path | None


def tell_texts(options: TextsOptions) -> int:
    """List what needs a translator; 0 when nothing does, 1 when something does, 2 when the files have errors."""
    read = settings(flows=options.flows)
    folder = flows_of(read)
    catalog = discover([read.plugins])
    loaded = load(folder, catalog, environment=environment())
    if not loaded.report.ok:
        click.echo(render(loaded, colour=coloured()), color=coloured())
        return USAGE
    if options.write:
        try:
            for language in dict.fromkeys(_chosen(name, loaded) for name in options.write):
                _write(folder, loaded, language)
        except Unwritable as error:
            click.echo(f"stepgram: {error}", err=True)
            return USAGE
        loaded = load(folder, catalog, environment=environment())
    return _list(loaded)


def _chosen(name: str, loaded: Loaded) -> str:
    language, languages = name.replace("-", "_"), loaded.bot.languages
    if language == languages[0]:
        raise SettingsError(f"The flows are written in “{name}”: its texts stand in the flows themselves.")
    if language not in languages:
        shown = ", ".join([*languages, language])
        raise SettingsError(f"The bot does not speak “{name}”. Write `languages: [{shown}]` into bot.yaml first.")
    return language


# --- writing ----------------------------------------------------------------------------------------------------


def _write(folder: Path, loaded: Loaded, language: str) -> None:
    source = loaded.bot.languages[0]
    for path, flows in _files(folder, loaded, language).items():
        update = Update(name=str(path), source=source, flows=flows)
        if not path.exists() and not any(wanted(flow) for flow in flows):
            continue
        if path.exists():
            before = path.read_bytes().decode("utf-8-sig")
            text = updated(before, update)
        else:
            before, text = "", fresh(update, heading=_heading(folder, path, language))
        if text != before:
            path.parent.mkdir(exist_ok=True)
            place = path.resolve()
            part = place.with_name(place.name + ".part")
            part.write_bytes(text.encode())
            os.replace(part, place)
            click.echo(f"Wrote {path}.", err=True)


def _files(folder: Path, loaded: Loaded, language: str) -> Mapping[Path, list[Flow]]:
    """Each flow's file: the one that has texts of it, else the language's own beside bot.yaml."""
    own: list[Locale] = [locale for locale in loaded.locales if locale.language == language]
    usual = folder / FOLDER
    first = next((Path(file.path) for file in own if Path(file.path).parent == usual), usual / f"{language}.yaml")
    found: dict[Path, list[Flow]] = {Path(file.path): [] for file in own}
    found.setdefault(first, [])
    for flow in loaded.flows:
        home = next((Path(file.path) for file in own if flow.name in file.flows), first)
        found[home].append(flow)
    return found


def _heading(folder: Path, path: Path, language: str) -> list[str]:
    schema = folder.parent / _SCHEMA
    lines = []
    if schema.is_file():
        lines.append(f"# yaml-language-server: $schema={Path(os.path.relpath(schema, path.parent)).as_posix()}")
    name = locale_of(language).english_name
    return [*lines, f"# The flows' texts in {name}. A line with nothing behind it is still to be translated."]


# --- telling ----------------------------------------------------------------------------------------------------


def _list(loaded: Loaded) -> int:
    if len(loaded.bot.languages) == 1:
        only = loaded.bot.languages[0]
        click.echo(f"The bot speaks only “{only}”. bot.yaml lists more, such as languages: [{only}, de].")
        return 0
    whole = True
    for language in loaded.bot.languages[1:]:
        found = states(loaded.flows, loaded.locales, language)
        click.echo(f"{language}: {_summary(found)}")
        for state in found:
            _tell(state)
        whole = whole and all(state.whole for state in found)
    return 0 if whole else UNFINISHED


def _summary(found: Sequence[FlowState]) -> str:
    total = sum(state.total for state in found)
    counts = [
        (sum(len(state.missing) for state in found), "missing"),
        (sum(len(state.stale) for state in found), "stale"),
        (sum(len(state.unused) for state in found), "unused"),
    ]
    shown = ", ".join(f"{count} {word}" for count, word in counts if count)
    texts = "one text" if total == 1 else f"{total} texts"
    return f"{texts}, {shown}" if shown else f"{texts}, all translated"


def _tell(state: FlowState) -> None:
    for word, lackings in (("missing", state.missing), ("stale", state.stale), ("unused", state.unused)):
        for lacking in lackings:
            line = f"  {word:<7}  {state.flow}.{lacking.name}"
            said = " ".join(lacking.source.split())
            click.echo(f"{line}  {said}"[:_WIDEST] if said else line)
