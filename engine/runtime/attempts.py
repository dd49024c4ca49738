"""One attempt of an action or source: contained, a stand-in asked first, an observer told. No retries here."""

from collections.abc import Mapping

from engine.actions.catalog import ActionSignature, SourceSignature
from engine.actions.context import Context
from engine.actions.errors import Failure
from engine.core.values import Value
from engine.runtime.containment import called, contained
from engine.runtime.observing import Observer, Returned, StandIn
from engine.runtime.ports import Clock

Came = tuple[str, Mapping[str, Value]]
"""The outcome and its record."""


class Attempts:
    """Calls plugins. Without `stand_in` and `observer`, as in production, it only contains them."""

    def __init__(self, *, clock: Clock, observer: Observer | None = None, stand_in: StandIn | None = None) -> None:
        self._clock = clock
        self._observer = observer
        self._stand_in = stand_in

    async def __call__(
        self,
        signature: ActionSignature | SourceSignature,
        context: Context,
        call: str,
        arguments: Mapping[str, Value],
        timeout: float | None = None,  # noqa: ASYNC109 - a plugin is cut by `contained`
    ) -> Came | Failure:
        """Call it once. `timeout`: seconds; None: the action's own. Raises only the caller's cancellation."""
        work = called(signature, context, arguments, self._stand_in)
        came = await contained(work, timeout or signature.timeout)
        if self._observer is not None:
            self._observer.returned(self._returned(signature, context, call, arguments, came))
        return came

    def _returned(
        self,
        signature: ActionSignature | SourceSignature,
        context: Context,
        call: str,
        arguments: Mapping[str, Value],
        came: Came | Failure,
    ) -> Returned:
        outcome, value = (
            ("", {"kind": came.kind, "reason": came.reason, "retry": came.retry}) if isinstance(came, Failure) else came
        )
        return Returned(
            at=self._clock.now(),
            chat=context.chat,
            conversation=context.conversation,
            call=call,
            name=signature.name,
            source=isinstance(signature, SourceSignature),
            arguments=arguments,
            outcome=outcome,
            asked=bool(context.requests),
            value=value,
        )
