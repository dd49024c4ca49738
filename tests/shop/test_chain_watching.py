"""The watcher's loop over scripted chains: what is written, what is not, and what happens when a node is in trouble."""

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engine.actions import Request, Voiced
from engine.actions.context import TellRole
from engine.actions.testing import MOMENT, Slept, Time, context, service_context, work
from engine.core.records import replaced
from plugins import chains
from plugins.chains import conditions
from plugins.chains.driver import Driver, WrongNodeError
from plugins.chains.watching import IDLE, LONGEST, TOLD, Watch
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.shop import issuing
from tests.shop.scripted import Scripted
from tests.shop.test_payments_postgres import Database as Postgres
from tests.shop.till import STOCK, Node, Till

NODE = ChainSetting(via="bitcoin", node="BTC_NODE", keys="BTC_KEYS")


class Bench:
    """A till, a scripted chain and the loop that watches it."""

    def __init__(self, chain: ChainSetting | None = NODE, *, till: Till | None = None) -> None:
        self.till = till or Till()
        self.driver = Scripted(self.till.node)
        self.made: list[Scripted] = []
        self.chains = ChainSettings(BTC=chain)
        self.watch = self.fresh()

    def fresh(self) -> Watch:
        """As after a start of the bot."""
        till = self.till
        bare = service_context(database=till.database, requests=till.requests)
        configured: Mapping[type[Any], Callable[[], object]] = {
            ChainSettings: lambda: self.chains,
            PaymentSettings: lambda: till.payments,
            ShopSettings: lambda: till.shop,
        }
        world = replaced(bare, now=lambda: till.now, configured=lambda kind: configured[kind]())

        def opens(asset: str, chain: ChainSetting) -> Driver:
            self.made.append(self.driver)
            return self.driver

        return Watch(world, "BTC", opens=opens)

    async def round(self, **later: float) -> float:
        self.till.now += timedelta(**later)
        self.till.node.at = self.till.now
        return await self.watch.round()

    def chain(self) -> dict[str, Any]:
        return self.till.rows("SELECT * FROM pay_chains WHERE asset = 'BTC'")[0]

    def open_cases(self) -> list[str]:
        return [row["text"] for row in self.till.rows("SELECT text FROM pay_cases WHERE status = 'open'")]


async def test_a_payment_goes_all_the_way() -> None:
    bench = Bench()
    till = bench.till
    await till.invoice()
    assert await bench.round() == 3.0
    till.node.send((await till.row()).address, (await till.row()).amount)
    await bench.round(seconds=3)
    assert (await till.row()).status == "processing"
    till.node.mine(2, till.now)
    await bench.round(seconds=3)
    assert (await till.row()).status == "settled"
    assert till.stock() == (STOCK - 1, 0)
    await till.sane()


async def test_what_is_no_news_is_not_taken_down_again() -> None:
    bench = Bench()
    await bench.till.invoice()
    bench.till.node.send((await bench.till.row()).address, 5)
    await bench.round()
    statements: list[str] = []
    bench.till.database.connection.set_trace_callback(statements.append)
    await bench.round(seconds=3)
    assert not [one for one in statements if "pay_ledger" in one]
    assert [one for one in statements if "INSERT INTO pay_chains" in one]  # that it was looked at is always news
    await bench.round(minutes=11)
    assert [one for one in statements if "pay_ledger" in one]  # all of it, now and then
    bench.till.database.connection.set_trace_callback(None)


async def test_what_is_gone_is_withdrawn_also_over_a_restart() -> None:
    bench = Bench()
    till = bench.till
    await till.invoice()
    await till.invoice()
    names = [till.node.send((await till.row(number)).address, (await till.row(number)).amount) for number in (1, 2)]
    await bench.round()
    till.node.reorg(0, lose=names[:1])
    await bench.round(seconds=3)
    assert [(await till.row(number)).status for number in (1, 2)] == ["new", "processing"]
    till.node.reorg(0, lose=names[1:])
    bench.watch = bench.fresh()  # it has forgotten what it told
    await bench.round(seconds=3)
    assert (await till.row(2)).status == "new"


