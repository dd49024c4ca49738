"""Payments that another system tells of: a signed request, taken into the same ledger as what the watchers see.

The signature was checked before anything here runs.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from engine.actions import WebhookContext, money, webhook
from plugins.payments.records import BadPayment, Known, Recorded, UnknownInvoice
from storage.shop import books, invoices, ledger
from storage.shop.invoices import Bench
from storage.shop.ledger import Place
from storage.shop.moments import millis
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ShopSettings
from storage.shop.transfers import Tip, Transfer

_ASSET: Final = re.compile(r"[A-Z0-9]{2,16}")
_TXID: Final = re.compile(r"[0-9A-Za-z_:.-]{8,128}")
_POSITION: Final = re.compile(r"[0-9A-Za-z_:.-]{0,64}")
_WHOLE: Final = re.compile(r"[0-9]{1,40}")
_DECIMAL: Final = re.compile(r"[0-9]{1,20}\.[0-9]{1,18}")
_HIGHEST: Final = 2**53


@webhook(path="/cryptoprocessing/order_payment")
async def order_payment(
    context: WebhookContext,
    *,
    asset: str,
    amount: str,
    txid: str,
    order: str | None = None,
    address: str | None = None,
    position: str = "",
    confirmations: int | None = None,
    height: int | None = None,
) -> Recorded | Known | UnknownInvoice | BadPayment:
    """A payment for an order was seen or has more confirmations now.

    Args:
        asset: The coin that was really sent, such as BTC.
        amount: As text: whole minor units (`150000`), or coins with a point (`0.0015`).
        txid: The transaction.
        order: The order's id; this or `address`.
        address: Where the money went.
        position: Which output of the transaction, if it is known.
        confirmations: How many it has; nothing or 0: it is in no block.
        height: The block's height, if it is known.
    """
    paid = _amount(amount, asset)
    wrong = _wrong(asset, txid, position, confirmations, height)
    if paid is None or wrong:
        return BadPayment(reason=wrong or "amount: whole minor units, or coins with a point, as text")
    place = await ledger.place(context.work, asset=asset, address=address or "", order=order or "")
    if place is None:
        return UnknownInvoice()
    (one,) = await books.invoices(context.work, (place.invoice,))
    deep = await _height(context, one.asset, confirmations or 0, height)
    transfer = Transfer(
        asset=asset, address=place.address, txid=txid, position=position, amount=paid, height=deep, block=None
    )
    news = await _take(context, transfer, place)
    (one,) = await books.invoices(context.work, (place.invoice,))
    return Recorded(order=one.order, status=one.status) if news else Known(order=one.order, status=one.status)


async def _take(context: WebhookContext, transfer: Transfer, place: Place) -> bool:
    news = await ledger.webhook(context.work, transfer, place, now=context.now)
    bench = Bench(now=context.now, payments=context.configured(PaymentSettings), shop=context.configured(ShopSettings))
    (one,) = await books.invoices(context.work, (place.invoice,))
    concerned = {place.invoice} | await ledger.unfinished(context.work, one.asset)  # the tip may have moved
    changed = await invoices.settle_many(context.work, concerned, bench)
    return news or changed > 0


def _amount(text: str, asset: str) -> int | None:
    """Minor units; None when the text is no amount above 0."""
    try:
        if _WHOLE.fullmatch(text):
            found = int(text)
        elif _DECIMAL.fullmatch(text):
            found = money(Decimal(text), asset).minor
        else:
            return None
    except (ValueError, InvalidOperation):
        return None
    return found if found > 0 else None


def _wrong(asset: str, txid: str, position: str, confirmations: int | None, height: int | None) -> str:
    if not _ASSET.fullmatch(asset):
        return "asset: capital letters and digits, such as BTC"
    if not _TXID.fullmatch(txid):
        return "txid: 8 to 128 letters and digits"
    if not _POSITION.fullmatch(position):
        return "position: at most 64 letters and digits"
    if not all(0 <= number <= _HIGHEST for number in (confirmations or 0, height or 0)):
        return "confirmations and height: whole numbers, 0 or more"
    return ""


async def _height(context: WebhookContext, asset: str, confirmations: int, height: int | None) -> int | None:
    """The block's height; where no node of ours looks at the chain, the sender's word is the tip."""
    if confirmations <= 0 and not height:
        return None
    chain = await ledger.chain(context.work, asset)
    settings = context.configured(PaymentSettings)
    blind = chain.polled_at is None or millis(context.now) - chain.polled_at > _ms(settings)
    if confirmations <= 0:
        return height
    top = height + confirmations - 1 if height else max(chain.height, confirmations)
    if blind and top >= chain.height:
        tip = Tip(asset=asset, height=top, block="", at=context.now)
        await ledger.tip(context.work, tip, now=context.now)
    return height or max(1, top - confirmations + 1)


def _ms(settings: PaymentSettings) -> int:
    return int(settings.unseen.total_seconds() * 1000)
