"""From the choice of a coin to the invoice, and what the customer sees of it."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal

from engine.actions import Context, Money, Work, action, source
from plugins.payments import desk, prices
from plugins.payments.records import (
    Chosen,
    Currency,
    Found,
    Gone,
    Invoiced,
    NoAddress,
    Outdated,
    Quoted,
    TooSmall,
    Unavailable,
)
from storage.shop import addresses, books, invoices, orders, rates, refunds
from storage.shop.addresses import Issued
from storage.shop.books import Invoice
from storage.shop.invoices import Bench, Scene
from storage.shop.law import OVER, decisions
from storage.shop.ledger import whole
from storage.shop.moments import millis, moment
from storage.shop.orders import Order
from storage.shop.policy import PaymentSettings
from storage.shop.rates import Agreed, NoRate
from storage.shop.rules import rules
from storage.shop.settings import ChainSettings

_NAMES: Final = {"BTC": ("Bitcoin", "₿"), "LTC": ("Litecoin", "Ł"), "ETH": ("Ether", "Ξ"), "SOL": ("Solana", "◎")}


@source(transactional=True)
async def currencies(context: Context) -> list[Currency]:
    """The coins that the shop takes."""
    chains = context.configured(ChainSettings)
    found = []
    for asset in chains.offered():
        setting = chains.of(asset)
        name, symbol = _NAMES.get(asset, (asset, asset))
        practice = setting is not None and setting.via == "practice"
        found.append(Currency(id=asset, name=name, symbol=symbol, practice=practice))
    return found


@action()
async def quote(context: Context, *, total: Money, currency: str) -> Quoted | Unavailable | TooSmall:
    """What a total is in coins, at a price that is held for a while.

    Args:
        total: What the order costs, in the shop's currency.
        currency: The coin's id, such as BTC.
    """
    payments = context.configured(PaymentSettings)
    if context.configured(ChainSettings).of(currency) is None or total.minor <= 0:
        return Unavailable(reason=f"{currency} is not taken here")
    rate = await _rate(context, currency, total.asset, payments)
    if isinstance(rate, NoRate):
        return Unavailable(reason=rate.reason)
    amount = rates.amount(total, currency, rate.rate)
    least = payments.smallest(currency)
    if amount.minor < least.minor:
        return TooSmall(minimum=least)
    quoted = Quoted(
        id=hashlib.sha256(f"quote:{context.idempotency_key}".encode()).hexdigest()[:20],
        currency=currency,
        amount=amount,
        rate=rate.rate,
        until=context.now + payments.quote_for,
    )
    async with context.begin() as work:
        await _keep(work, quoted, total, millis(context.now))
    return quoted


async def _rate(context: Context, asset: str, currency: str, payments: PaymentSettings) -> Agreed | NoRate:
    """The price that counts; asked for now when nobody has asked lately."""
    async with context.begin() as work:
        found = await rates.present(work, asset, currency, payments=payments, now=context.now)
    if isinstance(found, Agreed) or not payments.rates.sources:
        return found
    fresh = await prices.ask(
        context.http(), payments.rates, context.environment, (asset,), (currency,), now=context.now
    )
    async with context.begin() as work:
        await rates.keep(work, fresh)
        return await rates.present(work, asset, currency, payments=payments, now=context.now)


async def _keep(work: Work, quoted: Quoted, total: Money, now: int) -> None:
    await work.execute("DELETE FROM pay_quotes WHERE until < ?", (now - 86_400_000,))
    await work.execute(
        "INSERT INTO pay_quotes (id, asset, currency, total, amount, rate, at, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, rate = excluded.rate, until = excluded.until",
        (
            quoted.id, quoted.currency, total.asset, total.minor, str(quoted.amount.minor), format(quoted.rate, "f"),
            now, millis(quoted.until),
        ),
    )  # fmt: skip


@action(transactional=True)
async def create_invoice(context: Context, *, order: str, quote: str) -> Invoiced | Outdated | NoAddress:
    """Give the order an address of its own and hold its goods until it is paid. Asked twice, it answers the same.

    Args:
        order: The order's id.
        quote: The id of what `quote` has answered.
    """
    work, chains = context.work, context.configured(ChainSettings)
    held = await orders.order(work, order)
    if held is None or held.chat != context.chat:
        return Outdated()
    known = await books.of_order(work, order)
    if known is None:
        made = await _make(context, work, held, quote)
        if made is not None:
            return made
        known = await books.of_order(work, order)
    if known is None or known.status in OVER:
        return Outdated()
    return Invoiced(
        order=order,
        number=held.number,
        amount=desk.coins(known.amount, known),
        currency=known.asset,
        address=known.address,
        uri=desk.link(known, held, chains),
        expires_at=moment(known.expires_at),
        practice=known.rules.practice,
    )


async def _make(context: Context, work: Work, order: Order, quote: str) -> Outdated | NoAddress | None:
    """The invoice's row; None when it is there."""
    payments, chains, now = context.configured(PaymentSettings), context.configured(ChainSettings), context.now
    rows = await work.query("SELECT asset, currency, total, amount, rate, until FROM pay_quotes WHERE id = ?", (quote,))
    if not rows or order.status != "created" or whole(rows[0], "until") < millis(now):
        return Outdated()
    row = rows[0]
    total = Money(minor=whole(row, "total"), asset=str(row["currency"]))
    amount = Money(minor=whole(row, "amount"), asset=str(row["asset"]))
    if order.total != total:
        return Outdated()
    given = await addresses.issue(
        work,
        amount.asset,
        chains=chains,
        environment=context.environment,
        data=context.data,
        key=order.id,
        at=millis(now),
    )
    if isinstance(given, addresses.NoAddress):
        return NoAddress(reason=given.reason)
    until = millis(now + payments.expires)
    if not await orders.move(work, order, to="created", at=now, pay_with=amount.asset, expires_at=until):
        return Outdated()
    made = await _insert(context, work, order, given, amount, rate=str(row["rate"]))
    known = made or await books.of_order(work, order.id) is not None
    return None if known else NoAddress(reason="the address was given away twice")


