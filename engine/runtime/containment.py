"""Runs a plugin's coroutine so that nothing it does reaches the engine: neither what it raises, nor how long it
takes, nor how much it gives back."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

from engine.actions.catalog import ActionSignature, SourceSignature
from engine.actions.context import CancelConversation, Context, SendSignal, Speak, StartFlow, TellChat, TellRole
from engine.actions.errors import ActionError, BadResult, Failure, failure, origin
from engine.actions.invoke import invoke
from engine.core.codec import dump_data
from engine.core.values import Value
from engine.runtime.invoking import result_of
from engine.runtime.observing import StandIn
from engine.runtime.sending import LARGEST_PAYLOAD, MOST_SIGNALS

Result = TypeVar("Result")
GRACE: Final = 1.0
"""Seconds that a cancelled call has to clean up before it is left to itself."""
LARGEST_RESULT: Final = 4 * 1024 * 1024
"""Bytes of JSON that an action may give back: they are written with every further step of the conversation."""

log = logging.getLogger("stepgram.calls")


async def contained(work: Coroutine[Any, Any, Result], timeout: float) -> Result | Failure:  # noqa: ASYNC109
    """The coroutine's result, or how it failed. Returns at the latest `timeout` seconds (and a moment) later.

    Only a cancellation of the caller itself is raised.
    """
    task = asyncio.create_task(_guarded(work))
    try:
        await asyncio.sleep(0)  # what answers at once needs no timer, which would cost more than the whole call
        if not task.done():
            await asyncio.wait({task}, timeout=timeout)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE)
    except BaseException:
        task.cancel()
        raise
    if not task.done():
        log.error("an action goes on after its time is over and does not let itself be cancelled")
    return Failure(kind="timeout", reason=f"no answer within {timeout:g} s", retry=True)


async def called(
    signature: ActionSignature | SourceSignature,
    context: Context,
    arguments: Mapping[str, Value],
    stand_in: StandIn | None = None,
) -> tuple[str, Mapping[str, Value]]:
    """One call: the outcome and its record, which a conversation can keep. `stand_in` may answer in its place.
    Raises BadResult, and what `invoke` raises.

    Of a source's rows only a page is kept, so that they may be many.
    """
    came = None if stand_in is None else await stand_in.instead(signature, context, arguments)
    outcome, value = came if came is not None else await invoke(signature, context, arguments)
    if isinstance(signature, ActionSignature):
        _check_kept(f"{signature.name} returned", value)
    _check_requests(signature.name, context)
    return outcome, result_of(signature, value)


def _check_requests(name: str, context: Context) -> None:
    """What the engine is asked for must be what it can carry out and keep."""
    signals = sum(isinstance(wish, SendSignal | TellChat | TellRole) for wish in context.requests)
    if signals > MOST_SIGNALS:
        raise BadResult(f"{name} sent {signals} signals; at most {MOST_SIGNALS} are taken")
    for wish in context.requests:
        match wish:
            case StartFlow(flow=str(), arguments=brought):
                _check_kept(f"{name} sent along", brought)
            case SendSignal(flow=str(), key=str(), name=str(), payload=brought, chat=str(), otherwise=str()):
                _check_kept(f"{name} sent along", brought, LARGEST_PAYLOAD)
                if not wish.key:
                    raise BadResult(f"{name} sent the signal {wish.name} without a key: to which conversation?")
            case (
                TellChat(chat=str(), flow=str(), arguments=brought)
                | TellRole(role=str(), flow=str(), arguments=brought)
            ):
                _check_kept(f"{name} sent along", brought, LARGEST_PAYLOAD)
            case CancelConversation(conversation=str()) | Speak(language=str()):
                pass
            case _:
                raise BadResult(f"{name} asked for {type(wish).__name__} with something that is no text: use names")


def _check_kept(what: str, value: Mapping[str, Value], most: int = LARGEST_RESULT) -> None:
    try:
        size = len(dump_data(value))
    except (ValueError, TypeError, RecursionError) as error:  # half a surrogate pair, a number without end, a circle
        raise BadResult(f"{what} something that cannot be kept ({type(error).__name__})") from error
    if size > most:
        raise BadResult(f"{what} {size // 1024} KB; at most {most // 1024} KB are taken")


async def _guarded(work: Coroutine[Any, Any, Result]) -> Result | Failure:
    try:
        return await work
    except asyncio.CancelledError:
        return Failure(kind="error", reason="the action was cancelled", retry=True)
    except BaseException as error:
        found = failure(error)
        if isinstance(error, ActionError | OSError | asyncio.TimeoutError) and not isinstance(error, BadResult):
            log.warning("an action failed: %s (%s)", found.kind, type(error).__name__)
        else:  # a mistake in the plugin: its developer looks for the place
            log.error("a mistake in an action: %s, at %s", found.reason, origin(error))
        log.debug("the action's own traceback", exc_info=error)
        return found
