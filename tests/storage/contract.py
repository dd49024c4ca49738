"""What every store promises. Run for each of them by a class that inherits this one and has a fixture `store`."""

import asyncio
from dataclasses import replace

import pytest

from engine.runtime.ports import AlreadySeen, Chat, Overtaken, Store
from storage.errors import ConstraintBroken, StoreError, TransactionEnded
from tests.storage.samples import (
    Writer,
    at,
    commit,
    conversation,
    finished,
    outgoing,
    pending,
    stepped,
    timer,
    visit,
)
from tests.storage.signal_contract import SignalContract

ADD_ORDER = (
    "INSERT INTO print_orders (number, idempotency_key, chat, document, status, created_at)"
    " VALUES (?, ?, 'terminal:anna', '{}', 'new', 1)"
)


async def orders(store: Store) -> list[object]:
    async with store.transaction() as transaction:
        return [row["number"] for row in await transaction.query("SELECT number FROM print_orders ORDER BY id")]


class StoreContract(SignalContract):
    async def test_what_is_committed_is_found_again(self, store: Store) -> None:
        chat = Chat(
            id="telegram:42",
            front="c1",
            aside=("c0", "c9"),
            name="Anna",
            username="anna",
            language="pl",
            revision=1,
        )
        one = conversation(chat="telegram:42")
        await store.commit(
            [commit(chat, one, visits=(visit("entered"), visit("answered")), outbox=(outgoing("o1", 1),), seen=("u1",))]
        )
        assert await store.chat("telegram:42") == chat
        assert await store.conversation("c1") == one
        assert await store.conversations("telegram:42") == (one,)
        assert [row.trace.kind for row in await store.history("c1")] == ["entered", "answered"]
        assert (await store.history("c1"))[0] == visit("entered")
        assert await store.undelivered() == (outgoing("o1", 1),)
        assert await store.seen("u1")

    async def test_what_is_not_there_is_nothing(self, store: Store) -> None:
        assert await store.chat("nobody") is None
        assert await store.conversation("none") is None
        assert await store.conversations("nobody") == ()
        assert await store.by_key("order", "1") is None
        assert await store.history("none") == ()
        assert await store.undelivered() == ()
        assert await store.due_calls(at(0)) == ()
        assert await store.next_due() is None
        assert not await store.seen("u1")

    async def test_a_changed_conversation_and_chat_replace_the_old(self, store: Store) -> None:
        writer = Writer()
        first = conversation()
        await store.commit([writer.next(first)])
        second = stepped(first, key="parcel 7")
        writer.chat = replace(writer.chat, front="c1", aside=("c2",), language="de")
        await store.commit([writer.next(second)])
        assert await store.conversation("c1") == second
        assert await store.chat(writer.chat.id) == writer.chat
        assert await store.by_key("order", "parcel 7") == second

    async def test_many_commits_of_one_conversation_in_one_batch(self, store: Store) -> None:
        writer = Writer()
        first = conversation()
        second, third = stepped(first), stepped(stepped(first), 2)
        last = finished(third, 3)
        await store.commit(
            [
                writer.next(first, seen=("u1",), timers=(timer(5),)),
                writer.next(second, seen=("u2",), cancelled_timers=(("c1", 1),), timers=(timer(9, visit=2),)),
                writer.next(third, seen=("u3",)),
                writer.next(last, seen=("u4",)),
            ]
        )
        assert await store.conversation("c1") == last
        assert await store.next_due() is None
        assert all([await store.seen(f"u{n}") for n in (1, 2, 3, 4)])

    async def test_no_commits_are_nothing(self, store: Store) -> None:
        await store.commit([])
        assert await store.undelivered() == ()

    async def test_a_repeated_update_undoes_the_whole_batch(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(conversation(), seen=("u1",))])
        other = Writer("terminal:ben")
        fresh = conversation("c2", "terminal:ben")
        with pytest.raises(AlreadySeen) as caught:
            await store.commit([other.next(fresh, seen=("u2",)), writer.next(seen=("u1",))])
        assert caught.value.update == "u1"
        assert await store.conversation("c2") is None
        assert await store.chat("terminal:ben") is None
        assert not await store.seen("u2")

    async def test_an_update_twice_in_one_batch_is_seen_too(self, store: Store) -> None:
        writer = Writer()
        with pytest.raises(AlreadySeen) as caught:
            await store.commit([writer.next(conversation(), seen=("u1",)), writer.next(seen=("u1",))])
        assert caught.value.update == "u1"
        assert await store.chat("terminal:anna") is None

    async def test_an_older_conversation_is_refused(self, store: Store) -> None:
        writer = Writer()
        first = conversation()
        await store.commit([writer.next(first)])
        await store.commit([writer.next(stepped(first, 1))])
        with pytest.raises(Overtaken) as caught:
            await store.commit([writer.next(stepped(first, 2), outbox=(outgoing("o1", 1),))])
        assert caught.value.conversation == "c1"
        assert caught.value.chat == ""
        assert await store.conversation("c1") == stepped(first, 1)
        assert await store.undelivered() == ()

    async def test_an_older_finished_one_a_double_and_a_lost_one_are_refused(self, store: Store) -> None:
        writer = Writer()
        first = conversation()
        await store.commit([writer.next(first)])
        before = writer.chat
        for wrong, named in ((first, "c1"), (finished(stepped(first)), "c1"), (stepped(conversation("c7")), "c7")):
            writer.chat = before
            with pytest.raises(Overtaken) as caught:
                await store.commit([writer.next(wrong)])
            assert caught.value.conversation == named
        assert await store.conversation("c1") == first

    async def test_an_older_or_double_chat_is_refused(self, store: Store) -> None:
        chat = Chat(id="terminal:anna", revision=1)
        await store.commit([commit(chat)])
        for wrong in (chat, replace(chat, revision=3), Chat(id="terminal:zoe", revision=2)):
            with pytest.raises(Overtaken) as caught:
                await store.commit([commit(wrong, conversation("c3"))])
            assert caught.value.chat == wrong.id
            assert caught.value.conversation == ""
        assert await store.chat("terminal:anna") == chat
        assert await store.conversation("c3") is None

    async def test_open_conversations_oldest_first_without_finished_ones(self, store: Store) -> None:
        writer = Writer()
        young = conversation("c1", started_at=at(9))
        old = conversation("c2", started_at=at(1))
        over = conversation("c3", started_at=at(0))
        await store.commit([writer.next(young, old, over)])
        await store.commit([writer.next(finished(over))])
        assert await store.conversations("terminal:anna") == (old, young)
        assert await store.conversation("c3") == finished(over)

    async def test_the_newest_open_conversation_of_a_key(self, store: Store) -> None:
        writer = Writer()
        old, new, over = (
            replace(conversation(name, started_at=at(seconds)), key="k")
            for name, seconds in (("a1", 1), ("a2", 2), ("a3", 3))
        )
        await store.commit([writer.next(old, new, over)])
        await store.commit([writer.next(finished(over))])
        assert await store.by_key("order", "k") == new
        assert await store.by_key("other", "k") is None
        await store.commit([writer.next(finished(new))])
        assert await store.by_key("order", "k") == old
        await store.commit([writer.next(stepped(old))])
        await store.commit([writer.next(replace(stepped(stepped(old)), key=None))])
        assert await store.by_key("order", "k") is None

    async def test_outbox_in_order_until_delivered(self, store: Store) -> None:
        writer, other = Writer(), Writer("terminal:ben")
        await store.commit([writer.next(outbox=(outgoing("b", 2), outgoing("a", 1)))])
        await store.commit([other.next(outbox=(outgoing("d", 1, "terminal:ben"), outgoing("c", 2, "terminal:ben")))])
        assert [row.id for row in await store.undelivered()] == ["a", "b", "d", "c"]
        await store.delivered(["a", "d", "never was"])
        await store.commit([writer.next(delivered=("b",))])
        assert [row.id for row in await store.undelivered()] == ["c"]
        await store.delivered([])

    async def test_timers_are_due_moved_cancelled_and_fired(self, store: Store) -> None:
        writer = Writer()
        timers = (timer(10), timer(5, name="refresh"), timer(7, visit=2), timer(8, visit=3))
        await store.commit([writer.next(conversation(), timers=timers)])
        assert await store.next_due() == at(5)
        assert await store.due_timers(at(4.999)) == ()
        assert [row.due for row in await store.due_timers(at(8))] == [at(5), at(7), at(8)]
        assert await store.due_timers(at(8), limit=1) == (timer(5, name="refresh"),)
        assert len(await store.due_timers(at(8))) == 3
        await store.commit([writer.next(timers=(timer(20, name="refresh"),), fired_timers=(("c1", 2, "timeout"),))])
        assert await store.due_timers(at(9)) == (timer(8, visit=3),)
        await store.commit([writer.next(cancelled_timers=(("c1", 3), ("c1", 1)), timers=(timer(30),))])
        assert await store.due_timers(at(100)) == (timer(30),)
        assert await store.next_due() == at(30)

    async def test_a_finished_conversation_has_no_timers_and_no_end(self, store: Store) -> None:
        writer = Writer()
        first = conversation(expires_at=at(50))
        await store.commit([writer.next(first, timers=(timer(10), timer(11, of="c2")))])
        await store.commit([writer.next(finished(first), timers=(timer(12),))])
        assert await store.due_timers(at(100)) == (timer(11, of="c2"),)
        assert await store.due_expirations(at(100)) == ()

    async def test_nothing_is_due_a_fraction_of_a_millisecond_early(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(conversation(), timers=(timer(5.0007),))])
        assert await store.due_timers(at(5.0006)) == ()
        assert len(await store.due_timers(at(5.001))) == 1

    async def test_expirations_follow_the_conversation(self, store: Store) -> None:
        writer = Writer()
        first, other = conversation(expires_at=at(10)), conversation("c2", expires_at=at(12))
        await store.commit([writer.next(first, other)])
        assert await store.due_expirations(at(9)) == ()
        assert await store.due_expirations(at(12)) == (first, other)
        assert await store.due_expirations(at(12), limit=1) == (first,)
        assert await store.next_due() == at(10)
        second = stepped(first, expires_at=at(40))
        await store.commit([writer.next(second)])
        assert await store.due_expirations(at(20)) == (other,)
        await store.commit([writer.next(stepped(second, expires_at=None))])
        assert await store.due_expirations(at(99)) == (other,)

    async def test_pending_calls_until_their_outcome_is_handled(self, store: Store) -> None:
        writer = Writer()
        calls = (pending(3), pending(1, "2.do"))
        await store.commit([writer.next(conversation(), pending=calls)])
        assert await store.next_due() == at(1)
        assert await store.due_calls(at(2)) == (pending(1, "2.do"),)
        await store.attempted("c1", "2.do", 1, at(6))
        assert await store.due_calls(at(5)) == (pending(3),)
        assert await store.due_calls(at(6)) == (pending(3), replace(pending(6, "2.do"), attempt=1))
        await store.attempted("c1", "gone", 1, at(6))
        await store.commit([writer.next(finished_calls=(("c1", "1.do"),))])
        assert [call.call for call in await store.due_calls(at(99))] == ["2.do"]
        assert await store.next_due() == at(6)

    async def test_cleanup_deletes_what_is_kept_too_long(self, store: Store) -> None:
        writer = Writer()
        started = [conversation(f"c{n}") for n in range(4)]
        kept = replace(conversation("k1"), flow="kept")
        other = replace(conversation("x1"), flow="unknown")
        await store.commit(
            [writer.next(*started, kept, other, visits=(visit("entered", "c0"), visit("entered", "c1")))]
        )
        ends = [writer.next(finished(one), seconds=100 * n) for n, one in enumerate(started[:3])]
        await store.commit([*ends, writer.next(finished(kept), finished(other))])
        assert (await store.cleanup(at(150), {"order": 50.0, "kept": None})).conversations == 2
        assert [await store.conversation(f"c{n}") is None for n in range(4)] == [True, True, False, False]
        assert await store.history("c0") == ()
        assert await store.conversation("k1") is not None
        assert await store.conversation("x1") is not None
        assert (await store.cleanup(at(200), {"order": 0.0, "kept": None})).conversations == 1
        assert await store.conversation("c3") is not None

    async def test_cleanup_names_the_files_that_went_with_it(self, store: Store) -> None:
        writer = Writer()
        file = {"name": "a.stl", "size": 3, "mime": "model/stl", "ref": "abc123", "kind": "document"}
        one = conversation()
        frame = replace(one.frames[0], data={"files": (file, {**file, "ref": "def456"}), "name": '"ref":"nothing"'})
        await store.commit([writer.next(replace(one, frames=(frame,)))])
        await store.commit([writer.next(finished(replace(one, frames=(frame,))))])
        cleaned = await store.cleanup(at(999), {"order": 0.0})
        assert (cleaned.conversations, cleaned.files) == (1, ("abc123", "def456"))
        assert (await store.cleanup(at(999), {"order": 0.0})).files == ()

    async def test_cleanup_leaves_what_waits_for_a_call(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(conversation(), pending=(pending(1),))])
        await store.commit([writer.next(finished(conversation()))])
        assert (await store.cleanup(at(999), {"order": 0.0})).conversations == 0
        await store.commit([writer.next(finished_calls=(("c1", "1.do"),))])
        assert (await store.cleanup(at(999), {"order": 0.0})).conversations == 1

    async def test_an_end_counts_from_the_first_finishing(self, store: Store) -> None:
        writer = Writer()
        first = conversation()
        await store.commit([writer.next(first), writer.next(finished(first), seconds=10)])
        await store.commit([writer.next(finished(finished(first)), seconds=1000)])
        assert (await store.cleanup(at(120), {"order": 100.0})).conversations == 1

    async def test_updates_are_forgotten_after_seven_days(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(seen=tuple(f"old{n}" for n in range(1200)))])
        await store.commit([writer.next(seconds=5, seen=("young",))])
        assert (await store.cleanup(at(7 * 86400 + 1), {})).conversations == 0
        assert not await store.seen("old0")
        assert not await store.seen("old1199")
        assert await store.seen("young")

    # -- transactions

    async def test_a_transaction_writes_its_statements_and_its_commit_together(self, store: Store) -> None:
        writer = Writer()
        async with store.transaction() as transaction:
            assert await transaction.execute(ADD_ORDER, ("P-1", "c1/1.do")) == 1
            assert await transaction.query("SELECT number, chat FROM print_orders") == [
                {"number": "P-1", "chat": "terminal:anna"}
            ]
            await transaction.apply(writer.next(conversation(), seen=("u1",)))
        assert await orders(store) == ["P-1"]
        assert await store.seen("u1")

    async def test_a_transaction_that_raises_leaves_nothing(self, store: Store) -> None:
        writer = Writer()
        with pytest.raises(ValueError, match="no"):  # noqa: PT012
            async with store.transaction() as transaction:
                await transaction.execute(ADD_ORDER, ("P-1", "k"))
                await transaction.apply(writer.next(conversation()))
                raise ValueError("no")
        assert await orders(store) == []
        assert await store.conversation("c1") is None
        await store.commit([commit(writer.chat, conversation())])
        assert await store.conversation("c1") == conversation()

    async def test_nobody_sees_an_open_transaction(self, store: Store) -> None:
        writer = Writer()
        async with store.transaction() as transaction:
            await transaction.apply(writer.next(conversation(), seen=("u1",), timers=(timer(1),)))
            assert await store.conversation("c1") is None
            assert not await store.seen("u1")
            assert await store.next_due() is None
        assert await store.conversation("c1") == conversation()
        assert await store.next_due() == at(1)

    async def test_a_refused_commit_leaves_the_transaction_open(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(conversation(), seen=("u1",))])
        good = writer.chat
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, ("P-1", "k"))
            with pytest.raises(AlreadySeen) as seen:
                await transaction.apply(writer.next(conversation("c2"), seen=("u2", "u1")))
            writer.chat = good
            with pytest.raises(Overtaken) as overtaken:
                await transaction.apply(writer.next(conversation("c3"), conversation("c1"), seen=("u3",)))
            writer.chat = good
            await transaction.apply(writer.next(stepped(conversation()), seen=("u4",)))
            with pytest.raises(AlreadySeen):
                await transaction.apply(writer.next(seen=("u4",)))
        assert (seen.value.update, overtaken.value.conversation) == ("u1", "c1")
        assert [await store.seen(f"u{n}") for n in (1, 2, 3, 4)] == [True, False, False, True]
        assert await store.conversation("c2") is None
        assert await store.conversation("c1") == stepped(conversation())
        assert await orders(store) == ["P-1"]

    async def test_a_savepoint_undoes_its_part_only(self, store: Store) -> None:
        writer = Writer()
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, ("P-1", "k1"))
            first = writer.next(conversation("c1"))
            with pytest.raises(ValueError, match="no"):  # noqa: PT012
                async with transaction.savepoint():
                    await transaction.execute(ADD_ORDER, ("P-2", "k2"))
                    async with transaction.savepoint():
                        await transaction.execute(ADD_ORDER, ("P-3", "k3"))
                    await transaction.apply(first)
                    raise ValueError("no")
            async with transaction.savepoint():
                await transaction.execute(ADD_ORDER, ("P-4", "k4"))
                await transaction.apply(commit(first.chat, conversation("c2")))
        assert await orders(store) == ["P-1", "P-4"]
        assert await store.conversation("c1") is None
        assert await store.conversation("c2") is not None

    async def test_a_broken_rule_of_a_table_has_a_name_and_can_be_caught(self, store: Store) -> None:
        async with store.transaction() as transaction:
            await transaction.execute(ADD_ORDER, ("P-1", "k1"))
            with pytest.raises(ConstraintBroken, match="idempotency_key"):
                await transaction.execute(ADD_ORDER, ("P-2", "k1"))
            changed = await transaction.execute("UPDATE print_orders SET status = 'paid' WHERE number = ?", ("P-9",))
            assert changed == 0
            rows = await transaction.query(
                "INSERT INTO print_files (ref, idempotency_key, name, size, created_at)"
                " VALUES ('r', 'k', 'a.stl', 12, 1) RETURNING id, name"
            )
            assert rows == [{"id": 1, "name": "a.stl"}]
        assert await orders(store) == ["P-1"]

    @pytest.mark.parametrize("sql", ["COMMIT", " rollback;", "pragma synchronous=OFF", "Begin", "ATTACH 'x' AS y"])
    async def test_a_plugin_cannot_end_the_transaction(self, store: Store, sql: str) -> None:
        async with store.transaction() as transaction:
            with pytest.raises(StoreError, match="not for plugins"):
                await transaction.execute(sql)
            with pytest.raises(StoreError, match="not for plugins"):
                await transaction.query(sql)

    async def test_wrong_sql_is_told_without_a_driver_s_error(self, store: Store) -> None:
        async with store.transaction() as transaction:
            with pytest.raises(StoreError, match="no such table: nowhere"):
                await transaction.query("SELECT * FROM nowhere")

    async def test_a_task_that_outlives_its_transaction_is_refused(self, store: Store) -> None:
        ended = asyncio.Event()

        async with store.transaction() as transaction:

            async def late() -> None:
                await ended.wait()
                await transaction.execute(ADD_ORDER, ("P-1", "k1"))

            task = asyncio.create_task(late())
        ended.set()
        with pytest.raises(TransactionEnded, match="async with"):
            await task
        for call in (transaction.query("SELECT 1"), transaction.apply(Writer().next())):
            with pytest.raises(TransactionEnded):
                await call
        assert await orders(store) == []

    async def test_waiting_for_oneself_is_told(self, store: Store) -> None:
        async with store.transaction():
            with pytest.raises(StoreError, match="A transaction is open in this task"):
                await store.commit([Writer().next()])
            with pytest.raises(StoreError, match="A transaction is open in this task"):
                async with store.transaction():
                    pass
        await store.commit([Writer().next()])

    async def test_many_tasks_at_once_lose_nothing(self, store: Store) -> None:
        async def order(number: int) -> None:
            writer = Writer(f"terminal:{number}")
            current = conversation(f"n{number}", writer.chat.id)
            await store.commit([writer.next(current, seen=(f"{number}.0",))])
            for step in range(1, 6):
                current = stepped(current)
                if step % 2:
                    await store.commit([writer.next(current, seen=(f"{number}.{step}",))])
                    continue
                async with store.transaction() as transaction:
                    await transaction.execute(ADD_ORDER, (f"P-{number}-{step}", f"{number}/{step}"))
                    await asyncio.sleep(0)
                    await transaction.apply(writer.next(current, seen=(f"{number}.{step}",)))
                assert await store.conversation(current.id) == current

        await asyncio.gather(*(order(number) for number in range(12)))
        assert len(await orders(store)) == 24
        assert all([(await store.conversation(f"n{number}")).revision == 6 for number in range(12)])  # type: ignore[union-attr]

    async def test_two_for_one_revision_one_wins(self, store: Store) -> None:
        writer = Writer()
        first = conversation()
        await store.commit([writer.next(first)])
        chat = writer.chat

        async def attempt(number: int) -> bool:
            mine = Writer()
            mine.chat = chat
            try:
                await store.commit([mine.next(stepped(first), seen=(f"u{number}",))])
            except Overtaken:
                return False
            return True

        assert sum(await asyncio.gather(*map(attempt, range(8)))) == 1
        assert sum([await store.seen(f"u{number}") for number in range(8)]) == 1

    # -- cancelled anywhere

    async def test_a_commit_cancelled_at_any_step_is_whole_or_not_there(self, store: Store) -> None:
        for steps in range(12):
            writer = Writer(f"terminal:{steps}")
            one = conversation(f"s{steps}", writer.chat.id)
            task = asyncio.create_task(store.commit([writer.next(one, seen=(f"u{steps}",))]))
            await cancel_after(task, steps)
            assert (await store.conversation(one.id) is not None) == await store.seen(f"u{steps}")
            follower = Writer(f"terminal:after {steps}")
            async with asyncio.timeout(5):
                await store.commit([follower.next()])

    async def test_a_transaction_cancelled_at_any_step_is_whole_or_not_there(self, store: Store) -> None:
        async def work(number: int) -> None:
            writer = Writer(f"terminal:{number}")
            async with store.transaction() as transaction:
                await transaction.execute(ADD_ORDER, (f"P-{number}", f"k{number}"))
                async with transaction.savepoint():
                    await transaction.query("SELECT count(*) FROM print_orders")
                await transaction.apply(writer.next(conversation(f"t{number}", writer.chat.id)))

        for steps in range(40):
            task = asyncio.create_task(work(steps))
            await cancel_after(task, steps)
            async with asyncio.timeout(5):
                there = f"P-{steps}" in await orders(store)
            assert (await store.conversation(f"t{steps}") is not None) == there

    async def test_cancelled_while_waiting_for_another_transaction(self, store: Store) -> None:
        async with store.transaction():
            tasks = [asyncio.create_task(store.commit([Writer(f"terminal:{n}").next()])) for n in range(5)]
            await asyncio.sleep(0.01)
            for task in tasks[:4]:
                task.cancel()
            await asyncio.wait(tasks[:4])
        async with asyncio.timeout(5):
            await tasks[4]
        assert await store.chat("terminal:4") is not None
        assert await store.chat("terminal:0") is None

    async def test_files_that_nothing_names(self, store: Store) -> None:
        said, called, sent, nowhere = (letter * 24 for letter in "abcd")
        chat = Chat(id="terminal:anna", revision=1)
        one = conversation()
        frame = replace(one.frames[0], data={"model": {"name": "x.stl", "ref": said}, "longer": f"{nowhere}d"})
        call = replace(pending(0), arguments=b'{"file":"%s"}' % called.encode())
        message = replace(outgoing("o1", 1), payload=b'{"effect":{"photo":["value","%s"]}}' % sent.encode())
        await store.commit([commit(chat, replace(one, frames=(frame,)), pending=(call,), outbox=(message,))])
        assert await store.unnamed([nowhere, said, called, sent]) == (nowhere,)
        assert await store.unnamed([]) == ()

    # -- opened and closed

    async def test_a_closed_store_says_so(self, store: Store) -> None:
        with pytest.raises(StoreError, match="open already"):
            await store.open()
        await store.close()
        await store.close()
        for call in (store.chat("x"), store.commit([Writer().next()]), store.delivered(["o"])):
            with pytest.raises(StoreError, match="closed"):
                await call
        with pytest.raises(StoreError, match="closed"):
            async with store.transaction():
                pass


async def cancel_after(task: "asyncio.Task[None]", steps: int) -> None:
    """Let the loop turn `steps` times (later ones with a moment for the driver's thread), then cancel, twice."""
    for step in range(steps):
        await asyncio.sleep(0 if step < 6 else 0.0002)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
