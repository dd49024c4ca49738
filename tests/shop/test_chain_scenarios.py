"""What can happen to a payment, over real nodes: each scenario on every chain that can do it, with stock and money."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.shop.nodes.asking import Refused
from tests.shop.nodes.fixtures import anvil, bcoin, electrumx, litecoind, svm  # noqa: F401 - fixtures
from tests.shop.nodes.rigs import BcoinRig, BitcoinRig, ElectrumRig, EthRig, Rig, SolRig, depth
from tests.shop.nodes.trading import NEEDED, Trade, policy
from tests.shop.till import STOCK

NODES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "anvil": (EthRig, ("anvil",)),
    "litecoind": (BitcoinRig, ("litecoind",)),
    "electrumx": (ElectrumRig, ("litecoind", "electrumx")),
    "bcoin": (BcoinRig, ("bcoin",)),
    "litesvm": (SolRig, ("svm",)),
}
ALL = tuple(NODES)
LOSES = ("anvil", "litecoind", "electrumx", "bcoin")
REMAKES = ("anvil", "litecoind", "electrumx")
DOUBLE_SPENDS = ("anvil", "litecoind", "electrumx")


@pytest.fixture
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    kind, needed = NODES[request.param]
    nodes = [request.getfixturevalue(name) for name in needed]
    async with aiohttp.ClientSession() as session:
        made = kind(session, *nodes)
        yield made
        await made.driver.close()


@pytest.fixture
async def trade(rig: Rig) -> AsyncIterator[Trade]:
    made = Trade(rig)
    yield made
    await made.close()
    await made.sane()


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("rig", names, indirect=True)


@on(*ALL)
async def test_exact(trade: Trade) -> None:
    address = await trade.offer()
    await trade.look()
    trade.rig.pay(address, trade.rig.one)
    await trade.until("processing")
    assert trade.stock() == (STOCK, 1)
    trade.rig.mine(NEEDED)
    await trade.until("settled")
    assert trade.stock() == (STOCK - 1, 0)
    assert trade.order_status() == "paid"
    assert trade.news() == ["payment.seen", "payment.settled"]
    assert trade.refunds() == []


@on(*ALL)
async def test_partial_and_the_rest(trade: Trade) -> None:
    address = await trade.offer()
    part = trade.rig.one * 6 // 10
    trade.rig.pay(address, part)
    await trade.until("new", "partial")
    trade.rig.mine()
    trade.rig.pay(address, trade.rig.one - part)
    await trade.until("processing")
    trade.rig.mine(NEEDED)
    await trade.until("settled")
    assert trade.refunds() == []


@on(*ALL)
async def test_over(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one * 3)
    trade.rig.mine(NEEDED)
    await trade.until("settled", "over")
    assert trade.refunds() == [("due", "over", trade.rig.one * 2)]
    assert trade.stock() == (STOCK - 1, 0)


@on(*ALL)
async def test_late(trade: Trade) -> None:
    address = await trade.offer()
    await trade.look()
    trade.now += trade.payments.expires + timedelta(minutes=1)
    await trade.look()
    await trade.tick()
    assert (await trade.row()).status == "expired"
    assert trade.stock() == (STOCK, 0)
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled", "late")
    assert trade.stock() == (STOCK - 1, 0)


@on(*ALL)
async def test_paid_twice(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled")
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled", "over")
    assert [amount for _, _, amount in trade.refunds()] == [trade.rig.one]
    assert trade.stock() == (STOCK - 1, 0)
    assert trade.news().count("payment.settled") == 1


@on(*ALL)
async def test_repeats_change_nothing(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    if trade.rig.mempool:
        trade.rig.mine()
    await trade.until("processing")
    rows = len(trade.rows("SELECT id FROM pay_ledger"))
    for _ in range(3):
        await trade.look()
    await trade.close()
    trade.watch = trade.fresh_watch()  # a new driver names the same transfers alike
    await trade.look()
    await trade.look()
    assert len(trade.rows("SELECT id FROM pay_ledger")) == rows


@on(*REMAKES)
async def test_a_reorganisation_with_the_same_payment(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine()
    await trade.until("processing")
    before = trade.rows("SELECT block FROM pay_ledger WHERE kind = 'included'")[-1]["block"]
    trade.rig.again(1)
    for _ in range(100):
        await trade.look()
        if trade.rows("SELECT block FROM pay_ledger WHERE kind = 'included' ORDER BY id")[-1]["block"] != before:
            break
        await asyncio.sleep(0.05)
    assert (await trade.row()).status == "processing"
    trade.rig.mine(NEEDED)
    await trade.until("settled")
    assert "payment.withdrawn" not in trade.news()


@on(*LOSES)
async def test_a_reorganisation_without_the_payment(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine()
    await trade.until("processing")
    trade.rig.lose(1)
    await trade.until("new", "reversed")
    assert trade.stock() == (STOCK, 1)
    assert "payment.withdrawn" in trade.news()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled", "reversed")


@on(*LOSES)
async def test_a_paid_order_loses_its_payment(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled")
    trade.rig.lose(NEEDED)
    await trade.until("settled", "reversed", "disputed")
    assert trade.cases() == ["disputed"]
    assert trade.stock() == (STOCK - 1, 0)  # the goods may be gone


@pytest.mark.parametrize("depth", [3, 8])
@on("anvil", "litecoind")
async def test_deep_reorganisations_are_noticed_in_one_round(trade: Trade, depth: int) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(depth)
    await trade.until("settled")
    trade.rig.lose(depth)
    await trade.look()
    assert await trade.state() == ("settled", frozenset({"reversed", "disputed"}))


@on(*DOUBLE_SPENDS)
async def test_a_double_spend_before_any_block(trade: Trade) -> None:
    address = await trade.offer()
    if trade.rig.asset == "ETH":
        node = trade.rig.node  # type: ignore[attr-defined]
        nonce = node.rpc("eth_getTransactionCount", node.accounts[0], "pending")
        node.pay(address, trade.rig.one, nonce=nonce, gasPrice=hex(3 * 10**9))
        await trade.until("processing")
        node.pay(node.accounts[3], 1, nonce=nonce, gasPrice=hex(9 * 10**9))
        node.mine()
    else:
        trade.rig.pay(address, trade.rig.one)
        await trade.until("processing")
        trade.rig.lose(0)
    await trade.until("new", "reversed")
    assert trade.news() == ["payment.seen", "payment.withdrawn"]


@on("anvil")
async def test_an_internal_transfer_counts(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.node.contract("600f80600b6000396000f36000600060006000346000355af100")  # type: ignore[attr-defined]
    trade.rig.node.forward(address, trade.rig.one)  # type: ignore[attr-defined]
    trade.rig.mine(NEEDED)
    await trade.until("settled")


@on("anvil")
async def test_a_token_is_never_counted(trade: Trade) -> None:
    address = await trade.offer()
    await trade.look()
    trade.rig.node.mint(address, 10**18)  # type: ignore[attr-defined]
    trade.rig.mine()
    await trade.until("new", "wrong_asset")
    assert trade.cases() == ["wrong_asset"]
    assert (await trade.row()).received == 0


@on("anvil")
async def test_what_the_owner_takes_away_was_received(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled")
    trade.rig.node.sweep(address)  # type: ignore[attr-defined]
    for _ in range(3):
        trade.rig.mine()
        await trade.look()
    assert await trade.state() == ("settled", frozenset())
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED)
    await trade.until("settled", "over")


@on("litecoind", "litesvm")
async def test_the_chain_itself_refuses_dust(rig: Rig) -> None:
    with pytest.raises(Refused, match=r"too small|InsufficientFundsForRent"):
        rig.pay(rig.fresh(), 1_000)


@on("anvil")
async def test_a_single_wei_is_a_partial_payment(trade: Trade) -> None:
    address = await trade.offer()
    trade.rig.pay(address, 1)
    trade.rig.mine()
    await trade.until("new", "partial")


@on(*ALL)
async def test_addresses_in_use_are_known(rig: Rig) -> None:
    paid, fresh = rig.watch(), rig.fresh()
    rig.pay(paid, rig.one)
    rig.mine()
    await rig.until(lambda report: report.transfers)
    assert await rig.driver.used([paid, fresh]) == {paid}
    assert await rig.driver.used([]) == set()


@on(*ALL)
async def test_nothing_expires_before_the_chain_was_caught_up(trade: Trade) -> None:
    address = await trade.offer()
    await trade.look()
    await trade.close()  # the bot is down
    trade.rig.pay(address, trade.rig.one)
    trade.rig.mine(NEEDED + 3)
    trade.rig.follow(address)  # an index that has not read the newest blocks could not tell of the payment
    await trade.rig.until(lambda report: depth(report, address) >= NEEDED)
    trade.now += trade.payments.expires + timedelta(minutes=20)
    trade.since = int(trade.now.timestamp() * 1000)
    await trade.tick()  # its clock is quicker than its node
    assert (await trade.row()).status == "new"
    assert trade.stock() == (STOCK, 1)
    trade.watch = trade.fresh_watch()
    await trade.until("settled")
    assert trade.stock() == (STOCK - 1, 0)


@on(*ALL)
async def test_nothing_expires_while_the_chain_stands_still(rig: Rig) -> None:
    trade = Trade(rig, policy())
    await trade.offer()
    await trade.look()
    trade.now += timedelta(hours=4)
    await trade.look()  # the node answers, always with the same block
    await trade.tick()
    assert await trade.state() == ("new", frozenset({"delayed"}))
    assert trade.stock() == (STOCK, 1)
    await trade.close()
