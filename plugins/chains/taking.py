"""Takes a report down, with what belongs into the same transaction. One damaged invoice stops no other."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from engine.actions import Work
from storage.shop import facts, ledger
from storage.shop.invoices import Bench, settle_many
from storage.shop.transfers import Report

_log = logging.getLogger("stepgram.chains")
Begin = Callable[[], AbstractAsyncContextManager[Work]]


async def take(begin: Begin, report: Report, bench: Bench, also: Callable[[Work], Awaitable[None]]) -> None:
    """Take it down and judge whatever it touches, all in one transaction with `also`.

    When one of the invoices cannot be judged at all, each is judged by itself.
    """
    try:
        async with begin() as work:
            await facts.observe(work, report, now=bench.now, payments=bench.payments, shop=bench.shop)
            await also(work)
    except ValueError as damage:
        _log.warning("one of the invoices in %s cannot be judged: %s", report.asset, damage)
        await _one_by_one(begin, report, bench, also)


async def _one_by_one(begin: Begin, report: Report, bench: Bench, also: Callable[[Work], Awaitable[None]]) -> None:
    async with begin() as work:
        touched = await ledger.take(work, report, now=bench.now)
        await also(work)
    for invoice in touched:
        try:
            async with begin() as work:
                await settle_many(work, (invoice,), bench)
        except ValueError as damage:
            _log.error("invoice %d cannot be judged: %s", invoice, damage)
