"""The loop of one chain: look at what is watched, take down what is new, go on. Each chain for itself.

A node that is down stops nobody else: its loop waits longer and longer, and the team is told once.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from engine.actions import ServiceContext, Work
from engine.core.records import replaced
from plugins.chains import conditions
from plugins.chains.doors import open_driver
from plugins.chains.driver import Driver, NodeError, WrongNodeError
from plugins.chains.taking import take
from storage.shop import addresses, alarms, facts, lifting
from storage.shop.invoices import Bench
from storage.shop.moments import millis
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ChainSetting, ChainSettings, ShopSettings
from storage.shop.transfers import Report, Transfer

IDLE: Final = 300.0
"""Seconds until it is looked again whether an asset has a node now."""
LONGEST: Final = 30.0
"""Seconds between two tries at a node that is down."""
TOLD: Final = timedelta(minutes=5)
"""A node that is down for so long is told to the team; a wrong one is told at once."""
WHOLE: Final = timedelta(minutes=10)
"""Everything is taken down anew so often, whether it changed or not."""
Open = Callable[[str, ChainSetting], Driver]
_log = logging.getLogger("stepgram.chains")


class Watch:
    """One asset. `run` ends when it is cancelled."""

    def __init__(self, context: ServiceContext, asset: str, *, opens: Open | None = None) -> None:
        self._context = context
        self._asset = asset
        self._opens = opens or self._usual
        self._setting: ChainSetting | None = None
        self._driver: Driver | None = None
        self._told: dict[str, frozenset[Transfer]] | None = None
        """What was taken down of each address; None: everything is to be told."""
        self._whole_at: datetime | None = None
        self._kept = ""
        """The driver's memory as it is stored."""
        self._down_since: datetime | None = None
        self._failures = 0
        self._said = ""
        self._lifted = False
        """Whether the chain was asked which addresses are in use already."""
        self._clear = False
        """Whether no case about this chain is open."""

    async def run(self) -> None:
        """For ever."""
        checked: ChainSetting | None = None
        try:
            while True:
                pause = await self.round()
                if self._setting != checked:
                    checked = self._setting
                    await self._check_addresses()
                await self._context.sleep(pause)
        finally:
            await self._leave()

    async def round(self) -> float:
        """One look; the seconds until the next one."""
        chain = self._context.configured(ChainSettings).of(self._asset)
        if chain != self._setting:
            await self._leave()
            self._setting = chain
        if chain is None or chain.via == "practice":
            return IDLE
        try:
            await self._look(chain)
        except NodeError as trouble:
            return await self._trouble(trouble, chain)
        except Exception as trouble:  # a mistake here must not stop the other chains, and the store may be back soon
            _log.exception("%s could not be looked at: %s", self._asset, type(trouble).__name__)
            self._told = None
            return self._pause(chain)
        self._failures = 0
        return chain.every.total_seconds()

    async def _look(self, chain: ChainSetting) -> None:
        driver = await self._opened(chain)
        if not self._lifted and self._whole_at is None:
            await self._lift(driver)
        async with self._context.begin() as work:
            watched = await facts.watched(work, self._asset)
        report = await driver.look(watched)
        now = self._context.now()
        if self._whole_at is None or now - self._whole_at >= WHOLE:
            self._told, self._whole_at = None, now
        told, fresh = news(self._told, report)
        memory = driver.memory()
        payments, shop = self._context.configured(PaymentSettings), self._context.configured(ShopSettings)
        old = self._old(report, payments, chain)

        async def also(work: Work) -> None:
            if memory != self._kept:
                await work.execute("UPDATE pay_chains SET cursor = ? WHERE asset = ?", (memory, self._asset))
            if not old and not self._clear:
                await conditions.closed(work, self._asset, now=now)

        await take(self._context.begin, fresh, Bench(now=now, payments=payments, shop=shop), also)
        self._told, self._kept, self._clear = told, memory, not old
        if self._down_since is not None:
            _log.info("%s is seen again", self._asset)
            self._down_since, self._said = None, ""
        if old:
            await self._tell(old)

    async def _opened(self, chain: ChainSetting) -> Driver:
        if self._driver is None:
            driver = self._opens(self._asset, chain)
            async with self._context.begin() as work:
                rows = await work.query("SELECT cursor FROM pay_chains WHERE asset = ?", (self._asset,))
            self._kept = str(rows[0]["cursor"]) if rows else ""
            driver.remember(self._kept)
            self._driver = driver
        return self._driver

    async def _lift(self, driver: Driver) -> None:
        """After a restored backup the next addresses may be in use already: they are passed over."""
        context = self._context
        try:
            done = await lifting.lift(
                context.begin,
                self._asset,
                chains=context.configured(ChainSettings),
                environment=context.environment,
                data=context.data,
                used=driver.used,
                at=millis(context.now()),
            )
        except NodeError:
            raise
        except Exception:  # whatever is wrong with making addresses, those that were given out must be looked at
            _log.exception("%s: which addresses are in use could not be looked up", self._asset)
            return
        if isinstance(done, lifting.NotLifted):
            _log.warning("which addresses are in use could not be looked up: %s", done.reason)
        self._lifted = True

    async def _check_addresses(self) -> None:
        """A key that is missing or wrong is told to the team at the start, not to the first customer who pays."""
        context = self._context
        shop, chains = context.configured(ShopSettings), context.configured(ChainSettings)
        try:
            async with context.begin() as work:
                found = await addresses.lacking(work, self._asset, chains=chains, environment=context.environment)
                if found is None:
                    return
                if await alarms.lacking(work, self._asset, found.reason, at=millis(context.now())):
                    work.tell_role(shop.team_role, shop.team, news="payment.case", kind="no_address", text=found.reason)
        except Exception:  # whatever is wrong here, what was given out must be looked at
            _log.exception("%s: whether there are addresses could not be looked up", self._asset)
            return
        _log.error("no addresses can be given out: %s", found.reason)

    def _usual(self, asset: str, chain: ChainSetting) -> Driver:
        return open_driver(asset, chain, http=self._context.http, environment=self._context.environment)

    def _old(self, report: Report, payments: PaymentSettings, chain: ChainSetting) -> str:
        """What to say of a node that answers but has stopped following its chain; empty when it follows. On a private
        chain nobody may be making blocks."""
        age = self._context.now() - report.tip.at
        if chain.network == "regtest" or age <= payments.age(self._asset):
            return ""
        minutes = int(age.total_seconds() // 60)
        return f"{self._asset}: the node's newest block is {minutes} minutes old. Orders are held until it goes on."

    async def _trouble(self, trouble: NodeError, chain: ChainSetting) -> float:
        self._failures += 1
        now = self._context.now()
        self._down_since = self._down_since or now
        if str(trouble) != self._said:
            self._said = str(trouble)
            _log.warning("%s cannot be seen: %s", self._asset, trouble)
        if isinstance(trouble, WrongNodeError) or now - self._down_since >= TOLD:
            await self._tell(f"{self._asset} cannot be seen: {trouble}. Orders are held until it can.")
        return self._pause(chain)

    def _pause(self, chain: ChainSetting) -> float:
        every = chain.every.total_seconds()
        return max(every, min(LONGEST, every * 2.0 ** min(self._failures, 10)))

    async def _tell(self, text: str) -> None:
        try:
            async with self._context.begin() as work:
                told = await conditions.opened(
                    work, self._context.configured(ShopSettings), self._asset, text, now=self._context.now()
                )
        except Exception:
            _log.exception("the team could not be told: %s", text)
            return
        self._clear = False
        if told:
            _log.error("%s", text)

    async def _leave(self) -> None:
        driver, self._driver = self._driver, None
        self._told, self._whole_at, self._lifted = None, None, False
        if driver is not None:
            await driver.close()


def news(told: dict[str, frozenset[Transfer]] | None, report: Report) -> tuple[dict[str, frozenset[Transfer]], Report]:
    """What is told now of each address, and the part of the report that is news. `told` None: all of it is."""
    found: dict[str, set[Transfer]] = {address: set() for address in report.complete}
    for transfer in report.transfers:
        found.setdefault(transfer.address, set()).add(transfer)
    now = {address: frozenset(transfers) for address, transfers in found.items()}
    if told is None:
        return now, report
    changed = {address for address, transfers in now.items() if told.get(address, frozenset()) != transfers}
    kept = tuple(one for one in report.transfers if one.address in changed)
    complete = tuple(address for address in report.complete if address in changed)
    return now, replaced(report, transfers=kept, complete=complete)
