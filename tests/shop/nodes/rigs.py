"""One face for all nodes: pay, mine, take back, and a driver of the product that looks at it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import aiohttp

from plugins.chains.bitcoin_rpc import BitcoinRpc
from plugins.chains.driver import Driver
from plugins.chains.electrum import Electrum
from plugins.chains.electrum_line import address, dial
from plugins.chains.ethereum import Ethereum
from plugins.chains.jsonrpc import Endpoint
from plugins.chains.solana import Solana
from storage.shop.transfers import Report, Watched
from tests.shop.nodes.anvil import Anvil
from tests.shop.nodes.bcoin import Bcoin
from tests.shop.nodes.electrumx import ElectrumX
from tests.shop.nodes.litecoin import Litecoind
from tests.shop.nodes.litesvm import Svm


class Rig(ABC):
    """A node and a driver that looks at it. Amounts are minor units."""

    asset: str
    one: int
    """An ordinary price."""
    mempool = True
    """Whether a payment is seen before it is in a block."""
    reorganises = True
    name: str

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.watched: list[Watched] = []
        self.driver = self.connect()

    @abstractmethod
    def connect(self) -> Driver:
        """A new driver, as after a start."""

    @abstractmethod
    def fresh(self) -> str:
        """An address that was never used."""

    @abstractmethod
    def pay(self, address: str, amount: int) -> None: ...

    @abstractmethod
    def mine(self, blocks: int = 1) -> None: ...

    def lose(self, blocks: int) -> None:
        """The newest blocks never were; what they paid is paid to somebody else."""
        raise NotImplementedError

    def again(self, blocks: int) -> None:
        """The newest blocks are made anew, with the same payments in them."""
        raise NotImplementedError

    def watch(self, *, created: datetime | None = None) -> str:
        """A new address, watched from now on."""
        return self.follow(self.fresh(), created=created)

    def follow(self, address: str, *, created: datetime | None = None) -> str:
        one = Watched(
            address=address,
            invoice=len(self.watched) + 1,
            created_at=created or datetime.now(UTC),
            expected=self.one,
            needed=2,
            received=0,
        )
        self.watched.append(one)
        return address

    async def look(self) -> Report:
        return await self.driver.look(self.watched)

    async def until(self, wanted: Callable[[Report], object], *, seconds: float = 15) -> Report:
        """Looks until it is so: an index follows its node some moments later."""
        report = await self.look()
        async with asyncio.timeout(seconds):
            while not wanted(report):
                await asyncio.sleep(0.05)
                report = await self.look()
        return report

    async def restart(self) -> None:
        """The bot ends, and another one begins with what was stored."""
        kept = self.driver.memory()
        await self.driver.close()
        self.driver = self.connect()
        self.driver.remember(kept)


class EthRig(Rig):
    asset, one, name = "ETH", 10**16, "anvil"

    def __init__(self, session: aiohttp.ClientSession, node: Anvil) -> None:
        self.node = node
        super().__init__(session)

    def connect(self) -> Driver:
        self.endpoint = Endpoint(self.session, self.node.url, what="the ETH node (ETH_NODE)")
        return Ethereum(self.endpoint, network="regtest")

    def fresh(self) -> str:
        return self.node.address()

    def pay(self, address: str, amount: int) -> None:
        self.node.pay(address, amount)

    def mine(self, blocks: int = 1) -> None:
        self.node.mine(blocks)

    def lose(self, blocks: int) -> None:
        self.node.rpc("anvil_reorg", blocks, [])

    def again(self, blocks: int) -> None:
        height = int(self.node.rpc("eth_blockNumber"), 16)
        kept = []
        for step in range(blocks):
            block = self.node.rpc("eth_getBlockByNumber", hex(height - blocks + 1 + step), True)
            kept += [[self.node.rpc("eth_getRawTransactionByHash", tx["hash"]), step] for tx in block["transactions"]]
        self.node.rpc("anvil_reorg", blocks, kept)


class BitcoinRig(Rig):
    """Litecoind behind Bitcoin Core's RPC."""

    asset, one, name = "LTC", 1_250_000, "litecoind"

    def __init__(self, session: aiohttp.ClientSession, node: Litecoind) -> None:
        self.node = node
        self.paid: list[str] = []
        super().__init__(session)

    def connect(self) -> Driver:
        self.endpoint = Endpoint(self.session, self.node.url, what="the LTC node (LTC_NODE)")
        return BitcoinRpc(self.endpoint, asset="LTC", network="regtest", wallet="stepgram")

    def fresh(self) -> str:
        return self.node.address()

    def pay(self, address: str, amount: int) -> None:
        self.paid.append(self.node.pay(address, amount))

    def mine(self, blocks: int = 1) -> None:
        self.node.mine(blocks)

    def lose(self, blocks: int) -> None:
        if blocks:
            self.node.undo(blocks)
        self.node.spend_elsewhere(self.paid[-1])
        self.node.mine_empty(blocks)

    def again(self, blocks: int) -> None:
        self.node.undo(blocks)
        self.node.mine_empty()
        self.node.mine(blocks)


class ElectrumRig(BitcoinRig):
    """The same chain, through ElectrumX."""

    name = "electrumx"

    def __init__(self, session: aiohttp.ClientSession, node: Litecoind, server: ElectrumX) -> None:
        self.server = server
        super().__init__(session, node)

    def connect(self) -> Driver:
        what = "the LTC server (LTC_NODE)"
        where = address(self.server.url, what)
        return Electrum(lambda told: dial(where, what=what, told=told), what=what, asset="LTC", network="regtest")


class BcoinRig(Rig):
    asset, one, name = "BTC", 1_250_000, "bcoin"

    def __init__(self, session: aiohttp.ClientSession, node: Bcoin) -> None:
        self.node = node
        super().__init__(session)

    def connect(self) -> Driver:
        self.endpoint = Endpoint(self.session, self.node.url, what="the BTC node (BTC_NODE)")
        return BitcoinRpc(self.endpoint, asset="BTC", network="regtest", wallet="stepgram")

    def fresh(self) -> str:
        return self.node.address()

    def pay(self, address: str, amount: int) -> None:
        self.node.pay(address, amount)

    def mine(self, blocks: int = 1) -> None:
        self.node.mine(blocks)

    def lose(self, blocks: int) -> None:
        self.node.undo(blocks)
        self.node.mine(blocks + 1)


class SolRig(Rig):
    asset, one, name = "SOL", 50_000_000, "litesvm"
    mempool = False
    reorganises = False

    def __init__(self, session: aiohttp.ClientSession, node: Svm) -> None:
        self.node = node
        super().__init__(session)

    def connect(self) -> Driver:
        self.endpoint = Endpoint(self.session, self.node.url, what="the SOL node (SOL_NODE)")
        return Solana(self.endpoint, network="regtest")

    def fresh(self) -> str:
        return self.node.address()

    def pay(self, address: str, amount: int) -> None:
        self.node.pay(address, amount)

    def mine(self, blocks: int = 1) -> None:
        self.node.mine(blocks)


def sums(report: Report, address: str) -> tuple[int, int]:
    """What an address has received, and how much of it is in a block."""
    mine = [one for one in report.transfers if one.address == address and one.asset == report.asset]
    return sum(one.amount for one in mine), sum(one.amount for one in mine if one.height is not None)


def depth(report: Report, address: str) -> int:
    """Confirmations of the youngest payment; 0 when there is none in a block."""
    heights: Sequence[int | None] = [one.height for one in report.transfers if one.address == address]
    return min((0 if height is None else report.tip.height - height + 1 for height in heights), default=0)
