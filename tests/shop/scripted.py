"""A chain that a test writes: a driver whose blocks, mempool, reorganisations and troubles are as it is told."""

import asyncio
from collections.abc import Sequence

from plugins.chains.driver import NodeError
from storage.shop.transfers import Report, Tip, Watched
from tests.shop.till import Node


class Scripted:
    """Implements Driver over a `Node` of the tests, which has `send`, `mine` and `reorg`."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.trouble: BaseException | None = None
        """Raised by the next looks, until it is taken away."""
        self.uncertain: set[str] = set()
        """Addresses of which the node says nothing certain."""
        self.hangs: asyncio.Event | None = None
        """A look waits for it."""
        self.looks = 0
        self.closed = 0
        self.kept = ""
        """What `remember` was given, then what `memory` gives."""

    async def tip(self) -> Tip:
        return (await self.look(())).tip

    async def look(self, watched: Sequence[Watched]) -> Report:
        self.looks += 1
        if self.hangs is not None:
            await self.hangs.wait()
        if self.trouble is not None:
            raise self.trouble
        mine = {one.address for one in watched}
        report = self.node.report([one.address for one in watched if one.address not in self.uncertain])
        kept = tuple(one for one in report.transfers if one.address in mine - self.uncertain)
        return Report(asset=report.asset, tip=report.tip, transfers=kept, complete=report.complete)

    async def used(self, addresses: Sequence[str]) -> set[str]:
        if self.trouble is not None:
            raise self.trouble
        return {one.address for one in self.node.known.values()} & set(addresses)

    def down(self, why: str = "the node cannot be reached") -> None:
        self.trouble = NodeError(why)

    def up(self) -> None:
        self.trouble = None

    def memory(self) -> str:
        return self.kept

    def remember(self, memory: str) -> None:
        self.kept = memory

    async def close(self) -> None:
        self.closed += 1
