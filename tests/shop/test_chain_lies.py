"""Nodes that lie, stumble or are something else: refused with a sentence that tells no secret, and nothing is taken."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from plugins.chains import electrum_line, jsonrpc
from plugins.chains.bitcoin_rpc import BitcoinRpc
from plugins.chains.doors import of_wallet, open_driver
from plugins.chains.driver import NodeError, WrongNodeError
from plugins.chains.electrum import Electrum
from plugins.chains.ethereum import Ethereum
from plugins.chains.jsonrpc import Call, Endpoint
from plugins.chains.solana import Solana
from storage.shop.settings import ChainSetting
from storage.shop.transfers import Watched
from tests.shop.nodes.fake import SECRET, WHAT, Fake, Refuses, listening

Made = tuple[Fake, Callable[..., Endpoint]]
BLOCK = "ab" * 32
TXID = "cd" * 32
GENESIS = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
BTC = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
ETH = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
SOL = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    async with listening() as pair:
        yield pair


def watched(address: str) -> Watched:
    return Watched(
        address=address, invoice=1, created_at=datetime(2026, 11, 20, tzinfo=UTC), expected=1, needed=1, received=0
    )


# --- the line itself


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "says"),
    [
        (200, {}, b"<html>Welcome to nginx</html>", WrongNodeError, "not with JSON"),
        (200, {}, b"", WrongNodeError, "not with JSON"),
        (200, {}, b"\xff\xfe\x00", WrongNodeError, "not with JSON"),
        (200, {}, b"[" * 100_000, WrongNodeError, "not with JSON"),
        (200, {}, b'"text"', WrongNodeError, "not as a node"),
        (200, {}, b"[NaN]", WrongNodeError, "not with JSON"),
        (200, {}, b'{"error": {"code": 1, "message": "no batches"}}', NodeError, "no batches"),
        (401, {}, b"", WrongNodeError, "refused the credentials"),
        (403, {}, b"{}", WrongNodeError, "refused the credentials"),
        (429, {}, b"slow down", NodeError, "too often"),
        (302, {"location": "http://127.0.0.1:1/"}, b"", WrongNodeError, "sends elsewhere"),
        (503, {}, b"Work queue depth exceeded", NodeError, "not well"),
    ],
)
async def test_what_is_no_answer(
    made: Made, status: int, headers: dict[str, str], body: bytes, kind: type[Exception], says: str
) -> None:
    fake, endpoint = made
    fake.raw = (status, headers, body)
    with pytest.raises(NodeError, match=says) as trouble:
        await endpoint().batch([Call(method="getblockcount")])
    assert isinstance(trouble.value, kind)
    assert str(trouble.value).startswith(WHAT)
    assert SECRET not in str(trouble.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda answers: answers[:1],
        lambda answers: [*answers, answers[0]],
        lambda answers: [{**one, "id": 7} for one in answers],
        lambda answers: [{**one, "id": str(one["id"])} for one in answers],
        lambda answers: [{**one, "id": True} for one in answers],
        lambda answers: [1, 2],
        lambda answers: [],
        lambda answers: {"result": 1, "id": 0},
    ],
)
async def test_answers_that_do_not_belong_to_the_questions(made: Made, change: Callable[[Any], Any]) -> None:
    fake, endpoint = made
    fake.methods["one"] = lambda: 1
    fake.changed = change
    with pytest.raises(NodeError):
        await endpoint().batch([Call(method="one"), Call(method="one")])


async def test_answers_in_another_order_are_put_right(made: Made) -> None:
    fake, endpoint = made
    fake.methods["echo"] = lambda value: value
    fake.changed = lambda answers: answers[::-1]
    assert await endpoint().batch([Call(method="echo", params=(1,)), Call(method="echo", params=(2,))]) == [1, 2]


async def test_an_answer_without_end(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, endpoint = made
    monkeypatch.setattr(jsonrpc, "LARGEST", 1024 * 1024)
    fake.raw = (200, {}, b"[" + b" " * (2 * 1024 * 1024))
    with pytest.raises(NodeError, match="more than 1 MB"):
        await endpoint().batch([Call(method="one")])


async def test_a_node_that_never_answers() -> None:
    server = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        silent = Endpoint(session, f"http://u:{SECRET}@127.0.0.1:{port}", what=WHAT, seconds=0.1)
        with pytest.raises(NodeError, match=r"did not answer within 0\.1 s"):
            await silent.batch([Call(method="one")])
    server.close()


async def test_a_node_that_is_not_there() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NodeError, match="cannot be reached") as trouble:
            await Endpoint(session, f"http://u:{SECRET}@127.0.0.1:1", what=WHAT).batch([Call(method="one")])
    assert SECRET not in str(trouble.value)
    assert trouble.value.__cause__ is None
    assert trouble.value.__suppress_context__  # no traceback leads to the address


async def test_credentials_go_into_a_header_only(made: Made) -> None:
    fake, endpoint = made
    fake.methods["one"] = lambda: 1
    line = endpoint()
    await line.batch([Call(method="one")])
    assert fake.headers["Authorization"].startswith("Basic ")
    assert SECRET not in repr(line)


async def test_a_node_that_repeats_a_secret(made: Made) -> None:
    fake, endpoint = made

    def refuse() -> None:
        raise Refuses(-1, f"wrong key {SECRET}")

    fake.methods["one"] = refuse
    (answer,) = await endpoint().batch([Call(method="one")])
    assert answer.message == "wrong key ***"


@pytest.mark.parametrize("url", ["", "localhost", "ftp://a", "http://", "http://[::1", "http://a:port", "tcp://a:1"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(WrongNodeError, match="http://user:password@127"):
        Endpoint(None, url, what=WHAT)  # type: ignore[arg-type]


# --- Bitcoin Core


def core(fake: Fake, rows: list[dict[str, Any]] | None = None, **more: Any) -> None:
    """A node as Bitcoin Core of today, with descriptor wallets."""
    fake.methods = {
        "getblockhash": lambda height: GENESIS if height == 0 else BLOCK,
        "listwallets": lambda: ["stepgram"],
        "getnetworkinfo": lambda: {"version": 290_000},
        "getwalletinfo": lambda: {"private_keys_enabled": False, "descriptors": True},
        "getaddressinfo": lambda address: {"ismine": False, "iswatchonly": False},
        "importdescriptors": lambda wishes: [{"success": True} for _ in wishes],
        "listsinceblock": lambda *_: {"transactions": rows or [], "lastblock": BLOCK},
        "getblockchaininfo": lambda: {"blocks": 900_000, "bestblockhash": BLOCK, "time": 1_795_000_000},
        "getblockheader": lambda block: {"time": 1_700_000_000},
        "getmempoolentry": lambda txid: {"vsize": 100},
        **more,
    }


def core_driver(endpoint: Callable[..., Endpoint]) -> BitcoinRpc:
    return BitcoinRpc(endpoint(), asset="BTC", network="main", wallet="stepgram")


ROW: dict[str, Any] = {
    "address": BTC, "category": "receive", "amount": 0.0125, "vout": 1, "confirmations": 0, "txid": TXID,
}  # fmt: skip


async def test_bitcoin_core_with_descriptors(made: Made) -> None:
    fake, endpoint = made
    asked: list[Any] = []
    core(fake, [ROW, {**ROW, "category": "send", "amount": -1}, {**ROW, "address": "bc1qother"}])
    fake.methods["importdescriptors"] = lambda wishes: asked.append(wishes) or [{"success": True} for _ in wishes]
    driver = core_driver(endpoint)
    report = await driver.look([watched(BTC)])
    assert [(one.txid, one.position, one.amount, one.height) for one in report.transfers] == [
        (TXID, "1", 1_250_000, None)
    ]
    assert report.tip.height == 900_000
    assert report.complete == (BTC,)
    desc = asked[0][0]["desc"]
    assert desc.startswith(f"addr({BTC})#")
    fake.asked.clear()
    await driver.look([watched(BTC)])
    assert fake.asked == [["listsinceblock", "getblockchaininfo", "getblockhash", "getmempoolentry"]]


async def test_what_the_network_has_forgotten_is_not_reported(made: Made) -> None:
    fake, endpoint = made
    core(fake, [ROW])
    driver = core_driver(endpoint)
    assert (await driver.look([watched(BTC)])).transfers

    def gone(_: str) -> None:
        raise Refuses(-5, "Transaction not in mempool")

    fake.methods["getmempoolentry"] = gone
    assert (await driver.look([watched(BTC)])).transfers == ()
    fake.methods["getmempoolentry"] = lambda _: {}
    assert (await driver.look([watched(BTC)])).transfers  # it came back


async def test_a_conflict_is_not_reported(made: Made) -> None:
    fake, endpoint = made
    core(fake, [{**ROW, "confirmations": -2}])
    assert (await core_driver(endpoint).look([watched(BTC)])).transfers == ()


@pytest.mark.parametrize(
    "row",
    [
        {"amount": "0.0125"}, {"amount": -1}, {"amount": 0.123456789}, {"amount": 10**9}, {"amount": None},
        {"txid": "xyz"}, {"txid": TXID.upper()}, {"vout": -1}, {"vout": "0"}, {"confirmations": None},
        {"confirmations": 3}, {"confirmations": 3, "blockheight": 5},
        {"confirmations": 3, "blockheight": -5, "blockhash": BLOCK}, {"amount": True, "vout": None},
    ],
)  # fmt: skip
async def test_transactions_that_cannot_be(made: Made, row: dict[str, Any]) -> None:
    fake, endpoint = made
    core(fake, [{**ROW, **row}])
    with pytest.raises(NodeError):
        await core_driver(endpoint).look([watched(BTC)])


@pytest.mark.parametrize(
    ("method", "answer", "says"),
    [
        ("getblockhash", lambda _: BLOCK, "not on the network BTC main"),
        ("getwalletinfo", lambda: {"private_keys_enabled": True}, "holds private keys"),
        ("getwalletinfo", lambda: 7, "holds private keys"),
        ("listsinceblock", lambda *_: [], "did not list"),
        ("importdescriptors", lambda _: [], "did not say which addresses"),
        ("getblockchaininfo", lambda: {"blocks": "900000"}, "which block is its newest"),
        ("getblockchaininfo", list, "which block is its newest"),
    ],
)
async def test_answers_of_a_core_that_is_none(made: Made, method: str, answer: Callable[..., Any], says: str) -> None:
    fake, endpoint = made
    core(fake)
    fake.methods[method] = answer
    with pytest.raises(NodeError, match=says):
        await core_driver(endpoint).look([watched(BTC)])


async def test_an_address_that_the_wallet_does_not_take_is_not_called_complete(made: Made) -> None:
    fake, endpoint = made
    core(fake)
    fake.methods["importdescriptors"] = lambda wishes: [{"success": False} for _ in wishes]
    assert (await core_driver(endpoint).look([watched(BTC)])).complete == ()


async def test_a_wallet_is_made_as_far_as_the_node_can(made: Made) -> None:
    fake, endpoint = made
    made_with: list[tuple[Any, ...]] = []

    def create(*wish: Any) -> dict[str, str]:
        made_with.append(wish)
        if wish[5]:
            raise Refuses(-4, "Compiled without sqlite support")
        return {"name": "stepgram"}

    def load(_: str) -> None:
        raise Refuses(-18, "Path does not exist")

    legacy = {"private_keys_enabled": False}
    imported: list[Any] = []
    core(fake, listwallets=list, createwallet=create, loadwallet=load, getwalletinfo=lambda: legacy)
    fake.methods["importmulti"] = lambda wishes, _: imported.append(wishes) or [{"success": True} for _ in wishes]
    driver = core_driver(endpoint)
    assert (await driver.look([watched(BTC)])).complete == (BTC,)
    assert [wish[1:3] for wish in made_with] == [(True, True), (True, True)]  # no private keys, empty
    assert imported[0][0]["scriptPubKey"] == {"address": BTC}


async def test_a_node_that_begins_is_waited_for(made: Made) -> None:
    fake, endpoint = made
    core(fake)

    def warming(*_: object) -> None:
        raise Refuses(-28, "Loading block index…")

    fake.methods["getblockhash"] = warming
    driver = core_driver(endpoint)
    with pytest.raises(NodeError, match="Loading block index") as trouble:
        await driver.look([watched(BTC)])
    assert not isinstance(trouble.value, WrongNodeError)
    core(fake)
    assert (await driver.look([watched(BTC)])).complete == (BTC,)


# --- Ethereum


def block(height: int = 100, name: str = "a", parent: str = "b") -> dict[str, str]:
    return {
        "number": hex(height), "hash": "0x" + name * 64, "parentHash": "0x" + parent * 64, "timestamp": "0x6afd6b40",
    }  # fmt: skip


def evm(fake: Fake, **more: Any) -> None:
    fake.methods = {
        "eth_chainId": lambda: "0x1",
        "eth_getBlockByNumber": lambda *_: block(),
        "eth_call": lambda *_: "0x" + (10**16).to_bytes(16).hex(),
        "eth_getLogs": lambda _: [],
        **more,
    }


@pytest.mark.parametrize(
    ("network", "chain_id", "answer", "says"),
    [
        ("main", 0, "0xaa36a7", "on chain 11155111"),
        ("test", 0, "0x1", "on chain 1"),
        ("regtest", 0, "0x1", "on chain 1"),
        ("main", 137, "0x1", "on chain 1"),
        ("main", 0, 1, "not as an Ethereum node"),
        ("main", 0, None, "not as an Ethereum node"),
    ],
)
async def test_another_chain(made: Made, network: str, chain_id: int, answer: object, says: str) -> None:
    fake, endpoint = made
    evm(fake, eth_chainId=lambda: answer)
    with pytest.raises(WrongNodeError, match=says):
        await Ethereum(endpoint(), network=network, chain_id=chain_id).look([watched(ETH)])


async def test_a_node_that_runs_no_programs_is_asked_one_by_one(made: Made) -> None:
    fake, endpoint = made

    def refuse(*_: object) -> None:
        raise Refuses(-32000, "missing to")

    evm(fake, eth_call=refuse, eth_getBalance=lambda address, tag: hex(5 if tag == "latest" else 8))
    driver = Ethereum(endpoint(), network="main")
    report = await driver.look([watched(ETH)])
    assert [(one.amount, one.height) for one in report.transfers] == [(5, 100), (3, None)]
    assert report == await driver.look([watched(ETH)])


@pytest.mark.parametrize("answer", ["", "0x", "0x00", "0xzz" + "0" * 30, None, 5, "0x" + "00" * 32])
async def test_balances_that_cannot_be_read(made: Made, answer: object) -> None:
    fake, endpoint = made
    evm(fake, eth_call=lambda *_: answer, eth_getBalance=lambda *_: "0x_1")
    with pytest.raises(NodeError, match="does not tell balances"):
        await Ethereum(endpoint(), network="main").look([watched(ETH)])


@pytest.mark.parametrize("change", [{"number": 5}, {"hash": "0x1"}, {"timestamp": "soon"}, {"parentHash": None}])
async def test_a_block_that_cannot_be(made: Made, change: dict[str, Any]) -> None:
    fake, endpoint = made
    evm(fake, eth_getBlockByNumber=lambda *_: {**block(), **change})
    with pytest.raises(NodeError, match="newest block"):
        await Ethereum(endpoint(), network="main").look([watched(ETH)])


async def test_logs_that_are_no_transfers_to_us(made: Made) -> None:
    fake, endpoint = made
    log: dict[str, Any] = {
        "address": "0x" + "12" * 20, "topics": ["0x0", "0x0", "0x" + "0" * 24 + ETH[2:].lower()],
        "data": "0x" + "0" * 63 + "5",
        "blockNumber": "0x64", "logIndex": "0x3", "transactionHash": "0x" + "34" * 32, "blockHash": "0x" + "56" * 32,
    }  # fmt: skip
    wrong = [
        7, {**log, "removed": True}, {**log, "topics": log["topics"][:2]}, {**log, "topics": [*log["topics"], "0x1"]},
        {**log, "data": "0x"}, {**log, "data": "0x" + "0" * 64}, {**log, "address": "x"}, {**log, "blockNumber": 3},
        {**log, "topics": [1, 2, "0x" + "0" * 64]}, {**log, "transactionHash": None},
    ]  # fmt: skip
    evm(fake, eth_getLogs=lambda _: [*wrong, log, *[{**log, "logIndex": hex(one)} for one in range(10, 60)]])
    driver = Ethereum(endpoint(), network="main")
    await driver.look([watched(ETH)])
    report = await driver.look([watched(ETH)])
    found = [one for one in report.transfers if one.asset == "ERC20"]
    assert (found[0].amount, found[0].position) == (5, "0x" + "12" * 20 + ":3")
    assert len(found) == 20  # advertisement does not fill the ledger


# --- Solana


def svm(fake: Fake, *, lamports: int = 7, slot: int = 500, final: int = 480, **more: Any) -> None:
    signature = "5" * 88
    fake.methods = {
        "getGenesisHash": lambda: "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
        "getLatestBlockhash": lambda _: {"context": {"slot": slot}, "value": {"blockhash": "B"}},
        "getSlot": lambda _: final,
        "getVersion": dict,
        "getBlockTime": lambda _: 1_795_000_000,
        "getMultipleAccounts": lambda addresses, _: {"value": [{"lamports": lamports}] * len(addresses)},
        "getSignaturesForAddress": lambda *_: [{"signature": signature, "slot": slot - 1, "err": None}],
        "getTransaction": lambda *_: {
            "meta": {"err": None, "preBalances": [10, 0], "postBalances": [3, 7]},
            "transaction": {"message": {"accountKeys": ["payer", SOL]}, "signatures": [signature]},
        },
        **more,
    }


async def test_a_slot_that_was_given_up_takes_its_payment_with_it(made: Made) -> None:
    fake, endpoint = made
    svm(fake)
    driver = Solana(endpoint(), network="main")
    assert [one.amount for one in (await driver.look([watched(SOL)])).transfers] == [7]
    svm(fake, getSignaturesForAddress=lambda *_: [])
    fake.asked.clear()
    assert (await driver.look([watched(SOL)])).transfers == ()
    assert len(fake.asked) == 1


async def test_what_is_final_stays_also_when_a_node_has_forgotten_it(made: Made) -> None:
    fake, endpoint = made
    svm(fake, final=499)
    driver = Solana(endpoint(), network="main")
    await driver.look([watched(SOL)])
    svm(fake, slot=600, final=568, lamports=0, getSignaturesForAddress=lambda *_: [])
    assert len((await driver.look([watched(SOL)])).transfers) == 1
    second = Solana(endpoint(), network="main")
    second.remember(driver.memory())
    assert len((await second.look([watched(SOL)])).transfers) == 1


async def test_thirty_two_confirmations_mean_final(made: Made) -> None:
    fake, endpoint = made
    svm(fake, slot=1_000, final=900)  # the network does not agree any more
    report = await Solana(endpoint(), network="main").look([watched(SOL)])
    assert report.tip.height == 931
    (paid,) = report.transfers
    assert paid.height is not None
    assert report.tip.height - paid.height + 1 < 32


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("getGenesisHash", lambda: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"),
        ("getMultipleAccounts", lambda *_: {"value": []}),
        ("getMultipleAccounts", lambda *_: {"value": [{"lamports": -1}]}),
        ("getMultipleAccounts", lambda *_: []),
        ("getLatestBlockhash", lambda _: {"value": {"blockhash": "B"}}),
        ("getSlot", lambda _: None),
        ("getBlockTime", lambda _: None),
        ("getSignaturesForAddress", lambda *_: [{"signature": 5, "slot": 1}]),
        ("getSignaturesForAddress", lambda *_: {}),
    ],
)
async def test_answers_of_a_solana_node_that_is_none(made: Made, method: str, answer: Callable[..., Any]) -> None:
    fake, endpoint = made
    svm(fake)
    fake.methods[method] = answer
    with pytest.raises(NodeError):
        await Solana(endpoint(), network="main").look([watched(SOL)])


@pytest.mark.parametrize(
    "transaction",
    [
        None,
        {},
        {"meta": {"err": None}, "transaction": {}},
        {"meta": {"err": None, "preBalances": [1], "postBalances": [1]},
         "transaction": {"message": {"accountKeys": ["a", SOL]}, "signatures": ["5" * 88]}},
        {"meta": {"err": None, "preBalances": [1, 0], "postBalances": [1, 9]},
         "transaction": {"message": {"accountKeys": ["a", SOL]}, "signatures": ["6" * 88]}},
    ],
)  # fmt: skip
async def test_a_transaction_that_is_not_shown_yet(made: Made, transaction: object) -> None:
    fake, endpoint = made
    svm(fake, getTransaction=lambda *_: transaction)
    driver = Solana(endpoint(), network="main")
    report = await driver.look([watched(SOL)])
    assert (report.transfers, report.complete) == ((), ())
    svm(fake)
    report = await driver.look([watched(SOL)])
    assert (len(report.transfers), report.complete) == (1, (SOL,))


# --- Electrum


class FakeElectrum:
    """Answers line by line; `answers` by method, `raw` instead of everything."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "server.version": ["ElectrumX", "1.4"],
            "server.features": {"genesis_hash": GENESIS},
            "blockchain.headers.subscribe": {"height": 900_000, "hex": "00" * 80},
            "server.ping": None,
            "blockchain.scripthash.subscribe": "ab" * 32,
            "blockchain.scripthash.get_history": [],
        }
        self.raw: bytes | None = None
        self.writers: list[asyncio.StreamWriter] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while line := await reader.readline():
            asked = json.loads(line)
            told = self.answers.get(asked["method"])
            text = {"id": asked["id"], "result": told}
            if isinstance(told, Exception):
                text = {"id": asked["id"], "error": {"code": 1, "message": str(told)}}
            writer.write(self.raw if self.raw is not None else json.dumps(text).encode() + b"\n")
        writer.close()

    def say(self, method: str, *params: object) -> None:
        for writer in self.writers:
            writer.write(json.dumps({"method": method, "params": list(params)}).encode() + b"\n")


