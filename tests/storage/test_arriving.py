"""Signals that come at the same time share a transaction; one that cannot be written takes no other with it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.runtime.ports import NewSignal
from storage import arriving
from storage.errors import StoreBusy
from storage.sqlite_store import SqliteStore

AT = datetime(2026, 1, 1, tzinfo=UTC)
PAID = NewSignal(update="s0", flow="shop", key="P-1", name="paid", payload=b"{}", at=AT)


def signal(number: int) -> NewSignal:
    return replace(PAID, update=f"s{number}")


@pytest.fixture
async def store(tmp_path: Path):
    made = SqliteStore(tmp_path / "s.db")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def batches(monkeypatch) -> list[int]:
    """How many signals each transaction was to write."""
    sizes: list[int] = []
    add = arriving._add

    def noted(connection, signals):
        sizes.append(len(signals))
        return add(connection, signals)

    monkeypatch.setattr(arriving, "_add", noted)
    return sizes


async def test_those_that_come_together_share_a_transaction_and_each_hears_its_own_verdict(store, batches):
    kept = await asyncio.gather(*(store.keep_signal(signal(number % 8)) for number in range(12)))
    assert kept == [True] * 8 + [False] * 4
    assert sum(batches) == 12
    assert len(batches) <= 2
    assert [row.update for row in await store.signals("shop", "P-1")] == [f"s{number}" for number in range(8)]


async def test_one_that_cannot_be_written_takes_no_other_with_it(store):
    came = await asyncio.gather(
        store.keep_signal(signal(1)),
        store.keep_signal(replace(PAID, update="bad", key="half a pair: \ud800")),
        store.keep_signal(signal(2)),
        return_exceptions=True,
    )
    assert came[0] is True
    assert isinstance(came[1], UnicodeEncodeError)
    assert came[2] is True
    assert len(await store.signals("shop", "P-1")) == 2


async def test_a_store_that_fails_says_so_to_all_and_takes_none(store, monkeypatch):
    def busy(connection, signals):
        raise StoreBusy("locked")

    with monkeypatch.context() as patched:
        patched.setattr(arriving, "_add", busy)
        came = await asyncio.gather(*(store.keep_signal(signal(number)) for number in range(3)), return_exceptions=True)
    assert [type(one) for one in came] == [StoreBusy] * 3
    assert await store.signals("shop", "P-1") == ()
    assert await store.keep_signal(signal(0))


async def test_a_cancelled_one_leaves_the_others_their_verdict(store):
    tasks = [asyncio.create_task(store.keep_signal(signal(number))) for number in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[0].cancel()
    came = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(came[0], asyncio.CancelledError)
    assert came[1:] == [True] * 3
    assert {row.update for row in await store.signals("shop", "P-1")} >= {"s1", "s2", "s3"}
