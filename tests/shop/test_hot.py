"""The opt-in hot mode: seeds at rest, moved, altered, rotated; one key shown once, with its entry in the books."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.actions.testing import Database, work
from storage.shop import addresses, hot, wallets
from storage.shop.addresses import Issued, NoAddress
from storage.shop.hot import NotRevealed, Revealed
from storage.shop.keys import base58, bip32, native, sealing
from storage.shop.keys.errors import KeyTrouble
from storage.shop.settings import ChainSettings
from tests.shop.hot_shop import ASSETS, ENVIRONMENT, EXPECTED, HOT, KEYS, NEW_KEYS, chain, sealed
from tests.shop.issuing import CHAINS, OTHER_SEED, SEED, invoiced, ordered, shop, xpub

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


async def hot_order(database: Database, asset: str, order: str, data: Path) -> Issued:
    found = await addresses.issue(
        work(database), asset, chains=HOT, environment=ENVIRONMENT, data=data, key=order, at=1
    )
    assert isinstance(found, Issued), found
    await invoiced(work(database), asset, order, found)
    return found


async def reveal(
    database: Database,
    order: str,
    *,
    chains: ChainSettings = HOT,
    environment: dict[str, str] = ENVIRONMENT,
    reason: str = "sent to the wrong address",
    again: bool = False,
) -> Revealed | NotRevealed:
    return await hot.reveal(
        work(database), order, who="terminal: anna", reason=reason, now=NOW, chains=chains, environment=environment,
        again=again,
    )  # fmt: skip


async def books(database: Database) -> list[dict[str, object]]:
    return [dict(row) for row in await database.query("SELECT at, who, what, order_id, reason FROM pay_audit")]


@pytest.mark.parametrize("asset", ASSETS)
async def test_hot_addresses_are_those_of_the_seed(asset: str, tmp_path: Path):
    database = shop()
    given = [await hot_order(database, asset, f"o{number}", tmp_path) for number in range(3)]
    wallet = EXPECTED[asset]
    assert not isinstance(wallet, wallets.PoolWallet)
    assert [issued.address for issued in given] == [wallet.address(number) for number in range(3)]
    assert [issued.path for issued in given] == [wallet.path(number) for number in range(3)]


async def test_hot_and_public_keys_count_together(tmp_path: Path):
    """Whoever switches the hot mode on later goes on in the same account."""
    database = shop()
    first = await ordered(work(database), "BTC", "o1", tmp_path)
    second = await hot_order(database, "BTC", "o2", tmp_path)
    assert (first.path[:-18], second.path[:-18]) == ("m/84'/0'/0'/0/", "m/84'/0'/0'/0/")
    assert first.path.split("@")[1] == second.path.split("@")[1]


def owns(asset: str, key: str, address: str) -> bool:
    """Whether a wallet that imports this key would show this address."""
    if asset == "SOL":
        raw = base58.decode(key)
        return base58.encode(native.public_ed25519(raw[:32])) == address == base58.encode(raw[32:])
    secret = bytes.fromhex(key[2:]) if asset == "ETH" else base58.decode_checked(key)[1:33]
    return hot._address(asset, native.public(secret), HOT.of(asset)) == address  # type: ignore[arg-type]


@pytest.mark.parametrize("asset", ASSETS)
async def test_the_key_of_one_order_is_shown_once(asset: str, tmp_path: Path):
    database = shop()
    await hot_order(database, asset, "o1", tmp_path)
    issued = await hot_order(database, asset, "o2", tmp_path)
    found = await reveal(database, "o2")
    assert isinstance(found, Revealed), found
    assert owns(asset, found.key.text(), issued.address)
    assert found.key.text() not in f"{found!r} {found.key!r} {found.key!s}"
    entry = {"at": int(NOW.timestamp() * 1000), "who": "terminal: anna", "what": "reveal_key", "order_id": "o2"}
    assert await books(database) == [entry | {"reason": "sent to the wrong address"}]
    second = await reveal(database, "o2")
    assert isinstance(second, NotRevealed)
    assert "shown before, to terminal: anna" in second.reason
    assert len(await books(database)) == 1
    assert isinstance(await reveal(database, "o2", again=True), Revealed)
    assert len(await books(database)) == 2


async def test_the_wif_is_bip84s():
    """bip-0084's key of m/84'/0'/0'/0/0."""
    secret = base58.decode_checked("KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d")[1:33]
    assert hot._written("BTC", secret, main=True) == "KyZpNDKnfs94vbrwhJneDi77V6jF64PWPF8x5cdJb8ifgg2DUc9d"
    assert hot._written("LTC", secret, main=True)[0] == "T"
    assert hot._written("BTC", secret, main=False)[0] == "c"


async def test_what_is_not_revealed(tmp_path: Path):
    database = shop()
    await hot_order(database, "BTC", "o1", tmp_path)
    await ordered(work(database), "BTC", "o2", tmp_path)
    practised = Issued(address="bcrt1q", path="practice")
    await invoiced(work(database), "BTC", "o3", practised)
    expected = {
        ("o1", ""): "say why",
        ("nobody", "x"): "no address",
        ("o3", "x"): "practice address",
    }
    for (order, reason), said in expected.items():
        found = await reveal(database, order, reason=reason)
        assert isinstance(found, NotRevealed)
        assert said in found.reason
    public_only = await reveal(database, "o2", chains=CHAINS)
    assert isinstance(public_only, NotRevealed)
    assert "in your wallet, at the path m/84'/0'/0'/0/1" in public_only.reason
    assert await books(database) == []


async def test_the_seed_of_another_account_shows_no_key(tmp_path: Path):
    """The address was of the old seed: the new one's key at the same path is another, and would be worth nothing."""
    database = shop()
    await hot_order(database, "BTC", "o1", tmp_path)
    found = await reveal(database, "o1", environment=ENVIRONMENT | {"BTC_SEED": sealed("BTC", seed=OTHER_SEED)})
    assert isinstance(found, NotRevealed)
    assert "not the one of this address" in found.reason
    assert await books(database) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"BTC_SEED": ENVIRONMENT["LTC_SEED"]}, "does not open"),
        ({"BTC_SEED": sealed("BTC", place="OLD_SEED")}, "does not open"),
        ({"BTC_SEED": sealed("LTC", place="BTC_SEED")}, "does not open"),
        ({"BTC_SEED": ENVIRONMENT["BTC_SEED"].replace(":k1:", ":k9:")}, "k9"),
        ({"BTC_SEED": "legal winner thank year"}, "holds no encrypted seed"),
        ({"BTC_SEED": "sealed1:k1:%%%"}, "base64"),
        ({"BTC_SEED": "sealed1:k1:"}, "does not open"),
        ({"BTC_SEED": "sealed1:k1:AAAA"}, "does not open"),
        ({"BTC_SEED": ""}, "BTC_SEED is not set"),
        ({"SHOP_KEY": ""}, "SHOP_KEY is not set"),
        ({"SHOP_KEY": sealing.write_key("k1", bytes(32))}, "does not open"),
        ({"SHOP_KEY": "k1:AAAA"}, "3 bytes, not 32"),
        ({"SHOP_KEY": f"{KEYS},{KEYS}"}, "id of its own"),
        ({"SHOP_KEY": ","}, "--new-key"),
    ],
)
async def test_seeds_that_do_not_open(changes: dict[str, str], said: str, tmp_path: Path):
    environment = ENVIRONMENT | changes
    found = await addresses.issue(
        work(shop()), "BTC", chains=HOT, environment=environment, data=tmp_path, key="o1", at=1
    )
    assert isinstance(found, NoAddress)
    assert said in found.reason
    for value in (*ENVIRONMENT.values(), *(value for value in changes.values() if len(value) > 5)):
        assert value not in found.reason


