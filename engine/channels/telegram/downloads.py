"""Brings a customer's file from Telegram to the file store: streamed, whole or not at all, a few at once.

The library may give less than it should and say nothing, so every byte is counted against what was announced.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final

from pyrogram.errors import RPCError

from engine.channels.telegram.faults import code_of, name_of, seconds_of
from engine.channels.telegram.reading import Sent
from engine.core.conversation import Phase
from engine.core.model import File, Files
from engine.core.program import Node
from engine.runtime.chats import Loaded
from engine.runtime.files import FileStore, Stored
from engine.runtime.library import Library
from engine.runtime.ports import Clock

LARGEST: Final = 2000 * 1024 * 1024
"""Bytes that a bot can fetch."""
PARALLEL: Final = 4
TRIES: Final = 3
"""So many times in a row without a new byte, and the file is given up."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds between two tries: three times as long each time."""
SILENCE: Final = 60.0
"""Real seconds without an answer after which a try counts as failed."""
_CHUNK: Final = 1024 * 1024
"""What the library counts an offset in."""
_TROUBLE: Final = 500
"""Codes from here up are errors of Telegram's own."""
_KINDS: Final = ("document", "photo", "video", "audio", "voice", "video_note", "animation")

Progress = Callable[[str, int, int], None]
"""Called with the chat, the bytes that have arrived and the bytes announced, after each piece."""

log = logging.getLogger("stepgram.telegram")


class Lost(Exception):  # noqa: N818 - says what happened
    """The file cannot be fetched: it is deleted, or does not come whole however often it is asked for."""


class Downloads:
    """`client` gives the library's client as it is now: a new one may have taken its place."""

    def __init__(
        self,
        *,
        client: Callable[[], Any],
        files: FileStore,
        clock: Clock,
        parallel: int = PARALLEL,
        silence: float = SILENCE,
        progress: Progress | None = None,
    ) -> None:
        self._client = client
        self._files = files
        self._clock = clock
        self._slots = asyncio.Semaphore(parallel)
        self._silence = silence
        self._progress = progress

    async def fetch(self, chat: str, user: int, message: int, sent: Sent) -> Stored:
        """Fetch and keep the file of a message. Raises Lost, and OSError when the disk refuses.

        While Telegram cannot be reached it waits; a file that stops in the middle goes on where it stopped.
        """
        async with self._slots, aclosing(self._bytes(chat, user, message, sent)) as stream:
            return await self._files.put(stream)

    async def _bytes(self, chat: str, user: int, message: int, sent: Sent) -> AsyncGenerator[bytes, None]:
        file_id, done, tries = sent.file_id, 0, 0
        while True:
            before = done
            async with aclosing(self._pieces(file_id, done)) as pieces:
                async for piece in pieces:
                    done += len(piece)
                    yield piece
                    if self._progress is not None:
                        self._progress(chat, done, sent.size)
            if done == sent.size or (sent.size == 0 and done > 0):
                return
            if done > sent.size:
                raise Lost(f"{done} bytes came of a file of {sent.size}")
            tries = 1 if done > before else tries + 1
            if tries >= TRIES:
                raise Lost(f"only {done} of {sent.size} bytes came")
            log.warning("a file of %s stopped at %d of %d bytes: the rest is fetched again", chat, done, sent.size)
            await self._clock.sleep(FIRST_PAUSE * 3 ** (tries - 1))
            file_id = await self._fresh(user, message)

    async def _pieces(self, file_id: str, start: int) -> AsyncGenerator[bytes, None]:
        """What comes from this byte on; it ends early without a word when something goes wrong."""
        skip = start % _CHUNK
        try:
            async with aclosing(self._client().stream_media(message=file_id, offset=start // _CHUNK)) as stream:
                while True:
                    async with asyncio.timeout(self._silence):
                        piece: bytes | None = await anext(stream, None)
                    if piece is None:
                        return
                    if fresh := piece[skip:]:
                        yield fresh
                    skip = max(0, skip - len(piece))
        except (RPCError, OSError, TimeoutError) as error:
            log.info("a download was cut: %s", name_of(error))

    async def _fresh(self, user: int, message: int) -> str:
        """A new reference to the file: those that Telegram gives out expire. Raises Lost when the message is gone."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    found = await self._client().get_messages(chat_id=user, message_ids=message, replies=0)
                break
            except (RPCError, OSError, TimeoutError) as error:
                if _is_final(error):
                    raise Lost(f"the message of the file cannot be read: {name_of(error)}") from error
                log.info("a message cannot be read again yet: %s", name_of(error))
                pause = max(pause, seconds_of(error) or 0)
            await self._clock.sleep(pause)
            pause = min(pause * 3, LONGEST_PAUSE)
        if getattr(getattr(found, "chat", None), "id", user) != user:
            raise Lost("under its number there is somebody else's message")
        media = next((item for kind in _KINDS if (item := getattr(found, kind, None)) is not None), None)
        if media is None:
            raise Lost("the message of the file is gone")
        return str(media.file_id)


def _is_final(error: BaseException) -> bool:
    """Whether asking again is of no use: a refusal, and neither a flood, nor trouble over there, nor a lost line."""
    code = code_of(error)
    return code is not None and code < _TROUBLE and seconds_of(error) is None


def is_wanted(loaded: Loaded, library: Library, sent: Sent) -> bool:
    """Whether the file is worth fetching. Not when the question in front is sure to refuse it: then the engine is
    given its record without a ref, and says why."""
    front = next((item for item in loaded.open if item.id == loaded.chat.front), None)
    if front is None:
        return False
    if front.top.visit.phase is not Phase.ASKING:
        return True  # what it will ask for when the file has its turn is not known
    program = library.programs.get(front.top.flow)
    node = program.nodes.get(front.top.visit.step) if program is not None else None
    return node is not None and _takes(node, sent, len(front.top.visit.files))


def _takes(node: Node, sent: Sent, there: int) -> bool:
    """The refusals of `engine.core.filing` that need no more than the announcement; `there`: files sent before."""
    question = node.question
    if not isinstance(question, File | Files):
        return False
    if isinstance(question, Files) and question.maximum is not None and there >= question.maximum:
        return False
    if question.photo and sent.kind != "photo":
        return False
    if question.accept and not sent.name.lower().endswith(question.accept):
        return False
    return question.max_size is None or sent.size <= question.max_size
