"""Tasks are kept for the next piece of work, and none is left when they are closed."""

import asyncio
from functools import partial

from engine.runtime.workers import Workers


async def test_the_same_task_does_one_piece_after_another():
    workers, tasks = Workers("test"), []

    async def work(done: asyncio.Event) -> None:
        tasks.append(asyncio.current_task())
        done.set()

    for _ in range(3):
        done = asyncio.Event()
        workers.begin(partial(work, done))
        await done.wait()
        await asyncio.sleep(0)
    assert len(set(tasks)) == 1
    assert workers.busy == frozenset()
    workers.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.done() for task in tasks)


async def test_pieces_that_wait_run_side_by_side():
    workers, seen, go = Workers("test"), [], asyncio.Event()

    async def work(number: int) -> None:
        seen.append(number)
        await go.wait()
        seen.append(number)

    for number in range(5):
        workers.begin(partial(work, number))
    await asyncio.sleep(0)
    assert seen == [0, 1, 2, 3, 4]
    assert len(workers.busy) == 5
    go.set()
    workers.close()
    await asyncio.wait(workers.busy)
    assert sorted(seen) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert workers.busy == frozenset()


async def test_a_piece_that_fails_or_is_cut_takes_no_other_with_it():
    workers, done = Workers("test"), asyncio.Event()

    async def fails() -> None:
        raise ValueError("broken")

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def works() -> None:
        done.set()

    workers.begin(fails)
    workers.begin(hangs)
    await asyncio.sleep(0)
    for task in workers.busy:
        task.cancel()
    workers.begin(works)
    await asyncio.wait_for(done.wait(), 5)


async def test_no_more_than_so_many_are_kept():
    workers, go = Workers("test", idle=2), asyncio.Event()
    for _ in range(6):
        workers.begin(go.wait)
    await asyncio.sleep(0)
    tasks = workers.busy
    go.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert sum(not task.done() for task in tasks) == 2
    workers.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_task_that_was_cancelled_while_it_waited_gets_no_work():
    workers, tasks, done = Workers("test"), [], asyncio.Event()

    async def first() -> None:
        tasks.append(asyncio.current_task())

    async def second() -> None:
        done.set()

    workers.begin(first)
    for _ in range(3):
        await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    workers.begin(second)
    await asyncio.wait_for(done.wait(), 5)
    workers.close()
