"""What bot.yaml says under `plugins:` about shop, payments and chains. Names of variables, never secrets."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

from engine.actions.configuring import Variable
from engine.core.values import Money

Via = Literal["practice", "bitcoin", "electrum", "ethereum", "solana"]
Network = Literal["main", "test", "regtest"]


_DEAREST = 10**12
"""In minor units: sums of whole carts stay far below what a database can count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogProduct:
    """One product of the catalog in bot.yaml."""

    sku: str
    """The shop's own name of the product, up to 64 characters. It stays; all else may change."""
    name: str
    price: Money
    """Such as "4.50 EUR". Zero or more."""
    description: str = ""
    stock: int = 0
    """How many there are when the bot sees the product for the first time; afterwards the database counts. Not for
    products with `codes`: there it is their number."""
    picture: str = ""
    """A file beside bot.yaml or a link, as `photo:` of a message takes it."""
    delivers: str = ""
    """A text that everybody gets who has paid for it, such as a link."""
    codes: list[str] = field(default_factory=list)
    """One text per piece, given to one buyer each. New ones may be added at the end at any time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogShelf:
    """A category in a category."""

    name: str
    products: list[CatalogProduct] = field(default_factory=list)
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogCategory:
    """One shelf of the catalog in bot.yaml."""

    name: str
    products: list[CatalogProduct] = field(default_factory=list)
    shelves: list[CatalogShelf] = field(default_factory=list)
    """Categories in this one."""
    hidden: bool = False
    """Nobody sees it or what is in it."""

    def everything(self) -> list[CatalogProduct]:
        """All products in it and below."""
        return [*self.products, *(product for shelf in self.shelves for product in shelf.products)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSettings:
    """`plugins: {shop: …}` of bot.yaml."""

    open_orders: int = 1
    """So many orders of one customer may wait for payment at a time."""
    hold: timedelta = timedelta(minutes=30)
    """How long goods are kept for an order that has no invoice yet; then `expires:` of payments counts."""
    strikes: int = 3
    """After so many orders that were left unpaid a customer orders no more, until the team forgives; 0: never."""
    when_short: Literal["reduce", "reject"] = "reduce"
    """When there is less than the cart asks for: offer what there is, or have the customer change the cart."""
    most_pieces: int = 99
    """Of one product in one cart."""
    prefix: str = "S"
    """What order numbers begin with: capital letters and digits, up to 8."""
    flow: str = "checkout"
    """The flow whose conversation has the order's id as its key and hears of it."""
    news: str = "order_news"
    """The flow that begins beside when that conversation is over."""
    team: str = "team_news"
    """The flow that begins beside for everybody in the team."""
    team_role: str = "admin"
    """The role that sees all orders, ships and cancels."""
    catalog: list[CatalogCategory] = field(default_factory=list)
    """What there is to buy. Left out, the tables of the database are the catalog."""

    def check(self) -> str | None:
        """What is wrong with these settings, in words."""
        products = [product for category in self.catalog for product in category.everything()]
        skus = Counter(product.sku for product in products)
        twice = next((sku for sku, times in skus.items() if times > 1), None)
        bad = next((sku for sku in skus if not 0 < len(sku) <= 64 or sku.strip() != sku), None)
        short = next(
            (
                product
                for product in products
                if not 0 <= product.price.minor <= _DEAREST or not 0 <= product.stock <= _DEAREST
            ),
            None,
        )
        names = [[one.name for one in self.catalog], *([below.name for below in one.shelves] for one in self.catalog)]
        same = next((name for each in names for name, times in Counter(each).items() if times > 1), None)
        if same is not None:
            return f"the category “{same}” stands there twice; put its products under one"
        if not all(0 < len(name) <= 100 for each in names for name in each):
            return "the name of a category must have 1 to 100 characters"
        if twice is not None:
            return f"the sku “{twice}” stands in the catalog twice; give each product one of its own"
        if bad is not None:
            return f"the sku “{bad}” must have 1 to 64 characters, without blanks around it"
        if short is not None:
            return f"the product “{short.sku}” has a price or a stock that cannot be; write 0 or more, and not billions"
        if not 1 <= self.most_pieces <= 10_000:
            return "most_pieces must be 1 to 10000"
        if self.open_orders < 1 or self.strikes < 0:
            return "open_orders must be 1 or more, strikes 0 or more"
        if not timedelta(minutes=1) <= self.hold <= timedelta(days=30):
            return "hold must be 1m to 30d"
        if not (
            self.prefix.isascii()
            and self.prefix.isalnum()
            and self.prefix == self.prefix.upper()
            and len(self.prefix) <= 8
        ):
            return "prefix must be 1 to 8 capital letters and digits, such as S"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotSettings:
    """The opt-in hot mode: the seed itself is on this machine, encrypted. Both are names of environment variables."""

    seed: Annotated[str, Variable] = ""
    """The encrypted seed, as `stepgram keys encrypt` prints it."""
    key: Annotated[str, Variable] = ""
    """The keys that open it: `id:key`, the present one first, older ones after commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSetting:
    """One asset: how its payments are seen, and where its addresses come from."""

    via: Via = "practice"
    """practice: no real money; bitcoin: a node with Bitcoin Core's RPC; else the protocol of that name."""
    node: Annotated[str, Variable] = ""
    """The variable with the node's address: http://user:password@127.0.0.1:8332 (with /wallet/NAME for a watch-only
    wallet of its own), or for electrum tcp://127.0.0.1:50001, ssl://127.0.0.1:50002."""
    keys: Annotated[str, Variable] = ""
    """The variable with the account's public key (xpub, zpub …). SOL needs none: its addresses come from the pool."""
    network: Network = "main"
    every: timedelta = timedelta(seconds=3)
    """How often the node is asked, 1s to 10m."""
    hrp: str = ""
    """How addresses begin, where it differs from the network's own: `rb` for bcoin's regtest."""
    chain_id: int = 0
    """ETH: the chain's number in payment links; 0: 1 on main, 11155111 on test, 31337 on regtest."""
    gap: int = 20
    """So many unpaid addresses in a row, and the team is told once which setting its wallet needs."""
    pool_alarm: int = 20
    """So many percent of the pool left, and the team is told once to import more."""
    hot: HotSettings | None = None

    @property
    def payable_chain(self) -> int:
        """ETH: the chain's number in payment links. Practice has that of private chains: no wallet pays there by
        mistake."""
        return self.chain_id or _CHAIN_IDS["regtest" if self.via == "practice" else self.network]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """`plugins: {chains: {BTC: {via: bitcoin, node: BTC_NODE, keys: BTC_XPUB}}}`; an asset left out is not offered."""

    BTC: ChainSetting | None = None
    LTC: ChainSetting | None = None
    ETH: ChainSetting | None = None
    SOL: ChainSetting | None = None

    def of(self, asset: str) -> ChainSetting | None:
        """The settings of one asset; None when it is not offered."""
        chosen: ChainSetting | None = getattr(self, asset, None) if asset in ASSETS else None
        return chosen

    def offered(self) -> tuple[str, ...]:
        """The assets that customers may pay with, in the order of ASSETS."""
        return tuple(asset for asset in ASSETS if self.of(asset) is not None)

    def check(self) -> str | None:
        """What is wrong with the chains, in a sentence; None when nothing is."""
        for asset in self.offered():
            chain = self.of(asset)
            if chain is not None and (trouble := _wrong(asset, chain)):
                return trouble
        return self._mixed()

    def _mixed(self) -> str | None:
        """Practice beside real money: everybody would choose it, and get the goods for nothing."""
        offered = [(asset, chain) for asset in self.offered() if (chain := self.of(asset)) is not None]
        practised = next((asset for asset, chain in offered if chain.via == "practice"), None)
        real = next((asset for asset, chain in offered if chain.via != "practice" and chain.network == "main"), None)
        if practised is None or real is None:
            return None
        return (
            f"{practised} is practice, and {real} is real money: whoever chooses {practised} gets the goods for"
            f" nothing. Take {practised} away, or give it a node"
        )


