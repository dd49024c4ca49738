"""What the team does by hand: end an order, confirm a payment, answer cases, note refunds, see whether all adds up.

Every deed is for the team's role only and is noted with its reason.
"""

from collections.abc import Mapping
from typing import Literal

from engine.actions import Context, Money, Page, Rows, Work, action, source
from plugins.payments import desk
from plugins.payments import records as answers
from plugins.payments.records import (
    Clean,
    Confirmed,
    Difference,
    Differences,
    Expired,
    Gone,
    NotInStock,
    RefundDue,
    Refunded,
    Refused,
    Resolved,
    Revealed,
    TooLate,
)
from plugins.payments.selling import give_credit
from storage.shop import books, cases, invoices, news, orders, reconcile, refunds
from storage.shop.invoices import Bench, Scene
from storage.shop.law import OPEN, OVER
from storage.shop.ledger import whole
from storage.shop.moments import moment

_SHOWN = 20


@action(transactional=True)
async def expire_now(context: Context, *, order: str, reason: str) -> Expired | TooLate | Gone:
    """End an order that waits for its payment, and free its goods.

    Args:
        order: The order's id.
        reason: Why, for the books.
    """
    desk.only_team(context)
    work, bench = context.work, desk.bench(context)
    found = await desk.scene(work, context, order)
    if found is None:
        return Gone()
    if found.invoice.status != "new":
        return TooLate(status=found.invoice.status)
    await invoices.decide(work, found.invoice.id, "expire", bench, who=f"team {context.chat}")
    await desk.audit(context, work, "expire_now", order, reason)
    after = await _status(work, found)
    return Expired() if after == "expired" else TooLate(status=after)


@action(transactional=True)
async def confirm_by_hand(context: Context, *, order: str, reason: str) -> Confirmed | NotInStock | TooLate | Gone:
    """Count an order as paid, whatever the chain says. After its time was over only while the goods are there.

    Args:
        order: The order's id.
        reason: Why, for the books.
    """
    desk.only_team(context)
    work, bench = context.work, desk.bench(context)
    found = await desk.scene(work, context, order)
    if found is None:
        return Gone()
    if found.invoice.status == "settled":
        return TooLate(status="settled")
    if not await _confirm(work, found, bench, who=f"team {context.chat}"):
        return NotInStock()
    await desk.audit(context, work, "confirm_by_hand", order, reason)
    return Confirmed(status=await _status(work, found))


async def _confirm(work: Work, found: Scene, bench: Bench, *, who: str) -> bool:
    if found.invoice.status in OPEN:
        await invoices.decide(work, found.invoice.id, "confirm", bench, who=who)
        return True
    return await invoices.take_up(work, found.invoice.id, "accept", bench, word="confirm", who=who)


async def _status(work: Work, found: Scene) -> str:
    rows = await books.invoices(work, (found.invoice.id,))
    return rows[0].status if rows else ""


@source(name="cases", transactional=True)
async def open_cases(context: Context, *, page: Page) -> Rows[answers.Case]:
    """What people must look at, oldest first."""
    desk.only_team(context)
    wanted = f"%{page.search.replace('%', '').replace('_', '')}%"
    where = "FROM pay_cases c LEFT JOIN shop_orders o ON o.id = c.order_id WHERE c.status = 'open' AND " \
        "COALESCE(o.number, '') LIKE ?"  # fmt: skip
    total = await context.work.query(f"SELECT count(*) AS n {where}", (wanted,))
    rows = await context.work.query(
        f"SELECT c.id, c.order_id, o.number, c.kind, c.text, c.at {where} ORDER BY c.id LIMIT ? OFFSET ?",
        (wanted, page.limit, page.offset),
    )
    return Rows(items=[_case(row) for row in rows], total=whole(total[0], "n"))


def _case(row: Mapping[str, object]) -> answers.Case:
    return answers.Case(
        id=whole(row, "id"),
        order=str(row["order_id"]),
        number=str(row["number"] or ""),
        kind=str(row["kind"]),
        text=str(row["text"]),
        at=moment(whole(row, "at")),
    )


@action(transactional=True)
async def resolve(
    context: Context, *, case: int, choice: Literal["accept", "credit", "refund", "keep"], reason: str
) -> Resolved | NotInStock | Gone:
    """Answer a case.

    Args:
        case: The case's number.
        choice: accept: deliver after all; credit: to the customer's balance; refund: send back; keep: for the shop.
        reason: Why, for the books.
    """
    desk.only_team(context)
    work, bench = context.work, desk.bench(context)
    rows = await work.query("SELECT order_id, kind FROM pay_cases WHERE id = ? AND status = 'open'", (case,))
    if not rows:
        return Gone()
    order = str(rows[0]["order_id"])
    found = await desk.scene(work, context, order)
    asks = str(rows[0]["kind"]) in ("late", "invalid", "after_monitor")
    if asks and found is not None and not await _answer(context, work, found, choice, bench):
        return NotInStock()
    if not await cases.close_case(work, case, answer=f"{choice}: {reason}"[:500], at=bench.stamp):
        return Gone()
    await desk.audit(context, work, f"resolve_{choice}", order, reason)
    return Resolved(status=await _status(work, found) if found is not None else "")


