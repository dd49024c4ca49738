"""Messages reach a chat in order; a chat that cannot be reached keeps no other waiting."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.core.effects import Say, Show
from engine.runtime.activity import Activity
from engine.runtime.clock import ManualClock
from engine.runtime.delivery import Deliveries
from engine.runtime.outbox import compose, decode

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Line:
    def __init__(self) -> None:
        self.down: set[str] = set()
        self.out: list[tuple[str, str]] = []

    async def deliver(self, outgoing) -> None:
        await asyncio.sleep(0)
        if outgoing.chat in self.down:
            raise ConnectionError
        self.out.append((outgoing.chat, decode(outgoing).effect.text))


class Noted:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.broken = False

    async def delivered(self, outbox) -> None:
        if self.broken:
            raise OSError("full")
        self.ids += outbox


def rows(chat: str, *texts: str, start: int = 1):
    return [
        compose(Say(text=text), chat=chat, sequence=n, conversation=None, at=AT)
        for n, text in enumerate(texts, start=start)
    ]


def assembled():
    line, noted, clock, activity = Line(), Noted(), ManualClock(AT), Activity()
    deliveries = Deliveries(channel=line, store=noted, clock=clock, activity=activity, unwritten=lambda: None)
    return line, noted, clock, activity, deliveries


async def test_order_and_writing_down():
    line, noted, _, activity, deliveries = assembled()
    deliveries.add(rows("a", "1", "2", "3"))
    deliveries.add(rows("b", "x"))
    await activity.quiet()
    assert [text for chat, text in line.out if chat == "a"] == ["1", "2", "3"]
    assert deliveries.take_delivered("a") == ("a#1", "a#2", "a#3")
    deliveries.give_back("a", ("a#1", "a#2", "a#3"))
    await deliveries.flush()
    assert sorted(noted.ids) == ["a#1", "a#2", "a#3", "b#1"]
    assert deliveries.take_delivered("a") == ()


async def test_somebody_is_told_once_that_there_is_something_to_write_down():
    told: list[None] = []
    activity = Activity()
    deliveries = Deliveries(
        channel=Line(), store=Noted(), clock=ManualClock(AT), activity=activity, unwritten=lambda: told.append(None)
    )
    for start in (1, 2):
        deliveries.add(rows("a", "x", start=start) + rows("b", "x", start=start))
        await activity.quiet()
    assert len(told) == 1
    await deliveries.flush()
    deliveries.add(rows("a", "x", start=3))
    await activity.quiet()
    assert len(told) == 2


async def test_a_chat_that_fails_waits_alone_and_longer_each_time():
    line, _, clock, activity, deliveries = assembled()
    line.down = {"a"}
    deliveries.add(rows("a", "1", "2") + rows("b", "x"))
    await activity.quiet()
    assert line.out == [("b", "x")]
    assert deliveries.waiting == 2
    clock.advance(0.5)
    await asyncio.sleep(0)
    await activity.quiet()
    assert deliveries.waiting == 2
    line.down = set()
    clock.advance(0.9)
    await asyncio.sleep(0)
    await activity.quiet()
    assert deliveries.waiting == 2, "the second pause is a second long"
    clock.advance(0.1)
    await asyncio.sleep(0)
    await activity.quiet()
    assert line.out[1:] == [("a", "1"), ("a", "2")]


async def test_ids_that_could_not_be_written_down_are_kept():
    _, noted, _, activity, deliveries = assembled()
    noted.broken = True
    deliveries.add(rows("a", "1"))
    await activity.quiet()
    await deliveries.flush()
    noted.broken = False
    await deliveries.flush()
    assert noted.ids == ["a#1"]


async def test_stopping_leaves_the_unreachable_and_notes_the_rest():
    line, noted, _, activity, deliveries = assembled()
    line.down = {"a"}
    deliveries.add(rows("a", "1") + rows("b", "x"))
    await activity.quiet()
    await deliveries.stop()
    assert noted.ids == ["b#1"]
    assert activity.count == 0


async def test_all_chats_are_written_down_at_once():
    _, noted, _, activity, deliveries = assembled()
    writes = []

    async def delivered(outbox) -> None:
        writes.append(list(outbox))

    noted.delivered = delivered
    deliveries.add([row for chat in "abc" for row in rows(chat, "1", "2")])
    await activity.quiet()
    await deliveries.flush()
    assert writes == [["a#1", "a#2", "b#1", "b#2", "c#1", "c#2"]]
    assert deliveries._lanes == {}


async def test_ids_are_kept_when_writing_them_down_is_cut():
    _, noted, _, activity, deliveries = assembled()

    async def delivered(outbox) -> None:
        await asyncio.Event().wait()

    noted.delivered = delivered
    deliveries.add(rows("a", "1"))
    await activity.quiet()
    flushing = asyncio.create_task(deliveries.flush())
    await asyncio.sleep(0)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert deliveries.take_delivered("a") == ("a#1",)


def drawn(sequence: int, *, visit: int = 1, edit: bool = True, reply: str | None = None, at: datetime = AT):
    show = Show(visit=visit, draw=sequence, text=f"{visit}.{sequence}", edit=edit)
    return compose(show, chat="a", sequence=sequence, conversation="c", at=at, reply_to=reply)


async def test_a_redraw_that_waits_is_left_out_when_a_younger_one_comes():
    line, noted, clock, activity, deliveries = assembled()
    line.down = {"a"}
    deliveries.add([drawn(1, edit=False)], fresh=True)
    await activity.quiet()
    for number in range(2, 1000):
        deliveries.add([drawn(number)], fresh=True)
    assert deliveries.waiting == 2, "the question itself may be under way; of the redraws the last one is left"
    assert deliveries.take_delivered("a") == tuple(f"a#{number}" for number in range(2, 999))
    line.down = set()
    clock.advance(60)
    await asyncio.sleep(0)
    await activity.quiet()
    assert [text for _, text in line.out] == ["1.1", "1.999"]
    assert deliveries.take_delivered("a") == ("a#1", "a#999")
    assert noted.ids == []


async def test_nothing_else_is_left_out_and_the_order_stays():
    line, _, clock, activity, deliveries = assembled()
    line.down = {"a"}
    deliveries.add([drawn(1)], fresh=True)
    await activity.quiet()
    kept = [
        drawn(2),  # the first one may be under way
        drawn(3, visit=2),  # another question
        rows("a", "hello", start=4)[0],
        drawn(5, edit=False),  # a new message
        drawn(6, reply="u1"),  # answers a press
        drawn(7, visit=2),
        drawn(8),
    ]
    for row in kept:
        deliveries.add([row], fresh=True)
    assert deliveries.take_delivered("a") == ("a#3", "a#2")
    line.down = set()
    clock.advance(60)
    await asyncio.sleep(0)
    await activity.quiet()
    assert [text for _, text in line.out] == ["1.1", "hello", "1.5", "1.6", "2.7", "1.8"]


async def test_what_another_life_may_have_tried_is_not_left_out():
    line, _, _, activity, deliveries = assembled()
    line.down = {"a"}
    deliveries.add([drawn(1), drawn(2), drawn(3)])
    await activity.quiet()
    deliveries.add([drawn(4)], fresh=True)
    deliveries.add([drawn(5)], fresh=True)
    assert deliveries.take_delivered("a") == ("a#4",)
    assert deliveries.waiting == 4


async def test_a_redraw_under_way_is_not_left_out():
    line, _, _, activity, deliveries = assembled()
    going, gone = asyncio.Event(), asyncio.Event()

    async def slow(row) -> None:
        going.set()
        await gone.wait()
        line.out.append((row.chat, decode(row).effect.text))

    line.deliver = slow
    deliveries.add([drawn(1), drawn(2)], fresh=True)
    await going.wait()
    deliveries.add([drawn(3)], fresh=True)
    gone.set()
    await activity.quiet()
    assert [text for _, text in line.out] == ["1.1", "1.3"]
    assert sorted(deliveries.take_delivered("a")) == ["a#1", "a#2", "a#3"]


async def test_a_damaged_row_is_no_redraw():
    line, _, clock, activity, deliveries = assembled()
    line.down = {"a"}
    deliveries.add([drawn(1)], fresh=True)
    await activity.quiet()
    for number in (2, 3):
        deliveries.add([replace(drawn(number), payload=b"{")], fresh=True)
    assert deliveries.waiting == 3
    line.down = set()
    clock.advance(60)
    await asyncio.sleep(0)
    await activity.quiet()
    assert deliveries.waiting == 0


async def test_what_the_store_has_given_up_is_not_tried_any_more():
    line, _, _, activity, deliveries = assembled()
    line.down = {"a"}
    young = AT + timedelta(days=2)
    deliveries.add(rows("a", "1", "2", "3"))
    deliveries.add([drawn(4, at=young)])
    await activity.quiet()
    deliveries.forget(AT + timedelta(days=1))
    assert deliveries.waiting == 2, "the head may be under way; the young one stays"
    deliveries.forget(AT)
    assert deliveries.waiting == 2


class Counted(Line):
    """Counts the attempts for each chat."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[str] = []

    async def deliver(self, outgoing) -> None:
        self.attempts.append(outgoing.chat)
        await super().deliver(outgoing)


