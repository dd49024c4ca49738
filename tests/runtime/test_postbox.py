"""Letters on their way into a store that fails, or that refuses one of them."""

import asyncio
from collections.abc import Sequence

import pytest

import engine.runtime.postbox as boxes
from engine.runtime.dispatcher import Stopped
from engine.runtime.postbox import Postbox
from engine.runtime.sharing import NewLetter
from storage.errors import StoreError, StoreUnavailable


class Table:
    """Takes letters after so many failures; refuses those of a bad chat."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.written: list[str] = []

    async def post(self, letters: Sequence[NewLetter]) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("nobody answers")
        if any(letter.chat == "bad" for letter in letters):
            raise StoreError("it cannot be written")
        self.written += [letter.update for letter in letters]


def letter(number: int, chat: str = "good") -> NewLetter:
    return NewLetter(chat=chat, update=str(number), payload=b"{}")


def box(table: Table) -> Postbox:
    return Postbox(table)  # type: ignore[arg-type]


async def test_letters_wait_for_a_store_that_fails_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "PAUSE", 0.001)
    table = Table(failures=20)
    postbox = box(table)
    posted = []
    for number in range(30):
        posted.append(asyncio.create_task(postbox.post(letter(number))))
        await asyncio.sleep(0.001)
    await asyncio.gather(*posted)
    assert table.written == [str(number) for number in range(30)]


async def test_one_that_no_store_takes_keeps_no_other_out() -> None:
    table = Table()
    postbox = box(table)
    chats = ["good", "good", "bad", "good"]
    done = await asyncio.gather(
        *(postbox.post(letter(number, chat)) for number, chat in enumerate(chats)), return_exceptions=True
    )
    assert [type(one) for one in done] == [type(None), type(None), StoreError, type(None)]
    assert table.written == ["0", "1", "3"]


async def test_whoever_stops_is_not_kept_waiting() -> None:
    table = Table(failures=1_000_000)
    postbox = box(table)
    posting = asyncio.create_task(postbox.post(letter(1)))
    await asyncio.sleep(0.01)
    postbox.stop()
    with pytest.raises(Stopped):
        await asyncio.wait_for(posting, 1)
    with pytest.raises(Stopped):
        await asyncio.wait_for(postbox.post(letter(2)), 1)
