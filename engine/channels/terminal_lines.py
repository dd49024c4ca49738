"""Lines from standard input without blocking the loop: a pipe, a file, a terminal. No meaning here."""

import asyncio
import codecs
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Final

CHUNK: Final = 4096
LONGEST: Final = 1_000_000
"""Characters of one line; what is longer is cut into several."""


async def lines_of(descriptor: int) -> AsyncGenerator[str, None]:
    """Lines, without their ends, as they come; ends with the input. Bytes that are no UTF-8 become `�`.

    A daemon thread reads the descriptor itself: it holds no lock of Python's buffered streams, so the process
    can end while nobody types.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def hand_over(line: str | None) -> None:
        try:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        except RuntimeError:
            return  # the loop is closed: the session is over

    threading.Thread(target=_read, args=(descriptor, hand_over), daemon=True, name="terminal input").start()
    while (line := await queue.get()) is not None:
        yield line


async def lines_from(lines: Iterable[str]) -> AsyncGenerator[str, None]:
    """Lines that are known already, in the same shape."""
    for line in lines:
        yield line


def _read(descriptor: int, hand_over: Callable[[str | None], None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    while True:
        try:
            chunk = os.read(descriptor, CHUNK)
        except OSError:
            chunk = b""
        rest += decoder.decode(chunk, final=not chunk)
        *whole, rest = rest.split("\n")
        for line in whole:
            hand_over(line.removesuffix("\r"))
        if len(rest) > LONGEST:
            hand_over(rest)
            rest = ""
        if not chunk:
            break
    if rest:
        hand_over(rest)
    hand_over(None)
