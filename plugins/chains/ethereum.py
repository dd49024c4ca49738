"""ETH through a node's JSON-RPC: the balances of all addresses in one request, so that internal transfers count.

Balances become transfers in `balances`. No block is read, no transaction is looked for.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from engine.core.records import record
from plugins.chains import balances, reading, tokens
from plugins.chains.balances import History
from plugins.chains.driver import NodeError, WrongNodeError
from plugins.chains.jsonrpc import Answer, Call, Endpoint, Fault, quantity
from plugins.chains.networks import right_chain_id
from storage.shop.transfers import Report, Tip, Watched

ASSET: Final = "ETH"
ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")
HASH: Final = re.compile("0x[0-9a-f]{64}")
NEWEST: Final = Call(method="eth_getBlockByNumber", params=("latest", False))
BACK: Final = (1, 2, 4, 8, 16, 32, 64, 126)
"""How many blocks back a balance is looked up, when it grew while nobody looked. Nodes keep 128 blocks' states."""
DEEP: Final = 256
"""Blocks that are older are not asked for again: no reorganisation goes so deep."""
PLAIN_AT_ONCE: Final = 900
"""Calls of one request, where each balance is a call of its own: nodes refuse more than a thousand."""


@record
class _Block:
    height: int
    block: str
    parent: str
    at: datetime


@record
class _Seen:
    """The balances of one round; `newest` is read after them, so it is never too old for them."""

    latest: Sequence[int]
    pending: Sequence[int]
    newest: _Block
    logs: Sequence[Answer]


