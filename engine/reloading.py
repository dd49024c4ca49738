"""Sees when somebody saves a file of the flows, and brings it live. What is wrong with it is told, never served."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from watchfiles import Change, awatch

from engine.app import App
from engine.loading.library import Loaded

DEBOUNCE: Final = 60
"""Milliseconds without a change before files are read: an editor writes one in several steps."""
LONGEST: Final = 1000
"""Milliseconds after which files are read even though changes go on."""
LOOK: Final = 3000
"""Milliseconds after which files are looked at even though the system has told of no change: some disks tell nothing,
and one that was saved while the bot started was told to nobody."""
ENDINGS: Final = (".yaml", ".yml", ".png", ".jpg", ".jpeg", ".gif", ".webp")
"""Flows, and the pictures that they may show."""
_MOST: Final = 10_000

log = logging.getLogger("stepgram.flows")
Told = Callable[[Loaded, bool], Awaitable[None]]
"""Gets what was read, and whether it is live now."""
Stand = Mapping[str, tuple[int, int]]
"""How the files stand: when each was changed (ns) and its size in bytes."""


def stand_of(folder: Path) -> Stand:
    """How the files of a folder of flows stand now; of one that is gone: empty."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if _wanted(name) and len(found) < _MOST:
                try:
                    stat = os.stat(os.path.join(place, name))
                except OSError:
                    continue  # gone between the two looks: the next one knows
                found[os.path.join(place, name)] = (stat.st_mtime_ns, stat.st_size)
    return found


async def reload_on_change(app: App, told: Told, stand: Stand) -> None:
    """Reload after every change in the folder of flows until cancelled. Whatever goes wrong, what is live stays.

    `stand`: how the files stood before the flows that are live were read.
    """
    folder = app.settings.flows
    failed: Stand | None = None
    async for _ in _looks(folder):
        now = await asyncio.to_thread(stand_of, folder)
        if now == stand:
            continue
        try:
            loaded = await app.reload()
        except Exception as error:
            if now != failed:  # it is tried again at every look, and said once
                log.error("the flows could not be read again, the old ones stay live: %s", error)
                log.debug("why", exc_info=error)
            failed = now
            continue
        stand, failed = now, None
        live = app.loaded is loaded
        log.info("flows read again: %s", "live" if live else "the old ones stay live")
        try:
            await told(loaded, live)
        except Exception:
            log.exception("not everybody could be told of the flows; they are still watched")


async def _looks(folder: Path) -> AsyncIterator[None]:
    """After every change that the system tells of, and every few seconds; for ever."""
    while True:
        try:
            async for _ in awatch(
                folder,
                watch_filter=_named,
                debounce=LONGEST,
                step=DEBOUNCE,
                rust_timeout=LOOK,
                yield_on_timeout=True,
            ):
                yield
        except (OSError, RuntimeError) as error:  # no folder at the moment, or too many watched files on this machine
            log.debug("the system does not tell of changed files: %s", error)
        await asyncio.sleep(LOOK / 1000)
        yield


def _named(_: Change, path: str) -> bool:
    return _wanted(Path(path).name)


def _wanted(name: str) -> bool:
    return name.endswith(ENDINGS) and not name.startswith(".")
