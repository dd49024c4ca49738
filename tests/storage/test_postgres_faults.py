"""PostgreSQL goes away, comes back, breaks lines at the worst moment: nothing is lost, nothing is written twice."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from engine.runtime.ports import AlreadySeen, Commit, Conflict, Overtaken
from storage.errors import StoreError, TransactionEnded
from storage.postgres_commit import Writing
from storage.postgres_connection import Postgres
from storage.postgres_store import PostgresStore
from tests.postgres import Server
from tests.storage.contract import ADD_ORDER, orders
from tests.storage.samples import Writer, conversation, outgoing, stepped, visit
from tests.storage.signal_contract import signal

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    durable = PostgresStore(database_url)
    await durable.open()
    yield durable
    await durable.close()


async def customer(store: PostgresStore, number: int, commits: int) -> None:
    """One chat, event after event, every fifth one in a transaction with a statement of a plugin."""
    writer = Writer(f"terminal:{number}")
    current = conversation(f"n{number}", writer.chat.id)
    for step in range(1, commits + 1):
        key = f"{number}.{step}"
        made = writer.next(
            current,
            seen=(key,),
            visits=(visit("answered", current.id, step),),
            outbox=(outgoing(key, step, writer.chat.id),),
        )
        if step % 5:
            await committed(store, made)
        else:
            await in_a_transaction(store, key, made)
        current = stepped(current)


async def committed(store: PostgresStore, made: Commit) -> None:
    """Repeated while the store cannot tell, as when an update comes again."""
    tries = 0
    while True:
        tries += 1
        try:
            return await store.commit([made])
        except StoreError:
            continue
        except AlreadySeen:
            assert tries > 1
            return None


async def in_a_transaction(store: PostgresStore, key: str, made: Any) -> None:
    """Repeated while the store says that it was not written, as the runtime does."""
    while True:
        try:
            async with store.transaction() as transaction:
                await transaction.execute(ADD_ORDER, (key, key))
                await transaction.apply(made)
        except StoreError:
            await asyncio.sleep(0.01)
        else:
            return


async def assert_whole(store: PostgresStore, customers: int, commits: int) -> None:
    placed = await orders(store)
    waiting = [row.id for row in await store.undelivered()]
    assert len(waiting) == len(set(waiting)) == customers * commits
    for number in range(customers):
        found = await store.conversation(f"n{number}")
        assert found is not None
        assert found.revision == commits
        assert [row.trace.visit for row in await store.history(found.id)] == list(range(1, commits + 1))
        chat = await store.chat(found.chat)
        assert chat is not None
        assert chat.revision == commits
    expected = [f"{n}.{step}" for n in range(customers) for step in range(1, commits + 1) if step % 5 == 0]
    assert sorted(map(str, placed)) == sorted(expected)


async def test_a_server_that_crashes_in_the_middle(store: PostgresStore, postgres_server: Server) -> None:
    async def restart() -> None:
        await asyncio.sleep(0.05)
        await asyncio.to_thread(postgres_server.restart)

    async with asyncio.timeout(60):
        await asyncio.gather(restart(), *(customer(store, number, 40) for number in range(8)))
    await assert_whole(store, 8, 40)


async def test_lines_that_break_all_the_time(store: PostgresStore, postgres_server: Server) -> None:
    """Whatever statement a session dies in: each commit is there once."""
    name = store._postgres.address.database
    over = asyncio.Event()
    killer = Postgres(postgres_server.url())
    await killer.open()

    async def kill() -> None:
        pick = random.Random(5)
        while not over.is_set():
            await asyncio.sleep(pick.uniform(0.02, 0.08))
            await killer.run(lambda line: line.execute(KILL.format(name=name) + " ORDER BY random() LIMIT 1"))

    killing = asyncio.create_task(kill())
    async with asyncio.timeout(60):
        await asyncio.gather(*(customer(store, number, 30) for number in range(6)))
    over.set()
    await killing
    await killer.close()
    await assert_whole(store, 6, 30)


class Lossy:
    """Loses the answers to, or breaks the line before, chosen tries of `Postgres.attempt`."""

    def __init__(self, postgres: Postgres, plan: str) -> None:
        self.plan = list(plan)
        self._attempt = postgres.attempt
        postgres.attempt = self.attempt  # type: ignore[method-assign]

    async def attempt(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        what = self.plan.pop(0) if self.plan else "."
        if what == "b":
            raise ConnectionResetError("before")
        result = await self._attempt(work)
        if what == "a":
            raise ConnectionResetError("after")
        return result


@pytest.mark.parametrize("plan", ["a", "b", "ba", "bbb", "bba"])
async def test_an_answer_that_is_lost(store: PostgresStore, plan: str) -> None:
    """b: it broke before the statement; a: after it."""
    writer = Writer()
    lossy = Lossy(store._postgres, plan)
    made = writer.next(conversation(), seen=("u1",), outbox=(outgoing("o1", 1),), visits=(visit("entered"),))
    await store.commit([made])
    assert lossy.plan == []
    assert len(await store.history("c1")) == 1
    with pytest.raises(AlreadySeen):
        await store.commit([made])
    await store.commit([writer.next(stepped(conversation()), seen=("u2",))])


@pytest.mark.parametrize("plan", ["a", "b"])
async def test_a_lost_answer_is_not_taken_for_another_one_s_work(store: PostgresStore, plan: str) -> None:
    """Somebody else handled the same update first: that is told, however the line behaves."""
    mine, others = Writer(), Writer()
    await store.commit([others.next(conversation(), seen=("u1",))])
    Lossy(store._postgres, plan)
    with pytest.raises(AlreadySeen):
        await store.commit([mine.next(conversation(), seen=("u1",))])
    with pytest.raises(Overtaken):
        await store.commit([Writer().next(conversation(), seen=("u2",))])


async def test_a_commit_that_goes_on_without_its_line_is_waited_for(store: PostgresStore) -> None:
    """The line breaks, the server goes on with the statement: it counts, and is not written again."""
    made = Writer().next(conversation(), seen=("u1",))
    keep = store._postgres.attempt
    going: list[asyncio.Task[Any]] = []

    async def attempt(work: Callable[[Any], Awaitable[Any]]) -> Any:
        if going:
            return await keep(work)

        async def slow(line: Any) -> None:
            await line.execute("BEGIN")
            await work(line)
            begun.set()
            await asyncio.sleep(0.2)
            await line.execute("COMMIT")

        begun = asyncio.Event()
        going.append(asyncio.create_task(keep(slow)))
        await begun.wait()
        raise ConnectionResetError

    store._postgres.attempt = attempt  # type: ignore[method-assign]
    await store.commit([made])
    assert going[0].done()
    assert await store.conversation("c1") == conversation()


@pytest.mark.parametrize("written", [True, False])
async def test_a_transaction_whose_last_answer_is_lost(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    class Line:
        """Loses the answer to COMMIT, or breaks before it."""

        def __init__(self, line: Any) -> None:
            self._line = line

        def __getattr__(self, name: str) -> Any:
            return getattr(self._line, name)

        async def execute(self, sql: str, *parameters: Any) -> str:
            if written:
                await self._line.execute(sql, *parameters)
            raise ConnectionResetError

    end = Writing.end
    monkeypatch.setattr(Writing, "end", lambda self, line, transaction: end(self, Line(line), transaction))

    async def work() -> None:
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, ("P-1", "k1"))
            await transaction.apply(Writer().next(conversation(), seen=("u1",)))

    if written:
        await work()
    else:
        with pytest.raises(StoreError, match="cannot be reached"):
            await work()
    monkeypatch.undo()
    assert await orders(store) == (["P-1"] if written else [])
    assert await store.seen("u1") == written


async def test_a_session_that_is_ended_in_mid_transaction(store: PostgresStore, postgres_server: Server) -> None:
    name = store._postgres.address.database
    with pytest.raises((StoreError, TransactionEnded)) as caught:  # noqa: PT012
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, ("P-1", "k1"))
            await asyncio.to_thread(postgres_server.execute, KILL.format(name=name))
            await transaction.execute(ADD_ORDER, ("P-2", "k2"))
    assert "asyncpg" not in str(caught.value)
    assert await orders(store) == []
    await store.commit([Writer().next()])


async def test_a_transaction_left_open_too_long(
    store: PostgresStore, postgres_server: Server, database_url: str
) -> None:
    async with store.transaction() as transaction:
        with pytest.raises(StoreError, match="SET is not for plugins"):
            await transaction.execute("SET idle_in_transaction_session_timeout = 20")
    with pytest.raises((StoreError, TransactionEnded)):  # noqa: PT012
        async with store.transaction() as transaction:
            await transaction._own("SET LOCAL idle_in_transaction_session_timeout = 20")
            await transaction.execute(ADD_ORDER, ("P-1", "k1"))
            await asyncio.sleep(0.1)
            await transaction.execute(ADD_ORDER, ("P-2", "k2"))
    assert await orders(store) == []


async def test_cancelled_tasks_leak_no_connection(database_url: str) -> None:
    store = PostgresStore(f"{database_url}?pool=3")
    await store.open()

    async def transact(number: int) -> None:
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, (f"P-{number}", f"k{number}"))
            async with transaction.savepoint():
                await transaction.query("SELECT pg_sleep(0.001)")

    pick = random.Random(7)
    for number in range(150):
        works = (
            transact(number),
            store.commit([Writer(f"terminal:{number}").next()]),
            store.undelivered(),
            store.keep_signal(signal(f"s{number}")),
        )
        tasks = [asyncio.create_task(work) for work in works]
        for _ in range(pick.randrange(12)):
            await asyncio.sleep(0)
        await asyncio.sleep(pick.choice((0, 0, 0.0005, 0.002)))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    async with asyncio.timeout(5), store.transaction(), asyncio.TaskGroup() as others:
        others.create_task(orders(store))
        others.create_task(orders(store))
    await store.close()


async def test_a_database_that_stays_away_is_told(
    store: PostgresStore, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres_connection.PAUSES", (0.01, 0.01))
    monkeypatch.setattr("storage.postgres_commit.PAUSES", (0.01, 0.01))
    await asyncio.to_thread(postgres_server.stop)
    try:
        for work in (store.chat("x"), store.commit([Writer().next()]), store.keep_signal(signal("s1"))):
            with pytest.raises(StoreError, match=r"Start PostgreSQL|cannot be reached"):
                await work
        with pytest.raises(StoreError, match="nobody answers"):
            async with store.transaction():
                pass
        with pytest.raises(StoreError, match=r"nobody answers at 127\.0\.0\.1"):
            await PostgresStore(str(store._postgres.address)).open()
    finally:
        await asyncio.to_thread(postgres_server.start)
    await store.commit([Writer().next()])
    assert await store.chat("terminal:anna") is not None


async def test_one_of_two_deadlocked_transactions_is_to_be_done_again(store: PostgresStore) -> None:
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P-1", "k1"))
        await transaction.execute(ADD_ORDER, ("P-2", "k2"))
    both = asyncio.Barrier(2)
    change = "UPDATE print_orders SET status = 'x' WHERE number = ?"

    async def work(first: str, second: str) -> bool:
        try:
            async with store.transaction() as transaction:
                await transaction.execute(change, (first,))
                await both.wait()
                await transaction.execute(change, (second,))
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(work("P-1", "P-2"), work("P-2", "P-1"))) == [False, True]


async def test_transactions_that_ask_the_store_meanwhile_do_not_starve_it(database_url: str) -> None:
    store = PostgresStore(f"{database_url}?pool=2")
    await store.open()

    async def work(number: int) -> None:
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, (f"P-{number}", f"k{number}"))
            assert await store.chat("nobody") is None

    async with asyncio.timeout(8):
        await asyncio.gather(*map(work, range(12)))
    assert len(await orders(store)) == 12
    await store.close()
