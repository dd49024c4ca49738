"""A shop whose payments come over a real node: the product's own driver, watcher and law, at real addresses."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.actions import Money
from engine.actions.testing import service_context
from engine.core.records import replaced
from plugins.chains.watching import Watch
from storage.shop import books
from storage.shop.moments import millis
from storage.shop.policy import LateRule, PaymentSettings, Rates
from storage.shop.rules import rules
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from tests.shop.nodes.rigs import Rig
from tests.shop.till import CENTS, CHAT, PRICE, RATE, Till, settings

VIA: dict[str, Any] = {"BTC": "bitcoin", "LTC": "bitcoin", "ETH": "ethereum", "SOL": "solana"}
LENIENT = {asset: timedelta(hours=3) for asset in VIA}
NEEDED = 2


def policy(**changes: Any) -> PaymentSettings:
    """Two confirmations everywhere; late payments are accepted while there is stock."""
    return settings(
        confirmations=dict.fromkeys(VIA, NEEDED),
        late=[LateRule(do="accept")],
        stale=LENIENT,
        rates=Rates(fixed={asset: Money(minor=5_000_000, asset=CENTS) for asset in VIA}, sources=[]),
        **changes,
    )


class Trade(Till):
    """One shop and one node. Time is the machine's, and more when the test turns it."""

    def __init__(self, rig: Rig, payments: PaymentSettings | None = None) -> None:
        super().__init__(payments or policy())
        self.rig = rig
        self.now = datetime.now(UTC)
        self.watch = self.fresh_watch()

    def fresh_watch(self, *, sleep: Callable[[float], Awaitable[None]] | None = None) -> Watch:
        """A new watcher with a new driver, as after a start."""
        chain = ChainSetting(via=VIA[self.rig.asset], node="NODE", keys="KEYS", network="regtest")
        chains = ChainSettings(**{self.rig.asset: chain})
        context = service_context(
            database=self.database,
            requests=self.requests,
            sleep=sleep,
            configured={ChainSettings: chains, PaymentSettings: self.payments, ShopSettings: self.shop},
        )
        return Watch(
            replaced(context, now=lambda: self.now), self.rig.asset, opens=lambda _asset, _chain: self.rig.connect()
        )

    async def offer(self) -> str:
        """An order with an invoice at a new address of the node."""
        order = await self.order()
        amount = Money(minor=self.rig.one, asset=self.rig.asset)
        total = Money(minor=PRICE, asset=CENTS)
        address = self.rig.fresh()
        async with self.work() as work:
            assert await books.insert(
                work,
                order=order,
                customer=CHAT,
                chat=CHAT,
                address=address,
                path="m/0/7",
                amount=amount,
                total=total,
                rate=str(RATE),
                now=millis(self.now),
                expires_at=millis(self.now + self.payments.expires),
                monitor_until=millis(self.now + self.payments.monitor),
                rules=rules(self.payments, amount=amount, total=total, practice=False),
            )
        return address

    async def look(self) -> float:
        """One round of the watcher."""
        return await self.watch.round()

    async def until(self, status: str, *flags: str, number: int = 1) -> None:
        """Rounds until the invoice is so; an index follows its node some moments later."""
        wanted = (status, frozenset(flags))
        for _ in range(150):
            await self.look()
            if await self.state(number) == wanted:
                return
            await asyncio.sleep(0.05)
        assert await self.state(number) == wanted

    async def close(self) -> None:
        await self.watch._leave()
