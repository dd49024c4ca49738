"""News and what is told with several workers on one PostgreSQL database: in whichever worker's chat it begins, once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.core.codec import dump_data
from engine.runtime.ports import NewSignal
from engine.runtime.routing import Command
from engine.runtime.sharing import bucket_of
from tests.runtime import test_fleet
from tests.runtime.flows import PAY
from tests.runtime.harness import START
from tests.runtime.test_fleet import CHATS, Fleet
from tests.runtime.test_news import PLAIN


@pytest.fixture
async def fleet(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    monkeypatch.setattr(test_fleet, "FLOWS", {"plain": PLAIN, "pay": PAY})
    made = Fleet(tmp_path, database_url)
    yield made
    for app in reversed(made.apps):
        await app.stop()


async def test_everybody_is_told_once_by_the_worker_of_their_chat(fleet: Fleet) -> None:
    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    assert {bucket_of(chat) in fleet.buckets(second) for chat in CHATS} == {True, False}
    for number, app in enumerate((first, second, first)):
        async with app.runtime.beside.works.begin() as work:
            for chat in CHATS:
                work.tell(chat, "plain", word=str(number))
        await fleet.until(lambda n=number: all(len(fleet.screen.texts(chat)) == n + 1 for chat in CHATS))  # type: ignore[misc]
    assert {tuple(fleet.screen.texts(chat)) for chat in CHATS} == {("Told 0", "Told 1", "Told 2")}
    assert await first.store.deliverable_signals() == await second.store.deliverable_signals() == ()


async def test_what_one_workers_conversation_does_not_take_begins_in_a_chat_of_another(fleet: Fleet) -> None:
    first, second = await fleet.worker(), await fleet.worker()
    await fleet.shared_out()
    mine = next(chat for chat in CHATS if bucket_of(chat) in fleet.buckets(first))
    theirs = next(chat for chat in CHATS if bucket_of(chat) in fleet.buckets(second))
    await fleet.says(mine, Command(name="pay"))
    await fleet.types(mine, "77")
    for number in range(3):
        row = NewSignal(
            update=f"n{number}",
            flow="pay",
            key="77",
            name="shipped",
            payload=dump_data({"word": f"w{number}"}),
            at=START,
            chat=theirs,
            otherwise="plain",
        )
        assert await first.store.keep_signal(row)
    first.runtime._signals.poke()
    await fleet.until(lambda: fleet.screen.texts(theirs) == ["Told w0", "Told w1", "Told w2"])
    assert await first.store.signals("pay", "77") == ()
    sharing = second.store.sharing
    assert sharing is not None
    assert await sharing.letters(fleet.buckets(second), limit=10) == ()
