"""Errors that a person can mend, as one sentence each. Loaded only when something has failed."""

import sqlite3
from pathlib import Path

from engine.actions.errors import PluginError
from engine.app import FlowsFaulty
from engine.cli_settings import migration_command
from engine.diagnostics import Report
from engine.loading.rendering import render_text, summary
from engine.runtime.locales import LocaleError
from engine.settings import SettingsError
from storage.errors import SchemaBehind, StoreError


def sentence(error: Exception) -> str | None:
    """What to tell about a known error; None for one that nobody foresaw."""
    match error:
        case FlowsFaulty():
            return _faulty(error)
        case SchemaBehind():
            return f"stepgram: {error.reason} Type `{migration_command(error.place)}`; all data is kept."
        case SettingsError() | PluginError() | StoreError() | LocaleError():
            return f"stepgram: {_capital(str(error))}"
        case sqlite3.Error():
            return f"stepgram: The database cannot be used: {error}. Is its folder writable and the disk not full?"
        case OSError() if error.filename:
            return f"stepgram: {error.filename} cannot be used: {error.strerror}."
        case _:
            return None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _faulty(error: FlowsFaulty) -> str:
    if not error.report.findings:
        return f"stepgram: {error}"
    shown = render_text(error.report, _texts(error.report))
    return f"{shown}\n{summary(error.report)}\nstepgram: {error} Nothing was started."


def _texts(report: Report) -> dict[str, str]:
    """The files that findings stand in, as far as they can be read, for showing the lines."""
    texts = {}
    for name in {finding.span.file for finding in report.findings}:
        try:
            texts[name] = Path(name).read_bytes().decode("utf-8-sig", "replace")
        except OSError:
            continue
    return texts
