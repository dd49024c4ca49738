"""Several workers on one PostgreSQL database: each sees what is due of its own chats, and writes nothing of others'."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from engine.runtime.ports import AlreadySeen, Fenced
from engine.runtime.sharing import BUCKETS, NewLetter, bucket_of
from storage.postgres_store import PostgresStore
from tests.postgres import Server
from tests.storage.contract import ADD_ORDER, orders
from tests.storage.samples import Writer, at, conversation, outgoing, pending, stepped, timer
from tests.storage.signal_contract import signal

Open = Callable[[str], Awaitable[PostgresStore]]


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Open]:
    stores: list[PostgresStore] = []

    async def open_store(worker: str) -> PostgresStore:
        store = PostgresStore(database_url, worker=worker)
        await store.open()
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        await store.close()


async def pair(opened: Open) -> tuple[PostgresStore, PostgresStore]:
    """Two workers with half of the buckets each."""
    one, two = await opened("one"), await opened("two")
    assert one.sharing is not None
    assert two.sharing is not None
    first = await one.sharing.beat()
    assert len(first.buckets) == BUCKETS
    await two.sharing.beat()
    surplus = sorted(first.buckets)[BUCKETS // 2 :]
    await one.sharing.beat()
    await one.sharing.give_up(surplus)
    standing = await two.sharing.beat()
    assert standing.buckets == frozenset(surplus)
    return one, two


def chats_of(store: PostgresStore, count: int) -> list[str]:
    assert store._share is not None
    assert store._share.standing is not None
    mine = store._share.standing.buckets
    return [name for name in map("telegram:{}".format, range(1000)) if bucket_of(name) in mine][:count]


async def test_who_shares_with_nobody_has_no_sharing(opened: Open) -> None:
    alone = await opened("")
    assert alone.sharing is None
    await alone.commit([Writer().next(timers=(timer(1),))])
    assert len(await alone.due_timers(at(5))) == 1


async def test_before_the_first_beat_there_is_no_fence_and_no_filter(opened: Open) -> None:
    store = await opened("one")
    await store.commit([Writer().next(timers=(timer(1),))])
    assert len(await store.due_timers(at(5))) == 1


async def test_each_finds_what_is_due_of_its_own_chats(opened: Open) -> None:
    one, two = await pair(opened)
    for number, store in enumerate((one, two)):
        for chat in chats_of(store, 3):
            writer, name = Writer(chat), f"{number}{chat[-4:]}"
            open_one = replace(conversation(name, chat, expires_at=at(40 + number)), key=name)
            due = replace(timer(20 + number, of=name), chat=chat)
            call = replace(pending(30 + number, of=name), chat=chat)
            await store.commit([writer.next(open_one, timers=(due,), pending=(call,))])
            await store.keep_signal(signal(f"s{name}", key=name))
    for number, store in enumerate((one, two)):
        mine = set(chats_of(store, 3))
        assert {row.chat for row in await store.due_timers(at(99))} == mine
        assert {row.chat for row in await store.due_calls(at(99))} == mine
        assert {row.chat for row in await store.due_expirations(at(99))} == mine
        assert {chat for chat, _ in await store.deliverable_signals()} == mine
        assert await store.next_due() == at(20 + number)
    assert len(await one.undelivered()) == 0


async def test_a_worker_writes_nothing_of_another_one_s_chat(opened: Open) -> None:
    one, two = await pair(opened)
    (mine,), (theirs,) = chats_of(one, 1), chats_of(two, 1)
    with pytest.raises(Fenced):
        await one.commit([Writer(mine).next(seen=("u1",)), Writer(theirs).next(seen=("u2",))])
    assert not await two.seen("u1")
    async with one.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P-1", "k1"))
        with pytest.raises(Fenced):
            await transaction.apply(Writer(theirs).next(seen=("u2",)))
        await transaction.apply(Writer(mine).next(seen=("u1",)))
    assert await orders(two) == ["P-1"]
    assert [await two.seen("u1"), await two.seen("u2")] == [True, False]


async def test_a_zombie_is_fenced_and_the_next_owner_goes_on(opened: Open, postgres_server: Server) -> None:
    """One stops beating; the other takes over all; what the first one still tries is not written."""
    one, two = await pair(opened)
    assert two.sharing is not None
    (chat,) = chats_of(one, 1)
    writer = Writer(chat)
    first = conversation("c1", chat)
    await one.commit([writer.next(first, seen=("u1",))])
    taken = two._postgres.address.database
    postgres_server.execute("UPDATE workers SET until = 1 WHERE id = 'one'", database=taken)
    for _ in range(3):
        standing = await two.sharing.beat()
    assert len(standing.buckets) == BUCKETS
    late = writer.next(stepped(first), seen=("u2",), outbox=(outgoing("o1", 1, chat),))
    with pytest.raises(Fenced):
        await one.commit([late])
    await two.commit([late])
    with pytest.raises(Fenced):
        await one.commit([late])
    with pytest.raises(AlreadySeen):
        await two.commit([late])


async def test_giving_up_waits_for_a_commit_under_way(opened: Open) -> None:
    one, two = await pair(opened)
    assert one.sharing is not None
    assert two.sharing is not None
    (chat,) = chats_of(one, 1)
    async with one.transaction() as transaction:
        await transaction.apply(Writer(chat).next(seen=("u1",)))
        giving = asyncio.create_task(one.sharing.give_up([bucket_of(chat)]))
        await asyncio.sleep(0.05)
        assert not giving.done()
        assert bucket_of(chat) not in (await two.sharing.beat()).buckets
    await giving
    assert bucket_of(chat) not in (await one.sharing.beat()).buckets or True
    assert await two.seen("u1")


async def test_letters_are_taken_once(opened: Open) -> None:
    one, two = await pair(opened)
    assert one.sharing is not None
    assert two.sharing is not None
    (chat,) = chats_of(two, 1)
    await one.sharing.post([NewLetter(chat=chat, update="l1", payload=b"{}")])
    (letter,) = await two.sharing.letters([bucket_of(chat)])
    writer = Writer(chat)
    await two.commit([writer.next(seen=("l1",), letters=(letter.id,))])
    with pytest.raises(AlreadySeen):
        await two.commit([writer.next(letters=(letter.id,))])
    assert await two.sharing.letters([bucket_of(chat)]) == ()


async def test_others_hear_of_messages_and_signals(opened: Open) -> None:
    one, two = await pair(opened)
    assert two.sharing is not None
    heard: asyncio.Queue[tuple[str, tuple[str, ...]]] = asyncio.Queue()
    two.sharing.listen(lambda kind, values: heard.put_nowait((kind, tuple(values))))
    (chat,) = chats_of(one, 1)

    async def hear(kind: str, values: tuple[str, ...]) -> None:
        async with asyncio.timeout(5):
            while await heard.get() != (kind, values):
                pass

    await hear("workers", ())
    await one.commit([Writer(chat).next(outbox=(outgoing("o1", 1, chat),))])
    await hear("outbox", (chat,))
    assert await two.changed_outside() is False
    await one.keep_signal(signal("s1"))
    await hear("signal", ())
    assert await two.changed_outside() is True
    assert await two.changed_outside() is False
    assert await one.changed_outside() is False
