"""Files that customers send: streamed to the file store with a limit, then handed over like every other input.

The name that the client gives is only ever shown, never used as a path.
"""

import asyncio
import logging
import mimetypes
import re
from collections.abc import AsyncIterator
from typing import Final, Literal

from aiohttp import ClientError, web

from engine.channels.web.entries import Received
from engine.channels.web.feed import PAGE, Feed
from engine.channels.web.inputs import Inputs
from engine.channels.web.people import People, clean_line
from engine.channels.web.protocol import is_id
from engine.channels.web.tabs import chat_of
from engine.core.records import record
from engine.runtime.files import CHUNK, FileStore, Stored, TooLarge

LONGEST_NAME: Final = 200
PARALLEL: Final = 8
"""Uploads at once; more of them wait."""
SILENCE: Final = 60.0
"""Seconds after which an upload that sends nothing is given up."""
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,16}\Z")
_BINARY: Final = "application/octet-stream"

log = logging.getLogger("stepgram.web")


@record
class _Wanted:
    """What an upload says of itself."""

    chat: str
    id: str
    name: str
    mime: str
    kind: Literal["document", "photo"]


class Uploads:
    """Serves `POST /upload`. `largest` in bytes."""

    def __init__(self, *, files: FileStore, feed: Feed, people: People, inputs: Inputs, largest: int) -> None:
        self._files = files
        self._feed = feed
        self._people = people
        self._inputs = inputs
        self._largest = largest
        self._slots = asyncio.Semaphore(PARALLEL)

    async def upload(self, request: web.Request) -> web.Response:
        """Take one file. Answers JSON; the customer's page says what it says."""
        wanted = self._wanted(request)
        if isinstance(wanted, web.Response):
            return wanted
        if await self._taken(wanted):
            return _good()
        if (request.content_length or 0) > self._largest:
            return self._too_large()
        async with self._slots:
            stored = await self._store(request)
        if isinstance(stored, web.Response):
            return stored
        return await self._enter(wanted, stored)

    def _wanted(self, request: web.Request) -> _Wanted | web.Response:
        query = request.query
        person = self._people.find(query.get("person", ""))
        if person is None:
            return _bad(404, "This customer is not known any more: please reload the page.")
        identity, kind = query.get("id", ""), query.get("kind", "document")
        if not is_id(identity) or kind not in ("document", "photo"):
            return _bad(400, "This file could not be taken: please reload the page and send it again.")
        name = clean_name(query.get("name", ""))
        mime = mime_of(name)
        photo = kind == "photo" and mime.startswith("image/")
        return _Wanted(
            chat=chat_of(person.id), id=identity, name=name, mime=mime, kind="photo" if photo else "document"
        )

    async def _taken(self, wanted: _Wanted) -> bool:
        """Whether this very file was taken before, so that its bytes need not come again."""
        key = f"{wanted.chat}:{wanted.id}"
        return any(entry.key == key for entry in await self._feed.journal.entries(wanted.chat, limit=PAGE))

    async def _store(self, request: web.Request) -> Stored | web.Response:
        try:
            return await self._files.put(_chunks(request), self._largest)
        except TooLarge:
            return self._too_large()
        except TimeoutError:
            return _bad(408, "The file stopped arriving: please send it again.")
        except (ClientError, ConnectionError, web.RequestPayloadError):
            return _bad(400, "The file did not arrive whole: please send it again.")
        except OSError:
            log.exception("a file could not be stored")
            return _bad(507, "The file could not be stored: the disk of the bot may be full.")

    async def _enter(self, wanted: _Wanted, stored: Stored) -> web.Response:
        received = Received(
            name=wanted.name, size=stored.size, mime=wanted.mime, ref=stored.ref, kind=wanted.kind
        )  # fmt: skip
        kind = "photo" if wanted.kind == "photo" else "file"
        try:
            new = await self._inputs.enter(wanted.chat, wanted.id, kind, received)
        except Exception:
            log.exception("a file could not be written down")
            await self._files.remove(stored.ref)
            return _bad(500, "The file could not be taken: please send it again.")
        if not new:  # the same one arrived on two connections
            await self._files.remove(stored.ref)
        return _good()

    def _too_large(self) -> web.Response:
        """What still arrives is read and dropped for a moment by the server, then the connection is closed."""
        response = _bad(413, f"This file is too large: at most {_size(self._largest)} can be sent.")
        response.force_close()
        return response


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(SILENCE):
            chunk = await request.content.read(CHUNK)
        if not chunk:
            return
        yield chunk


def clean_name(given: str) -> str:
    """The last part of whatever path was given, on one line, its ending kept when it has to be cut."""
    last = clean_line(given.replace("\\", "/").rpartition("/")[2], 4096)
    if last in ("", ".", ".."):
        return "file"
    if len(last) <= LONGEST_NAME:
        return last
    match = _ENDING.search(last)
    ending = match[0] if match else ""
    return last[: LONGEST_NAME - len(ending)] + ending


def mime_of(name: str) -> str:
    """The kind of file that a name promises."""
    match = _ENDING.search(name)
    return (mimetypes.guess_type(f"file{match[0]}")[0] if match else None) or _BINARY


def _size(count: int) -> str:
    for unit, size in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def _good() -> web.Response:
    return web.json_response({"ok": True})


def _bad(status: int, sentence: str) -> web.Response:
    return web.json_response({"ok": False, "error": sentence}, status=status)
