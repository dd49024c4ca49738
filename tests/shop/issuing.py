"""A shop's database, its wallets and its orders, for tests of addresses. Only builders, no tests."""

from pathlib import Path

from engine.actions.context import Work
from engine.actions.testing import Database
from storage.shop import addresses, pool, wallets
from storage.shop.addresses import Issued, NoAddress
from storage.shop.keys import bip32, bip39
from storage.shop.settings import ChainSetting, ChainSettings
from storage.shop.tables import SHOP_TABLES
from tests.shop.samples import ROWS

PHRASE = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"
SEED = bip39.seed_of(PHRASE)
OTHER_SEED = bip39.seed_of("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong")


def xpub(asset: str, seed: bytes = SEED, network: str = "main") -> str:
    kind = "0488b21e" if network == "main" else "043587cf"
    return bip32.written(wallets.account_of_seed(asset, network, seed), parent=bytes(4), kind=kind)


CHAINS = ChainSettings(
    BTC=ChainSetting(via="bitcoin", node="BTC_NODE", keys="BTC_XPUB"),
    LTC=ChainSetting(via="electrum", node="LTC_NODE", keys="LTC_XPUB"),
    ETH=ChainSetting(via="ethereum", node="ETH_NODE", keys="ETH_XPUB"),
    SOL=ChainSetting(via="solana", node="SOL_NODE"),
)
ENVIRONMENT = {f"{asset}_XPUB": xpub(asset) for asset in ("BTC", "LTC", "ETH")}


def shop() -> Database:
    return Database.of(SHOP_TABLES)


def solana_pool(count: int, *, start: int = 0, seed: bytes = SEED) -> pool.Pool:
    wallet = wallets.SolanaWallet(seed)
    made = tuple((number, wallet.address(number)) for number in range(start, start + count))
    return pool.Pool(asset="SOL", account=wallet.account, addresses=made)


async def ordered(
    work: Work, asset: str, order: str, data: Path, *, received: str = "0", chains: ChainSettings = CHAINS
) -> Issued:
    """An address for an order, with its invoice, as checkout does it."""
    found = await addresses.issue(work, asset, chains=chains, environment=ENVIRONMENT, data=data, key=order, at=1)
    assert isinstance(found, Issued), found
    await invoiced(work, asset, order, found, received=received)
    return found


async def invoiced(work: Work, asset: str, order: str, issued: Issued, *, received: str = "0") -> None:
    row = {**ROWS["pay_invoices"], "order_id": order, "asset": asset, "received": received}
    row |= {"address": issued.address, "path": issued.path}
    marks = ", ".join("?" * len(row))
    await work.execute(f"INSERT INTO pay_invoices ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


async def refused(work: Work, asset: str, chains: ChainSettings, environment: dict[str, str], data: Path) -> str:
    found = await addresses.issue(work, asset, chains=chains, environment=environment, data=data, key="o", at=1)
    assert isinstance(found, NoAddress), found
    return found.reason
