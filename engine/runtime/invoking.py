"""What an Invoke means for this bot: its signature, its retry policy, its row among the pending calls. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from engine.actions.catalog import ActionSignature, Catalog, SourceSignature
from engine.core.codec import dump_data, load_data
from engine.core.effects import Invoke, Purpose
from engine.core.model import Bot, Retry
from engine.core.values import Value
from engine.runtime.ports import PendingCall

SIGNAL: Final = "signal"
"""Purpose of a pending call that is no action but a signal on its way: only older versions wrote those."""
_POLICIES: Final[Mapping[Purpose, Retry]] = {
    Purpose.DO: Retry(attempts=3, first=timedelta(seconds=1)),
    Purpose.ROWS: Retry(attempts=3, first=timedelta(milliseconds=300)),
    Purpose.FILE: Retry(attempts=2, first=timedelta(milliseconds=500)),
    Purpose.UNDO: Retry(attempts=12, first=timedelta(seconds=2)),
}
"""Where neither the step nor a policy named `default` in bot.yaml says otherwise. A customer looks on while rows
and files load, so those give up soon; an undo has nobody to ask, so it goes on for an hour."""

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Retry)


def signature_of(catalog: Catalog, purpose: str, name: str) -> ActionSignature | SourceSignature | None:
    """The action or source that is meant; None when its plugin is not there."""
    return catalog.sources.get(name) if purpose == Purpose.ROWS else catalog.actions.get(name)


def policy_of(invoke: Invoke, bot: Bot) -> Retry:
    """The step's policy, the one it names, the bot's `default`, or ours."""
    if isinstance(invoke.retry, Retry):
        return invoke.retry
    named = bot.retry.get(invoke.retry) if invoke.retry else None
    return named or bot.retry.get("default") or _POLICIES[invoke.purpose]


def pending_call(invoke: Invoke, *, conversation: str, chat: str, bot: Bot, at: datetime) -> PendingCall:
    """The row of an external call. Raises NotStorableError for arguments that are no values of the language."""
    return PendingCall(
        conversation=conversation,
        chat=chat,
        call=invoke.call,
        purpose=invoke.purpose,
        name=invoke.name,
        arguments=dump_data(arguments_with_page(invoke)),
        retry=_encoder.encode(policy_of(invoke, bot)),
        timeout=invoke.timeout,
        attempt=0,
        due=at,
    )


def arguments_with_page(invoke: Invoke) -> dict[str, Value]:
    """What the function is called with: its arguments, and for a source the page that is on show."""
    if invoke.page is None:
        return dict(invoke.arguments)
    search, offset, limit = invoke.page
    return {**invoke.arguments, "page": {"search": search, "offset": offset, "limit": limit}}


def arguments_of(row: PendingCall) -> Mapping[str, Value]:
    """The arguments of a stored call."""
    loaded = load_data(row.arguments)
    assert isinstance(loaded, dict)
    return loaded


def pause_after(row: PendingCall, attempt: int) -> timedelta | None:
    """How long to wait after the failed attempt number `attempt`; None when it was the last."""
    policy = _decoder.decode(row.retry)
    if attempt >= policy.attempts:
        return None
    try:
        seconds = policy.first.total_seconds() * policy.factor ** (attempt - 1)
    except OverflowError:
        return policy.longest
    return min(timedelta(seconds=min(seconds, 1e9)), policy.longest)


def result_of(signature: ActionSignature | SourceSignature, value: Mapping[str, Value]) -> Mapping[str, Value]:
    """The value of ActionFinished: rows say whether the source itself cut out the page."""
    if isinstance(signature, SourceSignature):
        return {**value, "paged": signature.paged}
    return value
