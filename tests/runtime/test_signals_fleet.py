"""Signals with several workers on one PostgreSQL database: whoever takes one, the worker of its chat delivers it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.runtime.ports import NewSignal
from engine.runtime.routing import Command
from engine.runtime.sending import Sent
from engine.runtime.sharing import bucket_of
from tests.runtime import test_fleet
from tests.runtime.harness import START
from tests.runtime.test_fleet import CHATS, Fleet
from tests.runtime.test_signals import TICKS


@pytest.fixture
async def fleet(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    monkeypatch.setattr(test_fleet, "FLOWS", {"ticks": TICKS})
    made = Fleet(tmp_path, database_url)
    yield made
    for app in reversed(made.apps):
        await app.stop()


async def test_signals_for_the_chats_of_all_workers_come_in_order_and_once(fleet: Fleet, database_url: str) -> None:
    from storage.postgres_store import PostgresStore

    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    theirs = [chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second)]
    assert 0 < len(theirs) < len(CHATS)
    for chat in CHATS:
        assert await first.signal("ticks", chat, "tick", {"n": 0}, update=f"{chat}/0") is Sent.KEPT
    for chat in CHATS:
        await fleet.says(chat, Command(name="ticks"))
        await fleet.types(chat, chat)
    await fleet.until(lambda: all(fleet.screen.texts(chat)[-1:] == ["First 0"] for chat in CHATS))
    for app, number in ((first, 1), (second, 2)):
        sent = await asyncio.gather(
            *(app.signal("ticks", chat, "tick", {"n": number}, update=f"{chat}/{number}") for chat in CHATS)
        )
        assert set(sent) == {Sent.DELIVERED}
        assert await second.signal("ticks", CHATS[0], "tick", {"n": 9}, update=f"{CHATS[0]}/{number}") is Sent.DUPLICATE
    outside = PostgresStore(database_url)
    await outside.open()
    for chat in CHATS:
        row = NewSignal(update=f"{chat}/3", flow="ticks", key=chat, name="tick", payload=b'{"n":3}', at=START)
        assert await outside.keep_signal(row)
    await outside.close()
    for chat in CHATS:
        await fleet.types(chat, "on")
    expected = ["Name?", "First 0", "Then 1", "Then 2", "Then 3"]
    await fleet.until(lambda: all(fleet.screen.texts(chat) == expected for chat in CHATS))
    assert await first.store.signals("ticks", CHATS[0]) == ()
