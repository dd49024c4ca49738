"""The PostgreSQL store keeps the contract; and what its tables do not take, take late, or order themselves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from engine.runtime.ports import AlreadySeen, Chat, NewSignal, Store
from storage import postgres_statements as statements
from storage.errors import StoreError
from storage.postgres_store import PostgresStore
from tests.storage.contract import ADD_ORDER, StoreContract, orders
from tests.storage.samples import Writer, at, commit, conversation, finished, outgoing, pending, stepped, timer, visit


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    durable = PostgresStore(database_url)
    await durable.open()
    yield durable
    await durable.close()


class TestPostgresStore(StoreContract):
    async def test_cancelled_while_waiting_for_another_transaction(self, store: Store) -> None:
        """Here a commit waits for no transaction."""
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, ("P-1", "k1"))
            async with asyncio.timeout(5):
                await asyncio.create_task(store.commit([Writer("terminal:4").next()]))
            assert await store.chat("terminal:4") is not None
            assert await orders_of_another_task(store) == []
        assert await orders(store) == ["P-1"]


async def orders_of_another_task(store: Store) -> list[object]:
    return await asyncio.create_task(orders(store))


async def test_everything_is_there_after_opening_again(store: PostgresStore, database_url: str) -> None:
    await store.commit([Writer().next(conversation(), outbox=(outgoing("o1", 1),), timers=(timer(5),), seen=("u1",))])
    await store.close()
    second = PostgresStore(database_url)
    await second.open()
    assert await second.conversation("c1") == conversation()
    assert await second.undelivered() == (outgoing("o1", 1),)
    assert await second.seen("u1")
    await second.close()


async def test_64_orders_of_20_pieces_in_stock(store: PostgresStore) -> None:
    """Several transactions at once, each behind its own savepoints: none is sold twice, none waits for ever."""
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("stock", "stock"))
        await transaction.execute("UPDATE print_orders SET created_at = 20 WHERE number = 'stock'")

    async def order(number: int) -> bool:
        async with store.transaction() as transaction:
            sold = await transaction.execute(
                "UPDATE print_orders SET created_at = created_at - 1 WHERE number = ? AND created_at >= ?", ("stock", 1)
            )
            if sold:
                await transaction.execute(ADD_ORDER, (f"P-{number}", f"k{number}"))
            await transaction.apply(Writer(f"terminal:{number}").next(seen=(f"u{number}",)))
            return sold == 1

    async with asyncio.timeout(30):
        assert sum(await asyncio.gather(*map(order, range(64)))) == 20
    async with store.transaction() as transaction:
        assert await transaction.query("SELECT created_at AS left FROM print_orders WHERE number = 'stock'") == [
            {"left": 0}
        ]
    assert len(await orders(store)) == 21


async def test_a_text_with_nul_is_kept_with_a_mark_in_its_place(store: PostgresStore) -> None:
    """PostgreSQL takes no NUL. A name from outside must not keep a whole batch from being written."""
    chat = Chat(id="terminal:a\0b", name="An\0na", username="\0", revision=1)
    one = replace(conversation(chat=chat.id), key="k\0")
    row = replace(outgoing("o\0", 1, chat.id), payload=b"\0")
    await store.commit([commit(chat, one, visits=(visit("en\0tered"),), outbox=(row,), seen=("u\0",))])
    assert await store.conversation("c1") == one
    assert await store.conversations(chat.id) == (one,)
    assert await store.by_key("order", "k\0") == one
    assert await store.seen("u\0")
    found = await store.chat(chat.id)
    assert found is not None
    assert found.name == "An\ufffdna"
    assert (await store.undelivered_to([chat.id]))[0].payload == b"\0"
    with pytest.raises(AlreadySeen) as caught:
        await store.commit([commit(replace(chat, revision=2), seen=("u\0",))])
    assert caught.value.update == "u\0"
    await store.delivered(["o\0"])
    assert await store.undelivered() == ()
    async with store.transaction() as transaction:
        await transaction.execute(ADD_ORDER, ("P\0", "k"))
        await transaction.apply(commit(replace(chat, revision=2, name="B\0"), stepped(one)))
    assert await orders(store) == ["P\ufffd"]


async def test_half_a_surrogate_pair_is_refused_with_a_sentence(store: PostgresStore) -> None:
    with pytest.raises(StoreError, match="not valid Unicode"):
        await store.commit([commit(Chat(id="terminal:x", name="\ud800", revision=1))])
    with pytest.raises(StoreError, match="not valid Unicode"):
        await store.chat("\ud800")
    async with store.transaction() as transaction:
        with pytest.raises(StoreError, match="not valid Unicode"):
            await transaction.execute(ADD_ORDER, ("\ud800", "k"))
        await transaction.execute(ADD_ORDER, ("P-1", "k"))
    assert await orders(store) == ["P-1"]


async def test_very_long_keys_and_ids(store: PostgresStore) -> None:
    key, update = "ключ" * 5000, "u" * 9000
    one = replace(conversation(), key=key)
    await store.commit([commit(Chat(id="terminal:anna", revision=1), one, seen=(update, update + "2"))])
    assert await store.by_key("order", key) == one
    assert await store.by_key("order", key + "x") is None
    assert await store.seen(update)
    assert not await store.seen(update + "3")
    with pytest.raises(AlreadySeen) as caught:
        await store.commit([commit(Chat(id="terminal:anna", revision=2), seen=(update,))])
    assert caught.value.update == update
    sent = NewSignal(update="s" * 9000, flow="order", key=key, name="paid", payload=b"{}", at=at(0))
    assert await store.keep_signal(sent)
    assert not await store.keep_signal(sent)
    (row,) = await store.signals("order", key)
    assert [chat for chat, _ in await store.deliverable_signals()] == ["terminal:anna"]
    await store.commit([commit(Chat(id="terminal:anna", revision=2), taken_signals=(row.id,), seen=(sent.update,))])
    assert await store.seen(sent.update)


async def test_those_of_one_millisecond_in_the_order_they_began(store: PostgresStore) -> None:
    writer = Writer()
    names = ["z", "m", "a", "k"]
    for name in names:
        await store.commit([writer.next(replace(conversation(name), key="k"))])
    assert [one.id for one in await store.conversations("terminal:anna")] == names
    assert await store.by_key("order", "k") == replace(conversation("k"), key="k")


async def test_a_signal_and_its_update_in_one_commit(store: PostgresStore) -> None:
    signal = NewSignal(update="s1", flow="order", key="k", name="paid", payload=b"{}", at=at(0))
    await store.keep_signal(signal)
    (row,) = await store.signals("order", "k")
    await store.commit([Writer().next(conversation(), seen=("s1",), taken_signals=(row.id,))])
    assert await store.seen("s1")
    assert not await store.keep_signal(signal)


async def test_what_one_commit_takes_away_and_sets_again(store: PostgresStore) -> None:
    writer = Writer()
    await store.commit([writer.next(conversation(), timers=(timer(5), timer(6, name="x")), pending=(pending(3),))])
    await store.commit(
        [
            writer.next(
                fired_timers=(("c1", 1, "timeout"),),
                timers=(timer(7), timer(8)),
                finished_calls=(("c1", "1.do"),),
                pending=(replace(pending(9), attempt=1),),
            )
        ]
    )
    assert await store.timers("c1") == (timer(6, name="x"), timer(8))
    assert await store.calls("c1") == (replace(pending(9), attempt=1),)
    await store.commit([writer.next(finished(conversation()), fired_timers=(("c1", 1, "x"),), timers=(timer(9),))])
    assert await store.timers("c1") == ()


async def test_a_mixed_batch_of_many_chats(store: PostgresStore) -> None:
    """Every part of a batch at once, for chats that begin, go on and end; then the same rows again are refused."""
    writers = [Writer(f"terminal:{number}") for number in range(40)]
    ones = [conversation(f"c{number}", writer.chat.id) for number, writer in enumerate(writers)]
    first = [
        writer.next(
            one,
            seen=(f"a{one.id}",),
            timers=(replace(timer(5, of=one.id), chat=one.chat),),
            visits=(visit("x", one.id),),
        )
        for writer, one in zip(writers, ones, strict=True)
    ]
    await store.commit(first)
    second = []
    for number, (writer, one) in enumerate(zip(writers, ones, strict=True)):
        after = finished(one) if number % 3 == 0 else stepped(one)
        more = {"cancelled_timers": ((one.id, 1),)} if number % 2 else {"fired_timers": ((one.id, 1, "timeout"),)}
        second.append(writer.next(after, seen=(f"b{one.id}",), outbox=(outgoing(f"o{number}", 1, one.chat),), **more))
        second.append(writer.next(seen=(f"c{one.id}",), delivered=(f"o{number}",)))
    await store.commit(second)
    assert await store.undelivered() == ()
    assert await store.next_due() is None
    assert [len(await store.conversations(one.chat)) for one in ones] == [int(number % 3 != 0) for number in range(40)]
    with pytest.raises(AlreadySeen) as caught:
        await store.commit(second[10:])
    assert caught.value.update == "bc5"


async def test_no_statement_reads_a_whole_table(store: PostgresStore) -> None:
    """Costs must not grow with what is stored. With whole tables out of favour, one is read only where no index
    helps: the outbox, where what waits is all there is, and the counts of rows."""
    texts = {
        name: sql
        for name, sql in vars(statements).items()
        if name.isupper() and isinstance(sql, str) and not name.startswith("_")
    }
    parts = {name: statements.composed((name,)) for name in statements.PARTS}
    questions = {name: statements.of_buckets(sql, 99).replace("$99", "'{1}'") for name, sql in (texts | parts).items()}
    assert len(questions) > 50
    for name, sql in questions.items():
        if not sql.removeprefix("--").startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            continue
        plan = await store._postgres.run(lambda line, sql=sql: _plan(line, sql))
        scans = [line for line in plan if "Seq Scan" in line]
        if name in {"UNDELIVERED", "UNDELIVERED_TO", "OLD_OUTBOX", "OLD_SIGNALS"}:
            continue
        assert scans == [], name


async def _plan(line: Any, sql: str) -> list[str]:
    await line.execute(f"PREPARE asked AS {sql.replace('<marker>', 'x')}")
    count = await line.fetchval("SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'")
    nulls = f"({', '.join(['NULL'] * count)})" if count else ""
    found = [row[0] for row in await line.fetch(f"EXPLAIN EXECUTE asked{nulls}")]
    await line.execute("DEALLOCATE asked")
    return found
