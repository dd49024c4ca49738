"""A trail that is encoded step by step is the same as one encoded at once, whatever way it took."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.core.codec import dump, load
from engine.core.conversation import Conversation, Frame, Past, Visit

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOVES = st.lists(st.sampled_from(("on", "back", "first", "other", "again")), max_size=40)


def conversation(*trails: tuple[Past, ...]) -> Conversation:
    frames = tuple(Frame(flow="f", version="1", visit=Visit(number=1000, step="now"), trail=trail) for trail in trails)
    return Conversation(id="c", chat="t:1", flow="f", frames=frames, started_at=NOON, touched_at=NOON)


def afresh(trail: tuple[Past, ...]) -> tuple[Past, ...]:
    """Equal stays that nobody has seen before."""
    return tuple(msgspec.structs.replace(past) for past in trail)


@given(MOVES)
def test_whatever_way_a_trail_took(moves):
    trail: tuple[Past, ...] = ()
    for number, move in enumerate(moves):
        match move:
            case "on":
                trail = (*trail, Past(number=number, step=f"s{number}", trigger="answered", value=f"v{number}"))
            case "back":
                trail = trail[:-1]
            case "first":  # the longest trails forget their oldest stay
                trail = trail[1:]
            case "other" if trail:
                trail = (*trail[:-1], msgspec.structs.replace(trail[-1], value="edited"))
            case _:
                dump(conversation(trail, trail[: len(trail) // 2]))
        kept = conversation(trail)
        assert dump(kept) == dump(conversation(afresh(trail)))
        assert load(dump(kept)) == kept


def test_two_conversations_that_share_their_first_stay():
    first = Past(number=1, step="s", trigger="answered", value="x")
    ways = [(first, Past(number=2, step=name, trigger="answered", value=name)) for name in ("a", "b")]
    for _ in range(3):
        for way in ways:
            assert load(dump(conversation(way))).top.trail == way


def test_more_conversations_than_are_kept():
    trails = [
        tuple(Past(number=number, step="s", trigger="answered", value=[chat, number]) for number in range(1, 4))
        for chat in range(700)
    ]
    for length in (1, 2, 3):
        for trail in trails:
            found = load(dump(conversation(trail[:length])))
            assert [past.value for past in found.top.trail] == [tuple(past.value) for past in trail[:length]]