@pytest.mark.parametrize("place", [0, 5, 12, 40, 75, 91])
def test_one_flipped_bit_is_found(place: int):
    prefix, name, blob = ENVIRONMENT["BTC_SEED"].split(":")
    raw = bytearray(base64.b64decode(blob))
    raw[place] ^= 1
    text = f"{prefix}:{name}:{base64.b64encode(bytes(raw)).decode()}"
    with pytest.raises(KeyTrouble, match="does not open"):
        sealing.unseal(text, sealing.read_keys(KEYS), place="BTC_SEED", asset="BTC")


async def test_keys_are_rotated_without_another_address(tmp_path: Path):
    """Old blob, both keys → sealed again with the new key → the old key goes: the same account throughout."""
    both = sealing.read_keys(NEW_KEYS)
    assert both.present == "k2"
    opened = sealing.unseal(ENVIRONMENT["BTC_SEED"], both, place="BTC_SEED", asset="BTC")
    renewed = sealing.seal(opened, both, place="BTC_SEED", asset="BTC", nonce=bytes(range(12)))
    only_new = NEW_KEYS.split(",")[0]
    database = shop()
    first = await hot_order(database, "BTC", "o1", tmp_path)
    environment = {"BTC_SEED": renewed, "SHOP_KEY": only_new}
    second = await addresses.issue(
        work(database), "BTC", chains=HOT, environment=environment, data=tmp_path, key="o2", at=1
    )
    assert isinstance(second, Issued)
    assert first.path.split("@")[1] == second.path.split("@")[1]
    with pytest.raises(KeyTrouble, match="“k1”"):
        sealing.unseal(ENVIRONMENT["BTC_SEED"], sealing.read_keys(only_new), place="BTC_SEED", asset="BTC")


async def test_a_public_key_beside_the_seed_must_be_its_own(tmp_path: Path):
    both = replace(HOT, BTC=chain("BTC", "bitcoin", keys="BTC_XPUB"))
    for seed, fits in ((SEED, True), (OTHER_SEED, False)):
        environment = ENVIRONMENT | {"BTC_XPUB": xpub("BTC", seed)}
        found = await addresses.issue(
            work(shop()), "BTC", chains=both, environment=environment, data=tmp_path, key="o1", at=1
        )
        assert isinstance(found, Issued if fits else NoAddress)
        assert fits or "another account than the encrypted seed" in str(found)


def test_what_holds_secrets_tells_nothing():
    private = bip32.Private.of(SEED)
    held = [private, sealing.read_keys(KEYS), EXPECTED["SOL"], hot.Shown("secret text"), EXPECTED["BTC"]]
    said = " ".join(f"{one!r} {one}" for one in held)
    for secret in (private.secret.hex(), repr(private.secret), KEYS[3:], SEED.hex(), "secret text"):
        assert secret not in said


def test_wrong_lengths_are_refused():
    keys = sealing.read_keys(KEYS)
    with pytest.raises(ValueError, match="64 bytes"):
        sealing.seal(SEED[:32], keys, place="P", asset="BTC", nonce=bytes(12))
    with pytest.raises(ValueError, match="32 bytes"):
        sealing.write_key("k1", bytes(16))
    with pytest.raises(KeyTrouble, match="id"):
        sealing.write_key("k:1", bytes(32))