async def test_an_address_of_which_nothing_is_certain_is_left_as_it_is() -> None:
    bench = Bench()
    till = bench.till
    await till.invoice()
    address = (await till.row()).address
    till.node.send(address, (await till.row()).amount)
    await bench.round()
    bench.driver.uncertain = {address}
    await bench.round(seconds=3)
    bench.watch = bench.fresh()
    await bench.round(seconds=3)
    assert (await till.row()).status == "processing"


async def test_a_node_that_is_down_is_asked_less_and_less_and_the_team_hears_once() -> None:
    bench = Bench()
    till = bench.till
    await bench.round()
    bench.driver.down()
    pauses = [await bench.round(seconds=1) for _ in range(6)]
    assert pauses == [6.0, 12.0, 24.0, LONGEST, LONGEST, LONGEST]
    assert till.team() == {}
    await bench.round(minutes=TOLD.total_seconds() / 60)
    await bench.round(seconds=30)
    bench.watch = bench.fresh()  # a restart meanwhile tells nobody again
    await bench.round(seconds=30)
    await bench.round(minutes=20)
    assert till.team() == {"payment.case": 1}
    assert bench.open_cases() == ["BTC cannot be seen: the node cannot be reached. Orders are held until it can."]
    bench.driver.up()
    assert await bench.round(seconds=30) == 3.0
    assert bench.open_cases() == []
    assert till.rows("SELECT answer FROM pay_cases") == [{"answer": conditions.BACK}]
    bench.driver.down()
    await bench.round(seconds=3)
    await bench.round(minutes=6)
    assert till.team() == {"payment.case": 2}  # another time is told again


async def test_a_wrong_node_is_told_at_once_and_nothing_of_it_is_taken() -> None:
    bench = Bench()
    await bench.till.invoice()
    bench.driver.trouble = WrongNodeError("the BTC node (BTC_NODE) is not on the network BTC main")
    await bench.round()
    assert bench.till.team() == {"payment.case": 1}
    assert bench.till.rows("SELECT * FROM pay_chains") == []


async def test_while_a_node_is_down_nothing_expires() -> None:
    bench = Bench()
    till = bench.till
    await till.invoice()
    await bench.round()
    bench.driver.down()
    await bench.round(minutes=31)
    await till.tick()
    assert (await till.row()).status == "new"
    assert till.stock() == (STOCK, 1)


@pytest.mark.parametrize("stale", [None, {"ETH": timedelta(minutes=1)}], ids=["unsaid", "said of another coin"])
async def test_a_node_that_stands_still_is_told_of(stale: dict[str, timedelta] | None) -> None:
    bench = Bench()
    if stale is not None:
        bench.till.payments = replace(bench.till.payments, stale=stale)
    await bench.round()
    bench.till.now += timedelta(hours=3)
    await bench.watch.round()
    await bench.watch.round()
    assert bench.till.team() == {"payment.case": 1}
    assert bench.open_cases()[0].startswith("BTC: the node's newest block is 180 minutes old")
    await bench.round(seconds=3)
    assert bench.open_cases() == []


async def test_on_a_private_chain_nobody_may_be_making_blocks() -> None:
    bench = Bench(ChainSetting(via="bitcoin", node="N", keys="K", network="regtest"))
    await bench.round()
    bench.till.now += timedelta(days=3)
    await bench.watch.round()
    assert bench.open_cases() == []


async def test_the_drivers_memory_is_stored_with_what_it_reported() -> None:
    bench = Bench()
    bench.driver.kept = "something to remember"
    await bench.round()
    bench.driver.kept = "some more"
    await bench.round(seconds=3)
    assert bench.chain()["cursor"] == "some more"
    bench.driver = Scripted(bench.till.node)
    bench.watch = bench.fresh()
    await bench.round(seconds=3)
    assert bench.driver.kept == "some more"


