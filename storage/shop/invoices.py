"""Judging invoices and doing what follows: stock, order, refunds, cases and news, in the caller's one transaction.

Locks are taken in one order everywhere: products by number, orders, invoices. What an invoice is says `law` alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from engine.actions import Work
from engine.core.records import record, replaced
from engine.core.values import Money
from storage.shop import books, cases, expiring, ledger, orders, rates, refunds, stock, telling
from storage.shop.books import Back, Invoice
from storage.shop.expiring import Ending
from storage.shop.law import OVER, Chain, Entry, Market, Verdict, decisions, judge, late_deed
from storage.shop.ledger import whole
from storage.shop.moments import millis
from storage.shop.orders import Order
from storage.shop.orders import Status as OrderStatus
from storage.shop.policy import LateDeed, PaymentSettings
from storage.shop.refunds import CREDITED, DUE, KEPT, Moved, Refund
from storage.shop.settings import ShopSettings

_TRIES: Final = 5
Taken = Literal["accept", "reopen"]


@record
class Scene:
    """All that is known of an invoice at one moment."""

    invoice: Invoice
    order: Order
    entries: Sequence[Entry]
    back: Back
    chain: Chain


@record
class Bench:
    """What judging needs besides."""

    now: datetime
    payments: PaymentSettings
    shop: ShopSettings
    since: int = 0
    """A chain must have been looked at after this before anything expires."""

    @property
    def stamp(self) -> int:
        return millis(self.now)


async def settle(work: Work, invoice: int, *, now: datetime, payments: PaymentSettings, shop: ShopSettings) -> int:
    """Judge one invoice and do what follows; 1 when it changed, else 0."""
    return await settle_many(work, (invoice,), Bench(now=now, payments=payments, shop=shop))


async def settle_many(work: Work, ids: Iterable[int], bench: Bench) -> int:
    """The same for several at once, so that their locks are taken in one order."""
    changed, left = 0, set(ids)
    for _ in range(_TRIES):
        moving = [scene for scene in await scenes(work, left) if await _moves(work, scene, bench)]
        if not moving:
            return changed
        await lock(work, [scene.invoice.order for scene in moving])
        left, locked = set(), await scenes(work, [scene.invoice.id for scene in moving])
        ended = await _end_plain(work, locked, bench)
        changed += len(ended)
        for scene in locked:
            verdict = _judged(scene, bench)
            if scene.invoice.id in ended or not _is_news(scene, verdict, bench):
                continue  # it is done, maybe by another transaction meanwhile
            if await books.claim(work, scene.invoice):
                changed += await _carry_out(work, scene, verdict, bench)
            else:
                left.add(scene.invoice.id)
    return changed


async def _end_plain(work: Work, locked: Sequence[Scene], bench: Bench) -> set[int]:
    """Of many, those whose time is over without anything else to do are ended together."""
    plain = expiring.one_each(
        Ending(invoice=scene.invoice, order=scene.order, verdict=verdict)
        for scene in locked
        if expiring.is_plain(scene.invoice, scene.order, scene.entries, scene.back, verdict := _judged(scene, bench))
    )
    return await expiring.end(work, plain, bench.shop, stamp=bench.stamp) if len(plain) >= expiring.FEWEST else set()


async def scenes(work: Work, ids: Iterable[int]) -> list[Scene]:
    """What is known of these invoices, in order of their numbers."""
    found = await books.invoices(work, ids)
    entries = await ledger.entries_of(work, [invoice.id for invoice in found])
    backs = await refunds.backs(work, [invoice.id for invoice in found])
    chains = {asset: await ledger.chain(work, asset) for asset in sorted({invoice.asset for invoice in found})}
    sold = await orders.several(work, [invoice.order for invoice in found])
    known: list[Scene] = []
    for invoice in found:
        order = sold.get(invoice.order)
        if order is not None:
            known.append(
                Scene(
                    invoice=invoice,
                    order=order,
                    entries=entries.get(invoice.id, ()),
                    back=backs.get(invoice.id, Back()),
                    chain=chains[invoice.asset],
                )
            )
    return known


def _judged(scene: Scene, bench: Bench, taken: Taken | None = None) -> Verdict:
    terms = books.terms(scene.invoice, scene.order.status, scene.back)
    return judge(terms, scene.entries, scene.chain, bench.stamp, since=bench.since, taken=taken)


def _is_news(scene: Scene, verdict: Verdict, bench: Bench) -> bool:
    again = verdict.late and scene.invoice.due_at is not None and scene.invoice.due_at <= bench.stamp
    return again or books.differs(scene.invoice, verdict)


async def _moves(work: Work, scene: Scene, bench: Bench) -> bool:
    verdict = _judged(scene, bench)
    if _is_news(scene, verdict, bench):
        return True
    if verdict.due_at != scene.invoice.due_at:
        await books.postpone(work, scene.invoice, verdict.due_at)
    return False


async def lock(work: Work, order_ids: Sequence[str]) -> None:
    """Take the products of these orders, by number, then the orders: nobody else moves them until this is over."""
    products: set[int] = set()
    for part in ledger.portions(sorted(set(order_ids))):
        rows = await work.query(
            f"SELECT DISTINCT product_id FROM shop_order_lines WHERE order_id IN ({ledger.marks(part)})",  # noqa: S608
            part,
        )
        products |= {whole(row, "product_id") for row in rows}
    for product in sorted(products):
        await work.execute("UPDATE shop_products SET reserved = reserved WHERE id = ?", (product,))
    for part in ledger.portions(sorted(set(order_ids))):
        await work.execute(
            f"UPDATE shop_orders SET version = version WHERE id IN ({ledger.marks(part)})",  # noqa: S608
            part,
        )


async def take_up(work: Work, invoice: int, how: Taken, bench: Bench, *, word: str, who: str) -> bool:
    """Reserve the goods of an invoice that was over again, because people say so; False when they are sold, or when
    it is not over. `word` is the decision for the ledger."""
    for scene in await scenes(work, (invoice,)):
        await lock(work, (scene.invoice.order,))
    for scene in await scenes(work, (invoice,)):
        if scene.invoice.status not in OVER or not await stock.retake(work, scene.order.id, bench.now):
            return False
        if not await books.claim(work, scene.invoice):
            return False
        ready = await _decided(work, scene, word, who, bench)
        await _carry_out(work, ready, _judged(ready, bench, how), bench, taken=True)
        return True
    return False


async def decide(work: Work, invoice: int, word: str, bench: Bench, *, who: str) -> int:
    """Write a decision of a person down and judge the invoice by it; 1 when it changed."""
    for scene in await scenes(work, (invoice,)):
        await lock(work, (scene.invoice.order,))
        await _decided(work, scene, word, who, bench)
    return await settle_many(work, (invoice,), bench)


async def _decided(work: Work, scene: Scene, word: str, who: str, bench: Bench) -> Scene:
    one = scene.invoice
    await ledger.decide(work, one.id, word, who=who, at=bench.stamp, address=one.address, asset=one.asset)
    return replaced(scene, entries=await ledger.entries(work, one.id))


# --- what follows ------------------------------------------------------------------------------------------


async def _carry_out(work: Work, scene: Scene, verdict: Verdict, bench: Bench, *, taken: bool = False) -> int:
    """Everything that a verdict brings about; the invoice's version is ours and the locks are taken."""
    deed: LateDeed | None = None
    asked = False
    if verdict.late and not taken:
        deed = await _late(work, scene, verdict, bench)
        if deed == "accept":
            taken = True
            scene = await _decided(work, scene, "accept", "policy", bench)
            verdict = _judged(scene, bench, "accept")
        elif _settles_it(scene, verdict):
            scene = await _decided(work, scene, deed, "policy", bench)
            verdict = replaced(verdict, late=False)
            asked = deed == "ask"
    if taken:
        scene = replaced(scene, order=replaced(scene.order, status="created"))
    await _move_goods(work, scene, verdict, bench, taken=taken)
    moved = await _put_aside(work, scene, verdict, bench)
    await books.write(work, scene.invoice, verdict)
    for case in cases.arising(scene.invoice, verdict, asked=asked):
        if await cases.open_case(work, scene.invoice, case, at=bench.stamp):
            await telling.case(work, bench.shop, scene.order, scene.invoice, case)
    order = await orders.order(work, scene.order.id) or scene.order
    await telling.changes(work, bench.shop, order, scene.invoice, verdict, deed=deed, moved=moved, taken=taken)
    return int(books.differs(scene.invoice, verdict))


