"""Addresses of orders: never the same twice, not after a restored backup, a kill, or a change of the account."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from engine.actions.context import Voiced
from engine.actions.testing import Database, work
from storage.postgres_store import PostgresStore
from storage.shop import addresses, marks, pool, wallets
from storage.shop.addresses import Issued, NoAddress
from storage.shop.keys import accounts, bip32, evm, practice
from storage.shop.settings import ChainSetting, ChainSettings
from tests.shop.issuing import (
    CHAINS,
    ENVIRONMENT,
    OTHER_SEED,
    PHRASE,
    SEED,
    invoiced,
    ordered,
    refused,
    shop,
    solana_pool,
    xpub,
)  # fmt: skip

PRACTICE = ChainSettings(BTC=ChainSetting(), LTC=ChainSetting(), ETH=ChainSetting(), SOL=ChainSetting())


async def cases(database: Database) -> list[tuple[str, str]]:
    rows = await database.query("SELECT kind, text FROM pay_cases ORDER BY id")
    return [(str(row["kind"]), str(row["text"])) for row in rows]


@pytest.mark.parametrize(("asset", "begins"), [("BTC", "bcrt1q"), ("LTC", "rltc1q"), ("ETH", "0x"), ("SOL", "")])
async def test_practice_needs_no_keys_and_no_table(asset: str, begins: str, tmp_path: Path):
    database = Database.of()
    given = [
        await addresses.issue(work(database), asset, chains=PRACTICE, environment={}, data=tmp_path, key=key)
        for key in ("order-1", "order-2", "order-1")
    ]
    assert given[0] == given[2] != given[1]
    assert isinstance(given[0], Issued)
    assert given[0].address.startswith(begins)
    assert given[0].path == practice.PATH
    assert not list(tmp_path.iterdir())


def test_practice_has_no_other_coins():
    with pytest.raises(ValueError, match="no practice with XMR"):
        practice.address("XMR", "o")
    evm.decode(practice.address("ETH", "o"))


async def test_each_order_gets_the_next_address_of_the_account(tmp_path: Path):
    database = shop()
    given = [await ordered(work(database), "BTC", f"o{number}", tmp_path) for number in range(3)]
    account = wallets.account_of_seed("BTC", "main", SEED)
    assert [issued.address for issued in given] == [accounts.address("BTC", account, at, "bc") for at in range(3)]
    assert [issued.path for issued in given] == [f"m/84'/0'/0'/0/{at}@{account.name}" for at in range(3)]


@pytest.mark.parametrize("asset", ["BTC", "LTC", "ETH"])
async def test_the_same_order_gets_the_same_address(asset: str, tmp_path: Path):
    """A transaction that was undone, or cut off by a kill, is done again: no number is lost, none is used twice."""
    database = shop()
    first = await addresses.issue(
        work(database), asset, chains=CHAINS, environment=ENVIRONMENT, data=tmp_path, key="o1", at=1
    )
    await database.execute("DELETE FROM pay_indexes")
    again = await ordered(work(database), asset, "o1", tmp_path)
    other = await ordered(work(database), asset, "o2", tmp_path)
    once_more = await addresses.issue(
        work(database), asset, chains=CHAINS, environment=ENVIRONMENT, data=tmp_path, key="o1", at=1
    )
    assert first == again == once_more
    assert other.address != again.address


async def test_a_number_that_was_on_disk_when_the_machine_died_is_not_for_another_order(tmp_path: Path):
    """The mark is written, the transaction is not: the next order passes the number over, the same one takes it."""
    database, died = shop(), shop()
    lost = await ordered(work(died), "BTC", "o1", tmp_path)
    other = await ordered(work(database), "BTC", "o2", tmp_path)
    again = await ordered(work(database), "BTC", "o1", tmp_path)
    assert (lost.address == again.address, lost.address == other.address) == (True, False)


async def test_the_numbers_of_a_dead_transaction_are_not_shared(tmp_path: Path):
    """The same order in two databases by accident: what another order has by now is not handed out twice."""
    database = shop()
    lost = await ordered(work(shop()), "BTC", "o1", tmp_path)
    await invoiced(work(database), "BTC", "o9", lost)
    again = await ordered(work(database), "BTC", "o1", tmp_path)
    assert again.address != lost.address


async def test_two_databases_that_share_the_folder_share_no_address(tmp_path: Path):
    """The old machine still runs while the restored one is started: they take turns, whoever is quicker."""
    databases = [shop() for _ in range(4)]

    async def orders(which: int) -> list[str]:
        return [(await ordered(work(databases[which]), "BTC", f"{which}-{at}", tmp_path)).address for at in range(12)]

    given = await asyncio.gather(*(orders(which) for which in range(4)))
    assert len({address for addresses_of_one in given for address in addresses_of_one}) == 48


async def test_a_restored_backup_gives_out_no_address_again(tmp_path: Path):
    database = shop()
    before = [await ordered(work(database), "BTC", f"o{number}", tmp_path) for number in range(5)]
    old = Database.of()
    database.connection.backup(old.connection)
    after = [await ordered(work(database), "BTC", f"p{number}", tmp_path) for number in range(40)]
    restored = [await ordered(work(old), "BTC", f"q{number}", tmp_path) for number in range(40)]
    everything = [issued.address for issued in (*before, *after, *restored)]
    assert len(set(everything)) == len(everything) == 85
    assert restored[0].path.startswith("m/84'/0'/0'/0/45@")


async def test_a_restored_pool_gives_out_no_address_again(tmp_path: Path):
    database, other = shop(), solana_pool(30, seed=OTHER_SEED)
    await pool.put(work(database), solana_pool(30))
    before = [await ordered(work(database), "SOL", f"o{number}", tmp_path) for number in range(25)]
    await pool.put(work(database), other)
    before += [await ordered(work(database), "SOL", f"p{number}", tmp_path) for number in range(10)]
    empty = shop()
    await pool.put(work(empty), other)  # in another order than before
    await pool.put(work(empty), solana_pool(30))
    after = [await ordered(work(empty), "SOL", f"q{number}", tmp_path) for number in range(25)]
    everything = [issued.address for issued in (*before, *after)]
    assert len(set(everything)) == len(everything) == 60
    nothing = await addresses.issue(work(empty), "SOL", chains=CHAINS, environment={}, data=tmp_path, key="late", at=1)
    assert isinstance(nothing, NoAddress)
    assert "stepgram keys import pool.txt" in nothing.reason
    assert [kind for kind, _ in await cases(empty)][-1] == "pool_empty"


async def test_lost_marks_and_numbers_skip_what_orders_have(tmp_path: Path):
    """Both the file and the row are gone, the invoices are not."""
    database = shop()
    before = [await ordered(work(database), "BTC", f"o{number}", tmp_path / "a") for number in range(5)]
    await database.execute("DELETE FROM pay_indexes")
    after = await ordered(work(database), "BTC", "o5", tmp_path / "b")
    assert after.address not in {issued.address for issued in before}
    assert after.path.startswith("m/84'/0'/0'/0/5@")


async def test_another_account_counts_for_itself(tmp_path: Path):
    database = shop()
    await ordered(work(database), "BTC", "o1", tmp_path)
    environment = ENVIRONMENT | {"BTC_XPUB": xpub("BTC", OTHER_SEED)}
    found = await addresses.issue(
        work(database), "BTC", chains=CHAINS, environment=environment, data=tmp_path, key="o2", at=1
    )
    assert isinstance(found, Issued)
    assert found.path.startswith("m/84'/0'/0'/0/0@")
    await invoiced(work(database), "BTC", "o2", found)
    assert (await ordered(work(database), "BTC", "o3", tmp_path)).path.startswith("m/84'/0'/0'/0/1@")


async def test_nothing_is_given_out_before_it_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A full disk: no address, no number taken."""
    database = shop()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        reason = await refused(work(database), "BTC", CHAINS, ENVIRONMENT, tmp_path)
    assert "No space left on device" in reason
    assert list((tmp_path / "addresses").glob("*.json")) == []
    assert (await ordered(work(database), "BTC", "o1", tmp_path)).path.startswith("m/84'/0'/0'/0/0@")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"next": "7"}', b'{"next": 1e99}', b"\xff"])
