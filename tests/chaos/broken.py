"""Deliberately broken bots. The suite must catch each of them: else it proves nothing."""

import itertools
import os
from collections.abc import Callable
from typing import Any

from engine.actions.errors import Failure
from engine.core.events import ActionFinished
from engine.core.records import replaced
from engine.runtime import context
from engine.runtime.delivery import Deliveries
from engine.runtime.invoking import arguments_with_page, signature_of
from engine.runtime.ledger import Ledger
from engine.runtime.play import Play
from tests.chaos.points import replaced_in
from tests.chaos.shop_broken import SHOP


def effect_before_commit() -> None:
    """External actions run while the event is handled, before anything is written."""
    recorded = Play._invoke

    async def at_once(play: Any, conversation: Any, effect: Any) -> Any:
        tools = play._tools
        signature = signature_of(tools.catalog, effect.purpose, effect.name)
        if signature is None or signature.transactional:
            return await recorded(play, conversation, effect)
        made = tools.contexts.build(
            chat=play._ledger.chat,
            conversation=conversation.id,
            others=play._ledger.open.values(),
            call=effect.call,
            attempt=1,
            at=play._ledger.at,
        )
        came = await tools.attempts(signature, made, effect.call, arguments_with_page(effect), effect.timeout)
        if isinstance(came, Failure):
            return play._failed(effect, came)
        outcome, value = came
        play.request(made.requests, conversation.id, effect.call)
        return ActionFinished(at=play._ledger.at, call=effect.call, outcome=outcome, value=value)

    replaced_in(Play, "_invoke", at_once)


def delivered_before_sent() -> None:
    """A message is written down as delivered before it is sent."""
    sends = Deliveries._try

    async def noted_first(deliveries: Any, row: Any) -> bool:
        await deliveries._store.delivered([row.id])
        return await sends(deliveries, row)

    replaced_in(Deliveries, "_try", noted_first)


def _committing(change: Callable[[Any], Any]) -> None:
    whole = Ledger.commit

    def commit(ledger: Any, *given: Any) -> Any:
        return change(whole(ledger, *given))

    replaced_in(Ledger, "commit", commit)


def seen_not_written() -> None:
    """It is forgotten which updates were handled."""
    _committing(lambda commit: replaced(commit, seen=()))


def timers_not_deleted() -> None:
    """The row of a timer that fired or was cancelled stays."""
    _committing(lambda commit: replaced(commit, fired_timers=(), cancelled_timers=()))


def pending_not_deleted() -> None:
    """An outcome is applied, and the row of its call stays."""
    _committing(lambda commit: replaced(commit, finished_calls=()))


def outbox_not_written() -> None:
    """Messages are sent from memory only: the commit does not have them."""
    _committing(lambda commit: replaced(commit, outbox=()))


def random_keys() -> None:
    """Each attempt has an idempotency key of its own."""
    counted = itertools.count()

    def key(conversation: str, call: str) -> str:
        return f"{conversation}/{call}/{os.getpid()}.{next(counted)}"

    replaced_in(context, "idempotency_key", key)


def calls_not_recorded() -> None:
    """External calls run after the commit, from memory: nobody knows of them after a kill."""
    _committing(lambda commit: replaced(commit, pending=()))


ENGINE: dict[str, Callable[[], None]] = {
    "effect-before-commit": effect_before_commit,
    "delivered-before-sent": delivered_before_sent,
    "seen-not-written": seen_not_written,
    "timers-not-deleted": timers_not_deleted,
    "pending-not-deleted": pending_not_deleted,
    "outbox-not-written": outbox_not_written,
    "random-keys": random_keys,
    "calls-not-recorded": calls_not_recorded,
}
VARIANTS = {**ENGINE, **SHOP}
