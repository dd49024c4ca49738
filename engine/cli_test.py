"""`stepgram test`: plays transcripts, prints a line for each, the differences, and a summary."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from engine.actions.discovery import discover
from engine.cli_logging import log_to_stderr
from engine.cli_settings import environment, flows_of, settings
from engine.loading.rendering import render_text
from engine.settings import Settings, SettingsError
from engine.transcripts.results import Failed, Passed
from engine.transcripts.running import FOLDER, Ran, run, transcripts_in

DIFFERENT: Final = 1
USAGE: Final = 2


def run_tests(paths: Sequence[Path], *, colour: bool) -> int:
    """Play what `paths` name (none: the folder `tests` beside the flows).

    0 when all pass, 1 when one differs, 2 when there is none or one cannot be read.
    """
    found = settings()
    folder = flows_of(found)
    for path in paths:
        if not path.exists():
            raise SettingsError(f"There is no file or folder “{path}” to test.")
    places = list(paths) or [folder / FOLDER]
    files = transcripts_in([place for place in places if place.exists()])
    if not files:
        where = ", ".join(f"“{place}”" for place in places)
        click.echo(
            f"stepgram: There are no tests in {where}. The guide flows/README.md shows how to write one.", err=True
        )
        return USAGE
    log_to_stderr(found.log_level if environment().get("STEPGRAM_LOG_LEVEL") else "CRITICAL")
    return asyncio.run(_run(files, found, colour=colour))


async def _run(files: Sequence[Path], found: Settings, *, colour: bool) -> int:
    catalog = discover([found.plugins])
    ran = []
    for file in files:
        one = await run(file, settings=found, catalog=catalog)
        ran.append(one)
        click.echo(told(one, colour=colour), color=colour)
    click.echo(summary(ran))
    if any(one.played is None for one in ran):
        return USAGE
    return DIFFERENT if any(isinstance(one.played, Failed) for one in ran) else 0


def told(ran: Ran, *, colour: bool) -> str:
    """One line when it passes; the difference or the findings below it when it does not."""
    match ran.played:
        case Passed():
            return f"{_painted('passed', 'green', colour=colour)}  {ran.path}  {ran.name}"
        case Failed() as failed:
            return f"{_painted('failed', 'red', colour=colour)}  {ran.path}  {ran.name}\n\n{_indented(str(failed))}\n"
        case None:
            findings = render_text(ran.report, {str(ran.path): ran.text})
            return f"{_painted('faulty', 'red', colour=colour)}  {ran.path}\n\n{_indented(findings)}\n"


def summary(ran: Sequence[Ran]) -> str:
    """The last line: how many of how many."""
    passed = sum(isinstance(one.played, Passed) for one in ran)
    failed = sum(isinstance(one.played, Failed) for one in ran)
    faulty = len(ran) - passed - failed
    parts = [f"{passed} passed"]
    if failed:
        parts.append(f"{failed} failed")
    if faulty:
        parts.append(f"{faulty} cannot be read")
    return f"{len(ran)} {'test' if len(ran) == 1 else 'tests'}: {', '.join(parts)}."


def _painted(word: str, tone: str, *, colour: bool) -> str:
    return click.style(word, fg=tone) if colour else word


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
