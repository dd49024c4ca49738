"""BTC and LTC through a node with Bitcoin Core's RPC: a watch-only wallet in it, asked in one request per round.

The wallet holds no private key, and one that does is refused. What the node answers is not believed unread.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from engine.core.records import record, replaced
from plugins.chains import bitcoin_mempool
from plugins.chains.driver import NodeError, WrongNodeError
from plugins.chains.jsonrpc import Answer, Call, Endpoint, Fault, digest, whole
from plugins.chains.networks import right_genesis
from plugins.chains.scripts import descriptor
from storage.shop.transfers import Report, Tip, Transfer, Watched

AT_ONCE: Final = 200
"""Addresses of one import: old wallets write each of them to the disk by itself."""
COIN: Final = 10**8
MOST: Final = 21_000_000 * 4 * COIN
"""More than all coins of either chain: an amount beyond it is nonsense."""
SPACING: Final[Mapping[str, int]] = {"BTC": 600, "LTC": 150}
"""Seconds between two blocks, about."""
MARGIN: Final = timedelta(hours=3)
"""Blocks' times are off by two hours at most."""
SPAN: Final = timedelta(hours=12)
"""How far the anchor may lie before what is needed, until a nearer one is looked for."""
RECEIVED: Final = frozenset({"receive", "generate"})
NOT_LOADED: Final = -18
ALREADY: Final = frozenset({-35, -4})
"""Loading a wallet that is loaded: newer nodes, older nodes."""
WARMING: Final = -28


@record
class _Anchor:
    """From this block on the wallet's transactions are listed. Nothing that is watched can be older than `since`."""

    height: int
    block: str
    """Empty: the whole wallet is listed."""
    since: datetime


ALL: Final = _Anchor(height=0, block="", since=datetime.min.replace(tzinfo=UTC))


