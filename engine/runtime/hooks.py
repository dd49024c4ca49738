"""Webhooks of plugins: a signed request becomes one transaction that remembers it. Checks no signature."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from engine.actions.catalog import Catalog, WebhookSignature
from engine.actions.context import WebhookContext
from engine.actions.errors import BadArgument, Failure
from engine.actions.webhooks import DUPLICATE
from engine.actions.wire import answer, arguments_of, to_json
from engine.core.records import record
from engine.core.values import Value
from engine.runtime.activity import Activity
from engine.runtime.containment import contained
from engine.runtime.context import Contexts
from engine.runtime.library import Library
from engine.runtime.ports import Clock, Conflict, StoreFailed
from engine.runtime.sending import LONGEST_UPDATE, UnfitSignal, payload_of
from engine.runtime.work import Works

TRIES: Final = 3
"""So many times it is done again when another transaction stood in the way."""
_FAILED: Final = {"error": "Not taken: please send it again."}

log = logging.getLogger("stepgram.webhooks")


@record
class Answer:
    """What the sender is told."""

    status: int
    body: Mapping[str, Any]


class _Undone(Exception):  # noqa: N818 - carries the answer out of the transaction
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Hooks:
    """Takes requests whose signature was checked. `library` and `contexts`: of the flows that are live."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        works: Works,
        clock: Clock,
        activity: Activity,
        library: Callable[[], Library],
        contexts: Callable[[], Contexts],
    ) -> None:
        self._catalog = catalog
        self._works = works
        self._clock = clock
        self._activity = activity
        self._library = library
        self._contexts = contexts

    async def take(self, path: str, delivery: str, body: bytes) -> Answer:
        """Handle a delivery once: the answer. Raises nothing but a cancellation: what fails is an answer, too."""
        signature = self._catalog.webhooks[path]
        try:
            given = arguments_of(signature, payload_of(body))
        except UnfitSignal as error:
            return Answer(status=HTTPStatus.BAD_REQUEST, body={"error": str(error)})
        except BadArgument as error:
            return Answer(status=HTTPStatus.BAD_REQUEST, body={"error": f"{error}."})
        with self._activity.work():
            for _ in range(TRIES):
                try:
                    return await self._done(signature, delivery, given)
                except Conflict:
                    continue
                except _Undone as undone:
                    return undone.answer
                except UnfitSignal as error:
                    log.error("the webhook %s sent what cannot be sent: %s", signature.name, error)
                    return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, body=_FAILED)
                except StoreFailed as error:
                    log.warning("the webhook %s was not taken: %s", signature.name, error)
                    break
        return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=_FAILED)

    async def _done(self, signature: WebhookSignature, delivery: str, given: Mapping[str, object]) -> Answer:
        """One transaction. Raises _Undone with the answer when nothing of it is to stay."""
        now = self._clock.now()
        update = known_as(signature.path, delivery)
        async with self._works.opened(update) as (transaction, work):
            if not await transaction.remember(update, now):
                return Answer(status=HTTPStatus.OK, body={"result": DUPLICATE})
            context = WebhookContext(
                work=work,
                delivery=delivery,
                now=now,
                configured=self._contexts().configured,
                settings=self._library().bot.settings,
            )
            came = await contained(answer(signature, context, given), signature.timeout)
            if isinstance(came, Failure):
                raise _Undone(_failed(came))
            return _answered(signature, *came)


def _answered(signature: WebhookSignature, outcome: str, fields: Mapping[str, Value]) -> Answer:
    status = signature.statuses[outcome]
    found = Answer(status=status, body={"result": outcome, **to_json(fields)})
    if status >= HTTPStatus.BAD_REQUEST:
        raise _Undone(found)
    return found


def _failed(failure: Failure) -> Answer:
    if failure.kind == "refused":
        return Answer(status=HTTPStatus.UNPROCESSABLE_ENTITY, body={"error": failure.reason})
    again = failure.retry
    status = HTTPStatus.SERVICE_UNAVAILABLE if again else HTTPStatus.INTERNAL_SERVER_ERROR
    return Answer(status=status, body=_FAILED)


def known_as(path: str, delivery: str) -> str:
    """The id under which a repeated delivery is known."""
    whole = f"webhook:{path}:{delivery}"
    if len(whole) <= LONGEST_UPDATE and whole.isprintable():
        return whole
    return f"webhook:{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()}"