async def test_when_the_store_fails_all_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    till = bench.till
    await till.invoice()
    await bench.round()
    till.node.send((await till.row()).address, (await till.row()).amount)
    till.database.connection.execute("ALTER TABLE pay_ledger RENAME TO away")
    with caplog.at_level(logging.ERROR):
        assert await bench.round(seconds=3) == 3.0
    assert "BTC could not be looked at" in caplog.text
    assert (await till.row()).status == "new"
    till.database.connection.execute("ALTER TABLE away RENAME TO pay_ledger")
    await bench.round(seconds=3)
    assert (await till.row()).status == "processing"


async def test_one_damaged_invoice_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    till = bench.till
    for _ in range(3):
        await till.invoice()
    await bench.round()
    rows = [await till.row(number) for number in (1, 2, 3)]
    for row in rows:
        till.node.send(row.address, row.amount)
    policy = till.rows("SELECT policy FROM pay_invoices WHERE id = 2")[0]["policy"]
    till.database.connection.execute("UPDATE pay_invoices SET flags = flags, policy = 'torn' WHERE id = 2")
    await bench.round(seconds=3)
    await bench.round(seconds=3)
    till.database.connection.execute("UPDATE pay_invoices SET policy = ? WHERE id = 2", (policy,))
    assert [(await till.row(number)).status for number in (1, 3)] == ["processing", "processing"]
    assert bench.chain()["polled_at"] == int(till.now.timestamp() * 1000)


async def test_other_settings_make_another_driver() -> None:
    bench = Bench()
    await bench.round()
    await bench.round(seconds=3)
    assert len(bench.made) == 1
    bench.chains = ChainSettings(BTC=ChainSetting(via="bitcoin", node="OTHER", keys="K", every=timedelta(seconds=9)))
    assert await bench.round(seconds=3) == 9.0
    assert len(bench.made) == 2
    bench.chains = ChainSettings()
    assert await bench.round(seconds=3) == IDLE
    assert bench.driver.closed == 2


async def test_practice_is_not_watched() -> None:
    bench = Bench(ChainSetting(via="practice"))
    assert await bench.round() == IDLE
    assert bench.driver.looks == 0


async def test_a_node_that_hangs_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    till = Till()
    drivers = {"BTC": Scripted(till.node), "ETH": Scripted(Node(asset="ETH"))}
    drivers["BTC"].hangs = asyncio.Event()
    monkeypatch.setattr("plugins.chains.watching.open_driver", lambda asset, chain, **_: drivers[asset])
    enough = asyncio.Event()
    turns = Time()

    async def sleep(seconds: float) -> None:
        await turns.sleep(seconds)
        await asyncio.sleep(0)
        if drivers["ETH"].looks >= 3:
            enough.set()
            raise Slept

    settings = ChainSettings(BTC=NODE, ETH=ChainSetting(via="ethereum", node="ETH_NODE", keys="K"))
    world = service_context(database=till.database, sleep=sleep, configured={ChainSettings: settings})
    with pytest.raises(BaseExceptionGroup):
        await chains.watch(world)
    assert enough.is_set()
    assert drivers["BTC"].looks == 1
    assert drivers["ETH"].closed == drivers["BTC"].closed == 1


async def test_a_variable_that_is_not_set_is_named() -> None:
    till = Till()
    world = service_context(
        database=till.database,
        requests=till.requests,
        configured={ChainSettings: ChainSettings(BTC=NODE)},
    )
    await Watch(world, "BTC").round()
    (told,) = [one for one in till.requests if isinstance(one, TellRole)]
    assert "set the variable BTC_NODE to the node's address" in str(told.arguments["text"])


async def test_a_key_that_gives_no_addresses_is_told_at_the_start_and_once(caplog: pytest.LogCaptureFixture) -> None:
    till = Till()
    sol = ChainSetting(via="solana", node="SOL_NODE")
    world = service_context(
        database=till.database,
        requests=till.requests,
        environment={"BTC_KEYS": "zpub-of-nobody"},
        configured={ChainSettings: ChainSettings(BTC=NODE, SOL=sol)},
    )
    for _ in range(2):  # two starts
        for asset in ("BTC", "SOL"):
            with pytest.raises(Slept):
                await Watch(world, asset, opens=lambda *_: Scripted(till.node)).run()
    told = [str(one.arguments["text"]) for one in till.requests if isinstance(one, TellRole)]
    assert len(told) == 2
    assert told[0].startswith("BTC: BTC_KEYS: it holds no key")
    assert "stepgram keys import" in told[1]
    assert "zpub-of-nobody" not in caplog.text
    assert caplog.text.count("no addresses can be given out") == 4