async def test_a_damaged_mark_is_not_taken_for_a_fresh_one(content: bytes, tmp_path: Path):
    database = shop()
    await ordered(work(database), "BTC", "o1", tmp_path)
    file = next((tmp_path / "addresses").glob("*.json"))
    file.write_bytes(content)
    reason = await refused(work(database), "BTC", CHAINS, ENVIRONMENT, tmp_path)
    assert str(file) in reason
    assert '{"next": N}' in reason
    file.write_bytes(b'{"next": 17}')
    assert (await ordered(work(database), "BTC", "o2", tmp_path)).path.startswith("m/84'/0'/0'/0/17@")


async def test_the_mark_remembers_the_latest_orders_only(tmp_path: Path):
    mark = marks.Mark()
    for number in range(200):
        mark = marks.given(mark, number, f"o{number}")
    marks.write(tmp_path, "BTC", "a", mark)
    read = marks.read(tmp_path, "BTC", "a")
    assert (read.next, len(read.latest)) == (200, 64)
    assert (marks.number_of(read, "o199"), marks.number_of(read, "o1")) == (199, None)
    assert "o199" not in marks.path_of(tmp_path, "BTC", "a").read_text()


def test_the_mark_never_goes_back_whoever_is_late(tmp_path: Path):
    """Writers of several threads, in any order: at any moment the file is whole, and in the end it has the highest."""
    numbers = [(7 * number) % 101 for number in range(101)]
    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(lambda at: marks.write(tmp_path, "BTC", "a", marks.Mark(next=at)), numbers):
            marks.read(tmp_path, "BTC", "a")
    assert marks.read(tmp_path, "BTC", "a").next == 100
    marks.write(tmp_path, "BTC", "a", marks.Mark(next=5))
    assert marks.read(tmp_path, "BTC", "a").next == 100


