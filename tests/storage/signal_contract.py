"""What every store promises of signals and of rows that must be there. A part of `tests.storage.contract`."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.runtime.ports import AlreadySeen, NewSignal, Store
from tests.storage.samples import Writer, at, conversation, finished, outgoing, pending, stepped, timer

WEEK = 7 * 86400


def signal(update: str, key: str = "k", name: str = "paid", flow: str = "order", seconds: float = 0) -> NewSignal:
    return NewSignal(update=update, flow=flow, key=key, name=name, payload=b'{"amount":12}', at=at(seconds))


def news(
    update: str, key: str = "k", flow: str = "order", name: str = "shipped", otherwise: str = "order_news"
) -> NewSignal:
    return replace(signal(update, key, name, flow), chat="terminal:ben", otherwise=otherwise)


async def updates(store: Store, key: str = "k", flow: str = "order") -> list[str]:
    return [row.update for row in await store.signals(flow, key)]


class SignalContract:
    # -- written and taken

    async def test_a_signal_is_kept_once_and_found_by_flow_and_key_in_order(self, store: Store) -> None:
        assert await store.keep_signal(signal("s1"))
        assert await store.keep_signal(signal("s2", name="shipped", seconds=5))
        assert await store.keep_signal(signal("s3", key="other"))
        assert await store.keep_signal(signal("s4", flow="parcel"))
        assert not await store.keep_signal(signal("s1", name="another", key="other"))
        first, second = await store.signals("order", "k")
        assert first.id < second.id
        assert (first.update, first.flow, first.key, first.name, first.payload, first.at) == (
            "s1", "order", "k", "paid", b'{"amount":12}', at(0),
        )  # fmt: skip
        assert (second.update, second.name, second.at) == ("s2", "shipped", at(5))
        assert [row.update for row in await store.signals("order", "k", limit=1)] == ["s1"]
        assert await store.signals("order", "nobody") == ()

    async def test_a_commit_that_takes_a_signal_removes_it_and_knows_it(self, store: Store) -> None:
        await store.keep_signal(signal("s1"))
        await store.keep_signal(signal("s2"))
        (first, _) = await store.signals("order", "k")
        await store.commit([Writer().next(conversation(key="k"), taken_signals=(first.id,))])
        assert await updates(store) == ["s2"]
        assert await store.seen("s1")
        assert not await store.seen("s2")
        assert not await store.keep_signal(signal("s1"))
        assert not await store.keep_signal(signal("s2"))

    async def test_an_id_is_never_given_twice(self, store: Store) -> None:
        await store.keep_signal(signal("s1"))
        (first,) = await store.signals("order", "k")
        await store.drop_signal(first.id)
        await store.keep_signal(signal("s2"))
        (second,) = await store.signals("order", "k")
        assert second.id > first.id

    async def test_a_commit_sends_signals_and_leaves_known_ones_out(self, store: Store) -> None:
        writer = Writer()
        await store.keep_signal(signal("waits"))
        sent = (signal("seen"), signal("waits", name="another"), signal("new"), signal("new"), signal("next"))
        await store.commit([writer.next(conversation(), seen=("seen",), signals=sent)])
        assert await updates(store) == ["waits", "new", "next"]
        assert [row.name for row in await store.signals("order", "k")] == ["paid", "paid", "paid"]

    async def test_a_refused_commit_sends_nothing_and_takes_nothing(self, store: Store) -> None:
        writer = Writer()
        await store.keep_signal(signal("s1"))
        (row,) = await store.signals("order", "k")
        await store.commit([writer.next(conversation(), seen=("u1",))])
        for broken in ({"seen": ("u1",)}, {"finished_calls": (("c1", "9.do"),)}, {"letters": (999_999,)}):
            mine = Writer()
            mine.chat = writer.chat
            more: dict[str, Any] = {"signals": (signal("s2"),), "taken_signals": (row.id,), **broken}
            with pytest.raises(AlreadySeen):
                await store.commit([mine.next(**more)])
            assert await updates(store) == ["s1"]
            assert not await store.seen("s1")

    async def test_a_signal_sent_and_taken_in_one_batch(self, store: Store) -> None:
        writer, other = Writer(), Writer("terminal:ben")
        await store.keep_signal(signal("s1"))
        (row,) = await store.signals("order", "k")
        await store.commit([writer.next(signals=(signal("s1"), signal("s2"))), other.next(taken_signals=(row.id,))])
        assert await updates(store) == ["s2"]
        assert await store.seen("s1")

    async def test_a_signal_sent_in_a_transaction_goes_with_it(self, store: Store) -> None:
        writer = Writer()
        with pytest.raises(ValueError, match="no"):  # noqa: PT012
            async with store.transaction() as transaction:
                await transaction.apply(writer.next(conversation(), signals=(signal("s1"),)))
                raise ValueError("no")
        assert await updates(store) == []
        writer = Writer()
        async with store.transaction() as transaction:
            await transaction.apply(writer.next(conversation(), signals=(signal("s1"),)))
            assert await updates(store) == []
        assert await updates(store) == ["s1"]

    async def test_many_keep_the_same_signal_and_one_of_them_does(self, store: Store) -> None:
        kept = await asyncio.gather(*(store.keep_signal(signal("s1")) for _ in range(8)))
        assert sum(kept) == 1
        assert await updates(store) == ["s1"]

    # -- who gets it

    async def test_the_first_signal_of_each_conversation_there_is_or_was(self, store: Store) -> None:
        writer, other = Writer(), Writer("terminal:ben")
        for number, key in enumerate(("a", "a", "nobody", "b", "over")):
            await store.keep_signal(signal(f"s{number}", key=key))
        await store.keep_signal(signal("elsewhere", key="a", flow="parcel"))
        old, new = (replace(conversation(name, started_at=at(n)), key="b") for n, name in enumerate(("b1", "b2")))
        over = conversation("o1", key="over")
        await store.commit([writer.next(conversation("a1", key="a"), old, over)])
        await store.commit([writer.next(finished(over)), other.next(replace(new, chat="terminal:ben"))])
        found = [(chat, row.update) for chat, row in await store.deliverable_signals()]
        assert found == [("terminal:anna", "s0"), ("terminal:ben", "s3"), ("terminal:anna", "s4")]
        assert [row.update for _, row in await store.deliverable_signals(limit=2)] == ["s0", "s3"]

    async def test_a_key_that_comes_later_makes_it_deliverable(self, store: Store) -> None:
        writer = Writer()
        await store.keep_signal(signal("s1"))
        await store.commit([writer.next(conversation())])
        assert await store.deliverable_signals() == ()
        await store.commit([writer.next(stepped(conversation(), key="k"))])
        assert [row.update for _, row in await store.deliverable_signals()] == ["s1"]

    async def test_the_newest_finished_conversation_of_a_key(self, store: Store) -> None:
        writer = Writer()
        first, second, third = (conversation(name, key="k") for name in ("e1", "e2", "e3"))
        assert await store.ended_by_key("order", "k") is None
        await store.commit([writer.next(first, second, third)])
        assert await store.ended_by_key("order", "k") is None
        await store.commit([writer.next(finished(second), seconds=5)])
        assert await store.ended_by_key("order", "k") == finished(second)
        await store.commit([writer.next(finished(first), seconds=9)])
        assert await store.ended_by_key("order", "k") == finished(first)
        assert await store.ended_by_key("order", "other") is None
        assert await store.ended_by_key("parcel", "k") is None
        await store.cleanup(at(7), {"order": 1.0})
        assert await store.ended_by_key("order", "k") == finished(first)
        await store.cleanup(at(99), {"order": 1.0})
        assert await store.ended_by_key("order", "k") is None

    async def test_a_late_one_is_dropped_and_stays_known(self, store: Store) -> None:
        await store.keep_signal(signal("s1"))
        (row,) = await store.signals("order", "k")
        await store.drop_signal(row.id)
        await store.drop_signal(row.id)
        assert await updates(store) == []
        assert await store.seen("s1")
        assert not await store.keep_signal(signal("s1"))

    async def test_signals_are_kept_for_seven_days(self, store: Store) -> None:
        for number in range(1200):
            await store.keep_signal(signal(f"old{number}", key=str(number % 7)))
        await store.keep_signal(signal("young", seconds=5))
        assert (await store.cleanup(at(WEEK + 1), {})).signals == 1200
        assert (await store.cleanup(at(WEEK + 1), {})).signals == 0
        assert await updates(store) == ["young"]
        assert await updates(store, key="1") == []
        assert await store.keep_signal(signal("old0"))

    async def test_a_file_that_a_waiting_signal_names_is_named(self, store: Store) -> None:
        ref, nowhere = "a" * 24, "b" * 24
        await store.keep_signal(replace(signal("s1"), payload=b'{"file":"%s"}' % ref.encode()))
        assert await store.unnamed([ref, nowhere]) == (nowhere,)

    async def test_what_this_store_writes_is_not_from_outside(self, store: Store) -> None:
        assert not await store.changed_outside()
        await store.keep_signal(signal("s1"))
        await store.commit([Writer().next(conversation())])
        assert not await store.changed_outside()

    # -- news: what reaches people whose conversation is over, or who have none

    async def test_news_keeps_where_it_goes(self, store: Store) -> None:
        assert await store.keep_signal(news("n1"))
        await store.commit([Writer().next(signals=(news("n2", otherwise="parcel_news"), signal("s1")))])
        assert [(row.chat, row.otherwise) for row in await store.signals("order", "k")] == [
            ("terminal:ben", "order_news"),
            ("terminal:ben", "parcel_news"),
            ("", ""),
        ]

    async def test_news_is_deliverable_without_a_conversation(self, store: Store) -> None:
        await store.keep_signal(signal("s1"))
        await store.keep_signal(news("n1"))
        await store.keep_signal(news("n2"))
        await store.keep_signal(news("t1", flow="", key="terminal:ben", name=""))
        found = [(chat, row.update) for chat, row in await store.deliverable_signals()]
        assert found == [("terminal:ben", "n1"), ("terminal:ben", "t1")]
        assert [row.update for row in await store.signals("order", "k", news=True)] == ["n1", "n2"]
        assert [row.update for row in await store.signals("order", "k", 1, news=True)] == ["n1"]
        assert await updates(store) == ["s1", "n1", "n2"]
        assert [row.update for _, row in await store.deliverable_signals(limit=1)] == ["n1"]

    async def test_news_belongs_to_the_open_conversation_then_to_its_own_chat(self, store: Store) -> None:
        writer = Writer()
        await store.keep_signal(news("n1"))
        first = conversation(key="k")
        await store.commit([writer.next(first)])
        assert [(chat, row.update) for chat, row in await store.deliverable_signals()] == [("terminal:anna", "n1")]
        await store.commit([writer.next(finished(first))])
        assert [(chat, row.update) for chat, row in await store.deliverable_signals()] == [("terminal:ben", "n1")]
        await store.keep_signal(signal("s0", key="late"))
        await store.keep_signal(news("n2", key="late"))
        await store.commit([writer.next(conversation("l1", key="late"))])
        await store.commit([writer.next(finished(conversation("l1", key="late")))])
        assert [(chat, row.update) for chat, row in await store.deliverable_signals()] == [
            ("terminal:ben", "n1"),
            ("terminal:anna", "s0"),
        ]

    async def test_a_transaction_sends_by_itself(self, store: Store) -> None:
        await store.keep_signal(signal("known"))
        with pytest.raises(ValueError, match="no"):  # noqa: PT012
            async with store.transaction() as transaction:
                await transaction.send([signal("gone")])
                raise ValueError("no")
        async with store.transaction() as transaction:
            await transaction.send([])
            await transaction.send([signal("s1"), signal("known", name="other"), news("n1")])
            with pytest.raises(ValueError, match="part"):  # noqa: PT012
                async with transaction.savepoint():
                    await transaction.send([signal("undone")])
                    raise ValueError("part")
            await transaction.apply(Writer().next(signals=(signal("s2"),)))
            assert await updates(store) == ["known"]
        assert sorted(await updates(store)) == ["known", "n1", "s1", "s2"]
        (taken,) = [row for row in await store.signals("order", "k") if row.update == "s1"]
        await store.drop_signal(taken.id)
        async with store.transaction() as transaction:
            await transaction.send([signal("s1")])
        assert sorted(await updates(store)) == ["known", "n1", "s2"]

    async def test_a_transaction_remembers_an_update_once(self, store: Store) -> None:
        with pytest.raises(ValueError, match="no"):  # noqa: PT012
            async with store.transaction() as transaction:
                assert await transaction.remember("webhook:/a:1", at(0))
                assert not await transaction.remember("webhook:/a:1", at(0))
                raise ValueError("no")
        assert not await store.seen("webhook:/a:1")
        async with store.transaction() as transaction:
            with pytest.raises(ValueError, match="part"):  # noqa: PT012
                async with transaction.savepoint():
                    await transaction.remember("webhook:/a:1", at(0))
                    raise ValueError("part")
            assert await transaction.remember("webhook:/a:1", at(0))
        assert await store.seen("webhook:/a:1")
        async with store.transaction() as transaction:
            assert not await transaction.remember("webhook:/a:1", at(5))
            await transaction.send([signal("webhook:/a:1")])  # nor is it a signal any more
        assert await updates(store) == []
        await store.cleanup(at(WEEK + 1), {})
        assert not await store.seen("webhook:/a:1")

    async def test_of_two_that_remember_the_same_at_once_one_is_first(self, store: Store) -> None:
        async def once() -> bool:
            async with store.transaction() as transaction:
                return await transaction.remember("webhook:/a:2", at(0))

        assert sorted(await asyncio.gather(*(once() for _ in range(8)))) == [False] * 7 + [True]

    async def test_the_chats_of_customers(self, store: Store) -> None:
        chats = ("telegram:42", "terminal:42", "web:420", "terminal:x:42", "terminal:anna", "42", "web:ż")
        for name in chats:
            await store.commit([Writer(name).next()])

        async def of(*customers: str) -> tuple[str, ...]:
            async with store.transaction() as transaction:
                return tuple(sorted(await transaction.chats_of(customers)))

        assert await of("42") == ("42", "telegram:42", "terminal:42")
        assert await of("anna", "ż", "nobody") == ("terminal:anna", "web:ż")
        assert await of("x:42") == ("terminal:x:42",)
        assert await of() == await of("' OR 1 --") == ()

    # -- rows that must be there

    @pytest.mark.parametrize(
        ("missing", "words"),
        [
            ({"fired_timers": (("c1", 1, "refresh"),)}, "timer c1/1/refresh"),
            ({"fired_timers": (("c1", 2, "timeout"),)}, "timer c1/2/timeout"),
            ({"fired_timers": (("c1", 1, "timeout"), ("c1", 1, "timeout"))}, "timer c1/1/timeout"),
            ({"finished_calls": (("c1", "2.do"),)}, "call c1/2.do"),
            ({"finished_calls": (("c2", "1.do"),)}, "call c2/1.do"),
            ({"taken_signals": (999_999,)}, "signal 999999"),
            ({"letters": (999_999,)}, "letter 999999"),
        ],
    )
    async def test_what_is_gone_was_handled_by_somebody_else(
        self, store: Store, missing: dict[str, Any], words: str
    ) -> None:
        writer, other = Writer(), Writer("terminal:ben")
        await store.commit([writer.next(conversation(), timers=(timer(5),), pending=(pending(3),))])
        mine = writer.next(stepped(conversation()), outbox=(outgoing("o1", 1),), seen=("u1",), **missing)
        with pytest.raises(AlreadySeen) as caught:
            await store.commit([other.next(seen=("u2",)), mine])
        assert caught.value.update == words
        assert await store.conversation("c1") == conversation()
        assert await store.undelivered() == ()
        assert [await store.seen("u1"), await store.seen("u2")] == [False, False]
        assert await store.chat("terminal:ben") is None
        assert len(await store.timers("c1")) == len(await store.calls("c1")) == 1

    async def test_a_gone_row_leaves_a_transaction_open(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(conversation())])
        before = writer.chat
        async with store.transaction() as transaction:
            with pytest.raises(AlreadySeen) as caught:
                await transaction.apply(writer.next(seen=("u1",), fired_timers=(("c1", 1, "timeout"),)))
            writer.chat = before
            await transaction.apply(writer.next(seen=("u2",)))
        assert caught.value.update == "timer c1/1/timeout"
        assert [await store.seen("u1"), await store.seen("u2")] == [False, True]

    async def test_a_timer_that_fires_and_ends_its_visit_is_there_for_both(self, store: Store) -> None:
        writer = Writer()
        await store.commit([writer.next(conversation(), timers=(timer(5), timer(6, name="refresh")))])
        fired = (("c1", 1, "timeout"),)
        await store.commit(
            [writer.next(fired_timers=fired, cancelled_timers=(("c1", 1),), timers=(timer(9, visit=2),))]
        )
        assert await store.timers("c1") == (timer(9, visit=2),)

    async def test_what_one_commit_writes_the_next_of_the_batch_takes(self, store: Store) -> None:
        writer = Writer()
        await store.commit(
            [
                writer.next(conversation(), timers=(timer(5),), pending=(pending(3),)),
                writer.next(fired_timers=(("c1", 1, "timeout"),)),
                writer.next(finished_calls=(("c1", "1.do"),)),
            ]
        )
        assert await store.next_due() is None
        with pytest.raises(AlreadySeen):
            await store.commit(
                [
                    writer.next(timers=(timer(5),)),
                    writer.next(fired_timers=(("c1", 1, "timeout"),)),
                    writer.next(fired_timers=(("c1", 1, "timeout"),)),
                ]
            )
        assert await store.next_due() is None

    async def test_two_take_one_signal_one_wins(self, store: Store) -> None:
        await store.keep_signal(signal("s1"))
        (row,) = await store.signals("order", "k")

        async def attempt(number: int) -> bool:
            try:
                await store.commit([Writer(f"terminal:{number}").next(taken_signals=(row.id,))])
            except AlreadySeen:
                return False
            return True

        assert sum(await asyncio.gather(*map(attempt, range(8)))) == 1

    # -- the outbox of some chats

    async def test_the_outbox_of_some_chats(self, store: Store) -> None:
        writer, other = Writer(), Writer("terminal:ben")
        await store.commit([writer.next(outbox=(outgoing("b", 2), outgoing("a", 1)))])
        await store.commit([other.next(outbox=(outgoing("c", 1, "terminal:ben"),))])
        assert [row.id for row in await store.undelivered_to(["terminal:anna"])] == ["a", "b"]
        assert [row.id for row in await store.undelivered_to(["terminal:ben", "x", "terminal:anna"])] == ["a", "b", "c"]
        assert await store.undelivered_to(["x"]) == ()
        assert await store.undelivered_to([]) == ()
