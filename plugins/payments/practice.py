"""Practice money: a chain that exists only in the shop's own tables, for trying everything out. Nobody pays with it."""

import hashlib
from decimal import Decimal

from engine.actions import BadArgument, Context, Money, Work, action, source
from plugins.payments import desk
from plugins.payments.records import Confirmed, Gone, Paid, PracticeOrder, Withdrawn
from plugins.payments.selling import percent_of
from storage.shop import facts, ledger
from storage.shop.invoices import Scene
from storage.shop.law import coins
from storage.shop.ledger import whole
from storage.shop.settings import ChainSettings
from storage.shop.transfers import Report, Tip, Transfer

_BEGINNING = 100
_MOST_BLOCKS = 10_000


@source(transactional=True)
async def practice_orders(context: Context) -> list[PracticeOrder]:
    """Orders that are paid with practice money, newest first: this chat's, the team sees all."""
    rows = await context.work.query(
        "SELECT i.order_id, o.number, i.status, i.amount, i.received, i.asset, i.policy FROM pay_invoices i "
        "JOIN shop_orders o ON o.id = i.order_id WHERE i.path = 'practice' AND (i.chat = ? OR 1 = ?) "
        "ORDER BY i.id DESC LIMIT 50",
        (context.chat, int(desk.in_team(context))),
    )
    return [
        PracticeOrder(
            order=str(row["order_id"]),
            number=str(row["number"]),
            status=str(row["status"]),
            amount=Money(minor=whole(row, "amount"), asset=str(row["asset"])),
            paid=Money(minor=whole(row, "received"), asset=str(row["asset"])),
            currency=str(row["asset"]),
        )
        for row in rows
    ]


@action(transactional=True)
async def practice_pay(context: Context, *, order: str, percent: Decimal = Decimal(100)) -> Paid | Gone:
    """Pay an order with practice money; it is seen at once and in no block yet.

    Args:
        order: The order's id.
        percent: How much of the amount, such as 60 or 120.
    """
    found = await _practice(context.work, context, order)
    if found is None:
        return Gone()
    if not Decimal(0) < percent <= Decimal(10_000):
        raise BadArgument("percent must be above 0 and at most 10000")
    one = found.invoice
    amount = percent_of(one.amount, percent)
    txid = hashlib.sha256(f"practice:{one.id}:{len(found.entries)}".encode()).hexdigest()
    paid = Transfer(
        asset=one.asset, address=one.address, txid=txid, position="0", amount=amount, height=None, block=None
    )
    await _observe(context, found, transfers=(paid,), blocks=0)
    return Paid(amount=desk.coins(amount, one), txid=txid)


@action(transactional=True)
async def practice_confirm(context: Context, *, order: str, blocks: int | None = None) -> Confirmed | Gone:
    """Put an order's practice payments into a block, with so many blocks on top of it.

    Args:
        order: The order's id.
        blocks: How many confirmations they have then; left out, as many as the shop waits for.
    """
    found = await _practice(context.work, context, order)
    if found is None:
        return Gone()
    blocks = max(1, found.invoice.rules.needed) if blocks is None else blocks
    if not 1 <= blocks <= _MOST_BLOCKS:
        raise BadArgument(f"blocks must be between 1 and {_MOST_BLOCKS}")
    height = max(found.chain.height, _BEGINNING) + 1
    transfers = tuple(
        Transfer(
            asset=coin.asset, address=found.invoice.address, txid=coin.txid, position=coin.position,
            amount=coin.amount, height=coin.height or height, block=_block(coin.asset, coin.height or height),
        )
        for coin in coins(found.entries)
        if not coin.gone
    )  # fmt: skip
    await _observe(context, found, transfers=transfers, blocks=blocks)
    return Confirmed(status=await _status(context, order))


@action(transactional=True)
async def practice_withdraw(context: Context, *, order: str) -> Withdrawn | Gone:
    """Let an order's practice payments disappear, as after a double spend or a reorganisation of the chain.

    Args:
        order: The order's id.
    """
    found = await _practice(context.work, context, order)
    if found is None:
        return Gone()
    await _observe(context, found, transfers=(), blocks=0, complete=True)
    return Withdrawn(status=await _status(context, order))


async def _practice(work: Work, context: Context, order: str) -> Scene | None:
    found = await desk.scene(work, context, order)
    if found is None or not found.invoice.rules.practice:
        return None
    setting = context.configured(ChainSettings).of(found.invoice.asset)
    return found if setting is not None and setting.via == "practice" else None  # the shop may be live since


async def _status(context: Context, order: str) -> str:
    found = await desk.scene(context.work, context, order)
    return found.invoice.status if found is not None else ""


async def _observe(
    context: Context, found: Scene, *, transfers: tuple[Transfer, ...], blocks: int, complete: bool = False
) -> None:
    asset = found.invoice.asset
    before = await ledger.chain(context.work, asset)
    height = max(before.height, _BEGINNING) + blocks
    report = Report(
        asset=asset,
        tip=Tip(asset=asset, height=height, block=_block(asset, height), at=context.now),
        transfers=transfers,
        complete=(found.invoice.address,) if complete else (),
    )
    bench = desk.bench(context)
    await facts.observe(context.work, report, now=context.now, payments=bench.payments, shop=bench.shop)


def _block(asset: str, height: int) -> str:
    return hashlib.sha256(f"practice:{asset}:{height}".encode()).hexdigest()
