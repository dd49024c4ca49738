"""How quickly payments are seen: `python -m tests.benchmarks.chains [--addresses 1000] [--samples 5] [--short]`.

Real nodes on this machine, each with so many watched addresses: requests and time of a round, and how long a payment
takes from its sending until its invoice knows of it, with the watcher's usual pause of 3 s. Nodes that are missing are
left out, and the report says what to type.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from plugins.chains.electrum import Electrum
from tests.shop.nodes.anvil import Anvil
from tests.shop.nodes.bcoin import Bcoin
from tests.shop.nodes.electrumx import ElectrumX
from tests.shop.nodes.litecoin import Litecoind
from tests.shop.nodes.litesvm import Svm
from tests.shop.nodes.rigs import BcoinRig, BitcoinRig, ElectrumRig, EthRig, Rig, SolRig
from tests.shop.nodes.running import NoNode
from tests.shop.nodes.trading import Trade

TITLES = f"{'node':12} {'first ms':>9} {'round ms':>9} {'p99 ms':>8} {'requests':>9} {'changed ms':>11}"
HEAD = f"{TITLES} {'seen s':>7} {'most s':>7}"
Make = Callable[[ExitStack, aiohttp.ClientSession], Rig]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one node. Times in seconds."""

    name: str
    first: float
    """The first round, which makes all addresses known."""
    rounds: Sequence[float]
    """Rounds without news."""
    requests: float
    """Of such a round."""
    changed: float
    """A round in which every tenth address was paid."""
    seen: Sequence[float]
    """From the sending of a payment until its invoice is `processing`."""

    def __str__(self) -> str:
        ordered = sorted(self.rounds)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        seen = f"{statistics.median(self.seen):7.2f} {max(self.seen):7.2f}" if self.seen else f"{'–':>7} {'–':>7}"
        return (
            f"{self.name:12} {self.first * 1e3:9.1f} {statistics.median(ordered) * 1e3:9.2f} {p99 * 1e3:8.1f}"
            f" {self.requests:9.2f} {self.changed * 1e3:11.1f} {seen}"
        )


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="stepgram-chains-"))


def _started(stack: ExitStack, node: Any) -> Any:
    stack.callback(node.stop)
    return node


def _electrum(poll: int) -> Make:
    def make(stack: ExitStack, session: aiohttp.ClientSession) -> Rig:
        node = _started(stack, Litecoind(_folder()))
        return ElectrumRig(session, node, _started(stack, ElectrumX(_folder(), node, hasty=False, poll=poll)))

    return make


MAKES: dict[str, Make] = {
    "anvil": lambda stack, session: EthRig(session, _started(stack, Anvil(_folder()))),
    "litecoind": lambda stack, session: BitcoinRig(session, _started(stack, Litecoind(_folder()))),
    "electrumx": _electrum(5_000),  # as it comes: DAEMON_POLL_INTERVAL_MEMPOOL in milliseconds
    "electrumx/1s": _electrum(1_000),
    "bcoin": lambda stack, session: BcoinRig(session, _started(stack, Bcoin(_folder()))),
    "litesvm": lambda stack, session: SolRig(session, _started(stack, Svm(_folder()))),
}


async def measure(name: str, *, addresses: int, samples: int, rounds: int) -> Figures:
    """One node. Raises NoNode."""
    with ExitStack() as stack:
        async with aiohttp.ClientSession() as session:
            rig = MAKES[name](stack, session)
            for _ in range(addresses):
                rig.watch()
            first = await _timed(rig)
            for _ in range(3):
                await rig.look()
            before = _asked(rig)
            quiet = [await _timed(rig) for _ in range(rounds)]
            requests = (_asked(rig) - before) / rounds
            for one in rig.watched[: min(100, addresses // 10)]:
                rig.pay(one.address, rig.one)
            if not isinstance(rig, ElectrumRig):
                changed = await _timed(rig)
            else:
                await asyncio.sleep(6)  # the server has to hear of it first
                changed = await _timed(rig)
            rig.mine(3)
            seen = [await _seen(rig) for _ in range(samples)]
            await rig.driver.close()
    return Figures(name=name, first=first, rounds=quiet, requests=requests, changed=changed, seen=seen)


def _asked(rig: Rig) -> int:
    driver = rig.driver
    if isinstance(driver, Electrum):
        return driver.bursts
    return int(rig.endpoint.requests)  # type: ignore[attr-defined]


async def _timed(rig: Rig) -> float:
    began = time.perf_counter()
    await rig.look()
    return time.perf_counter() - began


async def _seen(rig: Rig) -> float:
    """The product's own loop, at its usual pace, until one payment has reached its invoice."""
    trade = Trade(rig)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        trade.now = datetime.now(UTC)

    address = await trade.offer()
    watch = trade.fresh_watch(sleep=sleep)
    running = asyncio.create_task(watch.run())
    try:
        await asyncio.sleep(3.2 + 2.9 * (hash(address) % 100) / 100)  # at any moment of a pause
        began = time.perf_counter()
        rig.pay(address, rig.one)
        while (await trade.row()).status == "new":
            await asyncio.sleep(0.02)
            if time.perf_counter() - began > 60:
                raise TimeoutError(f"{rig.name}: the payment was not seen within a minute")
        return time.perf_counter() - began
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def run(*, addresses: int, samples: int, rounds: int, names: Sequence[str] = tuple(MAKES)) -> list[Figures]:
    """All nodes that can be had, one after another."""
    print(f"{addresses} addresses; bcoin is behind a front of the tests, its times are the front's\n{HEAD}", flush=True)
    found = []
    for name in names:
        try:
            figures = await measure(name, addresses=addresses, samples=samples, rounds=rounds)
        except NoNode as reason:
            print(f"{name:12} left out: {reason}", flush=True)
            continue
        found.append(figures)
        print(figures, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, default=1_000)
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="100 addresses, one payment each")
    parser.add_argument("names", nargs="*", default=list(MAKES))
    given = parser.parse_args()
    small = given.short
    addresses, samples = (100, 1) if small else (given.addresses, given.samples)
    asyncio.run(run(addresses=addresses, samples=samples, rounds=10 if small else 30, names=given.names))


if __name__ == "__main__":
    main()
