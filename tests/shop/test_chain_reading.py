"""What drivers read and reckon, without any node: scripts, transactions, headers, balances, networks. Pure."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.chains import balances, bitcoin_bytes, bitcoin_mempool, reading, scripts, tokens
from plugins.chains.balances import History, Step, advanced, earlier, moved, swept
from plugins.chains.ethereum import Ethereum
from plugins.chains.jsonrpc import digest, quantity, whole
from plugins.chains.networks import GENESIS, right_chain_id, right_genesis
from plugins.chains.solana import Solana
from storage.shop.keys import bech32

SEGWIT = (
    "01000000000101db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a54770100000000feffffff02b8b4eb0b00000000"
    "1976a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d7"
    "7c88ac02473044022047ac8e878352d3ebbde1c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c713331d877c"
    "1f64677e3622ad4010726870540656fe9dcb012103ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c43f7d6f93a2a2687392040000"
)
"""A transaction with a witness; its id is what litecoind makes of it."""
GENESIS_HEADER = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a"
    "51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def test_a_transaction_with_witnesses() -> None:
    txid, outputs = bitcoin_bytes.transaction(bytes.fromhex(SEGWIT))
    assert txid == "321a59707939041eeb0d524f34432c0c46ca3920f0964e6c23697581f176b6c0"
    assert [one.value for one in outputs] == [199_996_600, 800_000_000]
    assert outputs[0].script.hex() == "76a914a457b684d7f0d539a46a45bbc043f35b59d0d96388ac"


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_stumble(raw: bytes) -> None:
    try:
        txid, _ = bitcoin_bytes.transaction(raw)
    except ValueError:
        return
    assert len(txid) == 64


@given(st.integers(0, len(SEGWIT) // 2 - 5))
def test_a_transaction_that_was_cut_off(size: int) -> None:
    try:
        txid, _ = bitcoin_bytes.transaction(bytes.fromhex(SEGWIT)[:size])
    except ValueError:
        return
    assert txid != "321a59707939041eeb0d524f34432c0c46ca3920f0964e6c23697581f176b6c0"


def test_the_first_block_of_all() -> None:
    header = bitcoin_bytes.header(bytes.fromhex(GENESIS_HEADER))
    assert header.block in GENESIS["BTC", "main"]
    assert header.time == 1_231_006_505
    with pytest.raises(ValueError, match="80 bytes"):
        bitcoin_bytes.header(b"")


@pytest.mark.parametrize(
    ("address", "script"),
    [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
        ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
    ],
)
def test_scripts_of_addresses(address: str, script: str) -> None:
    assert scripts.script(address).hex() == script


def test_what_electrum_calls_an_address() -> None:
    # the protocol's own example
    assert (
        scripts.scripthash("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
        == "8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161"
    )


@pytest.mark.parametrize(
    "address",
    ["", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "0x12", "1" * 300],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        scripts.script(address)


def test_descriptors_have_the_checksum_of_bip_380() -> None:
    assert scripts.checked("raw(deadbeef)") == "raw(deadbeef)#89f8spxm"
    address = bech32.encode("bc", secrets.token_bytes(20))
    assert scripts.descriptor(address).startswith(f"addr({address})#")


# --- balances

WEI = st.integers(0, 10**20)


@given(st.lists(st.tuples(WEI, WEI), max_size=30))
def test_transfers_sum_up_to_the_balance_whatever_it_does(rounds: list[tuple[int, int]]) -> None:
    history = History()
    numbers: dict[int, int] = {}
    for height, (latest, more) in enumerate(rounds):
        history = advanced(history, latest=latest, pending=latest + more, height=height, block=f"b{height}")
        assert history.included <= latest  # never more than there is
        assert sum(step.amount for step in history.steps) == latest + more
        assert all(step.amount > 0 for step in history.steps)
        for step in history.steps:
            # a number means one amount for ever
            assert numbers.setdefault(step.number, step.amount) == step.amount
        assert history == advanced(history, latest=latest, pending=latest + more, height=height, block=f"b{height}")
        assert balances.read(balances.written(history)) == history
    if rounds:
        latest = rounds[-1][0]
        history = advanced(history, latest=latest, pending=latest, height=99, block="b")
        assert history.included == latest  # with an empty mempool nothing is left out


@given(st.lists(st.integers(1, 10**18), min_size=1, max_size=200))
def test_single_wei_make_no_endless_list(amounts: list[int]) -> None:
    history, total = History(), 0
    for height, amount in enumerate(amounts):
        total += amount
        history = advanced(history, latest=total, pending=0, height=height, block="b")
    assert len(history.steps) <= balances.MOST
    assert history.included == total


def test_a_payment_keeps_its_name_from_the_mempool_to_the_block() -> None:
    seen = advanced(History(), latest=0, pending=7, height=5, block="b5")
    mined = advanced(seen, latest=7, pending=7, height=6, block="b6")
    assert seen.steps == (Step(number=1, amount=7),)
    assert mined.steps == (Step(number=1, amount=7, height=6, block="b6"),)
    assert advanced(mined, latest=7, pending=7, height=9, block="b9") == mined


def test_what_was_swept_counts_on() -> None:
    paid = advanced(History(), latest=10, pending=10, height=1, block="b1")
    gone = swept(paid, latest=2, nonce=1)
    assert advanced(gone, latest=2, pending=2, height=2, block="b2").included == 10
    again = advanced(gone, latest=5, pending=5, height=3, block="b3")
    assert [step.amount for step in again.steps] == [10, 3]
    assert swept(paid, latest=2, nonce=0) == paid  # nobody sent anything: the chain was reorganised
    assert advanced(paid, latest=2, pending=2, height=2, block="x").included == 2


def test_better_places_and_blocks_that_are_gone() -> None:
    history = advanced(History(), latest=10, pending=10, height=9, block="b9")
    assert earlier(history, {8: ("b8", 10), 7: ("b7", 9)}).steps[0].height == 8
    assert earlier(history, {7: ("b7", 9)}) == history
    assert moved(history, {9: "b9"}, height=12, block="b12") == (history, False)
    found, gone = moved(history, {9: "other"}, height=12, block="b12")
    assert gone
    assert found.steps[0].height == 12
    assert moved(history, {}, height=8, block="b8")[1]  # the chain is shorter now


@pytest.mark.parametrize(
    "memory", ["", "x", "[]", "{}", '{"histories": 5}', '{"histories": {"a": [1]}, "tokens": []}', "5"]
)
def test_a_memory_that_cannot_be_read_is_passed_over(memory: str) -> None:
    for driver in (Ethereum(None, network="main"), Solana(None, network="main")):  # type: ignore[arg-type]
        before = driver.memory()
        driver.remember(memory)
        assert driver.memory() == before
    assert bitcoin_mempool.read(memory, asset="BTC") == ()


def test_the_program_reads_a_thousand_addresses_at_once() -> None:
    addresses = ["0x" + secrets.token_hex(20) for _ in range(1_001)]
    calls = reading.calls(addresses, "latest")
    assert len(calls) == 2
    assert len(reading.PROGRAM) == 2 * 0x2D  # where it says that the addresses begin
    answers = ["0x" + b"".join(number.to_bytes(16) for number in range(1_000)).hex(), "0x" + (1_000).to_bytes(16).hex()]
    assert reading.balances(answers, 1_001) == list(range(1_001))
    assert reading.balances(answers, 1_000) is None
    assert reading.plain_balances(["0x5", None]) is None


def test_tokens_are_asked_for_a_thousand_at_once() -> None:
    addresses = ["0x" + secrets.token_hex(20) for _ in range(1_001)]
    assert len(tokens.calls(addresses, 100)) == 2
    assert tokens.calls([], 5) == []


def test_numbers_as_nodes_write_them() -> None:
    assert [whole(value) for value in (5, True, -1, "5", 5.0, None, 2**63)] == [5, None, None, None, None, None, None]
    assert [quantity(value) for value in ("0x1f", "1f", "0x", "0xg", 31, "0x1_0", "0x" + "f" * 65)] == [31] + [None] * 6
    assert digest("AB" * 32) is None


def test_networks() -> None:
    (main,) = GENESIS["BTC", "main"]
    assert right_genesis("BTC", "main", main)
    assert not right_genesis("LTC", "main", main)
    assert not right_genesis("SOL", "regtest", next(iter(GENESIS["SOL", "main"])))  # a private chain is none of these
    assert right_genesis("SOL", "regtest", "something")
    assert right_chain_id("main", 0, 1)
    assert right_chain_id("main", 8453, 8453)
    assert right_chain_id("regtest", 0, 31_337)
    assert not right_chain_id("regtest", 0, 1)
