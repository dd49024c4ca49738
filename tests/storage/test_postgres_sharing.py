"""Several workers on one PostgreSQL database: fair shares, takeover, fences, letters in order, notices."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engine.runtime.ports import Fenced
from engine.runtime.sharing import BEAT, BUCKETS, LEASE, NewLetter, Standing, bucket_of
from storage import postgres_leases, postgres_line, postgres_sharing
from storage import postgres_notices as notices
from storage.errors import StoreError
from storage.postgres_connection import Postgres
from storage.postgres_sharing import PostgresSharing
from storage.postgres_store import PostgresStore
from tests.postgres import Server
from tests.storage.samples import Writer

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("STEPGRAM_LONG"))
QUICK_LEASE, QUICK_BEAT = (LEASE, BEAT) if LONG else (1.0, 0.2)
"""Of the workers in processes of their own."""
ALL = range(BUCKETS)


@pytest.fixture(scope="module")
def one_database(postgres_server: Server, migrated_template: str) -> Iterator[str]:
    """One for all tests here, since making one takes longer than most of them."""
    url = postgres_server.create(migrated_template)
    yield url
    postgres_server.drop(url)


@pytest.fixture
async def database_url(one_database: str) -> str:
    """Nobody has joined, nothing was ever written."""
    connection = await asyncpg.connect(one_database)
    await connection.execute("TRUNCATE workers, leases, inbox, seen_updates")
    await connection.close()
    return one_database


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[Postgres]:
    opened = Postgres(database_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def worker(postgres: Postgres) -> AsyncIterator[Callable[[str], PostgresSharing]]:
    made: list[PostgresSharing] = []

    def make(name: str) -> PostgresSharing:
        made.append(PostgresSharing(postgres, worker=name))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
async def hand(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of nobody's, to look and to meddle."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def round_of(workers: Sequence[PostgresSharing]) -> list[Standing]:
    """Everybody beats at the same time and gives up the surplus."""

    async def turn(one: PostgresSharing) -> Standing:
        standing = await one.beat()
        surplus = len(standing.buckets) - standing.fair
        if surplus > 0:
            await one.give_up(sorted(standing.buckets)[:surplus])
        return standing

    return list(await asyncio.gather(*map(turn, workers)))


def assert_whole(standings: Sequence[Standing]) -> None:
    """Every bucket is at exactly one worker, nobody has more than the fair share, one of them leads."""
    held = [bucket for standing in standings for bucket in standing.buckets]
    assert sorted(held) == list(ALL)
    assert all(len(one.buckets) <= one.fair and one.workers == len(standings) for one in standings)
    assert sum(one.leader for one in standings) == 1


async def die(postgres: Postgres, *names: str) -> None:
    """Their leases have run out."""
    gone = "UPDATE workers SET until = joined - 1 WHERE id = ANY($1)"
    await postgres.run(lambda line: line.execute(gone, list(names)))


async def fenced_write(hand: asyncpg.Connection, worker: str, bucket: int) -> bool:
    """What a commit does first, by hand; False: the bucket is another's, nothing is written."""
    async with hand.transaction():
        held = await hand.fetchval("SELECT 1 FROM leases WHERE bucket = $1 AND worker = $2 FOR SHARE", bucket, worker)
        return held is not None


# -- shares


async def test_a_sole_worker_has_everything_at_once(worker: Callable[[str], PostgresSharing]) -> None:
    only = worker("only")
    assert await only.beat() == Standing(buckets=frozenset(ALL), fair=BUCKETS, workers=1, leader=True)
    assert await only.beat() == Standing(buckets=frozenset(ALL), fair=BUCKETS, workers=1, leader=True)
    assert only.worker == "only"


async def test_everybody_gets_a_fair_share(worker: Callable[[str], PostgresSharing]) -> None:
    first, second, third = worker("z"), worker("a"), worker("m")
    await first.beat()
    await second.beat()
    standings = [await third.beat()]
    assert standings[0].buckets == frozenset()
    assert (standings[0].fair, standings[0].workers, standings[0].leader) == (86, 3, False)
    await round_of([first, second, third])
    standings = await round_of([third, second, first])
    assert_whole(standings)
    assert sorted(len(one.buckets) for one in standings) == [84, 86, 86]
    assert standings[2].leader, "the one that joined first, whatever its name"


