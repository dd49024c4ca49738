"""Runs a plugin's coroutine so that nothing it does reaches the engine: neither what it raises nor how long."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from engine.actions.errors import Failure, failure

Result = TypeVar("Result")
GRACE: Final = 1.0
"""Seconds that a cancelled call has to clean up before it is left to itself."""

log = logging.getLogger("stepgram.calls")


async def contained(work: Coroutine[Any, Any, Result], timeout: float) -> Result | Failure:  # noqa: ASYNC109
    """The coroutine's result, or how it failed. Returns at the latest `timeout` seconds (and a moment) later.

    Only a cancellation of the caller itself is raised.
    """
    task = asyncio.create_task(_guarded(work))
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout)
        if done:
            return task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=GRACE)
    except BaseException:
        task.cancel()
        raise
    if not task.done():
        log.error("an action goes on after its time is over and does not let itself be cancelled")
    return Failure(kind="timeout", reason=f"no answer within {timeout:g} s", retry=True)


async def _guarded(work: Coroutine[Any, Any, Result]) -> Result | Failure:
    try:
        return await work
    except GeneratorExit:
        raise
    except asyncio.CancelledError:
        return Failure(kind="error", reason="the action was cancelled", retry=True)
    except BaseException as error:
        found = failure(error)
        log.warning("an action failed: %s (%s)", found.kind, type(error).__name__)
        log.debug("the action's own traceback", exc_info=error)
        return found
