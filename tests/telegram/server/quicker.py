"""Makes pyrogram's session storage quick in tests. It asks `inspect.stack()` for the name of the function that called
it, which reads every frame's source: under pytest's deep stack that is 30 ms for each value, ten values for each
log-in.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from pyrogram.storage import sqlite_storage


def _stack() -> list[SimpleNamespace]:
    """The nearest four frames with what is read of them, the name of the function; the first is the caller's."""
    frame, frames = sys._getframe(1), []
    while frame is not None and len(frames) < 4:
        frames.append(SimpleNamespace(function=frame.f_code.co_name))
        frame = frame.f_back
    return frames


@contextmanager
def quick_storage() -> Iterator[None]:
    """Changes nothing but the speed, and nothing at all where the library does not do so (kurigram)."""
    real = getattr(sqlite_storage, "inspect", None)
    if real is None:
        yield
        return
    sqlite_storage.inspect = SimpleNamespace(stack=_stack)
    try:
        yield
    finally:
        sqlite_storage.inspect = real
