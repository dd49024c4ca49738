"""`stepgram check`, `explain`, `schema`: load, print, exit code. How findings look is the loading's rendering."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from engine.actions.discovery import discover
from engine.cli_settings import environment, flows_of, settings
from engine.loading.code import Code
from engine.loading.codes import CODES
from engine.settings import SettingsError

FAULTY: Final = 1
USAGE: Final = 2
SCHEMA: Final = Path("flows.schema.json")
"""The committed file that `stepgram schema --check` compares with."""


def check_flows(paths: Sequence[Path], *, form: str, colour: bool) -> int:
    """Check what `paths` name and print the findings; 1 when there are errors, else 0."""
    from engine.loading.library import load
    from engine.loading.rendering import render

    read = settings()
    for path in paths:
        if not path.exists():
            raise SettingsError(f"There is no file or folder “{path}” to check.")
    loaded = load(list(paths) or [flows_of(read)], discover([read.plugins]), environment=environment())
    click.echo(render(loaded, form=form, colour=colour), color=colour)
    return 0 if loaded.report.ok else FAULTY


def explain_code(code: str) -> int:
    """Print what a code means, with an example of the fault and of the right form."""
    found = CODES.get(code.upper())
    if found is None:
        nearest = difflib.get_close_matches(code.upper(), list(CODES), n=3, cutoff=0.5)
        hint = f" Near it are {', '.join(nearest)}." if nearest else ""
        click.echo(f"stepgram: There is no code “{code}”.{hint} `stepgram explain` lists all.", err=True)
        return USAGE
    click.echo(_explained(found))
    return 0


def _explained(code: Code) -> str:
    parts = [f"{code.code} · {code.severity} · {code.title}", "", code.explanation.strip()]
    for head, example in (("Wrong:", code.bad_example), ("Right:", code.good_example)):
        if example.strip():
            parts += ["", head, "", *(f"    {line}".rstrip() for line in example.strip("\n").splitlines())]
    return "\n".join(parts)


def list_codes() -> int:
    """Print every code with its title."""
    for code in sorted(CODES):
        found = CODES[code]
        click.echo(f"{code}  {found.severity:<7}  {found.title}")
    return 0


def write_schema(output: Path | None) -> int:
    """Print the schema, or write it to a file that appears whole or not at all."""
    text = _schema()
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return 0
    part = output.with_name(output.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, output)
    click.echo(f"Wrote {output}.", err=True)
    return 0


def check_schema(output: Path | None) -> int:
    """Tell whether the file holds the schema of now; 1 when it does not."""
    path = output or SCHEMA
    current = path.read_text(encoding="utf-8") if path.is_file() else None
    if current == _schema():
        return 0
    state = "is not current" if current is not None else "does not exist"
    click.echo(f"stepgram: {path} {state}. Write it with `stepgram schema --output {path}`.", err=True)
    return FAULTY


def _schema() -> str:
    from engine.loading.schema import render

    return render(discover([settings().plugins]))
