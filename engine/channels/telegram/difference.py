"""Fetches what happened while the bot was not listening: `updates.getDifference`, piece by piece. Keeps nothing."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from pyrogram import raw
from pyrogram.errors import RPCError

from engine.channels.telegram.marks import Marks
from engine.core.records import record

F, U = raw.functions.updates, raw.types.updates

Invoke = Callable[[Any], Awaitable[Any]]
"""One raw call of the client."""
_FORGOTTEN: Final = "PERSISTENT_TIMESTAMP"
"""In the error's name: the other side does not know our marks."""

log = logging.getLogger("stepgram.telegram")


@record
class Piece:
    """A part of what was missed, and how far we are once it is kept."""

    updates: tuple[Any, ...]
    """Raw messages by number, then raw updates of other kinds."""
    users: Mapping[int, Any]
    """Raw users by id."""
    marks: Marks
    anew: bool = False
    """The marks that were asked with were of no use: these take their place, also when they are smaller."""


async def present(invoke: Invoke) -> Marks:
    """Where the account stands now. Raises what the call raises."""
    state = await invoke(F.GetState())
    return Marks(pts=state.pts, qts=state.qts, date=state.date)


async def missed(invoke: Invoke, since: Marks) -> AsyncIterator[Piece]:
    """Everything since then, in order. The next piece is asked for when the one before has been taken.

    Raises what the calls raise; what was given until then holds.
    """
    while True:
        try:
            answer = await invoke(F.GetDifference(pts=since.pts, qts=since.qts, date=since.date))
        except RPCError as error:
            if _FORGOTTEN not in str(error.ID):
                raise
            log.warning("Telegram does not know any more how far this bot had read: what came meanwhile may be lost")
            yield Piece(updates=(), users={}, marks=await present(invoke), anew=True)
            return
        piece = _piece(answer, since)
        yield piece
        if isinstance(answer, U.DifferenceEmpty | U.Difference) or piece.marks.pts <= since.pts:
            return
        since = piece.marks


def _piece(answer: Any, since: Marks) -> Piece:
    match answer:
        case U.DifferenceTooLong(pts=pts):
            log.warning("Telegram does not keep updates %d to %d any more: they are lost", since.pts + 1, pts)
            return Piece(updates=(), users={}, marks=Marks(pts=pts, qts=since.qts, date=since.date))
        case U.Difference(state=state) | U.DifferenceSlice(intermediate_state=state):
            messages = sorted(answer.new_messages, key=lambda message: int(message.id))
            return Piece(
                updates=(*messages, *answer.other_updates),
                users={user.id: user for user in answer.users},
                marks=Marks(pts=state.pts, qts=state.qts, date=state.date),
            )
        case _:
            date = getattr(answer, "date", since.date)
            return Piece(updates=(), users={}, marks=Marks(pts=since.pts, qts=since.qts, date=date))
