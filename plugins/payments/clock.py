"""The clock of payments: warnings, expiry and the end of watching, each when it is due.

Nothing is decided here; what is due is judged. Before a chain was looked at since this began, nothing of it expires.
"""

import logging
from datetime import datetime

from engine.actions import ServiceContext, service
from storage.shop import books
from storage.shop.invoices import Bench, settle_many
from storage.shop.moments import millis
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ShopSettings

_log = logging.getLogger(__name__)
BATCH = 500
"""Invoices of one transaction."""
_LONGEST = 20.0
_SHORTEST = 0.02
_AGAIN = 600_000
_STOOD_STILL = 120_000
"""Milliseconds between two rounds: after more than that it is as if the process had just begun."""


@service(name="clock")
async def keep_time(context: ServiceContext) -> None:
    """Warns of and ends unpaid invoices when their time has come."""
    began = last = millis(context.now())
    while True:
        now = millis(context.now())
        if not 0 <= now - last <= _STOOD_STILL:  # the machine slept, or its clock was put right: look again first
            began = now
        last = now
        while await once(context, began) == BATCH:
            await context.sleep(_SHORTEST)
            last = millis(context.now())
        await context.sleep(await _pause(context))


async def once(context: ServiceContext, began: int) -> int:
    """Judge what is due now, at most one batch; how many that were."""
    bench = Bench(
        now=context.now(),
        payments=context.configured(PaymentSettings),
        shop=context.configured(ShopSettings),
        since=began,
    )
    ids: tuple[int, ...] = ()
    try:
        async with context.begin() as work:
            ids = await books.due(work, bench.stamp, BATCH)
            await settle_many(work, ids, bench)
    except ValueError as error:
        if not ids:
            raise
        await _without(context, ids, bench, error)
    return len(ids)


async def _without(context: ServiceContext, ids: tuple[int, ...], bench: Bench, error: ValueError) -> None:
    """A damaged row must not stop the others: the half that it is not in is done at once."""
    if len(ids) < 2:
        _log.error("invoice %s cannot be judged: %s", *ids, error)
        async with context.begin() as work:
            await work.execute("UPDATE pay_invoices SET due_at = ? WHERE id = ?", (bench.stamp + _AGAIN, *ids))
        return
    for part in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
        try:
            async with context.begin() as work:
                await settle_many(work, part, bench)
        except ValueError as again:
            await _without(context, part, bench, again)


async def _pause(context: ServiceContext) -> float:
    """Seconds until the next moment that something may be due, also for an invoice that is made meanwhile."""
    payments = context.configured(PaymentSettings)
    lengths = (payments.expires - payments.warning, payments.expires, payments.partial.extend)
    soonest = min(length.total_seconds() for length in lengths if length)
    longest = max(1.0, min(_LONGEST, soonest / 2))
    async with context.begin() as work:
        due = await books.next_due(work)
    return longest if due is None else min(longest, max(_SHORTEST, _until(due, context.now())))


def _until(due: int, now: datetime) -> float:
    return (due - millis(now)) / 1000
