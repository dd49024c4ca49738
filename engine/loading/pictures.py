"""Pictures that flows name as files: where they stand, and what is wrong with those that can be known before a start.

`photo: {file: PATH}` is beside the flow's own file. What a flow carries on to a channel is the path from the folder
of flows. Only asks the disk what there is; opens no picture.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from engine.core.model import Flow, Picture, Step, Template
from engine.diagnostics import Diagnostic
from engine.loading.rules.findings import finding, unknown

ENDINGS: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp")
PICTURES: Final = "pictures"
"""A folder of pictures beside a flow: what is in it needs no path in front of its name."""
_MARKS: Final = ("{{", "{%", "{#")
_MOST_LOOKED_AT: Final = 2000
"""Files among which a misspelt name is looked for."""


class Wrong(Enum):
    """Why there is no picture."""

    OUTSIDE = "outside"
    MISSING = "missing"
    NO_PICTURE = "no picture"


def locate(folder: Path, relative: str) -> Path | Wrong:
    """The real file of a picture in a folder: an absolute path without symbolic links. Else one of that name in a
    folder `pictures` beside it. Never raises, whatever the text is; a link that leads out of the folder is OUTSIDE."""
    found = _located(folder, relative)
    if found is not Wrong.MISSING:
        return found
    above, slash, name = relative.rpartition("/")
    return _located(folder, f"{above}{slash}{PICTURES}/{name}")


def _located(folder: Path, relative: str) -> Path | Wrong:
    if not relative.lower().endswith(ENDINGS):
        return Wrong.NO_PICTURE
    if relative.startswith(("/", "~")) or "\\" in relative or ":" in relative or ".." in relative.split("/"):
        return Wrong.OUTSIDE
    try:
        inside = folder.resolve(strict=True)
        found = (inside / relative).resolve(strict=True)
        there = found.is_file()
    except (OSError, RuntimeError, ValueError):  # not there, a circle of links, a zero or half a character in it
        return Wrong.MISSING
    if not found.is_relative_to(inside):
        return Wrong.OUTSIDE
    if not there:
        return Wrong.MISSING
    return found if found.suffix.lower() in ENDINGS else Wrong.NO_PICTURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a flow's file stands."""

    root: Path
    """The folder of flows."""
    folder: str = ""
    """The file's own folder from there, with `/` at its end; empty for the folder of flows itself."""

    @staticmethod
    def of(file: Path, root: Path) -> "Place":
        inner = file.parent.relative_to(root).as_posix()
        return Place(root=root, folder="" if inner == "." else f"{inner}/")


def placed(flow: Flow, place: Place | None) -> Flow:
    """The flow, its pictures told which folder they are beside."""
    if place is None or not place.folder:
        return flow
    return replace(flow, steps=tuple(_placed(step, place.folder) for step in flow.steps))


def _placed(step: Step, folder: str) -> Step:
    photo = step.photo
    return step if photo is None or photo.kind != "path" else replace(step, photo=replace(photo, folder=folder))


def check_pictures(flow: Flow, place: Place | None) -> list[Diagnostic]:
    """F0314. Without a place (texts that are on no disk) only names can be judged; filled-in names never can."""
    pictures = [step.photo for step in flow.steps if step.photo is not None and step.photo.kind == "path"]
    return [found for picture in pictures for found in _check(picture, place)]


def _check(picture: Picture, place: Place | None) -> Iterator[Diagnostic]:
    if not isinstance(picture.content, Template) or any(mark in picture.content.source for mark in _MARKS):
        return
    name, span = picture.content.source, picture.content.span
    endings = " ".join(ENDINGS)
    if not name.lower().endswith(ENDINGS):
        yield finding("F0314", span, f"“{name}” is not a picture.", expected=f"a file that ends with one of {endings}")
        return
    match Wrong.MISSING if place is None else locate(place.root, place.folder + name):
        case Wrong.MISSING if place is not None:
            yield unknown(
                "F0314", span, f"There is no picture “{name}” beside this flow.", name=name, among=_beside(place)
            )
        case Wrong.OUTSIDE:
            message = f"The picture “{name}” lies outside of the folder of flows."
            yield finding("F0314", span, message, expected="a file in that folder, not a link out of it")
        case Wrong.NO_PICTURE:
            message = f"“{name}” is a link to something that is not a picture."
            yield finding("F0314", span, message, expected=f"a file that ends with one of {endings}")


def _beside(place: Place) -> list[str]:
    """Names of pictures as a flow of this place may write them."""
    start, names, seen = place.root / place.folder, [], 0
    for folder, _, files in os.walk(start):
        seen += len(files)
        names += [(Path(folder) / file).relative_to(start).as_posix() for file in files]
        if seen > _MOST_LOOKED_AT:
            break
    names += [name.removeprefix(f"{PICTURES}/") for name in names]
    return [name for name in names if name.lower().endswith(ENDINGS)]
