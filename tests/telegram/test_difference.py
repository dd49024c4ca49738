"""What was missed, piece by piece: every kind of answer to `updates.getDifference`. No network."""

from collections.abc import Iterable
from typing import Any

import pytest
from pyrogram import raw
from pyrogram.errors import BadRequest, RPCError

from engine.channels.telegram.difference import Piece, missed, present
from engine.channels.telegram.marks import Marks

T, U, F = raw.types, raw.types.updates, raw.functions.updates


class Forgotten(BadRequest):
    ID = "PERSISTENT_TIMESTAMP_INVALID"
    MESSAGE = "forgotten"


class Denied(BadRequest):
    ID = "USER_DEACTIVATED"
    MESSAGE = "denied"


class Server:
    """Answers in the order given; remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    async def __call__(self, query: Any) -> Any:
        self.asked.append(query)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pieces(self, since: Marks) -> list[Piece]:
        return [piece async for piece in missed(self, since)]


def state(pts: int) -> Any:
    return U.State(pts=pts, qts=3, date=50, seq=0, unread_count=0)


def message(number: int) -> Any:
    return T.Message(id=number, peer_id=T.PeerUser(user_id=42), date=1, message=f"m{number}")


def parts(numbers: Iterable[int], others: Iterable[Any] = ()) -> dict[str, Any]:
    return {
        "new_messages": [message(number) for number in numbers],
        "new_encrypted_messages": [],
        "other_updates": list(others),
        "chats": [],
        "users": [T.User(id=42, first_name="Anna")],
    }


async def test_nothing_was_missed() -> None:
    server = Server(U.DifferenceEmpty(date=60, seq=0))
    (piece,) = await server.pieces(Marks(pts=5, qts=1, date=2))
    assert piece == Piece(updates=(), users={}, marks=Marks(pts=5, qts=1, date=60))
    assert (server.asked[0].pts, server.asked[0].qts, server.asked[0].date) == (5, 1, 2)


async def test_messages_come_in_the_order_of_their_numbers() -> None:
    edited = T.UpdateDeleteMessages(messages=[1], pts=9, pts_count=1)
    server = Server(U.Difference(**parts([3, 1, 2], [edited]), state=state(9)))
    (piece,) = await server.pieces(Marks(pts=5))
    assert [update.id for update in piece.updates[:3]] == [1, 2, 3]
    assert piece.updates[3] is edited
    assert piece.users[42].first_name == "Anna"
    assert piece.marks == Marks(pts=9, qts=3, date=50)


async def test_slices_are_asked_for_one_after_the_other() -> None:
    server = Server(
        U.DifferenceSlice(**parts([1, 2]), intermediate_state=state(7)),
        U.DifferenceSlice(**parts([3]), intermediate_state=state(8)),
        U.Difference(**parts([4]), state=state(9)),
    )
    pieces = await server.pieces(Marks(pts=5))
    assert [[update.id for update in piece.updates] for piece in pieces] == [[1, 2], [3], [4]]
    assert [query.pts for query in server.asked] == [5, 7, 8]


async def test_a_piece_is_asked_for_only_when_the_one_before_was_taken() -> None:
    server = Server(U.DifferenceSlice(**parts([1]), intermediate_state=state(7)))
    stream = missed(server, Marks(pts=5))
    assert (await anext(stream)).marks.pts == 7
    assert len(server.asked) == 1
    await stream.aclose()  # type: ignore[attr-defined]


async def test_too_long_goes_on_from_its_number(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(U.DifferenceTooLong(pts=100), U.Difference(**parts([9]), state=state(101)))
    pieces = await server.pieces(Marks(pts=5))
    assert [piece.marks.pts for piece in pieces] == [100, 101]
    assert [query.pts for query in server.asked] == [5, 100]
    assert "6 to 100" in caplog.text


async def test_an_answer_that_leads_nowhere_ends_it() -> None:
    server = Server(U.DifferenceTooLong(pts=5))
    assert len(await server.pieces(Marks(pts=5))) == 1
    server = Server(U.DifferenceSlice(**parts([]), intermediate_state=state(5)))
    assert len(await server.pieces(Marks(pts=5))) == 1


async def test_marks_that_nobody_knows_are_replaced() -> None:
    server = Server(Forgotten(), state(3))
    (piece,) = await server.pieces(Marks(pts=5))
    assert piece.anew
    assert piece.marks.pts == 3


async def test_other_errors_are_raised() -> None:
    with pytest.raises(RPCError):
        await Server(Denied()).pieces(Marks(pts=5))
    with pytest.raises(OSError, match="gone"):
        await Server(OSError("gone")).pieces(Marks(pts=5))


async def test_present() -> None:
    assert await present(Server(state(4))) == Marks(pts=4, qts=3, date=50)
