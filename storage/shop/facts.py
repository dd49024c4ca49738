"""The door for whoever watches a chain: which addresses to look at, and what was seen there, taken to the ledger.

What follows from it is decided in `law`; nothing here speaks to a node.
"""

from datetime import datetime

from engine.actions import Work
from storage.shop.invoices import Bench, settle_many
from storage.shop.ledger import open_addresses, take
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ShopSettings
from storage.shop.transfers import Report, Tip, Transfer, Watched

__all__ = ["Report", "Tip", "Transfer", "Watched", "observe", "watched"]


async def watched(work: Work, asset: str, *, ended: bool = False) -> tuple[Watched, ...]:
    """The addresses of this coin that are to be looked at, oldest first: of open invoices, and of ended ones while
    money may still come there. `ended`: all that ever were, for a sweep once a day: what comes there is a case."""
    return await open_addresses(work, asset, ended=ended)


async def observe(work: Work, report: Report, *, now: datetime, payments: PaymentSettings, shop: ShopSettings) -> int:
    """Take down what a watcher saw and judge every invoice that it touches; how many invoices changed.

    Repeating a report, or part of it, changes nothing. `now` is aware, UTC.
    """
    touched = await take(work, report, now=now)
    return await settle_many(work, touched, Bench(now=now, payments=payments, shop=shop))
