"""Messages reach a chat in order; a chat that cannot be reached keeps no other waiting."""

import asyncio
from datetime import UTC, datetime

from engine.core.effects import Say
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
