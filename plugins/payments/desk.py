"""What the actions of payments share: who may see an order, its invoice, its payment link. No offers."""

from datetime import datetime

from engine.actions import Context, Money, Refusal, Work
from storage.shop import books, invoices
from storage.shop.books import Invoice
from storage.shop.invoices import Bench, Scene
from storage.shop.law import Verdict, judge
from storage.shop.moments import millis
from storage.shop.orders import Order
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ChainSettings, ShopSettings
from storage.shop.uris import uri


def bench(context: Context) -> Bench:
    """What judging needs."""
    return Bench(now=context.now, payments=context.configured(PaymentSettings), shop=context.configured(ShopSettings))


def in_team(context: Context) -> bool:
    """Whether who asks has the team's role."""
    roles = context.customer.get("roles") or ()
    return isinstance(roles, tuple | list | set | frozenset) and context.configured(ShopSettings).team_role in roles


def only_team(context: Context) -> None:
    """Raises Refusal for anybody else."""
    if not in_team(context):
        raise Refusal(f"only the role {context.configured(ShopSettings).team_role} may do this")


async def scene(work: Work, context: Context, order: str) -> Scene | None:
    """An order's invoice, if who asks may see it."""
    invoice = await books.of_order(work, order)
    if invoice is None or (invoice.chat != context.chat and not in_team(context)):
        return None
    found = await invoices.scenes(work, (invoice.id,))
    return found[0] if found else None


def verdict(found: Scene, now: datetime) -> Verdict:
    """The invoice as the law sees it now; nothing is written."""
    terms = books.terms(found.invoice, found.order.status, found.back)
    return judge(terms, found.entries, found.chain, millis(now))


def link(invoice: Invoice, order: Order, chains: ChainSettings) -> str:
    """The payment link; for less than everything when a part was paid."""
    setting = chains.of(invoice.asset)
    chain_id = setting.payable_chain if setting is not None and invoice.asset == "ETH" else None
    rest = max(1, invoice.amount - invoice.received)
    return uri(invoice.asset, invoice.address, rest, label=order.number, chain_id=chain_id)


def coins(amount: int, invoice: Invoice) -> Money:
    """An amount in the invoice's coin."""
    return Money(minor=amount, asset=invoice.asset)


async def audit(context: Context, work: Work, what: str, order: str, reason: str) -> None:
    """Note what somebody of the team did, and why."""
    await work.execute(
        "INSERT INTO pay_audit (at, who, what, order_id, reason) VALUES (?, ?, ?, ?, ?)",
        (millis(context.now), context.chat[:128], what, order, reason[:500]),
    )
