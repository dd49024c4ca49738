"""A shop in hot mode: its settings and environment. Only builders, no tests."""

from storage.shop import wallets
from storage.shop.keys import sealing
from storage.shop.settings import ChainSetting, ChainSettings, HotSettings, Via
from tests.shop.issuing import SEED

KEYS = f"{sealing.write_key('k1', bytes(range(32)))}"
NEW_KEYS = f"{sealing.write_key('k2', bytes(range(32, 64)))},{KEYS}"
ASSETS = ("BTC", "LTC", "ETH", "SOL")


def chain(asset: str, via: Via, **fields: str) -> ChainSetting:
    hot = HotSettings(seed=f"{asset}_SEED", key="SHOP_KEY")
    return ChainSetting(via=via, node="NODE", hot=hot, keys=fields.get("keys", ""))


HOT = ChainSettings(
    BTC=chain("BTC", "bitcoin"),
    LTC=chain("LTC", "electrum"),
    ETH=chain("ETH", "ethereum"),
    SOL=chain("SOL", "solana"),
)


def sealed(asset: str, *, keys: str = KEYS, place: str = "", seed: bytes = SEED) -> str:
    return sealing.seal(seed, sealing.read_keys(keys), place=place or f"{asset}_SEED", asset=asset, nonce=bytes(12))


ENVIRONMENT = {"SHOP_KEY": KEYS, **{f"{asset}_SEED": sealed(asset) for asset in ASSETS}}
EXPECTED = {asset: wallets.read(asset, one, ENVIRONMENT) for asset in ASSETS if (one := HOT.of(asset)) is not None}