@pytest.fixture
async def server() -> AsyncIterator[tuple[FakeElectrum, Electrum]]:
    fake = FakeElectrum()
    listening = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    where = electrum_line.address(f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}", WHAT)
    driver = Electrum(
        lambda told: electrum_line.dial(where, what=WHAT, told=told), what=WHAT, asset="BTC", network="main"
    )
    yield fake, driver
    await driver.close()
    listening.close()


async def test_an_electrum_server(server: tuple[FakeElectrum, Electrum]) -> None:
    _, driver = server
    report = await driver.look([watched(BTC)])
    assert (report.tip.height, report.transfers, report.complete) == (900_000, (), (BTC,))


@pytest.mark.parametrize(
    ("method", "answer", "says"),
    [
        ("server.features", {"genesis_hash": BLOCK}, "not on the network"),
        ("server.features", 5, "not as an Electrum server"),
        ("server.version", None, "not as an Electrum server"),
        ("blockchain.headers.subscribe", {"height": 1, "hex": "00"}, "newest block"),
        ("blockchain.headers.subscribe", {"height": -1, "hex": "00" * 80}, "newest block"),
        ("blockchain.scripthash.subscribe", "x", "how an address stands"),
        ("blockchain.scripthash.subscribe", ValueError("excessive resource usage"), "how an address stands"),
        ("blockchain.scripthash.get_history", {}, "did not list"),
        ("blockchain.scripthash.get_history", ValueError("history too large"), "history too large"),
        ("blockchain.scripthash.get_history", [{"tx_hash": TXID}], "cannot be read"),
        ("server.ping", ValueError("go away"), "go away"),
    ],
)
async def test_lies_of_an_electrum_server(
    server: tuple[FakeElectrum, Electrum], method: str, answer: object, says: str
) -> None:
    fake, driver = server
    fake.answers[method] = answer
    with pytest.raises(NodeError, match=says):
        await driver.look([watched(BTC)])


