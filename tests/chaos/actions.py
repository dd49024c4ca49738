"""What the flows do outside and in the database. Each call goes through a `Bench`, which the child fills in."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from engine.actions import Context, Retryable, action
from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from engine.actions.offers import Action
from tests.chaos.outside import Outside

T = TypeVar("T")


class Bench:
    """The side of the world that actions reach. The child sets everything before it starts."""

    outside: Outside
    point: Any
    """Called with a label: maybe the process dies here."""
    fault: Any
    """(name, key) → what this attempt does wrong: one of FAULTS or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldOut:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    ref: str
    receipt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang:
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    code: str


FAULTS = ("raises", "lost answer", "hangs", "hangs after", "rubbish", "rubbish after", "blocks", "slow", "exits")
"""What a plugin does wrong: before its effect, or after it."""
TIMEOUT = 0.03
BLOCKING = 0.01


async def _before(fault: str | None) -> Any:
    match fault:
        case "raises":
            raise Retryable("the other side is broken")
        case "exits":
            raise SystemExit(3)
        case "hangs":
            await asyncio.sleep(3600)
        case "rubbish":
            return {"a": object()}
        case "blocks":
            time.sleep(BLOCKING)
        case "slow":
            for _ in range(20):
                await asyncio.sleep(0)
    return None


async def _after(fault: str | None) -> Any:
    match fault:
        case "lost answer":
            raise ConnectionResetError("the answer was lost")
        case "hangs after":
            await asyncio.sleep(3600)
        case "rubbish after":
            return 17
    return None


async def _effect(bench: Bench, context: Context, name: str, value: T, **arguments: str) -> T:
    """Something outside, done once for each idempotency key, however often it is asked for."""
    key = context.idempotency_key
    bench.outside.write("asked", name=name, key=key, chat=context.chat)
    fault = bench.fault(name, key)
    rubbish: Any = await _before(fault)
    if rubbish is not None:
        return cast("T", rubbish)
    bench.point(f"before {name}")
    await asyncio.sleep(0)
    bench.outside.does(name, key, context.chat, arguments)
    bench.point(f"after {name}")
    await asyncio.sleep(0)
    rubbish = await _after(fault)
    return value if rubbish is None else cast("T", rubbish)


async def _inside(bench: Bench, context: Context, name: str) -> None:
    """A transactional action may fail too: what it wrote must be gone then."""
    bench.outside.write("asked", name=name, key=context.idempotency_key, chat=context.chat)
    fault = bench.fault(name, context.idempotency_key)
    if fault in ("raises", "lost answer", "rubbish", "hangs"):
        raise Retryable("not now")
    if fault == "blocks":
        time.sleep(BLOCKING)


def catalog(bench: Bench) -> Catalog:
    """The shop's actions, beside the engine's own."""

    @action(transactional=True)
    async def take(context: Context, *, item: str, ref: str) -> Taken | SoldOut:
        """Take one from the shelf."""
        database = context.transaction
        assert database is not None
        found = await database.execute(
            "UPDATE chaos_stock SET amount = amount - 1 WHERE item = ? AND amount > 0", (item,)
        )
        if found != 1:
            return SoldOut()
        await database.execute("INSERT INTO chaos_taken (ref, item, chat) VALUES (?, ?, ?)", (ref, item, context.chat))
        await _inside(bench, context, "take")
        return Taken(ref=ref)

    @action(transactional=True)
    async def give_back(context: Context, *, ref: str) -> Done:
        """Put it back on the shelf."""
        database = context.transaction
        assert database is not None
        rows = await database.query("DELETE FROM chaos_taken WHERE ref = ? RETURNING item", (ref,))
        await database.execute("INSERT INTO chaos_back (ref, n) VALUES (?, ?)", (ref, len(rows)))
        for row in rows:
            await database.execute("UPDATE chaos_stock SET amount = amount + 1 WHERE item = ?", (row["item"],))
        return Done()

    @action(timeout=TIMEOUT)
    async def charge(context: Context, *, item: str, ref: str) -> Charged:
        """Take the money."""
        return await _effect(bench, context, "charge", Charged(ref=ref, receipt=f"R-{ref}"), item=item, ref=ref)

    @action(timeout=TIMEOUT)
    async def refund(context: Context, *, ref: str, receipt: str) -> Done:
        """Give the money back."""
        return await _effect(bench, context, "refund", Done(), ref=ref, receipt=receipt)

    @action(timeout=TIMEOUT)
    async def ring(context: Context) -> Rang:
        """Ring the bell: the very first thing that a conversation does."""
        return await _effect(bench, context, "ring", Rang(tone="ding"))

    @action(transactional=True)
    async def pack(context: Context, *, ref: str) -> Done:
        """Tell the customer's conversation that it is packed, from within a commit."""
        await _inside(bench, context, "pack")
        context.signal("buy", ref, "parcel.packed", by="Otto")
        return Done()

    @action(timeout=TIMEOUT)
    async def dispatch(context: Context, *, ref: str) -> Sent:
        """Hand it to the carrier, and tell the customer's conversation."""
        sent = await _effect(bench, context, "dispatch", Sent(code=f"C-{ref}"), ref=ref)
        context.signal("buy", ref, "parcel.sent", code=f"C-{ref}")
        return sent

    known = discover(entry_points=False)
    offers: list[Action] = [take, give_back, charge, refund, ring, pack, dispatch]
    own = {f"shop.{offer.signature.name}": offer for offer in offers}
    actions = {name: replace(offer.signature, name=name) for name, offer in own.items()}
    return Catalog(
        actions={**known.actions, **actions},
        sources=known.sources,
        validators=known.validators,
    )
