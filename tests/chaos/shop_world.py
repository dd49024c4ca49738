"""The chain of the chaos shop: what was really sent and mined stands in the world outside, which no kill reaches, and
the watcher looks at it again in each life. Besides, what customers do there, and what another system tells of it."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.actions import ServiceContext
from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.runtime.runtime import Runtime
from plugins.chains.watching import Watch
from storage.shop.transfers import Report, Tip, Transfer, Watched
from tests.chaos.actions import Bench
from tests.chaos.outside import Line, Outside

FIRST = 100
"""The height of the chain before anything happens."""
ADDRESS = re.compile(r"\b(?:bc1|ltc1)[a-z0-9]{20,}")
DUE = re.compile(r"Send ([0-9.]+) ([A-Z]+) to ((?:bc1|ltc1)[a-z0-9]+)")
HOOK = "/cryptoprocessing/order_payment"


def txid(name: str) -> str:
    """Of a transaction that the script calls so."""
    return hashlib.sha256(f"chaos {name}".encode()).hexdigest()


def happening(outside: Outside, chat: str, given: str) -> dict[str, Any]:
    """`$pay 60 a` and the like, once and for all: what comes to pass outside."""
    word, *rest = given[1:].split()
    match word:
        case "pay":
            asked = _asked(outside, chat)
            return {"chain": {"pay": txid(rest[1]), **_part(asked, int(rest[0]))} if asked else {}}
        case "mine":
            return {"chain": {"mine": int(rest[0])}}
        case "gone" | "back":
            return {"chain": {word: txid(rest[0])}}
        case "hook":
            asked = _asked(outside, chat)
            assert asked is not None, "nobody was asked to pay"
            told = {"txid": txid(rest[1]), "confirmations": int(rest[0]), **_part(asked, 100)}
            return {"hook": {**told, "amount": str(told["amount"])}}
    raise AssertionError(given)


def _part(asked: tuple[str, str, str], percent: int) -> dict[str, Any]:
    amount, asset, address = asked
    whole = int(Decimal(amount) * 10**8)
    return {"asset": asset, "address": address, "amount": -(-whole * percent // 100)}


def _asked(outside: Outside, chat: str) -> tuple[str, str, str] | None:
    """What they were last asked to send, and where."""
    for told in reversed(outside.told[chat]):
        if found := DUE.search(told["text"]):
            return found[1], found[2], found[3]
    return None


def happened(outside: Outside) -> list[Line]:
    """Everything that came to pass on the chain, oldest first."""
    return [line["chain"] for line in outside.sent.values() if line.get("chain")]


class Node:
    """Implements Driver over what came to pass."""

    def __init__(self, outside: Outside, context: ServiceContext) -> None:
        self._outside = outside
        self._now = context.now
        self._seen = 0

    async def tip(self) -> Tip:
        height, _ = standing_of(happened(self._outside))
        return tip_of(height, self._now())

    async def look(self, watched: Sequence[Watched]) -> Report:
        told = happened(self._outside)
        self._seen = len(told)
        height, transfers = standing_of(told)
        mine = {one.address for one in watched}
        return Report(
            asset="BTC",
            tip=tip_of(height, self._now()),
            transfers=tuple(one for one in transfers if one.address in mine),
            complete=tuple(sorted(mine)),
        )

    async def used(self, addresses: Sequence[str]) -> set[str]:
        _, transfers = standing_of(happened(self._outside))
        return {one.address for one in transfers} & set(addresses)

    def memory(self) -> str:
        return str(self._seen)

    def remember(self, memory: str) -> None:
        """It looks at everything again."""

    async def close(self) -> None:
        """There is no connection."""


def tip_of(height: int, at: datetime) -> Tip:
    return Tip(asset="BTC", height=height, block=_block(height), at=at)


def standing_of(told: Sequence[Line]) -> tuple[int, list[Transfer]]:
    """The chain's height, and what is on it or waits to be."""
    height = FIRST
    transfers: dict[str, Transfer] = {}
    away: dict[str, Transfer] = {}
    for one in told:
        if "mine" in one:
            first = height + 1
            height += one["mine"]
            for name, transfer in transfers.items():
                if transfer.height is None:
                    transfers[name] = _placed(transfer, first)
        elif "pay" in one:
            transfers[one["pay"]] = Transfer(
                asset="BTC", address=one["address"], txid=one["pay"], position="0", amount=one["amount"],
                height=None, block=None,
            )  # fmt: skip
        elif "gone" in one:
            away[one["gone"]] = transfers.pop(one["gone"])
        elif "back" in one:
            transfers[one["back"]] = _placed(away.pop(one["back"]), None)
    return height, list(transfers.values())


def _placed(transfer: Transfer, height: int | None) -> Transfer:
    return Transfer(
        asset=transfer.asset, address=transfer.address, txid=transfer.txid, position=transfer.position,
        amount=transfer.amount, height=height, block=None if height is None else _block(height),
    )  # fmt: skip


def _block(height: int) -> str:
    return hashlib.sha256(f"chaos block {height}".encode()).hexdigest()


def shop_catalog(bench: Bench) -> Catalog:
    """The real plugins; the watcher looks at this chain instead of at a node's."""
    known = discover(entry_points=False)

    async def watch(context: ServiceContext) -> None:
        await Watch(context, "BTC", opens=lambda _asset, _setting: Node(bench.outside, context)).run()

    services = {
        name: replace(one, function=watch) if name == "chains.watch" else one for name, one in known.services.items()
    }
    return replace(known, services=services)


class Hooks:
    """Another system that tells of payments, until it is told that this is known."""

    def __init__(self, outside: Outside, runtime: Runtime) -> None:
        self._outside = outside
        self._runtime = runtime

    async def bring(self, line: Line) -> bool:
        """One delivery; an answer below 400 acknowledges it."""
        answer = await self._runtime.beside.webhook(HOOK, line["update"], json.dumps(line["hook"]).encode())
        if answer.status == 503:
            return False
        if answer.status >= 400:
            self._outside.wrong.append(f"a webhook was refused: {answer.status} {dict(answer.body)}")
        self._outside.write("taken", update=line["update"])
        return True