async def test_another_transaction_than_the_one_asked_for(server: tuple[FakeElectrum, Electrum]) -> None:
    fake, driver = server
    fake.answers["blockchain.scripthash.get_history"] = [{"tx_hash": TXID, "height": 0}]
    fake.answers["blockchain.transaction.get"] = "0100000001" + "00" * 60
    with pytest.raises(NodeError, match="another transaction"):
        await driver.look([watched(BTC)])


async def test_a_transaction_that_is_gone_when_it_is_asked_for(server: tuple[FakeElectrum, Electrum]) -> None:
    fake, driver = server
    fake.answers["blockchain.scripthash.get_history"] = [{"tx_hash": TXID, "height": 0}]
    fake.answers["blockchain.transaction.get"] = ValueError("no such transaction")
    report = await driver.look([watched(BTC)])
    assert (report.transfers, report.complete) == ((), ())
    fake.answers["blockchain.scripthash.get_history"] = []
    assert (await driver.look([watched(BTC)])).complete == (BTC,)


@pytest.mark.parametrize("raw", [b"<html>\n", b"[]\n", b"\xff\n"])
async def test_something_else_listens(server: tuple[FakeElectrum, Electrum], raw: bytes) -> None:
    fake, driver = server
    fake.raw = raw
    with pytest.raises(WrongNodeError, match="not as an Electrum server"):
        await driver.look([watched(BTC)])


