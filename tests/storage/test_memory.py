"""The memory store keeps the contract."""

from collections.abc import AsyncIterator

import pytest

from storage.due import DueQueue
from storage.memory import MemoryStore
from tests.storage.contract import StoreContract
from tests.storage.samples import Writer, conversation


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    memory = MemoryStore()
    await memory.open()
    yield memory
    await memory.close()


class TestMemoryStore(StoreContract):
    pass


async def test_closing_forgets_everything() -> None:
    memory = MemoryStore()
    await memory.open()
    await memory.commit([Writer().next(conversation())])
    await memory.close()
    await memory.open()
    assert await memory.conversation("c1") is None
    await memory.close()


def test_a_due_queue_stays_small_when_keys_move_for_ever() -> None:
    queue: DueQueue[str] = DueQueue()
    for moment in range(20_000):
        queue.set("a", moment)
        queue.set("b", 50_000 - moment)
    assert len(queue._heap) < 1_100
    assert queue.earliest() == 19_999
    assert queue.until(60_000, 10) == ["a", "b"]
    queue.set("a", None)
    assert queue.until(60_000, 10) == ["b"]
    assert queue.earliest() == 30_001