def _settles_it(scene: Scene, verdict: Verdict) -> bool:
    """A late payment is decided upon when it is confirmed; while the customer waits for goods it stays open."""
    enough = verdict.confirmed - scene.back.back >= scene.invoice.rules.least
    return enough and "wait" not in decisions(scene.entries)


async def _late(work: Work, scene: Scene, verdict: Verdict, bench: Bench) -> LateDeed:
    """What becomes of a late payment; after `accept` the goods are reserved again."""
    one = scene.invoice
    market = Market(
        stock=await _available(work, scene.order.id),
        drift=await drift(work, one, bench),
        total=one.total,
        in_time=verdict.in_time,
        cancelled_by_shop=await _cancelled_by_shop(work, scene.order),
    )
    deed = late_deed(one.rules, market)
    if deed == "accept" and not await stock.retake(work, scene.order.id, bench.now):
        deed = late_deed(one.rules, replaced(market, stock=False))
    return deed


async def drift(work: Work, invoice: Invoice, bench: Bench) -> Decimal | None:
    """By how many percent the rate has moved since the invoice was made; None when there is no present rate."""
    rate = await rates.present(work, invoice.asset, invoice.currency, payments=bench.payments, now=bench.now)
    before = Decimal(invoice.rate)
    if isinstance(rate, rates.NoRate) or before <= 0:
        return None
    return abs(rate.rate - before) * 100 / before


async def _available(work: Work, order: str) -> bool:
    rows = await work.query(
        "SELECT l.product_id FROM shop_order_lines l LEFT JOIN shop_products p ON p.id = l.product_id "
        "WHERE l.order_id = ? AND (p.id IS NULL OR p.stock - p.reserved < l.quantity)",
        (order,),
    )
    return not rows