async def test_a_line_without_end(server: tuple[FakeElectrum, Electrum], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(electrum_line, "LARGEST", 4096)
    fake, driver = server
    fake.raw = b"x" * 100_000
    with pytest.raises(NodeError):
        await driver.look([watched(BTC)])


async def test_a_line_that_broke_is_made_anew(server: tuple[FakeElectrum, Electrum]) -> None:
    fake, driver = server
    await driver.look([watched(BTC)])
    fake.writers[-1].close()
    await asyncio.sleep(0.05)
    assert (await driver.look([watched(BTC)])).complete == (BTC,)
    assert len(fake.writers) == 2


async def test_nonsense_said_unasked(server: tuple[FakeElectrum, Electrum]) -> None:
    fake, driver = server
    await driver.look([watched(BTC)])
    fake.say("blockchain.scripthash.subscribe", "unknown", "x")
    fake.say("blockchain.scripthash.subscribe", 5)
    fake.say("something.new", {"a": 1})
    assert (await driver.look([watched(BTC)])).complete == (BTC,)
    fake.say("blockchain.headers.subscribe", {"height": "high"})
    await asyncio.sleep(0.05)
    assert (await driver.look([watched(BTC)])).complete == (BTC,)  # over a new line
    assert len(fake.writers) == 2


@pytest.mark.parametrize("url", ["", "http://a:1", "tcp://a", "tcp://:1", "ssl://a:x", "127.0.0.1:50001"])
def test_what_is_no_address_of_an_electrum_server(url: str) -> None:
    with pytest.raises(WrongNodeError, match="tcp://127"):
        electrum_line.address(url, WHAT)


# --- settings


@pytest.mark.parametrize(
    ("asset", "via", "url", "kind"),
    [
        ("BTC", "bitcoin", "http://u:p@127.0.0.1:8332", BitcoinRpc),
        ("LTC", "electrum", "ssl://127.0.0.1:50002?fingerprint=ab:cd", Electrum),
        ("ETH", "ethereum", "https://127.0.0.1/v3/key", Ethereum),
        ("SOL", "solana", " http://127.0.0.1:8899 ", Solana),
    ],
)
def test_each_way_has_its_driver(asset: str, via: Any, url: str, kind: type[Any]) -> None:
    chain = ChainSetting(via=via, node="NODE", keys="K")
    assert isinstance(open_driver(asset, chain, http=lambda: None, environment={"NODE": url}), kind)  # type: ignore[arg-type,return-value]
    for wrong in ({}, {"NODE": ""}, {"NODE": "nonsense"}):
        with pytest.raises(WrongNodeError, match=r"NODE"):
            open_driver(asset, chain, http=lambda: None, environment=wrong)  # type: ignore[arg-type,return-value]


def test_a_wallet_of_ones_own() -> None:
    assert of_wallet("http://u:p@127.0.0.1:8332") == ("http://u:p@127.0.0.1:8332", "stepgram")
    assert of_wallet("http://u:p@127.0.0.1:8332/wallet/shop-2") == ("http://u:p@127.0.0.1:8332", "shop-2")
    assert of_wallet("http://127.0.0.1/node/wallet/a/") == ("http://127.0.0.1/node", "a")


# --- certificates


def certificate(folder: Path) -> tuple[Path, str]:
    """One that nobody has signed, with its key in the same file, and its SHA-256."""
    x509 = pytest.importorskip("cryptography.x509", reason="pip install 'stepgram[crypto]'")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    kept = folder / "both.pem"
    pem = serialization.Encoding.PEM
    kept.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return kept, made.fingerprint(hashes.SHA256()).hex()


async def test_a_certificate_that_nobody_signed_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    kept, fingerprint = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kept)
    fake = FakeElectrum()
    listening = await asyncio.start_server(fake.handle, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]

    async def look(more: str) -> tuple[str, ...]:
        where = electrum_line.address(f"ssl://127.0.0.1:{port}{more}", WHAT)
        driver = Electrum(
            lambda told: electrum_line.dial(where, what=WHAT, told=told), what=WHAT, asset="BTC", network="main"
        )
        try:
            return (await driver.look([watched(BTC)])).complete
        finally:
            await driver.close()

    with pytest.raises(WrongNodeError, match="nobody has signed"):
        await look("")
    with pytest.raises(WrongNodeError, match="another certificate"):
        await look("?fingerprint=" + "ab" * 32)
    assert await look(f"?fingerprint={fingerprint.upper()}") == (BTC,)
    listening.close()