async def test_the_conditions_of_all_chains() -> None:
    bench = Bench()
    bench.chains = ChainSettings(BTC=NODE, LTC=ChainSetting(), SOL=ChainSetting(via="solana", node="SOL_NODE"))
    await bench.round()

    async def shown() -> dict[str, conditions.ChainHealth]:
        world = context(
            database=bench.till.database,
            transactional=True,
            now=bench.till.now,
            configured={ChainSettings: bench.chains},
        )
        return {one.asset: one for one in await chains.health.signature.function(world)}

    found = await shown()
    assert {name: one.state for name, one in found.items()} == {"BTC": "well", "LTC": "practice", "SOL": "new"}
    assert found["BTC"].height == 100
    bench.till.now += timedelta(hours=3)
    await bench.watch.round()
    assert (await shown())["BTC"].state == "old"
    assert "180 minutes old" in (await shown())["BTC"].trouble
    bench.till.now += timedelta(minutes=4)
    found = await shown()
    assert (found["BTC"].state, found["BTC"].silent) == ("down", timedelta(minutes=4))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does it")
def test_a_node_ends_with_whoever_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from tests.shop.nodes.running import Running;"
        f"one = Running([sys.executable, '-c', 'import time; time.sleep(60)'], pathlib.Path({str(tmp_path)!r}));"
        "print(one.process.pid, flush=True); import time; time.sleep(60)"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(pid, 0)
        starter.kill()
    until = time.monotonic() + 5
    while time.monotonic() < until and _lives(pid):
        time.sleep(0.02)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")  # nobody may have waited for it


async def test_at_the_start_the_chain_is_asked_which_addresses_are_in_use(tmp_path: Path) -> None:
    """Case 29: after a restored backup no address is given out twice."""
    database = issuing.shop()
    ahead = [(await issuing.ordered(work(issuing.shop()), "BTC", f"o{at}", tmp_path / str(at))).address for at in (0,)]
    node = Node()
    node.send(ahead[0], 5)
    world = service_context(
        database=database,
        environment=issuing.ENVIRONMENT,
        configured={ChainSettings: issuing.CHAINS},
        data=tmp_path / "new",
    )
    await Watch(world, "BTC", opens=lambda _asset, _chain: Scripted(node)).round()
    rows = await database.query("SELECT next FROM pay_indexes WHERE asset = 'BTC'")
    assert [row["next"] for row in rows] == [1]
    fresh = await issuing.ordered(work(database), "BTC", "p0", tmp_path / "new")
    assert fresh.address != ahead[0]


async def test_a_watcher_on_postgresql(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    database: Any = Postgres(connection)
    now = [MOMENT]
    driver = Scripted(Node())
    requests: list[Request] = []
    bare = service_context(database=database, requests=requests, configured={ChainSettings: ChainSettings(BTC=NODE)})
    watch = Watch(replaced(bare, now=lambda: now[0]), "BTC", opens=lambda _asset, _chain: driver)
    assert await watch.round() == 3.0
    driver.kept = "memory"
    await watch.round()
    driver.trouble = WrongNodeError("it is a toaster")
    await watch.round()
    rows = await database.query("SELECT cursor FROM pay_chains")
    assert [row["cursor"] for row in rows] == ["memory"]
    (found,) = await conditions.health(
        Voiced(database, []), ChainSettings(BTC=NODE), PaymentSettings(), now[0] + timedelta(seconds=1)
    )
    assert (found.state, found.height) == ("well", 100)
    assert found.trouble == "BTC cannot be seen: it is a toaster. Orders are held until it can."
    driver.up()
    await watch.round()
    assert [row["status"] for row in await database.query("SELECT status FROM pay_cases")] == ["closed"]
    assert len(requests) == 1
    await connection.close()