async def _cancelled_by_shop(work: Work, order: Order) -> bool:
    rows = await work.query(
        "SELECT id FROM pay_audit WHERE order_id = ? AND what = 'cancel_by_shop' LIMIT 1", (order.id,)
    )
    return order.status == "cancelled" and bool(rows)


async def _move_goods(work: Work, scene: Scene, verdict: Verdict, bench: Bench, *, taken: bool) -> None:
    """Stock and order follow the invoice."""
    before, after = scene.invoice.status, verdict.status
    holds = taken or books.held(before)
    if after == "settled" and before != "settled":
        await stock.sell(work, scene.order.id)
        await _move(work, scene, "paid", bench, paid_at=bench.stamp)
    elif after in OVER and holds:
        await stock.release(work, scene.order.id)
        await _strike(work, scene, verdict, bench)
        to: OrderStatus = "expired" if after == "expired" else "cancelled"
        reason = {"invalid": "the payment was never confirmed"}.get(after, scene.order.reason)
        await _move(work, scene, to, bench, reason=reason, closed_at=bench.stamp)
    elif taken:
        await _move(work, scene, "created", bench, closed_at=None, reason="", expires_at=verdict.expires_at)
    elif books.held(after) and verdict.expires_at != scene.invoice.expires_at:
        await _move(work, scene, "created", bench, expires_at=verdict.expires_at)


async def _move(work: Work, scene: Scene, to: OrderStatus, bench: Bench, **fields: object) -> None:
    """The order's status; one that has gone on by hand is left as it is."""
    order = await orders.order(work, scene.order.id)
    if order is None or order.status == "shipped" or (order.status == to != "created"):
        return
    await orders.move(work, order, to=to, at=bench.now, **fields)


async def _strike(work: Work, scene: Scene, verdict: Verdict, bench: Bench) -> None:
    """Goods held for nothing count against the customer; not when the team or the chain is to blame."""
    blameless = {"expire", "invalid"} & set(decisions(scene.entries)) or "delayed" in verdict.flags
    if verdict.status != "expired" or verdict.received > 0 or verdict.sums.reversed or blameless:
        return
    await work.execute(
        "UPDATE shop_customers SET strikes = strikes + 1, last_strike_at = ? WHERE customer = ?",
        (bench.stamp, scene.invoice.customer),
    )


async def _put_aside(work: Work, scene: Scene, verdict: Verdict, bench: Bench) -> Moved | None:
    """Refunds follow the money: the row that was added."""
    if verdict.owed < 0:
        await refunds.lower(work, scene.invoice, -verdict.owed, at=bench.stamp)
    if verdict.owed <= 0:
        return None
    return await refunds.add(
        work,
        scene.invoice,
        verdict.owed,
        status=_fate(scene, verdict),
        reason=_reason(scene, verdict),
        number=scene.back.rows,
        at=bench.stamp,
        worth=await worth(work, scene.invoice, verdict.owed, bench),
    )


async def worth(work: Work, invoice: Invoice, amount: int, bench: Bench) -> int:
    """What coins are worth in minor units of the order's currency, rounded down: at the invoice's rate or today's,
    whichever is less. Else it would pay to wait until coins are cheap and have them credited."""
    then = amount * invoice.total // max(1, invoice.amount)
    rate = await rates.present(work, invoice.asset, invoice.currency, payments=bench.payments, now=bench.now)
    if isinstance(rate, rates.NoRate):
        return then
    return min(then, rates.value(Money(minor=amount, asset=invoice.asset), invoice.currency, rate.rate).minor)


async def credit(work: Work, invoice: Invoice, row: Refund, bench: Bench, *, note: str = "") -> bool:
    """A refund that is due goes to the customer's balance instead; False when it cannot."""
    if not await refunds.close(work, row, status=CREDITED, note=note, at=bench.stamp):
        return False
    if await refunds.credit(work, invoice, await worth(work, invoice, row.amount, bench), at=bench.stamp):
        return True
    await refunds.reopen(work, row)
    return False


def _fate(scene: Scene, verdict: Verdict) -> str:
    """What becomes of money beyond the order's value."""
    rules = scene.invoice.rules
    if verdict.owed + scene.back.kept <= rules.dust:
        return KEPT
    if verdict.status == "settled" and scene.order.status != "cancelled":
        return {"credit": CREDITED, "keep": KEPT}.get(rules.over, DUE)
    words = [word for word in decisions(scene.entries) if word in ("credit", "refund", "keep", "ask", "wait")]
    return {"credit": CREDITED, "keep": KEPT}.get(words[-1] if words else "", DUE)


def _reason(scene: Scene, verdict: Verdict) -> str:
    if scene.order.status == "cancelled":
        return "cancelled"
    if verdict.status == "settled":
        return "double" if scene.invoice.status == "settled" else "over"
    if "late" in verdict.flags:
        return "late"
    return {"expired": "partial", "cancelled": "cancelled"}.get(verdict.status, "unconfirmed")
