"""Deliberately broken shops. The suite must catch each of them: else it proves nothing."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from engine.runtime.hooks import Answer
from engine.runtime.hooks import Hooks as EnginesHooks
from engine.runtime.work import Works
from storage.shop import facts, ledger, stock, telling
from storage.shop.invoices import Bench, settle_many
from tests.chaos.points import replaced_in

LONG = 1500
"""Steps of the event loop."""
Deed = Callable[[Any], Awaitable[object]]
_late: ContextVar[list[Deed] | None] = ContextVar("late", default=None)


def _in_two_transactions() -> None:
    """What is put off in a service's or webhook's transaction is done after its commit, in one of its own."""
    whole = Works.opened

    @asynccontextmanager
    async def opened(works: Any, update: str | None = None) -> AsyncIterator[Any]:
        deeds: list[Deed] = []
        _late.set(deeds)
        async with whole(works, update) as both:
            yield both
        _late.set(None)
        if deeds:
            await _a_while()
        for deed in deeds:
            async with whole(works) as (_, work):
                await deed(work)

    replaced_in(Works, "opened", opened)


async def _a_while() -> None:
    """The machine is busy: a kill is more likely to fall here."""
    for _ in range(LONG):
        await asyncio.sleep(0)


def _put_off(owner: object, name: str) -> None:
    """A function of the shop is called later, in a transaction of its own."""
    _in_two_transactions()
    at_once = getattr(owner, name)

    async def later(work: Any, *given: Any, **named: Any) -> Any:
        deeds = _late.get()
        if deeds is None:
            return await at_once(work, *given, **named)
        deeds.append(lambda other: at_once(other, *given, **named))
        return None

    replaced_in(owner, name, later)


def judged_later() -> None:
    """Money is written down in one transaction, what follows from it in the next."""
    _in_two_transactions()

    async def observe(work: Any, report: Any, *, now: Any, payments: Any, shop: Any) -> int:
        touched = await ledger.take(work, report, now=now)
        bench = Bench(now=now, payments=payments, shop=shop)
        deeds = _late.get()
        assert deeds is not None
        if touched:
            deeds.append(lambda other: settle_many(other, touched, bench))
        return len(touched)

    replaced_in(facts, "observe", observe)


def sold_later() -> None:
    """The invoice and its order are paid, the goods leave the stock after that."""
    _put_off(stock, "sell")


def released_later() -> None:
    """The invoice and its order are over, the goods are free again after that."""
    _put_off(stock, "release")


def news_from_memory() -> None:
    """Customers and team are told after the commit: no row says that they were to be told."""
    _put_off(telling, "changes")


def ledger_forgets() -> None:
    """Which transfers were taken down is known from memory, and by no key."""
    counted = itertools.count()
    knows, inserts = ledger._known, ledger._insert
    mine: set[str] = set()

    async def known(work: Any, invoices: Any) -> list[Any]:
        return [one for one in await knows(work, invoices) if one.txid in mine]

    async def insert(work: Any, row: Any, **named: Any) -> bool:
        mine.add(row.txid)
        return await inserts(work, row, **named)

    replaced_in(ledger, "_known", known)
    replaced_in(ledger, "_insert", insert)
    replaced_in(ledger, "_key", lambda row: f"{row.txid}:{os.getpid()}.{next(counted)}")


def webhook_answered_early() -> None:
    """The sender of a webhook hears that it is taken before it is."""
    takes = EnginesHooks.take
    kept: set[asyncio.Task[Answer]] = set()

    async def take(hooks: Any, path: str, delivery: str, body: bytes) -> Answer:
        async def later() -> Answer:
            with hooks._activity.work():
                await _a_while()
                return await takes(hooks, path, delivery, body)

        task = asyncio.create_task(later())
        kept.add(task)
        return Answer(status=200, body={})

    replaced_in(EnginesHooks, "take", take)


AIMED = {"sold-later": "mug", "released-later": "expiry", "webhook-answered-early": "told"}
"""Where it matters; else it is the sale of one licence."""
SHOP: dict[str, Callable[[], None]] = {
    "judged-later": judged_later,
    "sold-later": sold_later,
    "released-later": released_later,
    "news-from-memory": news_from_memory,
    "ledger-forgets": ledger_forgets,
    "webhook-answered-early": webhook_answered_early,
}
