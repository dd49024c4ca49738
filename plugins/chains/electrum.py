"""BTC and LTC through an Electrum server: it tells when something happens to an address, and only then is asked.

Amounts are read from the transactions themselves, whose names are checked.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from engine.core.records import record
from plugins.chains import bitcoin_bytes
from plugins.chains.bitcoin_bytes import Header, Output
from plugins.chains.driver import NodeError, WrongNodeError
from plugins.chains.electrum_line import Line
from plugins.chains.jsonrpc import Answer, Call, Fault, digest, whole
from plugins.chains.networks import right_genesis
from plugins.chains.scripts import script, scripthash
from storage.shop.transfers import Report, Tip, Transfer, Watched

AGENT: Final = "stepgram"
PROTOCOL: Final = ("1.4", "1.4.3")
DEEP: Final = 100
"""Blocks that are older are not asked for again after a reorganisation."""
PATIENCE: Final = 120.0
"""Seconds for the first round, when every address is subscribed."""
FILLING: Final = Call(method="blockchain.block.headers", params=(0, 16))
Dial = Callable[[Callable[[str, Sequence[Any]], None]], Awaitable[Line]]


@record
class _Tip:
    height: int
    header: Header


class _Known:
    """What the server has said of one address."""

    __slots__ = ("dirty", "history", "script", "status")

    def __init__(self, script: bytes) -> None:
        self.script = script
        self.status: str | None = None
        self.dirty = False
        self.history: dict[str, int | None] = {}
        """Transaction → height, None in the mempool."""


class Electrum:
    """Implements Driver. One burst per round; up to two more when something happened to an address."""

    def __init__(self, dial: Dial, *, what: str, asset: str, network: str) -> None:
        """`dial` makes a connection that calls its argument with what the server says unasked."""
        self._dial = dial
        self._what = what
        self._asset = asset
        self._network = network
        self._line: Line | None = None
        self._known: dict[str, _Known] = {}
        """By script hash."""
        self._subscribed: set[str] = set()
        self._leaving: list[str] = []
        """Script hashes of which the server need not tell any more."""
        self._outputs: dict[str, tuple[Output, ...]] = {}
        """Transaction → what it pays, of all that watched addresses have to do with."""
        self._headers: dict[int, Header] = {}
        self._tip: _Tip | None = None
        self.bursts = 0
        """How often the server was asked."""

    async def tip(self) -> Tip:
        """See Driver."""
        await self._connected()
        return self._newest()

    async def used(self, addresses: Sequence[str]) -> set[str]:
        """See Driver."""
        try:
            await self._connected()
            calls = [Call(method="blockchain.scripthash.get_history", params=(scripthash(one),)) for one in addresses]
            answers = await self._ask(calls) if calls else []
            if any(isinstance(answer, Fault) for answer in answers):
                raise NodeError(f"{self._what} did not list the transactions of an address")
        except NodeError:
            await self.close()
            raise
        return {one for one, answer in zip(addresses, answers, strict=True) if answer}

    def memory(self) -> str:
        """Nothing: the server knows everything."""
        return ""

    def remember(self, memory: str) -> None:
        """See Driver."""

    async def close(self) -> None:
        """See Driver."""
        if self._line is not None:
            await self._line.close()
            self._line = None

    async def look(self, watched: Sequence[Watched]) -> Report:
        """See Driver."""
        try:
            return await self._look(watched)
        except NodeError:
            await self.close()
            raise

    async def _look(self, watched: Sequence[Watched]) -> Report:
        await self._connected()
        names = {scripthash(one.address): one.address for one in watched}
        self._forget(names)
        fresh = [name for name in names if name not in self._subscribed]
        # a question even when there is nothing to ask: whatever the server has said before its answer is here by then
        left, self._leaving = self._leaving, []
        calls = [
            Call(method="server.ping"),
            *(_subscribing(name) for name in fresh),
            *(Call(method="blockchain.scripthash.unsubscribe", params=(name,)) for name in left),
        ]
        pong, *answers = await self._ask(calls)
        if isinstance(pong, Fault):
            raise NodeError(f"{self._what} says: {pong.message}")
        for name, status in zip(fresh, answers[: len(fresh)], strict=True):
            self._take_status(name, status)
            self._subscribed.add(name)
        await self._histories([name for name in names if self._known[name].dirty])
        await self._details()
        found = [one for name, address in names.items() for one in self._transfers(name, address)]
        complete = tuple(address for name, address in names.items() if not self._known[name].dirty)
        return Report(asset=self._asset, tip=self._newest(), transfers=tuple(found), complete=complete)

    async def _connected(self) -> None:
        if self._line is not None and not self._line.broken:
            return
        await self.close()
        self._subscribed.clear()
        self._leaving.clear()
        self._headers.clear()
        self._line = await self._dial(self._told)
        version, features, newest = await self._ask(
            [
                Call(method="server.version", params=(AGENT, PROTOCOL)),
                Call(method="server.features"),
                Call(method="blockchain.headers.subscribe"),
            ]
        )
        genesis = features.get("genesis_hash") if isinstance(features, dict) else None
        if not isinstance(version, list) or genesis is None:
            raise WrongNodeError(f"{self._what} answers, but not as an Electrum server: check its address")
        if not right_genesis(self._asset, self._network, str(genesis)):
            raise WrongNodeError(f"{self._what} is not on the network {self._asset} {self._network}")
        self._take_tip(newest)

    def _told(self, method: str, params: Sequence[Any]) -> None:
        """What the server says unasked."""
        if method == "blockchain.headers.subscribe" and params:
            self._take_tip(params[0])
        elif method == "blockchain.scripthash.subscribe" and len(params) == 2 and params[0] in self._known:
            self._take_status(str(params[0]), params[1])

    def _take_status(self, name: str, status: object) -> None:
        if status is not None and digest(status) is None:
            raise NodeError(f"{self._what} did not say how an address stands")
        known = self._known[name]
        known.dirty = known.dirty or known.status != status
        known.status = None if status is None else str(status)

    def _take_tip(self, newest: object) -> None:
        height = whole(newest.get("height")) if isinstance(newest, dict) else None
        header = _header(newest.get("hex")) if isinstance(newest, dict) else None
        if height is None or header is None:
            raise NodeError(f"{self._what} did not show its newest block")
        before = self._tip
        if before is not None and before.header.block not in (header.block, header.parent):
            for old in [known for known in self._headers if known > height - DEEP]:
                del self._headers[old]
        self._tip = _Tip(height=height, header=header)

    def _newest(self) -> Tip:
        if self._tip is None:
            raise NodeError(f"{self._what} did not show its newest block")
        at = datetime.fromtimestamp(self._tip.header.time, UTC)
        return Tip(asset=self._asset, height=self._tip.height, block=self._tip.header.block, at=at)

    def _forget(self, names: Mapping[str, str]) -> None:
        """Keep what is watched. A server that cannot leave the others goes on telling of them, unheard."""
        for name in self._known.keys() - names.keys():
            del self._known[name]
            if name in self._subscribed:
                self._subscribed.remove(name)
                self._leaving.append(name)
        for name, address in names.items():
            if name not in self._known:
                self._known[name] = _Known(script(address))

    async def _histories(self, names: Sequence[str]) -> None:
        if not names:
            return
        statuses = [self._known[name].status for name in names]
        calls = [Call(method="blockchain.scripthash.get_history", params=(name,)) for name in names]
        answers = await self._ask_at_once(calls)
        for name, before, answer in zip(names, statuses, answers, strict=True):
            if not isinstance(answer, list):
                said = f": {answer.message}" if isinstance(answer, Fault) else ""
                raise NodeError(f"{self._what} did not list the transactions of an address{said}")
            known = self._known[name]
            known.history = {}
            for row in answer:
                txid = digest(row.get("tx_hash")) if isinstance(row, dict) else None
                height = whole(row.get("height"), least=-1) if isinstance(row, dict) else None
                if txid is None or height is None:
                    raise NodeError(f"{self._what} lists a transaction that cannot be read")
                known.history[txid] = height if height > 0 else None
            known.dirty = known.status != before  # something happened meanwhile

    async def _details(self) -> None:
        """Transactions and blocks that the histories name and that are not known yet, together in one burst."""
        wanted = {txid for known in self._known.values() for txid in known.history}
        self._outputs = {txid: outputs for txid, outputs in self._outputs.items() if txid in wanted}
        missing = sorted(wanted - self._outputs.keys())
        heights = {height for known in self._known.values() for height in known.history.values() if height is not None}
        blocks = sorted(heights - self._headers.keys())
        calls = [
            *(Call(method="blockchain.transaction.get", params=(txid,)) for txid in missing),
            *(Call(method="blockchain.block.header", params=(height,)) for height in blocks),
        ]
        answers = await self._ask_at_once(calls) if calls else []
        for txid, answer in zip(missing, answers[: len(missing)], strict=True):
            if isinstance(answer, Fault):
                self._lost(txid)  # gone again since it was listed
            else:
                self._outputs[txid] = self._paid(txid, answer)
        for height, answer in zip(blocks, answers[len(missing) :], strict=True):
            header = _header(answer)
            if header is not None:  # else the chain has become shorter; the history follows
                self._headers[height] = header

    def _paid(self, txid: str, answer: Answer) -> tuple[Output, ...]:
        try:
            name, outputs = bitcoin_bytes.transaction(bytes.fromhex(str(answer)))
        except ValueError:
            name, outputs = "", ()
        if name != txid:
            raise NodeError(f"{self._what} shows another transaction than the one it was asked for")
        return outputs

    def _lost(self, txid: str) -> None:
        for known in self._known.values():
            if txid in known.history:
                del known.history[txid]
                known.dirty = True

    def _transfers(self, name: str, address: str) -> list[Transfer]:
        known = self._known[name]
        return [
            Transfer(
                asset=self._asset,
                address=address,
                txid=txid,
                position=str(position),
                amount=output.value,
                height=height,
                block=self._headers[height].block if height in self._headers else None,
            )
            for txid, height in known.history.items()
            for position, output in enumerate(self._outputs.get(txid, ()))
            if output.script == known.script
        ]

    async def _ask_at_once(self, calls: Sequence[Call]) -> list[Answer]:
        """For questions right after others. Servers hold a small answer back for up to a second, so that nobody can
        tell by its size what was asked; with some headers behind it it is not small."""
        return (await self._ask([*calls, FILLING]))[:-1]

    async def _ask(self, calls: Sequence[Call]) -> list[Answer]:
        assert self._line is not None
        self.bursts += 1
        return await self._line.ask(calls, seconds=PATIENCE)


def _subscribing(name: str) -> Call:
    return Call(method="blockchain.scripthash.subscribe", params=(name,))


def _header(text: object) -> Header | None:
    try:
        return bitcoin_bytes.header(bytes.fromhex(str(text)))
    except ValueError:
        return None
