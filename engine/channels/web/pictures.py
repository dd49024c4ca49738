"""Pictures of messages and files of customers, by the id of their journal entry.

On loopback there is no login: whoever may open the page may read every entry of every customer. With a token, whoever
has it. So the page is for those who run the bot, not for its customers.
"""

import asyncio
import io
from pathlib import Path
from typing import Final
from urllib.parse import quote

import segno
from aiohttp import web

from engine.channels.web.entries import INLINE, Payload, Received, Shown, is_web_address, payload_of
from engine.channels.web.security import SEALED
from engine.runtime.files import FileStore, NoSuchFile
from engine.runtime.journal import Journal
from engine.runtime.pictures import picture_path

QR_PIXELS: Final = 480
"""A code is drawn at least this wide, in whole pixels per module, so that it stays sharp."""
_QUIET: Final = 4
_MISSING: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="120" viewBox="0 0 320 120" role="img">'
    '<rect width="320" height="120" rx="8" fill="#8883"/><text x="160" y="66" fill="#888" font-size="16" '
    'font-family="sans-serif" text-anchor="middle">This picture is not there.</text></svg>'
)
_MAGIC: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_SEALED: Final = {"Content-Security-Policy": SEALED}
_BINARY: Final = "application/octet-stream"


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
    """Serves `/picture/ENTRY` and `/file/ENTRY`. `flows` is the folder that pictures of flows stand in."""

    def __init__(self, *, journal: Journal, files: FileStore, flows: Path) -> None:
        self._journal = journal
        self._files = files
        self._flows = flows

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """The picture of a bot's message; a customer's own photo too."""
        match await self._payload(request):
            case Shown(photo=("qr", text)):
                body = await asyncio.to_thread(qr_png, text)
                return _missing() if body is None else web.Response(body=body, content_type="image/png")
            case Shown(photo=("path", relative)):
                path = await asyncio.to_thread(picture_path, self._flows, relative)
                return _missing() if path is None else await _image(path)
            case Shown(photo=("value", content)):
                return await self._value(content)
            case Received(ref=ref):
                return await self._kept(ref)
            case _:
                return _missing()

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file that a customer sent, to be saved; images of safe kinds may be looked at."""
        received = await self._payload(request)
        if not isinstance(received, Received):
            return web.Response(status=404, text="There is no such file.")
        try:
            path = await asyncio.to_thread(self._files.path, received.ref)
        except NoSuchFile:
            return web.Response(status=404, text="This file is not kept any more.")
        inline = received.mime in INLINE
        headers = {
            **_SEALED,
            "Content-Type": received.mime if inline else _BINARY,
            "Content-Disposition": disposition(received.name, inline=inline),
        }
        return web.FileResponse(path, headers=headers)

    async def _payload(self, request: web.Request) -> Payload | None:
        entry = await self._journal.entry(int(request.match_info["entry"]))
        return None if entry is None else payload_of(entry)

    async def _value(self, content: str) -> web.StreamResponse:
        return _missing() if is_web_address(content) else await self._kept(content)

    async def _kept(self, ref: str) -> web.StreamResponse:
        try:
            path = await asyncio.to_thread(self._files.path, ref)
        except NoSuchFile:
            return _missing()
        return await _image(path)


async def _image(path: Path) -> web.StreamResponse:
    """The file, if what it begins with is an image that a browser shows safely."""
    try:
        kind = await asyncio.to_thread(image_kind, path)
    except OSError:
        kind = None
    return _missing() if kind is None else web.FileResponse(path, headers={**_SEALED, "Content-Type": kind})


def image_kind(path: Path) -> str | None:
    """PNG, JPEG, GIF or WebP by its first bytes; None: something else. Raises OSError."""
    with path.open("rb") as stream:
        head = stream.read(16)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)


def disposition(name: str, *, inline: bool) -> str:
    """The header's value with the name twice: for every browser in plain letters, and as it is (RFC 5987)."""
    plain = "".join(mark if mark.isascii() and mark.isprintable() and mark not in '"\\%' else "_" for mark in name)
    way = "inline" if inline else "attachment"
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _missing() -> web.Response:
    return web.Response(status=404, text=_MISSING, content_type="image/svg+xml", headers=_SEALED)
