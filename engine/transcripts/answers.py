"""Stands in for actions and sources while a transcript is played: each gives what the transcript says, in order."""

from collections.abc import Mapping
from typing import Final

from engine.actions.catalog import ActionSignature, SourceSignature
from engine.actions.context import Context
from engine.actions.errors import BadArgument, Refusal, Retryable, Unreachable
from engine.actions.invoke import ROWS
from engine.core.values import Value
from engine.loading.transcripts import Fact, Fails, Given, Gives, Lists
from engine.transcripts.comparing import look_up, same

_FAILED: Final[Mapping[str, type[Exception]]] = {
    "timeout": TimeoutError,
    "unreachable": Unreachable,
    "error": Retryable,
    "refused": Refusal,
}


class Answers:
    """The StandIn of one play. `wrong` is the first call whose arguments were not those of its `given:`."""

    def __init__(self, actions: Mapping[str, tuple[Given, ...]]) -> None:
        self._actions = actions
        self._asked: dict[str, int] = {}
        self.wrong: tuple[str, Given, tuple[Fact, ...]] | None = None
        """(name, what it would have given, the arguments as facts)."""

    async def instead(
        self, signature: ActionSignature | SourceSignature, context: Context, arguments: Mapping[str, Value]
    ) -> tuple[str, Mapping[str, Value]] | None:
        """What the transcript says; None: it says nothing of this action. The last answer also stands for later calls.

        Raises what stands for a failure.
        """
        answers = self._actions.get(signature.name)
        if not answers:
            return None
        asked = self._asked.get(signature.name, 0)
        self._asked[signature.name] = asked + 1
        given = answers[min(asked, len(answers) - 1)]
        self._check(signature.name, given, arguments)
        match given:
            case Gives(outcome=outcome, value=value):
                return outcome, dict(value)
            case Lists(rows=rows, total=total):
                return ROWS, _page(signature, rows, total, arguments)
            case Fails(kind=kind, reason=reason, final=final):
                raise _failure(kind, reason, final=final)

    def _check(self, name: str, given: Given, arguments: Mapping[str, Value]) -> None:
        if self.wrong is not None:
            return
        found = tuple(Fact(path=fact.path, value=look_up([arguments], fact.path)) for fact in given.given)
        if not all(same(fact.value, other.value) for fact, other in zip(given.given, found, strict=True)):
            self.wrong = (name, given, found)


def _failure(kind: str, reason: str, *, final: bool) -> Exception:
    """The exception that the engine reads as this failure."""
    if final and kind != "refused":
        return BadArgument(reason or "made to fail by the transcript")
    return _FAILED[kind](reason or "made to fail by the transcript")


def _page(
    signature: ActionSignature | SourceSignature,
    rows: tuple[Value, ...],
    total: int | None,
    arguments: Mapping[str, Value],
) -> dict[str, Value]:
    """Rows with a total are that page; without one they are all, of which a source that pages itself gives a part."""
    if total is not None:
        return {"rows": rows, "total": total}
    page = arguments.get("page")
    if isinstance(signature, SourceSignature) and signature.paged and isinstance(page, Mapping):
        offset, limit = int(str(page["offset"])), int(str(page["limit"]))
        return {"rows": rows[offset : offset + limit], "total": len(rows)}
    return {"rows": rows, "total": len(rows)}