async def test_the_surplus_is_kept_until_it_is_given_up(worker: Callable[[str], PostgresSharing]) -> None:
    old, new = worker("old"), worker("new")
    await old.beat()
    await new.beat()
    assert len((await old.beat()).buckets) == BUCKETS
    assert (await new.beat()).buckets == frozenset()
    await old.give_up([3, 3, 200, -1, 10**6])
    assert (await new.beat()).buckets == {3, 200}
    await old.give_up([3])
    await old.give_up([])
    assert (await new.beat()).buckets == {3, 200}, "another's are left alone"


async def test_who_leaves_leaves_everything_at_once(worker: Callable[[str], PostgresSharing]) -> None:
    old, new = worker("old"), worker("new")
    await old.beat()
    await new.beat()
    await old.leave()
    assert await new.beat() == Standing(buckets=frozenset(ALL), fair=BUCKETS, workers=1, leader=True)
    await old.leave()
    again = await old.beat()
    assert (again.buckets, again.lost, again.leader) == (frozenset(), False, False)


async def test_a_storm_of_workers_ends_with_every_bucket_at_one(worker: Callable[[str], PostgresSharing]) -> None:
    dice = random.Random(7)
    there: dict[str, PostgresSharing] = {}
    for step in range(200 if LONG else 20):
        for name in dice.sample("abcdefgh", 3):
            if name not in there:
                there[name] = worker(name)
            elif dice.random() < 0.6:
                await there.pop(name).leave()
        if there:
            await round_of(list(there.values()))
        assert step >= 0
    for name in "abcdefgh":
        there.setdefault(name, worker(name))
    for _ in range(3):
        standings = await round_of(list(there.values()))
    assert_whole(standings)
    assert {len(one.buckets) for one in standings} == {32}


async def test_eight_at_once_do_not_deadlock(worker: Callable[[str], PostgresSharing]) -> None:
    workers = [worker(f"w{number}") for number in range(8)]

    async def restless(one: PostgresSharing) -> None:
        for _ in range(10):
            standing = await one.beat()
            surplus = sorted(standing.buckets, reverse=bool(hash(one.worker) & 1))
            await one.give_up(surplus[: max(len(surplus) - standing.fair, 0)])
        await one.leave()

    await asyncio.gather(*map(restless, workers[:4]), *(one.beat() for one in workers[4:]))
    for _ in range(3):
        standings = await round_of(workers[4:])
    assert_whole(standings)


@pytest.mark.parametrize("name", ["", "a b", "x'); DROP TABLE leases; --", "ż", "n" * 65])
async def test_a_worker_of_an_odd_name_is_refused(postgres: Postgres, name: str) -> None:
    with pytest.raises(StoreError, match="worker's name"):
        PostgresSharing(postgres, worker=name)


# -- takeover