def worn_out(*chats: str):
    """Chats that have failed for so long that the next attempt is a minute away."""
    line, clock, activity = Counted(), ManualClock(AT), Activity()
    deliveries = Deliveries(channel=line, store=Noted(), clock=clock, activity=activity, unwritten=lambda: None)
    line.down = set(chats)
    for chat in chats:
        deliveries.add(rows(chat, "1", "2", "3"))
    return line, clock, activity, deliveries


async def turned(clock: ManualClock, activity: Activity, seconds: float) -> None:
    clock.advance(seconds)
    await asyncio.sleep(0)
    await activity.quiet()


async def test_when_the_channel_stands_again_nobody_waits_for_the_next_attempt():
    line, clock, activity, deliveries = worn_out("a", "b")
    for _ in range(10):
        await turned(clock, activity, 60)
    line.down, line.attempts = set(), []
    await turned(clock, activity, 0)
    assert line.out == []
    deliveries.again()
    await activity.quiet()
    assert [text for chat, text in line.out if chat == "a"] == ["1", "2", "3"]
    assert [text for chat, text in line.out if chat == "b"] == ["1", "2", "3"]
    assert deliveries.waiting == 0
    assert activity.count == 0


async def test_standing_again_is_one_attempt_for_each_chat_and_pauses_grow_anew():
    line, clock, activity, deliveries = worn_out("a", "b")
    for _ in range(10):
        await turned(clock, activity, 60)
    line.attempts = []
    for _ in range(3):
        deliveries.again()  # a line that flickers
    await activity.quiet()
    assert sorted(line.attempts) == ["a", "b"]
    for pause in (0.5, 1.0, 2.0):
        line.attempts = []
        await turned(clock, activity, pause - 0.01)
        assert line.attempts == []
        await turned(clock, activity, 0.01)
        assert sorted(line.attempts) == ["a", "b"]
    await deliveries.stop()
    assert activity.count == 0


async def test_an_attempt_that_fails_late_does_not_wait_a_minute_after_the_channel_stands_again():
    line, clock, activity, deliveries = worn_out("a")
    for _ in range(10):
        await turned(clock, activity, 60)
    asked, fail = asyncio.Event(), asyncio.Event()
    deliver = line.deliver

    async def hangs(outgoing) -> None:
        asked.set()
        await fail.wait()
        raise ConnectionError

    line.deliver = hangs
    clock.advance(60)
    await asked.wait()
    deliveries.again()
    line.deliver, line.down = deliver, set()
    fail.set()
    await activity.quiet()
    await turned(clock, activity, 0.5)
    assert [text for _, text in line.out] == ["1", "2", "3"]


async def test_standing_again_while_it_stops_or_with_nothing_waiting_does_nothing():
    _, _, activity, deliveries = worn_out("a")
    deliveries.again()
    await activity.quiet()
    deliveries.again()
    await deliveries.stop()
    deliveries.again()
    assert deliveries.waiting == 3
    assert activity.count == 0
