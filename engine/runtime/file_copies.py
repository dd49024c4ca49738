"""Received files from one folder of files into another, by their refs: for a backup and for its way back. Blocking.

Files never change once they are there, so the same bytes may have two names where the disk allows it.
"""

import os
import shutil
from collections.abc import Container, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.runtime.files import REF

_BESIDE: Final = ".kept"
"""The empty file beside one that must stay; it goes along."""


def copy_files(refs: Iterable[str], source: Path, target: Path) -> frozenset[str]:
    """Bring the files of these refs from one folder to the other, as far as they are there: the refs of those. One that
    the other folder has already stays as it is.

    Raises OSError when the disk refuses; then some may be there, each of them whole.
    """
    brought = set()
    for ref in refs:
        old, new = source / ref[:2] / ref, target / ref[:2] / ref
        if not old.is_file():
            continue
        new.parent.mkdir(parents=True, exist_ok=True)
        _bring(old, new)
        kept = old.with_name(ref + _BESIDE)
        if kept.exists():
            new.with_name(ref + _BESIDE).touch()
        brought.add(ref)
    return frozenset(brought)


def refs_of(folder: Path) -> Iterable[str]:
    """The refs of all whole files of a folder of files."""
    return (file.name for file in folder.glob("??/*") if REF.fullmatch(file.name) and file.is_file())


def unnamed_files(folder: Path, names: Container[str], before: datetime) -> list[Path]:
    """Whole files of a folder that are older than this, belong to nobody by `keep`, and whose ref is not in `names`."""
    return [
        file
        for file in sorted(folder.glob("??/*"))
        if REF.fullmatch(file.name)
        and file.name not in names
        and not file.with_name(file.name + _BESIDE).exists()
        and file.stat().st_mtime < before.timestamp()
    ]


def _bring(old: Path, new: Path) -> None:
    if new.exists():
        return
    try:
        new.hardlink_to(old)
    except OSError:  # another disk, or one without hard links
        part = new.with_name(new.name + ".part")
        with old.open("rb") as read, part.open("wb") as written:
            shutil.copyfileobj(read, written)
            written.flush()
            os.fsync(written.fileno())
        part.replace(new)