async def test_what_a_dead_worker_held_is_taken(
    postgres: Postgres, worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    dead, alive = worker("dead"), worker("alive")
    await dead.beat()
    await alive.beat()
    assert await fenced_write(hand, "dead", 7)
    await die(postgres, "dead")
    assert await alive.beat() == Standing(buckets=frozenset(ALL), fair=BUCKETS, workers=1, leader=True)
    assert not await fenced_write(hand, "dead", 7)
    assert await fenced_write(hand, "alive", 7)
    back = await dead.beat()
    assert back == Standing(buckets=frozenset(), fair=128, workers=2, leader=False, lost=True)
    assert not (await dead.beat()).lost, "told once"


async def test_a_bucket_waits_for_the_commit_that_is_under_way(
    postgres: Postgres, worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    dead, alive = worker("dead"), worker("alive")
    await dead.beat()
    await alive.beat()
    async with hand.transaction():
        assert await hand.fetchval("SELECT bucket FROM leases WHERE bucket = 7 AND worker = 'dead' FOR SHARE") == 7
        await die(postgres, "dead")
        started = time.perf_counter()
        assert (await alive.beat()).buckets == frozenset(ALL) - {7}
        assert time.perf_counter() - started < 1, "nobody waited for it"
    assert (await alive.beat()).buckets == frozenset(ALL)


async def test_a_commit_that_comes_while_its_bucket_is_taken_is_fenced(
    postgres: Postgres, worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    await worker("dead").beat()

    async def slow_takeover(line: asyncpg.Connection) -> None:
        async with line.transaction():
            await line.execute("UPDATE leases SET worker = 'alive' WHERE bucket = 7")
            taken.set()
            await asyncio.sleep(0.1)

    taken = asyncio.Event()
    takeover = asyncio.create_task(postgres.run(slow_takeover))
    await taken.wait()
    assert not await fenced_write(hand, "dead", 7), "it waited for the takeover and saw it"
    await takeover


async def test_a_commit_of_the_store_is_fenced(database_url: str, postgres: Postgres, hand: asyncpg.Connection) -> None:
    dead, alive = PostgresStore(database_url, worker="dead"), PostgresStore(database_url, worker="alive")
    await hand.execute("TRUNCATE chats")
    try:
        for store in (dead, alive):
            await store.open()
            assert store.sharing is not None
            await store.sharing.beat()
        writer = Writer()
        await dead.commit([writer.next()])
        await die(postgres, "dead")
        assert alive.sharing is not None
        assert (await alive.sharing.beat()).buckets == frozenset(ALL)
        again = writer.next(seen=("u1",))
        with pytest.raises(Fenced):
            await dead.commit([again])
        assert not await alive.seen("u1")
        await alive.commit([again])
        assert await alive.seen("u1")
    finally:
        await dead.close()
        await alive.close()


async def test_giving_up_waits_for_the_commit_that_is_under_way(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    one, other = worker("one"), worker("other")
    await one.beat()
    await other.beat()
    async with hand.transaction():
        await hand.fetch("SELECT bucket FROM leases WHERE bucket IN (7, 8) ORDER BY bucket FOR SHARE")
        giving = asyncio.create_task(one.give_up([6, 7]))
        await asyncio.sleep(0.1)
        assert not giving.done()
        assert (await other.beat()).buckets == frozenset()
    await giving
    assert (await other.beat()).buckets == {6, 7}


async def test_leaving_waits_for_nobody(worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection) -> None:
    one, other = worker("one"), worker("other")
    await one.beat()
    await other.beat()
    async with hand.transaction():
        await hand.fetch("SELECT bucket FROM leases WHERE bucket IN (7, 8) FOR SHARE")
        await one.leave()
        assert (await other.beat()).buckets == frozenset(ALL) - {7, 8}
    assert (await other.beat()).buckets == frozenset(ALL)


async def test_after_the_database_was_away_nobody_loses_anything(
    postgres: Postgres, worker: Callable[[str], PostgresSharing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_leases, "GRACE_MS", 60_000)
    workers = [worker("a"), worker("b"), worker("c")]
    for _ in range(3):
        before = await round_of(workers)
    assert_whole(before)
    await die(postgres, "a", "b", "c")
    after = await round_of(workers)
    assert [one.buckets for one in after] == [one.buckets for one in before]
    assert all(one.lost for one in after), "it cannot know that nobody had them meanwhile"
    assert_whole(await round_of(workers))
    await die(postgres, "b")
    in_grace = await round_of([workers[0], workers[2]])
    assert [one.buckets for one in in_grace] == [before[0].buckets, before[2].buckets]
    monkeypatch.setattr(postgres_leases, "GRACE_MS", 0)
    await round_of([workers[0], workers[2]])
    assert_whole(await round_of([workers[0], workers[2]]))


async def test_a_clock_that_was_set_back_keeps_no_dead_worker_alive(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    dead, alive = worker("dead"), worker("alive")
    await dead.beat()
    await alive.beat()
    await hand.execute("UPDATE workers SET until = until + 3600000")
    standing = await alive.beat()
    assert (standing.workers, standing.lost) == (2, False)
    now = await hand.fetchval("SELECT extract(epoch FROM clock_timestamp()) * 1000")
    assert 0 < await hand.fetchval("SELECT max(until) FROM workers") - now <= LEASE * 1000
    await hand.execute("UPDATE workers SET joined = joined + 3600000")
    assert (await alive.beat()).lost, "it looks so"
    await hand.execute("UPDATE workers SET until = 1 WHERE id = 'dead'")
    assert (await alive.beat()).buckets == frozenset(ALL)


async def test_a_beat_waits_for_its_turn_but_not_for_ever(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = worker("one")
    await one.beat()
    monkeypatch.setattr(postgres_leases, "PATIENCE_MS", 50)
    async with hand.transaction():
        await hand.execute("SELECT pg_advisory_xact_lock($1, -1)", postgres_leases.TURN)
        with pytest.raises(StoreError):
            await one.beat()
    assert not (await one.beat()).lost


async def test_a_server_that_says_nothing_is_told_in_time(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = worker("one")
    await one.beat()
    monkeypatch.setattr(postgres_line, "PATIENCE", 0.1)
    async with hand.transaction():
        await hand.execute("SELECT pg_advisory_xact_lock($1, -1)", postgres_leases.TURN)
        started = time.perf_counter()
        with pytest.raises(StoreError, match="gave no answer"):
            await one.beat()
        assert time.perf_counter() - started < 1
    monkeypatch.undo()
    assert not (await one.beat()).lost


async def test_a_cancelled_beat_is_done_before_the_worker_leaves(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    one = worker("one")
    async with hand.transaction():
        await hand.execute("SELECT pg_advisory_xact_lock($1, -1)", postgres_leases.TURN)
        beat = asyncio.create_task(one.beat())
        await asyncio.sleep(0.1)
        beat.cancel()
        await asyncio.sleep(0.1)
        assert not beat.done(), "the server is at it"
    await asyncio.wait((beat,))
    assert beat.cancelled()
    await one.leave()
    assert await hand.fetchval("SELECT count(*) FROM workers") == 0
    assert await hand.fetchval("SELECT count(*) FROM leases WHERE worker IS NOT NULL") == 0


async def test_a_closed_store_says_so(postgres: Postgres, worker: Callable[[str], PostgresSharing]) -> None:
    one = worker("one")
    await one.beat()
    await postgres.close()
    letter = NewLetter(chat="telegram:1", update="u", payload=b"")
    for call in (one.beat(), one.give_up([1]), one.post([letter]), one.letters([1]), one.drop([1]), one.hold("x")):
        with pytest.raises(StoreError, match="closed"):
            await call
    with pytest.raises(StoreError, match="closed"):
        await one.leave()
    await postgres.open()
    assert not (await one.beat()).lost


# -- workers in processes of their own

WORKER = """
import asyncio, sys, time
from storage import postgres_leases
from storage.postgres_connection import Postgres
from storage.postgres_sharing import PostgresSharing

async def main(url, name, lease, beat):
    postgres_leases.LEASE_MS = round(float(lease) * 1000)
    postgres = Postgres(url)
    await postgres.open()
    sharing = PostgresSharing(postgres, worker=name)
    print("door", await sharing.hold("door"), flush=True)
    told = None
    while True:
        standing = await sharing.beat()
        surplus = sorted(standing.buckets)[standing.fair:]
        await sharing.give_up(surplus)
        now = (len(standing.buckets) - len(surplus), standing.lost)
        if now != told:
            told = now
            print("has" if not standing.lost else "lost", now[0], time.time(), flush=True)
        await asyncio.sleep(float(beat))

asyncio.run(main(*sys.argv[1:]))
"""


class Process:
    """A worker in a process of its own, and what it prints."""

    def __init__(self, url: str, name: str) -> None:
        command = [sys.executable, "-c", WORKER, url, name, str(QUICK_LEASE), str(QUICK_BEAT)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    async def until(self, *words: str) -> float:
        """Wait for a line that begins so; the moment that stands in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while line := await asyncio.to_thread(self.process.stdout.readline):
                if tuple(line.split()[: len(words)]) == words:
                    return float(line.split()[2]) if len(line.split()) > 2 else 0.0
        raise AssertionError(f"it ended without saying {words}")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def process(database_url: str) -> Any:
    made: list[Process] = []

    def make(name: str) -> Process:
        made.append(Process(database_url, name))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def test_a_killed_process_is_followed_within_a_lease_and_a_beat(process: Callable[[str], Process]) -> None:
    first = process("first")
    await first.until("has", "256")
    second = process("second")
    await second.until("door", "False")
    await second.until("has", "128")
    first.process.kill()
    killed = time.time()
    taken = await second.until("has", "256") - killed
    print(f"taken over after {taken:.2f} s")
    assert taken < QUICK_LEASE + QUICK_BEAT + 0.5
    third = process("third")
    await third.until("door", "True")
    await third.until("has", "128")


async def test_a_stopped_process_learns_that_it_is_fenced(
    process: Callable[[str], Process], hand: asyncpg.Connection
) -> None:
    first = process("first")
    await first.until("has", "256")
    second = process("second")
    await second.until("has", "128")
    await first.until("has", "128")
    first.process.send_signal(signal.SIGSTOP)
    await second.until("has", "256")
    assert not await fenced_write(hand, "first", 3)
    first.process.send_signal(signal.SIGCONT)
    await first.until("lost", "0")
    await first.until("has", "128")
    await second.until("has", "128")
    owners = await hand.fetch("SELECT worker, count(*) FROM leases GROUP BY worker ORDER BY worker")
    assert [tuple(row) for row in owners] == [("first", 128), ("second", 128)]


# -- letters


def letter(update: str, chat: str = "telegram:1", payload: bytes = b"{}") -> NewLetter:
    return NewLetter(chat=chat, update=update, payload=payload)


async def test_letters_in_order_each_once(worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection) -> None:
    sharing = worker("a")
    await hand.execute("INSERT INTO seen_updates (id, at) VALUES ('done', 0)")
    await sharing.post(
        [letter("u2"), letter("u1", payload=b"\x00\xff"), letter("u2", payload=b"again"), letter("done")]
    )
    await sharing.post([letter("u1"), letter("u3", "telegram:2"), letter("u4")])
    await sharing.post([])
    found = await sharing.letters(ALL)
    assert [(one.chat, one.payload) for one in found] == [
        ("telegram:1", b"{}"),
        ("telegram:1", b"\x00\xff"),
        ("telegram:2", b"{}"),
        ("telegram:1", b"{}"),
    ]
    ids = [one.id for one in found]
    assert ids == sorted(set(ids))
    assert await sharing.letters(ALL, after=ids[1]) == found[2:]
    assert await sharing.letters(ALL, after=ids[1], limit=1) == found[2:3]
    assert await sharing.letters([bucket_of("telegram:2")]) == found[2:3]
    assert await sharing.letters([]) == ()
    assert await sharing.letters(ALL, after=10**30) == ()
    assert await sharing.letters(ALL, limit=-1) == ()
    await sharing.drop([ids[0], ids[0], 10**30])
    await sharing.drop([])
    assert await sharing.letters(ALL, limit=10**30) == found[1:]
    rows = await hand.fetch("SELECT chat, bucket FROM inbox")
    assert all(row["bucket"] == bucket_of(row["chat"]) for row in rows)


async def test_a_letter_that_cannot_be_kept_is_told(worker: Callable[[str], PostgresSharing]) -> None:
    sharing = worker("a")
    for bad in (letter("\ud800"), letter("u", "a\ud800"), letter("u", "c" * 129)):
        with pytest.raises(StoreError):
            await sharing.post([letter("good"), bad])
    assert await sharing.letters(ALL) == ()


async def test_an_update_id_of_any_length_is_known_again(worker: Callable[[str], PostgresSharing]) -> None:
    sharing = worker("a")
    odd = [letter("u" * 500), letter("u" * 501), letter("u\0")]
    await sharing.post(odd)
    await sharing.post(odd)
    assert len(await sharing.letters(ALL)) == 3


async def test_a_reader_never_sees_a_later_letter_of_a_bucket_first(worker: Callable[[str], PostgresSharing]) -> None:
    sharing = worker("a")
    chats = ("telegram:1", "telegram:2", "telegram:3")
    posting = True
    seen: dict[str, list[bytes]] = {chat: [] for chat in chats}

    async def post(writer: int) -> None:
        for number in range(15):
            payload = f"{writer}.{number}".encode()
            await sharing.post([letter(f"{writer}.{number}.{chat}", chat, payload) for chat in chats])

    async def read(chat: str) -> None:
        after = 0
        while True:
            last = not posting
            for one in await sharing.letters([bucket_of(chat)], after=after):
                seen[chat].append(one.payload)
                after = one.id
            if last:
                return

    readers = [asyncio.create_task(read(chat)) for chat in chats]
    await asyncio.gather(*map(post, range(4)))
    posting = False
    await asyncio.gather(*readers)
    for chat in chats:
        assert len(seen[chat]) == 60, "one that was committed late was overlooked"
        for writer in range(4):
            mine = [payload for payload in seen[chat] if payload.startswith(f"{writer}.".encode())]
            assert mine == [f"{writer}.{number}".encode() for number in range(15)]


async def test_letters_of_one_bucket_wait_for_one_another(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    """The number of one that is not committed yet is lower: a reader would go past it."""
    sharing, bucket = worker("a"), bucket_of("telegram:1")
    assert bucket_of("telegram:2") != bucket
    async with hand.transaction():
        await hand.fetch(postgres_leases.POST, [bucket], ["telegram:1"], [bucket], ["slow"], [b"slow"])
        posting = asyncio.create_task(sharing.post([letter("u", payload=b"quick")]))
        await sharing.post([letter("v", "telegram:2")])
        await asyncio.sleep(0.1)
        assert not posting.done()
    await posting
    assert [one.payload for one in await sharing.letters([bucket])] == [b"slow", b"quick"]


# -- notices


class Ears:
    """What was heard, to be waited for."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[str, ...]]] = []
        self._news = asyncio.Event()

    def __call__(self, kind: str, values: Sequence[str]) -> None:
        self.heard.append((kind, tuple(values)))
        self._news.set()

    async def until(self, kind: str, *values: str) -> None:
        async with asyncio.timeout(10):
            while (kind, values) not in self.heard:
                self._news.clear()
                await self._news.wait()

    async def everything(self) -> None:
        """What is told when something may have been missed."""
        await self.until("workers")
        expected = [("inbox", tuple(map(str, ALL))), ("outbox", ()), ("signal", ()), ("workers", ())]
        assert self.heard[:4] == expected
        self.heard.clear()


async def test_workers_hear_of_one_another(worker: Callable[[str], PostgresSharing]) -> None:
    one, other = worker("one"), worker("other")
    ears = Ears()
    one.listen(ears)
    await ears.everything()
    await other.post([letter("u1"), letter("u2", "telegram:2")])
    await ears.until("inbox", *map(str, sorted({bucket_of("telegram:1"), bucket_of("telegram:2")})))
    ears.heard.clear()
    await other.post([letter("u1")])
    await other.tell("outbox", ["telegram:42", 'web:"a",\n\0ż'])
    await ears.until("outbox", "telegram:42", 'web:"a",\n\0ż')
    assert len(ears.heard) == 1, "nothing new, nothing told"
    await other.beat()
    await ears.until("workers")
    ears.heard.clear()
    await other.beat()
    await other.tell("signal")
    await ears.until("signal")
    assert ears.heard == [("signal", ())], "a beat tells only when a worker joins"
    for change in (other.give_up([1]), other.leave()):
        ears.heard.clear()
        await change
        await ears.until("workers")


async def test_what_is_no_notice_of_ours_is_left_out(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    ears = Ears()

    def touchy(kind: str, values: Sequence[str]) -> None:
        ears(kind, values)
        raise RuntimeError("a listener's own fault")

    one = worker("one")
    one.listen(touchy)
    await ears.everything()
    for payload in ("", "inbox 1,2", "[1]", '{"k":1}', '{"k":"inbox","v":7}', '{"k":"inbox","v":[1]}', "[" * 5000):
        await hand.execute("SELECT pg_notify('stepgram', $1)", payload)
    await one.tell("signal")
    await ears.until("signal")
    assert ears.heard == [("signal", ())]


async def test_listening_and_holding_survive_a_lost_connection(
    worker: Callable[[str], PostgresSharing], hand: asyncpg.Connection
) -> None:
    one, other = worker("one"), worker("other")
    ears = Ears()
    one.listen(ears)
    await ears.everything()
    assert await one.hold("door telegram")
    assert await one.hold("door telegram")
    assert not await other.hold("door telegram")
    assert await other.hold("door web")
    before = await one.beat()
    ears.heard.clear()
    holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1"
    pid = await hand.fetchval(holder, postgres_leases.thing("door telegram"))
    await hand.execute("SELECT pg_terminate_backend($1)", pid)
    await ears.everything()
    assert not await other.hold("door telegram")
    assert await one.hold("door telegram")
    assert await one.beat() == before
    await other.tell("signal")
    await ears.until("signal")
    await one.leave()
    assert await other.hold("door telegram")


async def test_a_server_that_was_restarted(postgres_server: Server, worker: Callable[[str], PostgresSharing]) -> None:
    one = worker("one")
    ears = Ears()
    one.listen(ears)
    await one.beat()
    await ears.everything()
    await one.post([letter("u1")])
    await asyncio.to_thread(postgres_server.stop)
    with pytest.raises(StoreError):
        await one.beat()
    ears.heard.clear()
    await asyncio.to_thread(postgres_server.start)
    await ears.everything()
    standing = await one.beat()
    assert standing.buckets == frozenset(ALL)
    assert len(await one.letters(ALL)) == 1


async def test_a_letter_is_kept_also_when_nobody_could_be_told(
    worker: Callable[[str], PostgresSharing], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = worker("one"), worker("other")
    await one.beat()
    await other.beat()
    monkeypatch.setattr(postgres_sharing, "_NOTIFY", "SELECT no_such_function($1, $2)")
    await one.post([letter("u1")])
    assert len(await other.letters(ALL)) == 1
    await one.give_up(ALL)
    assert len((await other.beat()).buckets) == 128
    await one.leave()
    assert len((await other.beat()).buckets) == BUCKETS


async def test_leaving_a_database_that_is_away_takes_no_time(
    postgres_server: Server, worker: Callable[[str], PostgresSharing]
) -> None:
    one = worker("one")
    await one.beat()
    await asyncio.to_thread(postgres_server.stop)
    try:
        async with asyncio.timeout(2):
            with pytest.raises(StoreError):
                await one.leave()
    finally:
        await asyncio.to_thread(postgres_server.start)


@pytest.mark.parametrize("kind", ["inbox", "outbox"])
def test_notices_fit_and_come_back(kind: str) -> None:
    values = [f'telegram:{number}"\\ż\0' for number in range(3000)]
    pieces = notices.encode(kind, values)
    assert all(len(piece.encode()) <= notices.LIMIT for piece in pieces)
    read = [notices.decode(piece) for piece in pieces]
    assert all(one is not None and one[0] == kind and one[1] for one in read)
    assert [value for one in read if one for value in one[1]] == values
    assert [notices.decode(piece) for piece in notices.encode(kind)] == [(kind, ())]
    assert [notices.decode(piece) for piece in notices.encode(kind, ["a", "x" * 8000])] == [(kind, ())]


def test_what_only_one_may_do_has_a_number_beyond_the_buckets() -> None:
    numbers = {postgres_leases.thing(f"door {number}") for number in range(1000)}
    assert len(numbers) == 1000
    assert all(BUCKETS <= number < 2**31 for number in numbers)


async def test_a_worker_whose_session_has_gone_is_dead_before_its_lease_is_over(
    worker: Callable[[str], PostgresSharing],
) -> None:
    gone, other = worker("gone"), worker("other")
    await gone.beat()
    began = asyncio.get_running_loop().time()
    await gone.close()  # as a kill does: nothing is given up
    while len((await other.beat()).buckets) < len(ALL):
        await asyncio.sleep(0.1)
    took = asyncio.get_running_loop().time() - began
    assert postgres_leases.SILENT_MS / 1000 - 0.1 <= took < LEASE - 1
