"""Checkouts through the actions as flows call them: a cart, its order, a quote, its invoice. Time and statements."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from engine.actions import Context, Money
from engine.actions.testing import context
from engine.core.records import replaced
from plugins.payments.records import Invoiced, Quoted
from plugins.payments.selling import create_invoice, quote
from plugins.shop.carting import add, read_cart
from plugins.shop.ordering import place_order
from plugins.shop.records import Cart, Placed
from storage.shop.policy import PaymentSettings, Rates
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.benchmarks.figures import Figure
from tests.benchmarks.shop_work import Bot, fill

_CONFIGURED = {
    PaymentSettings: PaymentSettings(rates=Rates(fixed={"BTC": Money(minor=6_000_000, asset="EUR")}, sources=[])),
    ShopSettings: ShopSettings(),
    ChainSettings: ChainSettings(BTC=ChainSetting(via="practice")),
}
Bots = Callable[..., AbstractAsyncContextManager[Bot]]


class _Stand:
    """Where the actions find the store's transactions."""

    def __init__(self, bot: Bot) -> None:
        self._works = bot.app.runtime.beside.works

    def transaction(self) -> Any:
        return self._works.begin()

    async def execute(self, sql: str, parameters: Any = ()) -> int:
        raise AssertionError("outside of a transaction")

    async def query(self, sql: str, parameters: Any = ()) -> Any:
        raise AssertionError("outside of a transaction")


def _context(bot: Bot, chat: str, work: Any = None) -> Context:
    fields: dict[str, Any] = {"chat": chat, "now": datetime.now(UTC), "idempotency_key": f"{chat}/1"}
    made = context(database=_Stand(bot), configured=_CONFIGURED, **fields)  # type: ignore[arg-type]
    return made if work is None else replaced(made, transaction=work, requests=work.requests)


async def checkout(bot: Bot, chat: str) -> None:
    """From a cart that is full to the invoice: four calls, four transactions."""
    begin = bot.app.runtime.beside.works.begin
    async with begin() as work:
        cart = await read_cart(_context(bot, chat, work))
    assert isinstance(cart, Cart)
    async with begin() as work:
        placed = await place_order(_context(bot, chat, work), cart=cart, currency="BTC")
    assert isinstance(placed, Placed), placed
    quoted = await quote(_context(bot, chat), total=placed.total, currency="BTC")
    assert isinstance(quoted, Quoted), quoted
    async with begin() as work:
        made = await create_invoice(_context(bot, chat, work), order=placed.id, quote=quoted.id)
    assert isinstance(made, Invoiced), made


async def checkouts(bots: Bots, where: str, *, count: int) -> list[Figure]:
    """So many, each of its own customer with three products, one after the other."""
    async with bots(where, services=False) as bot:
        await fill(bot, 0, begin=0, spread=0)
        begin = bot.app.runtime.beside.works.begin
        for number in range(count + 1):
            async with begin() as work:
                for product in (3, 1, 2):
                    await add(_context(bot, f"bench:{number}", work), product=product, quantity=1)
        await checkout(bot, "bench:0")
        before, begun, cpu = bot.notes.statements, time.perf_counter(), time.process_time()
        for number in range(1, count + 1):
            await checkout(bot, f"bench:{number}")
        spent, used = time.perf_counter() - begun, time.process_time() - cpu
        statements = (bot.notes.statements - before) / count
    return [
        Figure(name=f"{where}: checkouts per second", value=count / spent, unit="1/s"),
        Figure(name=f"{where}: CPU of a checkout", value=used / count * 1e6),
        Figure(name=f"{where}: statements of a checkout", value=statements, unit=""),
    ]
