"""Stands in for an action or a source, once, when the pane has set so: it fails, is slow, or gives a chosen outcome.

Memory only: a restart forgets every rig. Never used in production: nobody hands it in there.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import Final, assert_never

from engine.actions.catalog import ActionSignature, Catalog, SourceSignature
from engine.actions.context import Context
from engine.actions.errors import Refusal, Retryable
from engine.actions.invoke import ROWS
from engine.channels.web.workshop_values import Unfit, given, readable, span_words
from engine.core.records import record
from engine.core.types import ListType
from engine.core.values import Value

SHORTEST: Final = 0.1
LONGEST: Final = 600.0
"""Seconds that a call can be made to wait."""
LONGEST_REASON: Final = 300
MOST: Final = 1000
"""Rigs in memory, of all chats; the oldest goes first."""

Signature = ActionSignature | SourceSignature


@record
class Fail:
    """The call fails: `final` for good (no retry), else once."""

    reason: str
    final: bool

    def words(self) -> str:
        """For the pane."""
        return f"fails{' for good' if self.final else ' once'}: {self.reason}"


@record
class Slow:
    """The call waits, then runs."""

    seconds: float

    def words(self) -> str:
        """For the pane."""
        if self.seconds == int(self.seconds):
            return f"takes {span_words(self.seconds)}"
        return f"takes {self.seconds:g} seconds"


@record
class Outcome:
    """The call gives this outcome; the action itself does not run."""

    name: str
    value: Mapping[str, Value] = field(default_factory=dict)

    def words(self) -> str:
        """For the pane."""
        if self.name == ROWS:
            rows = self.value.get("rows")
            return f"gives {len(rows) if isinstance(rows, tuple) else 0} rows"
        return f"gives {self.name}" + (f" {readable(self.value, 120)}" if self.value else "")


Rig = Fail | Slow | Outcome
KINDS: Final[Mapping[type, str]] = {Fail: "fail", Slow: "slow", Outcome: "outcome"}


class Rigs:
    """The workshop's StandIn: one rig per chat and action, taken when it is used.

    `sleep` waits on the bot's own clock, so that turning it ends a slow call.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._rigs: OrderedDict[tuple[str, str], Rig] = OrderedDict()

    def put(self, chat: str, action: str, rig: Rig) -> None:
        """For the chat's next call of the action; a rig that was there before is replaced."""
        self._rigs.pop((chat, action), None)
        self._rigs[chat, action] = rig
        if len(self._rigs) > MOST:
            self._rigs.popitem(last=False)

    def clear(self, chat: str, action: str) -> bool:
        """Take a rig away. False: there was none."""
        return self._rigs.pop((chat, action), None) is not None

    def of(self, chat: str) -> Sequence[tuple[str, Rig]]:
        """The chat's rigs by action, the oldest first."""
        return [(action, rig) for (owner, action), rig in self._rigs.items() if owner == chat]

    async def instead(
        self, signature: Signature, context: Context, arguments: Mapping[str, Value]
    ) -> tuple[str, Mapping[str, Value]] | None:
        """What stands in for this call; None: the action itself runs. Raises Retryable or Refusal."""
        rig = self._rigs.pop((context.chat, signature.name), None)
        match rig:
            case None:
                return None
            case Fail(reason=reason, final=final):
                raise Refusal(reason) if final else Retryable(reason)
            case Slow(seconds=seconds):
                await self._sleep(seconds)
                return None
            case Outcome(name=name, value=value):
                return name, dict(value)
            case _:
                assert_never(rig)


def signature_of(catalog: Catalog, name: str) -> Signature | None:
    """The action or source of that name; an action goes before a source of the same name."""
    return catalog.actions.get(name) or catalog.sources.get(name)


def read_rig(message: Mapping[str, object], signature: Signature) -> Rig:
    """The rig that a message of the page describes. Raises Unfit with a sentence for the person."""
    match message.get("kind"):
        case "fail":
            return _read_fail(message)
        case "slow":
            return _read_slow(message)
        case "outcome":
            return _read_outcome(message, signature)
        case kind:
            raise Unfit(
                f"A call can be made to “fail”, to be “slow” or to give an “outcome”, not “{readable(kind, 40)}”."
            )


def _read_fail(message: Mapping[str, object]) -> Fail:
    reason, final = message.get("reason") or "made to fail in the workshop", message.get("final", False)
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise Unfit(f"The reason must be a text of at most {LONGEST_REASON} characters.")
    if not isinstance(final, bool):
        raise Unfit("“final” must be true or false.")
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise Unfit("The reason has a character in it that is none.") from error
    return Fail(reason=" ".join(reason.split()) or "made to fail in the workshop", final=final)


def _read_slow(message: Mapping[str, object]) -> Slow:
    seconds = message.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not SHORTEST <= seconds <= LONGEST:
        raise Unfit(f"A call can be slowed down by {SHORTEST:g} to {LONGEST:g} seconds.")
    return Slow(seconds=float(seconds))


def _read_outcome(message: Mapping[str, object], signature: Signature) -> Outcome:
    name, value = message.get("outcome"), message.get("value", {})
    if isinstance(signature, SourceSignature):
        return _read_rows(name, value, signature)
    kind = signature.outcomes.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(name, str):
        known = ", ".join(f"“{outcome}”" for outcome in signature.outcomes)
        raise Unfit(f"{signature.name} has no outcome “{readable(name, 60)}”: there is {known}.")
    read = given(value if value is not None else {}, kind, name)
    assert isinstance(read, dict)
    return Outcome(name=name, value=read)


def _read_rows(name: object, value: object, signature: SourceSignature) -> Outcome:
    if name not in (None, ROWS):
        raise Unfit(f"{signature.name} is a source: its only outcome is “{ROWS}”.")
    rows = value.get("rows") if isinstance(value, Mapping) else value
    read = given(rows, ListType(item=signature.row), "rows")
    assert isinstance(read, tuple)
    return Outcome(name=ROWS, value={"rows": read, "total": len(read)})