async def _insert(context: Context, work: Work, order: Order, given: Issued, amount: Money, *, rate: str) -> bool:
    payments, now = context.configured(PaymentSettings), context.now
    setting = context.configured(ChainSettings).of(amount.asset)
    practice = setting is not None and setting.via == "practice"
    private = setting is not None and setting.network == "regtest"
    return await books.insert(
        work,
        order=order.id,
        customer=order.customer,
        chat=order.chat,
        address=given.address,
        path=given.path,
        amount=amount,
        total=order.total,
        rate=rate,
        now=millis(now),
        expires_at=millis(now + payments.expires),
        monitor_until=millis(now + max(payments.monitor, payments.expires + timedelta(minutes=1))),
        rules=rules(payments, amount=amount, total=order.total, practice=practice, private=private),
    )


@action(transactional=True)
async def invoice(context: Context, *, order: str) -> Found | Gone:
    """An order's invoice as it is now.

    Args:
        order: The order's id.
    """
    found = await desk.scene(context.work, context, order)
    if found is None:
        return Gone()
    return shown(found, context)


def shown(found: Scene, context: Context) -> Found:
    """What the customer sees of an invoice."""
    one, now = found.invoice, desk.verdict(found, context.now)
    return Found(
        order=one.order,
        number=found.order.number,
        status=one.status,
        flags=sorted(one.flags),
        amount=desk.coins(one.amount, one),
        paid=desk.coins(now.received, one),
        rest=desk.coins(now.rest, one),
        total=Money(minor=one.total, asset=one.currency),
        currency=one.asset,
        address=one.address,
        uri=desk.link(one, found.order, context.configured(ChainSettings)),
        expires_at=moment(one.expires_at),
        confirmations=min(now.sums.depth, one.rules.needed),
        needed=one.rules.needed,
        practice=one.rules.practice,
    )


@action(transactional=True)
async def choose(context: Context, *, order: str, choice: Literal["wait", "credit", "refund"]) -> Chosen | Gone:
    """What the customer wants done with money for an order whose time is over.

    Args:
        order: The order's id.
        choice: wait: hold the goods again and pay the rest; credit: to the balance; refund: send it back.
    """
    work, bench = context.work, desk.bench(context)
    found = await desk.scene(work, context, order)
    if found is None or found.invoice.status not in OVER or found.invoice.received <= found.back.back:
        return Gone()
    if choice == "wait":
        await _wait(work, found, bench)
    else:
        await invoices.decide(work, found.invoice.id, choice, bench, who="customer")
        if choice == "credit":
            await give_credit(work, found.invoice, bench)
    after = await desk.scene(work, context, order) or found
    return Chosen(status=after.invoice.status, expires_at=moment(after.invoice.expires_at))


async def _wait(work: Work, found: Scene, bench: Bench) -> None:
    said = decisions(found.entries)
    fully = found.invoice.received - found.back.back >= found.invoice.rules.least
    again = found.invoice.status == "expired" and not fully and not {"expire", "invalid"} & set(said)
    once = "wait" not in said  # else goods could be held for ever with a cent
    number = found.invoice.id
    if again and once and await invoices.take_up(work, number, "reopen", bench, word="wait", who="customer"):
        return
    await invoices.decide(work, found.invoice.id, "wait", bench, who="customer")


async def give_credit(work: Work, one: Invoice, bench: Bench) -> None:
    """What is due of an invoice goes to the customer's balance."""
    for row in await refunds.due_rows(work, one.id):
        await invoices.credit(work, one, row, bench)
    await invoices.settle_many(work, (one.id,), bench)


def percent_of(amount: int, percent: Decimal) -> int:
    """A part of an amount in minor units, rounded up; at least one."""
    exact = Decimal(amount) * percent / 100
    return max(1, int(exact.to_integral_value("ROUND_CEILING")))
