"""Every measurement runs, does the work it claims and yields figures. How fast it was is for the report alone."""

import math
from typing import ClassVar

import pytest

from storage.memory import MemoryStore
from storage.sqlite_store import SqliteStore
from tests.benchmarks import (
    core_speed,
    durable,
    engine_speed,
    flatness,
    peer_aiogram,
    recovery,
    store_floor,
    telegram_speed,
)
from tests.benchmarks.contenders import MODELS, OURS
from tests.benchmarks.core_speed import STEPS, Walker
from tests.benchmarks.figures import TINY, Figure, interleaved, table
from tests.benchmarks.report import GROUPS, measure
from tests.benchmarks.work import SCRIPT, bench

pytestmark = pytest.mark.benchmark

EXPECTED = {
    "core": 2,
    "memory-store": 2,
    "sqlite-full-1": 1,
    "sqlite-normal-1": 1,
    "sqlite-full-64": 3,
    "sqlite-normal-64": 3,
    "flat-flows": 1,
    "flat-stored": 1,
    "flat-timers": 1,
    "idle": 3,
    "load": 2,
    "start": 2,
    "page": 4,
    "observer": 1,
    "run": 2,
    "diagram": 1,
    "page-memory": 4,
    "reload": 2,
    "telegram": 2,
}


@pytest.mark.parametrize("name", [name for name in GROUPS if name != "durable"])
async def test_each_group_measures_what_it_lists(tmp_path, name):
    if name == "telegram" and not telegram_speed.is_possible():
        pytest.skip("the Telegram client library is not installed: in a checkout, pip install '.[telegram]'")
    figures = await measure([name], TINY, tmp_path)
    assert len(figures) == EXPECTED[name]
    assert all(math.isfinite(figure.value) and figure.value >= 0 for figure in figures)
    assert all(figure.floor is None or figure.floor > 0 for figure in figures)
    assert len({figure.name for figure in figures}) == len(figures)


def test_the_core_walk_answers_every_question():
    walker = Walker()
    last = walker.walk(walker.start(), walker.answers())
    assert last.outcome == "completed"
    assert len(last.top.trail) == STEPS
    assert last.top.data["s29"] == 12


async def test_an_order_is_thirteen_events_and_one_order(tmp_path):
    async with bench(tmp_path, MemoryStore()) as busy:
        assert len(busy.inputs) == len(SCRIPT) == 13
        run = await busy.run(5, in_flight=3)
        assert len(run.waits) == 5 * 13
        assert sorted(busy.shop.orders.values()) == [1, 2, 3, 4, 5]
        assert busy.channel.total == 5 * busy.inputs[-1].arrived


async def test_the_floor_writes_the_rows_that_the_engine_wrote(tmp_path):
    durable = engine_speed.Durable(tmp_path, "NORMAL", 2)
    await durable.measure(rounds=1, orders=3)
    assert durable.orders == 3
    assert [len(run.waits) for run in durable.runs] == [3 * 13]
    assert durable.noted == 3 * (13 + 4)  # two sources, an upload and the order come back as events of their own
    engine = SqliteStore(tmp_path / "engine.db")
    floor = SqliteStore(tmp_path / "raw0.db")
    for store in (engine, floor):
        await store.open()
    try:
        for number in (1, 2, 3):
            chat = await engine.chat(f"bench:{number}")
            assert chat is not None
            assert chat == await floor.chat(f"bench:{number}")
            assert chat.revision == 17
            assert await engine.conversations(chat.id) == ()
            assert await floor.seen(f"bench:{number}.12")
    finally:
        for store in (engine, floor):
            await store.close()


async def test_many_at_once_share_their_commits(tmp_path):
    """Group commit, as the engine's speed on a disk depends on it: counted, so that no busy machine changes it."""

    class Counting(SqliteStore):
        sizes: ClassVar[list[int]] = []

        async def commit(self, commits):
            self.sizes.append(len(commits))
            await super().commit(commits)

    async with bench(tmp_path, Counting(tmp_path / "counted.db", synchronous="NORMAL")) as busy:
        await busy.run(16, in_flight=16)
    assert sum(Counting.sizes) == 16 * 17
    assert len(Counting.sizes) < 16 * 17 / 3


async def test_durable_engines_beside_each_other(tmp_path):
    """By processor time, generously: ours plays the dialog and writes five times as many rows as the ORM does."""
    outcome = await durable.run(tmp_path, orders=2, rounds=1, load=None, levels=("NORMAL",), server=False)
    ours, models = (outcome.contest.find(name, outcome.where, 64) for name in (OURS, MODELS))
    assert ours is not None
    assert models is not None
    assert ours.cpu < models.cpu
    assert len(durable.figures_of(outcome)) == (8 if peer_aiogram.is_possible() else 6)
    assert OURS in durable.report(outcome)


def test_a_killed_bot_is_back(tmp_path):
    back = recovery.measure(str(tmp_path / "killed.db"), tmp_path, 0.1)
    assert 0 < back.answered <= back.settled


async def test_a_filled_store_has_what_was_asked_for(tmp_path):
    store = SqliteStore(tmp_path / "filled.db")
    await store.open()
    await flatness.fill(store, 7, timers=10)
    try:
        far = flatness.stored(0).at.replace(year=2100)
        assert len(await store.due_timers(far)) == 10
        assert len(await store.due_expirations(far)) == 7
    finally:
        await store.close()


async def test_a_store_filled_by_sql_is_as_one_filled_by_the_store(tmp_path):
    copied, written = (SqliteStore(tmp_path / f"{name}.db") for name in ("copied", "written"))
    for store in (copied, written):
        await store.open()
    await flatness.fill_by_sql(copied, tmp_path / "copied.db", 5)
    await flatness.fill(written, 5)
    await copied.open()
    try:
        for number in range(5):
            chat, one = f"bench:idle{number}", f"idle{number}"
            assert await copied.chat(chat) == await written.chat(chat)
            found, wanted = await copied.conversation(one), await written.conversation(one)
            assert found is not None
            assert wanted is not None
            assert (found.id, found.chat, found.frames) == (wanted.id, wanted.chat, wanted.frames)
            assert await copied.conversations(chat) == (found,)
    finally:
        await copied.close()
        await written.close()


async def test_the_stores_own_floor_measures_both_levels():
    figures = await store_floor.measure(20)
    assert len(figures) == 8
    assert all(value > 0 for value in figures.values())


def test_a_goal_is_judged_by_the_ratio_or_by_the_figure():
    assert Figure(name="a", value=3, floor=2, goal=1.5).reached is True
    assert Figure(name="a", value=4, floor=2, goal=1.5).reached is False
    assert Figure(name="a", value=9, goal=10, absolute=True).reached is True
    assert Figure(name="a", value=9, goal=10, absolute=True, least=True).reached is False
    assert Figure(name="a", value=9).reached is None
    text = table([Figure(name="slow", value=4, floor=2, goal=1.5), Figure(name="free", value=1)])
    assert text.splitlines()[2].endswith("≤ 1.5 ×          NO")
    assert text.splitlines()[3].endswith("µs")


def test_measures_take_turns():
    order = []
    middles = interleaved(3, (lambda: order.append("a") or 1.0, lambda: order.append("b") or 2.0))
    assert "".join(order) == "ababab"
    assert middles == [1.0, 2.0]


def test_the_flow_beside_the_dispatch_is_as_long():
    assert core_speed.flow().count("ask:") == STEPS