def _wrong(asset: str, chain: ChainSetting) -> str | None:
    if chain.via not in VIA[asset]:
        return f"{asset} cannot be seen via: {chain.via}; it is one of {', '.join(VIA[asset])}"
    if chain.via == "practice":
        return None
    if not timedelta(seconds=1) <= chain.every <= timedelta(minutes=10):
        return f"{asset}: every: is between 1s and 10m, such as 3s"
    if not chain.node:
        return f"{asset}: say node: with the name of the variable that holds the node's address"
    if not chain.keys and chain.hot is None and asset != "SOL":
        return f"{asset}: say keys: with the name of the variable that holds the account's public key"
    if chain.hot is not None and not (chain.hot.seed and chain.hot.key):
        return f"{asset}: hot: needs seed: and key:, both names of variables"
    if chain.gap < 1 or not 0 <= chain.pool_alarm <= 100:
        return f"{asset}: gap: is 1 or more, pool_alarm: a percentage from 0 to 100"
    return None


VIA: Mapping[str, tuple[Via, ...]] = {
    "BTC": ("practice", "bitcoin", "electrum"),
    "LTC": ("practice", "bitcoin", "electrum"),
    "ETH": ("practice", "ethereum"),
    "SOL": ("practice", "solana"),
}
_CHAIN_IDS: Mapping[Network, int] = {"main": 1, "test": 11155111, "regtest": 31337}
ASSETS = ("BTC", "LTC", "ETH", "SOL")
