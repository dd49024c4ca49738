"""Cuts the power at the n-th thing that a bot does to the outside, so that nothing after it happens. For tests only.

A store and a channel that freeze for good when their time has come: what a process does that is killed there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from engine.runtime.ports import Channel, Outgoing, Store, Transaction

Result = TypeVar("Result")
WRITES = ("commit", "delivered", "attempted", "keep_signal", "drop_signal")


class Power:
    """`at`: the number (from 1) of the write or delivery at which everything stops, before or `after` it is done."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self.at = at
        self.after = after
        self.count = 0
        self.gone = asyncio.Event()

    async def passes(self) -> None:
        """Nothing gets on while the power is away."""
        if self.gone.is_set():
            await asyncio.get_running_loop().create_future()

    async def does(self, work: Awaitable[Result]) -> Result:
        """One write or delivery."""
        try:
            await self.passes()
            self.count += 1
            last = self.count == self.at
            if last and not self.after:
                await self._cut()
        except BaseException:
            if asyncio.iscoroutine(work):
                work.close()
            raise
        result = await work
        if last:
            await self._cut()
        await self.passes()
        return result

    async def _cut(self) -> None:
        self.gone.set()
        await self.passes()


class PoweredChannel:
    """A channel that needs power."""

    def __init__(self, channel: Channel, power: Power) -> None:
        self._channel = channel
        self._power = power

    async def deliver(self, outgoing: Outgoing) -> None:
        await self._power.does(self._channel.deliver(outgoing))


class PoweredStore:
    """A store that needs power."""

    def __init__(self, store: Store, power: Power) -> None:
        self._store = store
        self._power = power

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name in ("open", "close", "sharing"):
            return method

        async def guarded(*arguments: Any, **named: Any) -> Any:
            if name in WRITES:
                return await self._power.does(method(*arguments, **named))
            await self._power.passes()
            return await method(*arguments, **named)

        return guarded

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        await self._power.passes()
        stack = self._store.transaction()
        transaction = await stack.__aenter__()
        try:
            yield transaction
        except BaseException as error:
            await stack.__aexit__(type(error), error, error.__traceback__)
            raise
        await self._power.does(stack.__aexit__(None, None, None))