class BitcoinRpc:
    """Implements Driver. One request per round; one more after a new block, and for a payment that is new."""

    def __init__(self, endpoint: Endpoint, *, asset: str, network: str, wallet: str) -> None:
        self._endpoint = endpoint
        self._asset = asset
        self._network = network
        self._wallet = wallet
        self._path = f"/wallet/{wallet}"
        self._ready = False
        self._descriptors = True
        self._doubt = True
        """Whether the wallet may know addresses that this object has not imported."""
        self._imported: set[str] = set()
        self._anchor = ALL
        self._aimed = False
        self._reads_mempool = True
        """Whether the node itself looks into the mempool for a new address."""
        self._early: tuple[Transfer, ...] = ()
        """Payments that the wallet does not know, because they were there before it knew the address."""
        self._waiting: tuple[str, ...] = ()
        """Transactions in no block, as of the last round."""
        self._tip: Tip | None = None

    async def tip(self) -> Tip:
        """See Driver."""
        if not self._ready:
            await self._open()
        info = (await self._batch([Call(method="getblockchaininfo")]))[0]
        return await self._tip_of(info)

    async def used(self, addresses: Sequence[str]) -> set[str]:
        """See Driver. The wallet knows every address that was ever watched through it, paid or not; what was paid
        before this wallet was made it does not know."""
        if not self._ready:
            await self._open()
        calls = [Call(method="getaddressinfo", params=(one,)) for one in addresses]
        answers = await self._batch(calls) if calls else []
        return {one for one, answer in zip(addresses, answers, strict=True) if _is_known(answer)}

    def memory(self) -> str:
        """The wallet is the memory, but for payments that it does not know yet."""
        return bitcoin_mempool.written(self._early) if self._early else ""

    def remember(self, memory: str) -> None:
        """See Driver."""
        self._early = bitcoin_mempool.read(memory, asset=self._asset)

    async def close(self) -> None:
        """See Driver."""

    async def look(self, watched: Sequence[Watched]) -> Report:
        """See Driver."""
        try:
            return await self._look(watched)
        except NodeError:
            self._ready, self._doubt = False, True
            raise

    async def _look(self, watched: Sequence[Watched]) -> Report:
        if not self._ready:
            await self._open()
        if not watched:
            return Report(asset=self._asset, tip=await self.tip(), transfers=(), complete=())
        await self._aim(min(one.created_at for one in watched) - MARGIN)
        unknown = [one for one in watched if one.address not in self._imported]
        if unknown and self._doubt:
            unknown = await self._unknown(unknown)
        self._doubt = False
        for at in range(AT_ONCE, len(unknown), AT_ONCE):
            portion = unknown[at : at + AT_ONCE]
            self._take_import(portion, (await self._batch([self._import(portion)]))[0])
        anchor, first = self._anchor, unknown[:AT_ONCE]
        calls = [
            *([self._import(first)] if first else []),
            Call(method="listsinceblock", params=(anchor.block, 1, True, False)),
            Call(method="getblockchaininfo"),
            Call(method="getblockhash", params=(anchor.height,)),
            *(Call(method="getmempoolentry", params=(txid,)) for txid in self._waiting),
        ]
        answers = await self._batch(calls)
        if first:
            self._take_import(first, answers.pop(0))
            if not self._reads_mempool:
                self._early += tuple(await bitcoin_mempool.waiting(self._batch, unknown, asset=self._asset))
        listed, info, block = answers[:3]
        if anchor.block and block != anchor.block:
            self._aimed = False  # a reorganisation went deeper; this time the node lists from the fork on
        found = self._listed(listed, {one.address for one in watched} & self._imported)
        found = self._with_early(found)
        present = dict(zip(self._waiting, answers[3:], strict=True))
        found = await self._in_mempool(found, present)
        tip = await self._tip_of(info)
        complete = tuple(one.address for one in watched if one.address in self._imported)
        return Report(asset=self._asset, tip=tip, transfers=tuple(found), complete=complete)

    async def _open(self) -> None:
        """Is it the right network; open the wallet, or make it."""
        calls = [Call(method="getblockhash", params=(0,)), Call(method="listwallets"), Call(method="getnetworkinfo")]
        genesis, wallets, network = await self._endpoint.batch(calls)
        if isinstance(genesis, Fault):
            raise NodeError(self._says(genesis))
        if not right_genesis(self._asset, self._network, str(genesis)):
            raise WrongNodeError(f"{self._endpoint.what} is not on the network {self._asset} {self._network}")
        if isinstance(wallets, Fault):
            raise WrongNodeError(f"{self._endpoint.what} has no wallet: start it without disablewallet")
        if not isinstance(wallets, list) or self._wallet not in wallets:
            await self._load()
        info = (await self._batch([Call(method="getwalletinfo")]))[0]
        if not isinstance(info, dict) or info.get("private_keys_enabled") is not False:
            raise WrongNodeError(f"{self._endpoint.what}: its wallet “{self._wallet}” holds private keys: move it away")
        self._descriptors = info.get("descriptors") is True
        version = whole(network.get("version")) if isinstance(network, dict) else None
        self._reads_mempool = version is not None and version >= bitcoin_mempool.BY_ITSELF
        self._imported.clear()
        self._ready = True

    async def _load(self) -> None:
        loaded = (await self._endpoint.batch([Call(method="loadwallet", params=(self._wallet,))]))[0]
        if not isinstance(loaded, Fault) or loaded.code in ALREADY:
            return
        if loaded.code == WARMING:
            raise NodeError(self._says(loaded))
        made: Answer = None
        for descriptors in (True, False):  # some nodes are built without descriptor wallets
            wish = (self._wallet, True, True, "", False, descriptors, True)
            made = (await self._endpoint.batch([Call(method="createwallet", params=wish)]))[0]
            if not isinstance(made, Fault):
                return
        raise NodeError(f"{self._endpoint.what} makes no wallet “{self._wallet}”: {made.message}")

    async def _unknown(self, asked: Sequence[Watched]) -> list[Watched]:
        """Which of them the wallet does not know yet: importing again would read old blocks again."""
        calls = [Call(method="getaddressinfo", params=(one.address,)) for one in asked]
        answers = await self._batch(calls)
        for one, answer in zip(asked, answers, strict=True):
            if _is_known(answer):
                self._imported.add(one.address)
        return [one for one in asked if one.address not in self._imported]

    def _import(self, unknown: Sequence[Watched]) -> Call:
        times = [int(one.created_at.timestamp()) for one in unknown]
        if self._descriptors:
            wishes = [
                {"desc": descriptor(one.address), "timestamp": at} for one, at in zip(unknown, times, strict=True)
            ]
            return Call(method="importdescriptors", params=(wishes,))
        old = [
            {"scriptPubKey": {"address": one.address}, "timestamp": at, "watchonly": True}
            for one, at in zip(unknown, times, strict=True)
        ]
        return Call(method="importmulti", params=(old, {"rescan": True}))

    def _take_import(self, unknown: Sequence[Watched], answer: Answer) -> None:
        if isinstance(answer, Fault):
            raise NodeError(self._says(answer))
        if not isinstance(answer, list) or len(answer) != len(unknown):
            raise NodeError(f"{self._endpoint.what} did not say which addresses it watches")
        for one, said in zip(unknown, answer, strict=True):
            if isinstance(said, dict) and said.get("success") is True:
                self._imported.add(one.address)

    async def _aim(self, oldest: datetime) -> None:
        """Keep the anchor shortly before the oldest address. Costs requests only when it has to move."""
        if self._aimed and self._anchor.since <= oldest <= self._anchor.since + SPAN:
            return
        tip = self._tip or await self.tip()
        self._anchor, self._aimed = replaced(ALL, since=oldest), True
        blocks = max(12, int((tip.at - oldest).total_seconds() * 1.2 / SPACING[self._asset]))
        while blocks < tip.height:
            height = tip.height - blocks
            block = (await self._batch([Call(method="getblockhash", params=(height,))]))[0]
            if digest(block) is None:
                return
            if datetime.fromtimestamp(await self._time(block), UTC) <= oldest:
                self._anchor = _Anchor(height=height, block=block, since=oldest)
                return
            blocks *= 2

    def _listed(self, listed: Answer, wanted: set[str]) -> list[Transfer]:
        if isinstance(listed, Fault):
            raise NodeError(self._says(listed))
        rows = listed.get("transactions") if isinstance(listed, dict) else None
        if not isinstance(rows, list):
            raise NodeError(f"{self._endpoint.what} did not list its transactions")
        found: dict[tuple[str, str], Transfer] = {}
        for row in rows:
            if not isinstance(row, dict) or row.get("category") not in RECEIVED or row.get("address") not in wanted:
                continue
            one = self._transfer(row)
            if one is not None:
                found[one.txid, one.position] = one
        return list(found.values())

    def _with_early(self, found: list[Transfer]) -> list[Transfer]:
        """With payments that the wallet will know from their first block on only."""
        known = {one.txid for one in found}
        self._early = tuple(one for one in self._early if one.txid not in known)
        return [*found, *self._early]

    def _transfer(self, row: Mapping[str, Any]) -> Transfer | None:
        """One row of the wallet; None for what is not in the chain and cannot be any more."""
        txid, position = digest(row.get("txid")), whole(row.get("vout"), most=2**32)
        depth = whole(row.get("confirmations"), least=-(2**31))
        amount = row.get("amount")
        if not isinstance(amount, (int, Decimal)) or txid is None or position is None or depth is None:
            raise NodeError(f"{self._endpoint.what} lists a transaction that cannot be read")
        if depth < 0:
            return None
        minor = Decimal(amount) * COIN
        if minor != minor.to_integral_value() or not 0 <= minor <= MOST:
            raise NodeError(f"{self._endpoint.what} lists an amount that cannot be")
        height, block = whole(row.get("blockheight")), digest(row.get("blockhash"))
        if depth and (height is None or block is None):
            raise NodeError(f"{self._endpoint.what} lists a confirmed transaction without its block")
        return Transfer(
            asset=self._asset,
            address=str(row["address"]),
            txid=txid,
            position=str(position),
            amount=int(minor),
            height=height if depth else None,
            block=block if depth else None,
        )

    async def _in_mempool(self, found: list[Transfer], known: Mapping[str, Answer]) -> list[Transfer]:
        """Without what is in no block and in no mempool: the wallet remembers what the network has forgotten."""
        waiting = tuple(dict.fromkeys(one.txid for one in found if one.height is None))
        fresh = [txid for txid in waiting if txid not in known]
        answers = dict(known)
        if fresh:
            asked = await self._batch([Call(method="getmempoolentry", params=(txid,)) for txid in fresh])
            answers.update(zip(fresh, asked, strict=True))
        self._waiting = waiting
        gone = {txid for txid in waiting if not isinstance(answers[txid], dict)}
        self._early = tuple(one for one in self._early if one.txid not in gone)
        return [one for one in found if one.height is not None or one.txid not in gone]

    async def _tip_of(self, info: Answer) -> Tip:
        if isinstance(info, Fault):
            raise NodeError(self._says(info))
        height = whole(info.get("blocks")) if isinstance(info, dict) else None
        block = digest(info.get("bestblockhash")) if isinstance(info, dict) else None
        if height is None or block is None:
            raise NodeError(f"{self._endpoint.what} did not say which block is its newest")
        if self._tip is None or self._tip.block != block:
            at = whole(info.get("time")) or await self._time(block)
            self._tip = Tip(asset=self._asset, height=height, block=block, at=datetime.fromtimestamp(at, UTC))
        return self._tip

    async def _time(self, block: str) -> int:
        header = (await self._batch([Call(method="getblockheader", params=(block,))]))[0]
        at = whole(header.get("time"), most=2**32) if isinstance(header, dict) else None
        if at is None:
            raise NodeError(f"{self._endpoint.what} did not say when its newest block was made")
        return at

    async def _batch(self, calls: Sequence[Call]) -> list[Answer]:
        answers = await self._endpoint.batch(calls, path=self._path)
        for answer in answers:
            if isinstance(answer, Fault) and answer.code in (NOT_LOADED, WARMING):
                raise NodeError(self._says(answer))
        return answers

    def _says(self, fault: Fault) -> str:
        return f"{self._endpoint.what} says: {fault.message}"


def _is_known(answer: Answer) -> bool:
    """Whether getaddressinfo says that the wallet watches an address."""
    return isinstance(answer, dict) and (answer.get("iswatchonly") is True or answer.get("ismine") is True)
