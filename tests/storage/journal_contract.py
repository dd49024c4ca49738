"""What the journal of every store promises. Run for each of them, as `StoreContract` is."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from engine.runtime.journal import Entry, Person
from engine.runtime.ports import Store
from storage.errors import StoreError
from tests.storage.samples import Writer, at, conversation, pending, timer

ANNA = "web:anna"


def entry(key: str, chat: str = ANNA, **more: Any) -> Entry:
    values: dict[str, Any] = {"kind": "text", "payload": b'{"text":"hi"}', "at": at(0)}
    return Entry(chat=chat, key=key, **(values | more))


def person(name: str, seconds: float = 0, **more: Any) -> Person:
    return Person(id=name, name=name.title(), seen_at=at(seconds), **more)


class JournalContract:
    async def test_what_is_written_is_found_again(self, store: Store) -> None:
        asked = entry("u1", conversation="c1", surface="c1.1", payload=b'{"html":"<b>\xc5\xbb</b>"}', handled=False)
        written, new = await store.journal.append(asked)
        assert new
        assert written.id > 0
        assert written == replace(asked, id=written.id)
        assert await store.journal.entry(written.id) == written
        assert await store.journal.entries(ANNA) == (written,)
        assert await store.journal.unhandled() == (written,)

    async def test_what_is_not_there_is_nothing(self, store: Store) -> None:
        journal = store.journal
        assert await journal.entry(1) is None
        assert await journal.entries(ANNA) == ()
        assert await journal.unhandled() == ()
        assert await journal.people() == ()
        assert await journal.value("clock") is None
        assert await journal.amend(1, b"{}") is None
        assert await journal.edit(ANNA, "c1.1", b"{}", at(1)) is None
        assert await journal.clean(at(99)) == 0
        await journal.handled(1)
        assert await journal.append_all([]) == ()

    async def test_a_repeated_key_is_not_written_again(self, store: Store) -> None:
        first, _ = await store.journal.append(entry("u1"))
        again, new = await store.journal.append(entry("u1", chat="web:ben", payload=b"other"))
        assert (again, new) == (first, False)
        after, new = await store.journal.append(entry("u2"))
        assert new
        assert after.id > first.id
        assert await store.journal.entries("web:ben") == ()

    async def test_several_with_one_commit(self, store: Store) -> None:
        first, _ = await store.journal.append(entry("a"))
        written = await store.journal.append_all([entry("b"), entry("a"), entry("c"), entry("b", payload=b"x")])
        assert [new for _, new in written] == [True, False, True, False]
        assert written[1][0] == first
        assert written[3][0] == written[0][0]
        assert [one.key for one in await store.journal.entries(ANNA)] == ["a", "b", "c"]

    async def test_several_with_a_wrong_one_are_all_refused(self, store: Store) -> None:
        with pytest.raises(StoreError):
            await store.journal.append_all([entry("a"), entry("x" * 201)])
        assert await store.journal.entries(ANNA) == ()

    async def test_a_key_race_has_one_winner(self, store: Store) -> None:
        race = [store.journal.append(entry("same", payload=str(number).encode())) for number in range(20)]
        results = await asyncio.gather(*race)
        assert sum(new for _, new in results) == 1
        assert len({one for one, _ in results}) == 1
        assert len(await store.journal.entries(ANNA)) == 1

    async def test_ids_grow_in_the_order_of_writing_over_all_chats(self, store: Store) -> None:
        written = await asyncio.gather(*(store.journal.append(entry(f"k{n}", chat=f"web:{n % 3}")) for n in range(30)))
        ids = [one.id for one, _ in written]
        assert ids == sorted(set(ids))

    async def test_a_deleted_id_never_comes_again(self, store: Store) -> None:
        await store.journal.append(entry("a"))
        last, _ = await store.journal.append(entry("b"))
        assert await store.journal.clean(at(1)) == 2
        again, new = await store.journal.append(entry("b"))
        assert new
        assert again.id > last.id

    async def test_pages_of_a_chat_oldest_first(self, store: Store) -> None:
        for number in range(10):
            await store.journal.append(entry(f"a{number}"))
            await store.journal.append(entry(f"b{number}", chat="web:ben"))
        newest = await store.journal.entries(ANNA, limit=3)
        assert [one.key for one in newest] == ["a7", "a8", "a9"]
        older = await store.journal.entries(ANNA, before=newest[0].id, limit=4)
        assert [one.key for one in older] == ["a3", "a4", "a5", "a6"]
        assert [one.key for one in await store.journal.entries(ANNA, before=older[0].id)] == ["a0", "a1", "a2"]
        assert await store.journal.entries(ANNA, before=(await store.journal.entries(ANNA))[0].id) == ()

    async def test_numbers_of_any_size_are_answered(self, store: Store) -> None:
        journal = store.journal
        written, _ = await journal.append(entry("a"))
        for number in (-(10**30), -1, 0, 10**30):
            assert await journal.entry(number) is None
            assert await journal.amend(number, b"x") is None
            await journal.handled(number)
        assert await journal.entries(ANNA, before=10**30, limit=10**30) == (written,)
        for before, limit in ((-(10**30), 5), (0, 5), (None, 0), (None, -1), (written.id, 10**30)):
            assert await journal.entries(ANNA, before=before, limit=limit) == ()

    async def test_an_edit_replaces_the_newest_of_its_surface(self, store: Store) -> None:
        journal = store.journal
        old, _ = await journal.append(entry("a", surface="c1.1"))
        new, _ = await journal.append(entry("b", surface="c1.1"))
        other, _ = await journal.append(entry("c", surface="c1.1", chat="web:ben"))
        plain, _ = await journal.append(entry("d"))
        edited = await journal.edit(ANNA, "c1.1", b"second", at(5))
        assert edited == replace(new, payload=b"second", at=at(5), revision=2)
        assert await journal.edit(ANNA, "c1.1", b"third", at(6)) == replace(new, payload=b"third", at=at(6), revision=3)
        assert await journal.edit(ANNA, "", b"nothing", at(6)) is None
        assert await journal.edit(ANNA, "c1.2", b"nothing", at(6)) is None
        found = await journal.entries(ANNA)
        assert found == (old, replace(new, payload=b"third", at=at(6), revision=3), plain)
        assert await journal.entries("web:ben") == (other,)

    async def test_an_entry_is_amended_where_it_stands(self, store: Store) -> None:
        first, _ = await store.journal.append(entry("a", handled=False))
        await store.journal.append(entry("b"))
        amended = await store.journal.amend(first.id, b"new")
        assert amended == replace(first, payload=b"new", revision=2)
        assert (await store.journal.entries(ANNA))[0] == amended
        assert await store.journal.unhandled() == (amended,)

    async def test_inputs_until_the_engine_has_taken_them(self, store: Store) -> None:
        journal = store.journal
        first, _ = await journal.append(entry("a", handled=False))
        second, _ = await journal.append(entry("b", chat="web:ben", handled=False))
        await journal.append(entry("c"))
        assert await journal.unhandled() == (first, second)
        await journal.handled(first.id)
        await journal.handled(first.id)
        assert await journal.unhandled() == (second,)
        assert await journal.entry(first.id) == replace(first, handled=True)

    async def test_inputs_of_one_channel(self, store: Store) -> None:
        mine, _ = await store.journal.append(entry("u1", handled=False))
        await store.journal.append(entry("u2", chat="telegram:7", handled=False))
        assert await store.journal.unhandled("web:") == (mine,)

    async def test_dropped_entries_are_gone_and_their_keys_free(self, store: Store) -> None:
        journal = store.journal
        first, _ = await journal.append(entry("u1", surface="c1.1"))
        second, _ = await journal.append(entry("u2", surface="c1.1", handled=False))
        third, _ = await journal.append(entry("u3"))
        assert await journal.of_surface(ANNA, "c1.1") == second
        await journal.drop([second.id, second.id, 10**15])
        assert await journal.of_surface(ANNA, "c1.1") == first
        assert await journal.unhandled() == ()
        assert await journal.entries(ANNA) == (first, third)
        again, new = await journal.append(entry("u2"))
        assert new
        assert again.id > third.id
        await journal.drop([again.id])
        await journal.drop([])
        assert await journal.entries(ANNA) == (first, third)
        assert await journal.of_surface("web:ben", "c1.1") is None
        assert await journal.of_surface(ANNA, "") is None

    async def test_people_the_one_seen_last_first(self, store: Store) -> None:
        journal = store.journal
        anna = person("anna", 5, language="de", roles=("admin", "staff"), phone="+48 600")
        await journal.keep(anna)
        await journal.keep(person("zoe", 9))
        await journal.keep(person("ben", 9))
        assert await journal.people() == (person("ben", 9), person("zoe", 9), anna)
        changed = replace(anna, name='Anna "<b>"', roles=(), language="en", phone="", seen_at=at(20))
        await journal.keep(changed)
        assert await journal.people() == (changed, person("ben", 9), person("zoe", 9))

    async def test_values_of_the_page(self, store: Store) -> None:
        await store.journal.set_value("clock", "1800")
        await store.journal.set_value("clock", "3600")
        await store.journal.set_value("other", "")
        assert await store.journal.value("clock") == "3600"
        assert await store.journal.value("other") == ""

    async def test_clean_deletes_what_is_old_and_was_taken(self, store: Store) -> None:
        journal = store.journal
        await journal.append_all([entry(f"old{n}", at=at(n % 7), surface="s") for n in range(1200)])
        waiting, _ = await journal.append(entry("waits", handled=False))
        young, _ = await journal.append(entry("young", at=at(50)))
        assert await journal.clean(at(0)) == 0
        assert await journal.clean(at(50)) == 1200
        assert await journal.entries(ANNA) == (waiting, young)
        assert await journal.unhandled() == (waiting,)
        assert await journal.edit(ANNA, "s", b"x", at(60)) is None
        assert (await journal.append(entry("young")))[1] is False

    async def test_old_entries_of_a_kind_are_those_that_would_go(self, store: Store) -> None:
        journal = store.journal
        old, _ = await journal.append(entry("old", kind="file"))
        await journal.append_all(
            [entry("text"), entry("waits", kind="file", handled=False), entry("young", kind="file", at=at(50))]
        )
        assert await journal.old("file", at(50)) == (old,)
        assert await journal.old("file", at(0)) == ()

    async def test_moments_come_back_as_they_were_told(self, store: Store) -> None:
        moment = (at(0) + timedelta(microseconds=1999)).astimezone(timezone(timedelta(hours=5)))
        written, _ = await store.journal.append(entry("a", at=moment))
        assert written.at == at(0.001)
        assert written.at.utcoffset() == timedelta(0)
        assert await store.journal.entry(written.id) == written
        edited = await store.journal.edit(ANNA, "", b"", moment)
        assert edited is None
        await store.journal.keep(replace(person("anna"), seen_at=moment))
        assert (await store.journal.people())[0].seen_at == at(0.001)

    @pytest.mark.parametrize("key", ["", "k" * 201, "k" * 1_000_000, "\ud83d"])
    async def test_a_key_that_cannot_be_kept_is_told(self, store: Store, key: str) -> None:
        with pytest.raises(StoreError):
            await store.journal.append(entry(key))
        assert await store.journal.entries(ANNA) == ()
        assert (await store.journal.append(entry("ключ" * 50)))[1]

    async def test_half_a_surrogate_pair_is_told_everywhere(self, store: Store) -> None:
        journal, bad = store.journal, "a\ud800"
        for call in (
            journal.append(entry("k", chat=bad)),
            journal.append(entry("k", surface=bad)),
            journal.entries(bad),
            journal.edit(bad, "s", b"", at(0)),
            journal.edit(ANNA, bad, b"", at(0)),
            journal.keep(replace(person("anna"), name=bad)),
            journal.keep(person("anna", roles=(bad,))),
            journal.value(bad),
            journal.set_value("v", bad),
        ):
            with pytest.raises(StoreError, match="not valid Unicode"):
                await call
        assert await journal.people() == ()

    async def test_hostile_texts_are_only_texts(self, store: Store) -> None:
        bad = "'); DROP TABLE journal; --\x00<script>"
        written, _ = await store.journal.append(entry(bad, chat=bad, kind=bad[:20], conversation=bad[:12], surface=bad))
        assert await store.journal.entries(bad) == (written,)
        await store.journal.set_value(bad, bad)
        assert await store.journal.value(bad) == bad

    async def test_the_journal_goes_on_beside_commits(self, store: Store) -> None:
        async def talk(number: int) -> None:
            writer = Writer(f"web:{number}")
            for turn in range(5):
                taken, _ = await store.journal.append(entry(f"{number}.{turn}", writer.chat.id, handled=False))
                await store.commit([writer.next(seen=(f"{number}.{turn}",))])
                await store.journal.handled(taken.id)

        await asyncio.gather(*map(talk, range(8)))
        assert await store.journal.unhandled() == ()
        assert [len(await store.journal.entries(f"web:{n}")) for n in range(8)] == [5] * 8

    async def test_an_append_cancelled_at_any_step_is_whole_or_not_there(self, store: Store) -> None:
        for steps in range(12):
            task = asyncio.create_task(store.journal.append_all([entry(f"a{steps}"), entry(f"b{steps}")]))
            for step in range(steps):
                await asyncio.sleep(0 if step < 6 else 0.0002)
            task.cancel()
            await asyncio.wait((task,))
            keys = {one.key for one in await store.journal.entries(ANNA)}
            assert (f"a{steps}" in keys) == (f"b{steps}" in keys)
            async with asyncio.timeout(5):
                assert (await store.journal.append(entry(f"after{steps}")))[1]

    async def test_waiting_for_oneself_is_told(self, store: Store) -> None:
        async with store.transaction():
            with pytest.raises(StoreError, match="A transaction is open in this task"):
                await store.journal.append(entry("a"))
            assert await store.journal.entries(ANNA) == ()
        assert (await store.journal.append(entry("a")))[1]

    async def test_a_closed_store_s_journal_says_so(self, store: Store) -> None:
        journal = store.journal
        await store.close()
        for call in (
            journal.append(entry("a")),
            journal.append_all([entry("a")]),
            journal.edit(ANNA, "s", b"", at(0)),
            journal.amend(1, b""),
            journal.handled(1),
            journal.entry(1),
            journal.entries(ANNA),
            journal.unhandled(),
            journal.people(),
            journal.keep(person("anna")),
            journal.value("v"),
            journal.set_value("v", "1"),
            journal.clean(at(0)),
        ):
            with pytest.raises(StoreError, match="closed"):
                await call
        await store.open()
        assert (await journal.append(entry("b")))[1]

    # -- what waits of one conversation, for those who look on

    async def test_timers_of_a_conversation_the_next_one_first(self, store: Store) -> None:
        timers = (timer(30), timer(5, name="refresh"), timer(7, visit=2), timer(1, of="c2"))
        await store.commit([Writer().next(conversation(), timers=timers)])
        assert await store.timers("c1") == (timer(5, name="refresh"), timer(7, visit=2), timer(30))
        assert await store.timers("c2") == (timer(1, of="c2"),)
        assert await store.timers("c3") == ()

    async def test_calls_of_a_conversation_the_next_one_first(self, store: Store) -> None:
        calls = (pending(9, "1.do"), pending(4, "2.do"), pending(1, "1.do", of="c2"))
        await store.commit([Writer().next(conversation(), pending=calls)])
        assert await store.calls("c1") == (pending(4, "2.do"), pending(9, "1.do"))
        await store.attempted("c1", "2.do", 1, at(20))
        assert [call.call for call in await store.calls("c1")] == ["1.do", "2.do"]
        assert await store.calls("c3") == ()

    async def test_closed_nothing_waits_to_be_seen(self, store: Store) -> None:
        await store.close()
        for call in (store.timers("c1"), store.calls("c1")):
            with pytest.raises(StoreError, match="closed"):
                await call
