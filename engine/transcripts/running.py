"""All transcripts of a folder, one after the other: read, played, told. Nothing is printed here."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.actions.catalog import Catalog
from engine.diagnostics import Report
from engine.loading.transcripts_parser import Read, read_transcript
from engine.settings import Settings
from engine.transcripts.player import play
from engine.transcripts.results import Played

FOLDER: Final = "tests"
"""Beside the flows: the folder of transcripts, which the loader of flows leaves out."""
_ENDINGS: Final = (".yaml", ".yml")
_CLEAN: Final = Report()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One file: what came of playing it, or (None) what keeps it from being played."""

    path: Path
    name: str
    played: Played | None
    report: Report = _CLEAN
    text: str = ""


def transcripts_in(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant: themselves, and everything in folders that is YAML, each once, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        for file in _folder(path) if path.is_dir() else (path,):
            found[file] = None
    return list(found)


def _folder(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _folder(entry)
        elif entry.suffix in _ENDINGS:
            yield entry


async def run(path: Path, *, settings: Settings, catalog: Catalog, environment: Mapping[str, str] | None = None) -> Ran:
    """One file, read and played. Raises FlowsFaulty when the flows themselves have errors."""
    read: Read = await asyncio.to_thread(read_transcript, path, catalog)
    if read.transcript is None:
        return Ran(path=path, name=path.stem, played=None, report=Report.of(read.findings), text=read.text)
    played = await play(read.transcript, settings=settings, catalog=catalog, environment=environment)
    return Ran(path=path, name=read.transcript.name, played=played, text=read.text)
