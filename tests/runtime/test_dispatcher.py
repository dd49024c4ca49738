"""Within a chat one after another, chats in parallel, bounded, and nothing stops a queue."""

import asyncio

import pytest

from engine.runtime.activity import Activity
from engine.runtime.dispatcher import Dispatcher, Stopped
from engine.runtime.ports import Envelope


def envelope(chat: str, what: object) -> Envelope:
    return Envelope(chat=chat, update=None, what=what)


class Handler:
    def __init__(self) -> None:
        self.log: list[tuple[str, object]] = []
        self.failed: list[object] = []
        self.active: dict[str, int] = {}
        self.most = 0

    async def handle(self, item: Envelope) -> None:
        self.active[item.chat] = self.active.get(item.chat, 0) + 1
        assert self.active[item.chat] == 1, "two at once in one chat"
        self.most = max(self.most, sum(self.active.values()))
        await asyncio.sleep(0.002)
        self.active[item.chat] -= 1
        if item.what == "bad":
            raise ValueError("broken")
        self.log.append((item.chat, item.what))

    async def apologise(self, item: Envelope) -> None:
        self.failed.append(item.what)
        raise RuntimeError("even that fails")


async def test_order_within_a_chat_and_chats_in_parallel():
    handler = Handler()
    dispatcher = Dispatcher(handler.handle, handler.apologise, Activity())
    await asyncio.gather(*(dispatcher.post(envelope(c, n)) for n in range(10) for c in "abc"))
    for chat in "abc":
        assert [what for name, what in handler.log if name == chat] == list(range(10))
    assert handler.most == 3
    assert dispatcher._lanes == {}


async def test_a_failing_handler_does_not_stop_the_queue():
    handler = Handler()
    dispatcher = Dispatcher(handler.handle, handler.apologise, Activity())
    results = await asyncio.gather(*(dispatcher.post(envelope("a", what)) for what in (1, "bad", 2)))
    assert results == [True, False, True]
    assert handler.failed == ["bad"]
    assert [what for _, what in handler.log] == [1, 2]


async def test_the_number_of_chats_at_once_and_the_queue_are_bounded():
    handler = Handler()
    dispatcher = Dispatcher(handler.handle, handler.apologise, Activity(), lane=2, parallel=2)
    posts = [asyncio.create_task(dispatcher.post(envelope(f"c{n % 5}", n))) for n in range(25)]
    await asyncio.sleep(0)
    assert all(len(lane.queue) <= 2 for lane in dispatcher._lanes.values())
    await asyncio.gather(*posts)
    assert len(handler.log) == 25
    assert handler.most == 2
    assert [what for name, what in handler.log if name == "c1"] == [1, 6, 11, 16, 21]


async def test_stopping_drains_and_takes_nothing_more():
    handler = Handler()
    activity = Activity()
    dispatcher = Dispatcher(handler.handle, handler.apologise, activity)
    posts = [asyncio.create_task(dispatcher.post(envelope("a", n))) for n in range(5)]
    await asyncio.sleep(0)
    await dispatcher.stop()
    assert len(handler.log) == 5
    with pytest.raises(Stopped):
        await dispatcher.post(envelope("a", 6))
    await asyncio.gather(*posts)
    assert activity.count == 0


async def test_a_caller_that_gives_up_does_not_take_the_event_back():
    handler = Handler()
    dispatcher = Dispatcher(handler.handle, handler.apologise, Activity())
    post = asyncio.create_task(dispatcher.post(envelope("a", 1)))
    await asyncio.sleep(0)
    post.cancel()
    await asyncio.gather(post, return_exceptions=True)
    assert await dispatcher.post(envelope("a", 2))
    assert [what for _, what in handler.log] == [1, 2]