async def _answer(
    context: Context, work: Work, found: Scene, choice: Literal["accept", "credit", "refund", "keep"], bench: Bench
) -> bool:
    """False when the goods for `accept` are not there."""
    one, who = found.invoice, f"team {context.chat}"
    if one.status not in OVER:
        return True
    if choice == "accept":
        enough = one.received - found.back.back >= one.rules.least
        word = "accept" if enough else "confirm"
        return await invoices.take_up(work, one.id, "accept", bench, word=word, who=who)
    await invoices.decide(work, one.id, choice, bench, who=who)
    await _tell_decision(work, found, choice, bench)
    if choice == "credit":
        await give_credit(work, one, bench)
    if choice == "keep":
        for row in await refunds.due_rows(work, one.id):
            await refunds.close(work, row, status=refunds.KEPT, note="kept by the team", at=bench.stamp)
    return True


async def _tell_decision(work: Work, found: Scene, choice: str, bench: Bench) -> None:
    """The customer hears what becomes of their money; of `keep` they are told by whoever decided it."""
    due = sum(row.amount for row in await refunds.due_rows(work, found.invoice.id))
    name = {"credit": "order.refund", "refund": "payment.late"}.get(choice)
    if name is not None and due > 0:
        amount = Money(minor=due, asset=found.invoice.asset)
        await news.tell_customer(work, bench.shop, found.order, name, amount=amount, decision=choice)


@source(name="refunds", transactional=True)
async def open_refunds(context: Context, *, page: Page) -> Rows[RefundDue]:
    """Money that must go back to customers, oldest first."""
    desk.only_team(context)
    wanted = f"%{page.search.replace('%', '').replace('_', '')}%"
    where = "FROM pay_refunds r JOIN pay_invoices i ON i.id = r.invoice_id JOIN shop_orders o ON o.id = i.order_id " \
        "WHERE r.status = 'due' AND o.number LIKE ?"  # fmt: skip
    total = await context.work.query(f"SELECT count(*) AS n {where}", (wanted,))
    rows = await context.work.query(
        "SELECT r.id, i.order_id, o.number, r.asset, r.amount, r.reason, i.customer, r.at "
        f"{where} ORDER BY r.id LIMIT ? OFFSET ?",
        (wanted, page.limit, page.offset),
    )
    return Rows(items=[_refund(row) for row in rows], total=whole(total[0], "n"))


def _refund(row: Mapping[str, object]) -> RefundDue:
    return RefundDue(
        id=whole(row, "id"),
        order=str(row["order_id"]),
        number=str(row["number"]),
        amount=Money(minor=whole(row, "amount"), asset=str(row["asset"])),
        reason=str(row["reason"]),
        customer=str(row["customer"]),
        at=moment(whole(row, "at")),
    )


@action(transactional=True)
async def refunded(context: Context, *, refund: int, note: str = "") -> Refunded | Gone:
    """Note that money was sent back, once.

    Args:
        refund: The refund's number.
        note: Such as the transaction it was sent with.
    """
    desk.only_team(context)
    work, bench = context.work, desk.bench(context)
    rows = await work.query(f"{refunds.SELECT} WHERE id = ?", (refund,))
    if not rows:
        return Gone()
    row = refunds.refund(rows[0])
    if not await refunds.close(work, row, status=refunds.REFUNDED, note=note[:500], at=bench.stamp):
        return Gone()
    await invoices.settle_many(work, (row.invoice,), bench)
    amount = Money(minor=row.amount, asset=row.asset)
    for one in await books.invoices(work, (row.invoice,)):
        await desk.audit(context, work, "refunded", one.order, note)
        order = await orders.order(work, one.order)
        if order is not None:
            await news.tell_customer(
                work, bench.shop, order, "order.refund",
                amount=amount, currency=row.asset, reason=row.reason, decision="refund",
            )  # fmt: skip
    return Refunded(amount=amount)


@source(transactional=True)
async def differences(context: Context) -> list[Difference]:
    """What does not add up between chain, ledger, invoices, orders, stock and refunds; empty in a healthy shop."""
    desk.only_team(context)
    return [Difference(kind=one.kind, text=one.text) for one in await reconcile.differences(context.work)]


@action(name="reconcile", transactional=True, timeout=30)
async def reconcile_all(context: Context) -> Clean | Differences:
    """Check whether everything adds up."""
    desk.only_team(context)
    found = await reconcile.differences(context.work)
    if not found:
        return Clean()
    return Differences(count=len(found), lines=[f"{one.kind}: {one.text}" for one in found[:_SHOWN]])


@action()
async def reveal_key(context: Context, *, order: str, reason: str) -> Revealed | Refused:
    """Say how the private key of one order can be seen. A chat keeps its messages, so it is never shown there.

    Args:
        order: The order's id.
        reason: Why, for the books.
    """
    desk.only_team(context)
    async with context.begin() as work:
        found = await desk.scene(work, context, order)
        if found is None:
            return Refused(reason="this order has no invoice")
        if found.invoice.rules.practice:
            return Refused(reason="a practice address has no key: nothing is there")
        await desk.audit(context, work, "reveal_key_asked", order, reason)
    return Revealed(order=order, command=f"stepgram keys reveal {order}")
