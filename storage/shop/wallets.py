"""Where an asset's addresses come from, read from its settings and the environment: a public key, a pool, a hot seed.

What is read stays in this process; its repr tells nothing, and no sentence has a part of a key. No I/O.
"""

from collections.abc import Mapping
from typing import Final

from engine.core.records import record
from storage.shop.keys import accounts, base58, bip32, native, sealing, slip10
from storage.shop.keys.bip32 import Node
from storage.shop.keys.errors import KeyTrouble, Mismatch, MissingLibraries
from storage.shop.settings import ChainSetting, HotSettings

SOLANA_PATH: Final = "m/44'/501'/{}'/0'"


@record
class PublicWallet:
    """An account's public key: addresses of BTC, LTC, ETH. Nothing can be spent with it."""

    asset: str
    network: str
    node: Node
    hrp: str

    @property
    def account(self) -> str:
        """The account's name, of 16 digits."""
        return self.node.name

    def path(self, index: int) -> str:
        """Where address `index` is, with the account's name behind it."""
        return f"{bip32.account_path(self.asset, self.network, self.node.number)}/0/{index}@{self.account}"

    def address(self, index: int) -> str:
        """Address `index`, proved a second way. Raises KeyTrouble, and ValueError for an index without an address."""
        return accounts.address(self.asset, self.node, index, self.hrp)


class SolanaWallet:
    """A seed in this process (hot mode): addresses of SOL. Its repr tells nothing."""

    __slots__ = ("_master", "account")

    def __init__(self, seed: bytes) -> None:
        self._master = slip10.Secret.of(seed)
        self.account = pool_account(self._public(0))

    def __repr__(self) -> str:
        return f"<account {self.account}>"

    def path(self, index: int) -> str:
        """Where address `index` is, with the account's name behind it."""
        return f"{SOLANA_PATH.format(index)}@{self.account}"

    def address(self, index: int) -> str:
        """Address `index`. A signature made with its key is verified with what the address decodes to.

        Raises KeyTrouble.
        """
        shown = base58.encode(self._public(index))
        if not self._signs(index, accounts.check_solana(shown)):
            raise Mismatch(f"SOL: the key of address {index} does not sign for it; it was shown to nobody")
        return shown

    def _signs(self, index: int, public: bytes) -> bool:
        return native.signs_ed25519(self._master.down(SOLANA_PATH.format(index)).secret, public)

    def _public(self, index: int) -> bytes:
        return native.public_ed25519(self._master.down(SOLANA_PATH.format(index)).secret)


@record
class PoolWallet:
    """Addresses of SOL that were made beforehand, where the seed is; they stand in the table pay_pool."""

    asset: str


Wallet = PublicWallet | SolanaWallet | PoolWallet


def pool_account(first: bytes) -> str:
    """The name of a seed's SOL account, from the public key of its address 0: 16 digits."""
    return bip32.Node(point=first, chain=b"").name


def read(asset: str, chain: ChainSetting, environment: Mapping[str, str]) -> Wallet:
    """The wallet of an asset that is not practised with. Raises KeyTrouble: which variable, and what to do."""
    if chain.hot is not None:
        return _hot(asset, chain, environment)
    if asset == "SOL":
        return PoolWallet(asset=asset)
    node = _account(asset, chain, environment)
    return PublicWallet(
        asset=asset, network=chain.network, node=node, hrp=accounts.hrp_of(asset, chain.network, chain.hrp)
    )


def seed(asset: str, chain: ChainSetting, environment: Mapping[str, str]) -> bytes:
    """The decrypted seed of the hot mode. Raises KeyTrouble.

    Never give it a name in a function that may raise: what reports errors may report the names of each frame, too.
    """
    hot = chain.hot
    if hot is None:
        raise KeyTrouble(f"bot.yaml has no hot: under {asset}, so this machine has no key of it: it is in your wallet")
    native.require()
    keys = sealing_keys(asset, hot, environment)
    sealed = _variable(hot.seed, f"plugins: chains: {asset}: hot: seed:", environment)
    try:
        return sealing.unseal(sealed, keys, place=hot.seed, asset=asset)
    except MissingLibraries:
        raise
    except KeyTrouble as trouble:
        raise KeyTrouble(f"{hot.seed}: {trouble}") from None


def sealing_keys(asset: str, hot: HotSettings, environment: Mapping[str, str]) -> sealing.SealingKeys:
    """The keys that open the seed of an asset. Raises KeyTrouble."""
    text = _variable(hot.key, f"plugins: chains: {asset}: hot: key:", environment)
    try:
        return sealing.read_keys(text)
    except KeyTrouble as trouble:
        raise KeyTrouble(f"{hot.key}: {trouble}") from None


def account_of_seed(asset: str, network: str, seed: bytes) -> Node:
    """The public account 0 of a seed."""
    private = bip32.Private.of(seed).down(bip32.account_path(asset, network), native.public)
    return private.public(native.public)


def _hot(asset: str, chain: ChainSetting, environment: Mapping[str, str]) -> Wallet:
    if asset == "SOL":
        return SolanaWallet(seed(asset, chain, environment))
    node = account_of_seed(asset, chain.network, seed(asset, chain, environment))
    if chain.keys and _account(asset, chain, environment).name != node.name:
        raise KeyTrouble(f"{chain.keys} is the public key of another account than the encrypted seed")
    return PublicWallet(
        asset=asset, network=chain.network, node=node, hrp=accounts.hrp_of(asset, chain.network, chain.hrp)
    )


def _account(asset: str, chain: ChainSetting, environment: Mapping[str, str]) -> Node:
    text = _variable(chain.keys, f"plugins: chains: {asset}: keys:", environment)
    try:
        return bip32.read_account(text, asset=asset, network=chain.network)
    except KeyTrouble as trouble:
        raise KeyTrouble(f"{chain.keys}: {trouble}") from None


def _variable(name: str, setting: str, environment: Mapping[str, str]) -> str:
    if not name:
        raise KeyTrouble(f"bot.yaml does not say {setting} with the name of an environment variable")
    value = environment.get(name, "").strip()
    if not value:
        raise KeyTrouble(f"{setting} {name}: the environment variable {name} is not set")
    return value
