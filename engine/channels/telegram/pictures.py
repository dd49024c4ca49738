"""What stands behind the picture of a message: bytes, a file, a web address. Nothing is sent here."""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import segno

from engine.runtime.files import FileStore, NoSuchFile
from engine.runtime.pictures import picture_path

LARGEST_PHOTO: Final = 10 * 1024 * 1024
"""Bytes; a larger picture goes as a document."""
QR_PIXELS: Final = 480
"""A code is drawn at least this wide, in whole pixels per module, so that it stays sharp."""
_QUIET: Final = 4
_MAGIC: Final = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that can be sent. Of one with the same `key` Telegram may already have the bytes."""

    key: str
    name: str
    """For the customer's device; never a path."""
    document: bool = False
    """No photo by Telegram's rules: too large, or another kind of file."""
    data: bytes | None = None
    path: Path | None = None
    url: str | None = None

    def source(self) -> io.BytesIO | str:
        """What the library takes."""
        if self.data is not None:
            stream = io.BytesIO(self.data)
            stream.name = self.name
            return stream
        return str(self.path) if self.path is not None else str(self.url)

    @property
    def size(self) -> int:
        """Bytes that go up; 0 when Telegram fetches it itself."""
        if self.data is not None:
            return len(self.data)
        return self.path.stat().st_size if self.path is not None else 0


def qr_png(text: str) -> bytes | None:
    """A QR code with its light border; None: the text is too long for one."""
    try:
        code = segno.make(text, micro=False)
    except (segno.DataOverflowError, ValueError):
        return None
    width = code.symbol_size(border=_QUIET)[0]
    output = io.BytesIO()
    code.save(output, kind="png", scale=max(1, -(-QR_PIXELS // width)), border=_QUIET, dark="black", light="white")
    return output.getvalue()


class Pictures:
    """Finds pictures. `flows` is the folder that pictures of flows stand in."""

    def __init__(self, *, files: FileStore, flows: Path) -> None:
        self._files = files
        self._flows = flows

    async def find(self, photo: tuple[str, str]) -> Picture | None:
        """The picture of a `Show.photo`; None when it is not there."""
        match photo:
            case ("qr", text):
                return await asyncio.to_thread(_code, text)
            case ("path", relative):
                path = await asyncio.to_thread(picture_path, self._flows, relative)
                return None if path is None else await asyncio.to_thread(_drawn, path)
            case ("value", content) if content.lower().startswith(("http://", "https://")):
                return Picture(key=f"url:{content}", name="picture", url=content)
            case ("value", ref):
                try:
                    path = await asyncio.to_thread(self._files.path, ref)
                except NoSuchFile:
                    return None
                return await asyncio.to_thread(_kept, path, f"ref:{ref}")  # never another file under the same ref
            case _:
                return None


def _code(text: str) -> Picture | None:
    data = qr_png(text)
    if data is None:
        return None
    return Picture(key=f"qr:{hashlib.sha256(text.encode()).hexdigest()}", name="code.png", data=data)


def _drawn(path: Path) -> Picture | None:
    """A picture that its author may change at any time."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
    return _kept(path, f"file:{digest}")


def _kept(path: Path, key: str) -> Picture | None:
    """By what the file begins with, whatever its name says."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError:
        return None
    if size == 0:
        return None
    kind = "webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None
    kind = kind or next((name for magic, name in _MAGIC if head.startswith(magic)), None)
    name = f"picture.{kind}" if kind else f"file{path.suffix}"
    return Picture(key=key, name=name, document=kind is None or size > LARGEST_PHOTO, path=path)
