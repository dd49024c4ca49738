"""What customers and the team are told when an invoice changes. Rows only, in the transaction of the change.

Which change it is, is read from the invoice before and the verdict after; nothing here changes money or stock.
"""

from collections.abc import Iterator

from engine.actions import Money, Work
from engine.core.values import Value
from storage.shop import news
from storage.shop.books import Invoice
from storage.shop.cases import Case
from storage.shop.law import OVER, Verdict
from storage.shop.moments import moment
from storage.shop.orders import Order
from storage.shop.policy import LateDeed
from storage.shop.refunds import CREDITED, DUE, Moved
from storage.shop.settings import ShopSettings


def payload(invoice: Invoice, verdict: Verdict) -> dict[str, Value]:
    """What every message about a payment may speak of."""
    return {
        "amount": Money(minor=invoice.amount, asset=invoice.asset),
        "paid": Money(minor=verdict.received, asset=invoice.asset),
        "rest": Money(minor=verdict.rest, asset=invoice.asset),
        "currency": invoice.asset,
        "expires_at": moment(verdict.expires_at),
        "confirmations": min(verdict.sums.depth, invoice.rules.needed),
        "needed": invoice.rules.needed,
        "flags": ",".join(sorted(verdict.flags)),
    }


async def changes(
    work: Work,
    shop: ShopSettings,
    order: Order,
    invoice: Invoice,
    verdict: Verdict,
    *,
    deed: LateDeed | None,
    moved: Moved | None,
    taken: bool,
) -> None:
    """Tell of a change."""
    about = payload(invoice, verdict)
    for name in names(invoice, verdict, taken=taken):
        extra: dict[str, Value] = {"decision": deed or ""} if name == "payment.late" else {}
        if name == "payment.settled":
            extra = {"goods": await news.goods(work, order.id)}
        await news.tell_customer(work, shop, order, name, **about, **extra)
        if name in _FOR_THE_TEAM:
            await news.tell_team(work, shop, name, order, **about)
    if moved is not None and moved.status in (DUE, CREDITED):
        back = {**about, "amount": Money(minor=moved.amount, asset=invoice.asset), "reason": moved.reason}
        told = "order.refund" if moved.status == CREDITED else "payment.over"
        too_much = verdict.status == "settled" and moved.reason != "cancelled"  # that is told with the cancelling
        if too_much or moved.status == CREDITED:
            await news.tell_customer(
                work, shop, order, told, **back, decision="credit" if told == "order.refund" else ""
            )
        await news.tell_team(work, shop, "payment.refund", order, **back)


_FOR_THE_TEAM = frozenset({"payment.seen", "payment.settled", "payment.expired", "payment.late"})


def names(invoice: Invoice, verdict: Verdict, *, taken: bool) -> Iterator[str]:
    """The news in a change, none of them twice for the same change."""
    before, after = invoice.status, verdict.status
    new_flags = verdict.flags - invoice.flags
    if after == "settled" and before != "settled":
        yield "payment.settled"
    elif after == "processing" and (taken or before != "processing"):
        yield "payment.seen"
    elif after == "new":
        yield from _while_new(invoice, verdict, new_flags, taken=taken)
    elif after in ("expired", "invalid") and (taken or before not in OVER):
        yield "payment.expired"
    elif after in OVER and "late" in new_flags:
        yield "payment.late"


def _while_new(invoice: Invoice, verdict: Verdict, new_flags: frozenset[str], *, taken: bool) -> Iterator[str]:
    if invoice.status == "processing" or (verdict.received < invoice.received and not taken):
        yield "payment.withdrawn"
    elif verdict.received > invoice.received and not taken:
        yield "payment.partial"
    if "lengthened" in new_flags:
        yield "payment.extended"
    elif "delayed" in new_flags:
        yield "payment.delayed"
    elif verdict.warned and not invoice.warned:
        yield "payment.warning"


async def case(work: Work, shop: ShopSettings, order: Order, invoice: Invoice, opened: Case) -> None:
    """Tell the team of a case."""
    await news.tell_team(work, shop, "payment.case", order, kind=opened.kind, text=opened.text, currency=invoice.asset)
