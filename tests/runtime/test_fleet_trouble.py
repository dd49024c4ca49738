"""Several workers when things go wrong: a database that is away for a while, a worker that was away itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import engine.runtime.fleet as fleets
from engine.app import App
from engine.core.events import TextReceived
from engine.runtime.fleet import Fleet as Worker
from engine.runtime.ports import Envelope
from engine.runtime.routing import Command
from engine.runtime.sharing import Letter, Standing, bucket_of
from storage.errors import StoreError
from tests.runtime.test_fleet import CHATS, Fleet

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
async def fleet(tmp_path: Path, database_url: str) -> AsyncIterator[Fleet]:
    made = Fleet(tmp_path, database_url)
    yield made
    for app in reversed(made.apps):
        await app.stop()


async def two(fleet: Fleet) -> tuple[App, App, str]:
    """Two workers, and a chat of the second one."""
    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    return first, second, next(chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second))


async def test_what_a_worker_cannot_write_down_is_handled_later_and_in_order(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "REST", timedelta(seconds=1))
    _, second, chat = await two(fleet)
    monkeypatch.setattr(second.runtime._executor, "_pauses", ())  # it gives up at once
    refused = asyncio.Event()

    async def away(*_: object) -> None:
        refused.set()
        raise StoreError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(second.store, "commit", away)
        await fleet.says(chat, Command(name="order"))
        await refused.wait()
        await asyncio.sleep(0.1)
    # this one could be written down already, but it is not the first
    await fleet.types(chat, "Anna")
    await fleet.until(lambda: len(fleet.screen.texts(chat)) >= 2)
    assert fleet.screen.texts(chat) == ["Name?", "Colour?"]


async def test_what_was_typed_at_a_worker_that_had_been_away_stays_in_order(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, chat = await two(fleet)
    await fleet.says(chat, Command(name="order"))
    await fleet.types(chat, "Anna")
    await fleet.until(lambda: len(fleet.screen.texts(chat)) >= 2)
    stale = second.runtime._fleet
    assert stale is not None
    assert stale._beating is not None
    stale._beating.cancel()  # it beats no more and believes that all is as it was
    monkeypatch.setattr(stale, "_heard", lambda *_: None)
    second.store.sharing.listen(lambda *_: None)  # type: ignore[union-attr]
    await fleet.until(lambda: len(fleet.buckets(first)) == 256)
    handled: list[str] = []
    real = first.runtime._executor.handle

    async def noted(envelope: Envelope) -> bool:
        fresh = await real(envelope)
        if fresh and isinstance(envelope.what, TextReceived):
            handled.append(envelope.what.text)
        return fresh

    monkeypatch.setattr(first.runtime._executor, "handle", noted)
    texts = [f"colour {number}" for number in range(60)]
    typing = []
    for text in texts:
        event = TextReceived(at=AT, text=text)
        typing.append(asyncio.create_task(fleet.says(chat, event, app=second)))
        await asyncio.sleep(0.002)
    await asyncio.gather(*typing)
    await fleet.until(lambda: len(handled) >= len(texts))
    assert handled == texts


async def test_timers_and_signals_of_another_worker_s_chat_are_not_said_to_be_done(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    first, _, chat = await two(fleet)
    await fleet.says(chat, Command(name="order"))
    await fleet.until(lambda: bool(fleet.screen.texts(chat)))
    (conversation,) = await first.store.conversations(chat)
    with caplog.at_level(logging.WARNING):
        assert not await first.runtime.tell(conversation.id, "packed", {})
        assert not await first.runtime.fire(conversation.id, 0, "expires")
    assert not [record for record in caplog.records if record.exc_info]


class Table:
    """A share of a database that answers what a test says."""

    worker = "w"

    def __init__(self, *, buckets: int = 256, fair: int = 256, workers: int = 1) -> None:
        self.standing = Standing(buckets=frozenset(range(buckets)), fair=fair, workers=workers, leader=True)
        self.beats = 0
        self.away = False

    async def beat(self) -> Standing:
        self.beats += 1
        if self.away:
            raise StoreError("nobody answers at 127.0.0.1.")
        return self.standing

    async def letters(self, buckets: Collection[int], after: int = 0, limit: int = 500) -> Sequence[Letter]:
        return ()

    async def leave(self) -> None:
        if self.away:
            raise StoreError("nobody answers at 127.0.0.1.")

    def listen(self, heard: object) -> None:
        pass


class Hands:
    """Takes over what it can."""

    def __init__(self) -> None:
        self.away = 0
        self.taken: list[frozenset[int]] = []

    async def take_over(self, buckets: Collection[int]) -> None:
        if self.away:
            self.away -= 1
            raise StoreError("nobody answers at 127.0.0.1.")
        self.taken.append(frozenset(buckets))

    async def outbox(self, chats: Sequence[str]) -> None:
        pass

    def busy(self) -> Collection[str]:
        return ()

    def cut(self, buckets: Collection[int]) -> None:
        pass

    def forget(self, buckets: Collection[int]) -> None:
        pass


class Clock:
    def now(self) -> datetime:
        return AT


def worker(table: Table, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr(fleets, "BEAT", 0.01)
    parts: dict[str, Any] = {"sharing": table, "hands": hands, "clock": Clock(), "ids": None}
    return Worker(**parts)


async def beats(table: Table, number: int) -> None:
    until = table.beats + number
    async with asyncio.timeout(10):
        while table.beats < until:
            await asyncio.sleep(0.005)


async def test_a_database_that_stays_away_is_told_a_few_times_and_its_return_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table, hands = Table(), Hands()
    one = worker(table, hands, monkeypatch)
    await one.start()
    with caplog.at_level(logging.WARNING):
        table.away = True
        await beats(table, 60)
        table.away = False
        await beats(table, 3)
    await one.drain()
    await one.leave()
    told = [record.getMessage() for record in caplog.records]
    assert 2 <= len(told) <= 4, told
    assert "nobody answers" in told[0]
    assert "answers again" in told[-1]


async def test_a_take_over_that_failed_is_done_by_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    table, hands = Table(), Hands()
    hands.away = 2
    one = worker(table, hands, monkeypatch)
    with pytest.raises(StoreError):
        await one.start()
    with pytest.raises(StoreError):
        await one._beat()
    await one._beat()
    assert hands.taken == [table.standing.buckets]
    assert one._open == table.standing.buckets


async def test_less_than_a_fair_share_for_good_is_not_asked_about_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # three workers: 86, 86 and 84, whatever happens
    monkeypatch.setattr(fleets, "PATIENCE", 0.05)
    table, hands = Table(buckets=84, fair=86, workers=3), Hands()
    one = worker(table, hands, monkeypatch)
    await one.start()
    assert one._waits
    await asyncio.sleep(0.06)
    await one._beat()
    assert not one._waits
    await one.drain()
    await one.leave()


async def test_a_worker_ends_in_good_order_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table()
    one = worker(table, Hands(), monkeypatch)
    await one.start()
    await one.drain()
    table.away = True
    with caplog.at_level(logging.WARNING):
        await one.leave()
    assert "they notice in seconds" in caplog.messages[-1]
