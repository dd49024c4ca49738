"""The runtime as its fleet sees it: implements `engine.runtime.hands.Hands` over the parts of one worker."""

from collections.abc import Callable, Collection, Sequence

from engine.runtime.calls import Calls
from engine.runtime.delivery import Deliveries
from engine.runtime.dispatcher import Dispatcher
from engine.runtime.executor import Executor
from engine.runtime.ports import Clock, Envelope, Store
from engine.runtime.signals import Signals
from engine.runtime.timers import Timers


class OwnHands:
    """`told` hears of each chat that somebody else has written messages for."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        dispatcher: Dispatcher,
        calls: Calls,
        executor: Executor,
        deliveries: Deliveries,
        signals: Signals,
        timers: Timers,
        told: Callable[[str], None] | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._dispatcher = dispatcher
        self._calls = calls
        self._executor = executor
        self._deliveries = deliveries
        self._signals = signals
        self._timers = timers
        self._told = told

    async def post(self, envelope: Envelope) -> bool:
        return await self._dispatcher.post(envelope)

    def busy(self) -> Collection[str]:
        return {*self._dispatcher.busy, *self._calls.busy}

    def cut(self, buckets: Collection[int]) -> None:
        self._calls.cut(buckets)

    def forget(self, buckets: Collection[int]) -> None:
        self._executor.forget(buckets)

    async def take_over(self, buckets: Collection[int]) -> None:
        self._executor.forget(buckets)
        # What the last owner wrote goes out before what we shall write, also when it could not tell us.
        await self.outbox(())
        self.signalled()

    async def outbox(self, chats: Sequence[str]) -> None:
        store = self._store
        self._deliveries.add(await (store.undelivered_to(chats) if chats else store.undelivered()))
        if self._told is not None:
            for chat in chats:
                self._told(chat)

    def signalled(self) -> None:
        self._signals.poke()
        self._timers.wake(self._clock.now())
