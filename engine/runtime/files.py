"""Received files on disk, each under a random ref. A customer's file name never becomes a path."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.runtime.identity import IdSource

CHUNK: Final = 64 * 1024
_KEPT: Final = ".kept"
"""Ending of the empty file beside one that `discard` must leave."""
_PART: Final = ".part"
REF: Final = re.compile(r"[a-z0-9]{24}")
"""The form of a ref."""


class TooLarge(Exception):  # noqa: N818 - says what happened
    """The file has more bytes than allowed; nothing of it was kept."""


class NoSuchFile(FileNotFoundError):  # noqa: N818 - says what happened
    """No file is kept under this ref."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A kept file: its ref and how many bytes it has."""

    ref: str
    size: int


class FileStore:
    """Keeps files under `folder/ab/abcdef…`, where `abcdef…` is the ref."""

    def __init__(self, folder: Path, ids: IdSource) -> None:
        self._folder = folder
        self._ids = ids

    async def put(self, stream: AsyncIterator[bytes], limit: int | None = None) -> Stored:
        """Keep what the stream gives. Raises TooLarge past `limit` bytes, and OSError when the disk refuses.

        The file appears under its ref only when it is whole and on disk.
        """
        ref = self._ids.file()
        target = self._place(ref)
        part = target.with_name(target.name + _PART)
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        try:
            size = await self._write(stream, part, limit)
            await asyncio.to_thread(os.replace, part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return Stored(ref=ref, size=size)

    async def _write(self, stream: AsyncIterator[bytes], part: Path, limit: int | None) -> int:
        size = 0
        output = await asyncio.to_thread(part.open, "xb")
        try:
            async for chunk in stream:
                size += len(chunk)
                if limit is not None and size > limit:
                    raise TooLarge(f"the file is larger than {limit} bytes")
                await asyncio.to_thread(output.write, chunk)
            await asyncio.to_thread(_flush, output.fileno(), output)
        finally:
            output.close()
        return size

    def path(self, ref: str) -> Path:
        """Where the file of this ref stands. Raises NoSuchFile."""
        place = self._place(ref)
        if not place.is_file():
            raise NoSuchFile("this file is not kept any more")
        return place

    async def open(self, ref: str) -> AsyncIterator[bytes]:
        """The file's bytes, piece by piece. Raises NoSuchFile."""
        source = await asyncio.to_thread(self.path(ref).open, "rb")
        try:
            while chunk := await asyncio.to_thread(source.read, CHUNK):
                yield chunk
        finally:
            source.close()

    async def remove(self, ref: str) -> None:
        """Delete the file of this ref; one that is gone already is fine."""
        await asyncio.to_thread(self._place(ref).unlink, missing_ok=True)

    async def keep(self, ref: str) -> None:
        """The file belongs to somebody else now, such as a shop's order: `discard` leaves it. Raises NoSuchFile."""
        place = self.path(ref)
        await asyncio.to_thread(place.with_name(place.name + _KEPT).touch)

    async def discard(self, refs: Iterable[str]) -> None:
        """Delete files that no conversation names any more, but for kept ones; what is no ref of ours is left alone."""
        for ref in refs:
            if REF.fullmatch(ref) is None:
                continue
            place = self._place(ref)
            if not await asyncio.to_thread(place.with_name(place.name + _KEPT).exists):
                await asyncio.to_thread(place.unlink, missing_ok=True)

    async def tidy(self, before: datetime) -> None:
        """Delete what never became whole because the process was killed: parts that nobody has written to since."""
        await asyncio.to_thread(self._tidy, before.timestamp())

    def _tidy(self, before: float) -> None:
        for part in self._folder.glob(f"??/*{_PART}"):
            with suppress(OSError):  # gone meanwhile, or not ours to delete: the next time
                if part.stat().st_mtime < before:
                    part.unlink()

    def _place(self, ref: str) -> Path:
        if REF.fullmatch(ref) is None:
            raise NoSuchFile("this is not the ref of a kept file")
        return self._folder / ref[:2] / ref


def _flush(number: int, output: object) -> None:
    flush = getattr(output, "flush", None)
    if callable(flush):
        flush()
    os.fsync(number)