class Ethereum:
    """Implements Driver. One request per round; a second one when money came, went, or the chain was reorganised."""

    def __init__(self, endpoint: Endpoint, *, network: str, chain_id: int = 0) -> None:
        self._endpoint = endpoint
        self._network = network
        self._chain_id = chain_id
        self._ready = False
        self._plain = False
        self._histories: dict[str, History] = {}
        self._tokens: tuple[tokens.Token, ...] = ()
        self._scanned: int | None = None
        """Up to this block events of tokens are known."""
        self._last: tuple[int, str] | None = None
        """The newest block of the last round."""

    async def tip(self) -> Tip:
        """See Driver."""
        await self._open()
        return _tip(self._block((await self._endpoint.batch([NEWEST]))[0]))

    async def used(self, addresses: Sequence[str]) -> set[str]:
        """See Driver."""
        await self._open()
        counts = [Call(method="eth_getTransactionCount", params=(one, "pending")) for one in addresses]
        answers = await self._portions([*counts, *reading.plain_calls(addresses, "pending")])
        found = [quantity(answer) for answer in answers]
        if None in found:
            raise NodeError(f"{self._endpoint.what} did not say whether an address was used")
        size = len(addresses)
        return {one for one, sent, held in zip(addresses, found[:size], found[size:], strict=True) if sent or held}

    async def close(self) -> None:
        """See Driver."""

    async def look(self, watched: Sequence[Watched]) -> Report:
        """See Driver."""
        try:
            await self._open()
            return await self._look([one.address for one in watched if ADDRESS.fullmatch(one.address)])
        except NodeError:
            self._ready = False
            raise

    async def _open(self) -> None:
        if self._ready:
            return
        found = (await self._endpoint.batch([Call(method="eth_chainId")]))[0]
        number = quantity(found)
        if number is None:
            raise WrongNodeError(f"{self._endpoint.what} answers, but not as an Ethereum node: check its address")
        if not right_chain_id(self._network, self._chain_id, number):
            raise WrongNodeError(
                f"{self._endpoint.what} is on chain {number}, not on the network {self._network} of the settings: "
                "give another node, or set `chain_id:`"
            )
        self._ready = True

    async def _look(self, addresses: Sequence[str]) -> Report:
        seen = await self._seen(addresses)
        newest = seen.newest
        before = {one: self._histories.get(one, History()) for one in addresses}
        now = await self._unswept(before, dict(zip(addresses, seen.latest, strict=True)))
        now, misplaced = await self._reorganised(now, newest)
        for one, latest, pending in zip(addresses, seen.latest, seen.pending, strict=True):
            now[one] = balances.advanced(
                now[one], latest=latest, pending=pending, height=newest.height, block=newest.block
            )
        grown = {one for one in addresses if now[one].included > before[one].included}
        if self._last is None or newest.height > self._last[0] + 1:
            misplaced |= grown
        if misplaced:
            now = await self._earlier(now, sorted(misplaced), newest)
        self._take_tokens(addresses, seen)
        self._histories = now
        self._last = (newest.height, newest.block)
        found = [transfer for one in addresses for transfer in balances.transfers(ASSET, one, now[one])]
        found += tokens.transfers(self._tokens)
        return Report(asset=ASSET, tip=_tip(newest), transfers=tuple(found), complete=tuple(addresses))

    def _take_tokens(self, addresses: Sequence[str], seen: _Seen) -> None:
        newest = seen.newest.height
        scanned = newest if self._scanned is None else self._scanned
        if not any(isinstance(answer, Fault) for answer in seen.logs):
            spelled = {one.lower(): one for one in addresses}
            self._tokens = tokens.taken(self._tokens, seen.logs, spelled, scanned)
            self._scanned = newest
        elif newest - scanned > tokens.FURTHEST:
            self._scanned = newest - tokens.DEEP  # more than the node gives at once

    async def _seen(self, addresses: Sequence[str]) -> _Seen:
        logs = [] if self._scanned is None else tokens.calls(addresses, self._scanned)
        if self._plain:
            return await self._seen_plainly(addresses, logs)
        latest, pending = reading.calls(addresses, "latest"), reading.calls(addresses, "pending")
        answers = await self._endpoint.batch([*latest, *pending, *logs, NEWEST])
        newest = self._block(answers.pop())
        size = len(latest)
        sure = reading.balances(answers[:size], len(addresses))
        if sure is None:
            self._plain = True
            return await self._seen_plainly(addresses, logs)
        hoped = reading.balances(answers[size : 2 * size], len(addresses))
        return _Seen(latest=sure, pending=hoped or sure, newest=newest, logs=answers[2 * size :])

    async def _seen_plainly(self, addresses: Sequence[str], logs: Sequence[Call]) -> _Seen:
        sure = reading.plain_balances(await self._portions(reading.plain_calls(addresses, "latest")))
        if sure is None:
            raise NodeError(f"{self._endpoint.what} does not tell balances")
        hoped = reading.plain_balances(await self._portions(reading.plain_calls(addresses, "pending")))
        *found, block = await self._endpoint.batch([*logs, NEWEST])
        return _Seen(latest=sure, pending=hoped or sure, newest=self._block(block), logs=found)

    async def _portions(self, calls: Sequence[Call]) -> list[Answer]:
        answers: list[Answer] = []
        for at in range(0, len(calls), PLAIN_AT_ONCE):
            answers += await self._endpoint.batch(calls[at : at + PLAIN_AT_ONCE])
        return answers

    async def _unswept(self, before: Mapping[str, History], latest: Mapping[str, int]) -> dict[str, History]:
        """Where a balance shrank: has the owner taken it away, or was the chain reorganised?"""
        shrunk = [one for one, history in before.items() if latest[one] + history.swept < history.included]
        found = dict(before)
        if not shrunk:
            return found
        calls = [Call(method="eth_getTransactionCount", params=(one, "latest")) for one in shrunk]
        for one, answer in zip(shrunk, await self._endpoint.batch(calls), strict=True):
            nonce = quantity(answer)
            if nonce is None:
                raise NodeError(f"{self._endpoint.what} did not say whether an address has sent something")
            found[one] = balances.swept(before[one], latest=latest[one], nonce=nonce)
        return found

    async def _reorganised(
        self, histories: Mapping[str, History], newest: _Block
    ) -> tuple[dict[str, History], set[str]]:
        """Steps in blocks that are gone are taken to the newest block; whose they were."""
        found = dict(histories)
        last = self._last
        if last is None or last == (newest.height, newest.block) or last == (newest.height - 1, newest.parent):
            return found, set()
        steps = [step for history in histories.values() for step in history.steps]
        heights = sorted({step.height for step in steps if step.height is not None})
        calls = [
            Call(method="eth_getBlockByNumber", params=(hex(height), False))
            for height in heights
            if newest.height - DEEP <= height <= newest.height
        ]
        blocks: dict[int, str] = {}
        if calls:
            for answer in await self._portions(calls):
                block = self._block(answer)
                blocks[block.height] = block.block
        misplaced: set[str] = set()
        for one, history in histories.items():
            found[one], gone = balances.moved(history, blocks, height=newest.height, block=newest.block)
            if gone:
                misplaced.add(one)
        return found, misplaced

    async def _earlier(
        self, histories: Mapping[str, History], misplaced: Sequence[str], newest: _Block
    ) -> dict[str, History]:
        """Better places for what came while nobody looked, as far back as the node remembers."""
        heights = [newest.height - back for back in BACK if newest.height - back >= 0]
        if self._plain or not heights:
            return dict(histories)
        size = len(reading.calls(misplaced, "latest"))
        calls: list[Call] = []
        for height in heights:
            calls.append(Call(method="eth_getBlockByNumber", params=(hex(height), False)))
            calls += reading.calls(misplaced, hex(height))
        answers = await self._endpoint.batch(calls)
        seen: dict[str, dict[int, tuple[str, int]]] = {one: {} for one in misplaced}
        since = {one: self._unmoved(one, histories[one]) for one in misplaced}
        for place, height in enumerate(heights):
            block, *told = answers[place * (size + 1) : (place + 1) * (size + 1)]
            found = reading.balances(told, len(misplaced))
            if found is None or not isinstance(block, dict):
                continue  # the node has forgotten this state
            for one, balance in zip(misplaced, found, strict=True):
                if height > since[one]:
                    seen[one][height] = (self._block(block).block, balance)
        return {**histories, **{one: balances.earlier(histories[one], seen[one]) for one in misplaced}}

    def _unmoved(self, address: str, history: History) -> int:
        """Since which block the owner has surely taken nothing away; older balances say too little of what came."""
        if not history.swept:
            return -1
        before = self._histories.get(address)
        if self._last is None or before is None or before.swept != history.swept:
            return 2**63
        return self._last[0]

    def _block(self, answer: Answer) -> _Block:
        row = answer if isinstance(answer, dict) else {}
        height, at = quantity(row.get("number")), quantity(row.get("timestamp"))
        block, parent = str(row.get("hash")), str(row.get("parentHash"))
        if height is None or at is None or at >= 2**33 or not HASH.fullmatch(block) or not HASH.fullmatch(parent):
            said = f": {answer.message}" if isinstance(answer, Fault) else ""
            raise NodeError(f"{self._endpoint.what} did not show its newest block{said}")
        return _Block(height=height, block=block, parent=parent, at=datetime.fromtimestamp(at, UTC))

    def memory(self) -> str:
        """See Driver. Only addresses that received something are in it."""
        known = {one: balances.written(history) for one, history in self._histories.items() if history.next > 1}
        last = list(self._last) if self._last and known else None
        kept = {"v": 1, "last": last, "histories": known, "tokens": tokens.written(self._tokens)}
        return json.dumps({**kept, "scanned": self._scanned}, separators=(",", ":"))

    def remember(self, memory: str) -> None:
        """See Driver."""
        try:
            kept: Any = json.loads(memory)
            histories = {str(one): balances.read(value) for one, value in kept["histories"].items()}
            found = tokens.read(kept["tokens"])
            last = (int(kept["last"][0]), str(kept["last"][1])) if kept["last"] else None
            scanned = None if kept["scanned"] is None else int(kept["scanned"])
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            return
        self._histories, self._tokens, self._last, self._scanned = histories, found, last, scanned


def _tip(block: _Block) -> Tip:
    return Tip(asset=ASSET, height=block.height, block=block.block, at=block.at)
