"""Commits gather while one is written; one that cannot be written takes no other with it."""

import asyncio
from datetime import UTC, datetime

import pytest

from engine.core.records import replaced
from engine.runtime.committer import Committer
from engine.runtime.ports import AlreadySeen, Chat, Commit, Overtaken, StoreFailed
from storage.batch import already_handled

AT = datetime(2026, 1, 1, tzinfo=UTC)


def commit(name: str, update: str | None = None) -> Commit:
    return Commit(chat=Chat(id=name, revision=1), seen=(update,) if update else (), at=AT)


class Recorder:
    """A store's `commit` with faults; all or nothing, as the real one."""

    def __init__(self, faults: dict[str, Exception] | None = None) -> None:
        self.faults = faults or {}
        self.batches: list[list[str]] = []
        self.written: list[str] = []

    async def commit(self, commits) -> None:
        names = [item.chat.id for item in commits]
        self.batches.append(names)
        await asyncio.sleep(0.001)
        for name in names:
            if name in self.faults:
                raise self.faults[name]
        self.written += names


async def test_a_lone_commit_does_not_wait_and_others_gather_meanwhile():
    store = Recorder()
    committer = Committer(store)
    await asyncio.gather(*(committer.submit(commit(f"c{n}")) for n in range(5)))
    assert store.batches[0] == ["c0", "c1", "c2", "c3", "c4"] or store.batches[0] == ["c0"]
    assert sorted(store.written) == [f"c{n}" for n in range(5)]
    first = asyncio.create_task(committer.submit(commit("a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(committer.submit(commit(name))) for name in "bcd"]
    await asyncio.gather(first, *rest)
    assert store.batches[-2:] == [["a"], ["b", "c", "d"]]


async def test_a_batch_has_a_bound():
    store = Recorder()
    committer = Committer(store, batch=2)
    await asyncio.gather(*(committer.submit(commit(f"c{n}")) for n in range(5)))
    assert max(map(len, store.batches)) == 2


def named(kind: type[Exception], **attributes: str) -> Exception:
    error = kind("no")
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    "fault",
    [
        named(AlreadySeen, update="u-bad"),
        named(Overtaken, conversation="bad"),
        Overtaken("who knows"),
        OSError("disk trouble with one of them"),
    ],
)
async def test_the_offender_fails_alone(fault):
    store = Recorder({"bad": fault})
    committer = Committer(store)
    names = ["a", "bad", "b", "c"]
    results = await asyncio.gather(
        *(committer.submit(commit(name, f"u-{name}")) for name in names), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), type(fault), type(None), type(None)]
    assert sorted(store.written) == ["a", "b", "c"]


async def test_two_offenders_fail_and_the_rest_is_written():
    store = Recorder({"x": named(AlreadySeen, update="u-x"), "y": named(Overtaken, conversation="y")})
    committer = Committer(store)
    results = await asyncio.gather(
        *(committer.submit(commit(name, f"u-{name}")) for name in "axyb"), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), AlreadySeen, Overtaken, type(None)]
    assert sorted(store.written) == ["a", "b"]


async def test_a_cancelled_caller_does_not_take_the_commit_back():
    store = Recorder()
    committer = Committer(store)
    task = asyncio.create_task(committer.submit(commit("a")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await committer.close()
    assert store.written == ["a"]


async def test_an_overtaken_chat_is_taken_out_by_its_name():
    store = Recorder({"b": Overtaken("x", chat="b")})
    committer = Committer(store)
    results = await asyncio.gather(*(committer.submit(commit(name)) for name in "abcd"), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Overtaken, type(None), type(None)]
    assert store.batches == [["a", "b", "c", "d"], ["a", "c", "d"]]


@pytest.mark.parametrize(
    ("field", "row", "called"),
    [
        ("fired_timers", ("c1", 3, "timeout"), "timer"),
        ("finished_calls", ("c1", "3.do.1"), "call"),
        ("taken_signals", 7, "signal"),
        ("letters", 9, "letter"),
    ],
)
async def test_who_handles_what_was_handled_before_is_taken_out_by_its_row(field, row, called):
    gone = already_handled(called, row if isinstance(row, tuple) else (row,))
    store = Recorder({"b": gone})
    committer = Committer(store)
    bad = replaced(commit("b"), **{field: (row,)})
    results = await asyncio.gather(
        *(committer.submit(one) for one in (commit("a"), bad, commit("c"))), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), AlreadySeen, type(None)]
    assert store.batches == [["a", "b", "c"], ["a", "c"]]


async def test_a_store_that_is_away_is_not_asked_once_for_each():
    store = Recorder({name: StoreFailed("away") for name in "abcd"})
    committer = Committer(store)
    results = await asyncio.gather(*(committer.submit(commit(name)) for name in "abcd"), return_exceptions=True)
    assert [type(result) for result in results] == [StoreFailed] * 4
    assert store.batches == [["a", "b", "c", "d"], ["a"]]