@pytest.mark.parametrize("asset", ["BTC", "LTC", "ETH"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "is not set"), ("nonsense", "holds no key"), (PHRASE, "several words"), ("7" * 300, "300 letters"),
        (xpub("BTC")[:-1], "checksum is wrong"), ("KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d", "34 bytes"),
    ],
)  # fmt: skip
async def test_what_is_no_public_key_is_named_without_being_shown(asset: str, value: str, said: str, tmp_path: Path):
    environment = {f"{asset}_XPUB": value}
    reason = await refused(work(shop()), asset, CHAINS, environment, tmp_path)
    assert said in reason
    assert f"{asset}_XPUB" in reason
    assert not value or value not in reason


XPRV = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
ZPRV = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE"
MASTER = (
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
)
YPUB = "ypub6Ww3ibxVfGzLrAH1PNcjyAWenMTbbAosGNB6VvmSEgytSER9azLDWCxoJwW7Ke7icmizBMXrzBx9979FfaHxHcrArf3zbeJJJUZPf663zsP"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (XPRV, "private key (xprv)"), (ZPRV, "private key (zprv)"), (MASTER, "depth 0"), (YPUB, "ypub"),
        (xpub("BTC", network="test"), "a tpub, a key of a test network"),
    ],
)  # fmt: skip
async def test_keys_of_another_kind_are_refused(value: str, said: str, tmp_path: Path):
    reason = await refused(work(shop()), "BTC", CHAINS, {"BTC_XPUB": value}, tmp_path)
    assert said in reason
    assert value not in reason
    assert value[20:40] not in reason


def test_a_key_that_is_not_of_an_account_is_refused():
    node = bip32.Private.of(SEED).down("m/84'/0'/0'", _public).public(_public)
    soft = bytes.fromhex("0488b21e") + b"\x03" + bytes(4) + (7).to_bytes(4) + node.chain + node.point
    from storage.shop.keys import base58
    from storage.shop.keys.errors import KeyTrouble

    with pytest.raises(KeyTrouble, match="not hardened"):
        bip32.read_account(base58.encode_checked(soft), asset="BTC", network="main")
    off = bytes.fromhex("0488b21e") + b"\x03" + bytes(4) + b"\x80" + bytes(3) + node.chain + b"\x02" + (5).to_bytes(32)
    with pytest.raises(KeyTrouble, match="not on the curve"):
        bip32.read_account(base58.encode_checked(off), asset="BTC", network="main")


def _public(secret: bytes) -> bytes:
    from storage.shop.keys import native

    return native.public(secret)


async def test_settings_that_are_missing_are_named(tmp_path: Path):
    reason = await refused(work(shop()), "BTC", ChainSettings(), {}, tmp_path)
    assert reason == "bot.yaml has no BTC under plugins: chains:"
    nameless = ChainSettings(BTC=ChainSetting(via="bitcoin"))
    assert "keys:" in await refused(work(shop()), "BTC", nameless, {}, tmp_path)
    assert "node:" in str(nameless.check())


@pytest.mark.parametrize(
    ("chains", "said"),
    [
        (CHAINS, None), (PRACTICE, None), (ChainSettings(), None),
        (ChainSettings(SOL=ChainSetting(via="bitcoin", node="N")), "practice, solana"),
        (ChainSettings(BTC=ChainSetting(via="bitcoin", node="N")), "keys:"),
        (ChainSettings(ETH=ChainSetting(via="ethereum", node="N", keys="K", gap=0)), "gap:"),
        (ChainSettings(BTC=ChainSetting(), SOL=ChainSetting(via="solana", node="N")), "gets the goods for nothing"),
        (ChainSettings(BTC=ChainSetting(), SOL=ChainSetting(via="solana", node="N", network="test")), None),
    ],
)  # fmt: skip
def test_settings_are_checked_together(chains: ChainSettings, said: str | None):
    assert (chains.check() is None) if said is None else said in str(chains.check())


async def test_without_the_libraries_the_sentence_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "coincurve", None)
    accounts._branch.cache_clear()
    reason = await refused(work(shop()), "BTC", CHAINS, ENVIRONMENT, tmp_path)
    assert "pip install 'stepgram[crypto]'" in reason


