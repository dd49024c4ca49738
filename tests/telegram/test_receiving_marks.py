"""The order of updates by their numbers."""

import random
from typing import Any

import pytest
from pyrogram import raw

from engine.channels.telegram.marks import Marks, Order, numbers_of, read, written

T = raw.types


def order(pts: int = 10) -> Order[str]:
    made: Order[str] = Order()
    assert made.jump(pts) == []
    return made


def test_in_order() -> None:
    given = order()
    assert given.place(11, 1, "a") == ["a"]
    assert given.place(13, 2, "b") == ["b"]
    assert given.pts == 13
    assert not given.holding


def test_a_gap_holds_until_it_is_closed() -> None:
    given = order()
    assert given.place(12, 1, "b") == []
    assert given.place(13, 1, "c") == []
    assert given.holding
    assert given.place(11, 1, "a") == ["a", "b", "c"]
    assert given.pts == 13


def test_before_the_first_jump_everything_is_held() -> None:
    given: Order[str] = Order()
    assert given.place(11, 1, "b") == []
    assert given.place(10, 1, "a") == []
    assert given.jump(9) == ["a", "b"]


def test_known_ones_are_given_at_once_and_do_not_turn_it_back() -> None:
    given = order()
    assert given.place(4, 1, "old") == ["old"]
    assert given.place(10, 0, "nothing new") == ["nothing new"]
    assert given.pts == 10


def test_jump_over_a_gap_and_back_by_reset() -> None:
    given = order()
    assert given.place(15, 1, "later") == []
    assert given.jump(14) == ["later"]
    assert given.jump(3) == []
    assert given.pts == 15
    assert given.reset(3) == []
    assert given.pts == 3


@pytest.mark.parametrize("seed", range(20))
def test_any_shuffle_comes_out_in_order(seed: int) -> None:
    chance = random.Random(seed)
    numbers = list(range(1, 60))
    chance.shuffle(numbers)
    given: Order[int] = Order()
    given.jump(0)
    assert [item for number in numbers for item in given.place(number, 1, number)] == list(range(1, 60))


@pytest.mark.parametrize(
    ("update", "numbers"),
    [
        (T.UpdateDeleteMessages(messages=[1, 2], pts=5, pts_count=2), (5, 2)),
        (T.messages.AffectedMessages(pts=6, pts_count=1), (6, 1)),
        (T.UpdateDeleteChannelMessages(channel_id=1, messages=[1], pts=5, pts_count=1), None),
        (T.UpdateUserTyping(user_id=1, action=T.SendMessageTypingAction()), None),
        (T.updates.State(pts=5, qts=0, date=1, seq=0, unread_count=0), None),
        (None, None),
    ],
)
def test_numbers_of(update: Any, numbers: Any) -> None:
    assert numbers_of(update) == numbers


def test_marks_are_kept_as_text() -> None:
    marks = Marks(pts=5, qts=1, date=77)
    assert read(written(marks)) == marks
    for damaged in (None, "", "{}", "[]", '{"pts":"x"}'):
        assert read(damaged) is None