async def test_an_address_that_comes_out_differently_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One bit flips between the two ways: no address, no number taken, and the next attempt gives the first."""
    from storage.shop.keys import native

    right = native.hash160
    with monkeypatch.context() as patch:
        patch.setattr(native, "hash160", lambda data: bytes([right(data)[0] ^ 1]) + right(data)[1:])
        assert "shown to nobody" in await refused(work(shop()), "BTC", CHAINS, ENVIRONMENT, tmp_path)
    assert (await ordered(work(shop()), "BTC", "o1", tmp_path)).path.startswith("m/84'/0'/0'/0/0@")


async def test_a_long_row_of_unpaid_addresses_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    database = shop()
    with caplog.at_level(logging.WARNING):
        for number in range(60):
            await ordered(work(database), "BTC", f"o{number}", tmp_path, received="5" if number == 2 else "0")
    assert [kind for kind, _ in await cases(database)] == ["gap"]
    text = (await cases(database))[0][1]
    assert text.startswith("BTC: the last 20 addresses were not paid")
    assert "change_gap_limit(100)" in text
    assert len(caplog.records) == 1
    for number in range(60, 110):
        await ordered(work(database), "BTC", f"o{number}", tmp_path)
    assert "change_gap_limit(1000)" in (await cases(database))[-1][1]
    assert len(await cases(database)) == 2
    await database.execute("UPDATE pay_invoices SET received = '7' WHERE order_id = 'o109'")
    for number in range(110, 140):
        await ordered(work(database), "BTC", f"o{number}", tmp_path)
    assert len(await cases(database)) == 3


async def test_the_hint_for_ether_is_about_accounts(tmp_path: Path):
    database = shop()
    chains = replace(CHAINS, ETH=replace(CHAINS.ETH, gap=3))
    for number in range(4):
        await ordered(work(database), "ETH", f"o{number}", tmp_path, chains=chains)
    assert "m/44'/60'/0'/0/3" in (await cases(database))[0][1]


async def test_a_pool_that_runs_low_is_told_once(tmp_path: Path):
    database = shop()
    await pool.put(work(database), solana_pool(20))
    for number in range(20):
        await ordered(work(database), "SOL", f"o{number}", tmp_path)
    found = await cases(database)
    assert [kind for kind, _ in found] == ["pool_low"]
    assert "3 of 20 addresses are left" in found[0][1]
    assert "--start 20" in found[0][1]


async def test_a_second_pool_is_no_reason_to_warn(tmp_path: Path):
    database = shop()
    await pool.put(work(database), solana_pool(5))
    await pool.put(work(database), solana_pool(20, seed=OTHER_SEED))
    for number in range(8):
        await ordered(work(database), "SOL", f"o{number}", tmp_path)
    assert await cases(database) == []


async def test_a_damaged_row_of_the_pool_is_not_shown(tmp_path: Path):
    database = shop()
    await pool.put(work(database), solana_pool(2))
    for damaged in (accounts.base58.encode((2).to_bytes(32, "little")), "0", ""):
        await database.execute("UPDATE pay_pool SET address = ? WHERE position = 0", (damaged,))
        assert "damaged" in await refused(work(database), "SOL", CHAINS, {}, tmp_path)


async def test_two_at_once_on_postgresql_get_two(database_url: str, tmp_path: Path):
    """Several connections, one account: 40 orders, 40 addresses, none left out."""
    store = PostgresStore(database_url)
    await store.open()

    async def order(number: int) -> str:
        async with store.transaction() as transaction:
            return (await ordered(Voiced(transaction, []), "BTC", f"o{number}", tmp_path)).address

    try:
        given = await asyncio.gather(*(order(number) for number in range(40)))
        async with store.transaction() as transaction:
            rows = await transaction.query("SELECT next FROM pay_indexes")
            warned = await transaction.query("SELECT kind, text FROM pay_cases")
    finally:
        await store.close()
    assert len(set(given)) == 40
    assert [row["next"] for row in rows] == [40]
    assert [row["kind"] for row in warned] == ["gap"]


async def test_the_pool_on_postgresql(database_url: str, tmp_path: Path):
    store = PostgresStore(database_url)
    await store.open()
    try:
        async with store.transaction() as transaction:
            assert await pool.put(Voiced(transaction, []), solana_pool(12)) == 12
            assert await pool.put(Voiced(transaction, []), solana_pool(15)) == 3
        async with store.transaction() as transaction:
            given = [await ordered(Voiced(transaction, []), "SOL", f"o{number}", tmp_path) for number in range(13)]
            left = await pool.left(transaction, "SOL", given[0].path.split("@")[1])
    finally:
        await store.close()
    assert len({issued.address for issued in given}) == 13
    assert (left.total, left.left, left.next) == (15, 2, 13)
